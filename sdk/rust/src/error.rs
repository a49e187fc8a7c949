//! How a plugin refuses a call.

use serde::{Deserialize, Serialize};

pub use crate::bindings::retailcast::plugin::types::ErrorCode;

/// A refusal: a code for programs, a sentence for people. See `wit/v0.1/types.wit` for when to use which code.
///
/// It can be saved with the state of a panel, so that a series which could not be fitted says so after `load` as well.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Error {
    /// The nearest code of the closed list.
    #[serde(with = "code_as_number")]
    pub code: ErrorCode,
    /// What was refused, the value found, what would be right.
    pub message: String,
    /// Position of the series it is about (0-based), when it is about one.
    pub series: Option<u32>,
    /// Further facts as name and value.
    pub details: Vec<(String, String)>,
}

impl Error {
    /// A refusal with this code and sentence.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), series: None, details: Vec::new() }
    }

    /// The configuration's values do not go together.
    pub fn invalid_config(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidConfig, message)
    }

    /// A series has `found` values where the model needs `needed`.
    pub fn not_enough_history(needed: usize, found: usize) -> Self {
        Self::new(ErrorCode::NotEnoughHistory, format!("needs at least {needed} values, found {found}"))
    }

    /// Bytes that `save` of this plugin did not write.
    pub fn artifact_mismatch(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::ArtifactMismatch, message)
    }

    /// The computation gave no finite number.
    pub fn numeric(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Numeric, message)
    }

    /// The plugin does not do what was asked.
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Unsupported, message)
    }

    /// The same refusal, about this series.
    #[must_use]
    pub fn for_series(mut self, series: u32) -> Self {
        self.series = Some(series);
        self
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<Error> for crate::bindings::retailcast::plugin::types::PluginError {
    fn from(e: Error) -> Self {
        Self { code: e.code, message: e.message, series: e.series, details: e.details }
    }
}

impl From<crate::bindings::retailcast::plugin::types::PluginError> for Error {
    fn from(e: crate::bindings::retailcast::plugin::types::PluginError) -> Self {
        Self { code: e.code, message: e.message, series: e.series, details: e.details }
    }
}

/// The generated code does not know serde; its cases are numbered as in the contract, in order.
mod code_as_number {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::ErrorCode;

    const CODES: [ErrorCode; 8] = [
        ErrorCode::InvalidConfig,
        ErrorCode::NotEnoughHistory,
        ErrorCode::MissingFeature,
        ErrorCode::ArtifactMismatch,
        ErrorCode::Numeric,
        ErrorCode::Unsupported,
        ErrorCode::Upstream,
        ErrorCode::Other,
    ];

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
    pub(super) fn serialize<S: Serializer>(code: &ErrorCode, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u8(*code as u8)
    }

    pub(super) fn deserialize<'a, D: Deserializer<'a>>(from: D) -> Result<ErrorCode, D::Error> {
        let number = u8::deserialize(from)?;
        // A code of a later contract is none that this one can name.
        Ok(CODES.iter().copied().find(|code| *code as u8 == number).unwrap_or(ErrorCode::Other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_refusal_is_the_same_refusal() {
        for code in [ErrorCode::InvalidConfig, ErrorCode::Numeric, ErrorCode::Upstream, ErrorCode::Other] {
            let mut refusal = Error::new(code, "no").for_series(3);
            refusal.details.push(("rows".to_owned(), "2".to_owned()));
            let bytes = postcard::to_stdvec(&refusal).unwrap();
            assert_eq!(postcard::from_bytes(&bytes), Ok(refusal));
        }
    }
}
