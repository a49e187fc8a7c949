//! `calibration` of `POST /forecasting/train`, and the intervals of `/predict` that follow from it.

use std::collections::HashMap;

use chrono::{Days, NaiveDate};
use retailcast::artifacts::Bundle;
use serde_json::{Value, json};
use sqlx::Row;

use crate::support::app::{Answer, TestApp};
use crate::support::{data, database};

/// The five models that come with the program.
const MODELS: [&str; 5] = ["naive", "seasonal_naive", "moving_average", "regression", "lightgbm"];

async fn app() -> TestApp {
    let app = TestApp::new().await;
    data::worked_series(&app.pool).await;
    app
}

/// The worked series of 90 days.
fn body(model: &str, calibration: Value) -> Value {
    json!({"store_id": 1, "product_id": 1, "train_start_date": "2024-01-01", "train_end_date": "2024-03-30",
           "config": {"model_type": model}, "calibration": calibration})
}

async fn train(app: &TestApp, model: &str, calibration: Value) -> Value {
    let answer = app.post("/forecasting/train", body(model, calibration)).await;
    assert_eq!(answer.status.as_u16(), 200, "{model}: {}", answer.text);
    answer.json()
}

async fn predict(app: &TestApp, trained: &Value, horizon: usize) -> Value {
    let body = json!({"store_id": trained["store_id"], "product_id": trained["product_id"], "horizon": horizon,
                      "model_path": trained["model_path"]});
    let answer = app.post("/forecasting/predict", body).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
    answer.json()
}

fn bundle(trained: &Value) -> Bundle {
    Bundle::decode(&std::fs::read(trained["model_path"].as_str().unwrap()).unwrap()).unwrap()
}

fn list(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap_or_else(|| panic!("{value}"))
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value}"))
}

#[tokio::test]
async fn the_shape_of_both_answers() {
    let app = app().await;
    let calibration = json!({"levels": [95, "80"], "horizon": 14, "n_windows": 18});
    let trained = train(&app, "moving_average", calibration).await;
    let hidden = "[redacted]";
    insta::assert_json_snapshot!("train_calibrated", trained, {".duration_ms" => hidden, ".model_path" => hidden});
    let predicted = predict(&app, &trained, 2).await;
    insta::assert_json_snapshot!("predict_calibrated", predicted, {".duration_ms" => hidden});
}

#[tokio::test]
async fn radii_are_quantiles_of_past_errors() {
    let app = app().await;
    // 50 windows of one day each: the last value against the day before it, days 40 to 89.
    let calibration = json!({"levels": [80, 95], "horizon": 1, "n_windows": 50});
    let trained = train(&app, "naive", calibration).await;
    let sold = |i: i32| 20 + 3 * (i % 7) + (5 * i) % 13;
    let mut errors: Vec<i32> = (40..90).map(|i| (sold(i) - sold(i - 1)).abs()).collect();
    errors.sort_unstable();
    // The 41st and the 49th of 50: ranks 51 x 0.8 and 51 x 0.95, rounded up.
    let expected = [f64::from(errors[40]), f64::from(errors[48])];
    for (level, expected) in list(&trained["calibration"]["levels"]).iter().zip(expected) {
        assert_eq!(level["radii"], json!([{"step": 1, "radius": expected}]));
    }
    assert_eq!(trained["calibration"]["errors_per_step"], 50);
}

