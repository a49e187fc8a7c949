//! `POST /ingest/sales-daily`.

use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::extract::{FromRequest, Request, State};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::service::IngestError;
use super::wire::{self, SalesBody, SalesResult};
use crate::http::problem::ProblemBody;
use crate::http::{App, Code, JsonBody, Problem};

/// The routes.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(sales_daily))
}

/// Upsert daily sales
///
/// Rows are addressed by store code, SKU and day. One value that does not fit refuses the whole request (422); a row
/// whose store, product or day is unknown is rejected alone and reported. Of two rows of the same grain the last
/// wins. Safe to repeat.
#[utoipa::path(
    post, path = "/ingest/sales-daily", tag = "ingest", request_body = SalesBody,
    responses(
        (status = 200, description = "What became of the rows, also when all were rejected", body = SalesResult),
        (status = 413, description = "`/errors/payload-too-large`: more than 16 MiB", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`/errors/validation`: the body does not fit", body = ProblemBody, content_type = "application/problem+json"),
        (status = 500, description = "`/errors/database`: the database failed", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`/errors/service-unavailable`: `ingest.timeout_seconds` passed, nothing was written", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn sales_daily(State(app): State<Arc<App>>, request: Request) -> Result<Json<SalesResult>, Problem> {
    let started = Instant::now();
    let deadline = app.ingest.deadline();
    // A body that comes too slowly counts.
    let JsonBody(body) = deadline.apply(JsonBody::from_request(request, &())).await.map_err(problem)??;
    let rows = wire::read(&body).map_err(Problem::validation)?;
    let outcome = app.ingest.sales(&rows, deadline).await.map_err(problem)?;
    Ok(Json(SalesResult::new(&rows, &outcome, started.elapsed())))
}

fn problem(error: IngestError) -> Problem {
    match &error {
        IngestError::Timeout(_) => Problem::new(Code::ServiceUnavailable, format!("{error}.")).retry_after(1),
        IngestError::Database(cause) => Problem::database(cause),
    }
}
