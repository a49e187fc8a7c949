//! `GET /plugins`, `GET /plugins/{name}` and `POST /plugins/reload`.

use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::wire::{PluginResult, PluginsResult, ReloadResult};
use crate::http::problem::ProblemBody;
use crate::http::{App, Code, Problem};

/// The routes.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(plugins)).routes(routes!(plugin)).routes(routes!(reload))
}

/// List plugins
///
/// All that were found: loaded ones with their schema, limits and counters, and refused ones with the reason and the
/// lines of `retailcast.toml` that would allow them.
#[utoipa::path(
    get, path = "/plugins", tag = "plugins",
    responses((status = 200, description = "All plugins", body = PluginsResult))
)]
async fn plugins(State(app): State<Arc<App>>) -> Json<PluginsResult> {
    Json(PluginsResult::new(&app.plugins.entries()))
}

/// One plugin
#[utoipa::path(
    get, path = "/plugins/{name}", tag = "plugins",
    params(("name" = String, Path, description = "Model type; for a plugin that is not loaded the name of its settings table")),
    responses(
        (status = 200, description = "The plugin", body = PluginResult),
        (status = 404, description = "`/errors/not-found`: there is no such plugin", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn plugin(
    State(app): State<Arc<App>>,
    segment: Result<Path<String>, PathRejection>,
) -> Result<Json<PluginResult>, Problem> {
    // A segment that is no text is the name of nothing.
    let name = segment.map(|Path(name)| name).unwrap_or_default();
    let absent =
        || Problem::new(Code::NotFound, format!("There is no plugin `{name}`. GET /plugins lists all."));
    app.plugins.find(&name).map(|entry| Json(PluginResult::new(&entry))).ok_or_else(absent)
}

/// Load plugins again
///
/// Reads the section `[plugins]` of `retailcast.toml` and the plugin folder again. Calls that run end on the plugin that
/// they began with.
#[utoipa::path(
    post, path = "/plugins/reload", tag = "plugins",
    responses(
        (status = 200, description = "All plugins as they are now, and what changed", body = ReloadResult),
        (status = 409, description = "`/errors/conflict`: the configuration does not fit; nothing was changed", body = ProblemBody, content_type = "application/problem+json"),
        (status = 500, description = "`/errors/internal`: loading failed", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn reload(State(app): State<Arc<App>>) -> Result<Json<ReloadResult>, Problem> {
    let started = Instant::now();
    let plugins = app.plugins.clone();
    let changes = tokio::task::spawn_blocking(move || plugins.reload())
        .await
        .map_err(|e| Problem::internal(&e))?
        .map_err(|e| Problem::new(Code::Conflict, format!("Plugins stay as they are: {e}")))?;
    Ok(Json(ReloadResult::new(&changes, &app.plugins.entries(), started.elapsed())))
}
