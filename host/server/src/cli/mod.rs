//! The command line. Every command calls the same services as the API.

mod backtest;
mod backup;
mod demo;
mod doctor;
mod forecast;
mod import;
mod key;
mod listener;
mod migrate;
mod openapi;
mod output;
mod picture;
mod plugin;
mod seed;
mod serve;
mod signals;
mod stdout;
mod worker;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::app::AssembleError;
use crate::config::Config;
use crate::logging;

/// Demand forecasting for retail: a server whose models are WebAssembly plugins.
#[derive(Debug, Parser)]
#[command(
    name = "retailcast",
    version,
    after_help = "Without database.url an embedded PostgreSQL is started in .retailcast/ (scripts/setup.sh installs it).\n\
                  Exit codes: 0 done, 2 the input or the configuration does not fit, 1 anything else failed."
)]
struct Cli {
    /// Configuration file; `retailcast.toml` of this folder is read without it, when there is one
    #[arg(long, global = true, env = "RETAILCAST_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the HTTP API
    Serve(serve::Args),
    /// Run jobs; any number of workers may share a database and a store of model files
    Worker(worker::Args),
    /// Bring the database's schema up to date
    Migrate,
    /// Load stores, products, a calendar or sales from a file
    Import(import::Args),
    /// Train models on a selection of series and forecast
    Forecast(forecast::Args),
    /// Cross-validate models on a selection of series and rank them
    Backtest(backtest::Args),
    /// Import the bakery data, hold out two weeks, compare all models
    Demo(demo::Args),
    /// Make, delete or check synthetic data
    #[command(subcommand)]
    Seed(seed::Command),
    /// Look at plugins, make, check and run them
    #[command(subcommand)]
    Plugin(plugin::Command),
    /// Make, list and revoke API keys
    #[command(subcommand)]
    Key(key::Command),
    /// Check that what is stored fits together: data, jobs, artifacts, documents, plugins
    Doctor(doctor::Args),
    /// Write everything that is kept into one file, while the server runs
    Backup(backup::Args),
    /// Restore a backup into an empty place
    Restore(backup::Args),
    /// Print the OpenAPI document
    Openapi,
    /// Print the configuration with all keys, their defaults and what they do
    DefaultConfig,
}

/// What is at fault decides the exit code.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    /// Input or configuration that does not fit.
    #[error("{0}")]
    Refused(String),
    /// Anything else.
    #[error("{0}")]
    Failed(String),
}

impl CliError {
    fn refused(error: &impl ToString) -> Self {
        Self::Refused(error.to_string())
    }

    fn failed(error: &impl ToString) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<AssembleError> for CliError {
    fn from(error: AssembleError) -> Self {
        match error {
            AssembleError::Artifacts { .. } | AssembleError::Proxies(_) => Self::refused(&error),
            AssembleError::Plugins(_) | AssembleError::Threads(_) | AssembleError::Client(_) => {
                Self::failed(&error)
            }
        }
    }
}

/// Runs the program.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(if matches!(error, CliError::Refused(_)) { 2 } else { 1 })
        }
    }
}

fn run(cli: Cli) -> Result<(), CliError> {
    if matches!(cli.command, Command::DefaultConfig) {
        stdout::print(format_args!("{}", crate::config::DEFAULTS));
        return Ok(());
    }
    let config = Config::load(cli.config.as_deref()).map_err(|e| CliError::refused(&e))?;
    let quiet = !matches!(cli.command, Command::Serve(_) | Command::Worker(_));
    logging::start(&config, quiet);
    // Outside the asynchronous runtime: a plugin that writes a line waits for it, which its threads may not.
    if let Command::Plugin(command) = &cli.command {
        return plugin::run(&config, command);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| CliError::Failed(format!("cannot start the asynchronous runtime: {e}")))?;
    runtime.block_on(async {
        match cli.command {
            Command::Serve(args) => serve::run(config, args).await,
            Command::Worker(args) => worker::run(&config, args).await,
            Command::Migrate => migrate::run(&config).await,
            Command::Import(args) => import::run(&config, args).await,
            Command::Forecast(args) => forecast::run(&config, args).await,
            Command::Backtest(args) => backtest::run(&config, args).await,
            Command::Demo(args) => demo::run(&config, args).await,
            Command::Seed(command) => seed::run(&config, command).await,
            Command::Key(command) => key::run(&config, command).await,
            Command::Doctor(args) => doctor::run(&config, args).await,
            Command::Backup(args) => backup::write(&config, args).await,
            Command::Restore(args) => backup::restore(&config, args).await,
            Command::Openapi => openapi::run(&config),
            Command::Plugin(_) | Command::DefaultConfig => Ok(()),
        }
    })
}

/// Opens the database, works with it and closes it, whatever the work's outcome.
async fn with_database<T>(
    config: &Config,
    work: impl AsyncFnOnce(&sqlx::PgPool) -> Result<T, CliError>,
) -> Result<T, CliError> {
    let database = crate::db::Database::open(config).await.map_err(|e| CliError::failed(&e))?;
    let outcome = tokio::select! {
        outcome = work(&database.pool) => outcome,
        // Not even then the embedded server is left behind.
        () = signals::stop() => Err(CliError::Failed("interrupted".to_owned())),
    };
    let closed = database.close().await.map_err(|e| CliError::failed(&e));
    let outcome = outcome?;
    closed?;
    Ok(outcome)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
