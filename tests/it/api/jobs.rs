//! `/jobs`: train, predict and backtest in the background; the envelope, lists, cancelling.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use futures::StreamExt;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::support::app::TestApp;
use crate::support::data;

/// The worked series in store 1, product 1, and a worker.
async fn working() -> TestApp {
    let app = TestApp::working().await;
    data::worked_series(&app.pool).await;
    app
}

fn window() -> Value {
    json!({"store_id": 1, "product_id": 1, "start_date": "2024-01-01", "end_date": "2024-03-30"})
}

fn with(mut params: Value, changes: &Value) -> Value {
    params.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    params
}

/// A job as a snapshot shows it.
macro_rules! assert_job {
    ($name:literal, $job:expr) => {
        insta::assert_json_snapshot!($name, $job, {
            ".job_id" => "[id]", ".params.run_id" => "[run]", ".run_id" => insta::dynamic_redaction(id_or_null), ".result.run_id" => "[run]",
            ".result.model_path" => "[path]", ".result.duration_ms" => "[milliseconds]", ".result.backtest_id" => "[id]",
            ".started_at" => "[time]", ".completed_at" => "[time]", ".created_at" => "[time]", ".updated_at" => "[time]",
            ".queue_ms" => "[milliseconds]",
        });
    };
}

fn id_or_null(
    value: insta::internals::Content,
    _: insta::internals::ContentPath<'_>,
) -> insta::internals::Content {
    if value.is_nil() { value } else { "[run]".into() }
}

#[tokio::test]
async fn train_then_predict() {
    let app = working().await;
    let trained =
        app.job("train", &with(window(), &json!({"model_type": "seasonal_naive", "other": [1, 2]}))).await;
    assert_job!("train", &trained);
    let run_id = trained["run_id"].as_str().unwrap();
    assert_eq!(run_id.len(), 12);
    assert_eq!(trained["result"]["run_id"], run_id);
    let path = trained["result"]["model_path"].as_str().unwrap();
    assert!(path.ends_with(&format!("model_{run_id}.rcm")), "{path}");

    let predicted = app.job("predict", &json!({"run_id": run_id, "horizon": 3})).await;
    assert_job!("predict", &predicted);
    let body = json!({"store_id": 1, "product_id": 1, "horizon": 3, "model_path": path});
    let direct = app.post("/forecasting/predict", body).await.json();
    for (job, direct) in predicted["result"]["forecasts"]
        .as_array()
        .unwrap()
        .iter()
        .zip(direct["forecasts"].as_array().unwrap())
    {
        assert_eq!((&job["date"], &job["forecast"]), (&direct["date"], &direct["forecast"]));
    }
    let usual = app.job("predict", &json!({"run_id": run_id})).await;
    assert_eq!(usual["result"]["forecasts"].as_array().unwrap().len(), 14);
}

#[tokio::test]
async fn feature_models_are_served_too() {
    let app = working().await;
    for (model, parameters) in
        [("regression", json!({"max_iter": 20})), ("lightgbm", json!({"n_estimators": 20}))]
    {
        let params =
            with(with(window(), &json!({"model_type": model, "season_length": "none of mine"})), &parameters);
        let trained = app.job("train", &params).await;
        assert_eq!(trained["status"], "completed", "{trained}");
        let predicted = app.job("predict", &json!({"run_id": trained["run_id"], "horizon": 7})).await;
        assert_eq!(predicted["result"]["forecasts"].as_array().unwrap().len(), 7, "{predicted}");
    }
}

