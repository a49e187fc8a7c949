//! `POST /forecasting/train` and `POST /forecasting/predict`.

use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::extract::State;
use retailcast_runtime::{GuestErrorCode, PluginError};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::ForecastError;
use super::wire::{self, PredictBody, PredictResult, TrainBody, TrainResult};
use crate::artifacts::ResolveError;
use crate::compute::ComputeError;
use crate::http::problem::ProblemBody;
use crate::http::{App, Code, JsonBody, Problem, RequestId};

/// The routes.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(train)).routes(routes!(predict))
}

/// Train a model
///
/// Fits one model on one (store, product) series and keeps it as a file. Nothing is registered. With `calibration` the
/// model is also forecast from past origins of the training window, and its errors there make prediction intervals for
/// `/forecasting/predict`.
#[utoipa::path(
    post, path = "/forecasting/train", tag = "forecasting", request_body = TrainBody,
    responses(
        (status = 200, description = "The trained model", body = TrainResult),
        (status = 400, description = "`/errors/bad-request`: the model is disabled, there are no rows or too few of them (for the model, or for one window of the calibration), or the plugin refuses; `calibration_origin` is the origin when it does so in the calibration", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`/errors/payload-too-large`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`/errors/validation`: the body does not fit", body = ProblemBody, content_type = "application/problem+json"),
        (status = 500, description = "`/errors/database` or `/errors/internal`: the database failed, or the model file cannot be written", body = ProblemBody, content_type = "application/problem+json"),
        (status = 502, description = "`/errors/bad-gateway`: the plugin failed; `plugin_error` names the page under docs/errors", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`/errors/service-unavailable`: all compute threads are busy", body = ProblemBody, content_type = "application/problem+json"),
        (status = 504, description = "`/errors/gateway-timeout`: the plugin took longer than its limit", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn train(
    State(app): State<Arc<App>>,
    RequestId(request_id): RequestId,
    JsonBody(body): JsonBody,
) -> Result<Json<TrainResult>, Problem> {
    let started = Instant::now();
    let request = wire::read_train(&body, app.forecasting.catalogue(), app.forecasting.settings())
        .map_err(Problem::validation)?;
    let trained = app.forecasting.train(request.clone(), &request_id).await.map_err(problem)?;
    Ok(Json(TrainResult::new(&request, trained, started.elapsed())))
}

/// Forecast from a trained model
///
/// For models with a feature frame the days to come assume that nothing changes: recorded promotions and holidays,
/// the baseline price; `assumed_inputs` names the columns. A model that was trained with `calibration` also gives
/// prediction intervals; steps beyond the calibrated ones have the width of the last.
#[utoipa::path(
    post, path = "/forecasting/predict", tag = "forecasting", request_body = PredictBody,
    responses(
        (status = 200, description = "The forecast", body = PredictResult),
        (status = 400, description = "`/errors/bad-request`: wrong extension, outside the folder of models, or a model of another series", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`/errors/not-found`: there is no such model file", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`/errors/payload-too-large`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`/errors/validation`: the body does not fit", body = ProblemBody, content_type = "application/problem+json"),
        (status = 500, description = "`/errors/database` or `/errors/internal`: the database failed, or the model file cannot be read", body = ProblemBody, content_type = "application/problem+json"),
        (status = 502, description = "`/errors/bad-gateway`: the plugin failed; `plugin_error` names the page under docs/errors", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`/errors/service-unavailable`: all compute threads are busy", body = ProblemBody, content_type = "application/problem+json"),
        (status = 504, description = "`/errors/gateway-timeout`: the plugin took longer than its limit", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn predict(
    State(app): State<Arc<App>>,
    RequestId(request_id): RequestId,
    JsonBody(body): JsonBody,
) -> Result<Json<PredictResult>, Problem> {
    let started = Instant::now();
    let request =
        wire::read_predict(&body, app.forecasting.settings().max_horizon).map_err(Problem::validation)?;
    let predicted = app.forecasting.predict(request.clone(), &request_id).await.map_err(problem)?;
    Ok(Json(PredictResult::new(&request, predicted, started.elapsed())))
}

/// A failure of the service as a problem; causes that are nobody's business go to the log.
pub fn problem(error: ForecastError) -> Problem {
    told(&error)
}

fn told(error: &ForecastError) -> Problem {
    let refused = |code, error: &ForecastError| Problem::new(code, sentence(error));
    match error {
        ForecastError::Disabled
        | ForecastError::Config { .. }
        | ForecastError::NoRows(_)
        | ForecastError::TooFewRows { .. }
        | ForecastError::ShortCalibration { .. }
        | ForecastError::Window { .. }
        | ForecastError::Series(_)
        | ForecastError::OtherSeries { .. }
        | ForecastError::Path(ResolveError::Extension(_) | ResolveError::Outside(_)) => {
            refused(Code::BadRequest, error)
        }
        ForecastError::Path(ResolveError::Missing(_)) => refused(Code::NotFound, error),
        ForecastError::Bundle(_) => {
            tracing::error!("{error}");
            refused(Code::Internal, error)
        }
        ForecastError::PluginGone { .. } => refused(Code::Internal, error).with("plugin_error", "RC-P015"),
        ForecastError::Plugin { error: plugin, .. } => {
            tracing::warn!(code = plugin.code(), "{error}");
            let problem = refused(plugin_code(plugin), error).with("plugin_error", plugin.code());
            if matches!(plugin, PluginError::Cancelled { .. }) { problem.retry_after(1) } else { problem }
        }
        ForecastError::Compute(ComputeError::Busy(_) | ComputeError::Late) => {
            refused(Code::ServiceUnavailable, error).retry_after(1)
        }
        ForecastError::Compute(ComputeError::Lost) | ForecastError::Storage(_) | ForecastError::Encode(_) => {
            Problem::internal(error)
        }
        ForecastError::OtherPlugin { source, .. } => told(source).detail(sentence(error)),
        ForecastError::Calibration { origin, source } => {
            told(source).with("calibration_origin", origin.to_string())
        }
        ForecastError::Database(cause) => Problem::database(cause),
    }
}

/// With a full stop, unless it ends with lines of TOML to paste.
fn sentence(error: &ForecastError) -> String {
    let text = error.to_string();
    if text.contains("\n[") { text } else { format!("{text}.") }
}

/// Whose fault a plugin's failure is, in HTTP.
pub fn plugin_code(error: &PluginError) -> Code {
    match error {
        PluginError::Guest(refusal) => match refusal.code {
            GuestErrorCode::InvalidConfig
            | GuestErrorCode::NotEnoughHistory
            | GuestErrorCode::Numeric
            | GuestErrorCode::Unsupported => Code::BadRequest,
            GuestErrorCode::Upstream => Code::BadGateway,
            GuestErrorCode::MissingFeature | GuestErrorCode::ArtifactMismatch | GuestErrorCode::Other => {
                Code::Internal
            }
        },
        PluginError::Timeout { .. } => Code::GatewayTimeout,
        PluginError::Cancelled { .. } => Code::ServiceUnavailable,
        PluginError::Trap { .. }
        | PluginError::BadResult { .. }
        | PluginError::PayloadLimit { .. }
        | PluginError::MemoryLimit { .. }
        | PluginError::Instantiate { .. } => Code::BadGateway,
        PluginError::Unknown { .. } => Code::BadRequest,
        PluginError::NotAComponent { .. }
        | PluginError::Compile { .. }
        | PluginError::Contract { .. }
        | PluginError::Denied { .. }
        | PluginError::Digest { .. }
        | PluginError::Unpinned { .. }
        | PluginError::Defaults { .. }
        | PluginError::Description { .. }
        | PluginError::Conformance { .. }
        | PluginError::SessionOver
        | PluginError::Host { .. } => Code::Internal,
    }
}
