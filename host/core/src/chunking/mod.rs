//! Cuts documents into chunks that are embedded and found one by one (contract `rag.md` §6).

mod markdown;
mod openapi;
mod pieces;
mod schema;
mod sections;
mod tokens;

use serde_json::{Map, Value};

pub use markdown::chunk_markdown;
pub use openapi::chunk_openapi;
pub use tokens::{HARD_CAP, count as count_tokens, first as first_tokens};

/// How large chunks become, in tokens of `cl100k_base`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChunkLimits {
    /// Size to fill up to. A chunk that carries an overlap may have `overlap` tokens more.
    pub size: usize,
    /// What is repeated from the chunk before.
    pub overlap: usize,
    /// A shorter chunk at the end of a document is added to the one before it.
    pub least: usize,
}

/// A piece of a document.
#[derive(Debug, Clone, PartialEq)]
pub struct Chunk {
    /// The text, without white space around it, never empty.
    pub content: String,
    /// Its tokens, at most [`HARD_CAP`].
    pub token_count: usize,
    /// Where in the document it stands; `None` when there is nothing to say.
    pub metadata: Option<Map<String, Value>>,
}

impl Chunk {
    /// The chunk of a text; `None` when there is nothing but white space.
    fn of(text: &str, metadata: Option<Map<String, Value>>) -> Option<Self> {
        let content = first_tokens(text.trim(), HARD_CAP).trim_end();
        (!content.is_empty()).then(|| Self {
            token_count: count_tokens(content),
            content: content.to_owned(),
            metadata,
        })
    }
}
