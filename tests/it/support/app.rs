//! The real router, in process.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use retailcast::config::{AppEnv, Config};
use retailcast::slices::forecasting::service::Forecasting;
use retailcast::{app, http};
use retailcast_runtime::Catalogue;
use serde_json::Value;
use sqlx::PgPool;
use tower::ServiceExt;

use super::database;

/// All tests share the loaded plugins.
static PLUGINS: LazyLock<Arc<Catalogue>> = LazyLock::new(|| {
    let mut config = Config::defaults();
    config.plugins.dir = "/nonexistent".into();
    config.plugins.cache_dir = code_cache();
    Arc::new(app::catalogue(&config).unwrap())
});

/// Compiled plugins, kept from run to run.
fn code_cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("plugin-code")
}

/// Training and forecasts on this database, as the command line has them.
pub(crate) fn forecasting(pool: PgPool, change: impl FnOnce(&mut Config)) -> Forecasting {
    let mut config = Config::defaults();
    config.plugins.dir = "/nonexistent".into();
    config.plugins.cache_dir = code_cache();
    change(&mut config);
    app::forecasting(&config, pool).unwrap()
}

/// An application with a database and a folder of models of its own.
pub(crate) struct TestApp {
    pub(crate) router: Router,
    pub(crate) pool: PgPool,
    pub(crate) models: tempfile::TempDir,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// The body of an error, after the checks that hold for every error.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, kind: &str) -> Value {
        let body = self.json();
        assert_eq!(self.status.as_u16(), status, "{body}");
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(body["type"], format!("/errors/{kind}"), "{body}");
        assert_eq!(body["status"], status);
        assert_eq!(body["request_id"], self.header("x-request-id"));
        assert_eq!(body["instance"], format!("/requests/{}", self.header("x-request-id")));
        body
    }

    /// `field` and `type` of all validation errors.
    #[track_caller]
    pub(crate) fn invalid(&self) -> Vec<(String, String)> {
        let body = self.problem(422, "validation");
        let errors = body["errors"].as_array().unwrap();
        assert!(body["detail"].as_str().unwrap().contains(&errors.len().to_string()));
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        errors.iter().map(|e| (text(&e["field"]), text(&e["type"]))).collect()
    }
}

impl TestApp {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// With another configuration.
    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::build(change, |_| Arc::clone(&PLUGINS)).await
    }

    /// With the plugins that the changed configuration names.
    pub(crate) async fn with_plugins(change: impl FnOnce(&mut Config)) -> Self {
        Self::build(change, |config| Arc::new(app::catalogue(config).unwrap())).await
    }

    async fn build(
        change: impl FnOnce(&mut Config),
        plugins: impl FnOnce(&Config) -> Arc<Catalogue>,
    ) -> Self {
        let models = tempfile::tempdir().unwrap();
        let mut config = Config::defaults();
        config.app.env = AppEnv::Testing;
        config.forecast.model_artifacts_dir = models.path().join("models").into();
        config.registry.artifact_root = models.path().join("registry").into();
        config.plugins.cache_dir = code_cache();
        change(&mut config);
        let pool = database::fresh().await;
        let app = app::assemble(&config, pool.clone(), plugins(&config)).unwrap();
        Self { router: http::router(app), pool, models }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.post_text(path, body.to_string()).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        let request =
            Request::patch(path).header("content-type", "application/json").body(body.to_string().into());
        self.send(request.unwrap()).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(Request::delete(path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post_text(&self, path: &str, body: impl Into<Body>) -> Answer {
        let request =
            Request::post(path).header("content-type", "application/json").body(body.into()).unwrap();
        self.send(request).await
    }
}