#[tokio::test]
async fn backtest_as_the_endpoint_does() {
    let app = working().await;
    let split = json!({"n_splits": 2, "test_size": 7});
    let params = with(with(window(), &split), &json!({"model_type": "moving_average", "window_size": 7}));
    let job = app.job("backtest", &params).await;
    assert_job!("backtest", &job);
    let body = json!({"store_id": 1, "product_id": 1, "start_date": "2024-01-01", "end_date": "2024-03-30",
        "config": {"split_config": {"n_splits": 2, "horizon": 7},
                   "model_config_main": {"model_type": "moving_average", "window_size": 7}}});
    let direct = app.post("/backtesting/run", body).await.json();
    let main = &direct["main_model_results"];
    for metric in ["mae", "smape", "wape", "bias"] {
        assert_eq!(
            job["result"]["aggregated_metrics"][format!("{metric}_mean")],
            main["aggregated_metrics"][metric]
        );
        assert_eq!(job["result"]["fold_metrics"][1][metric], main["fold_results"][1]["metrics"][metric]);
    }
    assert_eq!(job["result"]["aggregated_metrics"]["stability_index"], main["metric_std"]["wape_stability"]);
    let naive = &job["result"]["baseline_comparison"]["naive"];
    assert_eq!(naive["mae"], direct["comparison_summary"]["mae"]["naive"]);
    assert_eq!(naive["improvement_pct"], direct["comparison_summary"]["mae"]["vs_naive_pct"]);
}

#[tokio::test]
async fn numbers_that_are_none_are_zero_in_a_backtest() {
    let app = working().await;
    sqlx::query("update sales_daily set quantity = 0").execute(&app.pool).await.unwrap();
    let job = app.job("backtest", &with(window(), &json!({"n_splits": 2, "test_size": 7}))).await;
    let metrics = &job["result"]["aggregated_metrics"];
    assert_eq!(
        (metrics["wape_mean"].as_f64(), metrics["stability_index"].as_f64()),
        (Some(0.0), Some(0.0)),
        "{job}"
    );
}

#[tokio::test]
async fn what_is_wrong_with_the_parameters_ends_as_a_failed_job() {
    let app = working().await;
    let trained = app.job("train", &window()).await;
    let run = trained["run_id"].clone();
    let without = |key: &str| {
        let mut params = window();
        params.as_object_mut().unwrap().remove(key);
        params
    };
    let cases = [
        ("train", json!({}), "KeyError", "store_id"),
        ("train", without("product_id"), "KeyError", "product_id"),
        ("backtest", without("end_date"), "KeyError", "end_date"),
        ("predict", json!({}), "KeyError", "run_id"),
        ("train", with(window(), &json!({"store_id": "1"})), "TypeError", "store_id"),
        ("train", with(window(), &json!({"product_id": null})), "TypeError", "product_id"),
        ("train", with(window(), &json!({"start_date": 2024})), "TypeError", "start_date"),
        ("predict", json!({"run_id": 5}), "TypeError", "run_id"),
        ("predict", json!({"run_id": run, "horizon": "7"}), "TypeError", "horizon"),
        ("train", with(window(), &json!({"start_date": "yesterday"})), "ValueError", "start_date"),
        ("train", with(window(), &json!({"end_date": "2024-01-01"})), "ValueError", "end_date"),
        ("train", with(window(), &json!({"model_type": "prophet"})), "ValueError", "prophet"),
        ("train", with(window(), &json!({"model_type": 7})), "ValueError", "7"),
        ("train", with(window(), &json!({"store_id": 2})), "ValueError", "No data found"),
        ("train", with(window(), &json!({"store_id": 99})), "ValueError", "No data found"),
        ("backtest", with(window(), &json!({"end_date": "2024-01-10"})), "ValueError", "10"),
        ("backtest", with(window(), &json!({"n_splits": 20, "gap": 31})), "ValidationError", "gap"),
        ("predict", json!({"run_id": run, "horizon": 91}), "ValueError", "horizon"),
        ("predict", json!({"run_id": run, "horizon": 0}), "ValueError", "horizon"),
        (
            "train",
            with(window(), &json!({"model_type": "seasonal_naive", "season_length": 0})),
            "ValidationError",
            "season_length",
        ),
        (
            "train",
            with(window(), &json!({"model_type": "moving_average", "window_size": "wide"})),
            "ValidationError",
            "window_size",
        ),
        (
            "train",
            with(window(), &json!({"model_type": "regression", "learning_rate": 2})),
            "ValidationError",
            "learning_rate",
        ),
        ("backtest", with(window(), &json!({"test_size": 0})), "ValidationError", "test_size"),
        ("predict", json!({"run_id": "0123456789ab"}), "FileNotFoundError", "0123456789ab"),
        ("predict", json!({"run_id": "../../../etc/passwd"}), "FileNotFoundError", "../../../etc/passwd"),
        ("predict", json!({"run_id": ""}), "FileNotFoundError", ""),
        ("predict", json!({"run_id": "x".repeat(300)}), "FileNotFoundError", "xxx"),
        ("portfolio_forecast", json!({}), "ValidationError", "config"),
        (
            "portfolio_forecast",
            json!({"config": {"model_type": "naive"}, "stores": ["nowhere"]}),
            "ValueError",
            "no series",
        ),
        ("portfolio_backtest", json!({"models": [], "extra": 1}), "ValidationError", "models"),
    ];
    for (job_type, params, error_type, named) in cases {
        let job = app.job(job_type, &params).await;
        assert_eq!((&job["status"], &job["error_type"]), (&json!("failed"), &json!(error_type)), "{job}");
        assert!(job["error_message"].as_str().unwrap().contains(named), "{job}");
        assert_eq!((&job["params"], &job["result"], &job["run_id"]), (&params, &json!(null), &json!(null)));
        assert!(job["completed_at"].is_string() && job["attempts"] == 1);
    }
}

