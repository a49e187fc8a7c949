//! `POST /forecasting/train` and `/predict`. Contract: `forecasting.md`.

use serde_json::{Value, json};

use crate::support::app::{Answer, TestApp};
use crate::support::data;

async fn trained_app() -> TestApp {
    let app = TestApp::new().await;
    data::worked_series(&app.pool).await;
    app
}

fn train_body(config: Value) -> Value {
    json!({"store_id": 1, "product_id": 1, "train_start_date": "2024-01-01", "train_end_date": "2024-03-30", "config": config})
}

async fn train(app: &TestApp, config: Value) -> Answer {
    app.post("/forecasting/train", train_body(config)).await
}

async fn path_of(app: &TestApp, config: Value) -> String {
    let answer = train(app, config).await;
    answer.json()["model_path"].as_str().unwrap_or_else(|| panic!("{}", answer.text)).to_owned()
}

async fn predict(app: &TestApp, path: &str, horizon: u32) -> Answer {
    app.post(
        "/forecasting/predict",
        json!({"store_id": 1, "product_id": 1, "horizon": horizon, "model_path": path}),
    )
    .await
}

fn points(answer: &Answer) -> Vec<f64> {
    let body = answer.json();
    let forecasts = body["forecasts"].as_array().unwrap_or_else(|| panic!("{body}"));
    forecasts.iter().map(|point| point["forecast"].as_f64().unwrap()).collect()
}

#[track_caller]
fn close(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (f, e) in found.iter().zip(expected) {
        assert!((f - e).abs() <= 1e-6 * e.abs(), "{found:?} instead of {expected:?}");
    }
}

#[tokio::test]
async fn the_shape_of_both_answers() {
    let app = trained_app().await;
    let folder = app.models.path().to_str().unwrap().to_owned();
    let answer = train(&app, json!({"model_type": "seasonal_naive"})).await;
    assert_eq!(answer.status.as_u16(), 200);
    let mut body = answer.json();
    let path = body["model_path"].as_str().unwrap().to_owned();
    let id = path
        .strip_prefix(&format!("{folder}/models/model_"))
        .and_then(|rest| rest.strip_suffix(".rcm"))
        .unwrap();
    assert!(id.len() == 12 && id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)), "{id}");
    body["model_path"] = json!("[path]");
    insta::assert_json_snapshot!("train", body, {".duration_ms" => "[milliseconds]"});
    assert!(answer.json()["duration_ms"].is_f64());
    let answer = predict(&app, &path, 2).await;
    insta::assert_json_snapshot!("predict", answer.json(), {".duration_ms" => "[milliseconds]"});
}

#[tokio::test]
async fn the_worked_values_of_the_contract() {
    let app = trained_app().await;
    for (config, expected) in [
        (json!({"model_type": "naive"}), [38.0; 7]),
        (
            json!({"model_type": "seasonal_naive", "season_length": 7}),
            [50.0, 24.0, 32.0, 27.0, 35.0, 43.0, 38.0],
        ),
        (json!({"model_type": "moving_average"}), [35.571_428_571_428_57; 7]),
        (
            json!({"model_type": "regression"}),
            [
                42.954_642_677_7,
                27.642_622_476_0,
                26.181_851_183_2,
                29.058_022_580_0,
                30.924_546_372_1,
                34.949_330_288_5,
                41.141_098_176_2,
            ],
        ),
    ] {
        let path = path_of(&app, config.clone()).await;
        let answer = predict(&app, &path, 7).await;
        close(&points(&answer), &expected);
        let table_model = config["model_type"] == "regression";
        let assumed = if table_model { json!(["price_factor", "promo_active"]) } else { json!([]) };
        assert_eq!(answer.json()["assumed_inputs"], assumed);
        assert_eq!(answer.json()["forecasts"][0]["date"], "2024-03-31");
        assert_eq!(answer.json()["forecasts"][6]["date"], "2024-04-06");
    }
}

/// Expected are statsforecast 2.1's forecasts. Croston's method has no freedom; the optimisers of the other two may stop
/// elsewhere, see the plugins' own oracle tests.
#[tokio::test]
async fn statistical_models_forecast_as_elsewhere() {
    let app = trained_app().await;
    let week = [43.906_850, 26.505_304, 29.047_814, 31.731_787, 35.050_035, 37.582_077, 41.211_948];
    let smoothed = [43.823_389, 25.977_553, 29.038_943, 31.980_962, 35.052_161, 37.971_791, 40.983_944];
    for (config, expected, tolerance) in [
        (json!({"model_type": "croston"}), [33.681_101_485_591_61; 7], 1e-6),
        (json!({"model_type": "croston", "variant": "tsb"}), [35.453_791_037_464_85; 7], 1e-6),
        (json!({"model_type": "theta"}), week, 0.005),
        (json!({"model_type": "ets"}), smoothed, 0.01),
    ] {
        let path = path_of(&app, config.clone()).await;
        let answer = predict(&app, &path, 7).await;
        for (found, expected) in points(&answer).iter().zip(expected) {
            assert!((found / expected - 1.0).abs() <= tolerance, "{config}: {found}, expected {expected}");
        }
        assert_eq!(answer.json()["assumed_inputs"], json!([]));
    }
}

