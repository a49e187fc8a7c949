//! `POST /featuresets/compute` and `/preview`. Contract: `featuresets.md`. Computed again in SQL: `featuresets_oracle`.

use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::app::{Answer, TestApp};
use crate::support::data;

async fn app() -> TestApp {
    let app = TestApp::new().await;
    data::worked_series(&app.pool).await;
    app
}

async fn run(pool: &PgPool, sql: &'static str) {
    sqlx::query(sql).execute(pool).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
}

/// The worked series up to its last day.
fn body(config: Value) -> Value {
    json!({"store_id": 1, "product_id": 1, "cutoff_date": "2024-03-30", "config": config})
}

async fn compute(app: &TestApp, config: Value) -> Answer {
    app.post("/featuresets/compute", body(config)).await
}

fn every_family() -> Value {
    json!({
        "name": "everything", "description": "all families", "lag_config": {"lags": [1, 7]},
        "rolling_config": {"windows": [7], "aggregations": ["mean", "std", "min", "max", "sum"]},
        "calendar_config": {"include_year": true}, "exogenous_config": {"price_lags": [7]}, "lifecycle_config": {},
        "replenishment_config": {}, "promotion_config": {"kinds_to_track": ["pct_off", "markdown"]},
        "imputation_config": {}
    })
}

/// Stock, deliveries, discounts and an end beside the worked series.
async fn surroundings(pool: &PgPool) {
    for statement in [
        "insert into inventory_snapshot_daily (store_id, product_id, date, on_hand_qty, is_stockout)
         select 1, 1, '2024-03-01'::date + i, i % 3, i % 3 = 0 from generate_series(0, 27) as i",
        "insert into replenishment_event (date, store_id, product_id, lead_time_days, ordered_qty, received_qty)
         values ('2024-03-20', 1, 1, 3, 10, 10), ('2024-03-20', 1, 1, 3, 10, 9), ('2024-03-20', 2, 1, 3, 10, 10)",
        "insert into promotion (product_id, store_id, name, kind, discount_pct, start_date, end_date)
         values (1, 1, 'clearance', 'markdown', 0.3, '2024-03-28', '2024-06-30'),
                (1, null, 'clearance', 'markdown', 0.25, '2024-03-28', '2024-03-29'),
                (1, 2, 'elsewhere', 'markdown', 0.9, '2024-03-01', '2024-03-30')",
        "update product set discontinue_date = '2024-06-30' where id = 1",
    ] {
        run(pool, statement).await;
    }
}

#[tokio::test]
async fn the_shape_of_both_answers() {
    let app = app().await;
    surroundings(&app.pool).await;
    let mut request = body(every_family());
    request["sample_rows"] = json!(2);
    let preview = app.post("/featuresets/preview", request).await;
    assert_eq!(preview.status.as_u16(), 200, "{}", preview.text);
    assert_eq!(preview.header("content-type"), "application/json");
    insta::assert_json_snapshot!("preview", preview.json(), {".duration_ms" => "[milliseconds]"});

    let mut request = body(json!({"name": "demo", "lag_config": {"lags": [1, 7]}}));
    request["lookback_days"] = json!(1);
    let computed = app.post("/featuresets/compute", request).await;
    insta::assert_json_snapshot!("compute", computed.json(), {".duration_ms" => "[milliseconds]"});
    let milliseconds = computed.json()["duration_ms"].as_f64().unwrap();
    assert!((milliseconds * 100.0 - (milliseconds * 100.0).round()).abs() < 1e-6, "{milliseconds}");
}

#[tokio::test]
async fn a_preview_is_the_end_of_a_year_of_features() {
    let app = app().await;
    run(
        &app.pool,
        "insert into sales_daily (store_id, product_id, date, quantity, unit_price, total_amount)
         select 1, 1, '2023-01-01'::date + i, i % 9, 2, 0 from generate_series(0, 364) as i",
    )
    .await;
    let mut year = body(every_family());
    year["lookback_days"] = json!(365);
    let computed = app.post("/featuresets/compute", year).await.json();
    assert_eq!(computed["row_count"], 366);
    for (samples, rows) in [(None, 10), (Some(1), 1), (Some(100), 100)] {
        let mut request = body(every_family());
        if let Some(samples) = samples {
            request["sample_rows"] = json!(samples);
        }
        let preview = app.post("/featuresets/preview", request).await.json();
        assert_eq!(preview["row_count"], rows);
        let all = computed["rows"].as_array().unwrap();
        assert_eq!(preview["rows"].as_array().unwrap()[..], all[all.len() - rows..]);
        for member in ["null_counts", "feature_columns", "config_hash", "missing_days", "cutoff_date"] {
            assert_eq!(preview[member], computed[member], "{member}");
        }
    }
    // Shorter than what is asked for.
    let mut request = body(json!({"name": "x"}));
    (request["cutoff_date"], request["sample_rows"]) = (json!("2023-01-05"), json!(50));
    let preview = app.post("/featuresets/preview", request).await.json();
    assert_eq!((&preview["row_count"], &preview["rows"][0]["date"]), (&json!(5), &json!("2023-01-01")));
}

