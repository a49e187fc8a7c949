//! `/seeder/*`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use chrono::Utc;
use retailcast_core::Day;
use retailcast_core::seeder::Scenario;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::facts::Progress;
use super::generate_body::{self, GenerateBody};
use super::service::SeedError;
use super::wire::{
    self, AppendBody, ChannelsBody, DeleteBody, DeleteResult, GenerateResult, ScenarioBody, SignalQuery,
    SignalsBody, StatusBody, VerifyResult,
};
use crate::compute::ComputeError;
use crate::http::problem::ProblemBody;
use crate::http::query::{self, Query};
use crate::http::{App, Code, JsonBody, Problem, fields};

/// The routes.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(status))
        .routes(routes!(scenarios))
        .routes(routes!(channels))
        .routes(routes!(exogenous))
        .routes(routes!(generate))
        .routes(routes!(append))
        .routes(routes!(delete_data))
        .routes(routes!(verify))
}

/// Longest window of signals in days, and most rows of an answer.
const MOST_DAYS: i64 = 1_095;
const MOST_ROWS: usize = 50_000;

/// Proof that writing is allowed here. It comes before the body is read: in production nothing else is looked at.
struct Allowed;

impl FromRequestParts<Arc<App>> for Allowed {
    type Rejection = Problem;

    async fn from_request_parts(_: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        app.seeder.check_allowed().map(|()| Self).map_err(problem)
    }
}

/// How much data is there
#[utoipa::path(
    get, path = "/seeder/status", tag = "seeder",
    responses(
        (status = 200, description = "Rows by kind, and what sales span", body = StatusBody),
        (status = 500, description = "`/errors/database`: the database failed", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn status(State(app): State<Arc<App>>) -> Result<Json<StatusBody>, Problem> {
    Ok(Json(app.seeder.status().await.map_err(problem)?.into()))
}

/// The presets
#[utoipa::path(
    get, path = "/seeder/scenarios", tag = "seeder",
    responses((status = 200, description = "Each with its own size and window, computed for today", body = Vec<ScenarioBody>))
)]
async fn scenarios() -> Json<Vec<ScenarioBody>> {
    let today = today();
    Json(Scenario::ALL.into_iter().map(|scenario| ScenarioBody::new(scenario, today)).collect())
}

/// The channels of sales
#[utoipa::path(
    get, path = "/seeder/channels", tag = "seeder",
    responses((status = 200, description = "Sorted", body = ChannelsBody))
)]
async fn channels() -> Json<ChannelsBody> {
    Json(ChannelsBody::new())
}

