//! Environment variables as configuration: the names of the API contract, and `TABLE_KEY` for everything else.

use std::path::Path;

use figment::value::{Dict, Map, Value};
use figment::{Metadata, Profile, Provider};

/// Variable and key. Whatever else is in the environment is ignored.
pub const VARIABLES: &[(&str, &str)] = &[
    ("APP_NAME", "app.name"),
    ("APP_ENV", "app.env"),
    ("DEBUG", "app.debug"),
    ("API_HOST", "server.host"),
    ("API_PORT", "server.port"),
    ("SERVER_ALLOW_UNAUTHENTICATED", "server.allow_unauthenticated"),
    ("SERVER_REQUEST_SECONDS", "server.request_seconds"),
    ("SERVER_SHUTDOWN_SECONDS", "server.shutdown_seconds"),
    ("SERVER_MAX_CONNECTIONS", "server.max_connections"),
    ("SERVER_MAX_WEBSOCKETS", "server.max_websockets"),
    ("ACCESS_REQUIRE_KEYS", "access.require_keys"),
    ("ACCESS_REQUESTS_PER_SECOND", "access.requests_per_second"),
    ("ACCESS_BURST", "access.burst"),
    ("ACCESS_TRUSTED_PROXIES", "access.trusted_proxies"),
    ("LOG_LEVEL", "log.level"),
    ("LOG_FORMAT", "log.format"),
    ("DATABASE_URL", "database.url"),
    ("DATABASE_MAX_CONNECTIONS", "database.max_connections"),
    ("DATABASE_EMBEDDED_DIR", "database.embedded.dir"),
    ("DATABASE_EMBEDDED_BIN_DIR", "database.embedded.bin_dir"),
    ("DATABASE_EMBEDDED_USER", "database.embedded.user"),
    ("COMPUTE_THREADS", "compute.threads"),
    ("COMPUTE_BOOSTING_THREADS", "compute.boosting_threads"),
    ("COMPUTE_QUEUE", "compute.queue"),
    ("INGEST_BATCH_SIZE", "ingest.batch_size"),
    ("INGEST_TIMEOUT_SECONDS", "ingest.timeout_seconds"),
    ("INGEST_MAX_TABLE_MIB", "ingest.max_table_mib"),
    ("ANALYTICS_MAX_ROWS", "analytics.max_rows"),
    ("ANALYTICS_MAX_DATE_RANGE_DAYS", "analytics.max_date_range_days"),
    ("FEATURE_MAX_LOOKBACK_DAYS", "features.max_lookback_days"),
    ("FEATURE_MAX_LAG", "features.max_lag"),
    ("FEATURE_MAX_WINDOW", "features.max_window"),
    ("FORECAST_RANDOM_SEED", "forecast.random_seed"),
    ("FORECAST_DEFAULT_HORIZON", "forecast.default_horizon"),
    ("FORECAST_MAX_HORIZON", "forecast.max_horizon"),
    ("FORECAST_MODEL_ARTIFACTS_DIR", "forecast.model_artifacts_dir"),
    ("FORECAST_ENABLE_LIGHTGBM", "forecast.enable_lightgbm"),
    ("FORECAST_MISSING_DAYS", "forecast.missing_days"),
    ("BACKTEST_MAX_SPLITS", "backtest.max_splits"),
    ("BACKTEST_DEFAULT_MIN_TRAIN_SIZE", "backtest.default_min_train_size"),
    ("BACKTEST_MAX_GAP", "backtest.max_gap"),
    ("BACKTEST_MAX_PORTFOLIO_POINTS", "backtest.max_portfolio_points"),
    ("BACKTEST_RESULTS_DIR", "backtest.results_dir"),
    ("JOBS_WORKERS", "jobs.workers"),
    ("JOBS_MAX_ATTEMPTS", "jobs.max_attempts"),
    ("JOBS_LEASE_SECONDS", "jobs.lease_seconds"),
    ("JOBS_POLL_SECONDS", "jobs.poll_seconds"),
    ("JOBS_RUN_SECONDS", "jobs.run_seconds"),
    ("JOBS_CHUNK_SERIES", "jobs.chunk_series"),
    ("JOBS_RETENTION_DAYS", "jobs.retention_days"),
    ("REGISTRY_ARTIFACT_ROOT", "registry.artifact_root"),
    ("REGISTRY_DUPLICATE_POLICY", "registry.duplicate_policy"),
    ("SCENARIOS_ADJUSTER", "scenarios.adjuster"),
    ("SEEDER_DEFAULT_SEED", "seeder.default_seed"),
    ("SEEDER_DEFAULT_STORES", "seeder.default_stores"),
    ("SEEDER_DEFAULT_PRODUCTS", "seeder.default_products"),
    ("SEEDER_BATCH_SIZE", "seeder.batch_size"),
    ("SEEDER_ENABLE_PROGRESS", "seeder.enable_progress"),
    ("SEEDER_ALLOW_PRODUCTION", "seeder.allow_production"),
    ("SEEDER_REQUIRE_CONFIRM", "seeder.require_confirm"),
    ("OPENAI_BASE_URL", "providers.openai_base_url"),
    ("ANTHROPIC_BASE_URL", "providers.anthropic_base_url"),
    ("GOOGLE_BASE_URL", "providers.google_base_url"),
    ("OLLAMA_BASE_URL", "providers.ollama_base_url"),
    ("OLLAMA_HOSTS", "providers.ollama_hosts"),
    ("OPENAI_API_KEY", "providers.openai_api_key"),
    ("ANTHROPIC_API_KEY", "providers.anthropic_api_key"),
    ("GOOGLE_API_KEY", "providers.google_api_key"),
    ("RAG_EMBEDDING_PROVIDER", "rag.embedding_provider"),
    ("RAG_EMBEDDING_MODEL", "rag.embedding_model"),
    ("RAG_EMBEDDING_DIMENSION", "rag.embedding_dimension"),
    ("OLLAMA_EMBEDDING_MODEL", "rag.ollama_embedding_model"),
    ("RAG_LOCAL_PLUGIN", "rag.local_plugin"),
    ("RAG_EMBEDDING_BATCH_SIZE", "rag.embedding_batch_size"),
    ("RAG_ROOT", "rag.root"),
    ("RAG_CHUNK_SIZE", "rag.chunk_size"),
    ("RAG_CHUNK_OVERLAP", "rag.chunk_overlap"),
    ("RAG_MIN_CHUNK_SIZE", "rag.min_chunk_size"),
    ("RAG_SIMILARITY_THRESHOLD", "rag.similarity_threshold"),
    ("RAG_TOP_K", "rag.top_k"),
    ("RAG_MAX_CONTEXT_TOKENS", "rag.max_context_tokens"),
    ("RAG_INDEX_TYPE", "rag.index_type"),
    ("RAG_HNSW_M", "rag.hnsw_m"),
    ("RAG_HNSW_EF_CONSTRUCTION", "rag.hnsw_ef_construction"),
    ("AGENT_DEFAULT_MODEL", "agents.default_model"),
    ("AGENT_FALLBACK_MODEL", "agents.fallback_model"),
    ("AGENT_TEMPERATURE", "agents.temperature"),
    ("AGENT_MAX_TOKENS", "agents.max_tokens"),
    ("AGENT_THINKING_BUDGET", "agents.thinking_budget"),
    ("AGENT_MAX_TOOL_CALLS", "agents.max_tool_calls"),
    ("AGENT_TIMEOUT_SECONDS", "agents.timeout_seconds"),
    ("AGENT_RETRY_ATTEMPTS", "agents.retry_attempts"),
    ("AGENT_RETRY_DELAY_SECONDS", "agents.retry_delay_seconds"),
    ("AGENT_REQUIRE_APPROVAL", "agents.require_approval"),
    ("AGENT_APPROVAL_TIMEOUT_MINUTES", "agents.approval_timeout_minutes"),
    ("AGENT_SESSION_TTL_MINUTES", "agents.session_ttl_minutes"),
    ("AGENT_MAX_SESSIONS_PER_USER", "agents.max_sessions_per_user"),
    ("AGENT_ENABLE_STREAMING", "agents.enable_streaming"),
    ("PLUGINS_DIR", "plugins.dir"),
    ("PLUGINS_CACHE_DIR", "plugins.cache_dir"),
    ("PLUGINS_POOLING", "plugins.pooling"),
    ("PLUGINS_STRICT", "plugins.strict"),
];

