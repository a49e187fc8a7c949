//! Runs and aliases.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::status::Status;

/// Whom an agent worked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentContext {
    /// The agent.
    pub agent_id: Option<String>,
    /// Its session.
    pub session_id: Option<String>,
}

/// A run to register.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRun {
    /// Any text of 1 to 50 characters.
    pub model_type: String,
    /// The model's configuration.
    pub model_config: Map<String, Value>,
    /// The features' configuration.
    pub feature_config: Option<Map<String, Value>>,
    /// First day of the training data.
    pub data_window_start: NaiveDate,
    /// Last day of the training data, not before the first.
    pub data_window_end: NaiveDate,
    /// The series.
    pub store_id: i32,
    /// The series.
    pub product_id: i32,
    /// Whom an agent worked for.
    pub agent_context: Option<AgentContext>,
    /// Version of the caller's code, at most 40 characters.
    pub git_sha: Option<String>,
    /// What is recorded besides, or instead of, what the server says of itself.
    pub runtime_info_extras: Option<Map<String, Value>>,
}

/// A registered run.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// 32 hex digits.
    pub run_id: String,
    /// Where it stands.
    pub status: Status,
    /// Model type.
    pub model_type: String,
    /// As submitted.
    pub model_config: Map<String, Value>,
    /// As submitted.
    pub feature_config: Option<Map<String, Value>>,
    /// Free-form hash of the model's configuration.
    pub config_hash: String,
    /// First day of the training data.
    pub data_window_start: NaiveDate,
    /// Last day of the training data.
    pub data_window_end: NaiveDate,
    /// The series.
    pub store_id: i32,
    /// The series.
    pub product_id: i32,
    /// How good it is.
    pub metrics: Option<Map<String, Value>>,
    /// Relative to the registry's artifact root.
    pub artifact_uri: Option<String>,
    /// SHA-256, lower-case hex.
    pub artifact_hash: Option<String>,
    /// Bytes.
    pub artifact_size_bytes: Option<i64>,
    /// The server that registered it.
    pub runtime_info: Option<Map<String, Value>>,
    /// Whom an agent worked for.
    pub agent_context: Option<AgentContext>,
    /// Version of the caller's code.
    pub git_sha: Option<String>,
    /// Why it failed.
    pub error_message: Option<String>,
    /// When it became running.
    pub started_at: Option<DateTime<Utc>>,
    /// When it succeeded or failed.
    pub completed_at: Option<DateTime<Utc>>,
    /// When it was registered.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// What changes; `None` leaves as it is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunPatch {
    /// The next state.
    pub status: Option<Status>,
    /// Replaces all of them.
    pub metrics: Option<Map<String, Value>>,
    /// At most 500 characters.
    pub artifact_uri: Option<String>,
    /// 64 lower-case hex digits.
    pub artifact_hash: Option<String>,
    /// Bytes, not negative.
    pub artifact_size_bytes: Option<i64>,
    /// At most 2000 characters.
    pub error_message: Option<String>,
}

/// A name to give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAlias {
    /// 1 to 100 of `a-z0-9-_`, beginning with a letter or digit.
    pub alias_name: String,
    /// A successful run.
    pub run_id: String,
    /// At most 500 characters.
    pub description: Option<String>,
}

/// A name of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    /// The name.
    pub alias_name: String,
    /// The run.
    pub run_id: String,
    /// Where the run stands now.
    pub run_status: Status,
    /// The run's.
    pub model_type: String,
    /// Free text.
    pub description: Option<String>,
    /// When the name was first given.
    pub created_at: DateTime<Utc>,
    /// When it was last given.
    pub updated_at: DateTime<Utc>,
}
