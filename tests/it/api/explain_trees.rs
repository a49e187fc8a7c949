//! `/explain/*` with the plugin `explain_trees`.

use retailcast::config::PluginConfig;
use retailcast_runtime::Digest;
use serde_json::{Value, json};

use crate::support::app::{Answer, TestApp};
use crate::support::{data, model_file};

/// The worked series (90 days up to 2024-03-30), and the line that switches the plugin on.
async fn app() -> TestApp {
    let app = TestApp::with_plugins(|config| {
        config.plugins.dir = "/nonexistent".into();
        let on = PluginConfig { enabled: Some(true), ..PluginConfig::default() };
        config.plugins.settings.insert("explain_trees".to_owned(), on);
    })
    .await;
    data::worked_series(&app.pool).await;
    app.work(1, |_| {});
    app
}

fn body(model_type: &str) -> Value {
    json!({"store_id": 1, "product_id": 1, "model_type": model_type, "as_of_date": "2024-03-30"})
}

/// Path of a model that was trained on the whole series.
async fn trained(app: &TestApp, config: &Value) -> String {
    let body = json!({"store_id": 1, "product_id": 1, "train_start_date": "2024-01-01", "train_end_date": "2024-03-30",
                      "config": config});
    app.post("/forecasting/train", body).await.json()["model_path"].as_str().unwrap().to_owned()
}

/// The first forecast of a model file.
async fn forecast(app: &TestApp, model_path: &str) -> f64 {
    let body = json!({"store_id": 1, "product_id": 1, "horizon": 1, "model_path": model_path});
    app.post("/forecasting/predict", body).await.json()["forecasts"][0]["forecast"].as_f64().unwrap()
}

