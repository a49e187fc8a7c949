//! The settings that can be changed: one table of names, each with the way it is read and put into effect.

use std::collections::BTreeMap;

use retailcast_core::config_schema::FieldError;
use serde_json::{Map, Value};
use url::Url;

use crate::ai::{AiSettings, EmbeddingProvider, MOST_DIMENSIONS, ModelId, host_of};
use crate::http::fields::{self, Fields, Reading, short};

/// All that can be changed, in the order of the contract.
const SETTINGS: [&str; 13] = [
    "agent_default_model",
    "agent_fallback_model",
    "agent_temperature",
    "agent_max_tokens",
    "agent_thinking_budget",
    "rag_embedding_provider",
    "rag_embedding_model",
    "rag_embedding_dimension",
    "ollama_base_url",
    "ollama_embedding_model",
    "openai_api_key",
    "anthropic_api_key",
    "google_api_key",
];

/// Reads the value of a setting and puts it into the settings.
fn put(name: &str, to: &mut AiSettings, value: &Value, allowed: &Allowed) -> Reading<()> {
    const MOST: u32 = i32::MAX as u32;
    match name {
        "agent_default_model" => to.agent.default_model = model(value)?,
        "agent_fallback_model" => to.agent.fallback_model = Some(model(value)?),
        "agent_temperature" => to.agent.temperature = temperature(value)?,
        "agent_max_tokens" => to.agent.max_tokens = count(value, MOST)?,
        "agent_thinking_budget" => to.agent.thinking_budget = Some(count(value, MOST)?),
        "rag_embedding_provider" => to.embedding.provider = embedding_provider(value)?,
        "rag_embedding_model" => to.embedding.model = any_text(value)?,
        "rag_embedding_dimension" => to.embedding.dimension = count(value, MOST_DIMENSIONS)?,
        "ollama_base_url" => to.providers.ollama_base_url = allowed.address(value)?,
        "ollama_embedding_model" => to.embedding.ollama_model = any_text(value)?,
        "openai_api_key" => to.providers.openai_api_key = key(value)?.into(),
        "anthropic_api_key" => to.providers.anthropic_api_key = key(value)?.into(),
        "google_api_key" => to.providers.google_api_key = key(value)?.into(),
        other => return Err(("extra_forbidden", format!("`{other}` is no setting that can be changed"))),
    }
    Ok(())
}

/// New values by name, all of which fit.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// By name.
    pub values: BTreeMap<&'static str, Value>,
    /// Whether indexed chunks may be removed for it.
    pub force: bool,
}

impl Change {
    /// Reads a body: strictly typed, unknown members are ignored, null is as good as absent.
    pub(super) fn read(
        body: &Map<String, Value>,
        allowed: &Allowed,
        current: &AiSettings,
    ) -> Result<Self, Vec<FieldError>> {
        let mut fields = Fields::of(body);
        let mut scratch = current.clone();
        let mut values = BTreeMap::new();
        for name in SETTINGS {
            let read = |value: &Value| put(name, &mut scratch, value, allowed).map(|()| value.clone());
            if let Some(value) = fields.nullable(name, read) {
                values.insert(name, value);
            }
        }
        let force = fields.nullable("force", flag).unwrap_or(false);
        fields.finish(Some(Self { values, force }))
    }

    /// The wanted length of vectors.
    pub(super) fn dimension(&self) -> Option<u32> {
        self.values.get("rag_embedding_dimension")?.as_u64()?.try_into().ok()
    }
}

/// The configuration with what was changed since. What does not fit is left out, with a line in the log that does not
/// repeat it: it may be a key.
pub(super) fn apply(base: &AiSettings, stored: &BTreeMap<String, Value>, allowed: &Allowed) -> AiSettings {
    let mut settings = base.clone();
    for name in SETTINGS {
        let Some(value) = stored.get(name) else { continue };
        match put(name, &mut settings, value, allowed) {
            Ok(()) => settings.overridden.push(name),
            Err((kind, _)) => {
                tracing::warn!(setting = name, kind, "a stored setting does not fit and is ignored");
            }
        }
    }
    settings.overridden.sort_unstable();
    settings
}

/// Hosts that `ollama_base_url` may name besides this machine.
#[derive(Debug, Clone)]
pub struct Allowed(pub Vec<String>);

/// This machine, by its usual names.
const THIS_MACHINE: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

impl Allowed {
    fn address(&self, value: &Value) -> Reading<String> {
        let text = any_text(value)?;
        let refused = |why: String| Err(("value_error", why));
        let Some(host) = host_of(&text) else {
            return refused(format!("must be an http or https URL with a host, got {}", short(value)));
        };
        if Url::parse(&text).is_ok_and(|url| !url.username().is_empty() || url.password().is_some()) {
            return refused("must not hold a user or a password".to_owned());
        }
        if !THIS_MACHINE.contains(&host.as_str())
            && !self.0.iter().any(|allowed| allowed.eq_ignore_ascii_case(&host))
        {
            return refused(format!(
                "`{host}` is not among the hosts that may be named; `providers.ollama_hosts` (OLLAMA_HOSTS) of the \
                 configuration allows it"
            ));
        }
        Ok(text)
    }
}

fn model(value: &Value) -> Reading<ModelId> {
    let text = fields::text(0, usize::MAX)(value)?;
    text.parse().map_err(|e: crate::ai::ModelIdError| ("value_error", e.to_string()))
}

fn temperature(value: &Value) -> Reading<f64> {
    match value {
        Value::Number(_) => fields::lax_number(0.0, 2.0)(value),
        other => Err(("float_type", format!("must be a number, got {}", short(other)))),
    }
}

fn count(value: &Value, most: u32) -> Reading<u32> {
    // The bounds stand here.
    fields::strict_int(1, most.into())(value).map(|count| count as u32)
}

fn embedding_provider(value: &Value) -> Reading<EmbeddingProvider> {
    let name = fields::one_of(&EmbeddingProvider::NAMES)(value)?;
    EmbeddingProvider::named(name)
        .ok_or(("literal_error", format!("must be one of {}", EmbeddingProvider::NAMES.join(", "))))
}

fn any_text(value: &Value) -> Reading<String> {
    fields::text(0, usize::MAX)(value).map(str::to_owned)
}

/// A key. Nothing of it stands in a message.
fn key(value: &Value) -> Reading<String> {
    any_text(value).map_err(|(kind, _)| (kind, "must be a text without the character NUL".to_owned()))
}

fn flag(value: &Value) -> Reading<bool> {
    value.as_bool().ok_or_else(|| ("bool_type", format!("must be true or false, got {}", short(value))))
}
