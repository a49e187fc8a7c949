//! `/config/*`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::wire::{AiConfigBody, AiConfigUpdate, OllamaModelBody, ProviderHealth};
use crate::http::problem::ProblemBody;
use crate::http::{App, Code, JsonBody, Problem};

/// The routes.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(current, change))
        .routes(routes!(health))
        .routes(routes!(ollama_models))
}

/// Read the settings of language and embedding models
///
/// Those in effect: the configuration, and what was changed since. Keys are masked.
#[utoipa::path(
    get, path = "/config/ai", tag = "config",
    responses((status = 200, description = "The settings", body = AiConfigBody))
)]
async fn current(State(app): State<Arc<App>>) -> Json<AiConfigBody> {
    Json(AiConfigBody::from(&*app.ai_config.current()))
}

/// Change settings of language and embedding models
///
/// Stored and put into effect at once, in all server processes; a request that runs keeps the settings it began with.
/// Another vector length needs an empty index or `force`, which removes the chunks.
#[utoipa::path(
    patch, path = "/config/ai", tag = "config", request_body = AiConfigUpdate,
    responses(
        (status = 200, description = "The settings, now in effect", body = AiConfigBody),
        (status = 400, description = "`/errors/bad-request`: there is no change in the body", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`/errors/conflict`: chunks with vectors of another length are indexed", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`/errors/payload-too-large`: the body is larger than 16 MiB", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`/errors/validation`: the body does not fit", body = ProblemBody, content_type = "application/problem+json"),
        (status = 500, description = "`/errors/database`: the database failed; nothing was changed", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn change(
    State(app): State<Arc<App>>,
    JsonBody(body): JsonBody,
) -> Result<Json<AiConfigBody>, Problem> {
    let change = app.ai_config.read(&body)?;
    let settings = app.ai_config.change(&change).await?;
    Ok(Json(AiConfigBody::from(&*settings)))
}

/// Which providers can be used
///
/// Ollama is asked; of the others it is told whether a key is configured.
#[utoipa::path(
    get, path = "/config/providers/health", tag = "config",
    responses((status = 200, description = "`ollama`, `openai`, `anthropic`, `google`", body = Vec<ProviderHealth>))
)]
async fn health(State(app): State<Arc<App>>) -> Json<Vec<ProviderHealth>> {
    let settings = app.ai_config.current();
    let ollama = app.ai_config.ollama_models(&settings).await;
    Json(ProviderHealth::all(&settings, ollama))
}

/// List the models of the Ollama server
#[utoipa::path(
    get, path = "/config/ollama/models", tag = "config",
    responses(
        (status = 200, description = "In the server's order", body = Vec<OllamaModelBody>),
        (status = 502, description = "`/errors/bad-gateway`: Ollama does not answer, or not as expected", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn ollama_models(State(app): State<Arc<App>>) -> Result<Json<Vec<OllamaModelBody>>, Problem> {
    let found = app.ai_config.ollama_models(&app.ai_config.current()).await;
    let models = found.map_err(|error| Problem::new(Code::BadGateway, format!("Ollama: {error}.")))?;
    Ok(Json(models.into_iter().map(OllamaModelBody::from).collect()))
}
