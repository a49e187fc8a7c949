//! `/rag`: indexing, searching, sources. Contract: `rag.md`.

use std::path::Path;

use retailcast::ai::EmbeddingProvider;
use retailcast::config::Config;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::app::TestApp;
use crate::support::database;

const INDEX: &str = "/rag/index";
const RETRIEVE: &str = "/rag/retrieve";
const SOURCES: &str = "/rag/sources";
const PROJECT: &str = "/rag/index/project-docs";
const RETURNS: &str = "# Returns\n\nCustomers may return goods within 30 days.\n";

/// With the embedded provider and this folder of documents.
fn local(root: &Path) -> impl FnOnce(&mut Config) {
    move |config: &mut Config| {
        config.rag.embedding_provider = EmbeddingProvider::Local;
        config.rag.root = root.to_owned();
    }
}

async fn app() -> TestApp {
    TestApp::with(local(Path::new("/nonexistent"))).await
}

async fn index(app: &TestApp, path: &str, content: &str) -> Value {
    let body = json!({"source_type": "markdown", "source_path": path, "content": content});
    let answer = app.post(INDEX, body).await;
    assert_eq!(answer.status.as_u16(), 201, "{}", answer.text);
    answer.json()
}

async fn retrieve(app: &TestApp, body: Value) -> Value {
    let answer = app.post(RETRIEVE, body).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
    answer.json()
}

fn paths(found: &Value) -> Vec<&str> {
    found["results"].as_array().unwrap().iter().map(|chunk| chunk["source_path"].as_str().unwrap()).collect()
}

fn is_id(value: &Value) -> bool {
    value
        .as_str()
        .is_some_and(|id| id.len() == 32 && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
}

async fn chunks(pool: &PgPool) -> i64 {
    sqlx::query_scalar("select count(*) from document_chunk").fetch_one(pool).await.unwrap()
}

/// Whoever brings an embedding provider serves the knowledge base with it.
#[tokio::test(flavor = "multi_thread")]
async fn another_plugin_takes_the_place_of_the_embedded_provider() {
    let folder = tempfile::tempdir().unwrap();
    let fossil = database::workspace().join("tests/fossils/runs_of_three-v0.1.wasm");
    std::fs::copy(fossil, folder.path().join("runs_of_three.wasm")).unwrap();
    let app = TestApp::with_plugins(|config| {
        local(Path::new("/nonexistent"))(config);
        config.rag.local_plugin = "runs_of_three".to_owned();
        config.rag.embedding_dimension = 256;
        config.plugins.dir = folder.path().to_owned();
    })
    .await;
    index(&app, "handbook/returns.md", RETURNS).await;
    index(&app, "handbook/birds.md", "# Birds\n\nSwallows fly south.\n").await;
    let found = retrieve(&app, json!({"query": "who returns goods?", "similarity_threshold": 0.0})).await;
    assert_eq!(paths(&found), ["handbook/returns.md", "handbook/birds.md"]);

    let gone = TestApp::with(|config| {
        local(Path::new("/nonexistent"))(config);
        config.rag.local_plugin = "no_such_plugin".to_owned();
    })
    .await;
    let body = json!({"source_type": "markdown", "source_path": "a.md", "content": RETURNS});
    let refused = gone.post(INDEX, body).await.problem(502, "bad-gateway");
    assert!(refused["detail"].as_str().unwrap().contains("no_such_plugin"), "{refused}");
}

#[tokio::test]
async fn a_document_is_indexed_updated_and_left_alone() {
    let app = app().await;
    let body = json!({"source_type": "markdown", "source_path": "handbook/returns.md", "content": RETURNS,
        "metadata": {"category": "policy"}});
    let first = app.post(INDEX, body.clone()).await;
    assert_eq!(first.status.as_u16(), 201, "{}", first.text);
    let first = first.json();
    let keys: Vec<&String> = first.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        ["source_id", "source_path", "chunks_created", "tokens_processed", "duration_ms", "status"]
    );
    assert!(is_id(&first["source_id"]) && first["duration_ms"].is_f64());
    assert_eq!(
        (&first["status"], &first["chunks_created"], &first["tokens_processed"]),
        (&json!("indexed"), &json!(1), &json!(12))
    );

    let listed = app.get(SOURCES).await.json();
    let source = &listed["sources"][0];
    assert_eq!((&listed["total_sources"], &listed["total_chunks"]), (&json!(1), &json!(1)));
    assert_eq!(source["content_hash"], "4773c68b1ed6751a5ef60fdc2e3782412502edd47085261801ffdb8083659c2e");
    assert_eq!(source["metadata"], json!({"category": "policy"}));
    let indexed_at = source["indexed_at"].clone();

    // The same text with other metadata: nothing is written.
    let mut again = body.clone();
    again["metadata"] = json!({"category": "other"});
    let unchanged = app.post(INDEX, again).await.json();
    assert_eq!(
        (&unchanged["status"], &unchanged["chunks_created"], &unchanged["tokens_processed"]),
        (&json!("unchanged"), &json!(1), &json!(0))
    );
    assert_eq!(unchanged["source_id"], first["source_id"]);
    let source = app.get(SOURCES).await.json()["sources"][0].clone();
    assert_eq!((&source["metadata"], &source["indexed_at"]), (&json!({"category": "policy"}), &indexed_at));

    // Another text: the id stays, metadata goes.
    let changed = json!({"source_type": "markdown", "source_path": "handbook/returns.md", "content": "# Returns\n\nNever.\n"});
    let updated = app.post(INDEX, changed).await.json();
    assert_eq!((&updated["status"], &updated["source_id"]), (&json!("updated"), &first["source_id"]));
    let source = app.get(SOURCES).await.json()["sources"][0].clone();
    assert_eq!(source["metadata"], Value::Null);
    assert_ne!(source["indexed_at"], indexed_at);
    assert_eq!(chunks(&app.pool).await, 1);
}

