//! `/analytics`. Contract: `analytics.md`.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use crate::support::app::{Answer, TestApp};
use crate::support::data;

const KPIS: &str = "/analytics/kpis";
const DRILLDOWNS: &str = "/analytics/drilldowns";
const TIMESERIES: &str = "/analytics/timeseries";
const INVENTORY: &str = "/analytics/inventory-status";
const MARCH: &str = "start_date=2025-03-01&end_date=2025-03-31";

async fn run(app: &TestApp, statement: &'static str) {
    sqlx::query(statement).execute(&app.pool).await.unwrap();
}

/// Four stores in two regions and none, four products in two categories and none, a few sales in March 2025.
async fn shop() -> TestApp {
    let app = TestApp::new().await;
    data::shop(&app.pool).await;
    run(&app, "insert into store (code, name, region) values ('HAM-01', 'Altona', 'Norden'), ('XXX', 'Nowhere', null)").await;
    run(&app, "insert into product (sku, name, category) values ('ÖL', 'Oil', 'Öle'), ('BAG', 'Bag', null)")
        .await;
    run(
        &app,
        "insert into sales_daily (store_id, product_id, date, quantity, unit_price, total_amount) values
         (1, 1, '2025-03-01', 10, 2.50, 25.00), (1, 2, '2025-03-01', 4, 5.00, 20.00),
         (1, 1, '2025-03-02', 8, 2.50, 19.99), (2, 1, '2025-03-09', 3, 2.50, 7.50),
         (2, 3, '2025-03-10', 1, 20.00, 20.00), (3, 2, '2025-03-31', 2, 5.00, 10.01),
         (3, 4, '2025-03-31', 5, 0.00, 0.00), (4, 4, '2025-03-15', 7, 1.00, 7.00),
         (4, 1, '2025-04-01', 100, 2.50, 250.00), (1, 1, '2025-02-28', 100, 2.50, 250.00)",
    )
    .await;
    app
}

async fn get(app: &TestApp, path: &str) -> Value {
    let answer = app.get(path).await;
    assert_eq!(answer.status.as_u16(), 200, "{path}: {}", answer.text);
    answer.json()
}

async fn csv(app: &TestApp, path: &str) -> Answer {
    app.send(Request::get(path).header("accept", "text/csv").body(Body::empty()).unwrap()).await
}

/// `value revenue rank share` of each item.
fn items(body: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let item = |item: &Value| {
        let (value, revenue) = (text(&item["dimension_value"]), text(&item["metrics"]["total_revenue"]));
        format!("{value} {revenue} {} {}", item["rank"], text(&item["revenue_share_pct"]))
    };
    body["items"].as_array().unwrap().iter().map(item).collect()
}

#[tokio::test]
async fn the_shapes() {
    let app = shop().await;
    insta::assert_json_snapshot!("kpis", get(&app, &format!("{KPIS}?{MARCH}&category=tea&store_id=1")).await);
    insta::assert_json_snapshot!(
        "drilldown_region",
        get(&app, &format!("{DRILLDOWNS}?dimension=region&{MARCH}&max_items=1")).await
    );
    insta::assert_json_snapshot!(
        "drilldown_product",
        get(&app, &format!("{DRILLDOWNS}?dimension=product&{MARCH}&store_id=2")).await
    );
    insta::assert_json_snapshot!(
        "timeseries_week",
        get(&app, &format!("{TIMESERIES}?{MARCH}&granularity=week&category=tea")).await
    );
}

#[tokio::test]
async fn kpis_select_and_are_exact() {
    let app = shop().await;
    for (query, revenue, units, rows, per_unit, per_row) in [
        ("", "109.50", 40, 8, json!("2.7375"), json!("13.6875")),
        (
            "&store_id=1",
            "64.99",
            22,
            3,
            json!("2.954090909090909090909090909"),
            json!("21.66333333333333333333333333"),
        ),
        (
            "&product_id=1",
            "52.49",
            21,
            3,
            json!("2.499523809523809523809523810"),
            json!("17.49666666666666666666666667"),
        ),
        ("&category=tea", "82.50", 27, 5, json!("3.055555555555555555555555556"), json!("16.50")),
        ("&category=%C3%96le", "20.00", 1, 1, json!("20.00"), json!("20.00")),
        ("&category=Tea", "0", 0, 0, json!(null), json!(null)),
        ("&category=", "0", 0, 0, json!(null), json!(null)),
        ("&store_id=3&product_id=4", "0.00", 5, 1, json!("0.00"), json!("0.00")),
        ("&store_id=3&category=tea", "10.01", 2, 1, json!("5.005"), json!("10.01")),
        ("&store_id=2147483647", "0", 0, 0, json!(null), json!(null)),
        ("&product_id=77&store_id=1", "0", 0, 0, json!(null), json!(null)),
    ] {
        let body = get(&app, &format!("{KPIS}?{MARCH}{query}")).await;
        let expected = json!({"total_revenue": revenue, "total_units": units, "total_transactions": rows,
                              "avg_unit_price": per_unit, "avg_basket_value": per_row});
        assert_eq!(body["metrics"], expected, "{query}");
    }
    run(&app, "update sales_daily set quantity = 0").await;
    let metrics = &get(&app, &format!("{KPIS}?{MARCH}")).await["metrics"];
    assert_eq!((&metrics["avg_unit_price"], &metrics["avg_basket_value"]), (&json!(null), &json!("13.6875")));
}

