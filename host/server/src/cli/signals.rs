//! What the program does on signals.

use std::sync::Arc;

use retailcast_runtime::Catalogue;
use tokio::signal::unix::{SignalKind, signal};

/// Ctrl-C, or the signal of service managers.
pub(super) async fn stop() {
    let interrupt = async {
        // Without a handler the signal ends the process anyway.
        let _ = tokio::signal::ctrl_c().await;
    };
    let terminate = async {
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => {
                terminate.recv().await;
            }
            Err(e) => {
                tracing::warn!("cannot wait for SIGTERM: {e}");
                std::future::pending::<()>().await;
            }
        }
    };
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
}

/// On SIGHUP the plugin folder is looked at again; running calls go on with what they have.
pub(super) async fn reload_plugins(catalogue: Arc<Catalogue>) {
    let mut hangups = match signal(SignalKind::hangup()) {
        Ok(hangups) => hangups,
        Err(e) => {
            tracing::warn!("cannot wait for SIGHUP, so plugins are only loaded at the start: {e}");
            return;
        }
    };
    while hangups.recv().await.is_some() {
        let catalogue = Arc::clone(&catalogue);
        let reloading = tokio::task::spawn_blocking(move || {
            catalogue.reload();
            tracing::info!(models = catalogue.model_types().join(", "), "plugins were loaded again");
        });
        if let Err(e) = reloading.await {
            tracing::error!("loading the plugins again failed: {e}");
        }
    }
}
