//! Where a provider is found, and how its dialect of OpenAI's protocol differs.

use secrecy::SecretString;
use serde_json::{Map, Value, json};

use super::message::ChatRequest;
use crate::ai::{Provider, ProviderSettings};

/// A provider's address and ways.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Without a slash at the end; `/chat/completions` follows.
    pub base_url: String,
    /// Sent as a bearer token, to this address only.
    pub key: Option<SecretString>,
    provider: Provider,
}

impl Endpoint {
    /// Of a provider, with its own key.
    pub fn of(settings: &ProviderSettings, provider: Provider) -> Self {
        let base_url = match provider {
            Provider::OpenAi => settings.openai_base_url.clone(),
            Provider::Anthropic => settings.anthropic_base_url.clone(),
            Provider::GoogleGla | Provider::GoogleVertex => settings.google_base_url.clone(),
            Provider::Ollama => format!("{}/v1", settings.ollama_base_url.trim_end_matches('/')),
        };
        let base_url = base_url.trim_end_matches('/').to_owned();
        Self { base_url, key: settings.key(provider).cloned(), provider }
    }

    /// What stands for the absent text of a message that only calls tools: Ollama refuses null.
    pub(super) fn no_text(&self) -> Value {
        if self.provider == Provider::Ollama { json!("") } else { Value::Null }
    }

    /// Limits, under the names that the provider has for them.
    pub(super) fn limit(&self, body: &mut Map<String, Value>, request: &ChatRequest<'_>) {
        // OpenAI's newer models refuse `max_tokens`, the others do not all know its new name.
        let name = if self.provider == Provider::OpenAi { "max_completion_tokens" } else { "max_tokens" };
        body.insert(name.to_owned(), request.max_tokens.into());
        if let (Some(budget), Provider::GoogleGla | Provider::GoogleVertex) =
            (request.thinking_budget, self.provider)
        {
            let thinking = json!({"google": {"thinking_config": {"thinking_budget": budget}}});
            body.insert("extra_body".to_owned(), thinking);
        }
    }
}
