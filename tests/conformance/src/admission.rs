//! Smoke checks on a plugin that wants to serve.

use std::time::{Duration, Instant};

use retailcast_runtime::{Models, Plugin, PluginError};

use crate::{Level, Report, Verdict, kind};

/// Runs the smoke checks on a loaded plugin, for at most this long. A check that fails refuses the plugin; checks that
/// had no turn in time do not, and are in the report: a slow machine is no fault of the plugin.
pub fn admit(plugin: &Plugin, models: Models<'_>, budget: Duration) -> Result<Report, PluginError> {
    let description = plugin.description();
    let results = kind::run(plugin, models, Level::Smoke, Some(Instant::now() + budget));
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
