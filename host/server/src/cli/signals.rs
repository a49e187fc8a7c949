//! What the program does on signals.

use tokio::signal::unix::{SignalKind, signal};

use crate::slices::plugins::Plugins;

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

/// On SIGHUP the plugin settings and the folder are read again; running calls go on with what they have.
pub(super) async fn reload_plugins(plugins: Plugins) {
    let mut hangups = match signal(SignalKind::hangup()) {
        Ok(hangups) => hangups,
        Err(e) => {
            tracing::warn!("cannot wait for SIGHUP, so it does not load plugins again: {e}");
            return;
        }
    };
    while hangups.recv().await.is_some() {
        let plugins = plugins.clone();
        let reloading = tokio::task::spawn_blocking(move || plugins.reload_and_log());
        if let Err(e) = reloading.await {
            tracing::error!("loading the plugins again failed: {e}");
        }
    }
}
