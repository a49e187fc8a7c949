//! One call of a step: what an HTTP request would be, with an id of its own and a time limit.

use std::time::Duration;

use serde_json::{Map, Value};
use tracing::Instrument;

use crate::http::Problem;

/// Longest that one call may take.
const LIMIT: Duration = Duration::from_mins(2);

/// A step that ended well, or had nothing to do.
pub(super) struct Outcome {
    pub(super) status: super::wire::StepStatus,
    pub(super) detail: String,
    pub(super) data: Map<String, Value>,
}

/// A step that failed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) detail: String,
    pub(super) data: Map<String, Value>,
}

impl Failure {
    pub(super) fn new(detail: impl Into<String>) -> Self {
        Self { detail: detail.into(), data: Map::new() }
    }
}

/// Runs a call; what it refuses is told with the label of the step, as a client would see it.
pub(super) async fn call<T>(
    label: &str,
    work: impl AsyncFnOnce(&str) -> Result<T, Problem>,
) -> Result<T, Failure> {
    let request_id = uuid::Uuid::new_v4().to_string();
    let span = tracing::info_span!("demo", step = label, %request_id);
    match tokio::time::timeout(LIMIT, work(&request_id).instrument(span)).await {
        Ok(done) => done.map_err(|problem| Failure::new(told(label, &problem, &request_id))),
        Err(_) => Err(Failure::new(format!("{label}: no answer within {} s", LIMIT.as_secs()))),
    }
}

fn told(label: &str, problem: &Problem, request_id: &str) -> String {
    let body = problem.body(request_id);
    let member = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let status = &body["status"];
    // One line, whatever the sentence.
    let detail = member("detail").replace('\n', " ");
    format!("{label}: {status} {}: {detail} (request {request_id})", member("title"))
}

/// The members of a JSON object.
pub(super) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}
