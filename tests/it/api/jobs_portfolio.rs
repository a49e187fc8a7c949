//! Portfolio jobs: cut into chunks, gathered once; and cancelling them.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt;
use polars::prelude::{ParquetReader, SerReader};
use retailcast::slices::forecasting::portfolio::{Origin, Plan, PortfolioRun, Selection};
use retailcast::slices::forecasting::read_config;
use retailcast_core::Day;
use serde_json::{Value, json};
use std::sync::Arc;
use tower::ServiceExt;

use crate::support::app::TestApp;
use crate::support::data;

/// Twelve series of very different length, and a worker that cuts them in fives.
async fn chain() -> TestApp {
    let app = TestApp::new().await;
    data::chain(&app.pool).await;
    app.work(3, |config| config.jobs.chunk_series = 5);
    app
}

#[tokio::test]
async fn a_forecast_in_chunks_is_the_forecast_in_one() {
    let app = chain().await;
    for model in ["naive", "theta", "regression"] {
        let config = json!({"model_type": model});
        let params = json!({"config": config, "horizon": 9, "end_date": "2024-07-05"});
        let job = app.job("portfolio_forecast", &params).await;
        assert_eq!(job["status"], "completed", "{job}");
        let page =
            app.get(&format!("{}?page_size=100", job["result"]["forecasts"].as_str().unwrap())).await.json();

        let forecasting = &app.app.forecasting;
        let end: Day = "2024-07-05".parse().unwrap();
        let portfolio = Arc::new(forecasting.load_portfolio(&Selection::default(), Some(end)).await.unwrap());
        let (model_type, config) = read_config(&config, "config", forecasting.catalogue()).unwrap();
        let origins = vec![Origin { train_start: None, day: end }];
        let run = PortfolioRun { model_type, config, origins, horizon: 9, plan: Plan::Unchanged };
        let whole = forecasting.forecast_portfolio(&portfolio, &run, |_| {}).await.unwrap();

        let found = page["forecasts"].as_array().unwrap();
        assert_eq!(
            (found.len(), page["total"].as_u64()),
            (portfolio.series.len(), Some(portfolio.series.len() as u64))
        );
        for ((found, series), outcome) in found.iter().zip(&portfolio.series).zip(&whole.series) {
            assert_eq!(
                (found["store_code"].as_str(), found["sku"].as_str()),
                (Some(&*series.key.store_code), Some(&*series.key.sku))
            );
            match outcome {
                Ok(forecast) => {
                    let points: Vec<f64> = found["points"]
                        .as_array()
                        .unwrap()
                        .iter()
                        .map(|p| p["forecast"].as_f64().unwrap())
                        .collect();
                    assert_eq!(points, forecast.points, "{found}");
                    assert_eq!(found["points"][0]["date"], "2024-07-06");
                }
                Err(why) => assert_eq!(found["reason"], json!(why)),
            }
        }
    }
}

#[tokio::test]
async fn the_shape_of_a_summary_and_of_its_forecasts() {
    let app = chain().await;
    // Store 3 opens on 2024-06-19: four of its products have too few rows for the model, one none at all yet.
    let params = json!({"config": {"model_type": "seasonal_naive"}, "horizon": 2, "end_date": "2024-06-22"});
    let job = app.job("portfolio_forecast", &params).await;
    insta::assert_json_snapshot!("summary", job["result"], {
        ".compute_seconds" => "[seconds]", ".duration_ms" => "[milliseconds]", ".forecasts" => "[path]",
    });
    let path = job["result"]["forecasts"].as_str().unwrap();
    insta::assert_json_snapshot!("forecasts", app.get(&format!("{path}?page=3&page_size=4")).await.json());

    let csv = get(&app, path, "text/csv").await;
    let text = String::from_utf8(csv).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "store_code,sku,date,step,forecast");
    assert_eq!(lines.len(), 1 + 2 * job["result"]["series_forecast"].as_u64().unwrap() as usize);
    let parquet =
        ParquetReader::new(std::io::Cursor::new(get(&app, path, "application/vnd.apache.parquet").await));
    let table = parquet.finish().unwrap();
    assert_eq!((table.height(), table.width()), (lines.len() - 1, 5));
    let numbers = table.column("forecast").unwrap().f64().unwrap().clone();
    for (line, number) in lines[1..].iter().zip(numbers.iter()) {
        assert_eq!(line.rsplit(',').next().unwrap().parse::<f64>().ok(), number);
    }
}

