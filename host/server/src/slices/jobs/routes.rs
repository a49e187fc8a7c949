//! `/jobs`.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::forecasts::{self, ForecastPage, ForecastsQuery};
use super::wire::{self, JobBody, JobPage, JobResult, JobsQuery};
use super::{events, prefer};
use crate::http::openapi::ParquetFile;
use crate::http::problem::ProblemBody;
use crate::http::{App, Code, JsonBody, Problem, Query, RequestId};
use crate::jobs::{CancelError, Job};

/// The routes.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(submit, list))
        .routes(routes!(get, cancel))
        .routes(routes!(watch))
        .routes(routes!(forecasts))
}

/// Submit a job
///
/// Answers at once with the job in status `pending`; a worker runs it, and it is kept through crashes and restarts.
/// `Prefer: wait=SECONDS` (at most 60) waits for its end and answers the job as it is then. Wrong parameters make a job
/// that fails; they are not refused here.
#[utoipa::path(
    post, path = "/jobs", tag = "jobs", request_body = JobBody,
    params(("Prefer" = Option<String>, Header, description = "`wait=SECONDS`: wait for the job's end", example = "wait=30")),
    responses(
        (status = 202, description = "The job; in a final state only after waiting", body = JobResult),
        (status = 413, description = "`/errors/payload-too-large`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`/errors/validation`: the body does not fit", body = ProblemBody, content_type = "application/problem+json"),
        (status = 500, description = "`/errors/database`: the job cannot be written", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn submit(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let new = wire::read(&body).map_err(Problem::validation)?;
    let mut job = app.jobs.submit(&new).await.map_err(|e| Problem::database(&e))?;
    let location = format!("/jobs/{}", job.job_id);
    let wait = prefer::wait(&headers);
    if let Some(most) = wait {
        job = app.jobs.wait(job, most).await.map_err(|e| Problem::database(&e))?;
    }
    let mut response =
        (StatusCode::ACCEPTED, [(header::LOCATION, location)], Json(JobResult::from(job))).into_response();
    if let Some(waited) = wait
        && let Ok(applied) = HeaderValue::try_from(format!("wait={}", waited.as_secs()))
    {
        response.headers_mut().insert(prefer::APPLIED, applied);
    }
    Ok(response)
}

/// List jobs
///
/// Newest first unless `sort_by` says otherwise. Jobs without `completed_at` come last ascending and first descending.
#[utoipa::path(
    get, path = "/jobs", tag = "jobs", params(JobsQuery),
    responses(
        (status = 200, description = "A page", body = JobPage),
        (status = 422, description = "`/errors/validation`: a query value does not fit", body = ProblemBody, content_type = "application/problem+json"),
        (status = 500, description = "`/errors/database`: the database failed", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn list(State(app): State<Arc<App>>, query: Query) -> Result<Json<JobPage>, Problem> {
    let listing = wire::read_listing(&query)?;
    let (jobs, total) = app.jobs.list(&listing).await.map_err(|e| Problem::database(&e))?;
    Ok(Json(JobPage::new(jobs, total, listing.paging)))
}

/// One job
#[utoipa::path(
    get, path = "/jobs/{job_id}", tag = "jobs", params(("job_id" = String, Path, description = "32 hex digits")),
    responses(
        (status = 200, description = "The job", body = JobResult),
        (status = 404, description = "`/errors/not-found`: no job has this id", body = ProblemBody, content_type = "application/problem+json"),
        (status = 500, description = "`/errors/database`: the database failed", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn get(State(app): State<Arc<App>>, segment: Segment) -> Result<Json<JobResult>, Problem> {
    Ok(Json(find(&app, segment).await?.into()))
}

/// Cancel a job
///
/// A pending job is `cancelled` at once. A running one is asked to stop: it is answered as `running` with
/// `cancel_requested_at`, and is `cancelled` as soon as its worker has stopped.
#[utoipa::path(
    delete, path = "/jobs/{job_id}", tag = "jobs", params(("job_id" = String, Path, description = "32 hex digits")),
    responses(
        (status = 200, description = "The job", body = JobResult),
        (status = 400, description = "`/errors/bad-request`: the job has ended; names its status", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`/errors/not-found`: no job has this id", body = ProblemBody, content_type = "application/problem+json"),
        (status = 500, description = "`/errors/database`: the database failed", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn cancel(State(app): State<Arc<App>>, segment: Segment) -> Result<Json<JobResult>, Problem> {
    let job_id = shown(segment);
    let job = app.jobs.cancel(&job_id).await.map_err(|error| match error {
        CancelError::Unknown(_) => unknown(&job_id),
        CancelError::Final { .. } => Problem::new(Code::BadRequest, format!("{error}.")),
        CancelError::Database(error) => Problem::database(&error),
    })?;
    Ok(Json(job.into()))
}

/// Watch a job
///
/// Server-sent events: `job` with the whole job, at once and at every change of its status or progress, until its final
/// status. `error` with a problem body when the database fails.
#[utoipa::path(
    get, path = "/jobs/{job_id}/events", tag = "jobs", params(("job_id" = String, Path, description = "32 hex digits")),
    responses(
        (status = 200, description = "The events", body = String, content_type = "text/event-stream"),
        (status = 404, description = "`/errors/not-found`: no job has this id", body = ProblemBody, content_type = "application/problem+json"),
        (status = 500, description = "`/errors/database`: the database failed", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn watch(
    State(app): State<Arc<App>>,
    RequestId(request_id): RequestId,
    segment: Segment,
) -> Result<Response, Problem> {
    let job = find(&app, segment).await?;
    Ok(events::stream_of(app, job, request_id).into_response())
}

/// Read a portfolio forecast
///
/// What a completed `portfolio_forecast` job forecast, series by series: pages of JSON, or everything as CSV or Parquet,
/// one row per series and day.
#[utoipa::path(
    get, path = "/jobs/{job_id}/forecasts", tag = "jobs",
    params(("job_id" = String, Path, description = "32 hex digits"), ForecastsQuery),
    responses(
        (status = 200, description = "A page, or everything", content((ForecastPage = "application/json"), (String = "text/csv"), (ParquetFile = "application/vnd.apache.parquet"))),
        (status = 400, description = "`/errors/bad-request`: the job forecasts no portfolio, or is not completed", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`/errors/not-found`: no job has this id", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`/errors/validation`: a query value does not fit", body = ProblemBody, content_type = "application/problem+json"),
        (status = 500, description = "`/errors/database`: the database failed", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn forecasts(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    segment: Segment,
    query: Query,
) -> Result<Response, Problem> {
    let job = find(&app, segment).await?;
    forecasts::answer(&app, &job, &headers, &query).await
}

type Segment = Result<Path<String>, PathRejection>;

/// The id as the client wrote it. One that is no UTF-8 is no job's.
fn shown(segment: Segment) -> String {
    segment.map(|Path(text)| text).unwrap_or_default()
}

async fn find(app: &App, segment: Segment) -> Result<Job, Problem> {
    let job_id = shown(segment);
    let found = app.jobs.get(&job_id).await.map_err(|e| Problem::database(&e))?;
    found.ok_or_else(|| unknown(&job_id))
}

fn unknown(job_id: &str) -> Problem {
    Problem::new(Code::NotFound, format!("There is no job {job_id}. GET /jobs lists all jobs."))
}
