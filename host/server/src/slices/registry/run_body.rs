//! The bodies of `POST /registry/runs`, `PATCH /registry/runs/{run_id}` and `POST /registry/aliases`.

use chrono::NaiveDate;
use retailcast_core::config_schema::FieldError;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::run::{AgentContext, NewAlias, NewRun, RunPatch};
use super::service::is_alias_name;
use super::status::Status;
use crate::http::fields::{self, Fields, Reading};
use crate::http::query::one_of;

/// A run to register.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes the body, which is read field by field")]
#[schema(example = json!({"model_type": "seasonal_naive",
    "model_config": {"model_type": "seasonal_naive", "season_length": 7, "schema_version": "1.0"},
    "data_window_start": "2025-01-01", "data_window_end": "2025-03-31", "store_id": 4, "product_id": 31}))]
pub(super) struct CreateBody {
    /// Any text; it need not be a loaded model.
    #[schema(min_length = 1, max_length = 50)]
    model_type: String,
    /// Kept as it is; the key `model_config_data` is taken too.
    #[schema(value_type = Object)]
    model_config: Map<String, Value>,
    #[schema(value_type = Option<Object>)]
    feature_config: Option<Map<String, Value>>,
    data_window_start: NaiveDate,
    /// Not before `data_window_start`.
    data_window_end: NaiveDate,
    /// Need not exist.
    #[schema(minimum = 1, maximum = 2_147_483_647)]
    store_id: i32,
    /// Need not exist.
    #[schema(minimum = 1, maximum = 2_147_483_647)]
    product_id: i32,
    agent_context: Option<AgentContextBody>,
    #[schema(max_length = 40)]
    git_sha: Option<String>,
    /// Merged over `runtime_info`. `feature_frame_version` and `feature_groups` are read back as fields of the run.
    #[schema(value_type = Option<Object>)]
    runtime_info_extras: Option<Map<String, Value>>,
}

/// Whom an agent worked for.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes the body, which is read field by field")]
pub(super) struct AgentContextBody {
    agent_id: Option<String>,
    session_id: Option<String>,
}

/// What changes. Absent and null both leave a field as it is; nothing can be cleared.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes the body, which is read field by field")]
#[schema(example = json!({"status": "success", "metrics": {"mae": 4.5, "wape": 0.21},
    "artifact_uri": "models/model_0d9d3c0e6d0a.rcm",
    "artifact_hash": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "artifact_size_bytes": 48213}))]
pub(super) struct PatchBody {
    /// The next state: `pending` → `running` → `success` or `failed`; everything may become `archived`.
    #[schema(value_type = Option<StatusName>)]
    status: Option<String>,
    /// Replaces all of them.
    #[schema(value_type = Option<Object>)]
    metrics: Option<Map<String, Value>>,
    /// Relative to `registry.artifact_root`.
    #[schema(max_length = 500)]
    artifact_uri: Option<String>,
    /// SHA-256 in hex; kept in lower case.
    #[schema(pattern = "^[0-9a-fA-F]{64}$")]
    artifact_hash: Option<String>,
    #[schema(minimum = 0)]
    artifact_size_bytes: Option<i64>,
    #[schema(max_length = 2000)]
    error_message: Option<String>,
}

/// Where a run stands.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes a text")]
#[schema(rename_all = "lowercase")]
pub(super) enum StatusName {
    Pending,
    Running,
    Success,
    Failed,
    Archived,
}

/// A name to give.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes the body, which is read field by field")]
#[schema(example = json!({"alias_name": "production", "run_id": "7be0c1d2f3a44e5f8a9b0c1d2e3f4a5b",
    "description": "champion of the spring review"}))]
pub(super) struct AliasBody {
    #[schema(min_length = 1, max_length = 100, pattern = r"^[a-z0-9][a-z0-9\-_]*$")]
    alias_name: String,
    /// A run in status `success`.
    run_id: String,
    #[schema(max_length = 500)]
    description: Option<String>,
}

