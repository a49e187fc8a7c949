//! From the bytes of a component to a plugin that can be called, whatever it is for.

use std::sync::Arc;

use crate::catalogue::settings_table;
use crate::plugin::{self, Checked};
use crate::{
    CodeCache, Description, Digest, EmbeddingProvider, Engine, Explainer, ForecastModel, Kind, Limits,
    PluginError, PluginSettings, ScenarioAdjuster, v0_1,
};

/// A plugin, by what it is for.
#[derive(Clone)]
pub enum Plugin {
    /// Forecasts.
    ForecastModel(Arc<dyn ForecastModel>),
    /// Says what a forecast rests on.
    Explainer(Arc<dyn Explainer>),
    /// Applies a planner's assumptions to a forecast.
    ScenarioAdjuster(Arc<dyn ScenarioAdjuster>),
    /// Makes vectors of texts.
    EmbeddingProvider(Arc<dyn EmbeddingProvider>),
}

impl Plugin {
    /// What it says of itself.
    pub fn description(&self) -> &Description {
        match self {
            Self::ForecastModel(model) => model.description(),
            Self::Explainer(explainer) => explainer.description(),
            Self::ScenarioAdjuster(adjuster) => adjuster.description(),
            Self::EmbeddingProvider(provider) => provider.description(),
        }
    }
}

/// Opens one component under these settings, outside any catalogue. `key` is the name of its settings, for messages.
pub fn open(
    engine: &Engine,
    cache: Option<&CodeCache>,
    key: &str,
    bytes: &[u8],
    settings: &PluginSettings,
) -> Result<Plugin, PluginError> {
    let (digest, table) = (Digest::of(bytes), settings_table(key));
    let checked = plugin::compile(engine, cache, bytes, digest, settings, &table)?;
    adapt(engine, &checked, settings.limits.clone(), key, &table)
}

/// Links a component to what it imports and asks its description.
pub(crate) fn adapt(
    engine: &Engine,
    checked: &Checked,
    limits: Limits,
    key: &str,
    table: &str,
) -> Result<Plugin, PluginError> {
    Ok(match checked.kind {
        Kind::ForecastModel => {
            Plugin::ForecastModel(Arc::new(v0_1::Model::new(engine, checked, limits, key, table)?))
        }
        Kind::Explainer => {
            Plugin::Explainer(Arc::new(v0_1::Explaining::new(engine, checked, limits, key, table)?))
        }
        Kind::ScenarioAdjuster => {
            Plugin::ScenarioAdjuster(Arc::new(v0_1::Adjuster::new(engine, checked, limits, key, table)?))
        }
        Kind::EmbeddingProvider => {
            Plugin::EmbeddingProvider(Arc::new(v0_1::Embedder::new(engine, checked, limits, key, table)?))
        }
    })
}

/// The same, of a component that must be a forecast model.
pub fn open_forecast_model(
    engine: &Engine,
    cache: Option<&CodeCache>,
    key: &str,
    bytes: &[u8],
    settings: &PluginSettings,
) -> Result<Arc<dyn ForecastModel>, PluginError> {
    match open(engine, cache, key, bytes, settings)? {
        Plugin::ForecastModel(model) => Ok(model),
        other => Err(PluginError::Contract {
            needed: format!("a command for the kind `{}`", other.description().kind),
            offered: "this one for the kind `forecast-model`".to_owned(),
        }),
    }
}
