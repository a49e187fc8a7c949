//! What a backup says of itself.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The last member of an archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Form of the archive.
    pub format: u32,
    /// Version of the program that wrote it.
    pub program: String,
    /// Its newest migration.
    pub schema: i64,
    /// The moment of the tables.
    pub created_at: DateTime<Utc>,
    /// Length of vectors.
    pub embedding_dimension: u32,
    /// Everything else in the archive, in its order.
    pub members: Vec<Member>,
    /// Artifacts that runs name and that were not there.
    pub missing: Vec<String>,
}

/// The form that this program writes and reads.
pub(super) const FORMAT: u32 = 1;

/// A file of the archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Its path there.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// Its hash, as hex digits.
    pub sha256: String,
    /// Of a table: its rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
}
