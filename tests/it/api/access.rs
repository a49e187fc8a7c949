//! API keys, scopes and rates: everything that stands before the handlers. Off by default.

use axum::body::Body;
use axum::http::{Method, Request};
use chrono::{Duration, Utc};
use retailcast::access::{Keys, NewKey, Scope};
use serde_json::{Value, json};

use crate::support::app::{Answer, TestApp};

async fn guarded() -> TestApp {
    TestApp::with(|config| config.access.require_keys = true).await
}

async fn key(app: &TestApp, scope: Scope) -> String {
    let new = NewKey { name: format!("a {} key", scope.name()), scope, expires_at: None };
    Keys::new(app.pool.clone()).create(&new).await.unwrap().token.reveal()
}

async fn ask(app: &TestApp, method: Method, path: &str, key: Option<&str>) -> Answer {
    let mut request = Request::builder().method(method).uri(path).header("content-type", "application/json");
    if let Some(key) = key {
        request = request.header("authorization", format!("Bearer {key}"));
    }
    app.send(request.body(Body::from("{}")).unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_valid_key_nothing_but_health_and_documents() {
    let app = guarded().await;
    for open in ["/health", "/health/ready", "/openapi.json", "/docs", "/", "/dashboard/main.js"] {
        assert_eq!(ask(&app, Method::GET, open, None).await.status, 200, "{open}");
    }
    let refused = ask(&app, Method::GET, "/dimensions/stores", None).await;
    let body = refused.problem(401, "unauthorized");
    assert_eq!(body["code"], "UNAUTHORIZED");
    assert_eq!(refused.header("www-authenticate"), "Bearer realm=\"retailcast\"");
    assert!(body["detail"].as_str().unwrap().contains("retailcast key create"), "{body}");

    let good = key(&app, Scope::Admin).await;
    let other =
        format!("{}{}", &good[..good.len() - 4], if good.ends_with("0000") { "1111" } else { "0000" });
    let stranger = format!("rc_{}_{}", "0".repeat(12), "0".repeat(64));
    for wrong in ["", "secret", &good[..20], &other, &stranger] {
        for path in ["/dimensions/stores", "/metrics", "/no/such/path"] {
            let body = ask(&app, Method::GET, path, Some(wrong)).await.problem(401, "unauthorized");
            let told = body.to_string();
            assert!(wrong.is_empty() || !told.contains(wrong), "the answer repeats the key: {told}");
        }
    }
    assert_eq!(ask(&app, Method::GET, "/dimensions/stores", Some(&good)).await.status, 200);
    assert_eq!(ask(&app, Method::GET, "/no/such/path", Some(&good)).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_does_what_its_scope_allows() {
    let app = guarded().await;
    let operations: [(Method, &str, Scope); 9] = [
        (Method::GET, "/analytics/kpis", Scope::Read),
        (Method::POST, "/forecasting/predict", Scope::Read),
        (Method::GET, "/metrics", Scope::Read),
        (Method::POST, "/ingest/sales-daily", Scope::Write),
        (Method::POST, "/jobs", Scope::Write),
        (Method::DELETE, "/scenarios/x", Scope::Write),
        (Method::POST, "/seeder/generate", Scope::Admin),
        (Method::POST, "/plugins/reload", Scope::Admin),
        (Method::GET, "/config/ai", Scope::Admin),
    ];
    for scope in [Scope::Read, Scope::Write, Scope::Admin] {
        let key = key(&app, scope).await;
        for (method, path, needed) in &operations {
            let answer = ask(&app, method.clone(), path, Some(&key)).await;
            if scope >= *needed {
                assert!(![401, 403].contains(&answer.status.as_u16()), "{scope:?} {path}: {}", answer.text);
            } else {
                let body = answer.problem(403, "forbidden");
                let detail = body["detail"].as_str().unwrap();
                assert!(detail.contains(&format!("--scope {}", needed.name())), "{detail}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_end() {
    let app = guarded().await;
    let keys = Keys::new(app.pool.clone());
    let expires_at = Some(Utc::now() - Duration::seconds(1));
    let expired =
        keys.create(&NewKey { name: "old".to_owned(), scope: Scope::Read, expires_at }).await.unwrap();
    let body =
        ask(&app, Method::GET, "/jobs", Some(&expired.token.reveal())).await.problem(401, "unauthorized");
    assert!(body["detail"].as_str().unwrap().contains("expired"), "{body}");

    let new = NewKey { name: "till".to_owned(), scope: Scope::Read, expires_at: None };
    let revoked = keys.create(&new).await.unwrap();
    let token = revoked.token.reveal();
    assert!(keys.revoke(&revoked.key.id).await.unwrap());
    assert!(!keys.revoke("0123456789ab").await.unwrap());
    // What the server remembered of the keys is at most 2 seconds old.
    tokio::time::sleep(std::time::Duration::from_millis(2_100)).await;
    let body = ask(&app, Method::GET, "/jobs", Some(&token)).await.problem(401, "unauthorized");
    assert!(body["detail"].as_str().unwrap().contains("revoked"), "{body}");

    // The secret is nowhere in the database.
    let rows: Vec<String> =
        sqlx::query_scalar("select to_jsonb(api_key)::text from api_key").fetch_all(&app.pool).await.unwrap();
    let secret = &token[16..];
    assert!(rows.iter().all(|row| !row.contains(secret)), "{rows:?}");
}

/// Who adds an operation is asked here what it needs: it stands in the document.
#[tokio::test(flavor = "multi_thread")]
async fn every_operation_says_its_scope_and_its_refusals() {
    let app = TestApp::new().await;
    let document = app.get("/openapi.json").await.json();
    assert_eq!(document["components"]["securitySchemes"]["api_key"]["scheme"], "bearer");
    let mut listed = String::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let scope = operation["security"][1]["api_key"][0].as_str().unwrap_or("open");
            listed += &format!("{scope:5} {method} {path}\n");
            if scope == "open" {
                assert_eq!(operation["security"], Value::Null);
                continue;
            }
            // Without keys nothing is needed.
            assert_eq!(operation["security"][0], json!({}));
            for status in ["401", "403", "429"] {
                assert!(operation["responses"][status].is_object(), "{method} {path}: {status}");
            }
        }
    }
    insta::assert_snapshot!(listed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_asks_too_fast_waits() {
    let app = TestApp::with(|config| {
        config.access.require_keys = true;
        config.access.requests_per_second = 1;
        config.access.burst = 3;
    })
    .await;
    let (fast, slow) = (key(&app, Scope::Read).await, key(&app, Scope::Read).await);
    for _ in 0..3 {
        assert_eq!(ask(&app, Method::GET, "/dimensions/stores", Some(&fast)).await.status, 200);
    }
    let refused = ask(&app, Method::GET, "/dimensions/stores", Some(&fast)).await;
    let body = refused.problem(429, "rate-limited");
    assert_eq!((&body["code"], refused.header("retry-after")), (&json!("RATE_LIMITED"), "1"));
    assert!(body["detail"].as_str().unwrap().contains("[access]\nrequests_per_second = 2"), "{body}");
    assert_eq!(ask(&app, Method::GET, "/dimensions/stores", Some(&slow)).await.status, 200);
    assert_eq!(ask(&app, Method::GET, "/health", None).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_carry_the_headers_that_protect_browsers() {
    let app = TestApp::new().await;
    for path in ["/dimensions/stores", "/no/such/path", "/docs", "/"] {
        let answer = app.get(path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{path}");
        assert_eq!(answer.header("referrer-policy"), "same-origin", "{path}");
        assert!(answer.header("content-security-policy").contains("frame-ancestors 'none'"), "{path}");
    }
}
