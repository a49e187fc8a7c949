//! `/rag` with providers that answer over the network: what is sent, and every fault that a provider can have.

use std::time::{Duration, Instant};

use retailcast::ai::{AiSettings, EmbeddingProvider};
use retailcast::config::Config;
use serde_json::{Value, json};

use crate::support::app::{Answer, TestApp};
use crate::support::embedding_server::{EmbeddingServer, Fault};

/// Nothing but the service itself may ever see it.
const KEY: &str = "sk-canary-7be0c1d2f3a44e5f";
const NOW: (&str, &str) = ("retry-after", "0");

async fn with(provider: EmbeddingProvider, url: &str, change: impl FnOnce(&mut Config)) -> TestApp {
    let url = url.to_owned();
    TestApp::with(move |config| {
        config.rag.embedding_provider = provider;
        config.rag.embedding_dimension = 64;
        config.rag.embedding_batch_size = 2;
        config.providers.openai_base_url = format!("{url}/v1");
        config.providers.openai_api_key = KEY.into();
        config.providers.ollama_base_url = url;
        change(config);
    })
    .await
}

async fn openai(server: &EmbeddingServer) -> TestApp {
    with(EmbeddingProvider::OpenAi, &server.url(), |_| {}).await
}

async fn ollama(server: &EmbeddingServer) -> TestApp {
    with(EmbeddingProvider::Ollama, &server.url(), |_| {}).await
}

fn document(sections: usize) -> Value {
    let section = |i| format!("# Section {i}\n\n{}\n\n", format!("text{i} of words ").repeat(70));
    let content: String = (0..sections).map(section).collect();
    json!({"source_type": "markdown", "source_path": "a.md", "content": content})
}

async fn index(app: &TestApp, sections: usize) -> Answer {
    app.post("/rag/index", document(sections)).await
}

