//! A component that is named on the command line, under the settings that it would have in the plugin folder.

use std::path::Path;

use retailcast_runtime::PluginSettings;

use crate::cli::CliError;
use crate::config::Config;

/// What `--grant` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum GrantArg {
    /// LightGBM in the host
    GradientBoosting,
}

/// A file and its settings.
pub(super) struct OneFile {
    /// Name of its settings.
    pub(super) key: String,
    /// The component.
    pub(super) bytes: Vec<u8>,
    /// Those of its table, or the usual ones.
    pub(super) settings: PluginSettings,
}

impl OneFile {
    pub(super) fn read(config: &Config, path: &Path, grants: &[GrantArg]) -> Result<Self, CliError> {
        let bytes = super::read(path)?;
        let key = retailcast_runtime::settings_key(path);
        let catalogue = config.plugins.catalogue();
        let mut settings = catalogue.plugins.get(&key).unwrap_or(&catalogue.defaults).clone();
        settings.gradient_boosting |= grants.contains(&GrantArg::GradientBoosting);
        Ok(Self { key, bytes, settings })
    }
}
