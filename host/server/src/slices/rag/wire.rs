//! The answers of `/rag`.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::body::SourceTypeName;
use super::index::{FileOutcome, Indexed, Outcome, ProjectIndex};
use super::retrieve::{Found, Retrieval};
use super::source::{Deleted, Source, Sources};
use crate::http::Timestamp;

/// An indexed document.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"source_id": "5b1e0c7a9f6d4e1fa0b2c3d4e5f60718", "source_path": "handbook/returns.md",
    "chunks_created": 1, "tokens_processed": 12, "duration_ms": 184.2, "status": "indexed"}))]
pub(super) struct IndexAnswer {
    /// 32 hex digits, kept across updates.
    source_id: String,
    source_path: String,
    /// Chunks written; of an unchanged document those that are stored.
    chunks_created: usize,
    /// Tokens of the chunks written; 0 for an unchanged document.
    tokens_processed: usize,
    duration_ms: f64,
    #[schema(value_type = OutcomeName)]
    status: &'static str,
}

impl IndexAnswer {
    pub(super) fn new(indexed: Indexed, took: Duration) -> Self {
        Self {
            source_id: indexed.source_id,
            source_path: indexed.source_path,
            chunks_created: indexed.chunks,
            tokens_processed: indexed.tokens,
            duration_ms: milliseconds(took),
            status: indexed.outcome.name(),
        }
    }
}

/// What indexing did.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes a text")]
#[schema(rename_all = "lowercase")]
pub(super) enum OutcomeName {
    Indexed,
    Updated,
    Unchanged,
}

/// What became of all documents of the installation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"results": [
    {"source_path": "README.md", "status": "unchanged", "chunks_created": 4, "error": null},
    {"source_path": "docs/ops/backup.md", "status": "indexed", "chunks_created": 7, "error": null},
    {"source_path": "docs/ops/legacy.md", "status": "failed", "chunks_created": 0, "error": "invalid UTF-8 at byte 118"}],
    "total_files": 3, "indexed": 1, "updated": 0, "unchanged": 1, "failed": 1, "total_chunks": 11, "duration_ms": 950.4}))]
pub(super) struct ProjectDocsAnswer {
    /// In the order of their paths.
    results: Vec<FileAnswer>,
    total_files: usize,
    indexed: usize,
    updated: usize,
    unchanged: usize,
    failed: usize,
    /// Chunks of all of them, those of unchanged documents included.
    total_chunks: usize,
    duration_ms: f64,
}

/// What became of one document.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FileAnswer {
    source_path: String,
    #[schema(value_type = FileStatusName)]
    status: &'static str,
    /// 0 when it failed.
    chunks_created: usize,
    /// Why it failed.
    error: Option<String>,
}

/// What became of a document.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes a text")]
#[schema(rename_all = "lowercase")]
pub(super) enum FileStatusName {
    Indexed,
    Updated,
    Unchanged,
    Failed,
}

impl From<FileOutcome> for FileAnswer {
    fn from(file: FileOutcome) -> Self {
        let (status, chunks_created, error) = match file.outcome {
            Ok((outcome, chunks)) => (outcome.name(), chunks, None),
            Err(reason) => ("failed", 0, Some(reason)),
        };
        Self { source_path: file.source_path, status, chunks_created, error }
    }
}

impl ProjectDocsAnswer {
    pub(super) fn new(ProjectIndex(files): ProjectIndex, took: Duration) -> Self {
        let count = |wanted: Outcome| {
            files.iter().filter(|file| matches!(file.outcome, Ok((found, _)) if found == wanted)).count()
        };
        Self {
            total_files: files.len(),
            indexed: count(Outcome::Indexed),
            updated: count(Outcome::Updated),
            unchanged: count(Outcome::Unchanged),
            failed: files.iter().filter(|file| file.outcome.is_err()).count(),
            total_chunks: files.iter().flat_map(|file| &file.outcome).map(|(_, chunks)| chunks).sum(),
            duration_ms: milliseconds(took),
            results: files.into_iter().map(FileAnswer::from).collect(),
        }
    }
}

