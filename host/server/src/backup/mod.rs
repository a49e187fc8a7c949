//! `retailcast backup` and `restore`: everything that RetailCast keeps, in one file.
//!
//! The file is a gzipped tar archive: the tables as PostgreSQL copies them ([`tables`]), model files and registered
//! artifacts, plugins, the operator's configuration without secrets, and last a [`Manifest`] with the size and SHA-256 of
//! each. The tables are of one moment. Files are written before the database names them and never change, so that
//! everything which the tables name is there when the files are read after them.
//!
//! Left out: keys of providers, the database's address, what is computed from the rest (sums, compiled plugins).

mod archive;
mod manifest;
mod restore;
mod tables;
mod write;

use std::path::{Path, PathBuf};

use crate::artifacts::StorageError;

pub use manifest::{Manifest, Member};
pub use restore::restore;
pub use tables::{COPIED, DERIVED};
pub use write::write;

/// Where things are, or go to.
#[derive(Debug)]
pub struct Place<'a> {
    /// The database.
    pub pool: &'a sqlx::PgPool,
    /// Fitted models.
    pub models: &'a crate::artifacts::Storage,
    /// What registered runs point at.
    pub registry: &'a crate::artifacts::Storage,
    /// The folder of plugins.
    pub plugins: &'a Path,
    /// The operator's file.
    pub configuration: &'a Path,
}

/// Folders of the archive.
const TABLES: &str = "tables/";
const MODELS: &str = "models/";
const REGISTRY: &str = "registry/";
const PLUGINS: &str = "plugins/";
const CONFIGURATION: &str = "retailcast.toml";
const MANIFEST: &str = "manifest.json";

/// Why there is no backup, or nothing was restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The archive is not one of ours, or not whole.
    #[error("{file}: {why}; nothing was restored")]
    Archive {
        /// The archive.
        file: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Another version of the schema.
    #[error(
        "the backup has schema version {found} (RetailCast {program}), this program has {own}; restore it with a \
         program of that version, then start the newer one, which brings the schema up to date"
    )]
    Schema {
        /// Of the backup.
        found: i64,
        /// Version of the program that wrote it.
        program: String,
        /// Of this program.
        own: i64,
    },
    /// Something is there already.
    #[error("{0}; a backup is restored into an empty place only, and nothing was changed")]
    NotEmpty(String),
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Its path.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A configuration that is no TOML.
    #[error("{}: {why}", path.display())]
    Configuration {
        /// Its path.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// An artifact cannot be read or written.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl BackupError {
    fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }
}

/// The newest migration of this program.
fn schema_version() -> i64 {
    crate::db::MIGRATIONS.iter().last().map_or(0, |migration| migration.version)
}
