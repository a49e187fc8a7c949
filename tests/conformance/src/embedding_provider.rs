//! The checks of embedding providers. One module per group; each is a list of checks and their bodies.

mod answer;
mod laws;
mod subject;

use std::sync::Arc;
use std::time::Instant;

use retailcast_runtime::EmbeddingProvider;

use crate::check::{Check, Level};
use crate::report::CheckResult;
pub(crate) use subject::Subject;

/// All of them, in the order in which they run: what others build on comes first.
pub(crate) fn checks() -> impl Iterator<Item = &'static Check<Subject>> {
    [answer::CHECKS, laws::CHECKS].into_iter().flatten()
}

/// Runs the checks of this level on a loaded provider, until the time is over.
pub(crate) fn run(
    provider: Arc<dyn EmbeddingProvider>,
    level: Level,
    until: Option<Instant>,
) -> Vec<CheckResult> {
    let subject = Subject::new(provider, until);
    checks().filter(|check| check.level <= level).map(|check| check.run(&subject, until)).collect()
}