#[tokio::test]
async fn every_model_is_calibrated_and_forecasts_as_it_does_without() {
    let app = app().await;
    for model in MODELS {
        let bare = train(&app, model, Value::Null).await;
        assert_eq!(bare["calibration"], Value::Null);
        let calibrated = train(&app, model, json!({"horizon": 7, "n_windows": 30})).await;
        assert_eq!(bare["config_hash"], calibrated["config_hash"]);
        let (plain, kept) = (bundle(&bare), bundle(&calibrated));
        assert_eq!((&plain.bundle_hash, &plain.state), (&kept.bundle_hash, &kept.state), "{model}");
        let table = ["regression", "lightgbm"].contains(&model);
        assert_eq!(calibrated["calibration"]["errors_per_step"], if table { 20 } else { 30 }, "{model}");

        let (without, with) = (predict(&app, &bare, 20).await, predict(&app, &calibrated, 20).await);
        for (without, with) in list(&without["forecasts"]).iter().zip(list(&with["forecasts"])) {
            assert_eq!(without["forecast"], with["forecast"], "{model}");
            assert_eq!((&without["lower_bound"], &without["intervals"]), (&Value::Null, &json!([])));
            let intervals = list(&with["intervals"]);
            let levels: Vec<f64> = intervals.iter().map(|interval| number(&interval["level"])).collect();
            assert_eq!(levels, [80.0, 95.0]);
            assert_eq!(
                (&with["lower_bound"], &with["upper_bound"]),
                (&intervals[0]["lower"], &intervals[0]["upper"])
            );
            let bounds = |i: usize| (number(&intervals[i]["lower"]), number(&intervals[i]["upper"]));
            let ((lower, upper), (low, high)) = (bounds(0), bounds(1));
            let forecast = number(&with["forecast"]);
            assert!(0.0 <= low && low <= lower && lower <= forecast, "{model}: {with}");
            assert!(forecast <= upper && upper <= high, "{model}: {with}");
        }
        // Beyond the calibrated steps the last radius holds.
        let radius = |at: usize| {
            number(&with["forecasts"][at]["upper_bound"]) - number(&with["forecasts"][at]["forecast"])
        };
        assert!((radius(6) - radius(19)).abs() < 1e-9, "{model}");
    }
}

#[tokio::test]
async fn training_again_gives_the_same_calibration() {
    let app = app().await;
    for model in ["moving_average", "lightgbm"] {
        let mut answers = Vec::new();
        for _ in 0..2 {
            answers.push(train(&app, model, json!({"horizon": 7})).await["calibration"].clone());
        }
        assert_eq!(answers[0], answers[1], "{model}");
    }
}

#[tokio::test]
async fn what_is_sold_after_the_training_changes_nothing() {
    let app = app().await;
    let early = async || {
        let mut body = body("regression", json!({"horizon": 7, "n_windows": 5}));
        body["train_end_date"] = json!("2024-03-10");
        app.post("/forecasting/train", body).await.json()["calibration"].clone()
    };
    let before = early().await;
    sqlx::query("update sales_daily set quantity = 7777, unit_price = 1 where date > '2024-03-10'")
        .execute(&app.pool)
        .await
        .unwrap();
    assert_eq!(early().await, before);
}

#[tokio::test]
async fn without_filled_days_steps_count_rows() {
    let app = TestApp::with(|config| config.forecast.missing_days = "skip".parse().unwrap()).await;
    data::worked_series(&app.pool).await;
    // Mondays are closed: 77 rows are left.
    sqlx::query("delete from sales_daily where extract(isodow from date) = 1")
        .execute(&app.pool)
        .await
        .unwrap();
    for model in ["naive", "regression"] {
        let trained = train(&app, model, json!({"n_windows": 365})).await;
        let windows = if model == "naive" { 77 - 14 } else { 20 };
        assert_eq!(trained["calibration"]["errors_per_step"], windows, "{model}");
        assert_eq!(list(&predict(&app, &trained, 3).await["forecasts"][2]["intervals"]).len(), 2);
    }
}

