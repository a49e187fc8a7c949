//! How often the embedded provider finds the right page of this project's own documentation among the first five, for two
//! sets of questions (`tests/data/questions`): `questions.json` avoids the words of the pages, and features were chosen by
//! it; `held_out.json` is as users would ask, and was written before anything was measured with it. The floors are what
//! `docs/rag.md` reports, less what a changed page may cost: documents change, and a question that is lost to an edit is no
//! bug.

use std::collections::HashSet;

use retailcast::ai::EmbeddingProvider;
use serde::Deserialize;
use serde_json::{Value, json};

use super::rag_encoder as encoder;
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

fn held_out() -> Vec<Labelled> {
    serde_json::from_str(include_str!("../../data/questions/held_out.json")).unwrap()
}

#[test]
fn questions_are_labelled_with_pages_that_exist() {
    for questions in [questions(), held_out()] {
        assert!(questions.len() >= 60);
        for labelled in &questions {
            assert!(!labelled.files.is_empty(), "{}", labelled.question);
            for file in &labelled.files {
                assert!(workspace().join(file).is_file(), "{file}");
            }
        }
    }
}

/// The first five documents of an answer, by their best chunks: a document counts once. Twenty chunks are asked for, which
/// are of five documents at least, and are looked for as deep as five are.
fn documents(answer: &Value) -> Vec<&str> {
    let mut found = Vec::new();
    for chunk in answer["results"].as_array().unwrap() {
        let path = chunk["source_path"].as_str().unwrap();
        if !found.contains(&path) {
            found.push(path);
        }
    }
    found.truncate(5);
    found
}

/// The share of questions that are answered by one of the first five documents.
async fn recall(app: &TestApp, mode: &str, questions: &[Labelled]) -> f64 {
    let mut missed = Vec::new();
    for Labelled { question, files } in questions {
        let body = json!({"query": question, "top_k": 20, "similarity_threshold": 0, "mode": mode});
        let answer = app.post("/rag/retrieve", body).await.json();
        if !documents(&answer).iter().any(|path| files.contains(*path)) {
            missed.push(question.as_str());
        }
    }
    let recall = 1.0 - missed.len() as f64 / questions.len() as f64;
    println!("{mode}: {recall:.3} of {} questions; missed: {missed:#?}", questions.len());
    recall
}

/// Least recall of a mode: on the questions that features were chosen by, and on those that they have not seen.
type Floors = [(&'static str, f64, f64)];

/// Indexes the documentation and asks all questions.
async fn measure(app: &TestApp, floors: &Floors) {
    let indexed = app.post("/rag/index/project-docs", json!({})).await.json();
    assert_eq!(indexed["failed"], 0, "{indexed}");
    for (mode, chosen_by, unseen) in floors {
        for (questions, floor) in [(questions(), chosen_by), (held_out(), unseen)] {
            let found = recall(app, mode, &questions).await;
            assert!(found >= *floor, "{mode}: {found:.3}");
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
    measure(&app, &[("semantic", 0.68, 0.80), ("keyword", 0.58, 0.74), ("hybrid", 0.70, 0.82)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sentence_encoder_finds_more() {
    let app = encoder::app(&encoder::weights(), |config| config.rag.root = workspace()).await;
    measure(&app, &[("semantic", 0.68, 0.82), ("hybrid", 0.76, 0.88)]).await;
}
