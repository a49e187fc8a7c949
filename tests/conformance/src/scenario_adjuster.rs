//! The checks of scenario adjusters. One module per group; each is a list of checks and their bodies.

mod answer;
mod laws;
mod subject;

use std::sync::Arc;
use std::time::Instant;

use retailcast_runtime::ScenarioAdjuster;

use crate::check::{Check, Level};
use crate::report::CheckResult;
pub(crate) use subject::Subject;

/// All of them, in the order in which they run: what others build on comes first.
pub(crate) fn checks() -> impl Iterator<Item = &'static Check<Subject>> {
    [answer::CHECKS, laws::CHECKS].into_iter().flatten()
}

/// Runs the checks of this level on a loaded adjuster, until the time is over.
pub(crate) fn run(
    adjuster: Arc<dyn ScenarioAdjuster>,
    level: Level,
    until: Option<Instant>,
) -> Vec<CheckResult> {
    let subject = Subject::new(adjuster, until);
    checks().filter(|check| check.level <= level).map(|check| check.run(&subject, until)).collect()
}
