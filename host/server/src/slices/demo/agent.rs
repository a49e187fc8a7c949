//! The last two steps: an agent is asked for the latest runs, and its session is closed.

use super::call::Outcome;
use super::data::skip;
use super::pipeline::Facts;

/// Skips when no key for the agents' model is configured. The agents themselves are not part of this server yet.
pub(super) fn ask(facts: &Facts) -> Outcome {
    let settings = facts.app.ai.current();
    let model = &settings.agent.default_model;
    if settings.providers.usable(model.provider) {
        return skip(format!("no session could be made for {model}"));
    }
    skip(format!("no key for {model} is configured, so no agent is asked"))
}

pub(super) fn clean_up() -> Outcome {
    skip("no session was opened")
}