#[tokio::test]
async fn a_short_history_gives_fewer_windows_or_says_how_much_would_do() {
    let app = app().await;
    let with = async |end: &str, horizon: u32| {
        let mut body = body("regression", json!({"levels": [80], "horizon": horizon}));
        body["train_end_date"] = json!(end);
        app.post("/forecasting/train", body).await
    };
    // 30 rows for the model and 14 behind them.
    let one = with("2024-02-13", 14).await.json();
    assert_eq!(one["calibration"]["errors_per_step"], 1);
    assert_eq!(one["calibration"]["levels"][0]["coverage"], Value::Null);
    let warning = one["calibration"]["warning"].as_str().unwrap();
    assert!(warning.contains("80 % needs 4 errors per step, there are 1"), "{warning}");
    let problem = with("2024-02-12", 14).await.problem(400, "bad-request");
    let detail = problem["detail"].as_str().unwrap();
    for words in ["44 for one window", "103 for all 60", "found 43", "horizon at most 13"] {
        assert!(detail.contains(words), "{detail}");
    }
    assert_eq!(with("2024-02-12", 13).await.status.as_u16(), 200);
    // Fewer rows than the model itself needs: the answer without a calibration.
    let detail = with("2024-01-29", 1).await.problem(400, "bad-request")["detail"].clone();
    assert!(
        detail.as_str().unwrap().contains("regression needs at least 30 observations, found 29"),
        "{detail}"
    );
}

#[tokio::test]
async fn calibrations_that_do_not_fit() {
    let app = app().await;
    let invalid =
        async |calibration: Value| app.post("/forecasting/train", body("naive", calibration)).await.invalid();
    for (calibration, field, kind) in [
        (json!([]), "", "dict_type"),
        (json!("yes"), "", "dict_type"),
        (json!({"level": 80}), ".level", "extra_forbidden"),
        (json!({"levels": 80}), ".levels", "list_type"),
        (json!({"levels": null}), ".levels", "list_type"),
        (json!({"levels": []}), ".levels", "too_short"),
        (json!({"levels": [1, 2, 3, 4, 5, 6]}), ".levels", "too_long"),
        (json!({"levels": [80, 0.9]}), ".levels.1", "greater_than_equal"),
        (json!({"levels": [99.95]}), ".levels.0", "less_than_equal"),
        (json!({"levels": ["wide"]}), ".levels.0", "float_parsing"),
        (json!({"levels": [null]}), ".levels.0", "float_type"),
        (json!({"levels": [80, 95, "80.0"]}), ".levels.2", "value_error"),
        (json!({"horizon": 0}), ".horizon", "greater_than_equal"),
        (json!({"horizon": 91}), ".horizon", "less_than_equal"),
        (json!({"horizon": 7.5}), ".horizon", "int_from_float"),
        (json!({"n_windows": 0}), ".n_windows", "greater_than_equal"),
        (json!({"n_windows": 366}), ".n_windows", "less_than_equal"),
        (json!({"n_windows": null}), ".n_windows", "int_type"),
    ] {
        let found = invalid(calibration.clone()).await;
        assert_eq!(found, [(format!("calibration{field}"), kind.to_owned())], "{calibration}");
    }
    let all = invalid(json!({"levels": [0, 100], "horizon": "x", "n_windows": 0, "more": 1})).await;
    let fields: Vec<&str> = all.iter().map(|(field, _)| field.trim_start_matches("calibration.")).collect();
    assert_eq!(fields, ["levels.0", "levels.1", "horizon", "n_windows", "more"]);
    // The operator's bound holds here too, and is the default where it is lower.
    let short = TestApp::with(|config| config.forecast.max_horizon = 5).await;
    data::worked_series(&short.pool).await;
    let refused = short.post("/forecasting/train", body("naive", json!({"horizon": 6}))).await.invalid();
    assert_eq!(refused, [("calibration.horizon".to_owned(), "less_than_equal".to_owned())]);
    assert_eq!(train(&short, "naive", json!({})).await["calibration"]["horizon"], 5);
}