/// Set to nothing, it says that there is no fallback; every other variable is unset then.
const MAY_BE_EMPTY: &str = "AGENT_FALLBACK_MODEL";

/// `.env` exists and cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read .env: {0}")]
pub struct DotEnvError(std::io::Error);

/// The variables of a `.env` file; none when there is no such file.
pub(super) fn dot_env(file: &Path) -> Result<Vec<(String, String)>, DotEnvError> {
    if !file.is_file() {
        return Ok(Vec::new());
    }
    let text = std::fs::read_to_string(file).map_err(DotEnvError)?;
    Ok(text.lines().filter_map(dot_env_line).collect())
}

/// `NAME=VALUE`, with or without `export` and quotes. By hand: such files hold variables of other programs too, and
/// the crates for them refuse a whole file for one line that they do not like.
fn dot_env_line(line: &str) -> Option<(String, String)> {
    let line = line.trim().trim_start_matches("export ");
    let (name, value) = line.split_once('=').filter(|_| !line.starts_with('#'))?;
    let value = value.trim();
    let quoted = |quote: char| Some(value.strip_prefix(quote)?.split_once(quote)?.0);
    let value = quoted('"')
        .or_else(|| quoted('\''))
        .unwrap_or_else(|| value.split(" #").next().unwrap_or_default().trim());
    Some((name.trim().to_owned(), value.to_owned()))
}

