//! Language models. [`ChatModel`] is all that the rest of the program knows of them; [`OpenAi`] speaks OpenAI's chat
//! completions, which every provider of [`endpoint`] understands, and [`Models`] asks a second model when the first one
//! fails. `docs/decisions/chat-client.md` says why this is not a library.

mod client;
mod endpoint;
mod error;
mod message;
mod models;
mod ollama;
mod openai;

pub use client::{Client, ClientError};
pub use endpoint::Endpoint;
pub use error::{ChatError, Failure, Reason};
pub use message::{ChatRequest, Message, Reply, ToolCall, ToolSpec};
pub use models::{Models, NoKey};
pub use ollama::{Ollama, OllamaError, OllamaModel};
pub use openai::OpenAi;

use futures::future::BoxFuture;

use crate::ai::ModelId;

/// A language model.
pub trait ChatModel: std::fmt::Debug + Send + Sync {
    /// Which one.
    fn id(&self) -> &ModelId;

    /// Asks for the next message of a conversation. With a listener the model is asked to speak word by word, and the
    /// listener hears its text as it arrives.
    fn ask<'a>(
        &'a self,
        request: &'a ChatRequest<'a>,
        listener: Option<&'a mut dyn Listener>,
    ) -> BoxFuture<'a, Result<Reply, ChatError>>;
}

/// Hears what a model says, while it says it.
pub trait Listener: Send {
    /// A model begins to speak, perhaps after another one that failed.
    fn begin(&mut self);

    /// Some text; the model waits until it was taken.
    fn hear<'a>(&'a mut self, text: &'a str) -> BoxFuture<'a, ()>;

    /// Whether anything of what the present model said has left the house and cannot be taken back.
    fn has_forwarded(&self) -> bool;
}
