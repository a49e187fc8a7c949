//! A plugin that misbehaves, seen by a client of the API: one clear problem, and the server goes on.

use retailcast::config::{LimitsConfig, PluginConfig};
use serde_json::{Value, json};

use crate::support::app::{Answer, TestApp};
use crate::support::data;

async fn app_with_hostile_plugin() -> (TestApp, tempfile::TempDir) {
    app_with_hostile_plugin_within(0.3).await
}

/// Every call of the plugin may take this long.
async fn app_with_hostile_plugin_within(seconds: f64) -> (TestApp, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("hostile.wasm"), retailcast_test_guests::HOSTILE).unwrap();
    std::fs::write(folder.path().join("broken.wasm"), b"\0asm").unwrap();
    let limits = LimitsConfig {
        embed_seconds: None,
        memory_mib: Some(32),
        fit_seconds: Some(seconds),
        predict_seconds: Some(seconds),
        payload_mib: Some(1),
    };
    let app = TestApp::with_plugins(|config| {
        config.plugins.dir = folder.path().to_owned();
        let hostile = PluginConfig { limits, ..PluginConfig::default() };
        config.plugins.settings.insert("hostile".to_owned(), hostile);
    })
    .await;
    data::worked_series(&app.pool).await;
    (app, folder)
}

async fn train(app: &TestApp, fault: &str) -> Answer {
    let body = json!({"store_id": 1, "product_id": 1, "train_start_date": "2024-01-01", "train_end_date": "2024-03-30",
                      "config": {"model_type": "hostile", "fault": fault}});
    app.post("/forecasting/train", body).await
}

async fn predict(app: &TestApp, trained: &Value) -> Answer {
    let body = json!({"store_id": 1, "product_id": 1, "horizon": 3, "model_path": trained["model_path"]});
    app.post("/forecasting/predict", body).await
}

