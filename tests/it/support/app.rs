//! The real router, in process.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use retailcast::config::{AppEnv, Config};
use retailcast::http::App;
use retailcast::slices::forecasting::service::Forecasting;
use retailcast::{app, http};
use retailcast_runtime::Catalogue;
use serde_json::Value;
use sqlx::PgPool;
use tokio::sync::watch;
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
    pub(crate) app: Arc<App>,
    config: Config,
    plugins: Arc<Catalogue>,
    /// Workers run until these are gone.
    workers: Mutex<Vec<watch::Sender<bool>>>,
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
        let plugins = plugins(&config);
        let app = app::assemble(&config, pool.clone(), Arc::clone(&plugins)).unwrap();
        Self {
            router: http::router(Arc::clone(&app)),
            app,
            config,
            plugins,
            workers: Mutex::default(),
            pool,
            models,
        }
    }

    /// Serves it on a port of its own until the test ends; the address.
    pub(crate) async fn listen(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = self.router.clone();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        format!("http://{address}")
    }

    /// With a worker for jobs.
    pub(crate) async fn working() -> Self {
        let app = Self::new().await;
        app.work(2, |_| {});
        app
    }

    /// Starts a worker, which ends with the test; it hears of jobs like one of `serve`.
    pub(crate) fn work(&self, slots: usize, change: impl FnOnce(&mut Config)) {
        let mut config = self.config.clone();
        change(&mut config);
        let bell = Arc::clone(self.app.jobs.bell());
        let (pool, plugins) = (self.pool.clone(), Arc::clone(&self.plugins));
        let worker = app::worker(&config, pool.clone(), plugins, Arc::clone(&bell), slots).unwrap();
        tokio::spawn(async move { bell.listen(pool).await });
        let (stop, stopping) = watch::channel(false);
        tokio::spawn(worker.run(stopping));
        self.workers.lock().unwrap().push(stop);
    }

    /// Looks at a job until it is as wanted.
    pub(crate) async fn until(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + Duration::from_mins(1);
        loop {
            let job = self.get(path).await.json();
            if wanted(&job) {
                return job;
            }
            assert!(Instant::now() < end, "waited for a minute: {job}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
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

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(Request::delete(path).body(Body::empty()).unwrap()).await
    }

    /// Submits a job and waits for its end.
    pub(crate) async fn job(&self, job_type: &str, params: &Value) -> Value {
        let body = serde_json::json!({"job_type": job_type, "params": params}).to_string();
        let request =
            Request::post("/jobs").header("content-type", "application/json").header("prefer", "wait=60");
        let answer = self.send(request.body(body.into()).unwrap()).await;
        assert_eq!(answer.status, 202, "{}", answer.text);
        answer.json()
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.post_text(path, body.to_string()).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        let request =
            Request::patch(path).header("content-type", "application/json").body(body.to_string().into());
        self.send(request.unwrap()).await
    }

    pub(crate) async fn post_text(&self, path: &str, body: impl Into<Body>) -> Answer {
        let request =
            Request::post(path).header("content-type", "application/json").body(body.into()).unwrap();
        self.send(request).await
    }
}
