//! `POST /featuresets/compute` and `POST /featuresets/preview`.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::service::{FeatureRequest, FeaturesetsError};
use super::wire::{self, ComputeBody, FeatureSetResult, PreviewBody};
use crate::compute::ComputeError;
use crate::http::problem::ProblemBody;
use crate::http::{App, Code, JsonBody, Problem, RequestId};

/// The routes.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(compute)).routes(routes!(preview))
}

/// Compute features
///
/// Features of one (store, product) series for every day of a window that ends with the cutoff day. No feature of a
/// day knows what was observed on that day or later. Nothing is kept.
#[utoipa::path(
    post, path = "/featuresets/compute", tag = "featuresets", request_body = ComputeBody,
    responses(
        (status = 200, description = "The features of all days", body = FeatureSetResult),
        (status = 400, description = "`/errors/bad-request`: a named column does not exist or cannot be used as such, or days are missing and the policy refuses that", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`/errors/not-found`: no sales in the window", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`/errors/payload-too-large`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`/errors/validation`: the body does not fit", body = ProblemBody, content_type = "application/problem+json"),
        (status = 500, description = "`/errors/database`: the database failed", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`/errors/service-unavailable`: all compute threads are busy", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn compute(
    State(app): State<Arc<App>>,
    RequestId(request_id): RequestId,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let started = Instant::now();
    let request = wire::read_compute(&body, app.featuresets.settings()).map_err(Problem::validation)?;
    answer(&app, request, usize::MAX, &request_id, started).await
}

/// Look at the newest features
///
/// The same computation over 365 days; only the newest rows are shown. `null_counts` covers all of them.
#[utoipa::path(
    post, path = "/featuresets/preview", tag = "featuresets", request_body = PreviewBody,
    responses(
        (status = 200, description = "The features of the newest days", body = FeatureSetResult),
        (status = 400, description = "`/errors/bad-request`: a named column does not exist or cannot be used as such, or days are missing and the policy refuses that", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`/errors/not-found`: no sales in the window", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`/errors/payload-too-large`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`/errors/validation`: the body does not fit", body = ProblemBody, content_type = "application/problem+json"),
        (status = 500, description = "`/errors/database`: the database failed", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`/errors/service-unavailable`: all compute threads are busy", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn preview(
    State(app): State<Arc<App>>,
    RequestId(request_id): RequestId,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let started = Instant::now();
    let (request, samples) =
        wire::read_preview(&body, app.featuresets.settings()).map_err(Problem::validation)?;
    answer(&app, request, samples, &request_id, started).await
}

/// Computes, and writes the newest `most` rows.
async fn answer(
    app: &App,
    request: FeatureRequest,
    most: usize,
    request_id: &str,
    started: Instant,
) -> Result<Response, Problem> {
    let (series, cutoff) = ((request.store_id, request.product_id), request.cutoff);
    let computed = app.featuresets.compute(request, request_id).await.map_err(problem)?;
    let result = FeatureSetResult::new(series, cutoff, computed, most, started.elapsed());
    // Tens of megabytes of text when the set is wide: not on a thread that answers requests.
    let writing = tokio::task::spawn_blocking(move || serde_json::to_vec(&result));
    let json = writing.await.map_err(|e| Problem::internal(&e))?.map_err(|e| Problem::internal(&e))?;
    Ok(([(header::CONTENT_TYPE, "application/json")], json).into_response())
}

/// A failure of the service as a problem.
pub fn problem(error: FeaturesetsError) -> Problem {
    let refused = |code| Problem::new(code, format!("{error}."));
    match &error {
        FeaturesetsError::NoSales { .. } => refused(Code::NotFound),
        FeaturesetsError::Refused(_) => refused(Code::BadRequest),
        FeaturesetsError::Compute(ComputeError::Busy(_) | ComputeError::Late) => {
            refused(Code::ServiceUnavailable).retry_after(1)
        }
        FeaturesetsError::Compute(ComputeError::Lost) => Problem::internal(&error),
        FeaturesetsError::Database(cause) => Problem::database(cause),
    }
}