/// An explanation, after the checks that hold for every one of them.
#[track_caller]
fn explained(answer: &Answer, model_type: &str) -> Value {
    let found = answer.json();
    assert_eq!((&found["method"], &found["model_type"]), (&json!("shap"), &json!(model_type)), "{found}");
    let drivers = found["drivers"].as_array().unwrap();
    let sum: f64 = drivers.iter().map(|driver| driver["contribution"].as_f64().unwrap()).sum();
    let forecast = found["forecast_value"].as_f64().unwrap();
    assert!((sum - forecast).abs() <= 1e-9 * forecast.abs().max(1.0), "{found}");
    let mut names: Vec<&str> = drivers.iter().map(|driver| driver["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["base", "calendar", "holiday", "lag", "launch", "price", "promotion"]);
    found
}

#[track_caller]
fn refused(answer: &Answer, words: &str) {
    let problem = answer.problem(400, "bad-request");
    assert!(problem["detail"].as_str().unwrap().contains(words), "{problem}");
}

#[tokio::test]
async fn a_model_is_fitted_up_to_the_cutoff_and_explained() {
    let app = app().await;
    for model_type in ["regression", "lightgbm"] {
        let model = trained(&app, &json!({"model_type": model_type})).await;
        let found = explained(&app.post("/explain/forecast", body(model_type)).await, model_type);
        assert_eq!(found["forecast_value"], forecast(&app, &model).await, "{model_type}");
        assert_eq!(found["as_of_date"], "2024-03-30");
        assert!(found["caveats"][0].as_str().unwrap().contains("causality"));
        // What is sold later has no part in it, and neither has a parameter of another model.
        let mut earlier = body(model_type);
        earlier["as_of_date"] = json!("2024-02-29");
        earlier["season_length"] = json!(3);
        let before = explained(&app.post("/explain/forecast", earlier.clone()).await, model_type);
        sqlx::query("update sales_daily set quantity = quantity + 500 where date > '2024-02-29'")
            .execute(&app.pool)
            .await
            .unwrap();
        let after = explained(&app.post("/explain/forecast", earlier).await, model_type);
        assert_eq!(after["drivers"], before["drivers"], "{model_type}");
        sqlx::query("update sales_daily set quantity = quantity - 500 where date > '2024-02-29'")
            .execute(&app.pool)
            .await
            .unwrap();
    }
    let regression = app.post("/explain/forecast", body("regression")).await.json();
    insta::assert_json_snapshot!("regression_explained", regression, {".generated_at" => "[time]"});
    let kept: Vec<String> = sqlx::query_scalar("select distinct method from forecast_explanation")
        .fetch_all(&app.pool)
        .await
        .unwrap();
    assert_eq!(kept, ["shap"]);
    // Baselines are explained as ever.
    assert_eq!(app.post("/explain/forecast", body("naive")).await.json()["method"], "rule_based");
}

#[tokio::test]
async fn what_cannot_be_fitted_is_400_with_what_would_be_needed() {
    let app = app().await;
    for model_type in ["regression", "lightgbm"] {
        let mut short = body(model_type);
        short["as_of_date"] = json!("2024-01-29");
        refused(&app.post("/explain/forecast", short.clone()).await, "at least 30 observations, found 29");
        short["product_id"] = json!(99);
        refused(&app.post("/explain/forecast", short).await, "at least 30 observations, found 0");
    }
    refused(&app.post("/explain/forecast", body("ets")).await, "baseline models only");
    assert_eq!(app.post("/explain/forecast", body("prophecy")).await.invalid()[0].0, "model_type");
    let kept: i64 =
        sqlx::query_scalar("select count(*) from forecast_explanation").fetch_one(&app.pool).await.unwrap();
    assert_eq!(kept, 0, "failed requests leave nothing");
}

#[tokio::test]
async fn a_job_is_explained_from_the_model_file_that_it_forecast_from() {
    let app = app().await;
    for (model_type, rounds) in [("regression", "max_iter"), ("lightgbm", "n_estimators")] {
        let train = app
            .job(
                "train",
                &json!({"model_type": model_type, rounds: 15, "store_id": 1, "product_id": 1,
                                             "start_date": "2024-01-01", "end_date": "2024-03-30"}),
            )
            .await;
        let predict = app.job("predict", &json!({"run_id": train["run_id"], "horizon": 3})).await;
        assert_eq!(predict["status"], "completed", "{predict}");
        let path = format!("/explain/jobs/{}", predict["job_id"].as_str().unwrap());
        let found = explained(&app.get(&path).await, model_type);
        assert_eq!(found["forecast_value"], predict["result"]["forecasts"][0]["forecast"]);
        let of_forecast = app.post("/explain/forecast", body(model_type)).await.json();
        assert_ne!(found["forecast_value"], of_forecast["forecast_value"], "15 trees are not the default");
        let file = app.models.path().join(format!("models/model_{}.rcm", train["run_id"].as_str().unwrap()));
        model_file::rewrite(&file, |header, _| header["metadata"]["train_end_date"] = json!("2024-03-29"));
        refused(&app.get(&path).await, "sales up to 2024-03-29, the forecast for 2024-03-30");
        std::fs::remove_file(file).unwrap();
        refused(&app.get(&path).await, "which is gone");
    }
}

/// State format 1 of `regression`, as versions before the row counts wrote it: one leaf for 14 columns.
fn uncounted() -> Vec<u8> {
    let leaf = [&[1, 0][..], &20.0_f64.to_le_bytes(), &[14, 1, 1, 0], &1.5_f64.to_le_bytes()].concat();
    [&b"RCS2\x0aregression\x01\0\0\0"[..], &leaf].concat()
}

#[tokio::test]
async fn an_old_model_forecasts_and_says_what_an_explanation_needs() {
    let app = app().await;
    let train = app
        .job(
            "train",
            &json!({"model_type": "regression", "store_id": 1, "product_id": 1,
                                         "start_date": "2024-01-01", "end_date": "2024-03-30"}),
        )
        .await;
    let file = app.models.path().join(format!("models/model_{}.rcm", train["run_id"].as_str().unwrap()));
    model_file::rewrite(&file, |_, state| *state = uncounted());
    let predict = app.job("predict", &json!({"run_id": train["run_id"], "horizon": 1})).await;
    assert_eq!(predict["result"]["forecasts"][0]["forecast"], 21.5, "{predict}");
    let path = format!("/explain/jobs/{}", predict["job_id"].as_str().unwrap());
    refused(&app.get(&path).await, "train it again");
}

async fn run(app: &TestApp, config: Value, artifact: Value) -> String {
    let mut run = json!({"model_type": "regression", "model_config": config, "data_window_start": "2024-01-01",
                         "data_window_end": "2024-03-30", "store_id": 1, "product_id": 1});
    let made = app.post("/registry/runs", run.take()).await.json();
    let run_id = made["run_id"].as_str().unwrap().to_owned();
    assert_eq!(app.patch(&format!("/registry/runs/{run_id}"), artifact).await.status.as_u16(), 200);
    format!("/explain/runs/{run_id}")
}

#[tokio::test]
async fn a_run_is_explained_from_its_artifact_and_without_one_as_it_says() {
    let app = app().await;
    let config = json!({"model_type": "regression", "max_iter": 15});
    let model = trained(&app, &config).await;
    let (expected, name) = (forecast(&app, &model).await, model.rsplit('/').next().unwrap().to_owned());
    // A run without an artifact is fitted as it says, with or without the type in its configuration.
    for config in [config.clone(), json!({"max_iter": 15})] {
        let path = run(&app, config, json!({})).await;
        assert_eq!(explained(&app.get(&path).await, "regression")["forecast_value"], expected);
    }
    refused(&app.get(&run(&app, json!({"max_iter": 5}), json!({})).await).await, "max_iter");
    refused(&app.get(&run(&app, json!({"trees": 5}), json!({})).await).await, "trees");

    // An artifact counts whatever the configuration says: below the registry's root, or where training left it.
    let bytes = std::fs::read(&model).unwrap();
    let root = app.models.path().join("registry/kept");
    std::fs::create_dir_all(&root).unwrap();
    std::fs::write(root.join("best.rcm"), &bytes).unwrap();
    let hash = Digest::of(&bytes).to_string();
    for uri in ["kept/best.rcm", &name, &format!("models/{name}")] {
        let path = run(&app, json!({}), json!({"artifact_uri": uri, "artifact_hash": hash})).await;
        let found = explained(&app.get(&path).await, "regression");
        assert_eq!(found["forecast_value"], expected, "{uri}");
    }
    let stored: i64 =
        sqlx::query_scalar("select count(*) from forecast_explanation where run_id is not null")
            .fetch_one(&app.pool)
            .await
            .unwrap();
    assert_eq!(stored, 5);

    std::fs::write(root.join("foreign.pkl"), b"PK\x03\x04").unwrap();
    std::fs::write(root.join("other.rcm"), &bytes).unwrap();
    model_file::rewrite(root.join("other.rcm"), |header, _| header["metadata"]["store_id"] = json!(2));
    for (artifact, words) in [
        (json!({"artifact_uri": "kept/best.rcm", "artifact_hash": "0".repeat(64)}), "registered is 0000"),
        (json!({"artifact_uri": "kept/gone.rcm"}), "it is gone"),
        (json!({"artifact_uri": "../models/x.rcm"}), "leads out of"),
        (json!({"artifact_uri": "kept/foreign.pkl"}), "is not a model file"),
        (json!({"artifact_uri": "kept/other.rcm"}), "store 2, the forecast for 1"),
    ] {
        refused(&app.get(&run(&app, json!({}), artifact).await).await, words);
    }
}

/// One model across series knows its stores by codes.
#[tokio::test]
async fn a_model_across_series_is_explained_with_its_categories() {
    let app = app().await;
    let model =
        trained(&app, &json!({"model_type": "lightgbm", "scope": "global", "n_estimators": 20})).await;
    let name = model.rsplit('/').next().unwrap();
    let made = app
        .post(
            "/registry/runs",
            json!({
        "model_type": "lightgbm", "model_config": {"scope": "global"}, "data_window_start": "2024-01-01",
        "data_window_end": "2024-03-30", "store_id": 1, "product_id": 1}),
        )
        .await
        .json();
    let run_id = made["run_id"].as_str().unwrap();
    app.patch(&format!("/registry/runs/{run_id}"), json!({"artifact_uri": name})).await.json();
    let found = app.get(&format!("/explain/runs/{run_id}")).await.json();
    let mut names: Vec<&str> =
        found["drivers"].as_array().unwrap().iter().map(|driver| driver["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["base", "calendar", "lag", "series"], "{found}");
    assert_eq!(found["forecast_value"], forecast(&app, &model).await);
}

/// As the program comes, the answers are the contract's.
#[tokio::test]
async fn without_the_line_all_three_are_400() {
    let app = TestApp::working().await;
    data::worked_series(&app.pool).await;
    for model_type in ["regression", "lightgbm"] {
        let train = app
            .job(
                "train",
                &json!({"model_type": model_type, "store_id": 1, "product_id": 1,
                                             "start_date": "2024-01-01", "end_date": "2024-03-30"}),
            )
            .await;
        let predict = app.job("predict", &json!({"run_id": train["run_id"], "horizon": 1})).await;
        let job = format!("/explain/jobs/{}", predict["job_id"].as_str().unwrap());
        refused(&app.get(&job).await, "baseline models only");
        refused(&app.post("/explain/forecast", body(model_type)).await, "baseline models only");
    }
    refused(&app.get(&run(&app, json!({}), json!({})).await).await, "baseline models only");
}

#[tokio::test]
async fn a_switched_off_lightgbm_is_not_fitted_for_an_explanation() {
    let app = TestApp::with_plugins(|config| {
        config.plugins.dir = "/nonexistent".into();
        let on = PluginConfig { enabled: Some(true), ..PluginConfig::default() };
        config.plugins.settings.insert("explain_trees".to_owned(), on);
        config.forecast.enable_lightgbm = false;
    })
    .await;
    data::worked_series(&app.pool).await;
    refused(&app.post("/explain/forecast", body("lightgbm")).await, "enable_lightgbm");
}
