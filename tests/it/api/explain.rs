//! `/explain/*`.

use serde_json::{Value, json};

use crate::support::app::TestApp;

const WORKED: [i32; 14] = [4, 6, 5, 7, 3, 8, 9, 5, 6, 7, 4, 6, 10, 12];

/// The contract's example in store 1, product 1: 14 rows ending 2026-03-14.
async fn worked() -> TestApp {
    let app = TestApp::working().await;
    for statement in [
        "insert into store (code, name) values ('S1', 'One')",
        "insert into product (sku, name) values ('P1', 'One')",
        "insert into calendar (date, day_of_week, month, quarter, year)
         select day, extract(isodow from day)::int - 1, extract(month from day)::int,
                extract(quarter from day)::int, extract(year from day)::int
         from generate_series('2025-12-01'::date, '2026-12-31', '1 day') as day",
    ] {
        sqlx::query(statement).execute(&app.pool).await.unwrap();
    }
    for (i, quantity) in WORKED.into_iter().enumerate() {
        sqlx::query(
            "insert into sales_daily (store_id, product_id, date, quantity, unit_price, total_amount)
             values (1, 1, '2026-03-01'::date + $1, $2, 2.50, 0)",
        )
        .bind(i as i32)
        .bind(quantity)
        .execute(&app.pool)
        .await
        .unwrap();
    }
    app
}

fn body(model_type: &str) -> Value {
    json!({"store_id": 1, "product_id": 1, "model_type": model_type, "as_of_date": "2026-03-14"})
}

async fn kept(app: &TestApp) -> i64 {
    sqlx::query_scalar("select count(*) from forecast_explanation").fetch_one(&app.pool).await.unwrap()
}

