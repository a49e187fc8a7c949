//! Query and answers of `/registry`.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use super::compare::Comparison;
use super::run::{AgentContext, Alias, Run};
use super::run_body::{AgentContextBody, StatusName};
use super::service::{Listing, RunPage, Verification};
use super::status::Status;
use super::store::RUN_ORDERS;
use crate::http::query::{self, Paging, Query, Sorting};
use crate::http::{Number, Problem, Timestamp, fields};

/// Which runs.
#[derive(Debug, IntoParams)]
#[allow(dead_code, reason = "describes the query string, which is read value by value")]
#[into_params(parameter_in = Query)]
pub(super) struct RunsQuery {
    /// From 1; a page past the end is empty.
    #[param(minimum = 1, default = 1)]
    page: Option<i64>,
    /// Rows per page.
    #[param(minimum = 1, maximum = 100, default = 20)]
    page_size: Option<i64>,
    /// Exactly this model type.
    model_type: Option<String>,
    /// In this state.
    #[param(inline)]
    status: Option<StatusName>,
    /// Of this store.
    #[param(minimum = 1, maximum = 2_147_483_647)]
    store_id: Option<i32>,
    /// Of this product.
    #[param(minimum = 1, maximum = 2_147_483_647)]
    product_id: Option<i32>,
    /// `created_at`, `model_type`, `status`, `store_id` or `product_id`; anything else is the default order: the
    /// newest first.
    sort_by: Option<String>,
    /// `asc` or `desc`; only with `sort_by`.
    #[param(pattern = "^(asc|desc)$", default = "asc")]
    sort_order: Option<String>,
}

/// Reads the query of runs.
pub(super) fn read_runs(query: &Query) -> Result<Listing<'_>, Problem> {
    let mut fields = query.fields();
    let paging = Paging::read(&mut fields);
    let model_type = fields.optional("model_type", fields::text(0, usize::MAX));
    let status = fields.optional("status", query::one_of("enum", &Status::NAMES));
    let store_id = fields.optional("store_id", query::key);
    let product_id = fields.optional("product_id", query::key);
    let sorting = Sorting::read(&mut fields, RUN_ORDERS);
    let listing = (|| {
        Some(Listing {
            model_type: model_type?,
            status: status?,
            store_id: store_id?,
            product_id: product_id?,
            sorting: sorting?,
            paging: paging?,
        })
    })();
    fields.finish(listing)
}

/// A registered run.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RegistryRun, example = json!({
    "run_id": "7be0c1d2f3a44e5f8a9b0c1d2e3f4a5b", "status": "pending", "model_type": "seasonal_naive",
    "model_config": {"model_type": "seasonal_naive", "season_length": 7, "schema_version": "1.0"},
    "feature_config": null, "config_hash": "6ec32ecfa5b2a916",
    "data_window_start": "2025-01-01", "data_window_end": "2025-03-31", "store_id": 4, "product_id": 31,
    "metrics": null, "artifact_uri": null, "artifact_hash": null, "artifact_size_bytes": null,
    "runtime_info": {"retailcast_version": "0.1.0", "rustc_version": "1.95.0", "os": "linux", "arch": "x86_64",
        "host_version": "0.1.0", "engine": "wasmtime 48.0.2", "plugin_name": "seasonal_naive",
        "plugin_version": "0.1.0", "plugin_digest": "3f6c…", "contract_version": "0.1.0"},
    "agent_context": null, "git_sha": null, "error_message": null, "started_at": null, "completed_at": null,
    "created_at": "2025-04-01T07:00:00.120000Z", "updated_at": "2025-04-01T07:00:00.120000Z"}))]
pub struct RunBody {
    /// 32 hex digits.
    run_id: String,
    #[schema(value_type = StatusName)]
    status: &'static str,
    model_type: String,
    /// As submitted.
    #[schema(value_type = Object)]
    model_config: Map<String, Value>,
    /// As submitted.
    #[schema(value_type = Option<Object>)]
    feature_config: Option<Map<String, Value>>,
    /// Free-form hash of `model_config`; not the hash that training answers with.
    config_hash: String,
    data_window_start: NaiveDate,
    data_window_end: NaiveDate,
    store_id: i32,
    product_id: i32,
    #[schema(value_type = Option<Object>)]
    metrics: Option<Map<String, Value>>,
    /// Relative to `registry.artifact_root`.
    artifact_uri: Option<String>,
    /// SHA-256, lower-case hex.
    artifact_hash: Option<String>,
    artifact_size_bytes: Option<i64>,
    /// The server that registered the run: texts to show, not to parse.
    #[schema(value_type = Option<Object>)]
    runtime_info: Option<Map<String, Value>>,
    #[schema(value_type = Option<AgentContextBody>)]
    agent_context: Option<AgentContext>,
    git_sha: Option<String>,
    error_message: Option<String>,
    /// When it became running.
    started_at: Option<Timestamp>,
    /// When it succeeded or failed.
    completed_at: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
    /// When it was recorded with `runtime_info_extras`.
    #[serde(skip_serializing_if = "Option::is_none")]
    feature_frame_version: Option<Value>,
    /// When they were recorded with `runtime_info_extras`.
    #[serde(skip_serializing_if = "Option::is_none")]
    feature_groups: Option<Value>,
}

