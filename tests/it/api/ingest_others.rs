//! `POST /ingest/{stores,products,calendar,prices,promotions,inventory}`.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use sqlx::Row;

use crate::support::app::{Answer, TestApp};
use crate::support::data;

async fn send(app: &TestApp, what: &str, records: Value) -> Answer {
    app.post(&format!("/ingest/{what}"), json!({"records": records})).await
}

#[track_caller]
fn counts(answer: &Answer) -> (i64, i64, i64) {
    let body = answer.json();
    assert_eq!(answer.status.as_u16(), 200, "{body}");
    let count = |name: &str| body[name].as_i64().unwrap();
    (count("processed_count"), count("rejected_count"), count("total_received"))
}

/// The rows of a query as text.
async fn rows(app: &TestApp, query: &'static str) -> Vec<String> {
    sqlx::query(query).fetch_all(&app.pool).await.unwrap().iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn stores_are_replaced_by_code() {
    let app = TestApp::new().await;
    let first = json!([{"code": "A", "name": "Alt", "region": "North", "city": "Kiel", "store_type": "express"},
                       {"code": "B", "name": "Berg"}]);
    assert_eq!(counts(&send(&app, "stores", first).await), (2, 0, 2));
    let again = json!([{"code": "A", "name": "one"}, {"code": "C", "name": "Café", "region": ""},
                       {"code": "A", "name": "Neu", "city": null, "store_type": "market"}]);
    assert_eq!(counts(&send(&app, "stores", again).await), (3, 0, 3));
    let query = "select concat_ws('|', id, code, name, coalesce(region, '-'), coalesce(city, '-'), coalesce(store_type, '-'))
                 from store order by code";
    // No key is wasted on a row that is known.
    assert_eq!(rows(&app, query).await, ["1|A|Neu|-|-|market", "2|B|Berg|-|-|-", "3|C|Café||-|-"]);
    let bad =
        send(&app, "stores", json!([{"code": "", "name": "x".repeat(101), "region": 5}])).await.invalid();
    let expected = [
        ("records.0.code", "string_too_short"),
        ("records.0.name", "string_too_long"),
        ("records.0.region", "string_type"),
    ];
    assert_eq!(bad, expected.map(|(field, kind)| (field.to_owned(), kind.to_owned())));
}

#[tokio::test]
async fn products_from_a_csv() {
    let app = TestApp::new().await;
    let body = "sku,name,category,base_price,base_cost,pack_size,lifecycle_stage,launch_date,discontinue_date\n\
                007,\"Tea, green\",Tea,3.5,1.25,6,growth,2024-01-01,\n8,Coffee,,,,,,,\n";
    let request = || Request::post("/ingest/products").header("content-type", "text/csv");
    assert_eq!(counts(&app.send(request().body(Body::from(body)).unwrap()).await), (2, 0, 2));
    let query =
        "select to_jsonb(product) - 'created_at' - 'updated_at' - 'id' || '{}' from product order by sku";
    let found: Vec<Value> = sqlx::query_scalar(query).fetch_all(&app.pool).await.unwrap();
    assert_eq!(
        found[0],
        json!({"sku": "007", "name": "Tea, green", "category": "Tea", "subcategory": null, "brand": null,
               "base_price": 3.5, "base_cost": 1.25, "pack_size": 6, "lifecycle_stage": "growth",
               "launch_date": "2024-01-01", "discontinue_date": null})
    );
    assert_eq!((&found[1]["name"], &found[1]["base_price"]), (&json!("Coffee"), &Value::Null));
    let end =
        json!([{"sku": "007", "name": "Tea", "launch_date": "2024-02-01", "discontinue_date": "2024-01-31"}]);
    let errors = send(&app, "products", end).await.invalid();
    assert_eq!(errors, [("records.0.discontinue_date".to_owned(), "value_error".to_owned())]);
}

#[tokio::test]
async fn the_calendar_knows_weekday_and_quarter() {
    let app = TestApp::new().await;
    let days = json!([{"date": "2024-12-25", "is_holiday": "yes", "holiday_name": "Christmas"},
                      {"date": "2024-12-29", "day_of_week": 3}]);
    assert_eq!(counts(&send(&app, "calendar", days).await), (2, 0, 2));
    assert_eq!(counts(&send(&app, "calendar", json!([{"date": "2024-12-25"}])).await), (1, 0, 1));
    let query = "select concat_ws(' ', date, day_of_week, month, quarter, year, is_holiday, coalesce(holiday_name, '-'))
                 from calendar order by date";
    assert_eq!(rows(&app, query).await, ["2024-12-25 2 12 4 2024 f -", "2024-12-29 6 12 4 2024 f -"]);
}

#[tokio::test]
async fn prices_are_replaced_by_product_store_and_first_day() {
    let app = TestApp::new().await;
    data::shop(&app.pool).await;
    let first = json!([
        {"sku": "TEA-250", "price": "3.49", "valid_from": "2024-01-01"},
        {"sku": "TEA-250", "price": 2.99, "valid_from": "2024-01-01", "store_code": "BER-01", "valid_to": "2024-01-31"},
        {"sku": "TEA-250", "price": 3.19, "valid_from": "2024-02-01", "valid_to": null},
        {"sku": "TEA-999", "price": 1, "valid_from": "2024-01-01", "store_code": "BER-99"},
        {"sku": "TEA-999", "price": 1, "valid_from": "2024-01-01"},
    ]);
    let answer = send(&app, "prices", first.clone()).await;
    assert_eq!(counts(&answer), (3, 2, 5));
    insta::assert_json_snapshot!("rejected_prices", answer.json(), {".duration_ms" => "[milliseconds]"});
    assert_eq!(counts(&send(&app, "prices", first).await), (3, 2, 5));
    let change =
        json!([{"sku": "TEA-250", "price": 3, "valid_from": "2024-01-01", "valid_to": "2024-01-31"}]);
    assert_eq!(counts(&send(&app, "prices", change).await), (1, 0, 1));
    let query = "select concat_ws(' ', product_id, coalesce(store_id::text, '-'), price, valid_from, coalesce(valid_to::text, '-'))
                 from price_history order by store_id nulls first, valid_from";
    assert_eq!(
        rows(&app, query).await,
        ["1 - 3.00 2024-01-01 2024-01-31", "1 - 3.19 2024-02-01 -", "1 1 2.99 2024-01-01 2024-01-31",]
    );
}

#[tokio::test]
async fn promotions_name_their_bundle_by_sku() {
    let app = TestApp::new().await;
    data::shop(&app.pool).await;
    let spring = |change: Value| {
        let mut row =
            json!({"sku": "TEA-250", "name": "Spring", "start_date": "2024-03-01", "end_date": "2024-03-07"});
        row.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        row
    };
    let first = json!([
        spring(json!({"discount_pct": "0.25"})),
        spring(
            json!({"store_code": "BER-02", "kind": "bundle", "bundle_member_skus": ["TEA-500", "TEA-250"]})
        ),
        spring(json!({"name": "Other", "kind": "bogo", "bundle_member_skus": ["TEA-501"]})),
    ]);
    let answer = send(&app, "promotions", first).await;
    assert_eq!(counts(&answer), (2, 1, 3));
    assert!(
        answer.json()["errors"][0]["error_message"].as_str().unwrap().contains("TEA-501"),
        "{}",
        answer.text
    );
    let change =
        json!([spring(json!({"kind": "markdown", "discount_amount": 1.5, "end_date": "2024-03-09"}))]);
    assert_eq!(counts(&send(&app, "promotions", change).await), (1, 0, 1));
    let query = "select concat_ws(' ', coalesce(store_id::text, '-'), name, kind, coalesce(discount_pct::text, '-'),
                                  coalesce(discount_amount::text, '-'), coalesce(bundle_member_product_ids::text, '-'), end_date)
                 from promotion order by store_id nulls first";
    assert_eq!(
        rows(&app, query).await,
        ["- Spring markdown - 1.50 - 2024-03-09", "2 Spring bundle - - [2, 1] 2024-03-07"]
    );
}