/// Reads the body of a creation.
pub(super) fn read_create(body: &Map<String, Value>) -> Result<NewRun, Vec<FieldError>> {
    let mut fields = Fields::of(body);
    let model_type = fields.required("model_type", fields::text(1, 50));
    // The synonym counts when the name itself is absent.
    let synonym = !body.contains_key("model_config") && body.contains_key("model_config_data");
    let config_name = if synonym { "model_config_data" } else { "model_config" };
    let model_config = fields.required(config_name, fields::storable);
    let feature_config = fields.nullable("feature_config", fields::storable);
    let start = fields.required("data_window_start", fields::date);
    let end = fields.required("data_window_end", fields::date);
    if let (Some(start), Some(end)) = (start, end)
        && end < start
    {
        fields.refuse("data_window_end", format!("must not be before data_window_start {start}, got {end}"));
    }
    let store_id = fields.required("store_id", lax_key);
    let product_id = fields.required("product_id", lax_key);
    let agent_context = fields.nullable_nested("agent_context", read_agent_context);
    let git_sha = fields.nullable("git_sha", fields::text(0, 40));
    let runtime_info_extras = fields.nullable("runtime_info_extras", fields::storable);
    fields.forbid_others(&[
        "model_type",
        config_name,
        "feature_config",
        "data_window_start",
        "data_window_end",
        "store_id",
        "product_id",
        "agent_context",
        "git_sha",
        "runtime_info_extras",
    ]);
    let made = (|| {
        Some(NewRun {
            model_type: model_type?.to_owned(),
            model_config: model_config?,
            feature_config,
            data_window_start: start?,
            data_window_end: end?,
            store_id: store_id?,
            product_id: product_id?,
            agent_context,
            git_sha: git_sha.map(str::to_owned),
            runtime_info_extras,
        })
    })();
    fields.finish(made)
}

fn read_agent_context(value: &Value) -> Result<AgentContext, Vec<FieldError>> {
    let mut fields = Fields::inside("agent_context", value)?;
    let agent_id = fields.nullable("agent_id", fields::text(0, usize::MAX)).map(str::to_owned);
    let session_id = fields.nullable("session_id", fields::text(0, usize::MAX)).map(str::to_owned);
    fields.forbid_others(&["agent_id", "session_id"]);
    fields.finish(Some(AgentContext { agent_id, session_id }))
}

/// Reads the body of a change.
pub(super) fn read_patch(body: &Map<String, Value>) -> Result<RunPatch, Vec<FieldError>> {
    let mut fields = Fields::of(body);
    let patch = RunPatch {
        status: fields.nullable("status", one_of("enum", &Status::NAMES)),
        metrics: fields.nullable("metrics", fields::storable),
        artifact_uri: fields.nullable("artifact_uri", fields::text(0, 500)).map(str::to_owned),
        artifact_hash: fields.nullable("artifact_hash", sha256),
        artifact_size_bytes: fields.nullable("artifact_size_bytes", fields::lax_int(0, i64::MAX)),
        error_message: fields.nullable("error_message", fields::text(0, 2_000)).map(str::to_owned),
    };
    fields.forbid_others(&[
        "status",
        "metrics",
        "artifact_uri",
        "artifact_hash",
        "artifact_size_bytes",
        "error_message",
    ]);
    fields.finish(Some(patch))
}

/// Reads the body of a name.
pub fn read_alias(body: &Map<String, Value>) -> Result<NewAlias, Vec<FieldError>> {
    let mut fields = Fields::of(body);
    let alias_name = fields.required("alias_name", alias_name);
    let run_id = fields.required("run_id", fields::text(0, usize::MAX));
    let description = fields.nullable("description", fields::text(0, 500)).map(str::to_owned);
    fields.forbid_others(&["alias_name", "run_id", "description"]);
    let made =
        (|| Some(NewAlias { alias_name: alias_name?.to_owned(), run_id: run_id?.to_owned(), description }))();
    fields.finish(made)
}

fn lax_key(value: &Value) -> Reading<i32> {
    let key = fields::lax_int(1, i64::from(i32::MAX))(value)?;
    // The bound stands above.
    i32::try_from(key).map_err(|_| ("less_than_equal", format!("must be at most {}", i32::MAX)))
}

fn alias_name(value: &Value) -> Reading<&str> {
    let name = fields::text(1, 100)(value)?;
    if is_alias_name(name) {
        return Ok(name);
    }
    let pattern = r"^[a-z0-9][a-z0-9\-_]*$";
    Err(("string_pattern_mismatch", format!("must fit {pattern}, got `{name}`")))
}

fn sha256(value: &Value) -> Reading<String> {
    let text = fields::text(0, usize::MAX)(value)?;
    if text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(text.to_ascii_lowercase());
    }
    Err(("string_pattern_mismatch", format!("must be 64 hex digits (SHA-256), got {}", fields::short(value))))
}
