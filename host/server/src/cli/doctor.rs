//! `retailcast doctor`.

use super::stdout::say;
use super::{CliError, with_database};
use crate::app;
use crate::artifacts::{ArtifactRoot, Storage};
use crate::config::Config;
use crate::doctor::{Place, examine};

/// Options.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// As JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(config: &Config, args: Args) -> Result<(), CliError> {
    let open = |root: &ArtifactRoot| Storage::open(root).map_err(|e| CliError::refused(&e));
    let (models, registry) =
        (open(&config.forecast.model_artifacts_dir)?, open(&config.registry.artifact_root)?);
    let catalogue = app::catalogue(config).map_err(|e| CliError::failed(&e))?;
    with_database(config, async |pool| {
        let place = Place {
            pool,
            models: &models,
            registry: &registry,
            plugins: &catalogue.entries(),
            require_keys: config.access.require_keys,
        };
        let report = examine(&place).await.map_err(|e| CliError::failed(&e))?;
        if args.json {
            say!("{}", serde_json::to_string_pretty(&report).map_err(|e| CliError::failed(&e))?);
        } else {
            say!("{report}");
        }
        match report.broken() {
            broken if broken.is_empty() => Ok(()),
            broken => Err(CliError::Refused(format!("these checks do not hold: {}", broken.join(", ")))),
        }
    })
    .await
}
