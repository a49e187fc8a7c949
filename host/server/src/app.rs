//! Puts the parts together, the same for the server, the command line and tests.

use std::sync::Arc;
use std::time::Duration;

use retailcast_core::chunking::ChunkLimits;
use retailcast_runtime::{Catalogue, ComputePool, Engine, EngineSettings, PluginError};
use sqlx::PgPool;

use crate::access::{Gate, Keys};
use crate::admission;
use crate::ai::{AiSettings, LiveSettings};
use crate::artifacts::{ArtifactRoot, ModelStore, Storage};
use crate::compute;
use crate::config::{AppEnv, Config};
use crate::http::App;
use crate::http::sockets::Sockets;
use crate::jobs::{Bell, Jobs, Runner, RunnerSettings, Worker, WorkerSettings};
use crate::llm::{Client, ClientError, Ollama};
use crate::slices::agents::{Agents, Services};
use crate::slices::ai_config::AiConfig;
use crate::slices::analytics::{Analytics, AnalyticsSettings};
use crate::slices::backtesting::{BacktestSettings, Backtesting};
use crate::slices::demo::Demo;
use crate::slices::dimensions::Dimensions;
use crate::slices::explain::Explanations;
use crate::slices::featuresets::{FeatureSettings, Featuresets};
use crate::slices::forecasting::service::{Forecasting, ForecastingSettings};
use crate::slices::ingest::{Ingest, IngestSettings};
use crate::slices::plugins::Plugins;
use crate::slices::rag::{Knowledge, KnowledgeSettings, Providers};
use crate::slices::registry::Registry;
use crate::slices::rollups::Rollups;
use crate::slices::scenarios::Scenarios;
use crate::slices::seeder::{Seeder, SeederSettings};

