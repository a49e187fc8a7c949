//! `/openapi.json`, made from the handlers, and `/docs`, Swagger UI on it.

use std::sync::Arc;

use axum::Json;
use axum::extract::Path;
use axum::http::{Method, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use retailcast_runtime::Catalogue;
use serde_json::{Value, json};
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{Discriminator, OneOfBuilder};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Components, ContentBuilder, OpenApi as Document, Ref, RefOr, ResponseBuilder, Schema};
use utoipa::{OpenApi, ToSchema};

use super::problem::{FieldErrorBody, ProblemBody};
use super::{App, Code, Problem};
use crate::access::{self, Scope};

/// A Parquet file, in documents.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes bodies, which are read and written as bytes")]
#[schema(value_type = String, format = Binary)]
pub struct ParquetFile(Vec<u8>);

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
        (name = "ingest", description = "Bulk loads, by natural keys."),
        (name = "dimensions", description = "Stores and products."),
        (name = "analytics", description = "Aggregates over sales and inventory."),
        (name = "seeder", description = "Synthetic data: generate, append, delete, verify."),
        (name = "featuresets", description = "Features of one series, of nothing later than a cutoff day."),
        (name = "forecasting", description = "Train a model for one series, forecast from it."),
        (name = "backtesting", description = "Cross-validate a model on one series, against baselines."),
        (name = "registry", description = "What was trained, how it went, and names for what is in use."),
        (name = "plugins", description = "The models and their makers: what is loaded, what was refused and why."),
        (name = "rag", description = "The knowledge base: documents, and the parts of them that answer a question."),
        (name = "explain", description = "What a forecast rests on."),
        (name = "scenarios", description = "What if: a forecast under assumptions, plans, and which is best."),
        (name = "demo", description = "One run through everything, step by step."),
        (name = "agents", description = "Two agents: experiments with forecasts, and answers from the knowledge base."),
        (name = "config", description = "Settings of language and embedding models, changed while the server runs."),
        (name = "operations", description = "For operators."),
    )
)]
pub struct Base;

/// Adds what only the running program knows: its name and version, the configurations of the loaded models, and an
/// example for every problem.
pub fn finish(document: &mut Document, name: &str, catalogue: &Catalogue) {
    name.clone_into(&mut document.info.title);
    env!("CARGO_PKG_VERSION").clone_into(&mut document.info.version);
    if let Some(components) = &mut document.components {
        add_models(components, catalogue);
    }
    add_security_scheme(document);
    for (path, operations) in &mut document.paths.paths {
        let all = [
            (Method::GET, &mut operations.get),
            (Method::POST, &mut operations.post),
            (Method::PATCH, &mut operations.patch),
            (Method::DELETE, &mut operations.delete),
        ];
        for (method, operation) in all {
            let Some(operation) = operation else { continue };
            if let Some(scope) = access::needed(&method, Some(path)) {
                add_access(operation, scope);
            }
            for (status, response) in &mut operation.responses.responses {
                if let RefOr::T(response) = response {
                    add_example(status, response);
                }
            }
        }
    }
}

/// How a key is sent.
const SCHEME: &str = "api_key";

fn add_security_scheme(document: &mut Document) {
    let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("rc_ID_SECRET").description(Some(
        "An API key, when the operator requires them (`access.require_keys`). A key of scope `write` may do what `read` \
         may, and `admin` everything. WebSocket clients that cannot send headers offer the subprotocols `retailcast` and \
         `key.KEY`.",
    ));
    let components = document.components.get_or_insert_default();
    components.add_security_scheme(SCHEME, SecurityScheme::Http(scheme.build()));
}