#[tokio::test]
async fn the_same_path_of_another_type_is_another_document() {
    let app = app().await;
    let markdown = index(&app, "a", "# A\n").await;
    let body = json!({"source_type": "openapi", "source_path": "a",
        "content": "{\"info\": {\"title\": \"T\"}, \"paths\": {\"/x\": {\"get\": {}}}}"});
    let openapi = app.post(INDEX, body).await.json();
    assert_ne!(markdown["source_id"], openapi["source_id"]);
    assert_eq!((&openapi["status"], &openapi["chunks_created"]), (&json!("indexed"), &json!(2)));
}

#[tokio::test]
async fn a_document_without_chunks_is_a_source() {
    let app = app().await;
    let made = index(&app, "blank.md", " \n").await;
    assert_eq!((&made["chunks_created"], &made["tokens_processed"]), (&json!(0), &json!(0)));
    assert_eq!(app.get(SOURCES).await.json()["total_sources"], 1);
}

#[tokio::test]
async fn chunks_keep_their_order_tokens_and_metadata() {
    let app = app().await;
    let section = |name: &str| format!("## {name}\n{}\n", format!("{name} word ").repeat(120));
    let made =
        index(&app, "long.md", &format!("# Top\n{}{}{}", section("one"), section("two"), section("three")))
            .await;
    let rows: Vec<(i32, i32, Option<Value>)> =
        sqlx::query_as("select chunk_index, token_count, metadata from document_chunk order by chunk_index")
            .fetch_all(&app.pool)
            .await
            .unwrap();
    assert_eq!(rows.len() as u64, made["chunks_created"].as_u64().unwrap());
    assert!(rows.len() > 1);
    assert_eq!(rows.iter().map(|row| row.0).collect::<Vec<_>>(), (0..rows.len() as i32).collect::<Vec<_>>());
    assert_eq!(
        rows.iter().map(|row| i64::from(row.1)).sum::<i64>(),
        made["tokens_processed"].as_i64().unwrap()
    );
    assert_eq!(rows.last().unwrap().2, Some(json!({"heading": "three", "section_path": ["Top", "three"]})));
    index(&app, "plain.md", "no heading").await;
    let metadata: Option<Value> =
        sqlx::query_scalar("select metadata from document_chunk where content = 'no heading'")
            .fetch_one(&app.pool)
            .await
            .unwrap();
    assert_eq!(metadata, None);
}