#[tokio::test]
async fn elastic_net_feeds_its_forecasts_back() {
    let app = trained_app().await;
    let path = path_of(&app, json!({"model_type": "elastic_net"})).await;
    let answer = predict(&app, &path, 14).await;
    let points = points(&answer);
    for (step, found) in points.iter().enumerate() {
        // The series is 20, 3 per weekday, and 0 to 12 at random.
        let expected = 26.0 + 3.0 * ((90 + step) % 7) as f64;
        assert!((found - expected).abs() < 9.0, "step {step}: {found}, about {expected}");
    }
    // The calendar alone would make both weeks the same; month ends are none of these days.
    assert!((2..7).all(|day| (points[day] - points[day + 7]).abs() > 1e-6), "{points:?}");
    assert_eq!(answer.json()["assumed_inputs"], json!(["price_factor", "promo_active"]));
}

#[tokio::test]
async fn lightgbm_forecasts_and_is_deterministic() {
    let app = trained_app().await;
    let first = path_of(&app, json!({"model_type": "lightgbm"})).await;
    let second = path_of(&app, json!({"model_type": "lightgbm"})).await;
    assert_ne!(first, second);
    let (one, two) = (points(&predict(&app, &first, 14).await), points(&predict(&app, &second, 14).await));
    assert_eq!(one, two);
    assert!(one.iter().all(|p| (15.0..60.0).contains(p)), "{one:?}");
    let hash = |path: &str| {
        let bytes = std::fs::read(path).unwrap();
        let bundle = retailcast::artifacts::Bundle::decode(&bytes).unwrap();
        assert_eq!(bundle.bundle_hash, bundle.content_hash());
        assert_eq!(bundle.metadata.history_tail.as_ref().unwrap().len(), 90);
        bundle.bundle_hash
    };
    assert_eq!(hash(&first), hash(&second));
}

#[tokio::test]
async fn a_horizon_beyond_the_calendar_assumes_no_holidays() {
    let app = trained_app().await;
    sqlx::query("delete from calendar where date > '2024-04-10'").execute(&app.pool).await.unwrap();
    let path = path_of(&app, json!({"model_type": "regression"})).await;
    let assumed = async |horizon| predict(&app, &path, horizon).await.json()["assumed_inputs"].clone();
    assert_eq!(assumed(11).await, json!(["price_factor", "promo_active"]));
    assert_eq!(assumed(12).await, json!(["price_factor", "promo_active", "is_holiday"]));
}

#[tokio::test]
async fn missing_days_by_policy() {
    let gap = "delete from sales_daily where date between '2024-03-25' and '2024-03-30'";
    for (policy, observations, first) in [("zero", 90, 0.0), ("skip", 84, 34.0)] {
        let app = TestApp::with(|config| config.forecast.missing_days = policy.parse().unwrap()).await;
        data::worked_series(&app.pool).await;
        sqlx::query(gap).execute(&app.pool).await.unwrap();
        let answer = train(&app, json!({"model_type": "naive"})).await.json();
        assert_eq!(
            (&answer["n_observations"], &answer["missing_days"]),
            (&json!(observations), &json!(policy))
        );
        let answer = predict(&app, answer["model_path"].as_str().unwrap(), 1).await;
        assert_eq!(answer.json()["missing_days"], policy);
        // Dated from the requested end, also when the last sale is older.
        assert_eq!(answer.json()["forecasts"][0]["date"], "2024-03-31");
        let last =
            sqlx::query_scalar::<_, i32>("select quantity from sales_daily order by date desc limit 1");
        let expected =
            if policy == "zero" { first } else { f64::from(last.fetch_one(&app.pool).await.unwrap()) };
        close(&points(&answer), &[expected]);
    }
    let app = TestApp::with(|config| config.forecast.missing_days = "error".parse().unwrap()).await;
    data::worked_series(&app.pool).await;
    assert_eq!(train(&app, json!({"model_type": "naive"})).await.status.as_u16(), 200);
    sqlx::query(gap).execute(&app.pool).await.unwrap();
    let problem = train(&app, json!({"model_type": "naive"})).await.problem(400, "bad-request");
    assert!(problem["detail"].as_str().unwrap().contains("2024-03-25"), "{problem}");
}

