//! One struct per table of `retailcast.toml`. Defaults stand there and nowhere else.

use std::net::IpAddr;
use std::path::PathBuf;

use retailcast_core::MissingDays;
use serde::{Deserialize, Deserializer};

use super::access::AccessConfig;
use super::ai::{AgentsConfig, ProvidersConfig, RagConfig};
use super::plugins::PluginsConfig;
use super::source::Source;
use crate::artifacts::ArtifactRoot;

/// Everything.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `[app]`
    pub app: AppConfig,
    /// `[server]`
    pub server: ServerConfig,
    /// `[access]`
    pub access: AccessConfig,
    /// `[log]`
    pub log: LogConfig,
    /// `[database]`
    pub database: DatabaseConfig,
    /// `[compute]`
    pub compute: ComputeConfig,
    /// `[ingest]`
    pub ingest: IngestConfig,
    /// `[analytics]`
    pub analytics: AnalyticsConfig,
    /// `[features]`
    pub features: FeaturesConfig,
    /// `[forecast]`
    pub forecast: ForecastConfig,
    /// `[backtest]`
    pub backtest: BacktestConfig,
    /// `[jobs]`
    pub jobs: JobsConfig,
    /// `[registry]`
    pub registry: RegistryConfig,
    /// `[scenarios]`
    pub scenarios: ScenariosConfig,
    /// `[seeder]`
    pub seeder: SeederConfig,
    /// `[providers]`
    pub providers: ProvidersConfig,
    /// `[rag]`
    pub rag: RagConfig,
    /// `[agents]`
    pub agents: AgentsConfig,
    /// `[plugins]`
    pub plugins: PluginsConfig,
    /// Where all this was read.
    #[serde(skip)]
    pub(super) source: Source,
}

/// Where the program runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AppEnv {
    /// A developer's machine.
    Development,
    /// Tests.
    Testing,
    /// Before production.
    Staging,
    /// The real thing.
    Production,
}

/// `[app]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppConfig {
    /// Name in logs and in the OpenAPI title.
    #[serde(deserialize_with = "text")]
    pub name: String,
    /// Where the program runs.
    pub env: AppEnv,
    /// Log every SQL statement, and everything else too.
    #[serde(deserialize_with = "flag")]
    pub debug: bool,
}

/// `[server]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerConfig {
    /// Address to listen on.
    #[serde(deserialize_with = "text")]
    pub host: String,
    /// Port; 0 takes any.
    pub port: u16,
    /// Listening beyond this machine without keys is intended.
    #[serde(deserialize_with = "flag")]
    pub allow_unauthenticated: bool,
    /// Deadline of computing requests.
    pub request_seconds: u64,
    /// How long running requests may take to end.
    pub shutdown_seconds: u64,
    /// Connections at once; further ones wait until one ends.
    pub max_connections: usize,
    /// WebSockets at once; further ones are 503.
    pub max_websockets: usize,
}

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum LogLevel {
    /// Everything.
    Debug,
    /// What happens.
    Info,
    /// What should not happen.
    Warning,
    /// What failed.
    Error,
    /// The same as `ERROR`: the program has no level above it.
    Critical,
}

/// How it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One JSON object per line.
    Json,
    /// For people.
    Console,
}

/// `[log]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogConfig {
    /// How much.
    pub level: LogLevel,
    /// In which form.
    pub format: LogFormat,
}

/// `[database]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseConfig {
    /// A PostgreSQL server; without it the embedded one runs.
    #[serde(default)]
    pub url: Option<String>,
    /// Connections per process.
    pub max_connections: u32,
    /// The embedded server.
    pub embedded: EmbeddedConfig,
}

/// `[database.embedded]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmbeddedConfig {
    /// Data, socket and log.
    pub dir: PathBuf,
    /// PostgreSQL's programs.
    #[serde(default)]
    pub bin_dir: Option<PathBuf>,
    /// Who runs it when we are root.
    #[serde(deserialize_with = "text")]
    pub user: String,
}

