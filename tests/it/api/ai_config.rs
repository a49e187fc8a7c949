//! `/config`: settings that change at run time. Contract: `config.md`.

use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::model::ModelServer;

const AI: &str = "/config/ai";
const CANARY: &str = "sk-canary-0123456789abcdef9999";

async fn patch(app: &TestApp, body: Value) -> Value {
    let answer = app.patch(AI, body).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
    answer.json()
}

#[tokio::test]
async fn defaults_have_the_contract_s_form() {
    let app = TestApp::new().await;
    let answer = app.get(AI).await.json();
    assert_eq!(
        answer,
        json!({
            "agent_default_model": "anthropic:claude-sonnet-4-5", "agent_fallback_model": "openai:gpt-4o",
            "agent_temperature": 0.1, "agent_max_tokens": 4096, "agent_thinking_budget": null,
            "agent_max_tool_calls": 10, "agent_timeout_seconds": 120, "agent_retry_attempts": 3,
            "agent_session_ttl_minutes": 120,
            "agent_require_approval": ["create_alias", "archive_run", "save_scenario"],
            "rag_embedding_provider": "openai", "rag_embedding_model": "text-embedding-3-small",
            "rag_embedding_dimension": 1536, "ollama_base_url": "http://localhost:11434",
            "ollama_embedding_model": "nomic-embed-text",
            "api_keys": [{"provider": "openai", "is_set": false, "masked": null},
                         {"provider": "anthropic", "is_set": false, "masked": null},
                         {"provider": "google", "is_set": false, "masked": null}],
            "overridden_keys": [],
        })
    );
}

#[tokio::test]
async fn a_change_is_in_effect_at_once_and_hides_its_key() {
    let app = TestApp::new().await;
    let body = json!({"openai_api_key": CANARY, "agent_temperature": 0, "agent_default_model": "openai:gpt-4o",
                      "unknown": 1, "agent_max_tokens": null});
    let changed = patch(&app, body).await;
    assert_eq!(
        changed["overridden_keys"],
        json!(["agent_default_model", "agent_temperature", "openai_api_key"])
    );
    assert_eq!(
        changed["api_keys"][0],
        json!({"provider": "openai", "is_set": true, "masked": "sk-cana…9999"})
    );
    assert_eq!(changed["agent_temperature"].as_f64(), Some(0.0));
    assert_eq!(app.get(AI).await.json(), changed);
    let removed = patch(&app, json!({"openai_api_key": ""})).await;
    assert_eq!(removed["api_keys"][0]["is_set"], false);
    for text in [changed.to_string(), app.get("/config/providers/health").await.text] {
        assert!(!text.contains(CANARY));
    }
}

#[tokio::test]
async fn what_does_not_fit_changes_nothing() {
    let app = TestApp::new().await;
    for (body, field, kind) in [
        (json!({"agent_default_model": "gpt-4o"}), "agent_default_model", "value_error"),
        (json!({"agent_fallback_model": "acme:x"}), "agent_fallback_model", "value_error"),
        (json!({"agent_temperature": 2.1}), "agent_temperature", "less_than_equal"),
        (json!({"agent_temperature": "1"}), "agent_temperature", "float_type"),
        (json!({"agent_max_tokens": 0}), "agent_max_tokens", "greater_than_equal"),
        (json!({"agent_max_tokens": 1.0}), "agent_max_tokens", "int_type"),
        (json!({"rag_embedding_provider": "acme"}), "rag_embedding_provider", "literal_error"),
        (json!({"ollama_base_url": "http://intranet:80"}), "ollama_base_url", "value_error"),
        (json!({"ollama_base_url": "nowhere"}), "ollama_base_url", "value_error"),
        (json!({"openai_api_key": 5}), "openai_api_key", "string_type"),
        (json!({"force": "yes"}), "force", "bool_type"),
    ] {
        let answer = app.patch(AI, body).await;
        assert_eq!(answer.invalid(), [(field.to_owned(), kind.to_owned())]);
    }
    for body in [json!({}), json!({"force": true}), json!({"agent_temperature": null}), json!({"unknown": 1})]
    {
        app.patch(AI, body).await.problem(400, "bad-request");
    }
    assert_eq!(app.get(AI).await.json()["overridden_keys"], json!([]));
}

