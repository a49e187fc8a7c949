//! What is indexed.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

/// How a document is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceType {
    /// By headings.
    Markdown,
    /// By operations.
    OpenApi,
}

impl SourceType {
    /// All names.
    pub const NAMES: [&str; 2] = ["markdown", "openapi"];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Markdown => "markdown",
            Self::OpenApi => "openapi",
        }
    }

    /// The type of this name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Markdown, Self::OpenApi].into_iter().find(|kind| kind.name() == name)
    }
}

/// An indexed document.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// 32 hex digits.
    pub source_id: String,
    /// Name of its [`SourceType`].
    pub source_type: String,
    /// Its identity inside its type.
    pub source_path: String,
    /// Stored chunks.
    pub chunk_count: i32,
    /// SHA-256, lower-case hex.
    pub content_hash: String,
    /// Last indexing that found something to do.
    pub indexed_at: DateTime<Utc>,
    /// As given.
    pub metadata: Option<Map<String, Value>>,
}

/// All indexed documents.
#[derive(Debug, Clone, PartialEq)]
pub struct Sources(pub Vec<Source>);

impl Sources {
    /// Chunks of all of them.
    pub fn chunks(&self) -> i64 {
        self.0.iter().map(|source| i64::from(source.chunk_count)).sum()
    }
}

/// A document that is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deleted {
    /// Its id.
    pub source_id: String,
    /// Chunks that went with it.
    pub chunks: i32,
}