#[tokio::test]
async fn a_model_file_from_before_calibrations_is_still_read() {
    let app = app().await;
    let old =
        std::fs::read(database::workspace().join("tests/data/models/seasonal_naive_format_1.rcm")).unwrap();
    assert_eq!(&old[..8], b"RCMODEL1");
    let folder = app.models.path().join("models");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("model_0123456789ab.rcm");
    std::fs::write(&path, old).unwrap();
    let trained = json!({"store_id": 1, "product_id": 1, "model_path": path.to_str().unwrap()});
    let forecasts = predict(&app, &trained, 2).await["forecasts"].clone();
    let bare = |date: &str, forecast: f64| json!({"date": date, "forecast": forecast, "lower_bound": null, "upper_bound": null, "intervals": []});
    assert_eq!(forecasts, json!([bare("2024-03-31", 50.0), bare("2024-04-01", 24.0)]));
    // What is trained without a calibration today is the same format.
    let today = train(&app, "naive", Value::Null).await;
    assert_eq!(&std::fs::read(today["model_path"].as_str().unwrap()).unwrap()[..8], b"RCMODEL1");
}

/// Days forecast from every origin.
const HORIZON: usize = 14;
/// Origins over a year, the last four weeks before the end of the data. Days of one fortnight are good or bad together,
/// in all shops: only many of them tell how often intervals hold.
const ORIGINS: u64 = 13;

#[tokio::test]
async fn intervals_hold_the_real_bakery_as_often_as_they_say() {
    let app = TestApp::new().await;
    data::bakery(&app.pool).await;
    let sales = Sales::read(&app).await;
    for model in ["seasonal_naive", "moving_average"] {
        let (mut inside, mut days) = ([0.0; 2], 0.0);
        for (store, product) in sales.every_third_series() {
            for back in 1..=ORIGINS {
                let origin = sales.last - Days::new(28 * back);
                let body = json!({"store_id": store, "product_id": product, "train_start_date": "2016-01-02",
                                  "train_end_date": origin, "config": {"model_type": model}, "calibration": {}});
                let trained = app.post("/forecasting/train", body).await;
                let forecasts = predict(&app, &read(&trained), HORIZON).await;
                for day in list(&forecasts["forecasts"]) {
                    let sold = sales.on(store, product, day["date"].as_str().unwrap());
                    for (inside, interval) in inside.iter_mut().zip(list(&day["intervals"])) {
                        let held = number(&interval["lower"]) <= sold && sold <= number(&interval["upper"]);
                        *inside += f64::from(u8::from(held));
                    }
                    days += 1.0;
                }
            }
        }
        let found = inside.map(|inside| 100.0 * inside / days);
        println!("{model}: {found:.1?} of {days} days");
        assert!(days > 5_000.0);
        for (found, level) in found.into_iter().zip([80.0, 95.0]) {
            assert!((found - level).abs() <= 3.0, "{model}: {found:.1} % of the days instead of {level} %");
        }
    }
}

#[track_caller]
fn read(answer: &Answer) -> Value {
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
    answer.json()
}

/// What was sold of every series on every day.
struct Sales {
    by_day: HashMap<(i32, i32, String), f64>,
    last: NaiveDate,
}

impl Sales {
    async fn read(app: &TestApp) -> Self {
        let rows = sqlx::query("select store_id, product_id, date, quantity from sales_daily");
        let rows = rows.fetch_all(&app.pool).await.unwrap();
        let day = |row: &sqlx::postgres::PgRow| row.get::<NaiveDate, _>(2);
        let last = rows.iter().map(day).max().unwrap();
        let cell = |row: &sqlx::postgres::PgRow| {
            ((row.get(0), row.get(1), day(row).to_string()), f64::from(row.get::<i32, _>(3)))
        };
        Self { by_day: rows.iter().map(cell).collect(), last }
    }

    fn on(&self, store: i32, product: i32, day: &str) -> f64 {
        self.by_day[&(store, product, day.to_owned())]
    }

    fn every_third_series(&self) -> Vec<(i32, i32)> {
        let mut all: Vec<(i32, i32)> =
            self.by_day.keys().map(|(store, product, _)| (*store, *product)).collect();
        all.sort_unstable();
        all.dedup();
        // Another product from store to store.
        all.into_iter().enumerate().filter(|(i, _)| i % 3 == (i / 3) % 3).map(|(_, series)| series).collect()
    }
}
