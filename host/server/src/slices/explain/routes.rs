//! `/explain/*`.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use retailcast_runtime::{GuestErrorCode, PluginError};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::ExplainError;
use super::service::Explained;
use super::wire::{self, ExplainForecastRequest, ForecastExplanation};
use crate::compute::ComputeError;
use crate::http::problem::ProblemBody;
use crate::http::{App, Code, JsonBody, Problem, RequestId};
use crate::slices::forecasting::routes as forecasting;
use crate::slices::registry;

/// The routes.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(forecast)).routes(routes!(run)).routes(routes!(job))
}

/// A part of the path; any text may be asked for.
type Segment = Result<Path<String>, PathRejection>;

/// Explain a forecast
///
/// What the model would forecast for the day after `as_of_date`, and what that rests on. Where a plugin explains models
/// that have to be fitted, the model is fitted for it with its default configuration, on all days up to that date. Nothing later than that date has
/// a part in it, but for the calendar of the day that is forecast. The answer is kept as an audit trail.
#[utoipa::path(
    post, path = "/explain/forecast", tag = "explain", request_body = ExplainForecastRequest,
    responses(
        (status = 200, description = "The explanation", body = ForecastExplanation),
        (status = 400, description = "`/errors/bad-request`: the series is too short for the model, nobody explains the model type, or days are missing and the policy refuses that", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`/errors/payload-too-large`: the body is larger than 16 MiB", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`/errors/validation`: the body does not fit, or the model type is not loaded", body = ProblemBody, content_type = "application/problem+json"),
        (status = 500, description = "`/errors/database` or `/errors/internal`: the database or the program failed", body = ProblemBody, content_type = "application/problem+json"),
        (status = 502, description = "`/errors/bad-gateway`: the explainer failed; `plugin_error` names the page under docs/errors", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`/errors/service-unavailable`: all compute threads are busy", body = ProblemBody, content_type = "application/problem+json"),
        (status = 504, description = "`/errors/gateway-timeout`: the explainer took longer than its limit", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn forecast(
    State(app): State<Arc<App>>,
    RequestId(request_id): RequestId,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let request = wire::read(&body, app.explanations.catalogue()).map_err(Problem::validation)?;
    Ok(answer(&app.explanations.forecast(request, &request_id).await.map_err(problem)?))
}

/// Explain a registered run
///
/// Series, model, configuration and cutoff are those of the run, in whatever state it is. Where a plugin explains fitted
/// models, the run's artifact is explained, or without one a model that is fitted as the run says.
#[utoipa::path(
    get, path = "/explain/runs/{run_id}", tag = "explain",
    params(("run_id" = String, Path, description = "Id of a registered run")),
    responses(
        (status = 200, description = "The explanation", body = ForecastExplanation),
        (status = 400, description = "`/errors/bad-request`: nobody explains the run's model, the series is too short for it, or the artifact is gone or another model", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`/errors/not-found`: there is no such run", body = ProblemBody, content_type = "application/problem+json"),
        (status = 500, description = "`/errors/database` or `/errors/internal`: the database or the program failed", body = ProblemBody, content_type = "application/problem+json"),
        (status = 502, description = "`/errors/bad-gateway`: the explainer failed; `plugin_error` names the page under docs/errors", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`/errors/service-unavailable`: all compute threads are busy", body = ProblemBody, content_type = "application/problem+json"),
        (status = 504, description = "`/errors/gateway-timeout`: the explainer took longer than its limit", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn run(
    State(app): State<Arc<App>>,
    RequestId(request_id): RequestId,
    run_id: Segment,
) -> Result<Response, Problem> {
    Ok(answer(&app.explanations.run(&text(run_id), &request_id).await.map_err(problem)?))
}

/// Explain a predict job
///
/// Its first forecast. Season and window are those of the model file as long as it is there, else 7. Where a plugin
/// explains fitted models, the file has to be there.
#[utoipa::path(
    get, path = "/explain/jobs/{job_id}", tag = "explain",
    params(("job_id" = String, Path, description = "Id of a completed predict job")),
    responses(
        (status = 200, description = "The explanation", body = ForecastExplanation),
        (status = 400, description = "`/errors/bad-request`: not a completed predict job, its result does not say what was forecast, nobody explains its model, the series is too short for it, or the model file is gone and needed", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`/errors/not-found`: there is no such job", body = ProblemBody, content_type = "application/problem+json"),
        (status = 500, description = "`/errors/database` or `/errors/internal`: the database or the program failed", body = ProblemBody, content_type = "application/problem+json"),
        (status = 502, description = "`/errors/bad-gateway`: the explainer failed; `plugin_error` names the page under docs/errors", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`/errors/service-unavailable`: all compute threads are busy", body = ProblemBody, content_type = "application/problem+json"),
        (status = 504, description = "`/errors/gateway-timeout`: the explainer took longer than its limit", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn job(
    State(app): State<Arc<App>>,
    RequestId(request_id): RequestId,
    job_id: Segment,
) -> Result<Response, Problem> {
    Ok(answer(&app.explanations.job(&text(job_id), &request_id).await.map_err(problem)?))
}

fn answer(explained: &Explained) -> Response {
    Json(ForecastExplanation::from(explained)).into_response()
}

fn text(segment: Segment) -> String {
    // What is not even UTF-8 names nothing.
    segment.map(|Path(text)| text).unwrap_or_default()
}

/// A model that forecasts and cannot be explained (its state is older than what explains it) is no fault of the
/// program: the client can train it again.
fn plugin_code(error: &PluginError) -> Code {
    match error {
        PluginError::Guest(refusal) if refusal.code == GuestErrorCode::ArtifactMismatch => Code::BadRequest,
        other => forecasting::plugin_code(other),
    }
}

fn problem(error: ExplainError) -> Problem {
    let refused = |code, error: &ExplainError| Problem::new(code, format!("{error}."));
    match error {
        ExplainError::NotExplained { .. }
        | ExplainError::ModelGone { .. }
        | ExplainError::Artifact { .. }
        | ExplainError::OtherModel { .. }
        | ExplainError::TooLong { .. }
        | ExplainError::Series(_)
        | ExplainError::OtherJob { .. }
        | ExplainError::Result(_) => refused(Code::BadRequest, &error),
        ExplainError::UnknownRun(_) | ExplainError::UnknownJob(_) => refused(Code::NotFound, &error),
        ExplainError::Explainer { error: ref plugin, .. } => {
            refused(plugin_code(plugin), &error).with("plugin_error", plugin.code())
        }
        ExplainError::Forecast(error) => forecasting::problem(error),
        ExplainError::Registry(error) => registry::problem(error),
        ExplainError::Compute(ComputeError::Lost) => Problem::internal(&error),
        ExplainError::Compute(_) => refused(Code::ServiceUnavailable, &error).retry_after(1),
        ExplainError::Database(cause) => Problem::database(&cause),
    }
}
