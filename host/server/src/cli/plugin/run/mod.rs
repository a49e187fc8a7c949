//! `retailcast plugin run`: one call of a plugin, on made-up data or a file, without server and database.

mod adjuster;
mod embedder;
mod explainer;
mod fixture;
mod model;
mod show;

use std::path::PathBuf;

use retailcast_core::Day;
use retailcast_runtime::panel::History;
use retailcast_runtime::{Call, Engine, EngineSettings, Plugin, Trace, open};

use super::file::{GrantArg, OneFile};
use super::models;
use crate::cli::CliError;
use crate::cli::stdout::say;
use crate::config::Config;

/// Options.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    retailcast plugin run drift.wasm --trace\n  \
    retailcast plugin run drift.wasm --fixture sales.csv --model-config '{\"window\": 14}' --horizon 28\n  \
    retailcast plugin run explainer.wasm --model naive --fixture intermittent\n  \
    retailcast plugin run adjuster.wasm --assumptions '{\"lifecycle\": {\"stage\": \"launch\"}}'\n  \
    retailcast plugin run embedder.wasm --text 'tea sells well' --text 'demand for tea is high'")]
pub(in crate::cli) struct Args {
    /// The component
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Data: ordinary, constant, intermittent, gaps, unknown, or a CSV file with the columns date, quantity and, if there is one, unit_price
    #[arg(long, default_value = "ordinary", value_name = "NAME|FILE.csv")]
    fixture: String,
    /// The model's configuration; defaults are filled in
    #[arg(long, default_value = "{}", value_name = "JSON")]
    model_config: String,
    /// Days to forecast
    #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(u32).range(1..=365))]
    horizon: u32,
    /// Explainers: the model type to explain [default: the first that it names]
    #[arg(long, value_name = "TYPE")]
    model: Option<String>,
    /// Scenario adjusters: what is assumed, as in POST /scenarios/simulate [default: 15 % cheaper from the third day on]
    #[arg(long, value_name = "JSON")]
    assumptions: Option<String>,
    /// Embedding providers: a text to compare with the others, given several times [default: three sentences]
    #[arg(long, value_name = "TEXT")]
    text: Vec<String>,
    /// Print every call between host and plugin, with sizes and times
    #[arg(long)]
    trace: bool,
    /// Grant a capability, beside those of the configuration
    #[arg(long = "grant", value_enum, value_name = "CAPABILITY")]
    grants: Vec<GrantArg>,
}

pub(super) fn run(config: &Config, args: &Args) -> Result<(), CliError> {
    let file = OneFile::read(config, &args.file, &args.grants)?;
    let history = fixture::fixture(&args.fixture)?;
    let engine = Engine::new(EngineSettings::default()).map_err(|e| CliError::failed(&e))?;
    let plugin =
        open(&engine, None, &file.key, &file.bytes, &file.settings).map_err(|e| CliError::refused(&e))?;
    let trace = Trace::default();
    let call = Call {
        id: "plugin-run".to_owned(),
        seed: config.forecast.random_seed,
        now: std::time::Duration::from_hours(24) * last_day(&history).0.unsigned_abs(),
        trace: args.trace.then(|| trace.clone()),
        ..Call::default()
    };
    let horizon = args.horizon as usize;
    let outcome = match &plugin {
        Plugin::ForecastModel(model) => model::run(&**model, &call, &args.model_config, &history, horizon),
        Plugin::Explainer(explainer) => {
            let beside = models::bundled(&engine, config);
            explainer::run(&**explainer, &beside, &call, args.model.as_deref(), &args.model_config, &history)
        }
        Plugin::ScenarioAdjuster(adjuster) => {
            adjuster::run(&**adjuster, &call, args.assumptions.as_deref(), &history, horizon)
        }
        Plugin::EmbeddingProvider(provider) => {
            embedder::run(&**provider, &call, config.rag.embedding_dimension, &args.text)
        }
    };
    // Also of a run that failed: that is when it is wanted.
    if args.trace {
        say!("{}", show::calls(&trace.crossings()));
    }
    say!("{}", outcome?);
    Ok(())
}

/// The day after which everything is to be forecast.
fn last_day(history: &History) -> Day {
    history.series.days.last().copied().unwrap_or(Day(0))
}
