//! Why a model did not answer, in words that may be shown: keys are taken out.

use std::sync::LazyLock;

use regex::Regex;
use serde::Serialize;

use crate::ai::ModelId;

/// Kinds of failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// 404.
    ModelNotFound,
    /// 429.
    QuotaExhausted,
    /// 401 and 403.
    AuthError,
    /// 500 and above.
    ProviderUnavailable,
    /// Another status, or none: no connection, no answer in time, an answer that broke off.
    ProviderError,
    /// The provider answered, and not with a chat completion.
    ResponseRejected,
}

impl Reason {
    /// Of an HTTP status.
    pub fn of_status(status: u16) -> Self {
        match status {
            404 => Self::ModelNotFound,
            429 => Self::QuotaExhausted,
            401 | 403 => Self::AuthError,
            500.. => Self::ProviderUnavailable,
            _ => Self::ProviderError,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::ModelNotFound => "model_not_found",
            Self::QuotaExhausted => "quota_exhausted",
            Self::AuthError => "auth_error",
            Self::ProviderUnavailable => "provider_unavailable",
            Self::ProviderError => "provider_error",
            Self::ResponseRejected => "response_rejected",
        }
    }
}

/// Why a model did not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {detail}", reason.name())]
pub struct ChatError {
    /// HTTP status, when there was one.
    pub status: Option<u16>,
    /// The kind.
    pub reason: Reason,
    /// The provider's words, without keys, at most 300 characters.
    pub detail: String,
}

/// Most characters of a detail.
const LONGEST: usize = 300;

impl ChatError {
    /// With the provider's words; `key` is the one that was sent.
    pub fn new(status: Option<u16>, reason: Reason, words: &str, key: Option<&str>) -> Self {
        let detail = redact(words, key).chars().take(LONGEST).collect();
        Self { status, reason, detail }
    }
}

/// A model that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// Its full identifier.
    pub model_name: String,
    /// HTTP status, when there was one.
    pub status_code: Option<u16>,
    /// The kind.
    pub reason: Reason,
    /// The provider's words, without keys.
    pub detail: String,
}

impl Failure {
    /// Of this model.
    pub fn new(model: &ModelId, error: ChatError) -> Self {
        let ChatError { status, reason, detail } = error;
        Self { model_name: model.to_string(), status_code: status, reason, detail }
    }

    /// In a sentence.
    pub fn summary(&self) -> String {
        let status = self.status_code.map(|status| format!(", status {status}")).unwrap_or_default();
        format!("{} ({}{status})", self.model_name, self.reason.name())
    }
}

const MARK: &str = "[redacted]";

/// The text without what looks like a key, and without the key itself.
fn redact(text: &str, key: Option<&str>) -> String {
    let text = match key {
        Some(key) if !key.is_empty() => text.replace(key, MARK),
        _ => text.to_owned(),
    };
    KEYS.iter().fold(text, |text, (pattern, mark)| pattern.replace_all(&text, *mark).into_owned())
}

static KEYS: LazyLock<[(Regex, &str); 4]> = LazyLock::new(|| {
    [
        (r"AIza[0-9A-Za-z_\-]+", MARK),
        (r"\bsk-[0-9A-Za-z_\-*.…]+", MARK),
        (r"(?i)\bbearer\s+[^\s,;]+", MARK),
        (
            r#"(?i)\b((?:api|access|secret|auth|x)?[_\- ]?(?:key|token|secret|password|authorization)["']?\s*[:=]\s*["']?)[^\s"',;&]+"#,
            "$1[redacted]",
        ),
    ]
    // A test uses each of them.
    .map(|(pattern, mark)| (Regex::new(pattern).expect("the pattern is one"), mark))
});

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keys_are_taken_out() {
        for (text, expected) in [
            (
                "Incorrect API key provided: sk-proj-abc123. See x",
                "Incorrect API key provided: [redacted] See x",
            ),
            ("key AIzaSyA-b_C9 is invalid", "key [redacted] is invalid"),
            ("Authorization: Bearer abc.def", "Authorization: [redacted]"),
            ("bad api_key=hunter2&x=1", "bad api_key=[redacted]&x=1"),
            ("{\"token\": \"hunter2\"}", "{\"token\": \"[redacted]\"}"),
            ("no such model gpt-9", "no such model gpt-9"),
            ("the house key is my-own-key!", "the house key is [redacted]!"),
        ] {
            assert_eq!(redact(text, Some("my-own-key")), expected);
        }
    }

    #[test]
    fn kinds() {
        for (status, reason) in [
            (400, "provider_error"),
            (401, "auth_error"),
            (403, "auth_error"),
            (404, "model_not_found"),
            (429, "quota_exhausted"),
            (500, "provider_unavailable"),
            (503, "provider_unavailable"),
        ] {
            assert_eq!(Reason::of_status(status).name(), reason);
            assert_eq!(serde_json::json!(Reason::of_status(status)), reason);
        }
    }

    proptest! {
        #[test]
        fn a_detail_is_short_and_never_holds_the_key(before in "\\PC{0,400}", key in "[a-zA-Z0-9]{8,40}", after in "\\PC{0,50}") {
            let error = ChatError::new(None, Reason::ProviderError, &format!("{before}{key}{after}"), Some(&key));
            prop_assert!(error.detail.chars().count() <= LONGEST);
            prop_assert!(!error.detail.contains(&key));
        }
    }
}
