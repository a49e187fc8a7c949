//! The tables of language and embedding models. Defaults stand in `retailcast.toml` and nowhere else.

use std::path::PathBuf;

use retailcast_core::chunking::HARD_CAP;
use secrecy::SecretString;
use serde::{Deserialize, Deserializer};

use super::secret::secret;
use super::sections::{flag, seconds, text, texts, within};
use crate::ai::{EmbeddingProvider, MOST_DIMENSIONS, ModelId};

/// `[providers]`: where language and embedding models are served, and the keys to them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProvidersConfig {
    /// Of OpenAI or whoever speaks its protocol, `/v1` included.
    pub openai_base_url: String,
    /// Anthropic's address for OpenAI's protocol.
    pub anthropic_base_url: String,
    /// Gemini's address for OpenAI's protocol; Vertex has one per project.
    pub google_base_url: String,
    /// Of Ollama, without a path.
    pub ollama_base_url: String,
    /// Hosts besides this machine and the one above that `PATCH /config/ai` may lead to.
    #[serde(deserialize_with = "texts")]
    pub ollama_hosts: Vec<String>,
    /// Of OpenAI; empty when unset.
    #[serde(default, deserialize_with = "secret")]
    pub openai_api_key: SecretString,
    /// Of Anthropic; empty when unset.
    #[serde(default, deserialize_with = "secret")]
    pub anthropic_api_key: SecretString,
    /// Of Google; empty when unset.
    #[serde(default, deserialize_with = "secret")]
    pub google_api_key: SecretString,
}

/// `[rag]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RagConfig {
    /// Who makes vectors of texts.
    pub embedding_provider: EmbeddingProvider,
    /// Model of the provider `openai`.
    #[serde(deserialize_with = "text")]
    pub embedding_model: String,
    /// Length of a vector.
    pub embedding_dimension: u32,
    /// Model of the provider `ollama`.
    #[serde(deserialize_with = "text")]
    pub ollama_embedding_model: String,
    /// Plugin of the provider `local`.
    #[serde(deserialize_with = "text")]
    pub local_plugin: String,
    /// Texts of one call to a provider.
    pub embedding_batch_size: usize,
    /// Folder of documents.
    pub root: PathBuf,
    /// Tokens that a chunk is filled up to.
    pub chunk_size: usize,
    /// Tokens that are repeated from the chunk before.
    pub chunk_overlap: usize,
    /// Tokens below which the end of a document joins the chunk before it.
    pub min_chunk_size: usize,
    /// Least cosine similarity of a search that names none.
    pub similarity_threshold: f64,
    /// Reserved.
    pub top_k: u32,
    /// Reserved.
    pub max_context_tokens: u32,
    /// Reserved.
    pub index_type: IndexType,
    /// Reserved.
    pub hnsw_m: u32,
    /// Reserved.
    pub hnsw_ef_construction: u32,
}

/// Kinds of vector index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IndexType {
    /// A graph of near vectors.
    Hnsw,
    /// Lists of near vectors.
    IvfFlat,
}

/// `[agents]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentsConfig {
    /// The language model.
    pub default_model: ModelId,
    /// The model when the first one fails; none when empty.
    #[serde(deserialize_with = "perhaps_model")]
    pub fallback_model: Option<ModelId>,
    /// Sampling temperature, 0 to 2.
    pub temperature: f64,
    /// Most tokens of one answer of a model.
    pub max_tokens: u32,
    /// Tokens for reasoning, handed to Google's models; off when unset.
    pub thinking_budget: Option<u32>,
    /// Most tools that one turn runs.
    pub max_tool_calls: u32,
    /// Longest turn.
    pub timeout_seconds: u64,
    /// Times that a model may correct itself, per tool and for its answer.
    pub retry_attempts: u32,
    /// Reserved.
    pub retry_delay_seconds: f64,
    /// Actions that wait for a human.
    #[serde(deserialize_with = "texts")]
    pub require_approval: Vec<String>,
    /// How long an action waits.
    pub approval_timeout_minutes: u32,
    /// How long a session lives after its last turn.
    pub session_ttl_minutes: u32,
    /// Reserved: there are no users.
    pub max_sessions_per_user: u32,
    /// Whether replies are sent word by word.
    #[serde(deserialize_with = "flag")]
    pub enable_streaming: bool,
}

/// A model, or none for the empty text.
fn perhaps_model<'de, D: Deserializer<'de>>(d: D) -> Result<Option<ModelId>, D::Error> {
    let text = text(d)?;
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(serde::de::Error::custom)
}

impl ProvidersConfig {
    pub(super) fn check(&self) -> Result<(), String> {
        for (key, value) in [
            ("openai_base_url", &self.openai_base_url),
            ("anthropic_base_url", &self.anthropic_base_url),
            ("google_base_url", &self.google_base_url),
            ("ollama_base_url", &self.ollama_base_url),
        ] {
            if crate::ai::host_of(value).is_none() {
                return Err(format!("`providers.{key}`: `{value}` is no http or https URL with a host"));
            }
        }
        Ok(())
    }
}

impl RagConfig {
    pub(super) fn check(&self) -> Result<(), String> {
        within("rag.embedding_dimension", self.embedding_dimension.into(), 1, MOST_DIMENSIONS.into())?;
        within("rag.embedding_batch_size", self.embedding_batch_size as u64, 1, 2_048)?;
        // A chunk is at most as long as both together, and providers take no more than the cap.
        let cap = HARD_CAP as u64;
        within("rag.chunk_size", self.chunk_size as u64, 1, cap)?;
        within("rag.chunk_overlap", self.chunk_overlap as u64, 0, cap - self.chunk_size as u64)?;
        within("rag.min_chunk_size", self.min_chunk_size as u64, 0, cap)?;
        if !(0.0..=1.0).contains(&self.similarity_threshold) {
            let value = self.similarity_threshold;
            return Err(format!("`rag.similarity_threshold`: {value} is out of range, allowed is 0 to 1"));
        }
        Ok(())
    }
}

impl AgentsConfig {
    pub(super) fn check(&self) -> Result<(), String> {
        if !(0.0..=2.0).contains(&self.temperature) {
            let value = self.temperature;
            return Err(format!("`agents.temperature`: {value} is out of range, allowed is 0 to 2"));
        }
        seconds("agents.retry_delay_seconds", self.retry_delay_seconds, 0.0)?;
        for (key, value, least, most) in [
            ("max_tokens", u64::from(self.max_tokens), 1, i32::MAX as u64),
            ("thinking_budget", self.thinking_budget.map_or(1, u64::from), 1, i32::MAX as u64),
            ("max_tool_calls", self.max_tool_calls.into(), 1, 1_000),
            ("timeout_seconds", self.timeout_seconds, 1, 86_400),
            ("retry_attempts", self.retry_attempts.into(), 0, 100),
            // The deadline of a session stays a date that the database knows.
            ("approval_timeout_minutes", self.approval_timeout_minutes.into(), 1, 5_256_000),
            ("session_ttl_minutes", self.session_ttl_minutes.into(), 1, 5_256_000),
        ] {
            within(&format!("agents.{key}"), value, least, most)?;
        }
        let unknown = self.require_approval.iter().find(|name| !ACTIONS.contains(&name.as_str()));
        match unknown {
            Some(name) => Err(format!(
                "`agents.require_approval`: `{name}` is no action of an agent; they are {}",
                ACTIONS.join(", ")
            )),
            None => Ok(()),
        }
    }
}

/// What agents do that changes something.
pub const ACTIONS: [&str; 3] = ["create_alias", "archive_run", "save_scenario"];
