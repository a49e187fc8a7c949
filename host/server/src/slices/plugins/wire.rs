//! JSON shapes of `/plugins`.

use std::collections::BTreeMap;
use std::time::Duration;

use retailcast_runtime::{Change, Entry, Limits, Origin, PhaseStats, PluginSettings, State};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// All plugins.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PluginsResult {
    /// Built-in ones first, then the files of the folder by name.
    plugins: Vec<PluginResult>,
}

impl PluginsResult {
    pub(super) fn new(entries: &[Entry]) -> Self {
        Self { plugins: entries.iter().map(PluginResult::new).collect() }
    }
}

/// One plugin.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "key": "drift", "state": "refused", "origin": "file", "file": "drift.wasm",
    "sha256": "3f1c0b7e7ad5c1f6b1f0a3d2e94c58a7706b9d12e4485fca1b3e6d7092c8a541", "pinned": false,
    "code": "RC-P004", "reason": "imports `retailcast:plugin/gradient-boosting@0.1.0`, which is not granted. To grant it:\n[plugins.settings.drift]\ngrants = [\"gradient-boosting\"]",
    "name": null, "kind": null, "version": null, "contract": null, "licence": null, "summary": null, "config_schema": null,
    "grants": [], "limits": {"memory_mib": 512, "fit_seconds": 30.0, "predict_seconds": 5.0, "payload_mib": 64},
    "calls": 0, "errors": {}, "calls_last_hour": 0, "errors_last_hour": 0, "phases": [], "peak_memory_bytes": 0}))]
pub struct PluginResult {
    /// Name of its settings table, `[plugins.settings.KEY]`.
    pub key: String,
    /// `loaded`, `disabled` or `refused`.
    pub state: &'static str,
    /// `bundled` or `file`.
    pub origin: &'static str,
    /// Name of the file in the plugin folder.
    #[schema(required)]
    pub file: Option<String>,
    /// SHA-256 of the component, 64 hex digits; null when it cannot be read.
    #[schema(required)]
    pub sha256: Option<String>,
    /// Whether the operator pinned the SHA-256.
    pub pinned: bool,
    /// Refused: which page under docs/errors explains it.
    #[schema(required)]
    pub code: Option<&'static str>,
    /// Refused: why, with the lines of `retailcast.toml` that would allow it, if any would.
    #[schema(required)]
    pub reason: Option<String>,
    /// Loaded: its name; for a forecast model the `model_type`.
    #[schema(required)]
    pub name: Option<String>,
    /// Loaded: `forecast-model`, `explainer`, `scenario-adjuster` or `embedding-provider`.
    #[schema(required)]
    pub kind: Option<&'static str>,
    /// Loaded: `major.minor.patch`.
    #[schema(required)]
    pub version: Option<String>,
    /// Loaded: version of the plugin contract that it speaks.
    #[schema(required)]
    pub contract: Option<&'static str>,
    /// Loaded: SPDX expression.
    #[schema(required)]
    pub licence: Option<String>,
    /// Loaded: one sentence.
    #[schema(required)]
    pub summary: Option<String>,
    /// Loaded: JSON Schema of its configuration, with the operator's defaults.
    #[schema(required, value_type = Option<Object>)]
    pub config_schema: Option<Value>,
    /// What the operator granted: `gradient-boosting`, `http HOST`.
    pub grants: Vec<String>,
    /// What it may take.
    pub limits: LimitsResult,
    /// Calls since it was loaded, of all phases; another file starts from zero.
    pub calls: u64,
    /// Failed calls by `RC-P…` code.
    #[schema(value_type = std::collections::HashMap<String, u64>)]
    pub errors: BTreeMap<&'static str, u64>,
    /// Calls of the last hour.
    pub calls_last_hour: u64,
    /// Those of them that failed.
    pub errors_last_hour: u64,
    /// Calls by phase, those that there were, in the order of a request.
    pub phases: Vec<PhaseResult>,
    /// Most memory that an instance of a model used, in bytes; 0 for other kinds.
    pub peak_memory_bytes: usize,
}

/// What a plugin may take.
#[derive(Debug, Serialize, ToSchema)]
pub struct LimitsResult {
    /// Linear memory of one instance.
    pub memory_mib: usize,
    /// One fit.
    pub fit_seconds: f64,
    /// Every other call.
    pub predict_seconds: f64,
    /// What it may hand over in one call.
    pub payload_mib: usize,
}

