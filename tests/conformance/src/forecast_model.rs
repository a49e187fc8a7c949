//! The checks of forecast models. One module per group; each is a list of checks and their bodies.

mod flags;
mod hard_data;
pub mod history;
mod intervals;
mod lifecycle;
mod panel_laws;
mod partial_failure;
mod purity;
mod resources;
mod shape;
mod subject;

use std::sync::Arc;
use std::time::Instant;

use retailcast_runtime::ForecastModel;

use crate::check::{Check, Level};
use crate::report::CheckResult;
pub(crate) use subject::Subject;

/// All of them, in the order in which they run: what others build on comes first.
pub(crate) fn checks() -> impl Iterator<Item = &'static Check<Subject>> {
    let groups = [
        lifecycle::CHECKS,
        shape::CHECKS,
        intervals::CHECKS,
        flags::CHECKS,
        purity::CHECKS,
        panel_laws::CHECKS,
        hard_data::CHECKS,
        partial_failure::CHECKS,
        resources::CHECKS,
    ];
    groups.into_iter().flatten()
}

/// Runs the checks of this level on a loaded model, until the time is over.
pub(crate) fn run(model: Arc<dyn ForecastModel>, level: Level, until: Option<Instant>) -> Vec<CheckResult> {
    let subject = Subject::new(model, level, until);
    checks().filter(|check| check.level <= level).map(|check| check.run(&subject, until)).collect()
}
