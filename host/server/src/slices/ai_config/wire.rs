//! Bodies of `/config`.

use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use utoipa::ToSchema;

use crate::ai::{AiSettings, ModelId, ProviderSettings};
use crate::llm::{OllamaError, OllamaModel};

/// The settings in effect. Keys are never shown.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AIModelConfig, example = json!({
    "agent_default_model": "anthropic:claude-sonnet-4-5", "agent_fallback_model": "openai:gpt-4o",
    "agent_temperature": 0.1, "agent_max_tokens": 4096, "agent_thinking_budget": null, "agent_max_tool_calls": 10,
    "agent_timeout_seconds": 120, "agent_retry_attempts": 3, "agent_session_ttl_minutes": 120,
    "agent_require_approval": ["create_alias", "archive_run", "save_scenario"], "rag_embedding_provider": "openai",
    "rag_embedding_model": "text-embedding-3-small", "rag_embedding_dimension": 1536,
    "ollama_base_url": "http://localhost:11434", "ollama_embedding_model": "nomic-embed-text",
    "api_keys": [{"provider": "openai", "is_set": true, "masked": "sk-proj…a1b2"},
                 {"provider": "anthropic", "is_set": false, "masked": null},
                 {"provider": "google", "is_set": false, "masked": null}],
    "overridden_keys": ["agent_default_model", "openai_api_key"]}))]
pub(super) struct AiConfigBody {
    /// `provider:model-name`.
    agent_default_model: String,
    /// Asked when the first model fails; empty for none.
    agent_fallback_model: String,
    agent_temperature: f64,
    /// Of one answer of a model.
    agent_max_tokens: u32,
    /// Tokens to reason with; null is off.
    #[schema(required)]
    agent_thinking_budget: Option<u32>,
    /// Tools that one turn may run.
    agent_max_tool_calls: usize,
    agent_timeout_seconds: u64,
    agent_retry_attempts: u32,
    agent_session_ttl_minutes: u64,
    /// Actions that wait for a human.
    agent_require_approval: Vec<String>,
    rag_embedding_provider: &'static str,
    /// Of the provider `openai`.
    rag_embedding_model: String,
    rag_embedding_dimension: u32,
    ollama_base_url: String,
    /// Of the provider `ollama`.
    ollama_embedding_model: String,
    /// `openai`, `anthropic`, `google`.
    api_keys: Vec<ApiKeyStatus>,
    /// Settings that were changed at run time, by name.
    overridden_keys: Vec<&'static str>,
}

impl From<&AiSettings> for AiConfigBody {
    fn from(settings: &AiSettings) -> Self {
        let AiSettings { agent, embedding, providers, overridden } = settings;
        Self {
            agent_default_model: agent.default_model.to_string(),
            agent_fallback_model: agent.fallback_model.as_ref().map(ModelId::to_string).unwrap_or_default(),
            agent_temperature: agent.temperature,
            agent_max_tokens: agent.max_tokens,
            agent_thinking_budget: agent.thinking_budget,
            agent_max_tool_calls: agent.max_tool_calls,
            agent_timeout_seconds: agent.timeout.as_secs(),
            agent_retry_attempts: agent.retry_attempts,
            agent_session_ttl_minutes: agent.session_ttl.as_secs() / 60,
            agent_require_approval: agent.require_approval.clone(),
            rag_embedding_provider: embedding.provider.name(),
            rag_embedding_model: embedding.model.clone(),
            rag_embedding_dimension: embedding.dimension,
            ollama_base_url: providers.ollama_base_url.clone(),
            ollama_embedding_model: embedding.ollama_model.clone(),
            api_keys: keys(providers).into_iter().map(ApiKeyStatus::from).collect(),
            overridden_keys: overridden.clone(),
        }
    }
}

/// The keys of the cloud providers, in the order of the contract.
fn keys(providers: &ProviderSettings) -> [(&'static str, &SecretString); 3] {
    [
        ("openai", &providers.openai_api_key),
        ("anthropic", &providers.anthropic_api_key),
        ("google", &providers.google_api_key),
    ]
}

/// Whether there is a key.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ApiKeyStatus {
    provider: &'static str,
    is_set: bool,
    /// A few characters to tell keys apart; null when there is none.
    #[schema(required)]
    masked: Option<String>,
}

