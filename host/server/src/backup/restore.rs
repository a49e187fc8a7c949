//! Restoring a backup.

use std::path::{Path, PathBuf};

use super::archive::unpack;
use super::{
    BackupError, CONFIGURATION, MODELS, Manifest, PLUGINS, Place, REGISTRY, TABLES, schema_version, tables,
};
use crate::artifacts::{Storage, StorageError};
use crate::slices::rag;

/// Restores everything into an empty place. The archive is unpacked and checked before anything is touched; the tables
/// are there all at once, when all files are.
pub async fn restore(place: &Place<'_>, file: &Path) -> Result<Manifest, BackupError> {
    let work = tempfile::tempdir().map_err(BackupError::file(file))?;
    let (archive, into) = (file.to_owned(), work.path().to_owned());
    let unpacked = tokio::task::spawn_blocking(move || unpack(&archive, &into));
    let manifest = unpacked.await.map_err(|e| BackupError::Archive {
        file: file.to_owned(),
        why: format!("it cannot be unpacked: {e}"),
    })??;
    if manifest.schema != schema_version() {
        let (found, program, own) = (manifest.schema, manifest.program, schema_version());
        return Err(BackupError::Schema { found, program, own });
    }
    let mut transaction = place.pool.begin().await?;
    if let Some(table) = tables::first_with_rows(&mut transaction).await? {
        return Err(BackupError::NotEmpty(format!("the table {table} has rows")));
    }
    rag::resize(&mut transaction, manifest.embedding_dimension).await?;
    for member in &manifest.members {
        if let Some(table) = member.path.strip_prefix(TABLES) {
            if !tables::COPIED.contains(&table) {
                return Err(BackupError::Archive {
                    file: file.to_owned(),
                    why: format!("there is no table {table}"),
                });
            }
            let rows = tables::copy_in(&mut transaction, table, &work.path().join(&member.path)).await?;
            if member.rows != Some(rows) {
                let why = format!("{table} has {rows} rows, written were {:?}", member.rows);
                return Err(BackupError::Archive { file: file.to_owned(), why });
            }
        }
    }
    tables::continue_numbers(&mut transaction).await?;
    for member in &manifest.members {
        put(place, &member.path, &work.path().join(&member.path)).await?;
    }
    transaction.commit().await?;
    Ok(manifest)
}

/// Puts a file where it belongs. What is there already must be the same.
async fn put(place: &Place<'_>, path: &str, from: &PathBuf) -> Result<(), BackupError> {
    if let Some(name) = path.strip_prefix(MODELS) {
        create(place.models, name, from).await
    } else if let Some(uri) = path.strip_prefix(REGISTRY) {
        create(place.registry, uri, from).await
    } else if let Some(name) = path.strip_prefix(PLUGINS) {
        copy(from, &place.plugins.join(name))
    } else if path == CONFIGURATION {
        copy(from, &configuration(place.configuration))
    } else {
        Ok(())
    }
}

/// Where the configuration goes: an operator who restores may have written one for the new place, which stays.
pub(super) fn configuration(own: &Path) -> PathBuf {
    if own.exists() { own.with_added_extension("restored") } else { own.to_owned() }
}

async fn create(storage: &Storage, name: &str, from: &PathBuf) -> Result<(), BackupError> {
    let bytes = std::fs::read(from).map_err(BackupError::file(from))?;
    let target = storage.target_below(name).await?;
    let object = target.object.ok_or_else(|| StorageError::Missing(name.to_owned()))?;
    match storage.create(&object, bytes.clone()).await {
        Err(StorageError::Exists(_)) => {
            let same = storage.read(&object, move |there| there == bytes).await?;
            if same { Ok(()) } else { Err(BackupError::NotEmpty(format!("another {name} is there"))) }
        }
        created => Ok(created?),
    }
}

fn copy(from: &PathBuf, to: &Path) -> Result<(), BackupError> {
    let failed = || BackupError::file(to);
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder).map_err(failed())?;
    }
    if to.exists() {
        let (here, there) = (std::fs::read(from).map_err(failed())?, std::fs::read(to).map_err(failed())?);
        if here != there {
            return Err(BackupError::NotEmpty(format!("another {} is there", to.display())));
        }
        return Ok(());
    }
    std::fs::copy(from, to).map(drop).map_err(failed())
}
