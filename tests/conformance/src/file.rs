//! The checks that a file meets before there is a model: what it is, what it wants, what it says of itself.

use retailcast_runtime::{Digest, Engine, Inspection, Models, Plugin, PluginError, PluginSettings, open};

use crate::check::{Applies, Check, Failure, Level, Outcome, Problem};
use crate::{Report, kind};

/// A file that was opened, or not.
pub(crate) struct File {
    opened: Result<Plugin, PluginError>,
}

/// Checks a component under these settings. `key` is the name of its settings, for messages.
pub fn check_file(
    engine: &Engine,
    key: &str,
    bytes: &[u8],
    settings: &PluginSettings,
    level: Level,
    models: Models<'_>,
) -> Report {
    let file = File { opened: open(engine, None, key, bytes, settings) };
    let mut results: Vec<_> = checks().map(|check| check.run(&file, None)).collect();
    match &file.opened {
        Ok(plugin) => results.extend(kind::run(plugin, models, level, None)),
        Err(e) => {
            // The file tells its kind, unless it is the file that is wrong.
            let kind = Inspection::of(engine, key, bytes).ok().and_then(|file| file.kind());
            let of_level = kind.map(kind::abouts).unwrap_or_default().into_iter();
            let of_level = of_level.filter(|about| about.level <= level);
            results.extend(of_level.map(|about| about.not_run(Problem::after(stage(e)))));
        }
    }
    let description = file.opened.as_ref().ok().map(Plugin::description);
    Report::new(key, Digest::of(bytes), description, level, results)
}

/// The check that an error at opening belongs to.
fn stage(error: &PluginError) -> &'static str {
    match error {
        PluginError::NotAComponent { .. } | PluginError::Compile { .. } => "static.component",
        PluginError::Denied { .. } => "static.imports",
        PluginError::Contract { .. } => "static.contract",
        PluginError::Description { .. } => "static.description",
        _ => "static.start",
    }
}

/// Opening ends at the first thing that is wrong: what comes before it is right, what comes after is unknown.
fn opens(file: &File, own: &str, expected: &str) -> Outcome {
    let Err(error) = &file.opened else { return Ok(()) };
    let position = |id: &str| CHECKS.iter().position(|check| check.id == id);
    let failed = stage(error);
    match position(failed).cmp(&position(own)) {
        std::cmp::Ordering::Less => Err(Problem::after(failed)),
        std::cmp::Ordering::Equal => Err(Problem::of(error, expected, "the file itself")),
        std::cmp::Ordering::Greater => Ok(()),
    }
}

/// In the order in which opening looks at them.
pub(crate) fn checks() -> impl Iterator<Item = &'static Check<File>> {
    CHECKS.iter()
}

const CHECKS: &[Check<File>] = &[
    Check {
        id: "static.component",
        title: "The file is a component",
        rule: "The file is a valid WebAssembly component of at most 64 MiB, neither a core module nor precompiled code.",
        level: Level::Smoke,
        applies: Applies::ALWAYS,
        mend: "Build for the target `wasm32-wasip2` (Rust), or with the tool of the language that makes components.",
        body: |file| opens(file, "static.component", "a WebAssembly component"),
    },
    Check {
        id: "static.imports",
        title: "It imports nothing that it may not have",
        rule: "The component imports only interfaces of its contract, granted capabilities, and WASI's cli, clocks, io and random.",
        level: Level::Smoke,
        applies: Applies::ALWAYS,
        mend: "The message names the import. A capability is granted with `--grant`, and in the server with `grants`. Sockets are given to no plugin, and files only to an embedding provider with the grant of a folder: a dependency that opens them has to go.",
        body: |file| opens(file, "static.imports", "imports that the host offers"),
    },
    Check {
        id: "static.contract",
        title: "It speaks a contract of this host",
        rule: "The component exports the world of one kind of plugin, in a version of the contract that this host speaks.",
        level: Level::Smoke,
        applies: Applies::ALWAYS,
        mend: "Export the plugin with the SDK's macro, and build it with an SDK of a contract that this host speaks.",
        body: |file| opens(file, "static.contract", "one world of the contract"),
    },
    Check {
        id: "static.start",
        title: "It starts and describes itself",
        rule: "A fresh instance starts and answers `describe` within the plugin's limits.",
        level: Level::Smoke,
        applies: Applies::ALWAYS,
        mend: "The message is the crash or the limit. `describe` and static initialisers should compute nothing.",
        body: |file| opens(file, "static.start", "a description"),
    },
    Check {
        id: "static.description",
        title: "Its description can be used",
        rule: "The name is `[a-z][a-z0-9_]*` of at most 50 characters, the version `major.minor.patch`, the kind that of the world, and the configuration's JSON Schema valid with defaults that fit it.",
        level: Level::Smoke,
        applies: Applies::ALWAYS,
        mend: "The message says which of them is wrong.",
        body: |file| opens(file, "static.description", "a description that the host can use"),
    },
    Check {
        id: "static.about",
        title: "It says whose it is and what it does",
        rule: "The licence is an SPDX expression and the summary is one line of 1 to 200 characters.",
        level: Level::Smoke,
        applies: Applies::ALWAYS,
        mend: "A licence of your own is written `LicenseRef-NAME`.",
        body: about,
    },
];

fn about(file: &File) -> Outcome {
    let plugin = file.opened.as_ref().map_err(|e| Problem::after(stage(e)))?;
    let description = plugin.description();
    let case = "describe";
    if let Err(e) = spdx::Expression::parse(&description.licence) {
        let found = format!("`{}`: {}", description.licence, e.reason);
        return Failure::outcome("an SPDX expression, for example `Apache-2.0`", found, case);
    }
    let summary = &description.summary;
    let length = summary.chars().count();
    if summary.trim().is_empty() || length > 200 || summary.contains('\n') {
        return Failure::outcome(
            "a summary of one line with 1 to 200 characters",
            format!("{length} characters: `{summary}`"),
            case,
        );
    }
    Ok(())
}