/// What was found.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"results": [{"chunk_id": "0c4f3b2a1d5e4f60718293a4b5c6d7e8",
    "source_id": "5b1e0c7a9f6d4e1fa0b2c3d4e5f60718", "source_path": "handbook/returns.md", "source_type": "markdown",
    "content": "# Returns\n\nCustomers may return goods within 30 days.", "relevance_score": 0.8127,
    "metadata": {"heading": "Returns", "section_path": ["Returns"]}}],
    "query_embedding_time_ms": 61.0, "search_time_ms": 3.4, "total_chunks_searched": 212}))]
pub struct RetrieveAnswer {
    /// Best first.
    results: Vec<ChunkAnswer>,
    /// 0 in mode `keyword`.
    query_embedding_time_ms: f64,
    search_time_ms: f64,
    /// Chunks of the whole store; filters do not count.
    total_chunks_searched: i64,
}

/// A chunk that was found.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ChunkAnswer {
    /// 32 hex digits, for citations.
    chunk_id: String,
    /// 32 hex digits.
    source_id: String,
    source_path: String,
    #[schema(value_type = SourceTypeName)]
    source_type: String,
    content: String,
    /// 0 to 1, four decimals: cosine similarity; in mode `keyword` the share of the best score that the words could
    /// give, in mode `hybrid` that of the best ranks.
    relevance_score: f64,
    /// Where in the document it stands: `heading` and `section_path`, or `path`, `method`, `operation_id` and `tags`.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Map<String, Value>>,
}

impl From<Retrieval> for RetrieveAnswer {
    fn from(found: Retrieval) -> Self {
        Self {
            results: found.results.into_iter().map(ChunkAnswer::from).collect(),
            query_embedding_time_ms: milliseconds(found.embedding),
            search_time_ms: milliseconds(found.search),
            total_chunks_searched: found.total,
        }
    }
}

impl From<Found> for ChunkAnswer {
    fn from(found: Found) -> Self {
        Self {
            chunk_id: found.chunk_id,
            source_id: found.source_id,
            source_path: found.source_path,
            source_type: found.source_type,
            content: found.content,
            relevance_score: (found.score * 1e4).round() / 1e4,
            metadata: found.metadata,
        }
    }
}

/// All indexed documents.
#[derive(Debug, Serialize, ToSchema)]
pub struct SourcesAnswer {
    /// The newest first.
    sources: Vec<SourceAnswer>,
    total_sources: usize,
    total_chunks: i64,
}

/// An indexed document.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"source_id": "5b1e0c7a9f6d4e1fa0b2c3d4e5f60718", "source_type": "markdown",
    "source_path": "handbook/returns.md", "chunk_count": 1,
    "content_hash": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    "indexed_at": "2025-04-01T07:00:00.120000Z", "metadata": {"category": "policy"}}))]
pub(super) struct SourceAnswer {
    /// 32 hex digits.
    source_id: String,
    #[schema(value_type = SourceTypeName)]
    source_type: String,
    source_path: String,
    chunk_count: i32,
    /// SHA-256, lower-case hex; empty after a change of the dimension, until it is indexed again.
    content_hash: String,
    /// The last indexing that found something to do.
    indexed_at: Timestamp,
    #[schema(value_type = Option<Object>)]
    metadata: Option<Map<String, Value>>,
}

impl From<Sources> for SourcesAnswer {
    fn from(found: Sources) -> Self {
        Self {
            total_sources: found.0.len(),
            total_chunks: found.chunks(),
            sources: found.0.into_iter().map(SourceAnswer::from).collect(),
        }
    }
}

impl From<Source> for SourceAnswer {
    fn from(source: Source) -> Self {
        Self {
            source_id: source.source_id,
            source_type: source.source_type,
            source_path: source.source_path,
            chunk_count: source.chunk_count,
            content_hash: source.content_hash,
            indexed_at: source.indexed_at.into(),
            metadata: source.metadata,
        }
    }
}

/// A document that is gone.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"source_id": "5b1e0c7a9f6d4e1fa0b2c3d4e5f60718", "chunks_deleted": 1, "status": "deleted"}))]
pub(super) struct DeleteAnswer {
    source_id: String,
    chunks_deleted: i32,
    /// Always `deleted`.
    status: &'static str,
}

impl From<Deleted> for DeleteAnswer {
    fn from(deleted: Deleted) -> Self {
        Self { source_id: deleted.source_id, chunks_deleted: deleted.chunks, status: "deleted" }
    }
}

/// To the microsecond.
fn milliseconds(time: Duration) -> f64 {
    time.as_micros() as f64 / 1e3
}
