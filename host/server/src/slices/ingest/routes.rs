//! `POST /ingest/…`.

use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::extract::{Request, State};
use utoipa::{IntoResponses, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::records::{
    CalendarDay, DayKey, InventoryRow, PriceKey, PriceRow, ProductKey, ProductRow, PromotionKey,
    PromotionRow, Record, SaleRow, SeriesDay, StoreKey, StoreRow,
};
use super::service::IngestError;
use super::upload::Upload;
use super::wire::{
    CalendarRecord, InventoryRecord, LoadResult, PriceRecord, ProductRecord, PromotionRecord, Records,
    SalesRecord, StoreRecord,
};
use crate::http::openapi::ParquetFile;
use crate::http::problem::ProblemBody;
use crate::http::{App, Code, Problem};

/// The routes.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(sales_daily))
        .routes(routes!(stores))
        .routes(routes!(products))
        .routes(routes!(calendar))
        .routes(routes!(prices))
        .routes(routes!(promotions))
        .routes(routes!(inventory))
}

/// What goes wrong with a load.
#[derive(IntoResponses)]
#[allow(dead_code, reason = "describes answers, which are made by `problem`")]
enum LoadProblems {
    /// `/errors/bad-request`: the connection ended within the body, or its Content-Encoding is unknown; nothing was
    /// written.
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(ProblemBody),
    /// `/errors/payload-too-large`: more than 16 MiB of JSON, or a table of more than `ingest.max_table_mib`.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(ProblemBody),
    /// `/errors/validation`: the body does not fit; nothing was written.
    #[response(status = 422, content_type = "application/problem+json")]
    Invalid(ProblemBody),
    /// `/errors/database`: the database failed; nothing was written.
    #[response(status = 500, content_type = "application/problem+json")]
    Database(ProblemBody),
    /// `/errors/service-unavailable`: `ingest.timeout_seconds` passed; nothing was written.
    #[response(status = 503, content_type = "application/problem+json")]
    Timeout(ProblemBody),
}

