//! The checks of a plugin, by what it is for.

use std::sync::Arc;
use std::time::Instant;

use retailcast_runtime::{ForecastModel, Kind, Models, Plugin};

use crate::check::{About, Check, Level};
use crate::report::CheckResult;
use crate::{embedding_provider, explainer, forecast_model, scenario_adjuster};

/// No model is loaded beside the plugin: what an explainer says is compared with nothing.
pub fn no_models(_: &str) -> Option<Arc<dyn ForecastModel>> {
    None
}

/// All kinds.
pub(crate) const ALL: [Kind; 4] =
    [Kind::ForecastModel, Kind::Explainer, Kind::ScenarioAdjuster, Kind::EmbeddingProvider];

/// What is said of the checks of a kind.
pub(crate) fn abouts(kind: Kind) -> Vec<About> {
    match kind {
        Kind::ForecastModel => forecast_model::checks().map(Check::about).collect(),
        Kind::Explainer => explainer::checks().map(Check::about).collect(),
        Kind::ScenarioAdjuster => scenario_adjuster::checks().map(Check::about).collect(),
        Kind::EmbeddingProvider => embedding_provider::checks().map(Check::about).collect(),
    }
}

/// Runs the checks of this level on a loaded plugin, until the time is over.
pub(crate) fn run(
    plugin: &Plugin,
    models: Models<'_>,
    level: Level,
    until: Option<Instant>,
) -> Vec<CheckResult> {
    match plugin {
        Plugin::ForecastModel(model) => forecast_model::run(Arc::clone(model), level, until),
        Plugin::Explainer(explainer) => explainer::run(Arc::clone(explainer), models, level, until),
        Plugin::ScenarioAdjuster(adjuster) => scenario_adjuster::run(Arc::clone(adjuster), level, until),
        Plugin::EmbeddingProvider(provider) => embedding_provider::run(Arc::clone(provider), level, until),
    }
}
