//! Transport: health, problems, request ids, redirects, CORS, documents. Contract: `README.md`.

use axum::body::Body;
use axum::http::{Method, Request};
use retailcast::config::AppEnv;
use serde_json::json;

use crate::support::app::TestApp;

#[tokio::test]
async fn health() {
    let app = TestApp::new().await;
    let live = app.get("/health").await;
    assert_eq!((live.status.as_u16(), live.json()), (200, json!({"status": "ok", "database": null})));
    let ready = app.get("/health/ready").await;
    assert_eq!(
        (ready.status.as_u16(), ready.json()),
        (200, json!({"status": "ok", "database": "connected"}))
    );
    app.pool.close().await;
    let broken = app.get("/health/ready").await;
    let body = json!({"status": "unhealthy", "database": "disconnected"});
    assert_eq!((broken.status.as_u16(), broken.json()), (503, body));
    assert!(!broken.header("x-request-id").is_empty());
    assert_eq!(app.get("/health").await.status.as_u16(), 200);
}

#[tokio::test]
async fn a_request_id_is_taken_or_made() {
    let app = TestApp::new().await;
    let with = async |id: &str| {
        let request = Request::get("/health").header("x-request-id", id).body(Body::empty()).unwrap();
        app.send(request).await.header("x-request-id").to_owned()
    };
    assert_eq!(with("order 66").await, "order 66");
    let long = "x".repeat(201);
    for id in ["", "caf\u{e9}", long.as_str()] {
        let made = with(id).await;
        assert_eq!(made.len(), 36, "{id:?} became {made}");
        assert_eq!(made.matches('-').count(), 4);
    }
    let missing = Request::get("/nothing").header("x-request-id", "r-1").body(Body::empty()).unwrap();
    let problem = app.send(missing).await.problem(404, "not-found");
    assert_eq!(problem["instance"], "/requests/r-1");
    assert_eq!(problem["code"], "NOT_FOUND");
    assert_eq!(problem["title"], "Not Found");
    assert!(problem.get("errors").is_none());
}

#[tokio::test]
async fn wrong_methods_name_the_right_ones() {
    let app = TestApp::new().await;
    let answer = app.send(Request::delete("/forecasting/train").body(Body::empty()).unwrap()).await;
    answer.problem(405, "method-not-allowed");
    assert_eq!(answer.header("allow"), "POST");
    let answer = app.send(Request::put("/health").body(Body::empty()).unwrap()).await;
    answer.problem(405, "method-not-allowed");
    assert!(answer.header("allow").contains("GET"));
}

#[tokio::test]
async fn a_trailing_slash_leads_to_the_canonical_path() {
    let app = TestApp::new().await;
    for (path, location) in [
        ("/health/", "/health"),
        ("/docs/", "/docs"),
        ("/ingest/sales-daily/?a=b%20c", "/ingest/sales-daily?a=b%20c"),
    ] {
        let answer = app.get(path).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (307, location));
        assert!(!answer.header("x-request-id").is_empty());
    }
    for path in ["/nothing", "/nothing/", "/health//", "//evil.org/"] {
        app.get(path).await.problem(404, "not-found");
    }
}

#[tokio::test]
async fn bodies_that_are_no_json_object() {
    let app = TestApp::new().await;
    let path = "/forecasting/predict";
    let one = |field: &str, kind: &str| vec![(field.to_owned(), kind.to_owned())];
    assert_eq!(app.post_text(path, "").await.invalid(), one("", "missing"));
    assert_eq!(app.post_text(path, "[1]").await.invalid(), one("", "dict_type"));
    assert_eq!(app.post_text(path, "null").await.invalid(), one("", "dict_type"));
    for (text, at) in
        [("{\"a\": nan}", 6_usize), ("{\"a\":1,\"a\":2}", 11), ("{", 1), ("{\"a\": Infinity}", 6)]
    {
        let found = app.post_text(path, text).await.invalid();
        assert_eq!(found[0].1, "json_invalid");
        assert!(found[0].0.parse::<usize>().unwrap().abs_diff(at) <= 1, "{text}: {found:?}");
    }
    let form = Request::post(path).header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(app.send(form.body(Body::from("a=b")).unwrap()).await.invalid(), one("", "dict_type"));
    let bare = Request::post(path).body(Body::from("{}")).unwrap();
    assert_eq!(app.send(bare).await.invalid()[0].1, "missing");
}

