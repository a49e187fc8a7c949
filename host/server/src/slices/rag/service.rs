//! The knowledge base.

use std::path::PathBuf;
use std::sync::Arc;

use retailcast_core::chunking::ChunkLimits;
use retailcast_runtime::{Call, ComputePool, Lane};
use sqlx::{PgConnection, PgPool};

use super::embedding::{Embedder, EmbeddingError};
use super::error::RagError;
use super::source::{Deleted, Sources};
use super::store;
use crate::ai::LiveSettings;
use crate::compute;

/// What the knowledge base needs to know of the configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct KnowledgeSettings {
    /// The folder of documents: nothing outside is read.
    pub root: PathBuf,
    /// How large chunks become.
    pub chunks: ChunkLimits,
    /// Least cosine similarity of a search that names none.
    pub similarity_threshold: f64,
}

/// The knowledge base.
#[derive(Debug, Clone)]
pub struct Knowledge {
    pub(super) pool: PgPool,
    pub(super) compute: Arc<ComputePool>,
    pub(super) embedder: Arc<dyn Embedder>,
    pub(super) ai: LiveSettings,
    pub(super) settings: KnowledgeSettings,
}

impl Knowledge {
    /// The knowledge base in this database.
    pub fn new(
        pool: PgPool,
        compute: Arc<ComputePool>,
        embedder: Arc<dyn Embedder>,
        ai: LiveSettings,
        settings: KnowledgeSettings,
    ) -> Self {
        Self { pool, compute, embedder, ai, settings }
    }

    /// Least cosine similarity of a search that names none.
    pub fn similarity_threshold(&self) -> f64 {
        self.settings.similarity_threshold
    }

    /// All sources, the newest first.
    pub async fn sources(&self) -> sqlx::Result<Sources> {
        store::sources(&self.pool).await.map(Sources)
    }

    /// Deletes a source with its chunks; any text may be asked for.
    pub async fn delete(&self, source_id: &str) -> Result<Deleted, RagError> {
        // What cannot be an id is not asked of the database, which knows no NUL.
        let is_id = source_id.len() == 32 && source_id.bytes().all(|b| b.is_ascii_hexdigit());
        let chunks = if is_id { store::delete(&self.pool, source_id).await? } else { None };
        chunks
            .map(|chunks| Deleted { source_id: source_id.to_owned(), chunks })
            .ok_or_else(|| RagError::UnknownSource(source_id.to_owned()))
    }

    /// Refuses to embed for a store whose vectors have another length; an empty one has no vectors.
    pub(super) async fn expect_width(&self, dimension: u32) -> Result<(), RagError> {
        let stored = store::width(&self.pool).await?;
        if stored == dimension || store::chunk_count(&self.pool).await? == 0 {
            return Ok(());
        }
        Err(EmbeddingError::Dimension { stored, wanted: dimension }.into())
    }

    /// The same; an empty store gets the width.
    pub(super) async fn fit_width(&self, dimension: u32) -> Result<(), RagError> {
        self.expect_width(dimension).await?;
        if store::width(&self.pool).await? != dimension {
            let mut transaction = self.pool.begin().await?;
            // Whoever was first may have indexed something meanwhile; writing chunks checks the width again.
            if store::hold_chunks(&mut transaction).await? == 0 {
                resize(&mut transaction, dimension).await?;
            }
            transaction.commit().await?;
        }
        Ok(())
    }

    /// Runs work on a compute thread.
    pub(super) async fn on_compute<T: Send + 'static>(
        &self,
        request_id: &str,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, RagError> {
        let call = Call { id: request_id.to_owned(), ..Call::default() };
        Ok(compute::run(&self.compute, &Lane::host(), &call, work).await?)
    }
}

/// Keeps everybody from writing documents until the transaction ends, and counts their chunks: what was counted is still so
/// when it is acted upon.
pub async fn hold_chunks(connection: &mut PgConnection) -> sqlx::Result<i64> {
    store::hold_chunks(connection).await
}

/// Gives the store's vectors another length. All chunks go, and every source counts as changed at its next indexing.
pub async fn resize(connection: &mut PgConnection, dimension: u32) -> sqlx::Result<()> {
    store::resize(connection, dimension).await
}