#[tokio::test]
async fn too_little_data() {
    let app = trained_app().await;
    let mut body = train_body(json!({"model_type": "naive"}));
    (body["store_id"], body["product_id"]) = (json!(2), json!(77));
    let problem = app.post("/forecasting/train", body).await.problem(400, "bad-request");
    for word in ["2", "77", "2024-01-01", "2024-03-30"] {
        assert!(problem["detail"].as_str().unwrap().contains(word), "{problem}");
    }
    for (config, need) in [
        (json!({"model_type": "seasonal_naive", "season_length": 365}), "365"),
        (json!({"model_type": "moving_average", "window_size": 90}), "90"),
    ] {
        let mut body = train_body(config);
        body["train_end_date"] = json!("2024-02-01");
        let problem = app.post("/forecasting/train", body).await.problem(400, "bad-request");
        assert!(problem["detail"].as_str().unwrap().contains(need), "{problem}");
    }
    for model in ["regression", "lightgbm"] {
        let mut body = train_body(json!({"model_type": model}));
        body["train_end_date"] = json!("2024-01-29");
        let problem = app.post("/forecasting/train", body.clone()).await.problem(400, "bad-request");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("30") && detail.contains("29"), "{detail}");
        body["train_end_date"] = json!("2024-01-30");
        assert_eq!(app.post("/forecasting/train", body).await.status.as_u16(), 200);
    }
}

#[tokio::test]
async fn a_window_of_millions_of_days_is_refused() {
    let app = trained_app().await;
    let mut body = train_body(json!({"model_type": "naive"}));
    body["train_end_date"] = json!("9999-12-31");
    let problem = app.post("/forecasting/train", body).await.problem(400, "bad-request");
    assert!(problem["detail"].as_str().unwrap().contains("9999-12-31"), "{problem}");
}

#[tokio::test]
async fn lightgbm_can_be_switched_off() {
    let app = TestApp::with(|config| config.forecast.enable_lightgbm = false).await;
    let problem = train(&app, json!({"model_type": "lightgbm"})).await.problem(400, "bad-request");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("lightgbm") && detail.contains("forecast_enable_lightgbm"), "{detail}");
}

#[tokio::test]
async fn training_bodies_that_do_not_fit() {
    let app = trained_app().await;
    let good = train_body(json!({"model_type": "naive"}));
    let with = |member: &str, value: Value| {
        let mut body = good.clone();
        body[member] = value;
        body
    };
    for (member, value, kind) in [
        ("store_id", json!("5"), "int_type"),
        ("store_id", json!(5.0), "int_type"),
        ("store_id", json!(true), "int_type"),
        ("store_id", json!(0), "greater_than_equal"),
        ("product_id", json!(2_147_483_648_i64), "less_than_equal"),
        ("product_id", json!(1e20), "less_than_equal"),
        ("train_start_date", json!("2024-01-01T01:00:00"), "date_from_datetime_inexact"),
        ("train_end_date", json!("2024-01-01"), "value_error"),
        ("train_end_date", json!("2023-01-01"), "value_error"),
        ("config", json!({}), "union_tag_not_found"),
        ("config", json!({"model_type": "magic"}), "union_tag_invalid"),
        ("config", json!("naive"), "dict_type"),
    ] {
        let answer = app.post("/forecasting/train", with(member, value.clone())).await;
        assert_eq!(answer.invalid(), [(member.to_owned(), kind.to_owned())], "{member} {value}");
    }
    for (config, field, kind) in [
        (json!({"model_type": "naive", "x": 1}), "config.naive.x", "extra_forbidden"),
        (
            json!({"model_type": "naive", "schema_version": "1"}),
            "config.naive.schema_version",
            "string_pattern_mismatch",
        ),
        (
            json!({"model_type": "seasonal_naive", "season_length": 0}),
            "config.seasonal_naive.season_length",
            "greater_than_equal",
        ),
        (
            json!({"model_type": "seasonal_naive", "season_length": 366}),
            "config.seasonal_naive.season_length",
            "less_than_equal",
        ),
        (
            json!({"model_type": "moving_average", "window_size": 7.5}),
            "config.moving_average.window_size",
            "int_from_float",
        ),
        (
            json!({"model_type": "regression", "learning_rate": "x"}),
            "config.regression.learning_rate",
            "float_parsing",
        ),
        (
            json!({"model_type": "lightgbm", "feature_config_hash": 1}),
            "config.lightgbm.feature_config_hash",
            "string_type",
        ),
        (json!({"model_type": "croston", "variant": "x"}), "config.croston.variant", "literal_error"),
        (json!({"model_type": "croston", "alpha": 0}), "config.croston.alpha", "greater_than_equal"),
        (json!({"model_type": "ets", "model": "AXN"}), "config.ets.model", "string_pattern_mismatch"),
        (json!({"model_type": "theta", "non_negative": "x"}), "config.theta.non_negative", "bool_parsing"),
        (
            json!({"model_type": "elastic_net", "l1_ratio": 2}),
            "config.elastic_net.l1_ratio",
            "less_than_equal",
        ),
    ] {
        let answer = train(&app, config.clone()).await;
        assert_eq!(answer.invalid(), [(field.to_owned(), kind.to_owned())], "{config}");
    }
    let all = app.post("/forecasting/train", json!({"unknown": 1})).await.invalid();
    let fields: Vec<&str> = all.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(fields, ["store_id", "product_id", "train_start_date", "train_end_date", "config"]);
    let lax = train(&app, json!({"model_type": "seasonal_naive", "season_length": "7.0"})).await.json();
    assert_eq!(lax["config_hash"], "a9baf055e83a554f");
}

