//! Indexing: cut, embed, replace at once. A document is never half indexed, and embedding holds no connection.

use std::path::PathBuf;

use retailcast_core::chunking::{Chunk, ChunkLimits, chunk_markdown, chunk_openapi};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::embedding::Purpose;
use super::error::RagError;
use super::files::{self, ProjectDocs, ProjectFile};
use super::service::Knowledge;
use super::source::SourceType;
use super::store::{self, NewChunk, NewSource, Upserted};

/// A document to index.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// How it is cut.
    pub source_type: SourceType,
    /// Its identity inside its type, and the file to read without content.
    pub source_path: String,
    /// Its text; empty or `None` reads the file.
    pub content: Option<String>,
    /// Kept with it.
    pub metadata: Option<Map<String, Value>>,
}

/// What indexing did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The document is new.
    Indexed,
    /// Its text had changed.
    Updated,
    /// It was indexed with this text already: nothing was written.
    Unchanged,
}

impl Outcome {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Indexed => "indexed",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
        }
    }
}

/// An indexed document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Indexed {
    /// 32 hex digits, kept across updates.
    pub source_id: String,
    /// Its identity.
    pub source_path: String,
    /// Chunks written; of an unchanged document those that are stored.
    pub chunks: usize,
    /// Tokens of the chunks written.
    pub tokens: usize,
    /// What was done.
    pub outcome: Outcome,
}

/// What became of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileOutcome {
    /// Relative path.
    pub source_path: String,
    /// What was done with how many chunks, or why the file was left out.
    pub outcome: Result<(Outcome, usize), String>,
}

/// What became of all files, in the order of their paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectIndex(pub Vec<FileOutcome>);

/// A document with its text.
struct Text {
    source_type: SourceType,
    source_path: String,
    content: String,
    hash: String,
    metadata: Option<Map<String, Value>>,
}

impl Text {
    fn new(
        source_type: SourceType,
        source_path: String,
        content: String,
        metadata: Option<Map<String, Value>>,
    ) -> Self {
        let hash = hex::encode(Sha256::digest(content.as_bytes()));
        Self { source_type, source_path, content, hash, metadata }
    }

    fn chunks(&self, limits: ChunkLimits) -> Vec<Chunk> {
        match self.source_type {
            SourceType::Markdown => chunk_markdown(&self.content, limits),
            SourceType::OpenApi => chunk_openapi(&self.content, limits),
        }
    }
}

impl Knowledge {
    /// Indexes one document.
    pub async fn index(&self, document: Document, request_id: &str) -> Result<Indexed, RagError> {
        let Document { source_type, source_path, content, metadata } = document;
        let text = match content.filter(|content| !content.is_empty()) {
            Some(content) => content,
            None => {
                let path = source_path.clone();
                self.in_folder(move |root| files::read(&root, &path)).await?
            }
        };
        let text = Text::new(source_type, source_path, text, metadata);
        let mut indexed = self.index_texts(vec![text], request_id).await?;
        // One document gives one result; a database that forgets it has failed.
        indexed.pop().ok_or(RagError::Database(sqlx::Error::RowNotFound))
    }

    /// Indexes the documents of the installation, all or none. A file that cannot be read is reported and left out.
    pub async fn index_project(
        &self,
        wanted: ProjectDocs,
        request_id: &str,
    ) -> Result<ProjectIndex, RagError> {
        let found = self.in_folder(move |root| files::project(&root, &wanted)).await?;
        let mut outcomes = Vec::with_capacity(found.len());
        let mut texts = Vec::new();
        for ProjectFile { path, category, text } in found {
            let outcome = match text {
                Ok(text) => {
                    let metadata = Map::from_iter([("category".to_owned(), json!(category))]);
                    texts.push(Text::new(SourceType::Markdown, path.clone(), text, Some(metadata)));
                    None
                }
                Err(reason) => Some(reason),
            };
            outcomes.push((path, outcome));
        }
        let mut indexed = self.index_texts(texts, request_id).await?.into_iter();
        let outcome = |(source_path, failure): (String, Option<String>)| {
            let outcome = match failure {
                Some(reason) => Err(reason),
                None => indexed
                    .next()
                    .map(|done| (done.outcome, done.chunks))
                    .ok_or_else(|| "it was not indexed".to_owned()),
            };
            FileOutcome { source_path, outcome }
        };
        Ok(ProjectIndex(outcomes.into_iter().map(outcome).collect()))
    }