#[tokio::test]
async fn a_switched_off_model_fails_the_job() {
    let app = TestApp::with(|config| config.forecast.enable_lightgbm = false).await;
    app.work(1, |_| {});
    data::worked_series(&app.pool).await;
    let job = app.job("train", &with(window(), &json!({"model_type": "lightgbm"}))).await;
    assert_eq!(job["error_type"], "ValueError");
    assert!(job["error_message"].as_str().unwrap().contains("disabled"));
}

#[tokio::test]
async fn only_the_envelope_is_refused() {
    let app = TestApp::new().await;
    for (body, expected) in [
        (json!({}), vec![("job_type", "missing"), ("params", "missing")]),
        (json!({"job_type": "Train", "params": {}}), vec![("job_type", "enum")]),
        (json!({"job_type": "train", "params": "x"}), vec![("params", "dict_type")]),
    ] {
        let expected: Vec<_> = expected.iter().map(|(f, k)| ((*f).to_owned(), (*k).to_owned())).collect();
        assert_eq!(app.post("/jobs", body).await.invalid(), expected);
    }
    assert_eq!(app.get("/jobs").await.json()["total"], 0);
}

#[tokio::test]
async fn without_waiting_a_job_is_pending_and_can_be_cancelled() {
    let app = TestApp::new().await;
    let answer =
        app.post("/jobs", json!({"job_type": "train", "params": {"a": {"b": 1.5}}, "else": 1})).await;
    assert_eq!(answer.status, 202);
    let job = answer.json();
    let path = answer.header("location").to_owned();
    insta::assert_json_snapshot!("pending", &job, {".job_id" => "[id]", ".created_at" => "[time]", ".updated_at" => "[time]"});
    assert_eq!(path, format!("/jobs/{}", job["job_id"].as_str().unwrap()));
    assert_eq!(app.get(&path).await.json(), job);

    let cancelled = app.delete(&path).await;
    assert_eq!((cancelled.status.as_u16(), &cancelled.json()["status"]), (200, &json!("cancelled")));
    assert!(cancelled.json()["completed_at"].is_string());
    let again = app.delete(&path).await.problem(400, "bad-request");
    assert!(again["detail"].as_str().unwrap().contains("cancelled"));
    app.delete("/jobs/0123456789abcdef0123456789abcdef").await.problem(404, "not-found");
    for unknown in ["/jobs/x", "/jobs/%00", "/jobs/%ff", "/jobs/x/events", "/jobs/x/forecasts"] {
        app.get(unknown).await.problem(404, "not-found");
    }

    // Nobody begins it any more.
    app.work(1, |_| {});
    let next = app.job("train", &json!({})).await;
    assert_eq!(next["error_type"], "KeyError");
    assert_eq!(app.get(&path).await.json()["status"], "cancelled");
}

