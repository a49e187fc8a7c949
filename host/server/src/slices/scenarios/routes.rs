//! `/scenarios/*`.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::comparison::Comparison;
use super::error::ScenarioError;
use super::wire::{self, CompareBody, CreateBody, PlanBody, PlanPage, PlansQuery, RankingBody, SimulateBody};
use crate::compute::ComputeError;
use crate::http::problem::ProblemBody;
use crate::http::{App, Code, JsonBody, Problem, Query, RequestId};
use crate::slices::forecasting::routes as forecasting;

/// The routes.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(simulate))
        .routes(routes!(create, plans))
        .routes(routes!(compare))
        .routes(routes!(plan, delete_plan))
}

/// A part of the path; any text may be asked for.
type Segment = Result<Path<String>, PathRejection>;

/// Simulate a scenario
///
/// Forecasts from a trained model and applies the assumptions: a model that reads features is asked again with changed
/// inputs (`model_exogenous`), the forecast of any other is adjusted by factors (`heuristic`). Nothing is stored.
#[utoipa::path(
    post, path = "/scenarios/simulate", tag = "scenarios", request_body = SimulateBody,
    responses(
        (status = 200, description = "The scenario beside its baseline", body = Comparison),
        (status = 400, description = "`/errors/bad-request`: `run_id` is no key of an artifact, the artifact lacks store, product, `feature_columns` or `history_tail`, or the plugin refuses", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`/errors/not-found`: no artifact has this key", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`/errors/payload-too-large`: the body is larger than 16 MiB", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`/errors/validation`: the body does not fit", body = ProblemBody, content_type = "application/problem+json"),
        (status = 500, description = "`/errors/database` or `/errors/internal`: the database failed, or the artifact cannot be read", body = ProblemBody, content_type = "application/problem+json"),
        (status = 502, description = "`/errors/bad-gateway`: the plugin failed; `plugin_error` names the page under docs/errors", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`/errors/service-unavailable`: all compute threads are busy", body = ProblemBody, content_type = "application/problem+json"),
        (status = 504, description = "`/errors/gateway-timeout`: the plugin took longer than its limit", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn simulate(
    State(app): State<Arc<App>>,
    RequestId(request_id): RequestId,
    JsonBody(body): JsonBody,
) -> Result<Json<Comparison>, Problem> {
    let request = wire::read_simulate(&body, app.scenarios.max_horizon()).map_err(Problem::validation)?;
    Ok(Json(app.scenarios.simulate(&request, &request_id).await.map_err(problem)?))
}

/// Save a plan
///
/// Simulates, and keeps the assumptions and the whole comparison. Reading the plan later needs neither model nor data.
#[utoipa::path(
    post, path = "/scenarios", tag = "scenarios", request_body = CreateBody,
    responses(
        (status = 201, description = "The plan", body = PlanBody),
        (status = 400, description = "`/errors/bad-request`: `run_id` is no key of an artifact, the artifact lacks store, product, `feature_columns` or `history_tail`, or the plugin refuses", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`/errors/not-found`: no artifact has this key", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`/errors/payload-too-large`: the body is larger than 16 MiB", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`/errors/validation`: the body does not fit", body = ProblemBody, content_type = "application/problem+json"),
        (status = 500, description = "`/errors/database` or `/errors/internal`: the database failed, or the artifact cannot be read", body = ProblemBody, content_type = "application/problem+json"),
        (status = 502, description = "`/errors/bad-gateway`: the plugin failed; `plugin_error` names the page under docs/errors", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`/errors/service-unavailable`: all compute threads are busy", body = ProblemBody, content_type = "application/problem+json"),
        (status = 504, description = "`/errors/gateway-timeout`: the plugin took longer than its limit", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn create(
    State(app): State<Arc<App>>,
    RequestId(request_id): RequestId,
    JsonBody(body): JsonBody,
) -> Result<(StatusCode, Json<PlanBody>), Problem> {
    let plan = wire::read_create(&body, app.scenarios.max_horizon()).map_err(Problem::validation)?;
    let saved = app.scenarios.create(plan, &request_id).await.map_err(problem)?;
    Ok((StatusCode::CREATED, Json(saved.into())))
}

/// List plans
///
/// Newest first.
#[utoipa::path(
    get, path = "/scenarios", tag = "scenarios", params(PlansQuery),
    responses(
        (status = 200, description = "A part of the list", body = PlanPage),
        (status = 422, description = "`/errors/validation`: a query value does not fit", body = ProblemBody, content_type = "application/problem+json"),
        (status = 500, description = "`/errors/database`: the database failed", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn plans(State(app): State<Arc<App>>, query: Query) -> Result<Json<PlanPage>, Problem> {
    let listing = wire::read_plans(&query)?;
    Ok(Json(PlanPage::new(app.scenarios.plans(&listing).await.map_err(problem)?)))
}

/// Rank plans
///
/// From what was stored; plans of different series and models may be compared. Equal plans keep the order of the request.
#[utoipa::path(
    post, path = "/scenarios/compare", tag = "scenarios", request_body = CompareBody,
    responses(
        (status = 200, description = "The plans, best first", body = RankingBody),
        (status = 404, description = "`/errors/not-found`: some of the plans do not exist", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`/errors/payload-too-large`: the body is larger than 16 MiB", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`/errors/validation`: the body does not fit", body = ProblemBody, content_type = "application/problem+json"),
        (status = 500, description = "`/errors/database`: the database failed", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn compare(
    State(app): State<Arc<App>>,
    JsonBody(body): JsonBody,
) -> Result<Json<RankingBody>, Problem> {
    let (scenario_ids, rank_by) = wire::read_compare(&body).map_err(Problem::validation)?;
    let ranking = app.scenarios.compare(&scenario_ids, rank_by).await.map_err(problem)?;
    Ok(Json(ranking.into()))
}

/// One plan
#[utoipa::path(
    get, path = "/scenarios/{scenario_id}", tag = "scenarios",
    params(("scenario_id" = String, Path, description = "32 hex digits")),
    responses(
        (status = 200, description = "The plan as it was saved", body = PlanBody),
        (status = 404, description = "`/errors/not-found`: no plan has this id", body = ProblemBody, content_type = "application/problem+json"),
        (status = 500, description = "`/errors/database`: the database failed", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn plan(State(app): State<Arc<App>>, scenario_id: Segment) -> Result<Json<PlanBody>, Problem> {
    let found = app.scenarios.plan(&text(scenario_id)).await.map_err(problem)?;
    Ok(Json(found.into()))
}

/// Delete a plan
///
/// For good. Plans that were copied from it stay as they are.
#[utoipa::path(
    delete, path = "/scenarios/{scenario_id}", tag = "scenarios",
    params(("scenario_id" = String, Path, description = "32 hex digits")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "`/errors/not-found`: no plan has this id", body = ProblemBody, content_type = "application/problem+json"),
        (status = 500, description = "`/errors/database`: the database failed", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn delete_plan(State(app): State<Arc<App>>, scenario_id: Segment) -> Result<StatusCode, Problem> {
    app.scenarios.delete(&text(scenario_id)).await.map_err(problem)?;
    Ok(StatusCode::NO_CONTENT)
}

/// What is no UTF-8 is no id, like the empty text; neither is text that the database cannot hold.
fn text(segment: Segment) -> String {
    segment.map(|Path(text)| text).ok().filter(|text| !text.contains('\0')).unwrap_or_default()
}

/// A refusal as a problem.
pub fn problem(error: ScenarioError) -> Problem {
    let refused = |code, error: &ScenarioError| Problem::new(code, format!("{error}."));
    match error {
        ScenarioError::Key(_) | ScenarioError::Incomplete { .. } => refused(Code::BadRequest, &error),
        ScenarioError::UnknownArtifact(_) | ScenarioError::UnknownPlans(_) => refused(Code::NotFound, &error),
        ScenarioError::Forecast(error) => forecasting::problem(error),
        ScenarioError::Adjuster { error: ref plugin, .. } => {
            tracing::warn!(code = plugin.code(), "{error}");
            refused(forecasting::plugin_code(plugin), &error).with("plugin_error", plugin.code())
        }
        ScenarioError::Compute(ComputeError::Lost) => Problem::internal(&error),
        ScenarioError::Compute(_) => refused(Code::ServiceUnavailable, &error).retry_after(1),
        ScenarioError::Database(cause) => Problem::database(&cause),
    }
}
