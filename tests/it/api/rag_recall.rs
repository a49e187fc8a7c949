//! How often the embedded provider finds the right page of this project's own documentation among the first five, for
//! questions in other words than the pages' (`tests/data/questions`). The floors are what `docs/rag.md` reports, less
//! what a changed page may cost: documents change, and a question that is lost to an edit is no bug.

use std::collections::HashSet;

use retailcast::ai::EmbeddingProvider;
use serde::Deserialize;
use serde_json::json;

use crate::support::app::TestApp;
use crate::support::database::workspace;

#[derive(Deserialize)]
struct Labelled {
    question: String,
    /// Any of them answers it.
    files: HashSet<String>,
}

fn questions() -> Vec<Labelled> {
    serde_json::from_str(include_str!("../../data/questions/questions.json")).unwrap()
}

#[test]
fn questions_are_labelled_with_pages_that_exist() {
    let questions = questions();
    assert!(questions.len() >= 60);
    for labelled in &questions {
        assert!(!labelled.files.is_empty(), "{}", labelled.question);
        for file in &labelled.files {
            assert!(workspace().join(file).is_file(), "{file}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_found_by_questions_in_other_words() {
    let app = TestApp::with(|config| {
        config.rag.embedding_provider = EmbeddingProvider::Local;
        config.rag.root = workspace();
    })
    .await;
    let indexed = app.post("/rag/index/project-docs", json!({})).await.json();
    assert_eq!(indexed["failed"], 0, "{indexed}");
    let questions = questions();
    for (mode, floor) in [("semantic", 0.55), ("keyword", 0.55), ("hybrid", 0.62)] {
        let mut missed = Vec::new();
        for Labelled { question, files } in &questions {
            let body = json!({"query": question, "top_k": 5, "similarity_threshold": 0, "mode": mode});
            let answer = app.post("/rag/retrieve", body).await.json();
            let found = answer["results"].as_array().unwrap();
            if !found.iter().any(|chunk| files.contains(chunk["source_path"].as_str().unwrap())) {
                missed.push(question.as_str());
            }
        }
        let recall = 1.0 - missed.len() as f64 / questions.len() as f64;
        println!("{mode}: {recall:.3} of {} questions; missed: {missed:#?}", questions.len());
        assert!(recall >= floor, "{mode}: {recall:.3}, missed: {missed:#?}");
    }
}