#[tokio::test]
async fn lists_filter_sort_and_page() {
    let app = TestApp::new().await;
    data::worked_series(&app.pool).await;
    for (job_type, params) in
        [("train", json!({})), ("predict", json!({})), ("backtest", json!({})), ("train", window())]
    {
        app.post("/jobs", json!({"job_type": job_type, "params": params})).await;
    }
    let first =
        app.get("/jobs?sort_by=created_at").await.json()["jobs"][0]["job_id"].as_str().unwrap().to_owned();
    app.delete(&format!("/jobs/{first}")).await;
    let types = async |query: &str| {
        let page = app.get(&format!("/jobs?{query}")).await.json();
        let of = |job: &Value| job["job_type"].as_str().unwrap().to_owned();
        (page["jobs"].as_array().unwrap().iter().map(of).collect::<Vec<_>>(), page["total"].as_i64().unwrap())
    };
    assert_eq!(
        types("").await,
        (vec!["train", "backtest", "predict", "train"].into_iter().map(String::from).collect(), 4)
    );
    assert_eq!(types("sort_by=nothing&sort_order=asc").await, types("").await);
    assert_eq!(types("sort_by=job_type").await.0, ["backtest", "predict", "train", "train"]);
    // The one that is final comes first ascending, last descending.
    assert_eq!(types("sort_by=completed_at").await.0, ["train", "train", "backtest", "predict"]);
    assert_eq!(
        types("sort_by=completed_at&sort_order=desc").await.0,
        ["train", "backtest", "predict", "train"]
    );
    assert_eq!(types("job_type=train&status=pending").await.1, 1);
    assert_eq!(types("status=cancelled").await.1, 1);
    assert_eq!(types("page=2&page_size=3").await, (vec!["train".to_owned()], 4));
    assert_eq!(types("page=9&page_size=3").await, (vec![], 4));
    for (query, field, kind) in [
        ("job_type=fly", "query.job_type", "enum"),
        ("status=done", "query.status", "enum"),
        ("page=0", "query.page", "greater_than_equal"),
        ("page_size=101", "query.page_size", "less_than_equal"),
        ("sort_order=up", "query.sort_order", "string_pattern_mismatch"),
    ] {
        assert_eq!(app.get(&format!("/jobs?{query}")).await.invalid(), [(field.to_owned(), kind.to_owned())]);
    }
}

#[tokio::test]
async fn waiting_ends_with_the_time_that_was_asked_for() {
    let app = TestApp::new().await;
    let request =
        Request::post("/jobs").header("content-type", "application/json").header("prefer", "wait=1");
    let body = json!({"job_type": "train", "params": {}}).to_string();
    let started = std::time::Instant::now();
    let answer = app.send(request.body(Body::from(body)).unwrap()).await;
    assert!(started.elapsed() >= Duration::from_secs(1) && started.elapsed() < Duration::from_secs(5));
    assert_eq!((answer.status.as_u16(), answer.header("preference-applied")), (202, "wait=1"));
    assert_eq!(answer.json()["status"], "pending");
}

#[tokio::test]
async fn jobs_run_by_priority_then_age() {
    let app = TestApp::new().await;
    let priorities = [0, 5, -3, 5, 0, 1000, -1000, 0];
    for priority in priorities {
        app.post("/jobs", json!({"job_type": "train", "params": {}, "priority": priority})).await;
    }
    app.work(1, |_| {});
    app.until("/jobs?status=failed", |page| page["total"] == priorities.len()).await;
    let rows: Vec<(i16, i32)> =
        sqlx::query_as("select priority, id from job where status = 'failed' order by started_at")
            .fetch_all(&app.pool)
            .await
            .unwrap();
    let mut expected = rows.clone();
    expected.sort_by_key(|(priority, id)| (-priority, *id));
    assert_eq!(rows, expected);
}

