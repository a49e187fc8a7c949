//! `/health` and `/health/ready` (contract `README.md` §2).

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;
use super::request::OwnBody;

/// How the server is.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It works.
    Ok,
    /// Part of it works.
    Degraded,
    /// It does not work.
    Unhealthy,
}

/// Whether the database answers.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum DatabaseStatus {
    /// It answers.
    Connected,
    /// It does not.
    Disconnected,
}

/// Answer of both endpoints.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct Health {
    /// How the server is.
    pub status: Status,
    /// Whether the database answers; null where it was not asked.
    #[schema(required)]
    pub database: Option<DatabaseStatus>,
}

/// The routes.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(live)).routes(routes!(ready))
}

/// Liveness
///
/// Never touches the database.
#[utoipa::path(get, path = "/health", tag = "health", responses(
    (status = 200, description = "The process answers", body = Health, example = json!({"status": "ok", "database": null}))
))]
pub(crate) async fn live() -> Json<Health> {
    Json(Health { status: Status::Ok, database: None })
}

/// Readiness
///
/// Runs a trivial query.
#[utoipa::path(get, path = "/health/ready", tag = "health", responses(
    (status = 200, description = "The database answers", body = Health,
     example = json!({"status": "ok", "database": "connected"})),
    (status = 503, description = "The database does not answer", body = Health,
     example = json!({"status": "unhealthy", "database": "disconnected"}))
))]
async fn ready(State(app): State<Arc<App>>) -> Response {
    /// Far above what a trivial query takes, below what a load balancer waits.
    const LIMIT: Duration = Duration::from_secs(3);
    let query = sqlx::query("select 1").execute(&app.pool);
    let cause = match tokio::time::timeout(LIMIT, query).await {
        Ok(Ok(_)) => {
            return Json(Health { status: Status::Ok, database: Some(DatabaseStatus::Connected) })
                .into_response();
        }
        Ok(Err(e)) => e.to_string(),
        Err(_) => "no answer within 3 s".to_owned(),
    };
    tracing::warn!(cause, "not ready: the database does not answer");
    let body = Json(Health { status: Status::Unhealthy, database: Some(DatabaseStatus::Disconnected) });
    let mut response = (StatusCode::SERVICE_UNAVAILABLE, body).into_response();
    response.extensions_mut().insert(OwnBody);
    response
}
