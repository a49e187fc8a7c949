//! The embedding-provider kind as the rest of the program sees it.

use crate::{Call, Description, GuestError, PluginError};

/// What a text is compared as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A part of a document.
    Document,
    /// A question.
    Query,
}

/// What a provider can do under one configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EmbeddingLimits {
    /// Most texts of one call, at least 1.
    pub max_batch: usize,
    /// Tokens of a text that are read.
    pub max_tokens: Option<usize>,
    /// Whether calls wait for another service instead of computing.
    pub remote: bool,
}

/// What may help after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// Nothing that the host could do.
    None,
    /// Another key.
    OtherKey,
    /// Time: with the pause that the service asked for, in milliseconds.
    Pause(Option<u64>),
}

/// Why a provider gives no vectors.
#[derive(Debug, Clone, PartialEq)]
pub struct EmbeddingFailure {
    /// In its words.
    pub error: GuestError,
    /// What may help.
    pub remedy: Remedy,
}

/// A loaded embedding provider.
pub trait EmbeddingProvider: Send + Sync {
    /// What it says of itself.
    fn description(&self) -> &Description;
    /// Asks a fresh instance for its description again: it must not have changed.
    fn describe(&self, call: &Call) -> Result<Description, PluginError>;
    /// What it can do under this configuration (JSON).
    fn limits(&self, config: &str, call: &Call) -> Result<EmbeddingLimits, PluginError>;
    /// One vector of `dimension` finite numbers per text, in their order. The outer error is a
    /// broken plugin, the inner one the provider's own.
    fn embed(
        &self,
        config: &str,
        purpose: Purpose,
        texts: &[String],
        dimension: usize,
        call: &Call,
    ) -> Result<Result<Vec<Vec<f32>>, EmbeddingFailure>, PluginError>;
}
