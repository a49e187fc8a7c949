//! `GET /analytics/…`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::service::AnalyticsError;
use super::wire::{
    self, DrilldownQuery, DrilldownResult, InventoryQuery, InventoryStatus, Kpis, KpisQuery, Timeseries,
    TimeseriesQuery,
};
use crate::http::listing::ListFormat;
use crate::http::problem::ProblemBody;
use crate::http::{App, Code, Problem, Query};

/// The routes.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(kpis))
        .routes(routes!(drilldowns))
        .routes(routes!(timeseries))
        .routes(routes!(inventory_status))
}

/// Key figures
///
/// Over all sales of the window that fit all filters. What was written before the request counts.
#[utoipa::path(
    get, path = "/analytics/kpis", tag = "analytics", params(KpisQuery),
    responses(
        (status = 200, description = "The figures", body = Kpis),
        (status = 400, description = "`/errors/bad-request`: the window is reversed or too long", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`/errors/validation`: a query value is missing or does not fit", body = ProblemBody, content_type = "application/problem+json"),
        (status = 500, description = "`/errors/database`: the database failed", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn kpis(State(app): State<Arc<App>>, query: Query) -> Result<Json<Kpis>, Problem> {
    let (window, filter) = wire::read_kpis(&query)?;
    let sums = app.analytics.kpis(window, &filter).await.map_err(problem)?;
    Ok(Json(Kpis::new(sums, window, filter)))
}

/// Figures by store, product, category, region or day
///
/// Largest revenue first. Groups without a name (a store without a region) are left out, also of the shares. Also as
/// CSV (`Accept: text/csv`), with the number of all groups in the header `X-Total-Count`.
#[utoipa::path(
    get, path = "/analytics/drilldowns", tag = "analytics", params(DrilldownQuery),
    responses(
        (status = 200, description = "The groups", content((DrilldownResult = "application/json"), (String = "text/csv"))),
        (status = 400, description = "`/errors/bad-request`: the window is reversed or too long", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`/errors/validation`: a query value is missing or does not fit", body = ProblemBody, content_type = "application/problem+json"),
        (status = 500, description = "`/errors/database`: the database failed", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn drilldowns(
    State(app): State<Arc<App>>,
    format: ListFormat,
    query: Query,
) -> Result<Response, Problem> {
    let (dimension, window, filter, max_items) = wire::read_drilldown(&query)?;
    let found = app.analytics.drilldown(dimension, window, &filter).await.map_err(problem)?;
    let result = DrilldownResult::new(dimension, window, &filter, found, max_items);
    format.answer(&result, &result.items, result.total_items as i64)
}

/// Figures by day, week, month or quarter
///
/// Periods without rows are left out. Also as CSV (`Accept: text/csv`).
#[utoipa::path(
    get, path = "/analytics/timeseries", tag = "analytics", params(TimeseriesQuery),
    responses(
        (status = 200, description = "The periods", content((Timeseries = "application/json"), (String = "text/csv"))),
        (status = 400, description = "`/errors/bad-request`: the window is reversed or too long", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`/errors/validation`: a query value is missing or does not fit", body = ProblemBody, content_type = "application/problem+json"),
        (status = 500, description = "`/errors/database`: the database failed", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn timeseries(
    State(app): State<Arc<App>>,
    format: ListFormat,
    query: Query,
) -> Result<Response, Problem> {
    let (granularity, window, filter) = wire::read_timeseries(&query)?;
    let found = app.analytics.timeseries(granularity, window, &filter).await.map_err(problem)?;
    let result = Timeseries::new(granularity, window, filter, found);
    format.answer(&result, &result.points, result.total_points as i64)
}

/// Newest inventory
///
/// The newest snapshot of each store and product, at most `analytics.max_rows` of them. Also as CSV
/// (`Accept: text/csv`), with the number of all in the header `X-Total-Count`.
#[utoipa::path(
    get, path = "/analytics/inventory-status", tag = "analytics", params(InventoryQuery),
    responses(
        (status = 200, description = "The snapshots", content((InventoryStatus = "application/json"), (String = "text/csv"))),
        (status = 422, description = "`/errors/validation`: a query value does not fit", body = ProblemBody, content_type = "application/problem+json"),
        (status = 500, description = "`/errors/database`: the database failed", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn inventory_status(
    State(app): State<Arc<App>>,
    format: ListFormat,
    query: Query,
) -> Result<Response, Problem> {
    let (store_id, product_id) = wire::read_inventory(&query)?;
    let found = app.analytics.inventory(store_id, product_id).await.map_err(problem)?;
    let result = InventoryStatus::new(found, store_id, product_id);
    format.answer(&result, &result.items, result.total_items)
}

fn problem(error: AnalyticsError) -> Problem {
    match &error {
        AnalyticsError::Reversed(_) | AnalyticsError::TooLong { .. } => {
            Problem::new(Code::BadRequest, format!("{error}."))
        }
        AnalyticsError::Database(cause) => Problem::database(cause),
    }
}
