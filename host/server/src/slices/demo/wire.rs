//! The shapes of `/demo/*`.

use retailcast_core::config_schema::FieldError;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::pipeline::{STEPS, Summary};
use crate::http::Timestamp;
use crate::http::fields::{self, Fields};

/// What to do.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes the body, which is read field by field")]
#[schema(example = json!({"seed": 42, "reset": false, "skip_seed": false}))]
pub(super) struct DemoRunRequest {
    /// Seed of the generated data.
    #[schema(required = false, default = 42, minimum = 0)]
    seed: i64,
    /// Deletes all data first.
    #[schema(required = false, default = false)]
    reset: bool,
    /// Takes the data that is there.
    #[schema(required = false, default = true)]
    skip_seed: bool,
}

/// A request that fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DemoRequest {
    /// Seed of the generated data.
    pub seed: i64,
    /// Deletes all data first.
    pub reset: bool,
    /// Takes the data that is there.
    pub skip_seed: bool,
}

/// Reads the body of a run, or its first frame. Unknown members are ignored.
pub(super) fn read(body: &Map<String, Value>) -> Result<DemoRequest, Vec<FieldError>> {
    let mut fields = Fields::of(body);
    let seed = fields.optional("seed", fields::strict_int(0, i64::MAX)).unwrap_or(42);
    let reset = fields.optional("reset", fields::strict_flag).unwrap_or(false);
    let skip_seed = fields.optional("skip_seed", fields::strict_flag).unwrap_or(true);
    fields.finish(Some(DemoRequest { seed, reset, skip_seed }))
}

/// How a step went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum StepStatus {
    /// As it should.
    Pass,
    /// Not; no further step begins.
    Fail,
    /// There was nothing to do.
    Skip,
    /// Not quite; the run goes on.
    Warn,
}

impl StepStatus {
    /// As it is written.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Skip => "skip",
            Self::Warn => "warn",
        }
    }
}

/// What a frame tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum EventType {
    /// A step begins.
    StepStart,
    /// A step has ended.
    StepComplete,
    /// The run has ended.
    PipelineComplete,
    /// There is no run.
    Error,
}

/// A frame.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct StepEvent {
    /// What it tells.
    pub(super) event_type: EventType,
    /// The step; `summary` at the end, `pipeline` in an error.
    pub(super) step_name: &'static str,
    /// From 1; 0 in an error.
    pub(super) step_index: usize,
    /// Steps of a run; 0 in an error.
    pub(super) total_steps: usize,
    /// Null when a step begins.
    #[schema(required)]
    pub(super) status: Option<StepStatus>,
    /// One line for people.
    pub(super) detail: String,
    /// What the step took.
    pub(super) duration_ms: f64,
    /// What it found.
    #[schema(value_type = Object)]
    pub(super) data: Map<String, Value>,
    /// When the frame was made.
    pub(super) timestamp: Timestamp,
}

impl StepEvent {
    /// The frame of a connection that gets no run.
    pub(super) fn error(detail: impl Into<String>) -> Self {
        Self {
            event_type: EventType::Error,
            step_name: "pipeline",
            step_index: 0,
            total_steps: 0,
            status: Some(StepStatus::Fail),
            detail: detail.into(),
            duration_ms: 0.0,
            data: Map::new(),
            timestamp: Timestamp(chrono::Utc::now()),
        }
    }

    /// The last frame of a run.
    pub(super) fn summary(summary: &Summary) -> Self {
        let winner = summary.winner_model_type.unwrap_or("n/a");
        let (models, seconds) = (summary.models, summary.wall_clock_s.round());
        Self {
            event_type: EventType::PipelineComplete,
            step_name: "summary",
            step_index: STEPS.len(),
            total_steps: STEPS.len(),
            status: Some(if summary.failed { StepStatus::Fail } else { StepStatus::Pass }),
            detail: format!("{models} models, winner {winner}, {seconds} s"),
            duration_ms: 0.0,
            data: summary.data(),
            timestamp: Timestamp(chrono::Utc::now()),
        }
    }
}

/// A whole run.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"overall_status": "pass", "steps": [
    {"event_type": "step_complete", "step_name": "precheck", "step_index": 1, "total_steps": 11, "status": "pass",
     "detail": "health is ok", "duration_ms": 0.1, "data": {}, "timestamp": "2026-03-15T08:30:00.001000Z"}],
    "winner_model_type": "seasonal_naive", "winner_wape": 18.42,
    "winning_run_id": "4c1f0e2d3b4a5968778695a4b3c2d1e0", "alias": "demo-production", "wall_clock_s": 0.3}))]
pub(super) struct DemoRunResult {
    /// `fail` when a step failed, else `pass`.
    overall_status: StepStatus,
    /// The `step_complete` frames.
    steps: Vec<StepEvent>,
    /// The model with the lowest WAPE.
    #[schema(required)]
    winner_model_type: Option<&'static str>,
    /// In percent.
    #[schema(required)]
    winner_wape: Option<f64>,
    /// The run of the registry.
    #[schema(required)]
    winning_run_id: Option<String>,
    /// `demo-production` once it points to the winning run.
    #[schema(required)]
    alias: Option<&'static str>,
    /// Of the whole run.
    wall_clock_s: f64,
}

impl DemoRunResult {
    pub(super) fn new(steps: Vec<StepEvent>, summary: Summary) -> Self {
        Self {
            overall_status: if summary.failed { StepStatus::Fail } else { StepStatus::Pass },
            steps,
            winner_model_type: summary.winner_model_type,
            winner_wape: summary.winner_wape,
            winning_run_id: summary.winning_run_id,
            alias: summary.alias,
            wall_clock_s: summary.wall_clock_s,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read_json(body: &Value) -> Result<DemoRequest, Vec<String>> {
        read(body.as_object().unwrap()).map_err(|errors| errors.into_iter().map(|e| e.field).collect())
    }

    #[test]
    fn an_empty_object_is_a_request_and_unknown_members_are_ignored() {
        let usual = DemoRequest { seed: 42, reset: false, skip_seed: true };
        assert_eq!(read_json(&json!({})), Ok(usual));
        assert_eq!(read_json(&json!({"scenario": 7})), Ok(usual));
        assert_eq!(
            read_json(&json!({"seed": 0, "reset": true, "skip_seed": false})),
            Ok(DemoRequest { seed: 0, reset: true, skip_seed: false })
        );
    }

    #[test]
    fn types_are_strict() {
        for (body, field) in [
            (json!({"seed": "42"}), "seed"),
            (json!({"seed": -1}), "seed"),
            (json!({"seed": true}), "seed"),
            (json!({"seed": null}), "seed"),
            (json!({"reset": 1}), "reset"),
            (json!({"skip_seed": "true"}), "skip_seed"),
        ] {
            assert_eq!(read_json(&body), Err(vec![field.to_owned()]), "{body}");
        }
    }
}
