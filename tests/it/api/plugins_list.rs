//! `GET /plugins`, `GET /plugins/{name}` and `POST /plugins/reload`.

use retailcast::config::{LimitsConfig, PluginConfig};
use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::data;

const HOSTILE: &[u8] = retailcast_test_guests::HOSTILE;

async fn app_with(folder: &tempfile::TempDir, strict: bool, settings: PluginConfig) -> TestApp {
    let app = TestApp::with_plugins(|config| {
        config.plugins.dir = folder.path().to_owned();
        config.plugins.strict = strict;
        config.plugins.settings.insert("hostile".to_owned(), settings);
    })
    .await;
    data::worked_series(&app.pool).await;
    app
}

async fn train(app: &TestApp, fault: &str) -> crate::support::app::Answer {
    let body = json!({"store_id": 1, "product_id": 1, "train_start_date": "2024-01-01", "train_end_date": "2024-03-30",
                      "config": {"model_type": "hostile", "fault": fault}});
    app.post("/forecasting/train", body).await
}

#[tokio::test]
async fn lists_what_is_loaded_and_what_was_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("hostile.wasm"), HOSTILE).unwrap();
    std::fs::write(folder.path().join("broken.wasm"), b"\0asm").unwrap();
    let app = app_with(&folder, false, PluginConfig::default()).await;
    let list = app.get("/plugins").await.json();
    let find = |key: &str| {
        let mut plugins = list["plugins"].as_array().unwrap().iter();
        plugins.find(|plugin| plugin["key"] == key).cloned().unwrap()
    };
    assert_eq!(find("naive")["origin"], "bundled");
    assert_eq!(find("lightgbm")["grants"], json!(["gradient-boosting"]));
    let broken = find("broken");
    assert_eq!((&broken["state"], &broken["code"]), (&json!("refused"), &json!("RC-P001")), "{broken}");
    assert!(broken["reason"].is_string() && broken["version"].is_null(), "{broken}");
    let one = app.get("/plugins/seasonal_naive").await.json();
    assert_eq!(one["kind"], "forecast-model");
    for (name, kind) in [
        ("explain_baseline", "explainer"),
        ("adjust_heuristic", "scenario-adjuster"),
        ("embed_local", "embedding-provider"),
    ] {
        assert_eq!(app.get(&format!("/plugins/{name}")).await.json()["kind"], kind);
    }
    assert_eq!(
        one["limits"],
        json!({"memory_mib": 512, "fit_seconds": 30.0, "predict_seconds": 5.0, "payload_mib": 64})
    );
    assert!(
        app.get("/plugins/nothing").await.problem(404, "not-found")["detail"]
            .as_str()
            .unwrap()
            .contains("nothing")
    );
}

#[tokio::test]
async fn calls_and_errors_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("hostile.wasm"), HOSTILE).unwrap();
    let app = app_with(&folder, false, PluginConfig::default()).await;
    assert_eq!(train(&app, "none").await.status.as_u16(), 200);
    train(&app, "panic").await.problem(502, "bad-gateway");
    let plugin = app.get("/plugins/hostile").await.json();
    assert_eq!(plugin["errors"], json!({"RC-P008": 1}), "{plugin}");
    let fits: Vec<&Value> =
        plugin["phases"].as_array().unwrap().iter().filter(|phase| phase["phase"] == "fit").collect();
    assert_eq!(fits[0]["calls"], 2, "{plugin}");
    assert!(fits[0]["p95_ms"].as_f64().unwrap() >= fits[0]["p50_ms"].as_f64().unwrap());
    assert!(plugin["peak_memory_bytes"].as_u64().unwrap() > 0);
}

/// Plugins that are no models are counted, too; their configuration is the host's, so that defaults are refused.
#[tokio::test]
async fn other_kinds_are_counted_and_take_no_defaults() {
    let folder = tempfile::tempdir().unwrap();
    let app = app_with(&folder, false, PluginConfig::default()).await;
    let body = json!({"store_id": 1, "product_id": 1, "model_type": "naive", "as_of_date": "2024-03-30"});
    assert_eq!(app.post("/explain/forecast", body.clone()).await.status.as_u16(), 200);
    assert_eq!(app.post("/explain/forecast", body).await.status.as_u16(), 200);
    let plugin = app.get("/plugins/explain_baseline").await.json();
    assert_eq!((&plugin["calls"], &plugin["errors"]), (&json!(2), &json!({})));
    assert_eq!(plugin["phases"][0]["phase"], "explain");

    let Value::Object(defaults) = json!({"season_length": 7}) else { panic!("an object") };
    let app = TestApp::with_plugins(|config| {
        let settings = PluginConfig { defaults, ..PluginConfig::default() };
        config.plugins.settings.insert("explain_baseline".to_owned(), settings);
    })
    .await;
    let refused = app.get("/plugins/explain_baseline").await.json();
    assert_eq!(refused["code"], "RC-P019", "{refused}");
    let lines = "[plugins.settings.explain_baseline]\ndefaults = {}";
    assert!(refused["reason"].as_str().unwrap().ends_with(lines), "{refused}");
}

