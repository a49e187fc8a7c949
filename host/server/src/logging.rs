//! Structured logs to standard error: standard output belongs to results.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{Config, LogFormat, LogLevel};

/// Starts logging. `quiet` shows warnings and errors only, for commands that have a progress bar.
pub(crate) fn start(config: &Config, quiet: bool) {
    let level = match config.log.level {
        _ if quiet => "warn",
        _ if config.app.debug => "debug",
        LogLevel::Debug => "debug",
        LogLevel::Info => "info",
        LogLevel::Warning => "warn",
        LogLevel::Error | LogLevel::Critical => "error",
    };
    // What libraries say of themselves is rarely of interest; SQL statements are when somebody asks.
    let sql = if config.app.debug { "info" } else { "warn" };
    let filter = EnvFilter::new(format!("{level},sqlx={sql},wasmtime=warn,cranelift=warn,hyper=warn"));
    let registry = tracing_subscriber::registry().with(filter);
    // A second subscriber (in tests) is no reason to stop.
    let _ = match config.log.format {
        // The fields of the request's span stand at the top: every line of a request carries its `request_id`.
        LogFormat::Json if !quiet => registry
            .with(
                json_subscriber::layer()
                    .with_writer(std::io::stderr)
                    .flatten_event(true)
                    .flatten_span_list_on_top_level(true)
                    .with_current_span(false)
                    .with_span_list(false),
            )
            .try_init(),
        LogFormat::Json | LogFormat::Console => {
            registry.with(tracing_subscriber::fmt::layer().with_writer(std::io::stderr)).try_init()
        }
    };
}