#[tokio::test]
async fn drilldowns_rank_share_and_drop_groups_without_a_name() {
    let app = shop().await;
    for (query, expected) in [
        (
            "dimension=store",
            vec!["BER-01 64.99 1 59.35", "BER-02 27.50 2 25.11", "HAM-01 10.01 3 9.14", "XXX 7.00 4 6.39"],
        ),
        ("dimension=region", vec!["Berlin 92.49 1 90.23", "Norden 10.01 2 9.77"]),
        ("dimension=category", vec!["tea 82.50 1 80.49", "Öle 20.00 2 19.51"]),
        (
            "dimension=product",
            vec!["TEA-250 52.49 1 47.94", "TEA-500 30.01 2 27.41", "ÖL 20.00 3 18.26", "BAG 7.00 4 6.39"],
        ),
        ("dimension=product&store_id=3", vec!["TEA-500 10.01 1 100.00", "BAG 0.00 2 0.00"]),
        ("dimension=store&product_id=1", vec!["BER-01 44.99 1 85.71", "BER-02 7.50 2 14.29"]),
        ("dimension=region&product_id=4", vec!["Norden 0.00 1 0.00"]),
        ("dimension=category&store_id=4", vec![]),
        ("dimension=store&store_id=4&product_id=4", vec!["XXX 7.00 1 100.00"]),
        (
            "dimension=date",
            vec![
                "2025-03-01 45.00 1 41.10",
                "2025-03-10 20.00 2 18.26",
                "2025-03-02 19.99 3 18.26",
                "2025-03-31 10.01 4 9.14",
                "2025-03-09 7.50 5 6.85",
                "2025-03-15 7.00 6 6.39",
            ],
        ),
    ] {
        let body = get(&app, &format!("{DRILLDOWNS}?{query}&{MARCH}")).await;
        assert_eq!(items(&body), expected, "{query}");
        assert_eq!(body["total_items"], expected.len());
    }
    // No category filter here: the name is unknown, and ignored.
    let body = get(&app, &format!("{DRILLDOWNS}?dimension=store&category=tea&{MARCH}&max_items=2")).await;
    assert_eq!((items(&body).len(), &body["total_items"]), (2, &json!(4)));
    assert!(body.get("category").is_none());
}

#[tokio::test]
async fn equal_revenues_go_by_name_in_code_points() {
    let app = shop().await;
    run(&app, "update sales_daily set total_amount = 1").await;
    run(&app, "update store set code = case id when 1 then 'b' when 2 then 'B' when 3 then 'Ä' else 'a' end")
        .await;
    run(&app, "delete from sales_daily where (store_id, product_id, date) not in ((1, 1, '2025-03-02'), (2, 1, '2025-03-09'), (3, 4, '2025-03-31'), (4, 4, '2025-03-15'))").await;
    let body = get(&app, &format!("{DRILLDOWNS}?dimension=store&{MARCH}")).await;
    assert_eq!(items(&body), ["B 1.00 1 25.00", "a 1.00 2 25.00", "b 1.00 3 25.00", "Ä 1.00 4 25.00"]);
}