#[tokio::test]
async fn ollama_is_asked() {
    let server = ModelServer::start([]).await;
    let app = TestApp::new().await;
    patch(&app, json!({"ollama_base_url": server.url()})).await;
    app.get("/config/ollama/models").await.problem(502, "bad-gateway");
    server.has(json!({"models": [
        {"name": "llama3.1:latest", "size": 4_661_224_676_u64, "details": {"family": "llama"}},
        {"name": "", "model": "nomic"}, {}]}));
    let models = app.get("/config/ollama/models").await.json();
    assert_eq!(
        models[0],
        json!({"name": "llama3.1:latest", "size_bytes": 4_661_224_676_u64, "family": "llama"})
    );
    assert_eq!(models[2], json!({"name": "unknown", "size_bytes": null, "family": null}));
    let health = app.get("/config/providers/health").await.json();
    let names: Vec<_> =
        health.as_array().unwrap().iter().map(|one| one["provider"].as_str().unwrap()).collect();
    assert_eq!(names, ["ollama", "openai", "anthropic", "google"]);
    assert_eq!(health[0]["models"], json!(["llama3.1:latest", "nomic", "unknown"]));
}

#[tokio::test]
async fn ollama_may_be_led_to_hosts_of_the_operator_s_list_alone() {
    let app = TestApp::with(|config| config.providers.ollama_hosts = vec!["gpu.example".to_owned()]).await;
    for url in [
        "http://GPU.example:11434",
        "https://gpu.example/ollama",
        "http://localhost:1",
        "http://[::1]:2",
        "http://127.0.0.1",
    ] {
        assert_eq!(patch(&app, json!({"ollama_base_url": url})).await["ollama_base_url"], url);
    }
    for url in [
        "http://gpu.example.evil.example",
        "http://evil.example/gpu.example",
        "http://gpu.example@evil.example",
        "http://user:secret@gpu.example",
        "http://127.0.0.2",
        "http://169.254.169.254/latest",
        "file:///etc/passwd",
        "gpu.example:11434",
        "",
    ] {
        let answer = app.patch(AI, json!({"ollama_base_url": url})).await;
        assert_eq!(answer.invalid(), [("ollama_base_url".to_owned(), "value_error".to_owned())], "{url}");
    }
    assert_eq!(app.get(AI).await.json()["ollama_base_url"], "http://127.0.0.1");
}

/// Two settings that are changed together are seen together, by whoever reads while they change.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_sees_half_of_a_change() {
    const ROUNDS: usize = 40;
    let app = std::sync::Arc::new(TestApp::new().await);
    let pair = |name: &str| json!({"agent_default_model": format!("openai:{name}"), "agent_fallback_model": format!("ollama:{name}"), "ollama_embedding_model": name});
    patch(&app, pair("a")).await;
    let writer = {
        let app = std::sync::Arc::clone(&app);
        tokio::spawn(async move {
            for round in 0..ROUNDS {
                patch(&app, pair(if round % 2 == 0 { "b" } else { "a" })).await;
            }
        })
    };
    let mut seen = std::collections::BTreeSet::new();
    while !writer.is_finished() {
        let read = app.get(AI).await.json();
        let name = read["ollama_embedding_model"].as_str().unwrap().to_owned();
        let expected = pair(&name);
        for member in ["agent_default_model", "agent_fallback_model"] {
            assert_eq!(read[member], expected[member]);
        }
        seen.insert(name);
    }
    writer.await.unwrap();
    assert_eq!(seen.len(), 2, "both were seen: {seen:?}");
}
