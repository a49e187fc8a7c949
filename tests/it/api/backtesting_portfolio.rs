//! `POST /backtesting/portfolio`.

use axum::body::Body;
use axum::http::Request;
use futures::StreamExt;
use http_body_util::BodyExt;
use polars::prelude::{ParquetReader, SerReader};
use retailcast::config::Config;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::support::app::{Answer, TestApp};
use crate::support::data;

const PATH: &str = "/backtesting/portfolio";

/// Four series: 70 days of each pair of the shop, but the last, which begins on the 50th.
async fn shop_with(change: impl FnOnce(&mut Config)) -> TestApp {
    let app = TestApp::with(change).await;
    data::shop(&app.pool).await;
    sqlx::query(
        "insert into sales_daily (store_id, product_id, date, quantity, unit_price, total_amount)
         select s, p, '2024-01-01'::date + i, 10 * s + p + 3 * (i % 7) + (5 * i + s) % 4, 2.50, 0
         from generate_series(0, 69) as i, generate_series(1, 2) as s, generate_series(1, 2) as p
         where s * p < 4 or i >= 50",
    )
    .execute(&app.pool)
    .await
    .unwrap();
    app
}

async fn shop() -> TestApp {
    shop_with(|_| {}).await
}

fn order(change: &Value) -> Value {
    let mut order = json!({"models": [{"model_type": "naive"}, {"model_type": "seasonal_naive"}],
                           "windows": {"n_windows": 3, "horizon": 8, "step_days": 7}});
    order.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    order
}

async fn send(app: &TestApp, accept: &str, body: &Value) -> Answer {
    app.send(request(accept, body)).await
}

fn request(accept: &str, body: &Value) -> Request<Body> {
    let request = Request::post(PATH).header("content-type", "application/json").header("accept", accept);
    request.body(Body::from(body.to_string())).unwrap()
}

#[tokio::test]
async fn the_shape_of_the_answer() {
    let app = shop().await;
    let answer = app.post(PATH, order(&json!({"stores": ["BER-01"]}))).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
    insta::assert_json_snapshot!("portfolio", answer.json(), {
        ".backtest_id" => "[id]", ".duration_ms" => "[milliseconds]", ".leaderboard[].seconds" => "[seconds]",
    });
}

/// What the answer must say of a model on these series, recomputed from the definition.
fn wape(quantity: impl Fn(i64) -> f64, forecast: impl Fn(i64, i64) -> i64) -> (f64, f64) {
    let (mut error, mut sold) = (0.0, 0.0);
    // Origins 47, 54 and 61: the last window ends with day 69.
    for origin in [47, 54, 61] {
        for step in 1..=8 {
            let actual = quantity(origin + step);
            error += (actual - quantity(forecast(origin, step))).abs();
            sold += actual;
        }
    }
    (error, sold)
}

#[tokio::test]
async fn errors_are_pooled_over_series_and_windows() {
    let app = shop().await;
    let answer = app.post(PATH, order(&json!({"stores": ["BER-01"]}))).await.json();
    let found = |model: &str, key: Option<&str>| {
        let rows = match key {
            None => &answer["leaderboard"],
            Some(key) => {
                let group = answer["by_store"].as_array().unwrap().iter().find(|group| group["key"] == key);
                &group.unwrap()["models"]
            }
        };
        let row = rows.as_array().unwrap().iter().find(|row| row["model"] == model).unwrap();
        row["metrics"]["wape"].as_f64().unwrap()
    };
    let quantity = |p: i64| move |i: i64| (10 + p + 3 * (i % 7) + (5 * i + 1) % 4) as f64;
    let naive = [wape(quantity(1), |o, _| o), wape(quantity(2), |o, _| o)];
    let seasonal = [1, 2].map(|p| wape(quantity(p), |o, step| o - 6 + (step - 1) % 7));
    for (model, parts) in [("naive", naive), ("seasonal_naive", seasonal)] {
        let expected = 100.0 * (parts[0].0 + parts[1].0) / (parts[0].1 + parts[1].1);
        assert!((found(model, None) - expected).abs() < 1e-9, "{model}");
        assert!((found(model, Some("BER-01")) - expected).abs() < 1e-9, "{model}");
    }
    assert_eq!(answer["leaderboard"][0]["model"], "seasonal_naive");
    let ahead: Vec<&str> =
        answer["by_horizon"].as_array().unwrap().iter().map(|group| group["key"].as_str().unwrap()).collect();
    assert_eq!(ahead, ["h_1_7", "h_8_14"]);
}