/// Why the parts do not come together.
#[derive(Debug, thiserror::Error)]
pub enum AssembleError {
    /// The plugin host does not start.
    #[error("cannot start the plugin host: {0}")]
    Plugins(#[from] PluginError),
    /// The compute threads do not start.
    #[error("cannot start the compute threads: {0}")]
    Threads(#[from] std::io::Error),
    /// A proxy's address.
    #[error("{0}")]
    Proxies(String),
    /// No client for models.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The bucket of a setting cannot be used.
    #[error("`{key}` = \"{root}\": {source}")]
    Artifacts {
        /// The setting.
        key: &'static str,
        /// Its value.
        root: ArtifactRoot,
        /// What the provider's client misses.
        source: Box<object_store::Error>,
    },
}

/// Loads all plugins: the built-in ones and those of the operator's folder.
pub fn catalogue(config: &Config) -> Result<Catalogue, PluginError> {
    use tokio::runtime::{Handle, RuntimeFlavor};
    match Handle::try_current() {
        // A plugin that writes a line waits for it, which threads of the runtime may do only when they say so.
        Ok(runtime) if runtime.runtime_flavor() == RuntimeFlavor::MultiThread => {
            tokio::task::block_in_place(|| load(config))
        }
        _ => load(config),
    }
}

fn load(config: &Config) -> Result<Catalogue, PluginError> {
    let engine =
        Engine::new(EngineSettings { pooling: config.plugins.pooling, ..EngineSettings::default() })?;
    let bundled = retailcast_bundled::PLUGINS.iter().map(|plugin| (plugin.name, plugin.component));
    let admission = admission::by_smoke_checks(config.plugins.cache_dir.clone());
    Catalogue::load_admitting(engine, config.plugins.catalogue(), bundled, admission)
}

/// Training and forecasts, for the command line.
pub fn forecasting(config: &Config, pool: PgPool) -> Result<Forecasting, AssembleError> {
    let compute = compute::start_alone(config.compute.threads, config.compute.queue)?;
    forecasting_on(config, pool, compute, Arc::new(catalogue(config)?))
}

/// Cross-validation, for the command line.
pub fn backtesting(config: &Config, pool: PgPool) -> Result<Backtesting, AssembleError> {
    let compute = compute::start_alone(config.compute.threads, config.compute.queue)?;
    let forecasting = forecasting_on(config, pool, Arc::clone(&compute), Arc::new(catalogue(config)?))?;
    Ok(backtesting_on(config, forecasting, compute))
}

fn backtesting_on(config: &Config, forecasting: Forecasting, compute: Arc<ComputePool>) -> Backtesting {
    let settings = BacktestSettings {
        max_splits: config.backtest.max_splits,
        default_min_train_size: config.backtest.default_min_train_size,
        max_gap: config.backtest.max_gap,
        max_portfolio_points: config.backtest.max_portfolio_points,
    };
    Backtesting::new(forecasting, compute, settings)
}

/// Synthetic data.
pub fn seeder(config: &Config, pool: PgPool, compute: Arc<ComputePool>) -> Seeder {
    let settings = SeederSettings {
        blocked: config.app.env == AppEnv::Production && !config.seeder.allow_production,
        batch_size: config.seeder.batch_size,
    };
    Seeder::new(pool, compute, settings)
}

fn knowledge(
    config: &Config,
    pool: PgPool,
    compute: Arc<ComputePool>,
    catalogue: Arc<Catalogue>,
    ai: LiveSettings,
) -> Knowledge {
    let providers = Providers::new(catalogue, Arc::clone(&compute), config.rag.embedding_batch_size);
    let settings = KnowledgeSettings {
        root: config.rag.root.clone(),
        chunks: ChunkLimits {
            size: config.rag.chunk_size,
            overlap: config.rag.chunk_overlap,
            least: config.rag.min_chunk_size,
        },
        similarity_threshold: config.rag.similarity_threshold,
    };
    Knowledge::new(pool, compute, Arc::new(providers), ai, settings)
}

/// What runs jobs: threads of its own, so that requests do not wait behind jobs.
pub fn worker(
    config: &Config,
    pool: PgPool,
    catalogue: Arc<Catalogue>,
    bell: Arc<Bell>,
    slots: usize,
) -> Result<Worker, AssembleError> {
    let compute = compute::start_alone(slots, config.compute.queue)?;
    let mut forecasting = forecasting_on(config, pool.clone(), Arc::clone(&compute), catalogue)?;
    forecasting.allow(Duration::from_secs(config.jobs.run_seconds));
    let backtesting = backtesting_on(config, forecasting.clone(), compute);
    let runner = RunnerSettings { chunk_series: config.jobs.chunk_series };
    let runner = Arc::new(Runner::new(forecasting, backtesting, pool.clone(), runner));
    let settings = WorkerSettings {
        name: worker_name(),
        slots,
        lease: Duration::from_secs_f64(config.jobs.lease_seconds),
        poll: Duration::from_secs_f64(config.jobs.poll_seconds),
        max_attempts: i32::try_from(config.jobs.max_attempts).unwrap_or(i32::MAX),
        grace: Duration::from_secs(config.server.shutdown_seconds),
    };
    Ok(Worker::new(pool, bell, runner, settings))
}

/// Machine and process.
fn worker_name() -> String {
    let host = rustix::system::uname();
    format!("{}:{}", host.nodename().to_string_lossy(), std::process::id())
}

fn forecasting_on(
    config: &Config,
    pool: PgPool,
    compute: Arc<ComputePool>,
    catalogue: Arc<Catalogue>,
) -> Result<Forecasting, AssembleError> {
    let settings = ForecastingSettings {
        random_seed: config.forecast.random_seed,
        enable_lightgbm: config.forecast.enable_lightgbm,
        missing_days: config.forecast.missing_days,
        boosting_threads: compute::or_all_cores(config.compute.boosting_threads),
        max_horizon: config.forecast.longest_horizon(),
        default_horizon: config.forecast.usual_horizon(),
        deadline: Duration::from_secs(config.server.request_seconds),
    };
    let models = storage("forecast.model_artifacts_dir", &config.forecast.model_artifacts_dir)?;
    Ok(Forecasting::new(pool, catalogue, compute, ModelStore::new(models), settings))
}

fn storage(key: &'static str, root: &ArtifactRoot) -> Result<Storage, AssembleError> {
    Storage::open(root).map_err(|source| AssembleError::Artifacts {
        key,
        root: root.clone(),
        source: source.into(),
    })
}

/// Settings of language and embedding models, as configured.
fn ai_config(config: &Config, pool: PgPool, live: LiveSettings, client: Client) -> AiConfig {
    AiConfig::new(pool, live, &config.providers.ollama_hosts, Ollama::new(client))
}

/// Everything that requests work with.
pub fn assemble(config: &Config, pool: PgPool, catalogue: Arc<Catalogue>) -> Result<Arc<App>, AssembleError> {
    let compute = compute::start(config.compute.threads, config.compute.queue)?;
    let settings = IngestSettings {
        batch_size: config.ingest.batch_size,
        timeout: Duration::from_secs(config.ingest.timeout_seconds),
        most_bytes: config.ingest.max_table_mib << 20,
    };
    let rollups = Rollups::new(pool.clone());
    let limits = AnalyticsSettings {
        max_rows: i64::from(config.analytics.max_rows),
        max_date_range_days: i64::from(config.analytics.max_date_range_days),
    };
    let features = FeatureSettings {
        max_lookback_days: config.features.longest_lookback(),
        max_lag: config.features.max_lag,
        max_window: config.features.max_window,
        missing_days: config.forecast.missing_days,
        deadline: Duration::from_secs(config.server.request_seconds),
    };
    let plugins = Plugins::new(Arc::clone(&catalogue), config.clone());
    let forecasting = forecasting_on(config, pool.clone(), Arc::clone(&compute), Arc::clone(&catalogue))?;
    let registry = Registry::new(
        pool.clone(),
        storage("registry.artifact_root", &config.registry.artifact_root)?,
        Arc::clone(&catalogue),
        config.registry.duplicate_policy,
    );
    let scenarios = Scenarios::new(
        pool.clone(),
        forecasting.clone(),
        Arc::clone(&catalogue),
        Arc::clone(&compute),
        config.scenarios.adjuster.clone(),
    );
    let jobs = Jobs::new(pool.clone(), Arc::new(Bell::default()));
    let explanations = Explanations::new(
        pool.clone(),
        Arc::clone(&catalogue),
        Arc::clone(&compute),
        forecasting.clone(),
        registry.clone(),
        jobs.clone(),
    );
    let ai = LiveSettings::new(AiSettings::of(config));
    let knowledge = knowledge(config, pool.clone(), Arc::clone(&compute), catalogue, ai.clone());
    let client = Client::new()?;
    let backtesting = backtesting_on(config, forecasting.clone(), Arc::clone(&compute));
    let services = Services {
        registry: registry.clone(),
        backtesting: backtesting.clone(),
        scenarios: scenarios.clone(),
        knowledge: knowledge.clone(),
    };
    let agents = Agents::new(pool.clone(), ai.clone(), client.clone(), services);
    let ai_config = ai_config(config, pool.clone(), ai.clone(), client);
    let gate = Gate {
        keys: config.access.require_keys.then(|| Keys::new(pool.clone())),
        rate: config.access.rate(),
        trusted: config.access.trusted().map_err(AssembleError::Proxies)?,
    };
    Ok(Arc::new(App {
        config: config.app.clone(),
        gate: Arc::new(gate),
        sockets: Sockets::new(config.server.max_websockets),
        ingest: Ingest::new(pool.clone(), settings),
        dimensions: Dimensions::new(pool.clone()),
        analytics: Analytics::new(pool.clone(), rollups.clone(), limits),
        rollups,
        seeder: seeder(config, pool.clone(), Arc::clone(&compute)),
        featuresets: Featuresets::new(pool.clone(), Arc::clone(&compute), features),
        jobs,
        explanations,
        demo: Demo::default(),
        backtesting,
        registry,
        scenarios,
        forecasting,
        plugins,
        knowledge,
        ai,
        agents,
        ai_config,
        compute,
        pool,
    }))
}
