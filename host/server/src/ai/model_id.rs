//! Which language model, and whose.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

/// Who serves language models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Provider {
    /// Anthropic.
    Anthropic,
    /// OpenAI, or whoever speaks its protocol.
    OpenAi,
    /// Google's Gemini API.
    GoogleGla,
    /// Google's Vertex AI.
    GoogleVertex,
    /// An Ollama server.
    Ollama,
}

impl Provider {
    /// All of them, by name.
    pub const NAMES: [(&str, Self); 5] = [
        ("anthropic", Self::Anthropic),
        ("openai", Self::OpenAi),
        ("google-gla", Self::GoogleGla),
        ("google-vertex", Self::GoogleVertex),
        ("ollama", Self::Ollama),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic",
            Self::OpenAi => "openai",
            Self::GoogleGla => "google-gla",
            Self::GoogleVertex => "google-vertex",
            Self::Ollama => "ollama",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, provider)| *provider)
    }
}

/// A model identifier, `provider:model-name`. The name may hold further colons.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct ModelId {
    /// Who serves it.
    pub provider: Provider,
    /// Its name there.
    pub name: String,
}

/// Why a text is no model identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelIdError {
    /// No colon.
    #[error("`{0}` is no model; the form is provider:model-name, for example openai:gpt-4o")]
    Form(String),
    /// No name behind the colon.
    #[error("the model name in `{0}` is empty or blank; the form is provider:model-name")]
    Blank(String),
    /// An unknown word before the colon.
    #[error("Unknown provider `{name}`; known are {}", Provider::NAMES.map(|(name, _)| name).join(", "))]
    Provider {
        /// The word.
        name: String,
    },
    /// The provider twice.
    #[error("Nested provider prefix in `{text}`; probably `{likely}` is meant")]
    Nested {
        /// What was given.
        text: String,
        /// What was probably meant.
        likely: String,
    },
}

impl FromStr for ModelId {
    type Err = ModelIdError;

    fn from_str(text: &str) -> Result<Self, ModelIdError> {
        let (provider, name) = text.split_once(':').ok_or_else(|| ModelIdError::Form(text.to_owned()))?;
        if name.trim().is_empty() {
            return Err(ModelIdError::Blank(text.to_owned()));
        }
        let known =
            Provider::named(provider).ok_or_else(|| ModelIdError::Provider { name: provider.to_owned() })?;
        if let Some((inner, _)) = name.split_once(':')
            && Provider::named(inner).is_some()
        {
            return Err(ModelIdError::Nested { text: text.to_owned(), likely: name.to_owned() });
        }
        Ok(Self { provider: known, name: name.to_owned() })
    }
}

impl TryFrom<String> for ModelId {
    type Error = ModelIdError;

    fn try_from(text: String) -> Result<Self, ModelIdError> {
        text.parse()
    }
}

impl fmt::Display for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.provider.name(), self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_read_and_written() {
        for text in
            ["anthropic:claude-sonnet-4-5", "ollama:llama3.1:8b", "google-vertex:a", "openai: x", "openai::"]
        {
            assert_eq!(text.parse::<ModelId>().unwrap().to_string(), text);
        }
        let id: ModelId = "ollama:llama3.1:8b".parse().unwrap();
        assert_eq!((id.provider, id.name.as_str()), (Provider::Ollama, "llama3.1:8b"));
    }

    #[test]
    fn refusals_say_what_is_wrong() {
        for (text, words) in [
            ("", "provider:model-name"),
            ("gpt-4o", "provider:model-name"),
            ("openai:", "empty or blank"),
            ("openai:  \t", "empty or blank"),
            (":x", "Unknown provider"),
            ("OpenAI:x", "Unknown provider"),
            ("acme:x", "Unknown provider"),
            ("google:x", "Unknown provider"),
            ("google-gla:google-gla:x", "Nested provider prefix"),
            ("openai:ollama:llama3", "`ollama:llama3`"),
        ] {
            let error = text.parse::<ModelId>().unwrap_err().to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
