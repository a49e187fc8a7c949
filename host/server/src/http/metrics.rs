//! Prometheus metrics: one recorder per process, written out at `/metrics`.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::extract::State;
use axum::http::{Method, header};
use axum::response::IntoResponse;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;

/// Seconds; from a health check to a slow fit.
const BUCKETS: [f64; 12] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 5.0, 15.0, 60.0];

/// The process's recorder. Installed at the first call; `None` when another library has installed one.
pub fn recorder() -> Option<&'static PrometheusHandle> {
    static HANDLE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    let install = || {
        let builder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BUCKETS)
            .and_then(PrometheusBuilder::install_recorder);
        describe();
        if let Ok(handle) = &builder {
            keep_up(handle.clone());
        }
        builder.inspect_err(|e| tracing::warn!("no metrics: {e}")).ok()
    };
    HANDLE.get_or_init(install).as_ref()
}

/// Folds the samples of histograms into their buckets, also when nobody fetches them.
fn keep_up(handle: PrometheusHandle) {
    let work = move || {
        loop {
            std::thread::sleep(Duration::from_secs(5));
            handle.run_upkeep();
        }
    };
    if let Err(e) = std::thread::Builder::new().name("metrics".to_owned()).spawn(work) {
        tracing::warn!("the samples of metrics are only folded when they are fetched: {e}");
    }
}

fn describe() {
    use metrics::{describe_counter, describe_gauge, describe_histogram};
    describe_histogram!("http_request_duration_seconds", "Time from the request's head to the response's.");
    describe_counter!("http_requests_total", "Requests by method, route and status.");
    describe_gauge!("compute_queue_waiting", "Calls that wait for a compute thread.");
    describe_gauge!("job_tasks_waiting", "Tasks of jobs that no worker has.");
    describe_gauge!("job_oldest_waiting_seconds", "How long the oldest of them has waited.");
    describe_histogram!(
        "job_queue_seconds",
        "Time from a job's submission to its first try in this process."
    );
    describe_histogram!("job_task_seconds", "Time that a task of a job took in this process, by outcome.");
    describe_gauge!("database_connections", "Open database connections of this process.");
    describe_gauge!("database_connections_idle", "Those of them that nobody uses.");
}

/// Counts a request.
pub fn record(method: &Method, route: &str, status: u16, elapsed: Duration) {
    // The method is the client's to choose; only names that exist become series.
    let known = [
        Method::GET,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::HEAD,
        Method::OPTIONS,
    ];
    let method = if known.contains(method) { method.as_str() } else { "other" };
    let labels = [("method", method.to_owned()), ("route", route.to_owned()), ("status", status.to_string())];
    metrics::counter!("http_requests_total", &labels).increment(1);
    metrics::histogram!("http_request_duration_seconds", &labels[..2]).record(elapsed.as_secs_f64());
}

/// The route.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(metrics_text))
}

/// Prometheus metrics
#[utoipa::path(get, path = "/metrics", tag = "operations", responses(
    (status = 200, description = "Text exposition format 0.0.4", body = String, content_type = "text/plain")
))]
async fn metrics_text(State(app): State<Arc<App>>) -> impl IntoResponse {
    metrics::gauge!("compute_queue_waiting").set(app.compute.waiting() as f64);
    metrics::gauge!("database_connections").set(f64::from(app.pool.size()));
    metrics::gauge!("database_connections_idle").set(app.pool.num_idle() as f64);
    // Without a database the other numbers are still told.
    match app.jobs.backlog().await {
        Ok((waiting, oldest)) => {
            metrics::gauge!("job_tasks_waiting").set(waiting as f64);
            metrics::gauge!("job_oldest_waiting_seconds").set(oldest);
        }
        Err(error) => tracing::warn!(%error, "cannot count the tasks that wait"),
    }
    let text = recorder().map(PrometheusHandle::render).unwrap_or_default();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
}
