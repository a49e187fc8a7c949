//! `retailcast plugin remove`.

use super::super::CliError;
use super::super::stdout::say;
use super::{replace, settings};
use crate::config::Config;

/// The file goes before its settings: at no time is it there without its pin. The whole table goes, so that a later file
/// of this name inherits no grant.
pub(super) fn run(config: &Config, name: &str) -> Result<(), CliError> {
    super::refuse_bundled(name)?;
    let installed = super::installed(config, name);
    let text = settings::remove(&replace::read_configuration(config)?, name).map_err(|e| {
        CliError::Refused(format!("{} is left as it is: {e}", config.operators_file().display()))
    })?;
    if installed.is_none() && text.is_none() {
        return Err(CliError::Refused(format!(
            "there is no plugin `{name}`: no file for it in {}, no [{}] in {}",
            config.plugins.dir.display(),
            retailcast_runtime::settings_table(name),
            config.operators_file().display()
        )));
    }
    if let Some(path) = installed {
        std::fs::remove_file(&path)
            .map_err(|e| CliError::Failed(format!("cannot remove {}: {e}", path.display())))?;
        say!("removed {}", path.display());
    }
    if let Some(text) = text {
        replace::write_configuration(config, &text)?;
        let table = retailcast_runtime::settings_table(name);
        say!("removed [{table}] from {}", config.operators_file().display());
    }
    Ok(())
}
