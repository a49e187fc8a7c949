//! `retailcast serve`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::serve::ListenerExt;
use retailcast_runtime::Watch;
use tokio::net::TcpListener;

use super::listener::Limited;
use super::{CliError, signals};
use crate::config::Config;
use crate::slices::plugins::Plugins;
use crate::{app, db, http};

/// Options.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Address to listen on, instead of server.host
    #[arg(long)]
    host: Option<String>,
    /// Port to listen on, instead of server.port; 0 takes any free one
    #[arg(long)]
    port: Option<u16>,
}

pub(super) async fn run(mut config: Config, args: Args) -> Result<(), CliError> {
    config.server.host = args.host.unwrap_or(config.server.host);
    config.server.port = args.port.unwrap_or(config.server.port);
    config.check_host().map_err(CliError::Refused)?;

    // Compiling plugins and starting the database do not wait for each other.
    let plugins = {
        let config = config.clone();
        tokio::task::spawn_blocking(move || app::catalogue(&config))
    };
    let database = db::Database::open(&config).await.map_err(|e| CliError::failed(&e))?;
    let outcome = serve(&config, &database, plugins).await;
    database.close().await.map_err(|e| CliError::failed(&e))?;
    tracing::info!("stopped");
    outcome
}

pub(super) type Loading =
    tokio::task::JoinHandle<Result<retailcast_runtime::Catalogue, retailcast_runtime::PluginError>>;

async fn serve(config: &Config, database: &db::Database, plugins: Loading) -> Result<(), CliError> {
    let catalogue = plugins.await.map_err(|e| CliError::failed(&e))?.map_err(|e| CliError::failed(&e))?;
    let models = catalogue.model_types();
    let catalogue = Arc::new(catalogue);
    let app = app::assemble(config, database.pool.clone(), Arc::clone(&catalogue))?;
    tokio::spawn(signals::reload_plugins(app.plugins.clone()));
    let _watch = watch_plugins(config, &app.plugins);
    let (host, port) = (config.server.host.as_str(), config.server.port);
    let listener = TcpListener::bind((host, port)).await.map_err(|e| {
        CliError::Failed(format!("cannot listen on {host}:{port} (server.host, server.port): {e}"))
    })?;
    let address = listener.local_addr().map_err(|e| CliError::failed(&e))?;
    announce(config, address, &models);
    warn_without_keys(&app).await;

    let (stop, mut stopping) = tokio::sync::watch::channel(false);
    let bell = Arc::clone(app.jobs.bell());
    tokio::spawn({
        let (bell, pool) = (Arc::clone(&bell), database.pool.clone());
        async move { bell.listen(pool).await }
    });
    app.ai_config.load().await;
    // Ends when the pool closes.
    tokio::spawn(app.ai_config.clone().follow(Arc::clone(&bell)));
    let jobs = match config.jobs.workers {
        0 => None,
        slots => {
            let worker = app::worker(config, database.pool.clone(), catalogue, bell, slots);
            Some(tokio::spawn(worker.map_err(|e| CliError::failed(&e))?.run(stopping.clone())))
        }
    };
    let graceful = async move {
        signals::stop().await;
        tracing::info!("stopping: running requests may end");
        let _ = stop.send(true);
    };
    // Ends when the pool closes.
    tokio::spawn(app.rollups.clone().keep_fresh());
    let listener =
        Limited::new(listener, config.server.max_connections).tap_io(|io| send_at_once(&io.stream));
    let service = http::router(app).into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(listener, service).with_graceful_shutdown(graceful);
    let limit = Duration::from_secs(config.server.shutdown_seconds);
    let outcome = tokio::select! {
        done = std::future::IntoFuture::into_future(server) => done.map_err(|e| CliError::failed(&e)),
        () = async {
            // Ends when the sender is gone, too: then the server has ended already.
            let _ = stopping.changed().await;
            tokio::time::sleep(limit).await;
        } => {
            tracing::warn!(seconds = limit.as_secs(), "requests still run, stopping anyway");
            Ok(())
        }
    };
    if let Some(jobs) = jobs {
        // Tasks that do not end in time are put back.
        jobs.await.map_err(|e| CliError::failed(&e))?;
    }
    outcome
}

/// Until it is dropped, changes in the plugin folder are followed.
pub(super) fn watch_plugins(config: &Config, plugins: &Plugins) -> Option<Watch> {
    let plugins = plugins.clone();
    let watch = Watch::start(&config.plugins.dir, move || plugins.reload_and_log());
    let unwatched = |e: &_| tracing::warn!("{e}; SIGHUP and POST /plugins/reload load plugins again");
    watch.inspect_err(unwatched).ok()
}

fn announce(config: &Config, address: SocketAddr, models: &[String]) {
    let database = if config.database.url.is_some() { "external" } else { "embedded" };
    tracing::info!(
        url = format!("http://{address}"),
        docs = format!("http://{address}/docs"),
        database,
        models = models.join(", "),
        "{} {} serves",
        config.app.name,
        env!("CARGO_PKG_VERSION")
    );
}

/// A server that wants keys and has none answers nobody.
async fn warn_without_keys(app: &http::App) {
    let Some(keys) = &app.gate.keys else { return };
    match keys.all().await {
        Ok(all) if all.is_empty() => tracing::warn!(
            "access.require_keys is set and there are no keys yet; `retailcast key create --scope admin` makes one"
        ),
        Ok(_) => {}
        Err(e) => tracing::warn!("the API keys cannot be read: {e}"),
    }
}

/// Small pieces of a stream do not wait for each other.
fn send_at_once(socket: &tokio::net::TcpStream) {
    // The connection works without it, only later.
    let _ = socket.set_nodelay(true);
}