#[tokio::test]
async fn a_search_finds_the_nearest_chunks() {
    let app = app().await;
    index(&app, "returns.md", RETURNS).await;
    index(&app, "prices.md", "# Prices\n\nPrices are reviewed by the category manager every quarter.\n")
        .await;
    index(&app, "hours.md", "# Opening hours\n\nStores open at nine in the morning.\n").await;
    let found = retrieve(&app, json!({"query": "how long can goods be returned"})).await;
    let keys: Vec<&String> = found.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["results", "query_embedding_time_ms", "search_time_ms", "total_chunks_searched"]);
    assert_eq!(paths(&found)[0], "returns.md");
    assert_eq!(found["total_chunks_searched"], 3);
    let first = &found["results"][0];
    let keys: Vec<&String> = first.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        ["chunk_id", "source_id", "source_path", "source_type", "content", "relevance_score", "metadata"]
    );
    assert!(is_id(&first["chunk_id"]) && is_id(&first["source_id"]));
    assert_eq!(first["content"], RETURNS.trim());
    assert_eq!(first["metadata"], json!({"heading": "Returns", "section_path": ["Returns"]}));
    let score = first["relevance_score"].as_f64().unwrap();
    assert!((0.7..=1.0).contains(&score) && (score * 1e4 - (score * 1e4).round()).abs() < 1e-6, "{score}");
    // All of them with the threshold 0, the best first; none with 1.
    let all =
        retrieve(&app, json!({"query": "how long can goods be returned", "similarity_threshold": 0})).await;
    assert_eq!(paths(&all).len(), 3);
    let scores: Vec<f64> =
        all["results"].as_array().unwrap().iter().map(|c| c["relevance_score"].as_f64().unwrap()).collect();
    assert!(scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
    assert_eq!(paths(&retrieve(&app, json!({"query": "goods", "similarity_threshold": 1.0})).await), [""; 0]);
    let one = retrieve(&app, json!({"query": "goods", "top_k": "1", "similarity_threshold": 0})).await;
    assert_eq!(paths(&one).len(), 1);
    // The text itself is at 1.
    let same = retrieve(&app, json!({"query": RETURNS.trim(), "similarity_threshold": 0.999})).await;
    assert_eq!(same["results"][0]["relevance_score"], 1.0);
    // Words of nobody have no vector.
    assert_eq!(paths(&retrieve(&app, json!({"query": "?!", "similarity_threshold": 0})).await), [""; 0]);
}

#[tokio::test]
async fn filters_restrict_what_is_found() {
    let app = app().await;
    let with = |path: &str, kind: &str, metadata: Value| json!({"source_type": kind, "source_path": path, "content": RETURNS, "metadata": metadata});
    app.post(INDEX, with("a", "markdown", json!({"category": "policy"}))).await;
    app.post(INDEX, with("b", "markdown", json!({"category": "5"}))).await;
    app.post(INDEX, with("c", "markdown", json!({"category": 5}))).await;
    app.post(INDEX, with("d", "openapi", Value::Null)).await;
    for mode in ["semantic", "keyword", "hybrid"] {
        for (filters, expected) in [
            (Value::Null, vec!["a", "b", "c", "d"]),
            (json!({}), vec!["a", "b", "c", "d"]),
            (json!({"other": 1}), vec!["a", "b", "c", "d"]),
            (json!({"source_type": "openapi"}), vec!["d"]),
            (json!({"source_type": ["openapi", "markdown"]}), vec!["a", "b", "c", "d"]),
            (json!({"source_type": ["html"]}), vec![]),
            (json!({"source_type": []}), vec![]),
            (json!({"category": "policy"}), vec!["a"]),
            (json!({"category": "5"}), vec!["b", "c"]),
            (json!({"category": "policy", "source_type": "openapi"}), vec![]),
            (json!({"category": null, "source_type": null}), vec!["a", "b", "c", "d"]),
        ] {
            let body =
                json!({"query": "return goods", "filters": filters, "similarity_threshold": 0, "mode": mode});
            let found = retrieve(&app, body).await;
            // Equal texts are equally near: the order is that of indexing.
            assert_eq!(paths(&found), expected, "{mode} {filters}");
            assert_eq!(found["total_chunks_searched"], 4);
        }
    }
}

