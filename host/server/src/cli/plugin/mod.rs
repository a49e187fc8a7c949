//! `retailcast plugin`.

mod add;
mod check;
mod file;
mod inspect;
mod list;
mod models;
mod new;
mod remove;
mod replace;
mod run;
mod settings;
mod templates;

use std::path::{Path, PathBuf};

use super::CliError;
use crate::config::Config;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// List all plugins: the built-in ones and those of plugins.dir, loaded or refused
    List {
        /// As JSON, with digests, limits and configuration schemas
        #[arg(long)]
        json: bool,
    },
    /// Make a project for a plugin that builds and passes the checks at once
    New(new::Args),
    /// Run the conformance checks on a component
    Check(check::Args),
    /// Call a component once, on made-up data or a file: forecast, explain, adjust or compare texts
    Run(run::Args),
    /// Show what a plugin file is, imports and would need
    Inspect(inspect::Args),
    /// Put a file into plugins.dir and pin its SHA-256 in the configuration file
    Add(add::Args),
    /// Take a plugin out of plugins.dir and its settings out of the configuration file
    Remove {
        /// Name of its settings table: the file's name without .wasm and with _ for -
        name: String,
    },
}

pub(super) fn run(config: &Config, command: &Command) -> Result<(), CliError> {
    match command {
        Command::List { json } => list::run(config, *json),
        Command::New(args) => new::run(args),
        Command::Check(args) => check::run(config, args),
        Command::Run(args) => run::run(config, args),
        Command::Inspect(args) => inspect::run(config, args),
        Command::Add(args) => add::run(config, args),
        Command::Remove { name } => remove::run(config, name),
    }
}

/// Files of plugins, at most as large as the host compiles them.
fn read(file: &Path) -> Result<Vec<u8>, CliError> {
    std::fs::read(file).map_err(|e| CliError::Refused(format!("cannot read {}: {e}", file.display())))
}

/// The file in the plugin folder that has this settings table.
fn installed(config: &Config, key: &str) -> Option<PathBuf> {
    let files = std::fs::read_dir(&config.plugins.dir).ok()?;
    files.filter_map(|file| Some(file.ok()?.path())).find(|path| {
        path.extension().is_some_and(|extension| extension == "wasm")
            && retailcast_runtime::settings_key(path) == key
    })
}

/// A file cannot take the settings table of a built-in plugin.
fn refuse_bundled(key: &str) -> Result<(), CliError> {
    if retailcast_bundled::find(key).is_none() {
        return Ok(());
    }
    let table = retailcast_runtime::settings_table(key);
    Err(CliError::Refused(format!(
        "`{key}` is a built-in plugin. To do without it:\n[{table}]\nenabled = false"
    )))
}
