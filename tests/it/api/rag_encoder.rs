//! The knowledge base with a sentence encoder: what has to be configured, and what is said where it is not.

use std::path::{Path, PathBuf};

use retailcast::ai::EmbeddingProvider;
use retailcast::config::{Config, Grant};
use serde_json::json;

use crate::support::app::TestApp;
use crate::support::database::workspace;

/// all-MiniLM-L6-v2, as `scripts/encoder.sh` installs it.
pub(super) fn weights() -> PathBuf {
    let folder = workspace().join(".retailcast/models/all-MiniLM-L6-v2");
    assert!(folder.is_dir(), "{} is missing: run scripts/encoder.sh", folder.display());
    folder
}

/// With an encoder in this folder.
pub(super) async fn app(folder: &Path, change: impl FnOnce(&mut Config)) -> TestApp {
    TestApp::with_plugins(|config| {
        config.rag.embedding_provider = EmbeddingProvider::MiniLm;
        config.rag.embedding_dimension = 384;
        config.plugins.dir = "/nonexistent".into();
        let plugin = config.plugins.settings.get_mut("embed_minilm").unwrap();
        plugin.enabled = Some(true);
        plugin.grants = vec![Grant::Folder(folder.to_owned())];
        change(config);
    })
    .await
}

/// Why nothing is found.
async fn refusal(app: &TestApp) -> String {
    let answer = app.post("/rag/retrieve", json!({"query": "returns"})).await;
    answer.problem(502, "bad-gateway")["detail"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn until_it_is_switched_on_the_answer_says_how() {
    let app = TestApp::with(|config| config.rag.embedding_provider = EmbeddingProvider::MiniLm).await;
    let reason = refusal(&app).await;
    assert!(reason.contains("[plugins.settings.embed_minilm]\nenabled = true"), "{reason}");
}

#[tokio::test]
async fn a_folder_that_does_not_fit_is_named_with_its_line() {
    let nowhere = app(Path::new("/nonexistent"), |_| {}).await;
    let reason = refusal(&nowhere).await;
    let place = "(granted in the built-in retailcast.toml, line ";
    assert!(reason.contains("RC-P017") && reason.contains(&format!("/nonexistent {place}")), "{reason}");

    let empty = tempfile::tempdir().unwrap();
    let reason = refusal(&app(empty.path(), |_| {}).await).await;
    assert!(reason.contains("`config.json` cannot be read") && reason.contains(place), "{reason}");
}

#[tokio::test]
async fn texts_are_found_by_what_they_mean() {
    let app = app(&weights(), |_| {}).await;
    for (path, content) in [
        ("returns.md", "# Returns\n\nCustomers may bring goods back within 30 days.\n"),
        ("hours.md", "# Opening hours\n\nThe shop is closed on Sundays.\n"),
    ] {
        let body = json!({"source_type": "markdown", "source_path": path, "content": content});
        assert_eq!(app.post("/rag/index", body).await.status.as_u16(), 201);
    }
    let body = json!({"query": "Can I get my money back?", "similarity_threshold": 0.1});
    let found = app.post("/rag/retrieve", body).await.json();
    assert_eq!(found["results"][0]["source_path"], "returns.md", "{found}");
}