/// `[compute]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComputeConfig {
    /// Threads; 0 means all cores but one.
    pub threads: usize,
    /// Threads of a LightGBM across series; 0 means all cores.
    pub boosting_threads: usize,
    /// Waiting calls.
    pub queue: usize,
}

/// `[ingest]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IngestConfig {
    /// Rows per statement.
    pub batch_size: usize,
    /// Deadline of a request.
    pub timeout_seconds: u64,
    /// Largest CSV or Parquet body, unzipped.
    pub max_table_mib: u64,
}

/// `[analytics]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnalyticsConfig {
    /// Most rows of a list.
    pub max_rows: u32,
    /// Longest window.
    pub max_date_range_days: u32,
}

/// `[features]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeaturesConfig {
    /// Longest history, in days.
    pub max_lookback_days: u32,
    /// Longest lag, in rows.
    pub max_lag: u32,
    /// Longest rolling window, in rows.
    pub max_window: u32,
}

/// `[forecast]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForecastConfig {
    /// Seed of every model.
    pub random_seed: u64,
    /// Days, where a horizon is optional.
    pub default_horizon: usize,
    /// Longest horizon.
    pub max_horizon: usize,
    /// Where fitted models are kept.
    pub model_artifacts_dir: ArtifactRoot,
    /// Gate of model type `lightgbm`.
    #[serde(deserialize_with = "flag")]
    pub enable_lightgbm: bool,
    /// What a day without a row means.
    #[serde(deserialize_with = "missing_days")]
    pub missing_days: MissingDays,
}

/// `[backtest]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BacktestConfig {
    /// Most folds.
    pub max_splits: usize,
    /// First training window below which a warning is logged, in rows.
    pub default_min_train_size: usize,
    /// Longest gap, in rows.
    pub max_gap: usize,
    /// Most forecasts of a portfolio backtest.
    pub max_portfolio_points: usize,
    /// Reserved.
    pub results_dir: PathBuf,
}

/// `[jobs]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobsConfig {
    /// Tasks that `serve` runs at once; 0: none.
    pub workers: usize,
    /// Tries of a task.
    pub max_attempts: u32,
    /// How long a task stays a worker's own without a sign of life.
    pub lease_seconds: f64,
    /// How often a worker looks for work by itself.
    pub poll_seconds: f64,
    /// Longest that one try of a job on one series may take.
    pub run_seconds: u64,
    /// Series of one chunk of a portfolio job.
    pub chunk_series: usize,
    /// Reserved.
    pub retention_days: u32,
}

/// What happens to a run that was registered before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DuplicatePolicy {
    /// It is registered again.
    Allow,
    /// It is refused.
    Deny,
    /// It is registered again, with a warning in the log.
    Detect,
}

/// `[registry]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegistryConfig {
    /// What artifact URIs are relative to.
    pub artifact_root: ArtifactRoot,
    /// What happens to a run that was registered before.
    pub duplicate_policy: DuplicatePolicy,
}

/// `[scenarios]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScenariosConfig {
    /// Name of the plugin that adjusts forecasts of models which cannot be asked again.
    pub adjuster: String,
}

/// `[seeder]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeederConfig {
    /// Seed of the command line.
    pub default_seed: u64,
    /// Stores, on the command line without a scenario.
    pub default_stores: usize,
    /// Products, on the command line without a scenario.
    pub default_products: usize,
    /// Rows handed to the database at a time.
    pub batch_size: usize,
    /// Progress on the command line.
    #[serde(deserialize_with = "flag")]
    pub enable_progress: bool,
    /// Writing is allowed in production, too.
    #[serde(deserialize_with = "flag")]
    pub allow_production: bool,
    /// Deleting on the command line wants a word more.
    #[serde(deserialize_with = "flag")]
    pub require_confirm: bool,
}