#[tokio::test]
async fn the_worked_values_of_the_contract() {
    let app = app().await;
    let answer = compute(
        &app,
        json!({"name": "worked", "lag_config": {"lags": [1, 7]}, "rolling_config": {"windows": [7]},
               "exogenous_config": {"price_lags": []}}),
    )
    .await
    .json();
    let columns = ["lag_1", "lag_7", "rolling_mean_7", "rolling_std_7", "price_pct_change_7d"];
    assert_eq!(answer["feature_columns"], json!(columns));
    for (row, expected) in [
        (6, [Some(47.0), None, None, None, None]),
        (7, [Some(42.0), Some(20.0), Some(34.714_285_714_285_715), Some(9.123_491_395_189_41), None]),
        (8, [Some(29.0), Some(28.0), Some(36.0), Some(7.118_052_168_020_874), Some(0.25)]),
        (9, [Some(24.0), Some(36.0), Some(35.428_571_428_571_43), Some(7.976_154_939_508_61), Some(0.0)]),
    ] {
        for (column, expected) in columns.iter().zip(expected) {
            let found = &answer["rows"][row]["features"][column];
            assert!(found.is_f64() || found.is_null(), "{found}");
            let found = found.as_f64();
            assert_eq!(found.is_some(), expected.is_some(), "row {row}, {column}");
            assert!((found.unwrap_or(0.0) - expected.unwrap_or(0.0)).abs() <= 1e-9, "row {row}, {column}");
        }
    }
    assert_eq!(answer["null_counts"]["rolling_std_7"], 7);
}

#[tokio::test]
async fn integers_are_written_as_integers_and_floats_as_floats() {
    let app = app().await;
    surroundings(&app.pool).await;
    let mut config = every_family();
    config["calendar_config"] = json!({"include_year": true, "use_cyclical_encoding": false});
    let answer = compute(&app, config).await;
    let rows = answer.json()["rows"].as_array().unwrap().clone();
    let (row, last) = (&rows[88]["features"], &rows[89]["features"]);
    let integers = [
        "day_of_week",
        "month",
        "quarter",
        "year",
        "is_weekend",
        "is_month_end",
        "is_holiday",
        "stockout_lag_1",
        "promo_markdown_active_lag1",
        "promo_pct_off_active_lag1",
        "replenishment_count_w14_lag1",
    ];
    for (name, value) in row.as_object().unwrap() {
        assert_eq!(value.is_i64(), integers.contains(&name.as_str()), "{name}: {value}");
    }
    // The snapshot of the day before is missing; the discount of the day before is the largest of the two.
    assert_eq!(last["stockout_lag_1"], Value::Null);
    assert_eq!(last["promo_markdown_intensity_lag1"], 0.3);
    assert_eq!(last["replenishment_count_w14_lag1"], 2);
    assert_eq!(last["days_since_last_replenishment_lag1"], 9.0);
    assert_eq!(last["days_since_discontinue_lag1"], -93.0);
}

#[tokio::test]
async fn without_families_there_are_rows_without_features() {
    let app = app().await;
    let answer =
        compute(&app, json!({"name": "x", "lag_config": null, "imputation_config": null})).await.json();
    assert_eq!(answer["feature_columns"], json!([]));
    assert_eq!(answer["null_counts"], json!({}));
    assert_eq!((&answer["rows"][0]["features"], &answer["row_count"]), (&json!({}), &json!(90)));
}