    /// Runs file work on a thread that may wait for disks.
    async fn in_folder<T: Send + 'static>(
        &self,
        work: impl FnOnce(PathBuf) -> Result<T, RagError> + Send + 'static,
    ) -> Result<T, RagError> {
        let root = self.settings.root.clone();
        let done = tokio::task::spawn_blocking(move || work(root)).await;
        done.map_err(|e| RagError::Io {
            context: "reading documents ended early".to_owned(),
            source: std::io::Error::other(e),
        })?
    }

    /// Indexes documents in one transaction; results stand in their order.
    async fn index_texts(&self, texts: Vec<Text>, request_id: &str) -> Result<Vec<Indexed>, RagError> {
        let paths: Vec<(&str, &str)> =
            texts.iter().map(|text| (text.source_type.name(), text.source_path.as_str())).collect();
        let known = store::known(&self.pool, &paths).await?;
        let unchanged = |text: &Text| {
            let found = known.get(&(text.source_type.name().to_owned(), text.source_path.clone()))?;
            (found.content_hash == text.hash).then(|| Indexed {
                source_id: found.source_id.clone(),
                source_path: text.source_path.clone(),
                chunks: found.chunk_count as usize,
                tokens: 0,
                outcome: Outcome::Unchanged,
            })
        };
        let mut done: Vec<Option<Indexed>> = texts.iter().map(unchanged).collect();
        let changed: Vec<(usize, Text)> =
            texts.into_iter().enumerate().filter(|(at, _)| done[*at].is_none()).collect();
        if !changed.is_empty() {
            for (at, indexed) in self.replace(changed, request_id).await? {
                done[at] = Some(indexed);
            }
        }
        Ok(done.into_iter().flatten().collect())
    }

    async fn replace(
        &self,
        texts: Vec<(usize, Text)>,
        request_id: &str,
    ) -> Result<Vec<(usize, Indexed)>, RagError> {
        let limits = self.settings.chunks;
        let cut =
            move || texts.into_iter().map(|(at, text)| (at, text.chunks(limits), text)).collect::<Vec<_>>();
        let texts = self.on_compute(request_id, cut).await?;
        let contents: Vec<String> =
            texts.iter().flat_map(|(_, chunks, _)| chunks).map(|chunk| chunk.content.clone()).collect();
        let ai = self.ai.current();
        let dimension = ai.embedding.dimension;
        let mut vectors = Vec::new();
        if !contents.is_empty() {
            self.fit_width(dimension).await?;
            vectors = self.embedder.embed(&ai, Purpose::Document, contents, request_id).await?;
        }
        let mut vectors = vectors.into_iter();
        let mut transaction = self.pool.begin().await?;
        let mut done = Vec::with_capacity(texts.len());
        for (at, chunks, text) in texts {
            let tokens = chunks.iter().map(|chunk| chunk.token_count).sum();
            let chunks: Vec<NewChunk> = chunks
                .into_iter()
                .zip(&mut vectors)
                .map(|(chunk, vector)| NewChunk { chunk_id: fresh_id(), chunk, vector })
                .collect();
            let indexed = write(&mut transaction, text, chunks, tokens, dimension).await?;
            done.push((at, indexed));
        }
        transaction.commit().await?;
        Ok(done)
    }
}

/// Replaces one document. Another request may have indexed the same text meanwhile: then nothing is left to do.
async fn write(
    connection: &mut sqlx::PgConnection,
    text: Text,
    chunks: Vec<NewChunk>,
    tokens: usize,
    dimension: u32,
) -> Result<Indexed, RagError> {
    let source_id = fresh_id();
    let source = NewSource {
        source_id: &source_id,
        source_type: text.source_type.name(),
        source_path: &text.source_path,
        content_hash: &text.hash,
        metadata: text.metadata.as_ref(),
        chunk_count: chunks.len() as i32,
    };
    let (found, outcome) = match store::upsert(connection, &source).await? {
        Upserted::Inserted(found) => (found, Outcome::Indexed),
        Upserted::Updated(found) => (found, Outcome::Updated),
        Upserted::Unchanged(found) => (found, Outcome::Unchanged),
    };
    if outcome == Outcome::Unchanged {
        let chunks = found.chunk_count as usize;
        let (source_id, source_path) = (found.source_id, text.source_path);
        return Ok(Indexed { source_id, source_path, chunks, tokens: 0, outcome });
    }
    store::delete_chunks(connection, found.id).await?;
    if !chunks.is_empty() {
        store::hold_width(connection, dimension).await?;
        store::insert_chunks(connection, found.id, &chunks).await?;
    }
    Ok(Indexed {
        source_id: found.source_id,
        source_path: text.source_path,
        chunks: chunks.len(),
        tokens,
        outcome,
    })
}

fn fresh_id() -> String {
    Uuid::new_v4().simple().to_string()
}