/// Nothing was kept, and the answer does not hold the key.
async fn nothing_kept(app: &TestApp, answer: &Answer, kind: &str) -> String {
    let problem = answer.problem(502, kind);
    assert!(!answer.text.contains("canary") && !format!("{:?}", answer.headers).contains("canary"));
    let sources: i64 =
        sqlx::query_scalar("select count(*) from document_source").fetch_one(&app.pool).await.unwrap();
    let chunks: i64 =
        sqlx::query_scalar("select count(*) from document_chunk").fetch_one(&app.pool).await.unwrap();
    assert_eq!((sources, chunks), (0, 0));
    problem["detail"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn openai_is_asked_in_batches_with_the_key() {
    let server = EmbeddingServer::start().await;
    let app = openai(&server).await;
    server.script([Fault::Reversed]);
    let made = index(&app, 5).await;
    assert_eq!(made.status.as_u16(), 201, "{}", made.text);
    let seen = server.seen();
    assert_eq!(seen.len(), 3);
    for request in &seen {
        assert_eq!(request.path, "/v1/embeddings");
        assert_eq!(request.authorization.as_deref(), Some("Bearer sk-canary-7be0c1d2f3a44e5f"));
        let members: Vec<&String> = request.body.as_object().unwrap().keys().collect();
        assert_eq!(members, ["model", "input", "dimensions"]);
        assert_eq!(
            (&request.body["model"], &request.body["dimensions"]),
            (&json!("text-embedding-3-small"), &json!(64))
        );
    }
    assert_eq!(
        seen.iter().map(|request| request.body["input"].as_array().unwrap().len()).collect::<Vec<_>>(),
        [2, 2, 1]
    );
    let found = app
        .post("/rag/retrieve", json!({"query": "text3", "top_k": 1, "similarity_threshold": 0.1}))
        .await
        .json();
    assert_eq!(found["results"][0]["metadata"]["heading"], "Section 3");
    assert_eq!(server.seen().len(), 1);
    // Unchanged: nobody is asked.
    assert_eq!(index(&app, 5).await.json()["status"], "unchanged");
    assert_eq!(server.seen().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn ollama_is_asked_without_a_key() {
    let server = EmbeddingServer::start().await;
    let app = ollama(&server).await;
    assert_eq!(index(&app, 1).await.status.as_u16(), 201);
    let seen = server.seen();
    assert_eq!((seen[0].path.as_str(), &seen[0].authorization), ("/v1/embeddings", &None));
    assert_eq!(
        (&seen[0].body["model"], &seen[0].body["dimensions"]),
        (&json!("nomic-embed-text"), &json!(64))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_without_chunks_asks_nobody() {
    let app =
        with(EmbeddingProvider::OpenAi, "http://127.0.0.1:1", |c| c.providers.openai_api_key = "".into())
            .await;
    assert_eq!(
        app.post("/rag/index", json!({"source_type": "markdown", "source_path": "a", "content": "\n"}))
            .await
            .status
            .as_u16(),
        201
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_key_openai_is_not_asked() {
    let server = EmbeddingServer::start().await;
    let app =
        with(EmbeddingProvider::OpenAi, &server.url(), |c| c.providers.openai_api_key = "".into()).await;
    let detail = nothing_kept(&app, &index(&app, 1).await, "bad-gateway").await;
    assert!(detail.contains("OPENAI_API_KEY"), "{detail}");
    app.post("/rag/retrieve", json!({"query": "x"})).await.problem(502, "bad-gateway");
    assert_eq!(server.seen().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_key_has_a_problem_of_its_own_and_is_not_tried_again() {
    let server = EmbeddingServer::start().await;
    for app in [openai(&server).await, ollama(&server).await] {
        for status in [401, 403] {
            server.script([Fault::RepeatKey(status)]);
            let detail = nothing_kept(&app, &index(&app, 1).await, "embedding-auth").await;
            assert!(detail.contains("this key is not good"), "{detail}");
        }
        server.script([Fault::Status(401, vec![], "")]);
        app.post("/rag/retrieve", json!({"query": "x"})).await.problem(502, "embedding-auth");
        assert_eq!(server.seen().len(), 3);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn openai_is_asked_again_after_a_rate_limit_only() {
    let server = EmbeddingServer::start().await;
    let app = openai(&server).await;
    server.script(vec![Fault::Status(429, vec![NOW], "slow down"); 3]);
    assert_eq!(index(&app, 1).await.status.as_u16(), 201);
    assert_eq!(server.seen().len(), 4);
    // A storm: three tries more, then no more.
    let app = openai(&server).await;
    server.script(vec![Fault::Status(429, vec![NOW], "slow down"); 4]);
    let detail = nothing_kept(&app, &index(&app, 1).await, "bad-gateway").await;
    assert!(detail.contains("status 429: slow down"), "{detail}");
    assert_eq!(server.seen().len(), 4);
    for status in [400, 404, 500, 503] {
        server.script([Fault::Status(status, vec![NOW], r#"{"error": {"message": "no"}}"#)]);
        let detail = nothing_kept(&app, &index(&app, 1).await, "bad-gateway").await;
        assert!(detail.contains(&format!("status {status}: no")), "{detail}");
        assert_eq!(server.seen().len(), 1, "{status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pauses_grow_when_the_service_names_none() {
    let server = EmbeddingServer::start().await;
    let app = openai(&server).await;
    server.script([Fault::Status(429, vec![], ""), Fault::Status(429, vec![], "")]);
    let started = Instant::now();
    assert_eq!(index(&app, 1).await.status.as_u16(), 201);
    let took = started.elapsed();
    assert!(took >= Duration::from_secs(3) && took < Duration::from_secs(6), "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ollama_is_asked_again_after_its_own_faults_only() {
    let server = EmbeddingServer::start().await;
    let app = ollama(&server).await;
    server.script(vec![Fault::Status(500, vec![NOW], ""), Fault::Status(503, vec![NOW], "")]);
    assert_eq!(index(&app, 1).await.status.as_u16(), 201);
    assert_eq!(server.seen().len(), 3);
    let app = ollama(&server).await;
    server.script([Fault::Status(404, vec![], r#"{"error": "model not found"}"#)]);
    let detail = nothing_kept(&app, &index(&app, 1).await, "bad-gateway").await;
    assert!(detail.contains("ollama pull nomic-embed-text"), "{detail}");
    server.script([Fault::Status(429, vec![NOW], "")]);
    nothing_kept(&app, &index(&app, 1).await, "bad-gateway").await;
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn half_an_answer_is_no_answer() {
    let server = EmbeddingServer::start().await;
    for (fault, words) in [
        (Fault::Length(63), "63 numbers"),
        (Fault::OneLess, "1 came"),
        (Fault::SameIndex, "two vectors have the index 0"),
        (Fault::Half, "not what the protocol has"),
    ] {
        for app in [openai(&server).await, ollama(&server).await] {
            // The first batch is fine: it is not kept either.
            server.script([Fault::Slow(Duration::ZERO), fault.clone()]);
            let detail = nothing_kept(&app, &index(&app, 4).await, "bad-gateway").await;
            assert!(detail.contains(words), "{fault:?}: {detail}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_there_stays_when_an_update_fails() {
    let server = EmbeddingServer::start().await;
    let app = openai(&server).await;
    index(&app, 1).await;
    let before = app.get("/rag/sources").await.json();
    server.script([Fault::Status(500, vec![], "")]);
    index(&app, 3).await.problem(502, "bad-gateway");
    assert_eq!(app.get("/rag/sources").await.json(), before);
    assert_eq!(index(&app, 3).await.json()["status"], "updated");
}

#[tokio::test(flavor = "multi_thread")]
async fn project_documents_are_kept_all_or_none() {
    let root = tempfile::tempdir().unwrap();
    for name in ["README.md", "AGENTS.md", "CHANGELOG.md"] {
        std::fs::write(root.path().join(name), format!("# {name}\n")).unwrap();
    }
    let server = EmbeddingServer::start().await;
    let app = with(EmbeddingProvider::OpenAi, &server.url(), |c| c.rag.root = root.path().to_owned()).await;
    server.script([Fault::Slow(Duration::ZERO), Fault::Status(500, vec![], "")]);
    nothing_kept(&app, &app.post("/rag/index/project-docs", json!({})).await, "bad-gateway").await;
    let made = app.post("/rag/index/project-docs", json!({})).await.json();
    assert_eq!((&made["indexed"], &made["total_chunks"]), (&json!(3), &json!(3)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_down_or_slow_holds_up_nobody_else() {
    let url = EmbeddingServer::nowhere().await;
    for provider in [EmbeddingProvider::OpenAi, EmbeddingProvider::Ollama] {
        let app = with(provider, &url, |_| {}).await;
        let detail = nothing_kept(&app, &index(&app, 1).await, "bad-gateway").await;
        assert!(detail.contains("refused"), "{detail}");
        // On an empty store, too.
        app.post("/rag/retrieve", json!({"query": "x"})).await.problem(502, "bad-gateway");
    }
    let server = EmbeddingServer::start().await;
    let app = openai(&server).await;
    server.script([Fault::Slow(Duration::from_secs(3))]);
    let slow = index(&app, 1);
    let others = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let started = Instant::now();
        // It needs a compute thread, of which there may be one only.
        app.post(
            "/featuresets/compute",
            json!({"store_id": 1, "product_id": 1, "cutoff_date": "2024-01-01",
            "lookback_days": 5, "config": {"name": "x"}}),
        )
        .await
        .problem(404, "not-found");
        assert_eq!(app.get("/rag/sources").await.status.as_u16(), 200);
        started.elapsed()
    };
    let (made, waited) = tokio::join!(slow, others);
    assert_eq!(made.status.as_u16(), 201);
    assert!(waited < Duration::from_secs(1), "{waited:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_width_of_vectors_follows_the_setting_while_there_are_none() {
    let server = EmbeddingServer::start().await;
    let app = openai(&server).await;
    let width = async || {
        sqlx::query_scalar::<_, i32>("select atttypmod from pg_attribute where attrelid = 'document_chunk'::regclass and attname = 'embedding'")
            .fetch_one(&app.pool)
            .await
            .unwrap()
    };
    assert_eq!(width().await, 1536);
    assert_eq!(index(&app, 2).await.status.as_u16(), 201);
    assert_eq!(width().await, 64);

    // Another setting with chunks in the store: nobody is asked.
    server.seen();
    let mut settings = AiSettings::clone(&app.app.ai.current());
    settings.embedding.dimension = 32;
    app.app.ai.replace(settings);
    for answer in [
        app.post("/rag/index", json!({"source_type": "markdown", "source_path": "b.md", "content": "# B"}))
            .await,
        app.post("/rag/retrieve", json!({"query": "x"})).await,
    ] {
        let problem = answer.problem(502, "bad-gateway");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("64") && detail.contains("32"), "{detail}");
    }
    assert_eq!(server.seen().len(), 0);

    // What a change of the dimension does: no chunks, every source as if changed.
    let mut transaction = app.pool.begin().await.unwrap();
    retailcast::slices::rag::resize(&mut transaction, 32).await.unwrap();
    transaction.commit().await.unwrap();
    let source = app.get("/rag/sources").await.json()["sources"][0].clone();
    assert_eq!((&source["chunk_count"], &source["content_hash"]), (&json!(0), &json!("")));
    let found = app.post("/rag/retrieve", json!({"query": "text1"})).await.json();
    assert_eq!((&found["results"], &found["total_chunks_searched"]), (&json!([]), &json!(0)));
    let again = index(&app, 2).await.json();
    assert_eq!((&again["status"], &again["chunks_created"]), (&json!("updated"), &json!(2)));
    assert_eq!(width().await, 32);
    let found =
        app.post("/rag/retrieve", json!({"query": "text1", "similarity_threshold": 0.1})).await.json();
    assert_eq!(found["results"][0]["metadata"]["heading"], "Section 1");
}

#[tokio::test(flavor = "multi_thread")]
async fn vectors_longer_than_an_index_takes_are_all_compared() {
    let server = EmbeddingServer::start().await;
    let app = with(EmbeddingProvider::OpenAi, &server.url(), |c| c.rag.embedding_dimension = 3_072).await;
    assert_eq!(index(&app, 3).await.status.as_u16(), 201);
    let found =
        app.post("/rag/retrieve", json!({"query": "text2", "similarity_threshold": 0.1})).await.json();
    assert_eq!(found["results"][0]["metadata"]["heading"], "Section 2");
}