#[tokio::test]
async fn the_contract_s_examples_to_the_number() {
    let app = worked().await;
    sqlx::query("insert into promotion (product_id, store_id, name, start_date, end_date)
                 values (1, null, 'spring', '2026-03-10', '2026-03-20')")
        .execute(&app.pool)
        .await
        .unwrap();
    let found = app.post("/explain/forecast", body("moving_average")).await.json();
    insta::assert_json_snapshot!("moving_average", found, {".generated_at" => "[time]"});
    let naive = app.post("/explain/forecast", body("naive")).await.json();
    assert_eq!(naive["forecast_value"], 12.0);
    assert_eq!(naive["drivers"][1]["name"], "recent_trend");
    assert!((naive["drivers"][1]["feature_value"].as_f64().unwrap() - 1.142_857_142_857_143_2).abs() < 1e-12);
    assert_eq!(app.post("/explain/forecast", body("seasonal_naive")).await.json()["forecast_value"], 5.0);
    assert_eq!(kept(&app).await, 3);
}

#[tokio::test]
async fn every_signal_fires_where_it_should() {
    let app = worked().await;
    for statement in [
        "insert into inventory_snapshot_daily (store_id, product_id, date, on_hand_qty, is_stockout)
         values (1, 1, '2026-02-12', 0, true), (1, 1, '2026-03-01', 5, false), (1, 1, '2026-02-11', 0, true),
                (1, 1, '2026-03-15', 0, true)",
        "update product set launch_date = '2026-02-20' where id = 1",
        "update calendar set is_holiday = true, holiday_name = 'Ides' where date = '2026-03-15'",
    ] {
        sqlx::query(statement).execute(&app.pool).await.unwrap();
    }
    let found = app.post("/explain/forecast", json!({
        "store_id": 1, "product_id": 1, "model_type": "seasonal_naive", "as_of_date": "2026-03-14", "season_length": 10,
        "window_size": 3})).await.json();
    let codes: Vec<&str> =
        found["reason_codes"].as_array().unwrap().iter().map(|reason| reason["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["stockout_constrained", "lifecycle_decay", "holiday_effect", "insufficient_history"]);
    assert_eq!(found["caveats"].as_array().unwrap().len(), 4);
    assert!(found["caveats"][0].as_str().unwrap().contains("causality"));
    assert_eq!(found["confidence"], "low");
    let detail = found["reason_codes"][0]["detail"].as_str().unwrap();
    assert!(detail.contains('1') && detail.contains('2'), "one of two snapshots: {detail}");
}

#[tokio::test]
async fn what_cannot_be_explained_gets_the_contract_s_answer() {
    let app = worked().await;
    for model in ["lightgbm", "regression", "ets"] {
        let problem = app.post("/explain/forecast", body(model)).await.problem(400, "bad-request");
        assert!(problem["detail"].as_str().unwrap().contains("baseline models only"), "{problem}");
    }
    assert_eq!(app.post("/explain/forecast", body("prophecy")).await.invalid()[0].0, "model_type");
    // Other errors of the body come first.
    let mut both = body("lightgbm");
    both["store_id"] = json!("1");
    assert_eq!(app.post("/explain/forecast", both).await.invalid()[0].0, "store_id");
    for (member, value) in [
        ("store_id", json!(0)),
        ("store_id", json!(7.0)),
        ("product_id", json!(true)),
        ("as_of_date", json!("2026-3-14")),
        ("season_length", json!(366)),
        ("window_size", json!(91)),
        ("window_size", json!(0)),
    ] {
        let mut bad = body("naive");
        bad[member] = value;
        assert_eq!(app.post("/explain/forecast", bad).await.invalid()[0].0, member);
    }
    let mut unknown = body("naive");
    unknown["product_id"] = json!(99);
    let problem = app.post("/explain/forecast", unknown).await.problem(400, "bad-request");
    assert!(problem["detail"].as_str().unwrap().contains("empty"), "{problem}");
    let mut short = body("moving_average");
    short["window_size"] = json!(20);
    let problem = app.post("/explain/forecast", short).await.problem(400, "bad-request");
    assert!(problem["detail"].as_str().unwrap().contains("at least 20"), "{problem}");
    let mut far = body("naive");
    far["as_of_date"] = json!("2926-03-14");
    app.post("/explain/forecast", far).await.problem(400, "bad-request");
    assert_eq!(kept(&app).await, 0, "failed requests leave nothing");
}

#[tokio::test]
async fn days_without_a_row_are_zero_and_a_later_row_has_no_part() {
    let app = worked().await;
    let mut later = body("naive");
    later["as_of_date"] = json!("2026-03-16");
    assert_eq!(app.post("/explain/forecast", later).await.json()["forecast_value"], 0.0);
    let mut earlier = body("naive");
    earlier["as_of_date"] = json!("2026-03-07");
    let found = app.post("/explain/forecast", earlier).await.json();
    assert_eq!((&found["forecast_value"], &found["confidence"]), (&json!(9.0), &json!("low")));
    assert_eq!(found["drivers"].as_array().unwrap().len(), 1);
}

async fn run(app: &TestApp, model_type: &str, config: Value) -> String {
    let made = app.post("/registry/runs", json!({
        "model_type": model_type, "model_config": config, "data_window_start": "2026-03-01",
        "data_window_end": "2026-03-14", "store_id": 1, "product_id": 1})).await.json();
    made["run_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_registered_run_is_explained_in_whatever_state() {
    let app = worked().await;
    for (config, expected) in [
        (json!({"season_length": 2}), 10.0),
        (json!({"season_length": null}), 5.0),
        (json!({"season_length": 0}), 5.0),
        (json!({"season_length": "2"}), 5.0),
    ] {
        let run_id = run(&app, "seasonal_naive", config.clone()).await;
        let found = app.get(&format!("/explain/runs/{run_id}")).await.json();
        assert_eq!(found["forecast_value"], expected, "{config}");
        assert_eq!(found["as_of_date"], "2026-03-14");
    }
    let stored: i64 = sqlx::query_scalar("select count(*) from forecast_explanation where run_id is not null")
        .fetch_one(&app.pool)
        .await
        .unwrap();
    assert_eq!(stored, 4);
    for (model, config) in [
        ("seasonal_naive", json!({"season_length": -3})),
        ("moving_average", json!({"window_size": 40})),
        ("lightgbm", json!({})),
        ("prophecy", json!({})),
    ] {
        let run_id = run(&app, model, config).await;
        app.get(&format!("/explain/runs/{run_id}")).await.problem(400, "bad-request");
    }
    app.get("/explain/runs/0123456789abcdef0123456789abcdef").await.problem(404, "not-found");
    app.get("/explain/runs/..%2f..").await.problem(404, "not-found");
}

#[tokio::test]
async fn a_predict_job_is_explained_with_the_season_of_its_model() {
    let app = worked().await;
    let train = app.job("train", &json!({
        "model_type": "seasonal_naive", "store_id": 1, "product_id": 1, "start_date": "2026-03-01",
        "end_date": "2026-03-14", "season_length": 2})).await;
    let predict = app.job("predict", &json!({"run_id": train["run_id"], "horizon": 3})).await;
    assert_eq!(predict["status"], "completed", "{predict}");
    let path = format!("/explain/jobs/{}", predict["job_id"].as_str().unwrap());
    let found = app.get(&path).await.json();
    assert_eq!(found["forecast_value"], predict["result"]["forecasts"][0]["forecast"]);
    assert_eq!(found["as_of_date"], "2026-03-14");
    // Without the file a week is assumed.
    std::fs::remove_dir_all(app.models.path().join("models")).unwrap();
    assert_eq!(app.get(&path).await.json()["forecast_value"], 5.0);

    let other = format!("/explain/jobs/{}", train["job_id"].as_str().unwrap());
    let problem = app.get(&other).await.problem(400, "bad-request");
    assert!(problem["detail"].as_str().unwrap().contains("completed predict job"), "{problem}");
    app.get("/explain/jobs/nothing").await.problem(404, "not-found");
}