struct Variables {
    name: &'static str,
    keys: Dict,
}

/// Those of the variables that are configuration, under a name for messages.
pub(super) fn provider(
    name: &'static str,
    variables: impl IntoIterator<Item = (String, String)>,
) -> impl Provider {
    let mut keys = Dict::new();
    for (variable, text) in variables {
        if let Some((_, key)) = VARIABLES.iter().find(|(known, _)| *known == variable)
            && (!text.is_empty() || variable == MAY_BE_EMPTY)
        {
            // The digits of a secret are no number: its zeros count.
            let value = if variable.ends_with("_API_KEY") { Value::from(text) } else { value(&text) };
            insert(&mut keys, key, value);
        }
    }
    Variables { name, keys }
}

/// Numbers and booleans as such, everything else as text. Keys that are text take a number back to text themselves,
/// and those that are lists read the text as JSON.
fn value(text: &str) -> Value {
    match text.trim() {
        "true" | "True" | "TRUE" => Value::from(true),
        "false" | "False" | "FALSE" => Value::from(false),
        number => match (number.parse::<i64>(), number.parse::<f64>()) {
            (Ok(integer), _) => Value::from(integer),
            (_, Ok(float)) if float.is_finite() => Value::from(float),
            _ => Value::from(text),
        },
    }
}

fn insert(dict: &mut Dict, key: &str, value: Value) {
    match key.split_once('.') {
        None => {
            dict.insert(key.to_owned(), value);
        }
        Some((table, rest)) => {
            let entry = dict.entry(table.to_owned()).or_insert_with(|| Value::from(Dict::new()));
            if let Value::Dict(_, inner) = entry {
                insert(inner, rest, value);
            }
        }
    }
}

impl Provider for Variables {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.name)
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Map::from([(Profile::Default, self.keys.clone())]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_dot_env_file() {
        let read = |line| dot_env_line(line).map(|(name, value)| format!("{name}|{value}"));
        for (line, expected) in [
            ("APP_NAME=Retail Cast", "APP_NAME|Retail Cast"),
            ("export APP_NAME = \"Retail # Cast\" # the name", "APP_NAME|Retail # Cast"),
            ("AGENT_REQUIRE_APPROVAL=[\"a\", \"b\"]", "AGENT_REQUIRE_APPROVAL|[\"a\", \"b\"]"),
            ("DATABASE_URL='postgresql://u:p=1@h/d'", "DATABASE_URL|postgresql://u:p=1@h/d"),
            ("API_PORT=9000 # free", "API_PORT|9000"),
            ("EMPTY=", "EMPTY|"),
        ] {
            assert_eq!(read(line).as_deref(), Some(expected));
        }
        assert_eq!(read("# API_PORT=1"), None);
        assert_eq!(read("no assignment"), None);
    }
}
