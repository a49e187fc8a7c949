//! `retailcast worker`.

use std::sync::Arc;

use super::serve::{Loading, watch_plugins};
use super::{CliError, signals};
use crate::config::Config;
use crate::jobs::Bell;
use crate::slices::plugins::Plugins;
use crate::{app, compute, db};

/// Options.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Tasks at once, each on a thread of its own; without it as many as there are cores
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    slots: Option<u16>,
}

pub(super) async fn run(config: &Config, args: Args) -> Result<(), CliError> {
    let plugins = {
        let config = config.clone();
        tokio::task::spawn_blocking(move || app::catalogue(&config))
    };
    let database = db::Database::open(config).await.map_err(|e| CliError::failed(&e))?;
    let outcome = work(config, &database, plugins, args).await;
    database.close().await.map_err(|e| CliError::failed(&e))?;
    tracing::info!("stopped");
    outcome
}

async fn work(
    config: &Config,
    database: &db::Database,
    plugins: Loading,
    args: Args,
) -> Result<(), CliError> {
    let catalogue = plugins.await.map_err(|e| CliError::failed(&e))?.map_err(|e| CliError::failed(&e))?;
    let catalogue = Arc::new(catalogue);
    let plugins = Plugins::new(Arc::clone(&catalogue), config.clone());
    tokio::spawn(signals::reload_plugins(plugins.clone()));
    let _watch = watch_plugins(config, &plugins);
    let bell = Arc::new(Bell::default());
    tokio::spawn({
        let (bell, pool) = (Arc::clone(&bell), database.pool.clone());
        async move { bell.listen(pool).await }
    });
    let slots = compute::or_all_cores(args.slots.map_or(0, usize::from));
    let worker = app::worker(config, database.pool.clone(), catalogue, bell, slots);
    let worker = worker.map_err(|e| CliError::failed(&e))?;
    let (stop, stopping) = tokio::sync::watch::channel(false);
    let working = worker.run(stopping);
    tokio::pin!(working);
    tokio::select! {
        () = &mut working => return Ok(()),
        () = signals::stop() => tracing::info!("stopping: running tasks may end"),
    }
    // The worker listens: it runs below.
    let _ = stop.send(true);
    working.await;
    Ok(())
}
