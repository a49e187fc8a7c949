//! What the host knows of a plugin of any kind.

use crate::Digest;

/// What a plugin is for; it decides the world that it implements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Forecasts.
    ForecastModel,
    /// Says what a forecast rests on.
    Explainer,
    /// Applies a planner's assumptions to a forecast.
    ScenarioAdjuster,
    /// Makes vectors of texts.
    EmbeddingProvider,
}

impl Kind {
    /// The name of its world.
    pub fn name(self) -> &'static str {
        match self {
            Self::ForecastModel => "forecast-model",
            Self::Explainer => "explainer",
            Self::ScenarioAdjuster => "scenario-adjuster",
            Self::EmbeddingProvider => "embedding-provider",
        }
    }

    /// In a sentence.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::ForecastModel => "model type",
            Self::Explainer => "explainer",
            Self::ScenarioAdjuster => "scenario adjuster",
            Self::EmbeddingProvider => "embedding provider",
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// What a plugin says of itself, and what the host knows of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Description {
    /// Machine name; for a forecast model the model type.
    pub name: String,
    /// `major.minor.patch`.
    pub version: String,
    /// SPDX expression.
    pub licence: String,
    /// One sentence for people.
    pub summary: String,
    /// JSON Schema of the configuration.
    pub config_schema: serde_json::Value,
    /// What it is for.
    pub kind: Kind,
    /// SHA-256 of the component.
    pub digest: Digest,
    /// Version of the contract that it speaks.
    pub contract: &'static str,
}