async fn get(app: &TestApp, path: &str, accept: &str) -> Vec<u8> {
    let request = Request::get(path).header("accept", accept).body(Body::empty()).unwrap();
    let response = app.router.clone().oneshot(request).await.unwrap();
    assert!(response.headers()["content-type"].to_str().unwrap().starts_with(accept));
    response.into_body().collect().await.unwrap().to_bytes().to_vec()
}

#[tokio::test]
async fn a_backtest_in_chunks_is_the_backtest_in_one() {
    let app = chain().await;
    let order = json!({"models": [{"model_type": "seasonal_naive"}, {"model_type": "theta"},
                                  {"model_type": "lightgbm", "scope": "global", "n_estimators": 20}],
                       "windows": {"n_windows": 3, "horizon": 7}});
    let job = app.job("portfolio_backtest", &order).await;
    assert_eq!(job["status"], "completed", "{job}");
    let plain = |mut result: Value| {
        for key in ["backtest_id", "duration_ms"] {
            result[key].take();
        }
        for row in result["leaderboard"].as_array_mut().unwrap() {
            row["seconds"].take();
        }
        result
    };
    let direct = app.post("/backtesting/portfolio", order).await.json();
    assert_eq!(plain(job["result"].clone()), plain(direct));
}

#[tokio::test]
async fn only_finished_portfolio_forecasts_have_forecasts() {
    let app = TestApp::new().await;
    for (job_type, words) in [("train", "train"), ("portfolio_forecast", "pending")] {
        let path = app
            .post("/jobs", json!({"job_type": job_type, "params": {}}))
            .await
            .header("location")
            .to_owned();
        let problem = app.get(&format!("{path}/forecasts")).await.problem(400, "bad-request");
        assert!(problem["detail"].as_str().unwrap().contains(words), "{problem}");
    }
}

#[tokio::test]
async fn a_series_that_is_deleted_meanwhile_fails_the_backtest_clearly() {
    let app = TestApp::new().await;
    data::chain(&app.pool).await;
    let order = json!({"models": [{"model_type": "naive"}], "windows": {"n_windows": 2, "horizon": 7}});
    let path = app
        .post("/jobs", json!({"job_type": "portfolio_backtest", "params": order}))
        .await
        .header("location")
        .to_owned();
    // One task at a time, one chunk per series: the job is watched until some chunks are done.
    app.work(1, |config| config.jobs.chunk_series = 1);
    app.until(&path, |job| job["progress"].as_f64() >= Some(0.2)).await;
    sqlx::query("delete from sales_daily where store_id = 1").execute(&app.pool).await.unwrap();
    let job = app.until(&path, |job| job["status"] != "running").await;
    assert_eq!((&job["status"], &job["error_type"]), (&json!("failed"), &json!("ValueError")), "{job}");
    assert!(job["error_message"].as_str().unwrap().contains("while the job ran"));
}

#[tokio::test]
async fn a_running_portfolio_job_stops_when_it_is_cancelled() {
    let app = TestApp::new().await;
    data::chain(&app.pool).await;
    let params = json!({"models": [{"model_type": "regression", "max_iter": 400}, {"model_type": "regression", "max_iter": 401}],
                        "windows": {"n_windows": 20, "horizon": 2}});
    let path = app
        .post("/jobs", json!({"job_type": "portfolio_backtest", "params": params}))
        .await
        .header("location")
        .to_owned();
    app.work(2, |config| config.jobs.chunk_series = 2);
    app.until(&path, |job| job["progress"] != 0.0).await;
    let asked = app.delete(&path).await.json();
    assert_eq!(asked["status"], "running");
    assert!(asked["cancel_requested_at"].is_string());
    let asked_at = std::time::Instant::now();
    let stopped = app.until(&path, |job| job["status"] != "running").await;
    assert_eq!(stopped["status"], "cancelled");
    // Heard of it, not found out by the lease.
    assert!(asked_at.elapsed() < Duration::from_secs(3), "{:?}", asked_at.elapsed());
    for table in ["job_task", "job_chunk"] {
        let left: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(format!("select count(*) from {table}")))
            .fetch_one(&app.pool)
            .await
            .unwrap();
        assert_eq!(left, 0, "{table}");
    }
}
