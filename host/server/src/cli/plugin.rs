//! `retailcast plugin`.

mod check;
mod file;
mod new;
mod run;
mod templates;

use super::stdout::say;
use comfy_table::presets::UTF8_BORDERS_ONLY;
use comfy_table::{ContentArrangement, Table};
use retailcast_runtime::{Entry, Origin, State};

use super::CliError;
use crate::app;
use crate::config::Config;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// List all plugins: the built-in ones and those of plugins.dir, loaded or refused
    List {
        /// As JSON, with digests and configuration schemas
        #[arg(long)]
        json: bool,
    },
    /// Make a project for a plugin that builds and passes the checks at once
    New(new::Args),
    /// Run the conformance checks on a component
    Check(check::Args),
    /// Fit and forecast once with a component, on made-up data or a file
    Run(run::Args),
}

pub(super) fn run(config: &Config, command: &Command) -> Result<(), CliError> {
    match command {
        Command::List { json } => list(config, *json),
        Command::New(args) => new::run(args),
        Command::Check(args) => check::run(config, args),
        Command::Run(args) => run::run(config, args),
    }
}

fn list(config: &Config, json: bool) -> Result<(), CliError> {
    let catalogue = app::catalogue(config).map_err(|e| CliError::failed(&e))?;
    let entries = catalogue.entries();
    if json {
        let list: Vec<_> = entries.iter().map(entry_json).collect();
        say!("{:#}", serde_json::Value::Array(list));
    } else {
        say!("{}", table(&entries));
        say!("Folder of further plugins: {}", config.plugins.dir.display());
    }
    Ok(())
}

fn table(entries: &[Entry]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_BORDERS_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["plugin", "state", "version", "origin", "sha-256", "about"]);
    for entry in entries {
        let digest = entry.digest.map(|digest| digest.to_string()[..12].to_owned()).unwrap_or_default();
        let (state, version, about) = match &entry.state {
            State::Loaded(d) => ("loaded".to_owned(), d.version.clone(), d.summary.clone()),
            State::Disabled => ("disabled".to_owned(), String::new(), String::new()),
            State::Refused(e) => (format!("refused {}", e.code()), String::new(), e.to_string()),
        };
        table.add_row([entry.key.clone(), state, version, origin(entry), digest, about]);
    }
    table
}

fn origin(entry: &Entry) -> String {
    match &entry.origin {
        Origin::Bundled => "built in".to_owned(),
        Origin::File(path) => path.display().to_string(),
    }
}

fn entry_json(entry: &Entry) -> serde_json::Value {
    let mut json = serde_json::json!({
        "key": entry.key,
        "origin": origin(entry),
        "sha256": entry.digest.map(|digest| digest.to_string()),
    });
    match &entry.state {
        State::Loaded(d) => {
            json["state"] = "loaded".into();
            json["name"] = d.name.clone().into();
            json["version"] = d.version.clone().into();
            json["contract"] = d.contract.into();
            json["licence"] = d.licence.clone().into();
            json["summary"] = d.summary.clone().into();
            json["config_schema"] = d.config_schema.clone();
        }
        State::Disabled => json["state"] = "disabled".into(),
        State::Refused(e) => {
            json["state"] = "refused".into();
            json["code"] = e.code().into();
            json["reason"] = e.to_string().into();
        }
    }
    json
}