/// The calls of one phase.
#[derive(Debug, Serialize, ToSchema)]
pub struct PhaseResult {
    /// `instantiate`, `needs`, `fit`, `load`, `save` or `predict` of a model; `explain`, `adjust`, `needs` or `embed` of others.
    pub phase: String,
    /// How many.
    pub calls: u64,
    /// Half of them took no longer, in milliseconds, to two digits.
    pub p50_ms: f64,
    /// 95 of 100 took no longer.
    pub p95_ms: f64,
}

impl PluginResult {
    /// What is known of it.
    pub fn new(entry: &Entry) -> Self {
        let said = match &entry.state {
            State::Loaded(said) => Some(said),
            State::Disabled | State::Refused(_) => None,
        };
        let refusal = match &entry.state {
            State::Refused(error) => Some(error),
            State::Loaded(_) | State::Disabled => None,
        };
        let stats = entry.stats.as_ref().map(|stats| stats.snapshot()).unwrap_or_default();
        Self {
            key: entry.key.clone(),
            state: match &entry.state {
                State::Loaded(_) => "loaded",
                State::Disabled => "disabled",
                State::Refused(_) => "refused",
            },
            origin: if entry.origin == Origin::Bundled { "bundled" } else { "file" },
            file: file_name(&entry.origin),
            sha256: entry.digest.map(|digest| digest.to_string()),
            pinned: entry.settings.sha256.is_some(),
            code: refusal.map(|error| error.code()),
            reason: refusal.map(ToString::to_string),
            name: said.map(|said| said.name.clone()),
            kind: said.map(|said| said.kind.name()),
            version: said.map(|said| said.version.clone()),
            contract: said.map(|said| said.contract),
            licence: said.map(|said| said.licence.clone()),
            summary: said.map(|said| said.summary.clone()),
            config_schema: said.map(|said| said.config_schema.clone()),
            grants: grants(&entry.settings),
            limits: (&entry.settings.limits).into(),
            calls: stats.calls,
            errors: stats.errors,
            calls_last_hour: stats.calls_last_hour,
            errors_last_hour: stats.errors_last_hour,
            phases: stats.phases.into_iter().map(PhaseResult::new).collect(),
            peak_memory_bytes: stats.peak_memory,
        }
    }
}

/// The name alone: where the folder lies is not for everybody.
fn file_name(origin: &Origin) -> Option<String> {
    match origin {
        Origin::Bundled => None,
        Origin::File(path) => Some(path.file_name()?.to_string_lossy().into_owned()),
    }
}

fn grants(settings: &PluginSettings) -> Vec<String> {
    let boosting = settings.gradient_boosting.then(|| "gradient-boosting".to_owned());
    let hosts = settings.http.iter().map(|host| format!("http {host}"));
    // Which one is not for everybody, as with files.
    let folder = settings.folder.iter().map(|_| "folder".to_owned());
    boosting.into_iter().chain(hosts).chain(folder).collect()
}

impl From<&Limits> for LimitsResult {
    fn from(limits: &Limits) -> Self {
        Self {
            memory_mib: limits.memory >> 20,
            fit_seconds: limits.fit.as_secs_f64(),
            predict_seconds: limits.predict.as_secs_f64(),
            payload_mib: limits.payload >> 20,
        }
    }
}

impl PhaseResult {
    fn new(stats: PhaseStats) -> Self {
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        Self {
            phase: stats.phase.to_string(),
            calls: stats.calls,
            p50_ms: ms(stats.p50),
            p95_ms: ms(stats.p95),
        }
    }
}

/// What a reload did.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReloadResult {
    /// What is not as it was; empty when nothing changed.
    changes: Vec<ChangeResult>,
    /// All plugins as they are now.
    plugins: Vec<PluginResult>,
    duration_ms: f64,
}

/// One plugin that is not as it was.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ChangeResult {
    /// Name of its settings table.
    key: String,
    /// `added`, `changed` (another file, other settings or another outcome) or `removed`.
    change: String,
    #[schema(required)]
    sha256_before: Option<String>,
    #[schema(required)]
    sha256_after: Option<String>,
}

impl ReloadResult {
    pub(super) fn new(changes: &[Change], entries: &[Entry], elapsed: Duration) -> Self {
        let change = |change: &Change| ChangeResult {
            key: change.key.clone(),
            change: change.kind.to_string(),
            sha256_before: change.before.map(|digest| digest.to_string()),
            sha256_after: change.after.map(|digest| digest.to_string()),
        };
        Self {
            changes: changes.iter().map(change).collect(),
            plugins: entries.iter().map(PluginResult::new).collect(),
            duration_ms: elapsed.as_secs_f64() * 1e3,
        }
    }
}