/// The scope that an operation needs, and how it is refused without.
fn add_access(operation: &mut Operation, scope: Scope) {
    // Without keys nothing is needed: the empty requirement says so.
    let with_key = SecurityRequirement::new(SCHEME, [scope.name()]);
    operation.security = Some(vec![SecurityRequirement::default(), with_key]);
    let refusals = [
        ("401", "`/errors/unauthorized`: keys are required, and there is no valid one".to_owned()),
        ("403", format!("`/errors/forbidden`: the key has not the scope `{}`", scope.name())),
        (
            "503",
            "`/errors/service-unavailable`: the database cannot be reached; `Retry-After` says when to try again"
                .to_owned(),
        ),
        (
            "429",
            "`/errors/rate-limited`: more requests than the operator allows; `Retry-After` says when"
                .to_owned(),
        ),
    ];
    for (status, description) in refusals {
        operation.responses.responses.entry(status.to_owned()).or_insert_with(|| {
            let body = ContentBuilder::new().schema(Some(Ref::from_schema_name("ProblemBody"))).build();
            let response = ResponseBuilder::new().description(description);
            RefOr::T(response.content("application/problem+json", body).build())
        });
    }
}

/// One schema per loaded model, made of what its plugin declares, and the choice among them by `model_type`.
fn add_models(components: &mut Components, catalogue: &Catalogue) {
    let mut choices = OneOfBuilder::new().description(Some("A loaded model, chosen by `model_type`."));
    let mut tag = Discriminator::new("model_type");
    for name in catalogue.model_types() {
        let Ok(model) = catalogue.model(&name) else { continue };
        let schema_name = format!("ModelConfig_{name}");
        match serde_json::from_value::<RefOr<Schema>>(model_schema(&name, &model.description().config_schema))
        {
            Ok(schema) => {
                components.schemas.insert(schema_name.clone(), schema);
            }
            Err(e) => {
                tracing::warn!(
                    plugin = name,
                    "its configuration schema does not fit into the OpenAPI document: {e}"
                );
                continue;
            }
        }
        let reference = Ref::from_schema_name(&schema_name);
        tag.mapping.insert(name, reference.ref_location.clone());
        choices = choices.item(reference);
    }
    let choices = choices.discriminator(Some(tag)).build();
    components.schemas.insert("ModelConfig".to_owned(), RefOr::T(Schema::OneOf(choices)));
}

/// The plugin's schema with the members that belong to the host.
fn model_schema(name: &str, declared: &Value) -> Value {
    let mut properties = serde_json::Map::new();
    properties.insert(
        "schema_version".to_owned(),
        json!({"type": "string", "default": "1.0", "pattern": r"^\d+\.\d+(\.\d+)?$"}),
    );
    properties.insert("model_type".to_owned(), json!({"type": "string", "enum": [name]}));
    properties.extend(declared["properties"].as_object().cloned().unwrap_or_default());
    let mut required = vec![json!("model_type")];
    required.extend(declared["required"].as_array().cloned().unwrap_or_default());
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

/// An example of a problem, from the type that the response's description begins with.
fn add_example(status: &str, response: &mut utoipa::openapi::Response) {
    let Some(RefOr::T(content)) = response.content.get_mut("application/problem+json") else { return };
    let Some(kind) = response.description.split('`').nth(1).and_then(|text| text.strip_prefix("/errors/"))
    else {
        return;
    };
    let Some(code) = Code::ALL.into_iter().find(|code| code.names().1.ends_with(&format!("/{kind}"))) else {
        return;
    };
    let (code, kind, title) = code.names();
    let id = "0d9d3c0e-6d0a-4a34-9f0c-1f8f5d6f2a11";
    let mut example = json!({
        "type": kind, "title": title, "status": status.parse::<u16>().unwrap_or_default(),
        "detail": response.description.split(": ").last(), "instance": format!("/requests/{id}"),
    });
    if code == "VALIDATION_ERROR" {
        example["errors"] = json!([{"field": "store_id", "message": "is required", "type": "missing"}]);
    }
    example["code"] = code.into();
    example["request_id"] = id.into();
    content.example = Some(example);
}

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
