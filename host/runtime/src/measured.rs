//! Plugins that answer in one call, with every call counted. Forecast models have sessions: `serving.rs` counts theirs.

use std::sync::Arc;
use std::time::Instant;

use serde_json::{Map, Value};

use crate::embedding::{EmbeddingFailure, EmbeddingLimits, EmbeddingProvider, Purpose};
use crate::explain::{ExplainedModel, Explainer, Explanation, FittedModel, Signals, Subject};
use crate::open::Plugin;
use crate::scenario::{Adjusted, Assumptions, Baseline, ScenarioAdjuster};
use crate::stats::Stats;
use crate::{Call, Description, Phase, PluginError};

/// A plugin and its counters.
struct Measured<P: ?Sized> {
    plugin: Arc<P>,
    stats: Arc<Stats>,
}

impl<P: ?Sized> Measured<P> {
    fn new(plugin: Arc<P>, stats: &Arc<Stats>) -> Arc<Self> {
        Arc::new(Self { plugin, stats: Arc::clone(stats) })
    }

    fn measure<T>(
        &self,
        phase: Phase,
        call: impl FnOnce(&P) -> Result<T, PluginError>,
    ) -> Result<T, PluginError> {
        let started = Instant::now();
        let result = call(&self.plugin);
        self.stats.observe(phase, started, &result);
        result
    }
}

/// Counts the calls of a plugin that is no forecast model. Its configuration is the host's own, so that an operator's
/// defaults would have no effect: they are refused. `table` is its settings table.
pub(crate) fn measured(
    plugin: Plugin,
    defaults: &Map<String, Value>,
    table: &str,
) -> Result<(Plugin, Arc<Stats>), PluginError> {
    if !defaults.is_empty() {
        return Err(PluginError::Defaults {
            reason: format!("a plugin of the kind {} has none", plugin.description().kind),
            lines: format!("[{table}]\ndefaults = {{}}"),
        });
    }
    let stats = Arc::new(Stats::default());
    let plugin = match plugin {
        Plugin::Explainer(explainer) => Plugin::Explainer(Measured::new(explainer, &stats)),
        Plugin::ScenarioAdjuster(adjuster) => Plugin::ScenarioAdjuster(Measured::new(adjuster, &stats)),
        Plugin::EmbeddingProvider(provider) => Plugin::EmbeddingProvider(Measured::new(provider, &stats)),
        model @ Plugin::ForecastModel(_) => model,
    };
    Ok((plugin, stats))
}

impl Explainer for Measured<dyn Explainer> {
    fn description(&self) -> &Description {
        self.plugin.description()
    }

    fn describe(&self, call: &Call) -> Result<Description, PluginError> {
        self.measure(Phase::Describe, |plugin| plugin.describe(call))
    }

    fn models(&self) -> &[ExplainedModel] {
        self.plugin.models()
    }

    fn explain(
        &self,
        subject: &Subject,
        history: &[f64],
        signals: &Signals,
        fitted: Option<&FittedModel>,
        call: &Call,
    ) -> Result<Explanation, PluginError> {
        self.measure(Phase::Explain, |plugin| plugin.explain(subject, history, signals, fitted, call))
    }
}

impl ScenarioAdjuster for Measured<dyn ScenarioAdjuster> {
    fn description(&self) -> &Description {
        self.plugin.description()
    }

    fn describe(&self, call: &Call) -> Result<Description, PluginError> {
        self.measure(Phase::Describe, |plugin| plugin.describe(call))
    }

    fn adjust(
        &self,
        assumptions: &Assumptions,
        baseline: &Baseline,
        call: &Call,
    ) -> Result<Adjusted, PluginError> {
        self.measure(Phase::Adjust, |plugin| plugin.adjust(assumptions, baseline, call))
    }
}

impl EmbeddingProvider for Measured<dyn EmbeddingProvider> {
    fn description(&self) -> &Description {
        self.plugin.description()
    }

    fn describe(&self, call: &Call) -> Result<Description, PluginError> {
        self.measure(Phase::Describe, |plugin| plugin.describe(call))
    }

    fn limits(&self, config: &str, call: &Call) -> Result<EmbeddingLimits, PluginError> {
        self.measure(Phase::Needs, |plugin| plugin.limits(config, call))
    }

    fn embed(
        &self,
        config: &str,
        purpose: Purpose,
        texts: &[String],
        dimension: usize,
        call: &Call,
    ) -> Result<Result<Vec<Vec<f32>>, EmbeddingFailure>, PluginError> {
        self.measure(Phase::Embed, |plugin| plugin.embed(config, purpose, texts, dimension, call))
    }
}
