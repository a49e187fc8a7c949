//! All routes and the layers around them.

use std::any::Any;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use retailcast_runtime::{Catalogue, ComputePool};
use sqlx::PgPool;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use super::openapi::Base;
use super::sockets::Sockets;
use super::{Code, Problem, cors, headers, health, metrics, openapi, request};
use crate::access::{self, Gate};
use crate::ai::LiveSettings;
use crate::config::{AppConfig, AppEnv};
use crate::dashboard;
use crate::jobs::Jobs;
use crate::slices::forecasting::service::Forecasting;
use crate::slices::rollups::Rollups;
use crate::slices::{
    agents, ai_config, analytics, backtesting, demo, dimensions, explain, featuresets, forecasting, ingest,
    jobs, plugins, rag, registry, scenarios, seeder,
};

/// What handlers work with.
#[derive(Debug)]
pub struct App {
    /// Name and environment.
    pub config: AppConfig,
    /// Who may ask, and how fast.
    pub gate: Arc<Gate>,
    /// WebSockets that may still open.
    pub sockets: Sockets,
    /// The database.
    pub pool: PgPool,
    /// The threads that compute.
    pub compute: Arc<ComputePool>,
    /// Bulk loads.
    pub ingest: ingest::Ingest,
    /// Stores and products.
    pub dimensions: dimensions::Dimensions,
    /// Aggregates.
    pub analytics: analytics::Analytics,
    /// The sums that aggregates read.
    pub rollups: Rollups,
    /// Synthetic data.
    pub seeder: seeder::Seeder,
    /// Feature sets.
    pub featuresets: featuresets::Featuresets,
    /// Training and forecasts.
    pub forecasting: Forecasting,
    /// Jobs.
    pub jobs: Jobs,
    /// Cross-validation.
    pub backtesting: backtesting::Backtesting,
    /// Training runs and the names of the successful ones.
    pub registry: registry::Registry,
    /// What computes.
    pub plugins: plugins::Plugins,
    /// The knowledge base.
    pub knowledge: rag::Knowledge,
    /// Settings of language and embedding models.
    pub ai: LiveSettings,
    /// The showcase.
    pub demo: demo::Demo,
    /// What forecasts rest on.
    pub explanations: explain::Explanations,
    /// What-if plans.
    pub scenarios: scenarios::Scenarios,
    /// Agents.
    pub agents: agents::Agents,
    /// Changes of these settings.
    pub ai_config: ai_config::AiConfig,
}

/// The server's router.
pub fn router(app: Arc<App>) -> Router {
    metrics::recorder();
    let (router, mut document) = slices().split_for_parts();
    openapi::finish(&mut document, &app.config.name, app.forecasting.catalogue());
    let paths = Arc::new(Paths::of(&document));
    let mut router = openapi::serve(router, document)
        .merge(dashboard::routes())
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(async move |request: Request| not_found(&paths, &request))
        .layer(CatchPanicLayer::custom(panicked));
    if !app.gate.is_open() {
        router = router.layer(middleware::from_fn_with_state(Arc::clone(&app.gate), access::guard));
    }
    if app.config.env == AppEnv::Development {
        router = router.layer(middleware::from_fn(cors::around));
    }
    router
        .layer(middleware::map_response(headers::add))
        .layer(middleware::from_fn(request::around))
        .with_state(app)
}

/// The OpenAPI document, also without a running server.
pub fn document(name: &str, catalogue: &Catalogue) -> utoipa::openapi::OpenApi {
    let (_, mut document) = slices().split_for_parts();
    openapi::finish(&mut document, name, catalogue);
    document
}

fn slices() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(Base::openapi())
        .merge(health::routes())
        .merge(ingest::routes())
        .merge(dimensions::routes())
        .merge(analytics::routes())
        .merge(seeder::routes())
        .merge(featuresets::routes())
        .merge(forecasting::routes::routes())
        .merge(backtesting::routes())
        .merge(jobs::routes())
        .merge(registry::routes())
        .merge(plugins::routes())
        .merge(rag::routes())
        .merge(scenarios::routes())
        .merge(explain::routes())
        .merge(demo::routes())
        .merge(ai_config::routes())
        .merge(agents::routes())
        .merge(metrics::routes())
}

/// The path templates of all routes.
struct Paths(Vec<String>);

impl Paths {
    fn of(document: &utoipa::openapi::OpenApi) -> Self {
        let documented = document.paths.paths.keys().cloned();
        Self(documented.chain(["/docs", "/openapi.json"].map(str::to_owned)).collect())
    }

    fn know(&self, path: &str) -> bool {
        let fits = |(template, part): (&str, &str)| {
            template == part || (template.starts_with('{') && !part.is_empty())
        };
        self.0.iter().any(|template| {
            template.split('/').count() == path.split('/').count()
                && template.split('/').zip(path.split('/')).all(fits)
        })
    }
}

/// Unknown paths; one that only differs by a trailing slash is led to the canonical path.
fn not_found(paths: &Paths, request: &Request) -> Response {
    let path = request.uri().path();
    if let Some(canonical) = path.strip_suffix('/').filter(|canonical| paths.know(canonical)) {
        let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
        let location = format!("{canonical}{query}");
        return (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, location)]).into_response();
    }
    Problem::new(Code::NotFound, format!("There is nothing at {path}. GET /openapi.json lists all paths."))
        .into_response()
}

async fn method_not_allowed(request: Request) -> Problem {
    let (method, path) = (request.method(), request.uri().path());
    Problem::new(
        Code::MethodNotAllowed,
        format!("{path} has no method {method}; the header Allow lists those it has."),
    )
}

fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let words = panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&str>().map(|words| (*words).to_owned()))
        .unwrap_or_else(|| "a panic without words".to_owned());
    Problem::internal(&words).into_response()
}
