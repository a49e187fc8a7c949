//! JSON shapes of `/jobs`.

use retailcast_core::config_schema::FieldError;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use crate::http::fields::{self, Fields};
use crate::http::query::{Paging, Sorting, one_of};
use crate::http::{Problem, Query, Timestamp};
use crate::jobs::{Job, JobStatus, JobType, Listing, NewJob, Order};

/// Furthest priority from 0.
const PRIORITY: i64 = 1_000;
/// Longest deadline, in seconds: 30 days.
const LONGEST: i64 = 2_592_000;

/// A job to submit. Unknown members are ignored.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes the body, which is read field by field")]
#[schema(example = json!({"job_type": "backtest", "params": {"model_type": "seasonal_naive", "store_id": 4,
    "product_id": 31, "start_date": "2025-01-01", "end_date": "2025-03-31", "n_splits": 2, "test_size": 7}}))]
pub(super) struct JobBody {
    /// `train`, `predict`, `backtest`, `portfolio_forecast` or `portfolio_backtest`.
    #[schema(pattern = "^(train|predict|backtest|portfolio_forecast|portfolio_backtest)$")]
    job_type: String,
    /// What the type needs; it is checked when the job runs, and a job with wrong parameters fails.
    ///
    /// `train` and `backtest`: `store_id`, `product_id`, `start_date`, `end_date`, `model_type` (`naive`) and the parameters of
    /// the model; `backtest` also `n_splits` (5), `test_size` (14), `gap` (0). `predict`: `run_id`, `horizon` (14).
    /// `portfolio_forecast`: `config`, `horizon`, `end_date`, `stores`, `skus`, `categories`. `portfolio_backtest`: the body
    /// of `POST /backtesting/portfolio`.
    params: Map<String, Value>,
    /// Jobs of a larger priority run first, those of one priority by age.
    #[schema(required = false, default = 0, minimum = -1000, maximum = 1000)]
    priority: i16,
    /// Seconds from now: a job that is not finished by then fails with `DeadlineExceeded`. None without it.
    #[schema(minimum = 1, maximum = 2_592_000)]
    deadline_seconds: Option<i32>,
}

/// Reads the body.
pub(super) fn read(body: &Map<String, Value>) -> Result<NewJob, Vec<FieldError>> {
    let mut fields = Fields::of(body);
    let job_type = fields.required("job_type", one_of("enum", &JobType::NAMES));
    let params = fields.required("params", fields::storable);
    let priority = fields.nullable("priority", fields::lax_int(-PRIORITY, PRIORITY));
    let deadline = fields.nullable("deadline_seconds", fields::lax_int(1, LONGEST));
    let new = (|| {
        Some(NewJob {
            job_type: job_type?,
            params: Value::Object(params?),
            priority: priority.and_then(|priority| i16::try_from(priority).ok()).unwrap_or(0),
            deadline_seconds: deadline.and_then(|seconds| i32::try_from(seconds).ok()),
        })
    })();
    fields.finish(new)
}

/// A job.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = Job, example = json!({
    "job_id": "c4d0a91b6f2e4b7f9e5d3c2b1a098765", "job_type": "backtest", "status": "completed",
    "params": {"model_type": "seasonal_naive", "store_id": 4, "product_id": 31, "start_date": "2025-01-01",
               "end_date": "2025-03-31", "n_splits": 2, "test_size": 7},
    "result": {"backtest_id": "1d2c3b4a59687f0e", "model_type": "seasonal_naive", "n_splits": 2,
        "aggregated_metrics": {"mae_mean": 2.5, "smape_mean": 22.0, "wape_mean": 20.0, "bias_mean": 0.0, "stability_index": 10.0},
        "fold_metrics": [{"fold": 1, "mae": 2.0, "smape": 20.0, "wape": 18.0, "bias": 0.5},
                         {"fold": 2, "mae": 3.0, "smape": 24.0, "wape": 22.0, "bias": -0.5}],
        "baseline_comparison": {"naive": {"mae": 4.0, "improvement_pct": 37.5},
                                "seasonal_naive": {"mae": 2.5, "improvement_pct": 0.0}},
        "duration_ms": 7.7},
    "error_message": null, "error_type": null, "run_id": null,
    "started_at": "2025-04-01T07:10:00.010000Z", "completed_at": "2025-04-01T07:10:00.021000Z",
    "created_at": "2025-04-01T07:10:00.005000Z", "updated_at": "2025-04-01T07:10:00.021000Z",
    "priority": 0, "deadline_at": null, "cancel_requested_at": null, "attempts": 1, "progress": 1.0,
    "progress_message": null, "queue_ms": 5.0}))]