#[tokio::test]
async fn large_bodies_are_refused() {
    let app = TestApp::new().await;
    let large = format!("{{\"records\": \"{}\"}}", "x".repeat(16 << 20));
    app.post_text("/ingest/sales-daily", large.clone()).await.problem(413, "payload-too-large");
    // Without a length in the header the bytes are counted.
    let parts =
        large.into_bytes().chunks(1 << 20).map(|part| Ok(part.to_vec())).collect::<Vec<std::io::Result<_>>>();
    let stream = Body::from_stream(futures::stream::iter(parts));
    app.post_text("/ingest/sales-daily", stream).await.problem(413, "payload-too-large");
}

#[tokio::test]
async fn cors_in_development_only() {
    let preflight = || {
        Request::builder()
            .method(Method::OPTIONS)
            .uri("/forecasting/train")
            .header("origin", "http://localhost:5173")
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "content-type")
            .body(Body::empty())
            .unwrap()
    };
    let development = TestApp::with(|config| config.app.env = AppEnv::Development).await;
    let answer = development.send(preflight()).await;
    assert_eq!(answer.status.as_u16(), 200);
    assert_eq!(answer.header("access-control-allow-origin"), "http://localhost:5173");
    assert_eq!(answer.header("access-control-allow-credentials"), "true");
    assert_eq!(answer.header("access-control-allow-headers"), "content-type");
    let from = |origin: &str| Request::get("/nothing").header("origin", origin).body(Body::empty()).unwrap();
    let answer = development.send(from("http://192.168.1.5")).await;
    answer.problem(404, "not-found");
    assert_eq!(answer.header("access-control-allow-origin"), "http://192.168.1.5");
    assert_eq!(answer.header("access-control-expose-headers"), "x-request-id");
    assert_eq!(development.send(from("https://evil.org")).await.header("access-control-allow-origin"), "");

    let production = TestApp::with(|config| config.app.env = AppEnv::Production).await;
    assert_eq!(production.send(from("http://localhost")).await.header("access-control-allow-origin"), "");
}

#[tokio::test]
async fn documents() {
    let app = TestApp::new().await;
    let document = app.get("/openapi.json").await.json();
    insta::assert_json_snapshot!("openapi", document);
    let page = app.get("/docs").await;
    assert_eq!(page.status.as_u16(), 200);
    assert!(page.text.contains("/openapi.json"));
    for file in page.text.split('"').filter(|text| text.starts_with("/docs/swagger")) {
        assert_eq!(app.get(file).await.status.as_u16(), 200, "{file}");
    }
    app.get("/docs/../Cargo.toml").await.problem(404, "not-found");
    app.get("/docs/nothing.js").await.problem(404, "not-found");
}

#[tokio::test]
async fn metrics_count_requests_by_route() {
    let app = TestApp::new().await;
    app.get("/health").await;
    let text = app.get("/metrics").await;
    assert!(text.header("content-type").starts_with("text/plain; version=0.0.4"));
    assert!(
        text.text.contains(r#"http_requests_total{method="GET",route="/health",status="200"}"#),
        "{}",
        text.text
    );
    assert!(text.text.contains("http_request_duration_seconds_bucket"));
    assert!(text.text.contains("compute_queue_waiting"));
}

#[tokio::test]
async fn options_without_a_preflight_is_a_method_like_others() {
    let app = TestApp::with(|config| config.app.env = AppEnv::Development).await;
    let options = |path: &str| Request::options(path).body(Body::empty()).unwrap();
    let answer = app.send(options("/forecasting/train")).await;
    answer.problem(405, "method-not-allowed");
    assert_eq!(answer.header("allow"), "POST");
    app.send(options("/nothing")).await.problem(404, "not-found");
}