impl From<Run> for RunBody {
    fn from(run: Run) -> Self {
        let recorded = |name| run.runtime_info.as_ref().and_then(|info| info.get(name)).cloned();
        Self {
            feature_frame_version: recorded("feature_frame_version"),
            feature_groups: recorded("feature_groups"),
            run_id: run.run_id,
            status: run.status.name(),
            model_type: run.model_type,
            model_config: run.model_config,
            feature_config: run.feature_config,
            config_hash: run.config_hash,
            data_window_start: run.data_window_start,
            data_window_end: run.data_window_end,
            store_id: run.store_id,
            product_id: run.product_id,
            metrics: run.metrics,
            artifact_uri: run.artifact_uri,
            artifact_hash: run.artifact_hash,
            artifact_size_bytes: run.artifact_size_bytes,
            runtime_info: run.runtime_info,
            agent_context: run.agent_context,
            git_sha: run.git_sha,
            error_message: run.error_message,
            started_at: run.started_at.map(Timestamp),
            completed_at: run.completed_at.map(Timestamp),
            created_at: run.created_at.into(),
            updated_at: run.updated_at.into(),
        }
    }
}

/// A page of runs.
#[derive(Debug, Serialize, ToSchema)]
pub struct RunPageBody {
    runs: Vec<RunBody>,
    /// Runs of all pages.
    total: i64,
    page: i64,
    page_size: i64,
}

impl RunPageBody {
    /// Of a page.
    pub fn new(found: RunPage, paging: Paging) -> Self {
        Self {
            runs: found.runs.into_iter().map(RunBody::from).collect(),
            total: found.total,
            page: paging.page,
            page_size: paging.page_size,
        }
    }
}

/// What the artifact looks like now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"verified": true, "run_id": "7be0c1d2f3a44e5f8a9b0c1d2e3f4a5b",
    "artifact_uri": "models/model_0d9d3c0e6d0a.rcm",
    "stored_hash": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    "computed_hash": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}))]
pub(super) struct VerificationBody {
    /// Whether both hashes are equal.
    verified: bool,
    run_id: String,
    artifact_uri: String,
    /// As registered.
    stored_hash: String,
    /// Of the bytes as they are now.
    computed_hash: String,
    /// Only when the hashes differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl From<Verification> for VerificationBody {
    fn from(found: Verification) -> Self {
        let error = (!found.verified()).then(|| {
            format!(
                "artifact `{}` is not what was registered: expected SHA-256 {}, found {}",
                found.artifact_uri, found.stored_hash, found.computed_hash
            )
        });
        Self {
            verified: found.verified(),
            run_id: found.run_id,
            artifact_uri: found.artifact_uri,
            stored_hash: found.stored_hash,
            computed_hash: found.computed_hash,
            error,
        }
    }
}

/// A name of a run.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"alias_name": "production", "run_id": "7be0c1d2f3a44e5f8a9b0c1d2e3f4a5b",
    "run_status": "success", "model_type": "seasonal_naive", "description": "champion of the spring review",
    "created_at": "2025-04-01T07:00:00.120000Z", "updated_at": "2025-04-02T07:00:00Z"}))]
pub struct AliasAnswer {
    alias_name: String,
    /// 32 hex digits.
    run_id: String,
    /// Where the run stands now: `success`, or `archived` later.
    #[schema(value_type = StatusName)]
    run_status: &'static str,
    model_type: String,
    description: Option<String>,
    /// When the name was first given.
    created_at: Timestamp,
    /// When it was last given.
    updated_at: Timestamp,
}

impl From<Alias> for AliasAnswer {
    fn from(alias: Alias) -> Self {
        Self {
            alias_name: alias.alias_name,
            run_id: alias.run_id,
            run_status: alias.run_status.name(),
            model_type: alias.model_type,
            description: alias.description,
            created_at: alias.created_at.into(),
            updated_at: alias.updated_at.into(),
        }
    }
}

/// Two runs side by side.
#[derive(Debug, Serialize, ToSchema)]
pub struct ComparisonBody {
    run_a: RunBody,
    run_b: RunBody,
    /// Top-level keys of `model_config` whose values differ; a missing key counts as null.
    #[schema(example = json!({"season_length": {"a": 7, "b": 14}}))]
    config_diff: BTreeMap<String, ConfigPair>,
    /// Every top-level key of either `metrics`.
    #[schema(example = json!({"mae": {"a": 4.5, "b": 4.0, "diff": -0.5}, "note": {"a": null, "b": null, "diff": null}}))]
    metrics_diff: BTreeMap<String, MetricBody>,
    data_window_diff: WindowDiff,
}

/// A value of two configurations.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ConfigPair {
    a: Value,
    b: Value,
}

/// A metric of two runs; null when it is no number. True and false count as 1 and 0.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MetricBody {
    a: Option<Number>,
    b: Option<Number>,
    /// b - a.
    diff: Option<Number>,
}

/// The data that both were trained on.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WindowDiff {
    start: DatePair,
    end: DatePair,
    /// First and last day included.
    days: DayPair,
}

/// A day of both.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DatePair {
    a: NaiveDate,
    b: NaiveDate,
}

/// A number of days of both.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DayPair {
    a: i64,
    b: i64,
}

impl From<Comparison> for ComparisonBody {
    fn from(found: Comparison) -> Self {
        let Comparison { a, b, config, metrics } = found;
        let days = |run: &Run| (run.data_window_end - run.data_window_start).num_days() + 1;
        Self {
            config_diff: config.into_iter().map(|(key, (a, b))| (key, ConfigPair { a, b })).collect(),
            metrics_diff: metrics
                .into_iter()
                .map(|(key, pair)| {
                    let diff = pair.difference().map(Number);
                    (key, MetricBody { a: pair.a.map(Number), b: pair.b.map(Number), diff })
                })
                .collect(),
            data_window_diff: WindowDiff {
                start: DatePair { a: a.data_window_start, b: b.data_window_start },
                end: DatePair { a: a.data_window_end, b: b.data_window_end },
                days: DayPair { a: days(&a), b: days(&b) },
            },
            run_a: a.into(),
            run_b: b.into(),
        }
    }
}
