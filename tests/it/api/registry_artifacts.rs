//! `/registry/runs/{run_id}/verify`. Contract: `registry.md`.

use std::path::{Path, PathBuf};

use retailcast::artifacts::Storage;
use retailcast::config::DuplicatePolicy;
use retailcast::slices::registry::{Registry, RegistryError};
use retailcast_runtime::{Catalogue, CatalogueSettings, Engine, EngineSettings};
use serde_json::{Value, json};

use super::registry::{RUNS, new_run, patch};
use crate::support::app::{Answer, TestApp};

/// SHA-256 of `abc`.
const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

/// A root with one artifact, `models/abc`.
async fn app_with_artifact() -> (TestApp, PathBuf) {
    let app = TestApp::new().await;
    let root = app.models.path().join("registry");
    std::fs::create_dir_all(root.join("models")).unwrap();
    std::fs::write(root.join("models/abc"), "abc").unwrap();
    (app, root)
}

async fn verify(app: &TestApp, uri: &str, hash: &str) -> Answer {
    let run_id = new_run(app).await;
    assert_eq!(
        patch(app, &run_id, json!({"artifact_uri": uri, "artifact_hash": hash})).await.status.as_u16(),
        200
    );
    app.get(&format!("{RUNS}/{run_id}/verify")).await
}

#[tokio::test]
async fn a_match_and_a_mismatch_are_both_answers() {
    let (app, root) = app_with_artifact().await;
    let body = verify(&app, "models/abc", ABC).await.json();
    assert_eq!(
        body,
        json!({"verified": true, "run_id": body["run_id"], "artifact_uri": "models/abc", "stored_hash": ABC,
            "computed_hash": ABC})
    );
    assert_eq!(verify(&app, "models/abc", &ABC.to_uppercase()).await.json()["stored_hash"], ABC);
    // A hash from before it was stored in lower case.
    let run_id = body["run_id"].as_str().unwrap();
    sqlx::query("update model_run set artifact_hash = upper(artifact_hash)")
        .execute(&app.pool)
        .await
        .unwrap();
    assert_eq!(app.get(&format!("{RUNS}/{run_id}/verify")).await.json()["verified"], true);

    std::fs::write(root.join("models/abc"), "abd").unwrap();
    let answer = verify(&app, "models/abc", ABC).await;
    assert_eq!(answer.status.as_u16(), 200);
    let body = answer.json();
    assert_eq!((&body["verified"], &body["stored_hash"]), (&json!(false), &json!(ABC)));
    let (error, found) = (body["error"].as_str().unwrap(), body["computed_hash"].as_str().unwrap());
    assert!(found != ABC && [found, ABC, "models/abc"].iter().all(|part| error.contains(part)), "{error}");
}

#[tokio::test]
async fn checks_come_in_the_contract_s_order() {
    let (app, root) = app_with_artifact().await;
    let run_id = new_run(&app).await;
    let verify_path = format!("{RUNS}/{run_id}/verify");
    let refused = async |word: &str| {
        let problem = app.get(&verify_path).await.problem(400, "bad-request");
        assert!(problem["detail"].as_str().unwrap().contains(word), "{problem}");
    };
    refused("artifact_uri").await;
    patch(&app, &run_id, json!({"artifact_uri": "../outside"})).await;
    refused("artifact_hash").await;
    patch(&app, &run_id, json!({"artifact_hash": ABC})).await;
    refused("../outside").await;
    patch(&app, &run_id, json!({"artifact_uri": "models/gone"})).await;
    let problem = app.get(&verify_path).await.problem(404, "not-found");
    assert!(problem["detail"].as_str().unwrap().contains("models/gone"), "{problem}");
    std::fs::write(root.join("models/gone"), "abc").unwrap();
    assert_eq!(app.get(&verify_path).await.json()["verified"], true);
}

#[tokio::test]
async fn nothing_outside_the_root_is_read() {
    let (app, root) = app_with_artifact().await;
    let outside = app.models.path().join("secret");
    std::fs::write(&outside, "abc").unwrap();
    let link = |to: &Path, name: &str| std::os::unix::fs::symlink(to, root.join(name)).unwrap();
    link(&outside, "link");
    link(app.models.path(), "up");
    link(&root.join("models/abc"), "inward");
    for (uri, status) in [
        ("../secret", 400),
        ("models/../../secret", 400),
        (outside.to_str().unwrap(), 400),
        ("/etc/passwd", 400),
        ("link", 400),
        ("up/secret", 400),
        ("up/registry/models/abc", 200),
        ("inward", 200),
        ("models/../models/abc", 200),
        ("./models//abc", 200),
        (root.join("models/abc").to_str().unwrap(), 200),
        ("models", 404),
        ("", 404),
        ("models/abc/x", 404),
        ("models/abc#1", 404),
        (&"x".repeat(300), 404),
        ("s3://bucket/x", 404),
        ("models%2Fabc", 404),
    ] {
        let answer = verify(&app, uri, ABC).await;
        assert_eq!(answer.status.as_u16(), status, "{uri}: {}", answer.text);
        if status == 200 {
            assert_eq!(answer.json()["verified"], true);
        }
    }
}

/// Most memory that this process ever had, in bytes.
fn peak_memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() << 10
}

#[tokio::test]
async fn a_large_artifact_is_never_whole_in_memory() {
    const SIZE: u64 = 2 << 30;
    let (app, root) = app_with_artifact().await;
    // Holes read as zeros and take no room on the disk.
    std::fs::File::create(root.join("large")).unwrap().set_len(SIZE).unwrap();
    let before = peak_memory();
    let answer = verify(&app, "large", ABC).await.json();
    assert_eq!(answer["computed_hash"], "a7c744c13cc101ed66c29f672f92455547889cc586ce6d44fe76ae824958ea51");
    let grown = peak_memory() - before;
    assert!(grown < SIZE as usize / 2, "{grown} bytes more at the peak");
}

fn registry(app: &TestApp, root: &Path) -> Registry {
    let engine = Engine::new(EngineSettings::default()).unwrap();
    let none = Catalogue::load(engine, CatalogueSettings::default(), []).unwrap();
    let storage = Storage::open(&root.into()).unwrap();
    Registry::new(app.pool.clone(), storage, none.into(), DuplicatePolicy::Allow)
}

#[tokio::test]
async fn other_slices_keep_artifacts_through_the_service() {
    let (app, root) = app_with_artifact().await;
    let registry = registry(&app, &root);
    let stored = registry.store_artifact("deep/er/model.rcm", b"abc".to_vec()).await.unwrap();
    assert_eq!((stored.sha256.as_str(), stored.size_bytes), (ABC, 3));
    assert_eq!(std::fs::read(root.join("deep/er/model.rcm")).unwrap(), b"abc");
    let again = registry.store_artifact("deep/er/model.rcm", b"other".to_vec()).await;
    assert!(matches!(again, Err(RegistryError::Storage(_))), "{again:?}");
    assert_eq!(std::fs::read(root.join("deep/er/model.rcm")).unwrap(), b"abc");
    let outside = registry.store_artifact("../model.rcm", b"abc".to_vec()).await;
    assert!(matches!(outside, Err(RegistryError::Outside(_))), "{outside:?}");

    let run_id = new_run(&app).await;
    let run = registry.run(&run_id).await.unwrap().unwrap();
    assert_eq!((run.run_id.as_str(), run.model_type.as_str()), (run_id.as_str(), "seasonal_naive"));
    assert_eq!(Value::Object(run.model_config)["season_length"], 7);
}
