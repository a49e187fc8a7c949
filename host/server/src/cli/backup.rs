//! `retailcast backup` and `retailcast restore`.

use std::path::PathBuf;

use super::stdout::say;
use super::{CliError, with_database};
use crate::artifacts::{ArtifactRoot, Storage};
use crate::backup::{self, BackupError, Manifest, Place};
use crate::config::Config;

/// Options of both.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The archive, a .tar.gz file
    file: PathBuf,
}

pub(super) async fn write(config: &Config, args: Args) -> Result<(), CliError> {
    if args.file.exists() {
        return Err(CliError::Refused(format!("{} exists already", args.file.display())));
    }
    let manifest = within(config, async |place| backup::write(place, &args.file).await).await?;
    let size = std::fs::metadata(&args.file).map_or(0, |file| file.len());
    say!("wrote {} ({:.1} MB): {}", args.file.display(), size as f64 / 1e6, content(&manifest));
    for uri in &manifest.missing {
        eprintln!(
            "warning: a run names the artifact {uri}, which is not there; `retailcast doctor` tells which"
        );
    }
    say!("Not in it: keys of providers and the database's address.");
    Ok(())
}

pub(super) async fn restore(config: &Config, args: Args) -> Result<(), CliError> {
    let manifest = within(config, async |place| backup::restore(place, &args.file).await).await?;
    say!(
        "restored what was there at {}: {}",
        manifest.created_at.format("%Y-%m-%d %H:%M:%S UTC"),
        content(&manifest)
    );
    let beside = config.operators_file().with_added_extension("restored");
    if beside.exists() {
        say!(
            "{} is yours and stays; that of the backup is {}.",
            config.operators_file().display(),
            beside.display()
        );
    }
    say!("Keys of providers are not in backups: set them again.");
    Ok(())
}

fn content(manifest: &Manifest) -> String {
    let rows: u64 = manifest.members.iter().filter_map(|member| member.rows).sum();
    let files = manifest.members.iter().filter(|member| member.rows.is_none()).count();
    format!("{rows} rows and {files} files")
}

async fn within(
    config: &Config,
    work: impl AsyncFnOnce(&Place<'_>) -> Result<Manifest, BackupError>,
) -> Result<Manifest, CliError> {
    let open = |root: &ArtifactRoot| Storage::open(root).map_err(|e| CliError::refused(&e));
    let (models, registry) =
        (open(&config.forecast.model_artifacts_dir)?, open(&config.registry.artifact_root)?);
    with_database(config, async |pool| {
        let place = Place {
            pool,
            models: &models,
            registry: &registry,
            plugins: &config.plugins.dir,
            configuration: config.operators_file(),
        };
        work(&place).await.map_err(|e| match e {
            BackupError::Archive { .. }
            | BackupError::Schema { .. }
            | BackupError::NotEmpty(_)
            | BackupError::Configuration { .. } => CliError::refused(&e),
            BackupError::File { .. } | BackupError::Storage(_) | BackupError::Database(_) => {
                CliError::failed(&e)
            }
        })
    })
    .await
}
