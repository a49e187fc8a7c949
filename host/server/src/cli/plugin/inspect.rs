//! `retailcast plugin inspect`.

use std::path::PathBuf;

use retailcast_runtime::{Description, Engine, EngineSettings, Inspection, Limits};
use serde_json::json;

use super::super::CliError;
use super::super::stdout::say;
use super::settings::{self, Pin};
use crate::config::Config;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// A plugin file, or the name of a built-in plugin or of one in plugins.dir
    plugin: String,
    /// Do not run the plugin, not even in the sandbox; then its name, version and schema stay unknown
    #[arg(long)]
    r#static: bool,
    /// As JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(config: &Config, args: &Args) -> Result<(), CliError> {
    let (key, bytes) = find(config, &args.plugin)?;
    let inspection = of(&key, &bytes)?;
    // A component that cannot be loaded cannot be asked.
    let said = match (&inspection.refusal, args.r#static) {
        (None, false) => Some(inspection.describe(&Limits::default()).map_err(|e| e.to_string())),
        _ => None,
    };
    if args.json {
        say!("{:#}", as_json(&key, &inspection, said.as_ref()));
    } else {
        show(&key, &inspection, said.as_ref());
    }
    Ok(())
}

/// Reads and compiles a component without running it.
pub(super) fn of(key: &str, bytes: &[u8]) -> Result<Inspection, CliError> {
    let engine = Engine::new(EngineSettings::default()).map_err(|e| CliError::failed(&e))?;
    Inspection::of(&engine, key, bytes).map_err(|e| CliError::Refused(format!("{}: {e}", e.code())))
}

/// Grants without which it is refused, as the configuration names them.
pub(super) fn grants_needed(inspection: &Inspection) -> Vec<&'static str> {
    // The hosts of HTTP are the operator's choice: that grant is no word.
    let boosts = inspection.granted_imports().any(|import| import.name.contains(settings::GRADIENT_BOOSTING));
    if boosts { vec![settings::GRADIENT_BOOSTING] } else { Vec::new() }
}

/// A file that exists wins over a name.
fn find(config: &Config, plugin: &str) -> Result<(String, Vec<u8>), CliError> {
    let file = PathBuf::from(plugin);
    if file.is_file() {
        return Ok((retailcast_runtime::settings_key(&file), super::read(&file)?));
    }
    if let Some(bundled) = retailcast_bundled::find(plugin) {
        return Ok((plugin.to_owned(), bundled.component.to_vec()));
    }
    match super::installed(config, plugin) {
        Some(file) => Ok((plugin.to_owned(), super::read(&file)?)),
        None => Err(CliError::Refused(format!(
            "`{plugin}` is neither a file nor a built-in plugin nor one in {}",
            config.plugins.dir.display()
        ))),
    }
}

fn show(key: &str, inspection: &Inspection, said: Option<&Result<Description, String>>) {
    say!("Read from the file, nothing of it was run:");
    say!("  sha-256   {}", inspection.digest);
    say!("  size      {} bytes", inspection.bytes);
    for export in &inspection.exports {
        say!("  exports   {export}");
    }
    for import in &inspection.imports {
        say!("  imports   {}  ({})", import.name, import.access);
    }
    if let Some(refusal) = &inspection.refusal {
        say!("  refused   {}: {refusal}", refusal.code());
        return;
    }
    if let Some(kind) = inspection.kind() {
        say!("  kind      {kind}");
    }
    let pin = Pin { key, sha256: inspection.digest.to_string(), grants: &grants_needed(inspection) };
    say!("\nSettings that load it and nothing else, for a file in plugins.dir:\n{pin}");
    if inspection.granted_imports().any(|import| import.name.starts_with("wasi:http/")) {
        say!(
            "\nIt also needs the hosts that it may reach, such as\ngrants = [{{ http = [\"https://api.example.com\"] }}]"
        );
    }
    match said {
        None => say!("\nIts name, version and configuration are known only to itself; it was not asked."),
        Some(Err(reason)) => say!("\nAsked in the sandbox, it failed: {reason}"),
        Some(Ok(said)) => {
            say!("\nAsked in the sandbox, it says:");
            say!("  name      {}", said.name);
            say!("  version   {} (contract {})", said.version, said.contract);
            say!("  licence   {}", said.licence);
            say!("  about     {}", said.summary);
            say!("  configuration schema\n{:#}", said.config_schema);
        }
    }
}

fn as_json(
    key: &str,
    inspection: &Inspection,
    said: Option<&Result<Description, String>>,
) -> serde_json::Value {
    let imports = inspection.imports.iter();
    let mut json = json!({
        "key": key,
        "sha256": inspection.digest.to_string(),
        "bytes": inspection.bytes,
        "kind": inspection.kind().map(retailcast_runtime::Kind::name),
        "exports": inspection.exports,
        "imports": imports.map(|i| json!({"name": i.name, "access": i.access.to_string()})).collect::<Vec<_>>(),
        "grants_needed": grants_needed(inspection),
        "code": inspection.refusal.as_ref().map(retailcast_runtime::PluginError::code),
        "reason": inspection.refusal.as_ref().map(ToString::to_string),
        "describe": null,
        "describe_failed": null,
    });
    match said {
        None => {}
        Some(Err(reason)) => json["describe_failed"] = reason.clone().into(),
        Some(Ok(said)) => {
            json["describe"] = json!({
                "name": said.name, "version": said.version, "contract": said.contract, "licence": said.licence,
                "summary": said.summary, "config_schema": said.config_schema,
            });
        }
    }
    json
}