#[tokio::test]
async fn prediction_checks_in_order() {
    let app = trained_app().await;
    let path = path_of(&app, json!({"model_type": "naive"})).await;
    let models = app.models.path().join("models");
    let missing = models.join("model_000000000000.rcm");
    std::fs::write(models.join("x.txt"), "x").unwrap();
    std::fs::write(app.models.path().join("outside.rcm"), "x").unwrap();
    let text = |path: &std::path::Path| path.to_str().unwrap().to_owned();
    predict(&app, &text(&models.join("x.txt")), 1).await.problem(400, "bad-request");
    predict(&app, "/etc/passwd", 1).await.problem(400, "bad-request");
    predict(&app, &text(&models.join("../outside.rcm")), 1).await.problem(400, "bad-request");
    predict(&app, &text(&missing), 1).await.problem(404, "not-found");
    for (member, value) in [("store_id", 2), ("product_id", 2)] {
        let mut body = json!({"store_id": 1, "product_id": 1, "horizon": 1, "model_path": path});
        body[member] = json!(value);
        let problem = app.post("/forecasting/predict", body).await.problem(400, "bad-request");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains('1') && detail.contains('2') && detail.contains(member), "{detail}");
    }
    for (horizon, kind) in
        [(json!(0), "greater_than_equal"), (json!(91), "less_than_equal"), (json!("7"), "int_type")]
    {
        let body = json!({"store_id": 1, "product_id": 1, "horizon": horizon, "model_path": path});
        assert_eq!(
            app.post("/forecasting/predict", body).await.invalid(),
            [("horizon".to_owned(), kind.to_owned())]
        );
    }
    let all = app.post("/forecasting/predict", json!({})).await.invalid();
    let fields: Vec<&str> = all.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(fields, ["store_id", "product_id", "horizon", "model_path"]);
    assert_eq!(points(&predict(&app, &path, 90).await).len(), 90);
}

#[tokio::test]
async fn a_damaged_model_file_is_told_from_one_of_another_format() {
    let app = trained_app().await;
    let path = path_of(&app, json!({"model_type": "naive"})).await;
    let good = std::fs::read(&path).unwrap();
    let mut damaged = good.clone();
    damaged[good.len() / 2] ^= 1;
    for bytes in [&damaged[..], &good[..good.len() - 1], b"", b"PK\x03\x04"] {
        std::fs::write(&path, bytes).unwrap();
        predict(&app, &path, 1).await.problem(500, "internal");
    }
    std::fs::write(&path, &good).unwrap();
    assert_eq!(predict(&app, &path, 1).await.status.as_u16(), 200);
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_an_internal_error() {
    let app =
        TestApp::with(|config| config.forecast.model_artifacts_dir = "/proc/retailcast".parse().unwrap())
            .await;
    data::worked_series(&app.pool).await;
    let answer = train(&app, json!({"model_type": "naive"})).await;
    answer.problem(500, "internal");
    assert!(!answer.text.contains("/proc"));
}

#[tokio::test]
async fn nothing_but_whole_models_is_left_in_the_folder() {
    let app = trained_app().await;
    for _ in 0..3 {
        path_of(&app, json!({"model_type": "naive"})).await;
    }
    let files: Vec<String> = std::fs::read_dir(app.models.path().join("models"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(files.len(), 3);
    let is_model = |name: &String| {
        name.strip_prefix("model_").is_some_and(|rest| rest.len() == "0123456789ab.rcm".len())
    };
    assert!(files.iter().all(is_model), "{files:?}");
}

#[tokio::test]
async fn a_promotion_of_another_store_or_product_changes_nothing() {
    let app = trained_app().await;
    let path = path_of(&app, json!({"model_type": "regression"})).await;
    let before = points(&predict(&app, &path, 7).await);
    sqlx::query(
        "insert into promotion (product_id, store_id, name, start_date, end_date)
         values (1, 2, 'other store', '2024-03-31', '2024-04-06'), (2, 1, 'other product', '2024-03-31', '2024-04-06')",
    )
    .execute(&app.pool)
    .await
    .unwrap();
    assert_eq!(points(&predict(&app, &path, 7).await), before);
}
