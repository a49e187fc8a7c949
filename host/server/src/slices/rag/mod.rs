//! The knowledge base: documents cut into chunks, a vector for each, and the chunks nearest to a question. It writes no
//! answers. Contract: `rag.md`.

mod body;
mod embedding;
mod error;
mod files;
mod index;
mod providers;
mod retrieve;
mod routes;
mod service;
mod source;
mod store;
mod wire;

pub use embedding::{Embedder, EmbeddingError, Purpose};
pub use error::RagError;
pub use files::ProjectDocs;
pub use index::{Document, FileOutcome, Indexed, Outcome, ProjectIndex};
pub use providers::Providers;
pub use retrieve::{Filters, Found, Mode, Question, Retrieval};
pub use routes::{problem, routes};
pub use service::{Knowledge, KnowledgeSettings, hold_chunks, resize};
pub use source::{Deleted, Source, SourceType, Sources};
pub use wire::{RetrieveAnswer, SourcesAnswer};