pub(super) struct JobResult {
    /// 32 hex digits.
    job_id: String,
    /// What it does.
    job_type: String,
    /// `pending`, `running`, `completed`, `failed` or `cancelled`.
    status: String,
    /// As submitted.
    #[schema(value_type = Object)]
    params: Value,
    /// Set when `completed`; its shape depends on the type.
    #[schema(required, value_type = Option<Object>)]
    result: Option<Value>,
    /// Set when `failed`: what was refused or what failed.
    #[schema(required)]
    error_message: Option<String>,
    /// Set when `failed`: `KeyError`, `TypeError`, `ValueError`, `ValidationError`, `FileNotFoundError`, `DatabaseError`,
    /// `InternalError`, `Interrupted` or `DeadlineExceeded`.
    #[schema(required)]
    error_type: Option<String>,
    /// Of a completed training: what a predict job takes as `run_id`.
    #[schema(required)]
    run_id: Option<String>,
    /// When a worker began it first.
    #[schema(required)]
    started_at: Option<Timestamp>,
    /// When it got its final status.
    #[schema(required)]
    completed_at: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
    /// Larger first.
    priority: i16,
    /// Not finished by then: failed.
    #[schema(required)]
    deadline_at: Option<Timestamp>,
    /// When it was asked to stop while it ran; `cancelled` as soon as its worker has stopped.
    #[schema(required)]
    cancel_requested_at: Option<Timestamp>,
    /// Tries so far; more than one when a worker was lost or a fault passed.
    attempts: i32,
    /// 0 to 1.
    progress: f64,
    /// What it does, or why it is tried again.
    #[schema(required)]
    progress_message: Option<String>,
    /// Milliseconds from submission to the first try.
    #[schema(required)]
    queue_ms: Option<f64>,
}

impl From<Job> for JobResult {
    fn from(job: Job) -> Self {
        let queue_ms = job.started_at.map(|started| (started - job.created_at).as_seconds_f64() * 1e3);
        Self {
            job_id: job.job_id,
            job_type: job.job_type,
            status: job.status,
            params: job.params,
            result: job.result,
            error_message: job.error_message,
            error_type: job.error_type,
            run_id: job.run_id,
            started_at: job.started_at.map(Timestamp),
            completed_at: job.completed_at.map(Timestamp),
            created_at: Timestamp(job.created_at),
            updated_at: Timestamp(job.updated_at),
            priority: job.priority,
            deadline_at: job.deadline_at.map(Timestamp),
            cancel_requested_at: job.cancel_requested_at.map(Timestamp),
            attempts: job.attempts,
            progress: job.progress,
            progress_message: job.progress_message,
            queue_ms,
        }
    }
}

/// Which jobs.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "describes the query, which is read value by value")]
pub(super) struct JobsQuery {
    /// From 1.
    #[param(default = 1, minimum = 1)]
    page: Option<i64>,
    #[param(default = 20, minimum = 1, maximum = 100)]
    page_size: Option<i64>,
    /// `train`, `predict`, `backtest`, `portfolio_forecast` or `portfolio_backtest`.
    #[param(pattern = "^(train|predict|backtest|portfolio_forecast|portfolio_backtest)$")]
    job_type: Option<String>,
    /// `pending`, `running`, `completed`, `failed` or `cancelled`.
    #[param(pattern = "^(pending|running|completed|failed|cancelled)$")]
    status: Option<String>,
    /// `created_at`, `completed_at`, `job_type` or `status`; anything else: newest first.
    sort_by: Option<String>,
    /// `asc` or `desc`; only with `sort_by`.
    #[param(default = "asc", pattern = "^(asc|desc)$")]
    sort_order: Option<String>,
}

/// Reads the query.
pub(super) fn read_listing(query: &Query) -> Result<Listing, Problem> {
    let mut fields = query.fields();
    let paging = Paging::read(&mut fields);
    let job_type = fields.optional("job_type", one_of("enum", &JobType::NAMES));
    let status = fields.optional("status", one_of("enum", &JobStatus::NAMES));
    let sorting = Sorting::read(&mut fields, &Order::ALL);
    let listing =
        (|| Some(Listing { job_type: job_type?, status: status?, paging: paging?, sorting: sorting? }))();
    fields.finish(listing)
}

/// A page of jobs.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct JobPage {
    jobs: Vec<JobResult>,
    /// All that fit.
    total: i64,
    page: i64,
    page_size: i64,
}

impl JobPage {
    pub(super) fn new(jobs: Vec<Job>, total: i64, paging: Paging) -> Self {
        let jobs = jobs.into_iter().map(JobResult::from).collect();
        Self { jobs, total, page: paging.page, page_size: paging.page_size }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refused(body: &Value) -> Vec<(String, &'static str)> {
        let errors = read(body.as_object().unwrap()).unwrap_err();
        errors.into_iter().map(|error| (error.field, error.kind)).collect()
    }

    #[test]
    fn only_the_envelope_is_checked() {
        let new =
            read(json!({"job_type": "train", "params": {"x": [1]}, "else": 1}).as_object().unwrap()).unwrap();
        assert_eq!((new.job_type, new.priority, new.deadline_seconds), (JobType::Train, 0, None));
        for (body, expected) in [
            (json!({}), vec![("job_type", "missing"), ("params", "missing")]),
            (json!({"job_type": "fly", "params": []}), vec![("job_type", "enum"), ("params", "dict_type")]),
            (json!({"job_type": 1, "params": null}), vec![("job_type", "enum"), ("params", "dict_type")]),
            (json!({"job_type": "train", "params": {"a": ["\u{0}"]}}), vec![("params", "value_error")]),
            (
                json!({"job_type": "train", "params": {}, "priority": 1001, "deadline_seconds": 0}),
                vec![("priority", "less_than_equal"), ("deadline_seconds", "greater_than_equal")],
            ),
        ] {
            let expected: Vec<_> =
                expected.into_iter().map(|(field, kind)| (field.to_owned(), kind)).collect();
            assert_eq!(refused(&body), expected, "{body}");
        }
    }
}
