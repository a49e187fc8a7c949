//! The dashboard's files: policy, tags, compression.

use std::io::Read;

use axum::body::Body;
use axum::http::{Request, header};
use flate2::read::GzDecoder;
use http_body_util::BodyExt;
use tower::ServiceExt;

use crate::support::app::TestApp;

#[tokio::test]
async fn the_page_allows_nothing_from_elsewhere() {
    let app = TestApp::new().await;
    let page = app.get("/").await;
    assert_eq!(page.status.as_u16(), 200);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(page.header("content-security-policy").starts_with("default-src 'self';"));
    assert!(!page.text.contains("<style") && !page.text.contains("https:"), "{}", page.text);
    for script in page.text.split("<script").skip(1) {
        assert!(script.contains("src=\"/dashboard/") && script.contains("></script>"), "inline: {script}");
    }
}

#[tokio::test]
async fn every_file_that_the_page_names_is_there() {
    let app = TestApp::new().await;
    let page = app.get("/").await.text;
    let named: Vec<_> = page.split('"').filter(|part| part.starts_with("/dashboard/")).collect();
    assert!(named.len() > 5, "{named:?}");
    for path in named {
        assert_eq!(app.get(path).await.status.as_u16(), 200, "{path}");
    }
    app.get("/dashboard/nothing.js").await.problem(404, "not-found");
    app.get("/dashboard/../Cargo.toml").await.problem(404, "not-found");
}

#[tokio::test]
async fn a_known_file_is_not_sent_again() {
    let app = TestApp::new().await;
    let first = app.get("/dashboard/main.js").await;
    let again = Request::get("/dashboard/main.js").header(header::IF_NONE_MATCH, first.header("etag"));
    let again = app.send(again.body(Body::empty()).unwrap()).await;
    assert_eq!((again.status.as_u16(), again.text.as_str()), (304, ""));
    assert_eq!(again.header("etag"), first.header("etag"));
}

#[tokio::test]
async fn files_are_compressed_for_those_who_take_it() {
    let app = TestApp::new().await;
    let plain = app.get("/dashboard/vendor/uplot.js").await;
    let request = Request::get("/dashboard/vendor/uplot.js").header(header::ACCEPT_ENCODING, "br, gzip");
    let answer = app.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(answer.headers()["content-encoding"], "gzip");
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    assert!(body.len() * 2 < plain.text.len());
    let mut text = String::new();
    GzDecoder::new(&body[..]).read_to_string(&mut text).unwrap();
    assert_eq!(text, plain.text);
}
