//! Why settings do not change.

use crate::http::{Code, Problem};

/// Why settings do not change.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Nothing to change.
    #[error("there is no change in the request; GET /config/ai lists the settings")]
    NoChange,
    /// Vectors of another length than those that are indexed.
    #[error(
        "{chunks} indexed chunks have vectors of {present} numbers, {wanted} are wanted; delete the RAG sources, or \
         send the change again with force=true, which removes the chunks"
    )]
    Dimension {
        /// Indexed chunks.
        chunks: i64,
        /// The length in effect.
        present: u32,
        /// The wanted one.
        wanted: u32,
    },
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

impl From<ConfigError> for Problem {
    fn from(error: ConfigError) -> Self {
        match &error {
            ConfigError::NoChange => Self::new(Code::BadRequest, format!("{error}.")),
            ConfigError::Dimension { .. } => Self::new(Code::Conflict, format!("{error}.")),
            ConfigError::Database(cause) => Self::database(cause),
        }
    }
}
