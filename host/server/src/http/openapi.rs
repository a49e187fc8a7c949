//! `/openapi.json`, made from the handlers, and `/docs`, Swagger UI on it.

use std::sync::Arc;

use axum::Json;
use axum::extract::Path;
use axum::http::header;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Document;

use super::problem::{FieldErrorBody, ProblemBody};
use super::{App, Code, Problem};

/// What is not said at a handler.
#[derive(OpenApi)]
#[openapi(
    info(
        description = "Demand forecasting for retail: one series per store and product, one value per day. \
            Every error is a problem body (RFC 7807) of media type application/problem+json; branch on its `type` \
            or `code`. Every response carries `X-Request-ID`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    components(schemas(ProblemBody, FieldErrorBody)),
    tags(
        (name = "health", description = "Is it alive, is it ready."),
        (name = "ingest", description = "Daily sales, by natural keys."),
        (name = "dimensions", description = "Stores and products."),
        (name = "analytics", description = "Aggregates over sales and inventory."),
        (name = "seeder", description = "Synthetic data: generate, append, delete, verify."),
        (name = "forecasting", description = "Train a model for one series, forecast from it."),
        (name = "operations", description = "For operators."),
    )
)]
pub struct Base;

/// Adds the routes that serve the document.
pub fn serve(router: axum::Router<Arc<App>>, document: Document) -> axum::Router<Arc<App>> {
    let document = Arc::new(document);
    let json = Arc::clone(&document);
    router
        .route("/openapi.json", get(move || async move { Json((*json).clone()) }))
        .route("/docs", get(async || Html(page())))
        .route("/docs/{file}", get(asset))
}

/// Swagger UI's page. The canonical path has no slash at its end, so its files are named from the root.
fn page() -> String {
    r##"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>RetailCast API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script>
SwaggerUIBundle({ url: "/openapi.json", dom_id: "#swagger-ui", deepLinking: true });
</script>
</body>
</html>
"##
    .to_owned()
}

async fn asset(Path(file): Path<String>) -> Response {
    let config = Arc::new(utoipa_swagger_ui::Config::from("/openapi.json"));
    match utoipa_swagger_ui::serve(&file, config) {
        Ok(Some(file)) => {
            ([(header::CONTENT_TYPE, file.content_type)], file.bytes.into_owned()).into_response()
        }
        Ok(None) => Problem::new(Code::NotFound, format!("Swagger UI has no file {file}.")).into_response(),
        Err(e) => Problem::internal(&e.to_string()).into_response(),
    }
}