#[tokio::test]
async fn hashes_leave_nulls_out_and_keep_the_submitted_order() {
    let app = app().await;
    let hash = async |config: Value| compute(&app, config).await.json()["config_hash"].clone();
    assert_eq!(hash(json!({"name": "x"})).await, "6c12b1a783eccdd4");
    assert_eq!(hash(json!({"name": "x", "description": null, "lag_config": null})).await, "6c12b1a783eccdd4");
    assert_eq!(hash(json!({"name": "café"})).await, "23c158554b06176d");
    let demo = json!({"name": "demo", "lag_config": {"lags": [1, 7]}});
    assert_eq!(hash(demo).await, "f0590d2c30c07fb9");
    // Keys in any order, numbers in any form.
    let lax = json!({"lag_config": {"lags": ["1", 7.0], "fill_value": null, "schema_version": "1.0"}, "name": "demo"});
    assert_eq!(hash(lax).await, "f0590d2c30c07fb9");
    assert_ne!(hash(json!({"name": "demo", "lag_config": {"lags": [7, 1]}})).await, "f0590d2c30c07fb9");
    // The text of everything, with its defaults, hashed by other means.
    assert_eq!(hash(every_family()).await, "486d240162a9b82e");
    let strategies =
        |text: &str| format!(r#"{{"name": "x", "imputation_config": {{"strategies": {text}}}}}"#);
    let of = async |text: &str| hash(serde_json::from_str(&strategies(text)).unwrap()).await;
    assert_ne!(
        of(r#"{"quantity": "zero", "unit_price": "ffill"}"#).await,
        of(r#"{"unit_price": "ffill", "quantity": "zero"}"#).await
    );
}

#[tokio::test]
async fn what_lies_after_the_cutoff_or_before_the_window_does_not_exist() {
    let app = app().await;
    surroundings(&app.pool).await;
    let request = json!({"store_id": 1, "product_id": 1, "cutoff_date": "2024-03-10", "lookback_days": 30,
                         "config": every_family()});
    let rows = async || app.post("/featuresets/compute", request.clone()).await.json()["rows"].clone();
    let before = rows().await;
    assert_eq!(before.as_array().unwrap().len(), 31);
    assert_eq!((&before[0]["date"], &before[30]["date"]), (&json!("2024-02-09"), &json!("2024-03-10")));
    assert_eq!(before[0]["features"]["lag_1"], Value::Null);
    for statement in [
        "update sales_daily set quantity = 999, unit_price = 99 where date > '2024-03-10' or date < '2024-02-09'",
        "delete from sales_daily where date > '2024-03-15'",
        "insert into sales_daily (store_id, product_id, date, quantity, unit_price, total_amount)
         select 1, 1, '2024-06-01'::date + i, 7, 7, 7 from generate_series(0, 30) as i",
        "update inventory_snapshot_daily set is_stockout = not is_stockout where date > '2024-03-10'",
        "delete from replenishment_event where date > '2024-03-10'",
        "insert into replenishment_event (date, store_id, product_id, lead_time_days, ordered_qty, received_qty)
         values ('2024-03-11', 1, 1, 1, 1, 1)",
        "delete from promotion where start_date > '2024-03-10'",
        "insert into promotion (product_id, name, kind, discount_pct, start_date, end_date)
         values (1, 'later', 'markdown', 0.5, '2024-03-11', '2024-12-31')",
        "update calendar set is_holiday = true where date > '2024-03-10'",
    ] {
        run(&app.pool, statement).await;
        assert_eq!(rows().await, before, "{statement}");
    }
    // A delivery before the window is the newest one of its first rows.
    run(
        &app.pool,
        "insert into replenishment_event (date, store_id, product_id, lead_time_days, ordered_qty, received_qty)
         values ('2023-03-01', 1, 1, 1, 1, 1), ('2024-02-01', 1, 1, 1, 1, 1)",
    )
    .await;
    let features = &rows().await[1]["features"];
    assert_eq!(features["days_since_last_replenishment_lag1"], 8.0);
    assert_eq!(features["replenishment_count_w14_lag1"], 0);
}

#[tokio::test]
async fn missing_days_by_policy() {
    let request = json!({"store_id": 1, "product_id": 1, "cutoff_date": "2024-03-30", "lookback_days": 9, "config":
        {"name": "x", "lag_config": {"lags": [1]}, "exogenous_config": {"price_lags": [1], "include_price_change": false}}});
    let gap =
        "delete from sales_daily where date in ('2024-03-21', '2024-03-24', '2024-03-25', '2024-03-30')";
    let of_policy = async |policy: &str| {
        let app = TestApp::with(|config| config.forecast.missing_days = policy.parse().unwrap()).await;
        data::worked_series(&app.pool).await;
        run(&app.pool, gap).await;
        app
    };
    let column = |answer: &Value, name: &str| -> Vec<Value> {
        answer["rows"].as_array().unwrap().iter().map(|row| row["features"][name].clone()).collect()
    };

    let app = of_policy("zero").await;
    let answer = app.post("/featuresets/compute", request.clone()).await.json();
    // From the first row in the window, which has no row on its first day, to the cutoff.
    assert_eq!((&answer["missing_days"], &answer["row_count"]), (&json!("zero"), &json!(9)));
    assert_eq!(
        (&answer["rows"][0]["date"], &answer["rows"][8]["date"]),
        (&json!("2024-03-22"), &json!("2024-03-30"))
    );
    let lags = json!([null, 34.0, 42.0, 0.0, 0.0, 32.0, 27.0, 35.0, 43.0]);
    assert_eq!(json!(column(&answer, "lag_1")), lags);
    assert_eq!(
        json!(column(&answer, "price_lag_1")),
        json!([null, 10.0, 10.0, null, null, 10.0, 10.0, 10.0, 10.0])
    );
    let mut imputed = request.clone();
    imputed["config"]["imputation_config"] = json!({});
    let answer = app.post("/featuresets/compute", imputed.clone()).await.json();
    assert_eq!(column(&answer, "price_lag_1")[3..5], [10.0, 10.0]);
    imputed["config"]["imputation_config"] = json!({"strategies": {"unit_price": "drop"}});
    let dropped = app.post("/featuresets/compute", imputed).await.json();

    let app = of_policy("skip").await;
    let answer = app.post("/featuresets/compute", request.clone()).await.json();
    assert_eq!((&answer["missing_days"], &answer["row_count"]), (&json!("skip"), &json!(6)));
    assert_eq!(answer["rows"], dropped["rows"]);

    let app = of_policy("error").await;
    let problem = app.post("/featuresets/compute", request.clone()).await.problem(400, "bad-request");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("2024-03-24") && detail.contains("forecast.missing_days"), "{detail}");
    let mut dense = request;
    (dense["cutoff_date"], dense["lookback_days"]) = (json!("2024-03-23"), json!(1));
    let answer = app.post("/featuresets/compute", dense).await.json();
    assert_eq!((&answer["missing_days"], &answer["row_count"]), (&json!("error"), &json!(2)));
}

#[tokio::test]
async fn without_sales_in_the_window_there_is_nothing() {
    let app = app().await;
    for (member, value) in [
        ("store_id", json!(77)),
        ("product_id", json!(88)),
        ("cutoff_date", json!("2023-12-31")),
        ("cutoff_date", json!("2025-12-31")),
        ("cutoff_date", json!("0001-01-01")),
        ("cutoff_date", json!("9999-12-31")),
    ] {
        for path in ["/featuresets/compute", "/featuresets/preview"] {
            let mut request = body(every_family());
            request[member] = value.clone();
            let problem = app.post(path, request.clone()).await.problem(404, "not-found");
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.contains(&format!("store {}", request["store_id"])), "{detail}");
            assert!(detail.contains(&format!("product {}", request["product_id"])), "{detail}");
        }
    }
}

#[tokio::test]
async fn columns_that_cannot_be_used_are_named() {
    let app = app().await;
    for (config, column) in [
        (json!({"name": "x", "entity_columns": ["store_id", "shop"]}), "shop"),
        (json!({"name": "x", "date_column": "day"}), "day"),
        (json!({"name": "x", "target_column": "sales"}), "sales"),
        (json!({"name": "x", "lag_config": {"target_column": "revenue"}}), "revenue"),
        (json!({"name": "x", "rolling_config": {"target_column": ""}}), "``"),
        (json!({"name": "x", "lag_config": {"target_column": "date"}}), "date"),
        (json!({"name": "x", "entity_columns": ["quantity"]}), "quantity"),
        (json!({"name": "x", "date_column": "unit_price"}), "unit_price"),
    ] {
        for path in ["/featuresets/compute", "/featuresets/preview"] {
            let problem = app.post(path, body(config.clone())).await.problem(400, "bad-request");
            assert!(problem["detail"].as_str().unwrap().contains(column), "{problem}");
        }
    }
    let other = json!({"name": "x", "entity_columns": [], "target_column": "unit_price",
                       "lag_config": {"lags": [1], "target_column": "total_amount"}});
    assert_eq!(compute(&app, other).await.status.as_u16(), 200);
}

#[tokio::test]
async fn bodies_that_do_not_fit() {
    let app = app().await;
    let good = body(json!({"name": "x"}));
    for (path, member, value, kind) in [
        ("compute", "store_id", json!("1"), "int_type"),
        ("compute", "store_id", json!(1.0), "int_type"),
        ("compute", "store_id", json!(true), "int_type"),
        ("compute", "store_id", json!(0), "greater_than_equal"),
        ("compute", "product_id", json!(2_147_483_648_i64), "less_than_equal"),
        ("compute", "cutoff_date", json!(20_240_330), "date_type"),
        ("compute", "cutoff_date", json!("30.03.2024"), "date_from_datetime_parsing"),
        ("compute", "cutoff_date", json!("2024-03-30T01:00:00"), "date_from_datetime_inexact"),
        ("compute", "lookback_days", json!("5"), "int_type"),
        ("compute", "lookback_days", json!(null), "int_type"),
        ("compute", "lookback_days", json!(0), "greater_than_equal"),
        ("compute", "lookback_days", json!(1_096), "less_than_equal"),
        ("compute", "config", json!([]), "dict_type"),
        ("compute", "config", json!(null), "dict_type"),
        ("preview", "sample_rows", json!(0), "greater_than_equal"),
        ("preview", "sample_rows", json!(101), "less_than_equal"),
        ("preview", "sample_rows", json!(5.0), "int_type"),
        ("preview", "product_id", json!(-1), "greater_than_equal"),
    ] {
        let mut request = good.clone();
        request[member] = value.clone();
        let answer = app.post(&format!("/featuresets/{path}"), request).await;
        assert_eq!(answer.invalid(), [(member.to_owned(), kind.to_owned())], "{member} {value}");
    }
    for (path, members) in [
        ("compute", vec!["store_id", "product_id", "cutoff_date", "config"]),
        ("preview", vec!["store_id", "product_id", "cutoff_date", "config"]),
    ] {
        let all = app.post(&format!("/featuresets/{path}"), json!({"unknown": 1})).await.invalid();
        let expected: Vec<_> =
            members.iter().map(|name| ((*name).to_owned(), "missing".to_owned())).collect();
        assert_eq!(all, expected);
    }
    // Unknown members at the top are nobody's business; midnight is a date.
    let mut lax = good;
    (lax["unknown"], lax["cutoff_date"]) = (json!(1), json!("2024-03-30T00:00:00"));
    assert_eq!(app.post("/featuresets/compute", lax).await.status.as_u16(), 200);
}

/// Both endpoints refuse the configuration, for exactly these reasons.
async fn refused(app: &TestApp, config: &Value, expected: &[(&str, &str)]) {
    let expected: Vec<(String, String)> =
        expected.iter().map(|(field, kind)| (format!("config.{field}"), (*kind).to_owned())).collect();
    for path in ["/featuresets/compute", "/featuresets/preview"] {
        assert_eq!(app.post(path, body(config.clone())).await.invalid(), expected, "{config}");
    }
}

#[tokio::test]
async fn configurations_that_do_not_fit() {
    let app = app().await;
    refused(&app, &json!({}), &[("name", "missing")]).await;
    for (field, value, place, kind) in [
        ("name", json!(""), "name", "string_too_short"),
        ("name", json!("ä".repeat(101)), "name", "string_too_long"),
        ("name", json!(5), "name", "string_type"),
        ("description", json!(5), "description", "string_type"),
        ("schema_version", json!("1"), "schema_version", "string_pattern_mismatch"),
        ("schema_version", json!("1.0.0.0"), "schema_version", "string_pattern_mismatch"),
        ("schema_version", json!(1.0), "schema_version", "string_type"),
        ("entity_columns", json!("store_id"), "entity_columns", "list_type"),
        ("entity_columns", json!(["store_id", 1]), "entity_columns.1", "string_type"),
        ("date_column", json!(null), "date_column", "string_type"),
        ("target_column", json!(7), "target_column", "string_type"),
        ("lag_config", json!([]), "lag_config", "dict_type"),
        ("imputation_config", json!("ffill"), "imputation_config", "dict_type"),
        ("other", json!(null), "other", "extra_forbidden"),
    ] {
        let mut config = json!({"name": "x"});
        config[field] = value;
        refused(&app, &config, &[(place, kind)]).await;
    }
}

#[tokio::test]
async fn families_that_do_not_fit() {
    let app = app().await;
    for (family, config, place, kind) in [
        ("lag", json!({"lags": []}), "lags", "value_error"),
        ("lag", json!({"lags": null}), "lags", "list_type"),
        ("lag", json!({"lags": [1, 0]}), "lags", "value_error"),
        ("lag", json!({"lags": [7, "7.0"]}), "lags", "value_error"),
        ("lag", json!({"lags": [366]}), "lags", "value_error"),
        ("lag", json!({"lags": [1, 2.5]}), "lags.1", "int_from_float"),
        ("lag", json!({"lags": ["one"]}), "lags.0", "int_parsing"),
        ("lag", json!({"lags": [[]]}), "lags.0", "int_type"),
        ("lag", json!({"fill_value": "x"}), "fill_value", "float_parsing"),
        ("lag", json!({"fill_value": "inf"}), "fill_value", "finite_number"),
        ("lag", json!({"target_column": null}), "target_column", "string_type"),
        ("lag", json!({"schema_version": "v1"}), "schema_version", "string_pattern_mismatch"),
        ("lag", json!({"lag": [1]}), "lag", "extra_forbidden"),
        ("rolling", json!({"windows": []}), "windows", "value_error"),
        ("rolling", json!({"windows": [91]}), "windows", "value_error"),
        ("rolling", json!({"windows": [7, 7]}), "windows", "value_error"),
        ("rolling", json!({"windows": [-1]}), "windows", "value_error"),
        ("rolling", json!({"aggregations": ["mean", "median"]}), "aggregations.1", "literal_error"),
        ("rolling", json!({"aggregations": ["mean", "mean"]}), "aggregations", "value_error"),
        ("rolling", json!({"min_periods": 0}), "min_periods", "value_error"),
        ("rolling", json!({"min_periods": 8}), "min_periods", "value_error"),
        ("rolling", json!({"min_periods": "x"}), "min_periods", "int_parsing"),
        ("calendar", json!({"include_year": "perhaps"}), "include_year", "bool_parsing"),
        ("calendar", json!({"use_cyclical_encoding": null}), "use_cyclical_encoding", "bool_type"),
        ("exogenous", json!({"price_lags": [0]}), "price_lags", "value_error"),
        ("exogenous", json!({"price_lags": [366]}), "price_lags", "value_error"),
        ("exogenous", json!({"price_lags": [7, 7]}), "price_lags", "value_error"),
        ("lifecycle", json!({"lag_days": 0}), "lag_days", "greater_than_equal"),
        ("lifecycle", json!({"lag_days": 31}), "lag_days", "less_than_equal"),
        ("replenishment", json!({"lag_days": 31}), "lag_days", "less_than_equal"),
        ("replenishment", json!({"count_window_days": 6}), "count_window_days", "greater_than_equal"),
        ("replenishment", json!({"count_window_days": 61}), "count_window_days", "less_than_equal"),
        ("promotion", json!({"kinds_to_track": []}), "kinds_to_track", "value_error"),
        ("promotion", json!({"kinds_to_track": ["bogo", "bogo"]}), "kinds_to_track", "value_error"),
        ("promotion", json!({"kinds_to_track": ["BOGO"]}), "kinds_to_track.0", "literal_error"),
        ("promotion", json!({"lag_days": 1.5}), "lag_days", "int_from_float"),
        ("imputation", json!({"strategies": []}), "strategies", "dict_type"),
        ("imputation", json!({"strategies": {"quantity": "median"}}), "strategies.quantity", "literal_error"),
        ("imputation", json!({"strategies": {"x": "zero", "y": 0}}), "strategies.y", "literal_error"),
    ] {
        let family = format!("{family}_config");
        let mut whole = json!({"name": "x"});
        whole[&family] = config;
        refused(&app, &whole, &[(&format!("{family}.{place}"), kind)]).await;
    }
}

#[tokio::test]
async fn everything_that_does_not_fit_is_told_at_once_and_in_order() {
    let app = app().await;
    let config = json!({
        "zzz": 1, "name": 1, "date_column": 1,
        "promotion_config": {"kinds_to_track": ["sale", "BOGO"], "lag_days": 31},
        "lag_config": {"x": 1, "lags": [0], "schema_version": "v1"},
    });
    let expected = [
        ("name", "string_type"),
        ("date_column", "string_type"),
        ("lag_config.schema_version", "string_pattern_mismatch"),
        ("lag_config.lags", "value_error"),
        ("lag_config.x", "extra_forbidden"),
        ("promotion_config.kinds_to_track.0", "literal_error"),
        ("promotion_config.kinds_to_track.1", "literal_error"),
        ("promotion_config.lag_days", "less_than_equal"),
        ("zzz", "extra_forbidden"),
    ];
    refused(&app, &config, &expected).await;
}

#[tokio::test]
async fn what_just_fits() {
    let app = app().await;
    for config in [
        json!({"name": "ä".repeat(100), "schema_version": "10.2.33", "entity_columns": ["product_id"]}),
        json!({"name": "x", "lag_config": {"lags": [365, true, "3"], "fill_value": "-1.5"}}),
        json!({"name": "x", "rolling_config": {"windows": [90, 2], "min_periods": "2", "aggregations": []}}),
        json!({"name": "x", "calendar_config": {"include_year": "on", "include_month": 0}}),
        json!({"name": "x", "exogenous_config": {"price_lags": [], "include_inventory": true}}),
        json!({"name": "x", "replenishment_config": {"lag_days": 30, "count_window_days": 60}}),
        json!({"name": "x", "promotion_config": {"kinds_to_track": ["pct_off", "bogo", "bundle", "markdown"]}}),
        json!({"name": "x", "imputation_config": {"strategies": {"nothing": "drop", "quantity": "expanding_mean"}}}),
        json!({"name": "x", "imputation_config": {"strategies": {}}}),
    ] {
        let mut request = body(config.clone());
        request["lookback_days"] = json!(1_095);
        let answer = app.post("/featuresets/compute", request).await;
        assert_eq!(answer.status.as_u16(), 200, "{config}: {}", answer.text);
        assert_eq!(answer.json()["row_count"], 90);
    }
    let filled =
        compute(&app, json!({"name": "x", "lag_config": {"lags": [90], "fill_value": "-1.5"}})).await.json();
    assert_eq!(filled["null_counts"], json!({"lag_90": 0}));
    assert_eq!(filled["rows"][89]["features"], json!({"lag_90": -1.5}));
}

#[tokio::test]
async fn bounds_that_the_operator_lowered() {
    let app = TestApp::with(|config| {
        config.features.max_lookback_days = 30;
        config.features.max_lag = 28;
        config.features.max_window = 3;
    })
    .await;
    data::worked_series(&app.pool).await;
    for (member, value, field, words) in [
        ("lookback_days", json!(31), "lookback_days", "features.max_lookback_days"),
        (
            "config",
            json!({"name": "x", "lag_config": {"lags": [29]}}),
            "config.lag_config.lags",
            "features.max_lag",
        ),
        (
            "config",
            json!({"name": "x", "rolling_config": {}}),
            "config.rolling_config.windows",
            "features.max_window",
        ),
    ] {
        let mut request = body(json!({"name": "x"}));
        request[member] = value;
        let answer = app.post("/featuresets/compute", request).await;
        assert_eq!(answer.invalid()[0].0, field);
        assert!(answer.text.contains(words), "{}", answer.text);
    }
    // What is absent takes the longest that is allowed; a preview always looks at a year.
    let config = json!({"name": "x", "lag_config": {}, "rolling_config": {"windows": [3]}});
    assert_eq!(compute(&app, config.clone()).await.json()["row_count"], 31);
    let preview = app.post("/featuresets/preview", body(config)).await.json();
    assert!(preview["rows"][0]["features"]["lag_28"].is_f64());
}

#[tokio::test]
async fn a_failing_database_is_told_from_a_wrong_request() {
    let app = app().await;
    run(&app.pool, "alter table replenishment_event rename to elsewhere").await;
    let answer = compute(&app, every_family()).await;
    answer.problem(500, "database");
    assert!(!answer.text.contains("replenishment_event"), "{}", answer.text);
    assert_eq!(compute(&app, json!({"name": "x"})).await.status.as_u16(), 200);
}
