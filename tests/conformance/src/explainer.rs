//! The checks of explainers. One module per group; each is a list of checks and their bodies.

mod answer;
mod laws;
mod refusals;
mod subject;

use std::sync::Arc;
use std::time::Instant;

use retailcast_runtime::{Explainer, Models};

use crate::check::{Check, Level};
use crate::report::CheckResult;
pub(crate) use subject::Subject;

/// All of them, in the order in which they run: what others build on comes first.
pub(crate) fn checks() -> impl Iterator<Item = &'static Check<Subject>> {
    [answer::CHECKS, laws::CHECKS, refusals::CHECKS].into_iter().flatten()
}

/// Runs the checks of this level on a loaded explainer, until the time is over.
pub(crate) fn run(
    explainer: Arc<dyn Explainer>,
    models: Models<'_>,
    level: Level,
    until: Option<Instant>,
) -> Vec<CheckResult> {
    let subject = Subject::new(explainer, models, until);
    checks().filter(|check| check.level <= level).map(|check| check.run(&subject, until)).collect()
}