#[tokio::test]
async fn words_find_what_vectors_miss() {
    let app = app().await;
    index(&app, "a.md", "# Errors\n\nThe code RC-P013 says that an answer breaks the contract.\n").await;
    index(&app, "b.md", "# Answers\n\nAn answer has a contract, and contracts have answers.\n").await;
    let ask = |mode: &str, query: &str| json!({"query": query, "mode": mode, "similarity_threshold": 0});
    assert_eq!(paths(&retrieve(&app, ask("keyword", "P013")).await), ["a.md"]);
    let found = retrieve(&app, ask("keyword", "contract answers")).await;
    assert_eq!(paths(&found)[0], "b.md");
    assert_eq!(found["query_embedding_time_ms"], 0.0);
    let score = found["results"][0]["relevance_score"].as_f64().unwrap();
    assert!(score > 0.0 && score <= 1.0, "{score}");
    let hybrid = retrieve(&app, ask("hybrid", "contract answers")).await;
    assert_eq!(paths(&hybrid), ["b.md", "a.md"]);
    assert_eq!(hybrid["results"][0]["relevance_score"], 1.0);
    // What is no word, and what has quotes and operators, is searched as it is.
    for query in ["?!", "'; drop table x; --", "a & ! b | (c", "\\ ' \\'", "the of"] {
        retrieve(&app, ask("keyword", query)).await;
    }
}

#[tokio::test]
async fn an_empty_store_finds_nothing() {
    let app = app().await;
    for mode in ["semantic", "keyword", "hybrid"] {
        let found = retrieve(&app, json!({"query": "anything", "mode": mode})).await;
        assert_eq!((paths(&found).len(), &found["total_chunks_searched"]), (0, &json!(0)));
    }
    assert_eq!(app.get(SOURCES).await.json(), json!({"sources": [], "total_sources": 0, "total_chunks": 0}));
}

#[tokio::test]
async fn sources_are_listed_newest_first_and_deleted_with_their_chunks() {
    let app = app().await;
    let a = index(&app, "a.md", "# A\n").await;
    index(&app, "b.md", "# B\n").await;
    let listed = app.get(SOURCES).await.json();
    let order: Vec<&str> =
        listed["sources"].as_array().unwrap().iter().map(|s| s["source_path"].as_str().unwrap()).collect();
    assert_eq!(order, ["b.md", "a.md"]);
    let keys: Vec<&String> = listed["sources"][0].as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        ["source_id", "source_type", "source_path", "chunk_count", "content_hash", "indexed_at", "metadata"]
    );
    let id = a["source_id"].as_str().unwrap();
    let deleted = app.delete(&format!("{SOURCES}/{id}")).await;
    assert_eq!(deleted.status.as_u16(), 200);
    assert_eq!(deleted.json(), json!({"source_id": id, "chunks_deleted": 1, "status": "deleted"}));
    assert_eq!(chunks(&app.pool).await, 1);
    for unknown in [id, "nothing", "%00", "%ff"] {
        app.delete(&format!("{SOURCES}/{unknown}")).await.problem(404, "not-found");
    }
}

