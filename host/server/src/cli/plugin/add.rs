//! `retailcast plugin add`.

use std::path::PathBuf;

use retailcast_runtime::Limits;

use super::super::CliError;
use super::super::stdout::say;
use super::settings::{self, Pin};
use super::{inspect, replace};
use crate::config::Config;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The plugin, a .wasm component
    file: PathBuf,
    /// Grant what it asks for
    #[arg(long, value_name = "GRANT", value_parser = [settings::GRADIENT_BOOSTING])]
    grant: Vec<String>,
}

/// The pin is written before the file: whoever sees the new file sees its pin.
pub(super) fn run(config: &Config, args: &Args) -> Result<(), CliError> {
    let key = retailcast_runtime::settings_key(&args.file);
    super::refuse_bundled(&key)?;
    // What is looked at is what is written: the file is read once.
    let bytes = super::read(&args.file)?;
    let inspection = inspect::of(&key, &bytes)?;
    if let Some(refusal) = &inspection.refusal {
        return Err(CliError::Refused(format!("{}: {refusal}", refusal.code())));
    }
    let needed = inspect::grants_needed(&inspection);
    if let Some(missing) = needed.iter().find(|grant| !args.grant.iter().any(|given| given == *grant)) {
        return Err(CliError::Refused(format!(
            "{} asks for {missing}; to grant it, add `--grant {missing}`",
            args.file.display()
        )));
    }
    let said = inspection
        .describe(&Limits::default())
        .map_err(|e| CliError::Refused(format!("asked in the sandbox, it failed, {}: {e}", e.code())))?;
    let grants: Vec<&str> = args.grant.iter().map(String::as_str).collect();
    let pin = Pin { key: &key, sha256: inspection.digest.to_string(), grants: &grants };
    let text = settings::set(&replace::read_configuration(config)?, &pin).map_err(|e| {
        CliError::Refused(format!("{} is left as it is: {e}", config.operators_file().display()))
    })?;
    let installed = super::installed(config, &key);
    let target = installed.clone().unwrap_or_else(|| config.plugins.dir.join(format!("{key}.wasm")));
    replace::write_configuration(config, &text)?;
    replace::write(&target, &bytes)?;
    let done = if installed.is_some() { "replaced" } else { "added" };
    say!("{done} {} {} as {}", said.name, said.version, target.display());
    say!("pinned in {}:\n{pin}", config.operators_file().display());
    Ok(())
}
