//! `POST /backtesting/run`.

use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::portfolio;
use super::result_body::BacktestResult;
use super::run_body::{self, BacktestBody};
use super::service::BacktestError;
use crate::http::problem::ProblemBody;
use crate::http::{App, Code, JsonBody, Problem, RequestId};
use crate::slices::forecasting;

/// The routes.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(backtest)).merge(portfolio::routes())
}

/// Cross-validate a model
///
/// Cuts one series into training and test windows in order of time, fits the model on each training window, forecasts
/// the test window, and compares with two baselines on the same folds. Nothing is stored. When the client goes away, the
/// work stops.
#[utoipa::path(
    post, path = "/backtesting/run", tag = "backtesting", request_body = BacktestBody,
    responses(
        (status = 200, description = "The backtest", body = BacktestResult),
        (status = 400, description = "`/errors/bad-request`: more splits or a longer gap than allowed, the model is disabled, there are no rows or too few of them, the training window is shorter than the model needs, or the plugin refuses", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`/errors/payload-too-large`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`/errors/validation`: the body does not fit", body = ProblemBody, content_type = "application/problem+json"),
        (status = 500, description = "`/errors/database` or `/errors/internal`: the database or the program failed", body = ProblemBody, content_type = "application/problem+json"),
        (status = 502, description = "`/errors/bad-gateway`: the plugin failed; `plugin_error` names the page under docs/errors, `fold_index` the fold", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`/errors/service-unavailable`: all compute threads are busy", body = ProblemBody, content_type = "application/problem+json"),
        (status = 504, description = "`/errors/gateway-timeout`: the plugin took longer than its limit, or the request than its deadline", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn backtest(
    State(app): State<Arc<App>>,
    RequestId(request_id): RequestId,
    JsonBody(body): JsonBody,
) -> Result<Json<BacktestResult>, Problem> {
    let started = Instant::now();
    let order = run_body::read(&body, app.forecasting.catalogue()).map_err(Problem::validation)?;
    let backtest = app.backtesting.run(order.request.clone(), &request_id).await.map_err(problem)?;
    Ok(Json(BacktestResult::new(&order, backtest, started.elapsed())))
}

/// A refusal as a problem.
pub fn problem(error: BacktestError) -> Problem {
    match error {
        BacktestError::TooManySplits { .. }
        | BacktestError::GapTooLong { .. }
        | BacktestError::ShortTraining { .. }
        | BacktestError::Split(_) => Problem::new(Code::BadRequest, format!("{error}.")),
        BacktestError::Fold { index, error } => {
            forecasting::routes::problem(*error).with("fold_index", index)
        }
        BacktestError::Forecast(error) => forecasting::routes::problem(error),
    }
}