#[tokio::test]
async fn bodies_that_do_not_fit_are_refused() {
    let app = app().await;
    let long = "x".repeat(501);
    for (path, body, expected) in [
        (INDEX, json!({}), vec![("source_type", "missing"), ("source_path", "missing")]),
        (
            INDEX,
            json!({"source_type": "html", "source_path": "", "content": 5, "metadata": [], "x": 1}),
            vec![
                ("source_type", "literal_error"),
                ("source_path", "string_too_short"),
                ("content", "string_type"),
                ("metadata", "dict_type"),
                ("x", "extra_forbidden"),
            ],
        ),
        (
            INDEX,
            json!({"source_type": "markdown", "source_path": long}),
            vec![("source_path", "string_too_long")],
        ),
        (
            PROJECT,
            json!({"include_docs": "perhaps", "include_prps": null, "path_prefix": "x".repeat(201), "y": 1}),
            vec![
                ("include_docs", "bool_parsing"),
                ("include_prps", "bool_type"),
                ("path_prefix", "string_too_long"),
                ("y", "extra_forbidden"),
            ],
        ),
        (
            RETRIEVE,
            json!({"query": "", "top_k": 51, "similarity_threshold": 1.5, "filters": [], "mode": "magic", "z": 1}),
            vec![
                ("query", "string_too_short"),
                ("top_k", "less_than_equal"),
                ("similarity_threshold", "less_than_equal"),
                ("filters", "dict_type"),
                ("mode", "literal_error"),
                ("z", "extra_forbidden"),
            ],
        ),
        (
            RETRIEVE,
            json!({"query": "q", "top_k": 0, "similarity_threshold": -0.1, "filters": {"source_type": ["a", 1], "category": 2}}),
            vec![
                ("top_k", "greater_than_equal"),
                ("similarity_threshold", "greater_than_equal"),
                ("filters.source_type.1", "string_type"),
                ("filters.category", "string_type"),
            ],
        ),
        (RETRIEVE, json!({"query": "x".repeat(2001)}), vec![("query", "string_too_long")]),
    ] {
        let found = app.post(path, body).await.invalid();
        let found: Vec<(&str, &str)> = found.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        assert_eq!(found, expected, "{path}");
    }
    let nothing = app.post_text(PROJECT, "").await.invalid();
    assert_eq!(nothing, [(String::new(), "missing".to_owned())]);
}

#[tokio::test]
async fn files_are_read_inside_the_folder_of_documents_only() {
    let root = tempfile::tempdir().unwrap();
    std::fs::write(root.path().join("a.md"), "# From the file\n").unwrap();
    std::fs::write(root.path().join("bytes.md"), b"\xff").unwrap();
    let app = TestApp::with(local(root.path())).await;
    for content in [Value::Null, json!("")] {
        let body = json!({"source_type": "markdown", "source_path": "a.md", "content": content});
        assert_eq!(app.post(INDEX, body).await.status.as_u16(), 201);
    }
    let ask = |path: &str| json!({"source_type": "markdown", "source_path": path});
    app.post(INDEX, ask("bytes.md")).await.problem(400, "bad-request");
    let missing = app.post(INDEX, ask("../nothing")).await.problem(404, "not-found");
    let outside = app.post(INDEX, ask("../../etc/hostname")).await.problem(404, "not-found");
    assert_eq!(
        missing["detail"].as_str().unwrap().replace("../nothing", ""),
        outside["detail"].as_str().unwrap().replace("../../etc/hostname", "")
    );
    app.post(INDEX, ask(".")).await.problem(404, "not-found");
    assert_eq!(app.get(SOURCES).await.json()["total_sources"], 1);
}