#[tokio::test]
async fn inventory_is_replaced_by_day() {
    let app = TestApp::new().await;
    data::shop(&app.pool).await;
    let level = |day: &str, on_hand: i64| json!({"date": day, "store_code": "BER-01", "sku": "TEA-250", "on_hand_qty": on_hand});
    let mut sold_out = level("2024-01-02", 3);
    sold_out["is_stockout"] = json!(true);
    let first = json!([level("2024-01-01", 0), sold_out, level("1999-01-01", 1)]);
    assert_eq!(counts(&send(&app, "inventory", first).await), (2, 1, 3));
    let mut more = level("2024-01-01", 5);
    more["on_order_qty"] = json!(7);
    assert_eq!(counts(&send(&app, "inventory", json!([more])).await), (1, 0, 1));
    let query = "select concat_ws(' ', date, on_hand_qty, on_order_qty, is_stockout)
                 from inventory_snapshot_daily order by date";
    assert_eq!(rows(&app, query).await, ["2024-01-01 5 7 f", "2024-01-02 3 0 t"]);
    let seen = app.get("/analytics/inventory-status").await.json();
    assert_eq!(seen["items"][0]["on_hand_qty"], 3, "{seen}");
}

#[tokio::test]
async fn two_loads_of_the_same_new_keys_do_not_collide() {
    let app = TestApp::new().await;
    let stores: Vec<Value> = (0..200).map(|i| json!({"code": format!("S{i}"), "name": "x"})).collect();
    let backwards: Vec<Value> = stores.iter().rev().cloned().collect();
    let (a, b) = tokio::join!(send(&app, "stores", json!(stores)), send(&app, "stores", json!(backwards)));
    assert_eq!((counts(&a), counts(&b)), ((200, 0, 200), (200, 0, 200)));
    assert_eq!(rows(&app, "select count(*)::text from store").await, ["200"]);
}