/// Rows of a signal
///
/// Without a store: all rows of the signal. With one: its rows and the global ones.
#[utoipa::path(
    get, path = "/seeder/exogenous", tag = "seeder",
    params(
        ("signal_name" = String, Query, description = "`weather_temp_c`, `macro_index` or `event_flag`; an unknown name gives an empty list", min_length = 1, max_length = 50),
        ("start_date" = chrono::NaiveDate, Query, description = "First day"),
        ("end_date" = chrono::NaiveDate, Query, description = "Last day, at most 1095 days later"),
        ("store_id" = Option<i32>, Query, description = "Only this store and what is global", minimum = 1),
    ),
    responses(
        (status = 200, description = "By day, then by store, the global ones first", body = SignalsBody),
        (status = 400, description = "`/errors/bad-request`: a window that is inverted or too long, or more than 50000 rows", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`/errors/validation`: a parameter is missing or does not fit", body = ProblemBody, content_type = "application/problem+json"),
        (status = 500, description = "`/errors/database`: the database failed", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn exogenous(State(app): State<Arc<App>>, query: Query) -> Result<Json<SignalsBody>, Problem> {
    let query = signal_query(&query)?;
    let window = (query.start_date, query.end_date);
    let refuse = |words: String| Err(Problem::new(Code::BadRequest, words));
    if window.1 < window.0 {
        return refuse(format!("end_date {} is before start_date {}.", window.1, window.0));
    }
    let days = (window.1 - window.0).num_days();
    if days > MOST_DAYS {
        return refuse(format!(
            "{} to {} are {days} days; at most {MOST_DAYS} are allowed.",
            window.0, window.1
        ));
    }
    let most = MOST_ROWS as i64 + 1;
    let rows = app.seeder.signals(&query.signal_name, window, query.store_id, most).await.map_err(problem)?;
    if rows.len() > MOST_ROWS {
        return refuse(format!(
            "There are more than {MOST_ROWS} rows; ask for fewer days or for one store_id."
        ));
    }
    Ok(Json(SignalsBody::new(query, rows)))
}

fn signal_query(query: &Query) -> Result<SignalQuery, Problem> {
    let mut fields = query.fields();
    let signal_name = fields.required("signal_name", fields::text(1, 50));
    let start_date = fields.required("start_date", fields::date);
    let end_date = fields.required("end_date", fields::date);
    let store_id = fields.optional("store_id", query::key);
    let read = (|| {
        Some(SignalQuery {
            signal_name: signal_name?.to_owned(),
            start_date: start_date?,
            end_date: end_date?,
            store_id: store_id?,
        })
    })();
    fields.finish(read)
}

/// Generate data
///
/// Stores, products, a calendar and facts, from a preset that single fields override. Nothing is deleted: rows that
/// collide with existing ones are skipped, and facts are made for all stores and products that are there. The same
/// seed and parameters on the same database give the same data. Takes seconds to minutes; one transaction.
#[utoipa::path(
    post, path = "/seeder/generate", tag = "seeder", request_body = GenerateBody,
    responses(
        (status = 201, description = "What was made, or would be", body = GenerateResult),
        (status = 400, description = "`/errors/bad-request`: a generator rejects the parameters", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`/errors/forbidden`: production", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`/errors/conflict`: another generate, append or delete is under way", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`/errors/payload-too-large`: more than 16 MiB", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`/errors/validation`: the body does not fit", body = ProblemBody, content_type = "application/problem+json"),
        (status = 500, description = "`/errors/database`: the database failed", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`/errors/service-unavailable`: all compute threads are busy", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn generate(
    State(app): State<Arc<App>>,
    _: Allowed,
    JsonBody(body): JsonBody,
) -> Result<(StatusCode, Json<GenerateResult>), Problem> {
    let order = generate_body::read(&body, today()).map_err(Problem::validation)?;
    let created = app.seeder.generate(order, &Progress::silent()).await.map_err(problem)?;
    Ok((StatusCode::CREATED, Json(created.into())))
}

/// Append days
///
/// Calendar and facts of a window for all stores and products that are there, with the base parameters. Price windows
/// without an end are ended where the new ones of the same product and store begin.
#[utoipa::path(
    post, path = "/seeder/append", tag = "seeder", request_body = AppendBody,
    responses(
        (status = 201, description = "What was made", body = GenerateResult),
        (status = 400, description = "`/errors/bad-request`: there are no stores or no products, or too many days", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`/errors/forbidden`: production", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`/errors/conflict`: another generate, append or delete is under way", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`/errors/payload-too-large`: more than 16 MiB", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`/errors/validation`: the body does not fit", body = ProblemBody, content_type = "application/problem+json"),
        (status = 500, description = "`/errors/database`: the database failed", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`/errors/service-unavailable`: all compute threads are busy", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn append(
    State(app): State<Arc<App>>,
    _: Allowed,
    JsonBody(body): JsonBody,
) -> Result<(StatusCode, Json<GenerateResult>), Problem> {
    let (seed, window) = wire::read_append(&body).map_err(Problem::validation)?;
    let created = app.seeder.append(seed, window, &Progress::silent()).await.map_err(problem)?;
    Ok((StatusCode::CREATED, Json(created.into())))
}

/// Delete data
///
/// All facts, or facts and dimensions, whoever made them. Needs a body; `{}` is enough. Ids go on counting.
#[utoipa::path(
    delete, path = "/seeder/data", tag = "seeder", request_body = DeleteBody,
    responses(
        (status = 200, description = "Rows by table that were deleted, or would be", body = DeleteResult),
        (status = 403, description = "`/errors/forbidden`: production", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`/errors/conflict`: another generate, append or delete is under way", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`/errors/payload-too-large`: more than 16 MiB", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`/errors/validation`: no body, or it does not fit", body = ProblemBody, content_type = "application/problem+json"),
        (status = 500, description = "`/errors/database`: the database failed", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn delete_data(
    State(app): State<Arc<App>>,
    _: Allowed,
    JsonBody(body): JsonBody,
) -> Result<Json<DeleteResult>, Problem> {
    let (scope, dry_run) = wire::read_delete(&body).map_err(Problem::validation)?;
    Ok(Json(app.seeder.delete(scope, dry_run).await.map_err(problem)?.into()))
}

/// Check the data
///
/// Always the same five checks; a warning does not fail the whole.
#[utoipa::path(
    post, path = "/seeder/verify", tag = "seeder",
    responses(
        (status = 200, description = "What the checks say, also when some failed", body = VerifyResult),
        (status = 500, description = "`/errors/database`: the database failed", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn verify(State(app): State<Arc<App>>) -> Result<Json<VerifyResult>, Problem> {
    Ok(Json(app.seeder.verify().await.map_err(problem)?.into()))
}

fn today() -> Day {
    Day::from_date(Utc::now().date_naive())
}

/// A failure of the service as a problem.
pub fn problem(error: SeedError) -> Problem {
    let code = match &error {
        SeedError::Blocked => Code::Forbidden,
        SeedError::Running => Code::Conflict,
        SeedError::NothingThere | SeedError::Rejected(_) => Code::BadRequest,
        SeedError::Compute(ComputeError::Busy(_) | ComputeError::Late) => {
            return Problem::new(Code::ServiceUnavailable, format!("{error}.")).retry_after(1);
        }
        SeedError::Compute(lost @ ComputeError::Lost) => return Problem::internal(lost),
        SeedError::Database(cause) => return Problem::database(cause),
    };
    Problem::new(code, format!("{error}."))
}