#[tokio::test]
async fn documents_of_the_installation_are_indexed_together() {
    let root = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &[u8]| {
        let path = root.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("README.md", b"# Shop\n\nSells things.\n");
    write("docs/ops/backup.md", b"# Backup\n\nEvery night.\n");
    write("docs/ops/legacy.md", b"abc\xff");
    write("PRPs/plan.md", b"# Plan\n");
    write("docs/blank.md", b"\n");
    let app = TestApp::with(local(root.path())).await;
    let answer = app.post(PROJECT, json!({})).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
    let first = answer.json();
    let line = |item: &Value| {
        let text = |key: &str| item[key].as_str().unwrap_or_default().to_owned();
        format!("{} {} {} {}", text("source_path"), text("status"), item["chunks_created"], text("error"))
    };
    let lines = |answer: &Value| answer["results"].as_array().unwrap().iter().map(line).collect::<Vec<_>>();
    assert_eq!(
        lines(&first),
        [
            "PRPs/plan.md indexed 1 ",
            "README.md indexed 1 ",
            "docs/blank.md indexed 0 ",
            "docs/ops/backup.md indexed 1 ",
            "docs/ops/legacy.md failed 0 invalid UTF-8 at byte 3",
        ]
    );
    let counts = |answer: &Value| {
        ["total_files", "indexed", "updated", "unchanged", "failed", "total_chunks"]
            .map(|key| answer[key].as_u64().unwrap())
    };
    assert_eq!(counts(&first), [5, 4, 0, 0, 1, 3]);
    let categories: Vec<(String, Value)> = app.get(SOURCES).await.json()["sources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| (s["source_path"].as_str().unwrap().to_owned(), s["metadata"]["category"].clone()))
        .collect();
    assert!(categories.contains(&("PRPs/plan.md".to_owned(), json!("prp"))));
    assert!(categories.contains(&("README.md".to_owned(), json!("root"))));
    assert!(categories.contains(&("docs/ops/backup.md".to_owned(), json!("docs"))));

    write("README.md", b"# Shop\n\nSells other things.\n");
    let second = app.post(PROJECT, json!({"include_prps": false, "path_prefix": "ops"})).await.json();
    assert_eq!(
        lines(&second),
        [
            "README.md updated 1 ",
            "docs/ops/backup.md unchanged 1 ",
            "docs/ops/legacy.md failed 0 invalid UTF-8 at byte 3",
        ]
    );
    assert_eq!(counts(&second), [3, 0, 1, 1, 1, 2]);
    let none = app
        .post(PROJECT, json!({"include_docs": "no", "include_prps": 0, "include_root": false}))
        .await
        .json();
    assert_eq!((lines(&none).len(), counts(&none)), (0, [0; 6]));
    for prefix in ["../", "/etc", "ops/../../PRPs"] {
        let found = app.post(PROJECT, json!({"path_prefix": prefix})).await.invalid();
        assert_eq!(found, [("path_prefix".to_owned(), "value_error".to_owned())]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_may_index_one_document_at_once() {
    let app = app().await;
    let texts: Vec<String> = (0..8).map(|i| format!("# Text\n\nIt is number {}.\n", i % 4)).collect();
    let all = futures::future::join_all(texts.iter().map(|text| index(&app, "one.md", text))).await;
    let ids: std::collections::HashSet<&str> =
        all.iter().map(|made| made["source_id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(all.iter().filter(|made| made["status"] == "indexed").count(), 1);
    assert_eq!(chunks(&app.pool).await, 1);
    let source = app.get(SOURCES).await.json()["sources"][0].clone();
    let content: String =
        sqlx::query_scalar("select content from document_chunk").fetch_one(&app.pool).await.unwrap();
    let stored = texts.iter().find(|text| text.trim() == content).unwrap();
    let again = index(&app, "one.md", stored).await;
    assert_eq!((&again["status"], &again["source_id"]), (&json!("unchanged"), &source["source_id"]));
}

#[tokio::test]
async fn an_index_finds_what_all_comparisons_find() {
    let app = app().await;
    let mut document = String::new();
    for i in 0..2_600 {
        document +=
            &format!("# Item {i}\n\n{}\n\n", format!("words{} of{} item{i} ", i % 97, i % 89).repeat(30));
    }
    let made = app
        .post(
            INDEX,
            json!({"source_type": "markdown", "source_path": "many.md", "content": document,
            "metadata": {"category": "many"}}),
        )
        .await
        .json();
    assert!(made["chunks_created"].as_u64().unwrap() > 1_000, "{made}");
    index(&app, "needle.md", "# Needle\n\nA needle among words of items.\n").await;
    // More than 2000 chunks go through the index, and a selective filter still finds its best match.
    sqlx::query("insert into document_source (source_id, source_type, source_path, content_hash, chunk_count, indexed_at)
                 values ('x', 'markdown', 'counted', '', 5000, now())")
        .execute(&app.pool)
        .await
        .unwrap();
    let ask = |filters: Value| json!({"query": "needle", "filters": filters, "similarity_threshold": 0});
    assert_eq!(paths(&retrieve(&app, ask(Value::Null)).await)[0], "needle.md");
    let filtered = retrieve(&app, ask(json!({"category": "many"}))).await;
    assert_eq!(paths(&filtered), ["many.md"; 5]);
}
