//! `GET /dimensions/…`.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::wire::{self, Product, ProductPage, ProductsQuery, Store, StorePage, StoresQuery};
use crate::http::listing::ListFormat;
use crate::http::problem::ProblemBody;
use crate::http::query::path_key;
use crate::http::{App, Code, Problem, Query};

/// The routes.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(stores))
        .routes(routes!(store))
        .routes(routes!(products))
        .routes(routes!(product))
}

/// List stores
///
/// Filters combine with AND. Text is ordered by code point, nulls are the largest value, ties go by code. Also as
/// CSV (`Accept: text/csv`), with the number of all matches in the header `X-Total-Count`.
#[utoipa::path(
    get, path = "/dimensions/stores", tag = "dimensions", params(StoresQuery),
    responses(
        (status = 200, description = "A page", content((StorePage = "application/json"), (String = "text/csv"))),
        (status = 422, description = "`/errors/validation`: a query value does not fit", body = ProblemBody, content_type = "application/problem+json"),
        (status = 500, description = "`/errors/database`: the database failed", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn stores(State(app): State<Arc<App>>, format: ListFormat, query: Query) -> Result<Response, Problem> {
    let listing = wire::read_stores(&query)?;
    let page = app.dimensions.stores(&listing).await.map_err(|e| Problem::database(&e))?;
    let page = StorePage::new(page, listing.paging);
    format.answer(&page, &page.stores, page.total)
}

/// One store
#[utoipa::path(
    get, path = "/dimensions/stores/{store_id}", tag = "dimensions",
    params(("store_id" = i64, Path, description = "Database key of the store")),
    responses(
        (status = 200, description = "The store", body = Store),
        (status = 404, description = "`/errors/not-found`: no store has this id", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`/errors/validation`: the id is no integer", body = ProblemBody, content_type = "application/problem+json"),
        (status = 500, description = "`/errors/database`: the database failed", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn store(
    State(app): State<Arc<App>>,
    segment: Result<Path<String>, PathRejection>,
) -> Result<Json<Store>, Problem> {
    let name = shown(&segment);
    let found = match path_key("store_id", segment)? {
        Some(id) => app.dimensions.store(id).await.map_err(|e| Problem::database(&e))?,
        None => None,
    };
    let absent = || format!("No store has id {name}. GET /dimensions/stores lists all stores.");
    found.map(|store| Json(store.into())).ok_or_else(|| Problem::new(Code::NotFound, absent()))
}

/// List products
///
/// Filters combine with AND. Text is ordered by code point, prices by value, nulls are the largest value, ties go by
/// SKU. Also as CSV (`Accept: text/csv`), with the number of all matches in the header `X-Total-Count`.
#[utoipa::path(
    get, path = "/dimensions/products", tag = "dimensions", params(ProductsQuery),
    responses(
        (status = 200, description = "A page", content((ProductPage = "application/json"), (String = "text/csv"))),
        (status = 422, description = "`/errors/validation`: a query value does not fit", body = ProblemBody, content_type = "application/problem+json"),
        (status = 500, description = "`/errors/database`: the database failed", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn products(
    State(app): State<Arc<App>>,
    format: ListFormat,
    query: Query,
) -> Result<Response, Problem> {
    let listing = wire::read_products(&query)?;
    let page = app.dimensions.products(&listing).await.map_err(|e| Problem::database(&e))?;
    let page = ProductPage::new(page, listing.paging);
    format.answer(&page, &page.products, page.total)
}

/// One product
#[utoipa::path(
    get, path = "/dimensions/products/{product_id}", tag = "dimensions",
    params(("product_id" = i64, Path, description = "Database key of the product")),
    responses(
        (status = 200, description = "The product", body = Product),
        (status = 404, description = "`/errors/not-found`: no product has this id", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`/errors/validation`: the id is no integer", body = ProblemBody, content_type = "application/problem+json"),
        (status = 500, description = "`/errors/database`: the database failed", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn product(
    State(app): State<Arc<App>>,
    segment: Result<Path<String>, PathRejection>,
) -> Result<Json<Product>, Problem> {
    let name = shown(&segment);
    let found = match path_key("product_id", segment)? {
        Some(id) => app.dimensions.product(id).await.map_err(|e| Problem::database(&e))?,
        None => None,
    };
    let absent = || format!("No product has id {name}. GET /dimensions/products lists all products.");
    found.map(|product| Json(product.into())).ok_or_else(|| Problem::new(Code::NotFound, absent()))
}

/// The id as the client wrote it, for the sentence that says that there is none.
fn shown(segment: &Result<Path<String>, PathRejection>) -> String {
    segment.as_ref().map(|Path(text)| text.clone()).unwrap_or_default()
}
