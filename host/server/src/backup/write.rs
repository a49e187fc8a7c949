//! Writing a backup.

use std::path::Path;

use sqlx::Connection;
use toml_edit::{DocumentMut, Item};

use super::archive::Writer;
use super::manifest::FORMAT;
use super::{
    BackupError, CONFIGURATION, MODELS, Manifest, PLUGINS, Place, REGISTRY, TABLES, schema_version, tables,
};
use crate::artifacts::{EXTENSION, Storage};

/// Writes everything into one file, which is there whole or not at all.
pub async fn write(place: &Place<'_>, file: &Path) -> Result<Manifest, BackupError> {
    let failed = || BackupError::file(file);
    let mut archive = Writer::beside(file).map_err(failed())?;
    let work = tempfile::tempdir().map_err(failed())?;
    let manifest = add_tables(place, &mut archive, work.path()).await?;
    let missing = add_artifacts(place, &mut archive).await?;
    add_plugins(place.plugins, &mut archive)?;
    add_configuration(place.configuration, &mut archive)?;
    archive.finish(Manifest { missing, ..manifest }, file).map_err(failed())
}

/// All tables in one transaction that sees one moment.
async fn add_tables(place: &Place<'_>, archive: &mut Writer, work: &Path) -> Result<Manifest, BackupError> {
    let mut connection = place.pool.acquire().await?;
    let mut snapshot = connection.begin_with("begin isolation level repeatable read read only").await?;
    let moment = sqlx::query!(
        r#"select now() as "now!", (select atttypmod from pg_attribute
               where attrelid = 'document_chunk'::regclass and attname = 'embedding') as "dimension!""#
    );
    let moment = moment.fetch_one(&mut *snapshot).await?;
    for table in tables::COPIED {
        let file = work.join(table);
        let rows = tables::copy_out(&mut snapshot, table, &file).await?;
        let opened = std::fs::File::open(&file).map_err(BackupError::file(&file))?;
        let size = opened.metadata().map_err(BackupError::file(&file))?.len();
        archive
            .add(&format!("{TABLES}{table}"), opened, size, Some(rows))
            .map_err(BackupError::file(&file))?;
        // One table at a time lies there uncompressed.
        std::fs::remove_file(&file).map_err(BackupError::file(&file))?;
    }
    snapshot.rollback().await?;
    Ok(Manifest {
        format: FORMAT,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        schema: schema_version(),
        created_at: moment.now,
        embedding_dimension: u32::try_from(moment.dimension).unwrap_or_default(),
        members: Vec::new(),
        missing: Vec::new(),
    })
}

/// Model files, and the artifacts of registered runs; those that are not there are told.
async fn add_artifacts(place: &Place<'_>, archive: &mut Writer) -> Result<Vec<String>, BackupError> {
    let is_model = |name: &String| name.rsplit_once('.').is_some_and(|(_, extension)| extension == EXTENSION);
    for name in place.models.names().await?.into_iter().filter(is_model) {
        add_object(place.models, &name, MODELS, archive).await?;
    }
    let mut missing = Vec::new();
    let named = sqlx::query_scalar!(
        r#"select distinct artifact_uri as "uri!" from model_run where artifact_uri is not null order by 1"#
    );
    for uri in named.fetch_all(place.pool).await? {
        match add_object(place.registry, &uri, REGISTRY, archive).await {
            Err(BackupError::Storage(crate::artifacts::StorageError::Missing(_))) => missing.push(uri),
            added => added?,
        }
    }
    Ok(missing)
}

async fn add_object(
    storage: &Storage,
    uri: &str,
    folder: &str,
    archive: &mut Writer,
) -> Result<(), BackupError> {
    let target = storage.target_below(uri).await?;
    let object = target.object.ok_or_else(|| crate::artifacts::StorageError::Missing(uri.to_owned()))?;
    let bytes = storage.read(&object, <[u8]>::to_vec).await?;
    let path = format!("{folder}{uri}");
    archive
        .add(&path, bytes.as_slice(), bytes.len() as u64, None)
        .map_err(BackupError::file(Path::new(&path)))
}

fn add_plugins(folder: &Path, archive: &mut Writer) -> Result<(), BackupError> {
    let failed = || BackupError::file(folder);
    let entries = match std::fs::read_dir(folder) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(failed())?,
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed())?.path();
        if path.extension().is_some_and(|extension| extension == "wasm") {
            files.push(path);
        }
    }
    files.sort();
    for file in files {
        let bytes = std::fs::read(&file).map_err(BackupError::file(&file))?;
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let path = format!("{PLUGINS}{name}");
        archive.add(&path, bytes.as_slice(), bytes.len() as u64, None).map_err(BackupError::file(&file))?;
    }
    Ok(())
}

fn add_configuration(file: &Path, archive: &mut Writer) -> Result<(), BackupError> {
    let text = match std::fs::read_to_string(file) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        text => text.map_err(BackupError::file(file))?,
    };
    let text =
        without_secrets(&text).map_err(|why| BackupError::Configuration { path: file.to_owned(), why })?;
    archive.add(CONFIGURATION, text.as_bytes(), text.len() as u64, None).map_err(BackupError::file(file))
}

/// The operator's file without keys of providers and without the database's address, which holds a password.
fn without_secrets(text: &str) -> Result<String, String> {
    let mut document: DocumentMut = text.parse().map_err(|e: toml_edit::TomlError| e.to_string())?;
    if let Some(providers) = document.get_mut("providers").and_then(Item::as_table_like_mut) {
        let keys: Vec<String> =
            providers.iter().map(|(key, _)| key.to_owned()).filter(|key| key.ends_with("api_key")).collect();
        for key in keys {
            providers.remove(&key);
        }
    }
    if let Some(database) = document.get_mut("database").and_then(Item::as_table_like_mut) {
        database.remove("url");
    }
    Ok(document.to_string())
}

#[cfg(test)]
mod tests {
    use super::without_secrets;

    #[test]
    fn secrets_stay_behind() {
        let text = "[database]\nurl = \"postgresql://u:canary@h/d\"\nmax_connections = 5\n\
                    [providers]\nopenai_api_key = \"sk-canary\" # ours\nollama_base_url = \"http://o\"\n";
        let kept = without_secrets(text).unwrap();
        assert!(!kept.contains("canary"), "{kept}");
        assert!(kept.contains("max_connections = 5") && kept.contains("ollama_base_url"), "{kept}");
        assert!(
            without_secrets("providers = { google_api_key = \"canary\" }").unwrap().find("canary").is_none()
        );
        assert!(without_secrets("not toml").is_err());
    }
}
