//! Smoke checks on a plugin that wants to serve.

use std::sync::Arc;
use std::time::{Duration, Instant};

use retailcast_runtime::{ForecastModel, PluginError};

use crate::{Level, Report, Verdict, forecast_model};

/// Runs the smoke checks on a loaded model, for at most this long. A check that fails refuses the plugin; checks that
/// had no turn in time do not, and are in the report: a slow machine is no fault of the plugin.
pub fn admit(model: &Arc<dyn ForecastModel>, budget: Duration) -> Result<Report, PluginError> {
    let description = model.description();
    let results = forecast_model::run(Arc::clone(model), Level::Smoke, Some(Instant::now() + budget));
    for result in &results {
        if let Verdict::Fail(failure) = &result.verdict {
            return Err(PluginError::Conformance {
                check: result.check,
                rule: result.rule,
                expected: failure.expected.clone(),
                found: failure.found.clone(),
            });
        }
    }
    Ok(Report::new(&description.name, description.digest, Some(description), Level::Smoke, results))
}
