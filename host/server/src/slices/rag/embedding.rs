//! Who makes vectors, as the knowledge base sees it.

use futures::future::BoxFuture;

use crate::ai::AiSettings;
use crate::compute::ComputeError;

/// What a text is to be compared as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A part of a document.
    Document,
    /// A question.
    Query,
}

/// Why there are no vectors. The text never holds a key.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EmbeddingError {
    /// The provider rejects the key.
    #[error("the embedding provider `{provider}` rejected the key: {reason}")]
    Key {
        /// Who.
        provider: &'static str,
        /// In its words.
        reason: String,
    },
    /// Anything else.
    #[error("the embedding provider `{provider}` failed: {reason}")]
    Failed {
        /// Who.
        provider: &'static str,
        /// How.
        reason: String,
    },
    /// The store holds vectors of another length.
    #[error(
        "the stored vectors have {stored} dimensions and `rag.embedding_dimension` (RAG_EMBEDDING_DIMENSION) is \
         {wanted}; set it to {stored}, delete all sources, or change it with PATCH /config/ai and `force`, which \
         deletes all chunks"
    )]
    Dimension {
        /// Of the store.
        stored: u32,
        /// Of the setting.
        wanted: u32,
    },
    /// The compute threads are busy or failed.
    #[error(transparent)]
    Compute(#[from] ComputeError),
}

/// Makes vectors of texts.
pub trait Embedder: std::fmt::Debug + Send + Sync {
    /// One vector per text, in their order, each of `settings.embedding.dimension` finite numbers. No text, no call.
    fn embed<'a>(
        &'a self,
        settings: &'a AiSettings,
        purpose: Purpose,
        texts: Vec<String>,
        request_id: &'a str,
    ) -> BoxFuture<'a, Result<Vec<Vec<f32>>, EmbeddingError>>;
}