/// Upsert daily sales
///
/// Rows are addressed by store code, SKU and day, and refer to stores, products and calendar days that exist. An update
/// keeps the channel; new rows are `in_store`.
/// A row that refers to something unknown is left out and reported; the others are written.
/// One value that does not fit refuses the whole request (422). Of two rows with the same key the last wins. Safe to
/// repeat.
///
/// As JSON (at most 10,000 rows), CSV with a header line or Parquet, each also gzipped.
#[utoipa::path(
    post, path = "/ingest/sales-daily", tag = "ingest",
    request_body(content(
        (Records<SalesRecord> = "application/json"), (String = "text/csv"), (ParquetFile = "application/vnd.apache.parquet"),
    )),
    responses(
        (status = 200, description = "What became of the rows, also when all were left out", body = LoadResult<SeriesDay>),
        LoadProblems,
    )
)]
async fn sales_daily(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Json<LoadResult<SeriesDay>>, Problem> {
    load::<SaleRow>(&app, request).await
}

/// Upsert stores
///
/// Rows are addressed by code and replace what is known of the store: what is left out becomes null.
/// One value that does not fit refuses the whole request (422). Of two rows with the same key the last wins. Safe to
/// repeat.
///
/// As JSON (at most 10,000 rows), CSV with a header line or Parquet, each also gzipped.
#[utoipa::path(
    post, path = "/ingest/stores", tag = "ingest",
    request_body(content(
        (Records<StoreRecord> = "application/json"), (String = "text/csv"), (ParquetFile = "application/vnd.apache.parquet"),
    )),
    responses(
        (status = 200, description = "What became of the rows, also when all were left out", body = LoadResult<StoreKey>),
        LoadProblems,
    )
)]
async fn stores(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Json<LoadResult<StoreKey>>, Problem> {
    load::<StoreRow>(&app, request).await
}

/// Upsert products
///
/// Rows are addressed by SKU and replace what is known of the product: what is left out becomes null.
/// One value that does not fit refuses the whole request (422). Of two rows with the same key the last wins. Safe to
/// repeat.
///
/// As JSON (at most 10,000 rows), CSV with a header line or Parquet, each also gzipped.
#[utoipa::path(
    post, path = "/ingest/products", tag = "ingest",
    request_body(content(
        (Records<ProductRecord> = "application/json"), (String = "text/csv"), (ParquetFile = "application/vnd.apache.parquet"),
    )),
    responses(
        (status = 200, description = "What became of the rows, also when all were left out", body = LoadResult<ProductKey>),
        LoadProblems,
    )
)]
async fn products(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Json<LoadResult<ProductKey>>, Problem> {
    load::<ProductRow>(&app, request).await
}

/// Upsert calendar days
///
/// Rows are addressed by date. Sales and stock can only be loaded for days that the calendar has.
/// One value that does not fit refuses the whole request (422). Of two rows with the same key the last wins. Safe to
/// repeat.
///
/// As JSON (at most 10,000 rows), CSV with a header line or Parquet, each also gzipped.
#[utoipa::path(
    post, path = "/ingest/calendar", tag = "ingest",
    request_body(content(
        (Records<CalendarRecord> = "application/json"), (String = "text/csv"), (ParquetFile = "application/vnd.apache.parquet"),
    )),
    responses(
        (status = 200, description = "What became of the rows, also when all were left out", body = LoadResult<DayKey>),
        LoadProblems,
    )
)]
async fn calendar(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Json<LoadResult<DayKey>>, Problem> {
    load::<CalendarDay>(&app, request).await
}

/// Upsert prices
///
/// Rows are addressed by product, store (null: the whole chain) and first day.
/// A row that refers to something unknown is left out and reported; the others are written.
/// One value that does not fit refuses the whole request (422). Of two rows with the same key the last wins. Safe to
/// repeat.
///
/// As JSON (at most 10,000 rows), CSV with a header line or Parquet, each also gzipped.
#[utoipa::path(
    post, path = "/ingest/prices", tag = "ingest",
    request_body(content(
        (Records<PriceRecord> = "application/json"), (String = "text/csv"), (ParquetFile = "application/vnd.apache.parquet"),
    )),
    responses(
        (status = 200, description = "What became of the rows, also when all were left out", body = LoadResult<PriceKey>),
        LoadProblems,
    )
)]
async fn prices(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Json<LoadResult<PriceKey>>, Problem> {
    load::<PriceRow>(&app, request).await
}

/// Upsert promotions
///
/// Rows are addressed by product, store (null: the whole chain), name and first day.
/// A row that refers to something unknown is left out and reported; the others are written.
/// One value that does not fit refuses the whole request (422). Of two rows with the same key the last wins. Safe to
/// repeat.
///
/// As JSON (at most 10,000 rows), CSV with a header line or Parquet, each also gzipped.
#[utoipa::path(
    post, path = "/ingest/promotions", tag = "ingest",
    request_body(content(
        (Records<PromotionRecord> = "application/json"), (String = "text/csv"), (ParquetFile = "application/vnd.apache.parquet"),
    )),
    responses(
        (status = 200, description = "What became of the rows, also when all were left out", body = LoadResult<PromotionKey>),
        LoadProblems,
    )
)]
async fn promotions(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Json<LoadResult<PromotionKey>>, Problem> {
    load::<PromotionRow>(&app, request).await
}

/// Upsert stock levels
///
/// Rows are addressed by store code, SKU and day, and refer to stores, products and calendar days that exist.
/// A row that refers to something unknown is left out and reported; the others are written.
/// One value that does not fit refuses the whole request (422). Of two rows with the same key the last wins. Safe to
/// repeat.
///
/// As JSON (at most 10,000 rows), CSV with a header line or Parquet, each also gzipped.
#[utoipa::path(
    post, path = "/ingest/inventory", tag = "ingest",
    request_body(content(
        (Records<InventoryRecord> = "application/json"), (String = "text/csv"), (ParquetFile = "application/vnd.apache.parquet"),
    )),
    responses(
        (status = 200, description = "What became of the rows, also when all were left out", body = LoadResult<SeriesDay>),
        LoadProblems,
    )
)]
async fn inventory(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Json<LoadResult<SeriesDay>>, Problem> {
    load::<InventoryRow>(&app, request).await
}

async fn load<R: Record<Key: ToSchema>>(
    app: &App,
    request: Request,
) -> Result<Json<LoadResult<R::Key>>, Problem> {
    let started = Instant::now();
    let deadline = app.ingest.deadline();
    // A body that comes too slowly counts.
    let upload = deadline.apply(Upload::read(request, app.ingest.most_bytes())).await.map_err(problem)??;
    let outcome = app.ingest.load::<R>(upload, deadline).await.map_err(problem)?;
    Ok(Json(LoadResult::new(outcome, started.elapsed())))
}

fn problem(error: IngestError) -> Problem {
    match error {
        IngestError::Refused { errors, more: false } => Problem::validation(errors),
        IngestError::Refused { errors, more: true } => {
            let detail =
                format!("The table does not fit: reading stopped after {} validation errors.", errors.len());
            Problem::validation(errors).detail(detail)
        }
        IngestError::Timeout(_) => Problem::new(Code::ServiceUnavailable, format!("{error}.")).retry_after(1),
        IngestError::Database(cause) => Problem::database(&cause),
        IngestError::Internal(cause) => Problem::internal(&cause),
    }
}