/// Text, also when it looks like a number (environment variables have no types).
pub(super) fn text<'de, D: Deserializer<'de>>(d: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "text")]
    enum Scalar {
        Text(String),
        Integer(i64),
        Float(f64),
        Flag(bool),
    }
    Ok(match Scalar::deserialize(d)? {
        Scalar::Text(text) => text,
        Scalar::Integer(number) => number.to_string(),
        Scalar::Float(number) => number.to_string(),
        Scalar::Flag(flag) => flag.to_string(),
    })
}

/// A boolean, also as 0, 1 or one of the usual words (environment variables have no types).
pub(super) fn flag<'de, D: Deserializer<'de>>(d: D) -> Result<bool, D::Error> {
    let text = text(d)?;
    retailcast_core::config_schema::lax_bool(&text.as_str().into())
        .map_err(|_| serde::de::Error::invalid_value(serde::de::Unexpected::Str(&text), &"true or false"))
}

/// A list of texts, also as JSON in one text (environment variables have no lists).
pub(super) fn texts<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a list of texts, like [\"a\", \"b\"]")]
    enum List {
        Texts(Vec<String>),
        Json(String),
    }
    match List::deserialize(d)? {
        List::Texts(texts) => Ok(texts),
        List::Json(json) => serde_json::from_str(&json).map_err(|_| {
            let found = serde::de::Unexpected::Str(&json);
            serde::de::Error::invalid_value(found, &"a list of texts in JSON, like [\"a\", \"b\"]")
        }),
    }
}

fn missing_days<'de, D: Deserializer<'de>>(d: D) -> Result<MissingDays, D::Error> {
    let text = text(d)?;
    text.parse().map_err(|_| serde::de::Error::unknown_variant(&text, &MissingDays::NAMES))
}

impl Config {
    /// Bounds and rules between keys; the message names key, value and what is allowed.
    pub(crate) fn check(&self) -> Result<(), String> {
        within("server.request_seconds", self.server.request_seconds, 1, 86_400)?;
        within("server.shutdown_seconds", self.server.shutdown_seconds, 0, 86_400)?;
        within("database.max_connections", u64::from(self.database.max_connections), 1, 1_000)?;
        within("compute.threads", self.compute.threads as u64, 0, 1_024)?;
        within("compute.boosting_threads", self.compute.boosting_threads as u64, 0, 1_024)?;
        within("compute.queue", self.compute.queue as u64, 1, 1_000_000)?;
        within("ingest.batch_size", self.ingest.batch_size as u64, 1, 10_000)?;
        within("ingest.timeout_seconds", self.ingest.timeout_seconds, 1, 86_400)?;
        within("ingest.max_table_mib", self.ingest.max_table_mib, 1, 1 << 20)?;
        within("forecast.max_horizon", self.forecast.max_horizon as u64, 1, 36_500)?;
        within("forecast.default_horizon", self.forecast.default_horizon as u64, 1, 36_500)?;
        within("backtest.max_splits", self.backtest.max_splits as u64, 2, 1_000)?;
        within("backtest.default_min_train_size", self.backtest.default_min_train_size as u64, 1, 36_500)?;
        within("backtest.max_portfolio_points", self.backtest.max_portfolio_points as u64, 1, 1_000_000_000)?;
        within("backtest.max_gap", self.backtest.max_gap as u64, 0, 36_500)?;
        within("analytics.max_rows", u64::from(self.analytics.max_rows), 1, 1_000_000)?;
        within("analytics.max_date_range_days", u64::from(self.analytics.max_date_range_days), 1, 36_525)?;
        within("features.max_lookback_days", u64::from(self.features.max_lookback_days), 1, 36_500)?;
        let longest = u64::from(LONGEST_LOOKBACK);
        within("features.max_lag", u64::from(self.features.max_lag), 1, longest)?;
        within("features.max_window", u64::from(self.features.max_window), 1, longest)?;
        within("jobs.workers", self.jobs.workers as u64, 0, 1_024)?;
        within("jobs.max_attempts", u64::from(self.jobs.max_attempts), 1, 1_000)?;
        seconds("jobs.lease_seconds", self.jobs.lease_seconds, 0.5)?;
        seconds("jobs.poll_seconds", self.jobs.poll_seconds, 0.01)?;
        within("jobs.run_seconds", self.jobs.run_seconds, 1, 2_592_000)?;
        within("jobs.chunk_series", self.jobs.chunk_series as u64, 1, 1_000_000)?;
        // Larger ones do not fit into the contract's integers.
        within("seeder.default_seed", self.seeder.default_seed, 0, i64::MAX as u64)?;
        within("seeder.default_stores", self.seeder.default_stores as u64, 1, 100)?;
        within("seeder.default_products", self.seeder.default_products as u64, 1, 500)?;
        within("seeder.batch_size", self.seeder.batch_size as u64, 1, 10_000)?;
        within("server.max_connections", self.server.max_connections as u64, 1, 1 << 20)?;
        within("server.max_websockets", self.server.max_websockets as u64, 0, 1 << 20)?;
        self.access.check()?;
        self.providers.check()?;
        self.rag.check()?;
        self.agents.check()?;
        self.plugins.check()?;
        if self.plugins.pooling && self.compute.threads > POOLED_THREADS {
            let threads = self.compute.threads;
            return Err(format!(
                "`compute.threads`: {threads} are more than a pool of instances serves, which is {POOLED_THREADS}; \
                 `plugins.pooling = false` has no such limit"
            ));
        }
        Ok(())
    }

