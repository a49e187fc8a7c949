//! The last two steps: an agent is asked for the latest runs, and its session is closed. A step that asks never fails: a
//! model that cannot be had is skipped.

use std::sync::Arc;

use serde_json::{Map, json};

use super::call::{Outcome, call};
use super::data::{pass, skip};
use super::pipeline::Facts;
use super::wire::StepStatus;
use crate::ai::Provider;
use crate::http::Problem;
use crate::slices::agents::AgentType;

const QUESTION: &str = "List the latest model runs and say which one has the lowest WAPE.";

pub(super) async fn ask(facts: &mut Facts) -> Outcome {
    let app = Arc::clone(&facts.app);
    let settings = app.ai.current();
    let model = &settings.agent.default_model;
    let present = match model.provider {
        Provider::Ollama => app.ai_config.ollama_models(&settings).await.is_ok(),
        provider => settings.providers.usable(provider),
    };
    if !present {
        return skip(format!("{model} cannot be asked: no key is configured, or Ollama does not answer"));
    }
    let opened =
        call("agent", async |_| app.agents.create(AgentType::Experiment, None).await.map_err(Problem::from));
    let session = match opened.await {
        Ok(session) => session,
        Err(failure) => return skip(failure.detail),
    };
    // Remembered for the last step, whatever the model says.
    facts.session_id = Some(session.session_id.clone());
    let asked = call("agent", async |id| {
        app.agents.chat(&session.session_id, QUESTION, id, None).await.map_err(Problem::from)
    });
    match asked.await {
        Ok(answer) => {
            let (tokens, calls) = (answer.tokens, answer.calls.len());
            pass(
                format!("{model} answered with {tokens} tokens and {calls} tool calls"),
                json!({"tokens_used": tokens, "tool_calls_count": calls}),
            )
        }
        Err(failure) => skip(failure.detail),
    }
}

pub(super) async fn clean_up(facts: &Facts) -> Outcome {
    let Some(session_id) = &facts.session_id else { return skip("no session was opened") };
    let app = Arc::clone(&facts.app);
    match call("cleanup", async |_| app.agents.close(session_id).await.map_err(Problem::from)).await {
        Ok(()) => pass("the agent's session is closed".to_owned(), json!({})),
        Err(failure) => Outcome { status: StepStatus::Warn, detail: failure.detail, data: Map::new() },
    }
}
