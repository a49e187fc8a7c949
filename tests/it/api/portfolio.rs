//! Many series at once, and one model across them.

use std::sync::Arc;

use retailcast::slices::forecasting::portfolio::{Origin, Outcome, Plan, PortfolioRun, Selection};
use retailcast::slices::forecasting::read_config;
use retailcast::slices::forecasting::service::Forecasting;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::app::{TestApp, forecasting};
use crate::support::{data, database};

const HORIZON: usize = 14;

fn stores(codes: &[&str]) -> Selection {
    Selection { stores: codes.iter().map(|code| (*code).to_owned()).collect(), ..Selection::default() }
}

async fn forecast(forecasting: &Forecasting, selection: &Selection, config: Value) -> Vec<(String, Outcome)> {
    let portfolio = Arc::new(forecasting.load_portfolio(selection, None).await.unwrap());
    let (model_type, config) = read_config(&config, "config", forecasting.catalogue()).unwrap();
    let origins = vec![Origin { train_start: None, day: portfolio.last_day.unwrap() }];
    let run = PortfolioRun { model_type, config, origins, horizon: HORIZON, plan: Plan::Unchanged };
    let outcomes = forecasting.forecast_portfolio(&portfolio, &run, |_| {}).await.unwrap().series;
    let name = |key: &retailcast::slices::forecasting::portfolio::SeriesKey| {
        format!("{} {}", key.store_code, key.sku)
    };
    portfolio.series.iter().map(|series| name(&series.key)).zip(outcomes).collect()
}

fn points(outcomes: &[(String, Outcome)], name: &str) -> Vec<f64> {
    let (_, outcome) = outcomes.iter().find(|(found, _)| found == name).unwrap();
    outcome.as_ref().unwrap_or_else(|e| panic!("{name}: {e}")).points.clone()
}

async fn chain() -> PgPool {
    let pool = database::fresh().await;
    data::chain(&pool).await;
    pool
}

fn global() -> Value {
    json!({"model_type": "lightgbm", "scope": "global", "n_estimators": 50})
}

#[tokio::test]
async fn one_model_learns_from_all_series_and_a_short_one_stops_none() {
    let forecasting = forecasting(chain().await, |_| {});
    let all = forecast(&forecasting, &Selection::default(), global()).await;
    assert_eq!(all.len(), 12);
    for (name, outcome) in &all {
        match outcome {
            Ok(forecast) => assert!(forecast.points.iter().all(|p| p.is_finite()), "{name}"),
            Err(reason) => {
                assert_eq!(name, "S3 MISC");
                assert!(reason.starts_with("lightgbm needs at least 30 observations, found 10"), "{reason}");
            }
        }
    }
    // 2024-07-18 is a Thursday: the second and third day are a weekend, and 30 pieces more are sold. Store 3 has seen
    // too few weeks to grow a tree of its own.
    let rise = |points: &[f64]| points[1] + points[2] - points[0] - points[3];
    let new = points(&all, "S3 MILK");
    assert!((40.0..80.0).contains(&rise(&new)), "{new:?}");
    let new_week = &new[7..];
    assert!((40.0..80.0).contains(&rise(new_week)), "fed back: {new:?}");
    let alone = forecast(&forecasting, &stores(&["S3"]), json!({"model_type": "lightgbm"})).await;
    assert!(rise(&points(&alone, "S3 MILK")).abs() < 1.0, "{alone:?}");

    // One fit for all: whoever else is there changes the forecast. Local models stay what they are.
    let others = forecast(&forecasting, &stores(&["S1"]), global()).await;
    assert_ne!(points(&others, "S1 MILK"), points(&all, "S1 MILK"));
}

#[tokio::test]
async fn threads_change_no_forecast() {
    let pool = chain().await;
    let mut found = Vec::new();
    for threads in [1, 2, 0] {
        let forecasting = forecasting(pool.clone(), |config| config.compute.boosting_threads = threads);
        let all = forecast(&forecasting, &Selection::default(), global()).await;
        found.push(all.into_iter().filter_map(|(_, outcome)| outcome.ok()).collect::<Vec<_>>());
    }
    assert_eq!(found[0].len(), 11);
    assert_eq!(found[0], found[1]);
    assert_eq!(found[0], found[2]);
}

#[tokio::test]
async fn a_saved_model_across_series_forecasts_after_loading() {
    let app = TestApp::new().await;
    data::chain(&app.pool).await;
    let train = async |config: Value| {
        app.post(
            "/forecasting/train",
            json!({"store_id": 1, "product_id": 1, "train_start_date": "2024-01-01", "train_end_date": "2024-07-18",
                   "config": config}),
        )
        .await
    };
    let trained = train(global()).await.json();
    let predicted = app
        .post(
            "/forecasting/predict",
            json!({"store_id": 1, "product_id": 1, "horizon": 14, "model_path": trained["model_path"]}),
        )
        .await
        .json();
    assert_eq!(predicted["assumed_inputs"], json!([]), "{predicted}");
    let forecasting = forecasting(app.pool.clone(), |_| {});
    let selection = Selection { skus: vec!["MILK".to_owned()], ..stores(&["S1"]) };
    let fresh = points(&forecast(&forecasting, &selection, global()).await, "S1 MILK");
    let loaded: Vec<f64> = predicted["forecasts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|day| day["forecast"].as_f64().unwrap())
        .collect();
    assert_eq!(loaded, fresh);

    let local = train(json!({"model_type": "lightgbm"})).await.json();
    assert_eq!(local["config_hash"], "f2fcd44619ba5fec");
    let refused = train(json!({"model_type": "lightgbm", "scope": "regional"})).await.invalid();
    assert_eq!(refused, [("config.lightgbm.scope".to_owned(), "literal_error".to_owned())]);
}