#[tokio::test]
async fn a_series_that_is_too_short_does_not_stop_the_others() {
    let app = shop().await;
    let models = json!([{"model_type": "seasonal_naive", "season_length": 14}, {"model_type": "regression"}]);
    let answer = app.post(PATH, order(&json!({"models": models}))).await.json();
    let short = answer["series"].as_array().unwrap().last().unwrap();
    assert_eq!((&short["store_code"], &short["sku"]), (&json!("BER-02"), &json!("TEA-500")));
    let of = |model: &str| short["models"].as_array().unwrap().iter().find(|m| m["model"] == model).unwrap();
    let seasonal = of("seasonal_naive,season_length=14");
    // Day 50 to 61 are twelve: too few; with the other windows it is worse.
    assert_eq!((&seasonal["status"], &seasonal["windows_scored"]), (&json!("failed"), &json!(0)));
    assert!(seasonal["reason"].as_str().unwrap().contains("at least 14"), "{seasonal}");
    assert_eq!(of("regression")["status"], "failed");
    let row = &answer["leaderboard"][0];
    assert_eq!((&row["series_complete"], &row["series_failed"]), (&json!(3), &json!(1)));
    // Nothing can be forecast at all: that is a refusal, with the reason.
    let body = order(&json!({"models": models, "stores": ["BER-02"], "skus": ["TEA-500"]}));
    let problem = app.post(PATH, body).await.problem(400, "bad-request");
    assert!(problem["detail"].as_str().unwrap().contains("at least"), "{problem}");
}

#[tokio::test]
async fn a_later_sale_changes_no_forecast() {
    let app = shop().await;
    let models =
        json!([{"model_type": "moving_average"}, {"model_type": "regression"}, {"model_type": "lightgbm"}]);
    let body =
        order(&json!({"models": models, "stores": ["BER-01"], "windows": {"n_windows": 1, "horizon": 8}}));
    let forecasts = async || {
        let lines = send(&app, "text/csv", &body).await.text;
        // All but the last column: what was sold. Models stand in the order of their errors, which do change.
        let mut lines: Vec<String> =
            lines.lines().map(|line| line.rsplit_once(',').unwrap().0.to_owned()).collect();
        lines.sort();
        lines
    };
    let before = forecasts().await;
    assert_eq!(before.len(), 1 + 3 * 2 * 8);
    sqlx::query("update sales_daily set quantity = 1000 + quantity where date > '2024-01-01'::date + 61")
        .execute(&app.pool)
        .await
        .unwrap();
    assert_eq!(forecasts().await, before);
}

#[tokio::test]
async fn a_sliding_window_forgets() {
    let app = shop().await;
    let body = |train: Value| {
        order(&json!({"models": [{"model_type": "moving_average", "window_size": 20}], "stores": ["BER-01"],
                      "windows": {"n_windows": 1, "horizon": 8, "train_days": train}}))
    };
    let problem = app.post(PATH, body(json!(10))).await.problem(400, "bad-request");
    assert!(problem["detail"].as_str().unwrap().contains("found 10"), "{problem}");
    let answer = app.post(PATH, body(json!(20))).await.json();
    assert_eq!(answer["windows"][0]["train_start"], "2024-02-12");
    assert_eq!(answer["leaderboard"][0]["series_complete"], 2);
}

#[tokio::test]
async fn forecasts_as_csv_and_parquet() {
    let app = shop().await;
    let body = order(&json!({"stores": ["BER-01"], "skus": ["TEA-250"]}));
    let answer = send(&app, "text/csv", &body).await;
    assert!(answer.header("content-type").starts_with("text/csv"));
    let lines: Vec<&str> = answer.text.lines().collect();
    assert_eq!(lines[0], "store_code,sku,model,window,train_end,date,step,forecast,actual");
    assert_eq!(lines.len(), 1 + 2 * 3 * 8);
    let naive: Vec<&&str> = lines.iter().filter(|line| line.contains(",naive,0,")).collect();
    // Day 47 sells 11 + 3 x 5 + 0, day 48 11 + 3 x 6 + 1.
    assert_eq!(*naive[0], "BER-01,TEA-250,naive,0,2024-02-17,2024-02-18,1,26,30");

    let response =
        app.router.clone().oneshot(request("application/vnd.apache.parquet", &body)).await.unwrap();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let frame = ParquetReader::new(std::io::Cursor::new(bytes)).finish().unwrap();
    assert_eq!((frame.height(), frame.width()), (48, 9));
}

