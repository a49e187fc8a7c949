//! Why the knowledge base refuses.

use super::embedding::EmbeddingError;
use crate::compute::ComputeError;

/// Why the knowledge base refuses.
#[derive(Debug, thiserror::Error)]
pub enum RagError {
    /// Missing, no file, or outside the root: which of them is not said.
    #[error("there is no file `{0}` to index")]
    NoFile(String),
    /// The file cannot be taken as text.
    #[error("`{path}` cannot be indexed: {reason}")]
    NotText {
        /// As it was given.
        path: String,
        /// What is wrong with its bytes.
        reason: String,
    },
    /// No such source.
    #[error("there is no source `{0}`")]
    UnknownSource(String),
    /// A prefix of paths that leads out of the folder of documents.
    #[error("`{0}` leads out of the folder docs")]
    Prefix(String),
    /// No vectors.
    #[error(transparent)]
    Embedding(EmbeddingError),
    /// The compute threads are busy or failed.
    #[error(transparent)]
    Compute(#[from] ComputeError),
    /// A file or folder of ours cannot be read.
    #[error("{context}: {source}")]
    Io {
        /// What was tried.
        context: String,
        /// How it failed.
        source: std::io::Error,
    },
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

impl From<EmbeddingError> for RagError {
    fn from(error: EmbeddingError) -> Self {
        match error {
            EmbeddingError::Compute(error) => Self::Compute(error),
            error => Self::Embedding(error),
        }
    }
}