#[tokio::test]
async fn a_reload_tells_what_changed() {
    let folder = tempfile::tempdir().unwrap();
    let app = app_with(&folder, false, PluginConfig::default()).await;
    assert_eq!(app.post("/plugins/reload", json!({})).await.json()["changes"], json!([]));
    std::fs::write(folder.path().join("hostile.wasm"), HOSTILE).unwrap();
    let changes = app.post("/plugins/reload", json!({})).await.json()["changes"].clone();
    assert_eq!(
        (&changes[0]["key"], &changes[0]["change"]),
        (&json!("hostile"), &json!("added")),
        "{changes}"
    );
    assert_eq!(train(&app, "none").await.status.as_u16(), 200);
    std::fs::write(folder.path().join("hostile.wasm"), b"half").unwrap();
    let changes = app.post("/plugins/reload", json!({})).await.json()["changes"].clone();
    assert_eq!(changes[0]["change"], "changed", "{changes}");
    std::fs::remove_file(folder.path().join("hostile.wasm")).unwrap();
    let changes = app.post("/plugins/reload", json!({})).await.json()["changes"].clone();
    assert_eq!((&changes[0]["change"], &changes[0]["sha256_after"]), (&json!("removed"), &Value::Null));
}

#[tokio::test]
async fn strict_mode_prints_the_pin_that_allows_a_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("hostile.wasm"), HOSTILE).unwrap();
    let app = app_with(&folder, true, PluginConfig::default()).await;
    let refused = app.get("/plugins/hostile").await.json();
    assert_eq!(refused["code"], "RC-P005", "{refused}");
    let digest = refused["sha256"].as_str().unwrap().to_owned();
    let lines = format!("[plugins.settings.hostile]\nsha256 = \"{digest}\"");
    assert!(refused["reason"].as_str().unwrap().ends_with(&lines), "{refused}");
    let pinned = PluginConfig { sha256: Some(digest), ..PluginConfig::default() };
    let app = app_with(&folder, true, pinned).await;
    assert_eq!(app.get("/plugins/hostile").await.json()["state"], "loaded");
}

#[tokio::test]
async fn an_operator_s_default_is_validated_and_used() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("hostile.wasm"), HOSTILE).unwrap();
    let with = |fault: &str| {
        let Value::Object(defaults) = json!({"fault": fault}) else { panic!("an object") };
        PluginConfig { defaults, ..PluginConfig::default() }
    };
    let app = app_with(&folder, false, with("refusal")).await;
    let body = json!({"store_id": 1, "product_id": 1, "train_start_date": "2024-01-01", "train_end_date": "2024-03-30",
                      "config": {"model_type": "hostile"}});
    assert_eq!(
        app.post("/forecasting/train", body).await.problem(400, "bad-request")["plugin_error"],
        "RC-P014"
    );
    let app = app_with(&folder, false, with("wings")).await;
    let refused = app.get("/plugins/hostile").await.json();
    assert_eq!(refused["code"], "RC-P019", "{refused}");
    assert!(
        refused["reason"].as_str().unwrap().contains("[plugins.settings.hostile]\ndefaults = {"),
        "{refused}"
    );
}

/// The lines of a refusal are pasted again and again until the plugin may hand over what it has.
#[tokio::test]
async fn the_lines_of_a_payload_refusal_allow_more() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("hostile.wasm"), HOSTILE).unwrap();
    let mut payload_mib = 4;
    for _ in 0..4 {
        let limits = LimitsConfig { payload_mib: Some(payload_mib), ..LimitsConfig::default() };
        let app = app_with(&folder, false, PluginConfig { limits, ..PluginConfig::default() }).await;
        let answer = train(&app, "huge-state").await;
        if answer.status.as_u16() == 200 {
            assert!(payload_mib > 4);
            return;
        }
        let detail = answer.problem(502, "bad-gateway")["detail"].as_str().unwrap().to_owned();
        let (_, more) = detail.split_once("[plugins.settings.hostile.limits]\npayload_mib = ").unwrap();
        payload_mib = more.parse().unwrap();
    }
    panic!("{payload_mib} MiB are still too few");
}

/// The same program in a file of another digest: a custom section is ignored by everybody.
fn rebuilt() -> Vec<u8> {
    let mut bytes = HOSTILE.to_vec();
    bytes.extend_from_slice(&[0, 3, 2, b'r', b'c']);
    bytes
}

#[tokio::test]
async fn a_forecast_tells_that_another_plugin_trained_the_model() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hostile.wasm");
    std::fs::write(&file, HOSTILE).unwrap();
    let app = app_with(&folder, false, PluginConfig::default()).await;
    let trained = train(&app, "none").await.json();
    let body = json!({"store_id": 1, "product_id": 1, "horizon": 3, "model_path": trained["model_path"]});
    let first = app.post("/forecasting/predict", body.clone()).await.json();
    assert_eq!(first["other_plugin"], Value::Null);

    std::fs::write(&file, rebuilt()).unwrap();
    let reloaded = app.post("/plugins/reload", json!({})).await.json();
    let change = &reloaded["changes"][0];
    assert_eq!(change["change"], "changed", "{reloaded}");
    let second = app.post("/forecasting/predict", body.clone()).await.json();
    assert_eq!(second["forecasts"], first["forecasts"]);
    assert_eq!(second["other_plugin"]["trained_sha256"], change["sha256_before"], "{second}");
    assert_eq!(second["other_plugin"]["loaded_sha256"], change["sha256_after"], "{second}");

    std::fs::remove_file(&file).unwrap();
    app.post("/plugins/reload", json!({})).await.json();
    let problem = app.post("/forecasting/predict", body).await.problem(500, "internal");
    let detail = problem["detail"].as_str().unwrap();
    assert!(
        detail.contains(change["sha256_before"].as_str().unwrap()) && detail.contains("Put its file back"),
        "{detail}"
    );
}
