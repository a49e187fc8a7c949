//! All settings of language and embedding models at one moment.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use super::model_id::{ModelId, Provider};
use crate::config::Config;

/// The settings, of one moment.
#[derive(Debug, Clone)]
pub struct AiSettings {
    /// Of agents.
    pub agent: AgentSettings,
    /// Of embeddings.
    pub embedding: EmbeddingSettings,
    /// Addresses and keys.
    pub providers: ProviderSettings,
    /// Names of the settings that were changed at run time, ascending.
    pub overridden: Vec<&'static str>,
}

/// Settings of agents.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentSettings {
    /// The language model.
    pub default_model: ModelId,
    /// The model when the first one fails.
    pub fallback_model: Option<ModelId>,
    /// Sampling temperature, 0 to 2.
    pub temperature: f64,
    /// Most tokens of one answer of a model.
    pub max_tokens: u32,
    /// Tokens for reasoning; off when `None`.
    pub thinking_budget: Option<u32>,
    /// Most tools that one turn runs.
    pub max_tool_calls: usize,
    /// Longest turn.
    pub timeout: Duration,
    /// Times that a model may correct itself, per tool and for its answer.
    pub retry_attempts: u32,
    /// Actions that wait for a human.
    pub require_approval: Vec<String>,
    /// How long an action waits.
    pub approval_timeout: Duration,
    /// How long a session lives after its last turn.
    pub session_ttl: Duration,
    /// Whether replies are sent word by word.
    pub enable_streaming: bool,
}

/// Who makes vectors of texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EmbeddingProvider {
    /// OpenAI, or whoever speaks its protocol.
    OpenAi,
    /// An Ollama server.
    Ollama,
    /// A plugin in this process, without network and key.
    Local,
    /// A sentence encoder in this process, from a folder of weights.
    MiniLm,
}

impl EmbeddingProvider {
    /// All names.
    pub const NAMES: [&str; 4] = ["openai", "ollama", "local", "minilm"];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Ollama => "ollama",
            Self::Local => "local",
            Self::MiniLm => "minilm",
        }
    }

    /// The provider of this name.
    pub fn named(name: &str) -> Option<Self> {
        let all = [Self::OpenAi, Self::Ollama, Self::Local, Self::MiniLm];
        all.into_iter().find(|provider| provider.name() == name)
    }
}

/// Settings of embeddings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbeddingSettings {
    /// Who makes the vectors.
    pub provider: EmbeddingProvider,
    /// Model of the provider `openai`.
    pub model: String,
    /// Length of a vector.
    pub dimension: u32,
    /// Model of the provider `ollama`.
    pub ollama_model: String,
    /// Plugin of the provider `local`.
    pub local_plugin: String,
}

/// Addresses, and keys, which are empty when unset.
#[derive(Debug, Clone)]
pub struct ProviderSettings {
    /// Of OpenAI or whoever speaks its protocol, `/v1` included.
    pub openai_base_url: String,
    /// Anthropic's for OpenAI's protocol.
    pub anthropic_base_url: String,
    /// Google's for OpenAI's protocol.
    pub google_base_url: String,
    /// Of Ollama, without a path.
    pub ollama_base_url: String,
    /// Of OpenAI.
    pub openai_api_key: SecretString,
    /// Of Anthropic.
    pub anthropic_api_key: SecretString,
    /// Of both Google providers.
    pub google_api_key: SecretString,
}

impl ProviderSettings {
    /// The key of a provider, `None` for one that has none; an empty key is not configured.
    pub fn key(&self, provider: Provider) -> Option<&SecretString> {
        match provider {
            Provider::Anthropic => Some(&self.anthropic_api_key),
            Provider::OpenAi => Some(&self.openai_api_key),
            Provider::GoogleGla | Provider::GoogleVertex => Some(&self.google_api_key),
            Provider::Ollama => None,
        }
    }

    /// Whether a provider can be asked: its key is configured, or it needs none.
    pub fn usable(&self, provider: Provider) -> bool {
        self.key(provider).is_none_or(|key| !key.expose_secret().is_empty())
    }
}

impl AiSettings {
    /// What the configuration says, before anything was changed at run time.
    pub fn of(config: &Config) -> Self {
        let (agents, providers, rag) = (&config.agents, &config.providers, &config.rag);
        let minutes = |minutes: u32| Duration::from_secs(60 * u64::from(minutes));
        Self {
            agent: AgentSettings {
                default_model: agents.default_model.clone(),
                fallback_model: agents.fallback_model.clone(),
                temperature: agents.temperature,
                max_tokens: agents.max_tokens,
                thinking_budget: agents.thinking_budget,
                max_tool_calls: agents.max_tool_calls as usize,
                timeout: Duration::from_secs(agents.timeout_seconds),
                retry_attempts: agents.retry_attempts,
                require_approval: agents.require_approval.clone(),
                approval_timeout: minutes(agents.approval_timeout_minutes),
                session_ttl: minutes(agents.session_ttl_minutes),
                enable_streaming: agents.enable_streaming,
            },
            embedding: EmbeddingSettings {
                provider: rag.embedding_provider,
                model: rag.embedding_model.clone(),
                dimension: rag.embedding_dimension,
                ollama_model: rag.ollama_embedding_model.clone(),
                local_plugin: rag.local_plugin.clone(),
            },
            providers: ProviderSettings {
                openai_base_url: providers.openai_base_url.clone(),
                anthropic_base_url: providers.anthropic_base_url.clone(),
                google_base_url: providers.google_base_url.clone(),
                ollama_base_url: providers.ollama_base_url.clone(),
                openai_api_key: providers.openai_api_key.clone(),
                anthropic_api_key: providers.anthropic_api_key.clone(),
                google_api_key: providers.google_api_key.clone(),
            },
            overridden: Vec::new(),
        }
    }
}

/// The longest vector that pgvector stores.
pub const MOST_DIMENSIONS: u32 = 16_000;

/// The host of an http or https URL, without brackets around an IPv6 address.
pub fn host_of(url: &str) -> Option<String> {
    let url = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let host = url.host_str()?;
    Some(host.trim_start_matches('[').trim_end_matches(']').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts() {
        for (url, host) in [
            ("http://localhost:11434", Some("localhost")),
            ("https://GPU.example/x", Some("gpu.example")),
            ("http://[::1]:1/", Some("::1")),
            ("http://127.1", Some("127.0.0.1")),
            ("ftp://localhost", None),
            ("localhost:11434", None),
            ("http://", None),
            ("", None),
        ] {
            assert_eq!(host_of(url).as_deref(), host, "{url}");
        }
    }

    #[test]
    fn a_provider_is_usable_with_its_own_key_only() {
        let mut settings = AiSettings::of(&Config::defaults()).providers;
        settings.openai_api_key = "k".into();
        let usable: Vec<_> =
            Provider::NAMES.iter().filter(|(_, p)| settings.usable(*p)).map(|(name, _)| *name).collect();
        assert_eq!(usable, ["openai", "ollama"]);
    }
}