#[tokio::test]
async fn events_tell_how_far_it_is() {
    let app = shop().await;
    let text = send(&app, "text/event-stream", &order(&json!({}))).await.text;
    let events: Vec<(&str, Value)> = text
        .split("\n\n")
        .filter(|event| event.starts_with("event: "))
        .map(|event| {
            let (name, data) = event.split_once('\n').unwrap();
            let data = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
            (name.strip_prefix("event: ").unwrap(), data)
        })
        .collect();
    let (last, before) = events.split_last().unwrap();
    assert_eq!((last.0, last.1["series_count"].as_u64()), ("result", Some(4)));
    assert!(before.len() >= 2 && before.iter().all(|(name, _)| *name == "progress"), "{text}");
    let done = before.iter().rfind(|(_, data)| data["model"] == "naive").unwrap();
    assert_eq!((&done.1["series_done"], &done.1["series"]), (&json!(4), &json!(4)));

    let nothing = send(&app, "text/event-stream", &order(&json!({"stores": ["BER-99"]}))).await.text;
    assert!(
        nothing.starts_with("event: error\ndata: {") && nothing.contains("/errors/bad-request"),
        "{nothing}"
    );
}

#[tokio::test]
async fn a_stream_that_is_dropped_ends_the_work() {
    let app = shop().await;
    let body = order(&json!({"models": [{"model_type": "regression", "max_iter": 900}]}));
    let response = app.router.clone().oneshot(request("text/event-stream", &body)).await.unwrap();
    let mut stream = response.into_body().into_data_stream();
    stream.next().await.unwrap().unwrap();
    let started = std::time::Instant::now();
    drop(stream);
    // The only thread is free for others at once.
    let next = app.post(PATH, order(&json!({"stores": ["BER-01"]}))).await;
    assert_eq!(next.status.as_u16(), 200);
    assert!(started.elapsed() < std::time::Duration::from_secs(5), "{:?}", started.elapsed());
}

#[tokio::test]
async fn what_is_refused() {
    let app = shop_with(|config| config.backtest.max_portfolio_points = 100).await;
    let problem = app.post(PATH, order(&json!({}))).await.problem(400, "bad-request");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("192 forecasts") && detail.contains("backtest.max_portfolio_points"), "{detail}");
    let nothing = app.post(PATH, order(&json!({"categories": ["none"]}))).await;
    assert!(nothing.problem(400, "bad-request")["detail"].as_str().unwrap().contains("no series"));
    for (change, field, kind) in [
        (json!({"models": []}), "models", "too_short"),
        (json!({"models": [{"model_type": "magic"}]}), "models.0", "union_tag_invalid"),
        (json!({"models": [{"model_type": "naive"}, {"model_type": "naive"}]}), "models.1", "value_error"),
        (json!({"stores": "BER-01"}), "stores", "list_type"),
        (json!({"skus": [""]}), "skus.0", "string_too_short"),
        (json!({"windows": {"n_windows": 0}}), "windows.n_windows", "greater_than_equal"),
        (json!({"windows": {"horizon": 91}}), "windows.horizon", "less_than_equal"),
        (json!({"windows": {"n_windows": 100, "horizon": 90}}), "windows.n_windows", "value_error"),
        (json!({"windows": {"folds": 3}}), "windows.folds", "extra_forbidden"),
        (json!({"levels": [80, 80]}), "levels.1", "value_error"),
        (json!({"levels": [100]}), "levels.0", "less_than_equal"),
        (json!({"end_date": "soon"}), "end_date", "date_from_datetime_parsing"),
        (json!({"horizon": 14}), "horizon", "extra_forbidden"),
    ] {
        let answer = app.post(PATH, order(&change)).await;
        assert_eq!(answer.invalid(), [(field.to_owned(), kind.to_owned())], "{change}");
    }
}