impl From<(&'static str, &SecretString)> for ApiKeyStatus {
    fn from((provider, key): (&'static str, &SecretString)) -> Self {
        let masked = mask(key.expose_secret());
        Self { provider, is_set: masked.is_some(), masked }
    }
}

/// The first 7 and the last 4 characters of a long key, the last 4 of a shorter one, nothing of a very short one.
fn mask(key: &str) -> Option<String> {
    let characters: Vec<char> = key.chars().collect();
    let last = |count: usize| characters[characters.len() - count..].iter().collect::<String>();
    match characters.len() {
        0 => None,
        1..8 => Some("…".to_owned()),
        8..12 => Some(format!("…{}", last(4))),
        _ => Some(format!("{}…{}", characters[..7].iter().collect::<String>(), last(4))),
    }
}

/// Settings to change. Absent and null both leave a setting as it is; unknown members are ignored.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes the body, which is read setting by setting")]
#[schema(as = AIModelConfigUpdate, example = json!({"agent_default_model": "openai:gpt-4o", "openai_api_key": "sk-proj-…"}))]
pub(super) struct AiConfigUpdate {
    /// `provider:model-name`, of `anthropic`, `openai`, `google-gla`, `google-vertex` or `ollama`.
    #[schema(pattern = "^(anthropic|openai|google-gla|google-vertex|ollama):")]
    agent_default_model: Option<String>,
    /// The same.
    #[schema(pattern = "^(anthropic|openai|google-gla|google-vertex|ollama):")]
    agent_fallback_model: Option<String>,
    #[schema(minimum = 0, maximum = 2)]
    agent_temperature: Option<f64>,
    #[schema(minimum = 1, maximum = 2_147_483_647)]
    agent_max_tokens: Option<u32>,
    /// Cannot be switched off again here.
    #[schema(minimum = 1, maximum = 2_147_483_647)]
    agent_thinking_budget: Option<u32>,
    /// `openai`, `ollama`, `local` or `minilm`.
    #[schema(pattern = "^(openai|ollama|local|minilm)$")]
    rag_embedding_provider: Option<String>,
    rag_embedding_model: Option<String>,
    /// 409 while chunks are indexed, unless `force`.
    #[schema(minimum = 1, maximum = 16_000)]
    rag_embedding_dimension: Option<u32>,
    /// On this machine or on a host that `providers.ollama_hosts` lists.
    ollama_base_url: Option<String>,
    ollama_embedding_model: Option<String>,
    /// Empty takes the key out of effect.
    openai_api_key: Option<String>,
    /// Empty takes the key out of effect.
    anthropic_api_key: Option<String>,
    /// Empty takes the key out of effect.
    google_api_key: Option<String>,
    /// Whether a new vector length may remove the indexed chunks.
    #[schema(default = false)]
    force: Option<bool>,
}

/// Whether a provider can be used.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"provider": "ollama", "reachable": false,
    "detail": "no answer from http://localhost:11434: Connection refused", "models": []}))]
pub(super) struct ProviderHealth {
    /// `ollama`, `openai`, `anthropic` or `google`.
    provider: &'static str,
    /// Of Ollama: it answers. Of the others: there is a key; nobody is asked.
    reachable: bool,
    /// For people.
    detail: String,
    /// Of a reachable Ollama.
    models: Vec<String>,
}

impl ProviderHealth {
    /// All four.
    pub(super) fn all(settings: &AiSettings, ollama: Result<Vec<OllamaModel>, OllamaError>) -> Vec<Self> {
        let cloud = keys(&settings.providers).map(|(provider, key)| {
            let reachable = !key.expose_secret().is_empty();
            let detail = if reachable { "a key is configured" } else { "no key is configured" };
            Self { provider, reachable, detail: detail.to_owned(), models: Vec::new() }
        });
        [Self::ollama(&settings.providers.ollama_base_url, ollama)].into_iter().chain(cloud).collect()
    }

    fn ollama(address: &str, found: Result<Vec<OllamaModel>, OllamaError>) -> Self {
        let provider = "ollama";
        match found {
            Ok(models) => Self {
                provider,
                reachable: true,
                detail: format!("{address} has {} models", models.len()),
                models: models.into_iter().map(|model| model.name).collect(),
            },
            Err(error) => Self { provider, reachable: false, detail: error.to_string(), models: Vec::new() },
        }
    }
}

/// A model of the Ollama server.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OllamaModel, example = json!({"name": "llama3.1:latest", "size_bytes": 4_661_224_676_u64, "family": "llama"}))]
pub(super) struct OllamaModelBody {
    name: String,
    #[schema(required)]
    size_bytes: Option<u64>,
    #[schema(required)]
    family: Option<String>,
}

impl From<OllamaModel> for OllamaModelBody {
    fn from(model: OllamaModel) -> Self {
        Self { name: model.name, size_bytes: model.size_bytes, family: model.family }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks() {
        for (key, masked) in [
            ("", None),
            ("abc", Some("…")),
            ("1234567", Some("…")),
            ("abcd1234", Some("…1234")),
            ("12345678901", Some("…8901")),
            ("123456789012", Some("1234567…9012")),
            ("sk-ant-api03-zzzzzzzzzzzz9999", Some("sk-ant-…9999")),
            ("ключключключ", Some("ключклю…ключ")),
        ] {
            assert_eq!(mask(key).as_deref(), masked, "{key}");
        }
    }
}