#[tokio::test]
async fn every_misbehaviour_in_training_is_one_problem() {
    let (app, _folder) = app_with_hostile_plugin().await;
    for (fault, status, kind, code) in [
        ("loop-in-fit", 504, "gateway-timeout", "RC-P009"),
        ("loop-in-needs", 504, "gateway-timeout", "RC-P009"),
        ("memory-bomb", 502, "bad-gateway", "RC-P011"),
        ("panic", 502, "bad-gateway", "RC-P008"),
        ("deep-recursion", 502, "bad-gateway", "RC-P008"),
        ("huge-state", 502, "bad-gateway", "RC-P012"),
        ("huge-lag", 502, "bad-gateway", "RC-P013"),
        ("refusal", 400, "bad-request", "RC-P014"),
    ] {
        let answer = train(&app, fault).await;
        let problem = answer.problem(status, kind);
        assert_eq!(problem["plugin_error"], code, "{fault}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains("hostile"), "{problem}");
        assert_eq!(train(&app, "none").await.status.as_u16(), 200, "after {fault}");
    }
    assert!(std::fs::read_dir(app.models.path().join("models")).unwrap().count() == 8);
}

#[tokio::test]
async fn every_misbehaviour_in_forecasting_is_one_problem() {
    let (app, _folder) = app_with_hostile_plugin().await;
    for (fault, status, kind, code) in [
        ("loop-in-predict", 504, "gateway-timeout", "RC-P009"),
        ("nan", 502, "bad-gateway", "RC-P013"),
        ("wrong-length", 502, "bad-gateway", "RC-P013"),
        ("crossing-intervals", 502, "bad-gateway", "RC-P013"),
        ("huge-result", 502, "bad-gateway", "RC-P012"),
    ] {
        let trained = train(&app, fault).await.json();
        let problem = predict(&app, &trained).await.problem(status, kind);
        assert_eq!(problem["plugin_error"], code, "{fault}: {problem}");
        let well = train(&app, "none").await.json();
        assert_eq!(predict(&app, &well).await.status.as_u16(), 200, "after {fault}");
    }
}

#[tokio::test]
async fn every_misbehaviour_in_a_backtest_is_one_problem() {
    let backtest = async |app: &TestApp, fault: &str| {
        let config = json!({"split_config": {"n_splits": 3}, "model_config_main": {"model_type": "hostile", "fault": fault}});
        let body = json!({"store_id": 1, "product_id": 1, "start_date": "2024-01-01", "end_date": "2024-03-30",
                          "config": config});
        app.post("/backtesting/run", body).await
    };
    // What never ends is ended soon; everything else has the time that a busy machine takes for it.
    let (tight, _folder) = app_with_hostile_plugin_within(0.3).await;
    let (roomy, _other_folder) = app_with_hostile_plugin_within(30.0).await;
    for (app, fault, status, kind, code) in [
        (&tight, "loop-in-fit", 504, "gateway-timeout", "RC-P009"),
        (&tight, "loop-in-predict", 504, "gateway-timeout", "RC-P009"),
        (&tight, "loop-in-needs", 504, "gateway-timeout", "RC-P009"),
        (&roomy, "memory-bomb", 502, "bad-gateway", "RC-P011"),
        (&roomy, "panic", 502, "bad-gateway", "RC-P008"),
        (&roomy, "nan", 502, "bad-gateway", "RC-P013"),
        (&roomy, "wrong-length", 502, "bad-gateway", "RC-P013"),
        (&roomy, "zombie-series", 400, "bad-request", "RC-P014"),
        (&roomy, "huge-lag", 502, "bad-gateway", "RC-P013"),
        (&roomy, "refusal", 400, "bad-request", "RC-P014"),
    ] {
        let problem = backtest(app, fault).await.problem(status, kind);
        assert_eq!(problem["plugin_error"], code, "{fault}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains("hostile"), "{problem}");
        let before_folds = ["loop-in-needs", "huge-lag"].contains(&fault);
        assert_eq!(problem["fold_index"], if before_folds { Value::Null } else { json!(0) }, "{problem}");
        let well = backtest(app, "none").await;
        assert_eq!(well.status.as_u16(), 200, "after {fault}");
        // Without a fault it is the naive model.
        assert_eq!(well.json()["comparison_summary"]["mae"]["vs_naive_pct"], 0.0);
    }
}

#[tokio::test]
async fn every_misbehaviour_in_a_calibration_is_one_problem() {
    let calibrate = async |app: &TestApp, fault: &str| {
        let body = json!({"store_id": 1, "product_id": 1, "train_start_date": "2024-01-01", "train_end_date": "2024-03-30",
                          "config": {"model_type": "hostile", "fault": fault},
                          "calibration": {"horizon": 7, "n_windows": 5}});
        app.post("/forecasting/train", body).await
    };
    let (tight, _folder) = app_with_hostile_plugin_within(0.3).await;
    let (roomy, _other_folder) = app_with_hostile_plugin_within(30.0).await;
    for (app, fault, status, kind, code) in [
        (&tight, "loop-in-predict", 504, "gateway-timeout", "RC-P009"),
        (&roomy, "nan", 502, "bad-gateway", "RC-P013"),
        (&roomy, "wrong-length", 502, "bad-gateway", "RC-P013"),
        (&roomy, "crossing-intervals", 502, "bad-gateway", "RC-P013"),
        (&roomy, "zombie-series", 400, "bad-request", "RC-P014"),
    ] {
        let problem = calibrate(app, fault).await.problem(status, kind);
        assert_eq!(problem["plugin_error"], code, "{fault}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains("hostile"), "{problem}");
        // Seven days for the newest window, four more for the oldest, which comes first.
        assert_eq!(problem["calibration_origin"], "2024-03-19", "{problem}");
        let models = app.models.path().join("models");
        assert!(!models.exists() || std::fs::read_dir(models).unwrap().count() == 0, "after {fault}");
    }
    assert_eq!(calibrate(&roomy, "none").await.status.as_u16(), 200);
}

#[tokio::test]
async fn a_slow_plugin_does_not_hold_up_the_others() {
    let (app, _folder) = app_with_hostile_plugin().await;
    let slow = train(&app, "loop-in-fit");
    let health = async {
        for _ in 0..20 {
            assert_eq!(app.get("/health/ready").await.status.as_u16(), 200);
        }
    };
    let (slow, ()) = tokio::join!(slow, health);
    slow.problem(504, "gateway-timeout");
}

#[tokio::test]
async fn a_full_queue_asks_to_come_back() {
    let (_, folder) = app_with_hostile_plugin().await;
    let waiting = TestApp::with_plugins(|config| {
        config.plugins.dir = folder.path().to_owned();
        config.compute.threads = 1;
        config.compute.queue = 1;
        config.plugins.limits.fit_seconds = Some(1.0);
    })
    .await;
    data::worked_series(&waiting.pool).await;
    let all = futures::future::join_all((0..4).map(|_| train(&waiting, "loop-in-fit"))).await;
    let busy: Vec<&Answer> = all.iter().filter(|answer| answer.status.as_u16() == 503).collect();
    assert!(!busy.is_empty(), "{all:?}");
    for answer in busy {
        let problem = answer.problem(503, "service-unavailable");
        assert!(problem["detail"].as_str().unwrap().contains("compute.queue"), "{problem}");
        assert!(!answer.header("retry-after").is_empty());
    }
}

#[tokio::test]
async fn a_model_whose_plugin_is_gone_says_so() {
    let (app, folder) = app_with_hostile_plugin().await;
    let trained = train(&app, "none").await.json();
    std::fs::remove_file(folder.path().join("hostile.wasm")).unwrap();
    let models = app.models.path().join("models");
    let later = TestApp::with_plugins(|config| {
        config.plugins.dir = folder.path().to_owned();
        config.forecast.model_artifacts_dir = models.into();
    })
    .await;
    let problem = predict(&later, &trained).await.problem(500, "internal");
    assert!(problem["detail"].as_str().unwrap().contains("hostile"), "{problem}");
    assert_eq!(problem["plugin_error"], "RC-P015");
}
