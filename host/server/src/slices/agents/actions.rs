//! What agents change, after a human has approved it or where the operator wants no approval.

use serde_json::{Map, Value, json};

use super::tools::{Toolbox, words};
use crate::http::Problem;
use crate::slices::{registry, scenarios};

/// An action that failed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ActionFailure {
    /// For people.
    pub(super) text: String,
    /// The kind, for programs.
    pub(super) kind: &'static str,
}

impl Toolbox {
    /// Runs an action with exactly these arguments. The session is the server's own word, whatever the arguments say.
    pub(super) async fn act(
        &self,
        action: &str,
        arguments: &Map<String, Value>,
        session_id: &str,
        request_id: &str,
    ) -> Result<Value, ActionFailure> {
        let text = |name: &str| arguments.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        match action {
            "create_alias" => {
                let alias = registry::read_alias(arguments).map_err(invalid)?;
                let made = self.services.registry.set_alias(&alias).await;
                made.map(|alias| json!(registry::AliasAnswer::from(alias)))
                    .map_err(|e| failed(&registry::problem(e)))
            }
            "archive_run" => {
                let patch = registry::RunPatch {
                    status: Some(registry::Status::Archived),
                    ..registry::RunPatch::default()
                };
                let archived = self.services.registry.patch(&text("run_id"), &patch).await;
                archived
                    .map(|run| json!(registry::RunBody::from(run)))
                    .map_err(|e| failed(&registry::problem(e)))
            }
            "save_scenario" => {
                let service = &self.services.scenarios;
                let plan = scenarios::read_create(arguments, service.max_horizon()).map_err(invalid)?;
                let saved = service.save(plan, session_id, request_id).await;
                saved
                    .map(|plan| json!(scenarios::PlanBody::from(plan)))
                    .map_err(|e| failed(&scenarios::problem(e)))
            }
            other => {
                Err(ActionFailure { text: format!("there is no action `{other}`"), kind: "unknown_action" })
            }
        }
    }
}

fn invalid(errors: Vec<retailcast_core::config_schema::FieldError>) -> ActionFailure {
    ActionFailure { text: words(&errors), kind: "validation_error" }
}

fn failed(problem: &Problem) -> ActionFailure {
    let body = problem.body("");
    let kind = match body["status"].as_u64() {
        Some(404) => "not_found",
        Some(status) if status < 500 => "bad_request",
        _ => "internal_error",
    };
    ActionFailure { text: body["detail"].as_str().unwrap_or_default().to_owned(), kind }
}