    /// Whether the server may listen there; other commands do not listen.
    pub(crate) fn check_host(&self) -> Result<(), String> {
        let host = &self.server.host;
        let address: IpAddr = match host.as_str() {
            "localhost" => return Ok(()),
            host => host.parse().map_err(|_| {
                format!("`server.host` (API_HOST): `{host}` is neither an IP address nor localhost")
            })?,
        };
        if address.is_loopback() || self.server.allow_unauthenticated || self.access.require_keys {
            return Ok(());
        }
        Err(format!(
            "`server.host` (API_HOST): {host} is reachable from other machines, and there are no API keys. If that \
             is intended, set\n\n[server]\nallow_unauthenticated = true   # server.allow_unauthenticated = true\n\n\
             To have keys instead, make one with `retailcast key create` and set\n\n[access]\nrequire_keys = true"
        ))
    }
}

/// Threads that a pool of 64 instances serves.
const POOLED_THREADS: usize = 64;

pub(super) fn seconds(key: &str, value: f64, least: f64) -> Result<(), String> {
    if (least..=86_400.0).contains(&value) {
        return Ok(());
    }
    Err(format!("`{key}`: {value} is out of range, allowed is {least} to 86400"))
}

pub(super) fn within(key: &str, value: u64, least: u64, most: u64) -> Result<(), String> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(format!("`{key}`: {value} is out of range, allowed is {least} to {most}"))
}

/// The contract's own bound of a feature set's history, in days; settings never raise it.
const LONGEST_LOOKBACK: u32 = 1_095;

impl FeaturesConfig {
    /// Longest history that is served, in days.
    pub fn longest_lookback(&self) -> u32 {
        self.max_lookback_days.min(LONGEST_LOOKBACK)
    }
}

/// The contract's own bound of a horizon, in days; settings never raise it.
const LONGEST_HORIZON: usize = 90;

impl ForecastConfig {
    /// Longest horizon that is served.
    pub fn longest_horizon(&self) -> usize {
        self.max_horizon.min(LONGEST_HORIZON)
    }

    /// The horizon where none is given.
    pub fn usual_horizon(&self) -> usize {
        self.default_horizon.min(self.longest_horizon())
    }
}
