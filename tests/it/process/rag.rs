//! The knowledge base of a real server: its defaults, and what its log tells.

use serde_json::json;

use super::program::{Home, Server};
use super::serve::{get, post};
use crate::support::embedding_server::{EmbeddingServer, Fault};

const KEY: &str = "sk-canary-5b1e0c7a9f6d4e1f";

#[test]
fn a_fresh_server_wants_a_key_and_another_provider_needs_none() {
    let home = Home::new("rag");
    std::fs::create_dir_all(home.folder.join("docs")).unwrap();
    std::fs::write(
        home.folder.join("docs/returns.md"),
        "# Returns\n\nGoods may be returned within 30 days.\n",
    )
    .unwrap();
    let server = Server::start(&home);
    let project = format!("{}/rag/index/project-docs", server.url);
    let (status, problem) = post(&project, &json!({}));
    assert_eq!((status, problem["code"].as_str()), (502, Some("BAD_GATEWAY")), "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("OPENAI_API_KEY"));
    server.stop();

    std::fs::write(home.folder.join("retailcast.toml"), "[rag]\nembedding_provider = \"local\"\n").unwrap();
    let server = Server::start(&home);
    let (status, made) = post(&format!("{}/rag/index/project-docs", server.url), &json!({}));
    assert_eq!((status, &made["results"][0]["source_path"]), (200, &json!("docs/returns.md")), "{made}");
    let (_, found) =
        post(&format!("{}/rag/retrieve", server.url), &json!({"query": "how long can I return goods"}));
    assert_eq!(found["results"][0]["source_path"], "docs/returns.md", "{found}");
    assert_eq!(get(&format!("{}/rag/sources", server.url)).1["total_chunks"], 1);
    assert_eq!(server.stop().0, Some(0));
}

#[test]
fn keys_never_stand_in_the_log() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let service = runtime.block_on(EmbeddingServer::start());
    let home = Home::new("rag-key");
    let address = format!("{}/v1", service.url());
    let variables = [
        ("OPENAI_API_KEY", KEY),
        ("OPENAI_BASE_URL", address.as_str()),
        ("LOG_LEVEL", "DEBUG"),
        ("DEBUG", "true"),
    ];
    let server = Server::start_with(&home, &variables);
    let document = json!({"source_type": "markdown", "source_path": "a.md", "content": "# A"});
    for (status, code) in [(401, "EMBEDDING_AUTH"), (500, "BAD_GATEWAY")] {
        service.script([Fault::RepeatKey(status)]);
        let (_, problem) = post(&format!("{}/rag/index", server.url), &document);
        assert_eq!(problem["code"], code, "{problem}");
        assert!(
            problem["detail"].as_str().unwrap().contains("this key is not good: Bearer [key]"),
            "{problem}"
        );
    }
    let seen = service.seen();
    assert_eq!(seen[0].authorization.as_deref(), Some(format!("Bearer {KEY}").as_str()));
    let (_, log) = server.stop();
    assert!(log.iter().any(|line| line.contains("this key is not good")), "{log:#?}");
    assert!(!log.iter().any(|line| line.contains("canary")), "{log:#?}");
}