#[tokio::test]
async fn a_job_that_is_not_done_by_its_deadline_fails() {
    let app = TestApp::new().await;
    data::worked_series(&app.pool).await;
    let body = json!({"job_type": "train", "params": window(), "deadline_seconds": 1});
    let path = app.post("/jobs", body).await.header("location").to_owned();
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    app.work(1, |_| {});
    app.job("train", &json!({})).await;
    let job = app.get(&path).await.json();
    assert_eq!((&job["status"], &job["error_type"]), (&json!("failed"), &json!("DeadlineExceeded")), "{job}");
    assert!(job["error_message"].as_str().unwrap().contains(job["deadline_at"].as_str().unwrap()));
}

#[tokio::test]
async fn a_fault_that_passes_is_tried_again() {
    let app = working().await;
    // A file stands where the folder of models should be made.
    let folder = app.models.path().join("models");
    std::fs::write(&folder, "").unwrap();
    let path = app
        .post("/jobs", json!({"job_type": "train", "params": window()}))
        .await
        .header("location")
        .to_owned();
    let job = app.until(&path, |job| job["attempts"] != 0).await;
    assert_eq!(job["status"], "running");
    assert!(job["progress_message"].as_str().unwrap().contains("try 1 failed"), "{job}");
    std::fs::remove_file(&folder).unwrap();
    let job = app.until(&path, |job| job["status"] != "running").await;
    assert_eq!((&job["status"], &job["attempts"]), (&json!("completed"), &json!(2)), "{job}");
}

#[tokio::test]
async fn a_job_that_waits_for_its_next_try_is_cancelled_at_once() {
    let app = working().await;
    std::fs::write(app.models.path().join("models"), "").unwrap();
    let path = app
        .post("/jobs", json!({"job_type": "train", "params": window()}))
        .await
        .header("location")
        .to_owned();
    app.until(&path, |job| job["attempts"] != 0).await;
    assert_eq!(app.delete(&path).await.json()["status"], "cancelled");
}

#[tokio::test]
async fn faults_that_do_not_pass_are_not_tried_for_ever() {
    let app = TestApp::new().await;
    data::worked_series(&app.pool).await;
    std::fs::write(app.models.path().join("models"), "").unwrap();
    app.work(1, |config| config.jobs.max_attempts = 2);
    let job = app.job("train", &window()).await;
    assert_eq!((&job["error_type"], &job["attempts"]), (&json!("InternalError"), &json!(2)), "{job}");
    let message = job["error_message"].as_str().unwrap();
    assert!(!message.contains('/') && !message.contains("os error"), "internals in {message}");
}

#[tokio::test]
async fn events_tell_every_change_until_the_end() {
    let app = TestApp::new().await;
    data::worked_series(&app.pool).await;
    let path = app
        .post("/jobs", json!({"job_type": "backtest", "params": window()}))
        .await
        .header("location")
        .to_owned();
    let request = Request::get(format!("{path}/events")).body(Body::empty()).unwrap();
    let response = app.router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut stream = response.into_body().into_data_stream();
    let first = String::from_utf8(stream.next().await.unwrap().unwrap().to_vec()).unwrap();
    assert!(first.starts_with("event: job\n") && first.contains(r#""status":"pending""#), "{first}");
    app.work(1, |_| {});
    let rest = axum::body::Body::from_stream(stream).collect().await.unwrap().to_bytes();
    let rest = String::from_utf8(rest.to_vec()).unwrap();
    let last = rest.split("event: job\n").last().unwrap();
    assert!(last.contains(r#""status":"completed""#) && last.contains(r#""progress":1.0"#), "{rest}");
    // A finished job is told once.
    let once = app.get(&format!("{path}/events")).await;
    assert_eq!(once.text.matches("event: job").count(), 1);
}

#[tokio::test]
async fn a_lost_connection_loses_no_job() {
    let app = working().await;
    let request =
        Request::post("/jobs").header("content-type", "application/json").header("prefer", "wait=60");
    let body = json!({"job_type": "backtest", "params": window()}).to_string();
    let waiting = app.router.clone().oneshot(request.body(Body::from(body)).unwrap());
    // The client goes away while the job is begun.
    let _ = tokio::time::timeout(Duration::from_millis(30), waiting).await;
    app.until("/jobs?status=completed", |page| page["total"] == 1).await;
}