#[tokio::test]
async fn buckets_hold_only_rows_of_the_window() {
    let app = shop().await;
    let points = async |query: &str| -> Vec<String> {
        let body = get(&app, &format!("{TIMESERIES}?{query}")).await;
        let points = body["points"].as_array().unwrap();
        assert_eq!(body["total_points"], points.len());
        points
            .iter()
            .map(|p| {
                format!(
                    "{} {}",
                    p["period"].as_str().unwrap(),
                    p["metrics"]["total_revenue"].as_str().unwrap()
                )
            })
            .collect()
    };
    for (query, expected) in [
        (
            "start_date=2025-03-02&end_date=2025-03-10",
            vec!["2025-03-02 19.99", "2025-03-09 7.50", "2025-03-10 20.00"],
        ),
        (
            "start_date=2025-03-02&end_date=2025-03-10&granularity=week",
            vec!["2025-02-24 19.99", "2025-03-03 7.50", "2025-03-10 20.00"],
        ),
        (
            "start_date=2025-02-28&end_date=2025-03-02&granularity=month",
            vec!["2025-02-01 250.00", "2025-03-01 64.99"],
        ),
        (
            "start_date=2025-03-02&end_date=2025-04-01&granularity=quarter",
            vec!["2025-01-01 64.50", "2025-04-01 250.00"],
        ),
        (
            "start_date=2025-03-01&end_date=2025-03-31&granularity=month&store_id=1&product_id=2",
            vec!["2025-03-01 20.00"],
        ),
        ("start_date=2025-05-01&end_date=2025-05-31", vec![]),
    ] {
        assert_eq!(points(query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn windows_that_are_refused() {
    let app = TestApp::new().await;
    for path in [KPIS.to_owned(), format!("{DRILLDOWNS}?dimension=date"), TIMESERIES.to_owned()] {
        let joint = if path.contains('?') { "&" } else { "?" };
        let window = |start: &str, end: &str| format!("{path}{joint}start_date={start}&end_date={end}");
        let problem = app.get(&window("2025-03-02", "2025-03-01")).await.problem(400, "bad-request");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("2025-03-02") && detail.contains("2025-03-01"), "{detail}");
        let problem = app.get(&window("2023-01-01", "2025-01-01")).await.problem(400, "bad-request");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("731") && detail.contains("730"), "{detail}");
        assert_eq!(app.get(&window("2023-01-01", "2024-12-31")).await.status.as_u16(), 200);
        // A reversed window is told first, however long it is.
        let problem = app.get(&window("2025-01-01", "2020-01-01")).await.problem(400, "bad-request");
        assert!(problem["detail"].as_str().unwrap().contains("2020-01-01"));
        assert_eq!(app.get(&window("2025-03-01T00:00:00", "2025-03-01")).await.status.as_u16(), 200);
    }
    let app = TestApp::with(|config| config.analytics.max_date_range_days = 7).await;
    let week = format!("{KPIS}?start_date=2025-03-01&end_date=2025-03-08");
    assert_eq!(app.get(&week).await.status.as_u16(), 200);
    app.get(&format!("{KPIS}?start_date=2025-03-01&end_date=2025-03-09")).await.problem(400, "bad-request");
}

#[tokio::test]
async fn values_that_do_not_fit() {
    let app = TestApp::new().await;
    for (path, expected) in [
        (KPIS.to_owned(), vec![("start_date", "missing"), ("end_date", "missing")]),
        (
            format!(
                "{KPIS}?end_date=x&start_date=2025-03-01T08:00:00&category=%ff&store_id=0&product_id=1.5"
            ),
            vec![
                ("start_date", "date_from_datetime_inexact"),
                ("end_date", "date_from_datetime_parsing"),
                ("store_id", "greater_than_equal"),
                ("product_id", "int_parsing"),
                ("category", "value_error"),
            ],
        ),
        (format!("{KPIS}?{MARCH}&store_id=2147483648"), vec![("store_id", "less_than_equal")]),
        (format!("{KPIS}?{MARCH}&product_id="), vec![("product_id", "int_parsing")]),
        // What does not fit is told before a window that is refused.
        (
            format!("{KPIS}?start_date=2025-03-02&end_date=2025-03-01&store_id=x"),
            vec![("store_id", "int_parsing")],
        ),
        (
            DRILLDOWNS.to_owned(),
            vec![("dimension", "missing"), ("start_date", "missing"), ("end_date", "missing")],
        ),
        (format!("{DRILLDOWNS}?dimension=Store&{MARCH}"), vec![("dimension", "enum")]),
        (
            format!("{DRILLDOWNS}?max_items=0&product_id=-1&{MARCH}&dimension="),
            vec![
                ("dimension", "enum"),
                ("product_id", "greater_than_equal"),
                ("max_items", "greater_than_equal"),
            ],
        ),
        (
            format!("{DRILLDOWNS}?dimension=date&{MARCH}&max_items=101"),
            vec![("max_items", "less_than_equal")],
        ),
        (format!("{TIMESERIES}?{MARCH}&granularity=year"), vec![("granularity", "enum")]),
        (
            format!("{TIMESERIES}?end_date=2025-02-29&granularity=&store_id=x"),
            vec![
                ("start_date", "missing"),
                ("end_date", "date_from_datetime_parsing"),
                ("granularity", "enum"),
                ("store_id", "int_parsing"),
            ],
        ),
        (
            format!("{INVENTORY}?product_id=0&store_id=x"),
            vec![("store_id", "int_parsing"), ("product_id", "greater_than_equal")],
        ),
    ] {
        let expected: Vec<(String, String)> =
            expected.into_iter().map(|(field, kind)| (format!("query.{field}"), kind.to_owned())).collect();
        assert_eq!(app.get(&path).await.invalid(), expected, "{path}");
    }
}

async fn inventory(app: &TestApp) {
    run(
        app,
        "insert into inventory_snapshot_daily (store_id, product_id, date, on_hand_qty, on_order_qty, is_stockout)
         values (1, 1, '2025-03-01', 5, 0, false), (1, 1, '2025-03-03', 0, 40, true), (1, 1, '2025-03-02', 9, 9, false),
                (2, 1, '2025-01-01', 7, 1, true), (1, 3, '2024-12-31', 3, 0, false), (4, 2, '2025-03-31', 1, 0, false)",
    )
    .await;
}

fn stock(body: &Value) -> Vec<String> {
    let item = |i: &Value| {
        format!("{} {} {} {}", i["store_id"], i["product_id"], i["date"].as_str().unwrap(), i["on_hand_qty"])
    };
    body["items"].as_array().unwrap().iter().map(item).collect()
}

#[tokio::test]
async fn inventory_is_the_newest_of_each_pair() {
    let app = shop().await;
    assert_eq!(
        get(&app, INVENTORY).await,
        json!({"items": [], "total_items": 0, "store_id": null, "product_id": null})
    );
    inventory(&app).await;
    for (query, expected) in [
        ("", vec!["1 1 2025-03-03 0", "1 3 2024-12-31 3", "2 1 2025-01-01 7", "4 2 2025-03-31 1"]),
        ("?store_id=1", vec!["1 1 2025-03-03 0", "1 3 2024-12-31 3"]),
        ("?product_id=1", vec!["1 1 2025-03-03 0", "2 1 2025-01-01 7"]),
        ("?store_id=2&product_id=1", vec!["2 1 2025-01-01 7"]),
        ("?store_id=3", vec![]),
        ("?product_id=99", vec![]),
        (
            "?start_date=x",
            vec!["1 1 2025-03-03 0", "1 3 2024-12-31 3", "2 1 2025-01-01 7", "4 2 2025-03-31 1"],
        ),
    ] {
        let body = get(&app, &format!("{INVENTORY}{query}")).await;
        assert_eq!(stock(&body), expected, "{query}");
        assert_eq!(body["total_items"], expected.len());
    }
    insta::assert_json_snapshot!("inventory", get(&app, &format!("{INVENTORY}?store_id=1")).await);
}

#[tokio::test]
async fn inventory_is_cut_and_counted() {
    let app = TestApp::with(|config| config.analytics.max_rows = 3).await;
    data::shop(&app.pool).await;
    run(&app, "insert into product (sku, name) values ('A', 'A'), ('B', 'B')").await;
    run(
        &app,
        "insert into inventory_snapshot_daily (store_id, product_id, date, on_hand_qty)
         select s.id, p.id, '2025-01-01'::date + i, i from store s, product p, generate_series(0, 30) as i",
    )
    .await;
    let body = get(&app, INVENTORY).await;
    assert_eq!(stock(&body), ["1 1 2025-01-31 30", "1 2 2025-01-31 30", "1 3 2025-01-31 30"]);
    assert_eq!(body["total_items"], 8);
    let answer = csv(&app, INVENTORY).await;
    assert_eq!((answer.text.lines().count(), answer.header("x-total-count")), (4, "8"));
}

#[tokio::test]
async fn lists_as_csv() {
    let app = shop().await;
    inventory(&app).await;
    for (name, path) in [
        ("drilldown_csv", format!("{DRILLDOWNS}?dimension=product&{MARCH}&max_items=3")),
        ("timeseries_csv", format!("{TIMESERIES}?granularity=month&{MARCH}&store_id=1")),
        ("inventory_csv", INVENTORY.to_owned()),
    ] {
        let answer = csv(&app, &path).await;
        assert!(answer.header("content-type").starts_with("text/csv"), "{}", answer.text);
        insta::assert_snapshot!(name, answer.text.replace("\r\n", "\n"));
    }
    csv(&app, &format!("{TIMESERIES}?granularity=year&{MARCH}")).await.problem(422, "validation");
}

#[tokio::test]
async fn a_failing_database() {
    let app = TestApp::new().await;
    run(&app, "alter table sales_stale_days rename to secret").await;
    run(&app, "alter table inventory_snapshot_daily rename to other").await;
    for path in [
        format!("{KPIS}?{MARCH}"),
        format!("{DRILLDOWNS}?dimension=date&{MARCH}"),
        format!("{TIMESERIES}?{MARCH}"),
        INVENTORY.to_owned(),
    ] {
        let answer = app.get(&path).await;
        answer.problem(500, "database");
        assert!(!answer.text.contains("stale"), "{}", answer.text);
    }
}
