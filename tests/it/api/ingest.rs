//! `POST /ingest/sales-daily`. Contract: `ingest.md`.

use futures::StreamExt;
use retailcast::config::Config;
use serde_json::{Value, json};
use sqlx::Row;

use crate::support::app::{Answer, TestApp};
use crate::support::data;

const PATH: &str = "/ingest/sales-daily";

fn row(store: &str, sku: &str, date: &str, quantity: i64) -> Value {
    json!({"date": date, "store_code": store, "sku": sku, "quantity": quantity, "unit_price": "3.49", "total_amount": "41.88"})
}

async fn shop() -> TestApp {
    shop_with(|_| {}).await
}

async fn shop_with(change: impl FnOnce(&mut Config)) -> TestApp {
    let app = TestApp::with(change).await;
    data::shop(&app.pool).await;
    app
}

async fn send(app: &TestApp, records: Vec<Value>) -> Answer {
    app.post(PATH, json!({"records": records})).await
}

/// Every row of the table as text.
async fn table(app: &TestApp) -> Vec<String> {
    let rows = sqlx::query(
        "select concat_ws(' ', store_id, product_id, date, quantity, unit_price, total_amount, channel)
         from sales_daily order by store_id, product_id, date",
    );
    rows.fetch_all(&app.pool).await.unwrap().iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn the_example_of_the_contract() {
    let app = shop().await;
    let answer = app
        .post(
            PATH,
            json!({"records": [
                {"date": "2025-03-03", "store_code": "BER-01", "sku": "TEA-250", "quantity": 12, "unit_price": "3.49", "total_amount": "41.88"},
                {"date": "2025-03-03", "store_code": "BER-99", "sku": "TEA-250", "quantity": 4, "unit_price": 3.49, "total_amount": 13.96}
            ]}),
        )
        .await;
    assert_eq!(answer.status.as_u16(), 200);
    insta::assert_json_snapshot!(answer.json(), {".duration_ms" => "[milliseconds]"});
    assert!(answer.json()["duration_ms"].is_f64());
    assert_eq!(table(&app).await, ["1 1 2025-03-03 12 3.49 41.88 in_store"]);
}

#[tokio::test]
async fn the_first_failing_check_rejects_a_row() {
    let app = shop().await;
    let answer = send(
        &app,
        vec![
            row("ber-01", "nope", "1999-01-01", 1),
            row("BER-01", "TEA-250 ", "1999-01-01", 1),
            row("BER-01", "TEA-250", "1999-01-01", 1),
            row("BER-02", "TEA-500", "2024-01-01", 1),
        ],
    )
    .await
    .json();
    let codes: Vec<&str> =
        answer["errors"].as_array().unwrap().iter().map(|e| e["error_code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["UNKNOWN_STORE", "UNKNOWN_PRODUCT", "UNKNOWN_DATE"]);
    for (i, name) in [(0, "ber-01"), (1, "TEA-250 "), (2, "1999-01-01")] {
        assert!(answer["errors"][i]["error_message"].as_str().unwrap().contains(name));
        assert_eq!(answer["errors"][i]["row_index"], i);
    }
    assert_eq!(
        (&answer["processed_count"], &answer["rejected_count"], &answer["total_received"]),
        (&json!(1), &json!(3), &json!(4))
    );
    let all_rejected = send(&app, vec![row("X", "Y", "2024-01-01", 1)]).await;
    assert_eq!(all_rejected.status.as_u16(), 200);
    assert_eq!(all_rejected.json()["processed_count"], 0);
}

#[tokio::test]
async fn repeating_updates_and_keeps_channel_and_creation() {
    let app = shop().await;
    send(&app, vec![row("BER-01", "TEA-250", "2024-01-01", 1)]).await;
    sqlx::query(
        "update sales_daily set channel = 'online', created_at = '2020-01-01', updated_at = '2020-01-01'",
    )
    .execute(&app.pool)
    .await
    .unwrap();
    let answer = send(
        &app,
        vec![row("BER-01", "TEA-250", "2024-01-01", 7), row("BER-01", "TEA-500", "2024-01-01", 2)],
    )
    .await;
    assert_eq!(answer.json()["processed_count"], 2);
    assert_eq!(
        table(&app).await,
        ["1 1 2024-01-01 7 3.49 41.88 online", "1 2 2024-01-01 2 3.49 41.88 in_store"]
    );
    let kept = sqlx::query_scalar::<_, bool>(
        "select created_at = '2020-01-01' and updated_at > '2021-01-01' from sales_daily where product_id = 1",
    );
    assert!(kept.fetch_one(&app.pool).await.unwrap());
}

#[tokio::test]
async fn the_last_row_of_a_grain_wins_and_both_count() {
    let app = shop().await;
    let answer = send(&app, (1..=3).map(|q| row("BER-01", "TEA-250", "2024-01-01", q)).collect()).await;
    assert_eq!(answer.json()["processed_count"], 3);
    assert_eq!(table(&app).await, ["1 1 2024-01-01 3 3.49 41.88 in_store"]);
}

#[tokio::test]
async fn ten_thousand_rows_in_small_statements() {
    let app = shop_with(|config| config.ingest.batch_size = 777).await;
    let day = |i: i64| format!("2024-{:02}-{:02}", 1 + i % 12, 1 + (i / 12) % 28);
    let store = |i: i64| if i % 2 == 0 { "BER-01" } else { "BER-02" };
    let rows: Vec<Value> = (0..10_000)
        .map(|i| row(store(i / 336), if i / 672 % 2 == 0 { "TEA-250" } else { "TEA-500" }, &day(i), i))
        .collect();
    let answer = send(&app, rows).await.json();
    assert_eq!(answer["processed_count"], 10_000);
    assert_eq!(table(&app).await.len(), 4 * 336);
}

#[tokio::test]
async fn one_bad_value_refuses_everything() {
    let app = shop().await;
    let good = row("BER-01", "TEA-250", "2024-01-01", 1);
    let with = |member: &str, value: Value| {
        let mut row = good.clone();
        row[member] = value;
        row
    };
    for (member, value, kind) in [
        ("date", json!("2024-01-01T08:00:00"), "date_from_datetime_inexact"),
        ("date", json!("yesterday"), "date_from_datetime_parsing"),
        ("date", json!(20_240_101), "date_type"),
        ("store_code", json!(""), "string_too_short"),
        ("store_code", json!("x".repeat(21)), "string_too_long"),
        ("store_code", json!(5), "string_type"),
        ("sku", json!("x".repeat(51)), "string_too_long"),
        ("quantity", json!(-1), "greater_than_equal"),
        ("quantity", json!(5.5), "int_from_float"),
        ("quantity", json!("five"), "int_parsing"),
        ("quantity", json!(null), "int_type"),
        ("quantity", json!(2_147_483_648_i64), "less_than_equal"),
        ("quantity", json!(1e20), "less_than_equal"),
        ("quantity", json!("99999999999999999999"), "less_than_equal"),
        ("unit_price", json!("3.491"), "decimal_max_places"),
        ("unit_price", json!(-0.01), "greater_than_equal"),
        ("unit_price", json!("100000000"), "less_than_equal"),
        ("unit_price", json!("three"), "decimal_parsing"),
        ("unit_price", json!([]), "decimal_type"),
        ("unit_price", json!("NaN"), "finite_number"),
        ("total_amount", json!("10000000000"), "less_than_equal"),
    ] {
        let answer = send(&app, vec![good.clone(), with(member, value.clone())]).await;
        assert_eq!(answer.invalid(), [(format!("records.1.{member}"), kind.to_owned())], "{member} {value}");
    }
    assert_eq!(send(&app, vec![]).await.invalid(), [("records".to_owned(), "too_short".to_owned())]);
    let many = vec![json!(1); 10_001];
    assert_eq!(send(&app, many).await.invalid(), [("records".to_owned(), "too_long".to_owned())]);
    assert_eq!(app.post(PATH, json!({})).await.invalid(), [("records".to_owned(), "missing".to_owned())]);
    assert_eq!(table(&app).await, Vec::<String>::new());
}

#[tokio::test]
async fn lax_forms_and_unknown_keys_are_accepted() {
    let app = shop().await;
    let answer = app
        .post(
            PATH,
            json!({"comment": 1, "records": [{
                "date": "2024-01-01T00:00:00", "store_code": "BER-01", "sku": "TEA-250", "quantity": "5.0",
                "unit_price": 3.4900, "total_amount": "99999999.99", "colour": "green"
            }]}),
        )
        .await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
    assert_eq!(table(&app).await, ["1 1 2024-01-01 5 3.49 99999999.99 in_store"]);
}

#[tokio::test]
async fn a_deadline_that_passes_rolls_back() {
    let app = shop_with(|config| config.ingest.timeout_seconds = 1).await;
    // Somebody holds the row that the second statement wants.
    let mut other = app.pool.begin().await.unwrap();
    sqlx::query("insert into sales_daily (store_id, product_id, date, quantity, unit_price, total_amount) values (2, 2, '2024-01-01', 1, 1, 1)")
        .execute(&mut *other)
        .await
        .unwrap();
    let answer = send(
        &app,
        vec![row("BER-01", "TEA-250", "2024-01-01", 1), row("BER-02", "TEA-500", "2024-01-01", 1)],
    )
    .await;
    let problem = answer.problem(503, "service-unavailable");
    assert!(problem["detail"].as_str().unwrap().contains("ingest.timeout_seconds"));
    assert!(!answer.header("retry-after").is_empty());
    other.rollback().await.unwrap();
    assert_eq!(table(&app).await, Vec::<String>::new());
    assert_eq!(send(&app, vec![row("BER-01", "TEA-250", "2024-01-01", 1)]).await.status.as_u16(), 200);
}

#[tokio::test]
async fn a_failing_database_is_told_without_its_words() {
    let app = shop().await;
    sqlx::query("alter table sales_daily rename to secret_table").execute(&app.pool).await.unwrap();
    let answer = send(&app, vec![row("BER-01", "TEA-250", "2024-01-01", 1)]).await;
    let problem = answer.problem(500, "database");
    assert!(!answer.text.contains("sales_daily"), "{problem}");
}

#[tokio::test]
async fn two_requests_with_the_same_rows_do_not_deadlock() {
    let app = shop().await;
    let days: Vec<String> = (1..=28).map(|d| format!("2024-02-{d:02}")).collect();
    let forwards: Vec<Value> = days.iter().map(|day| row("BER-01", "TEA-250", day, 1)).collect();
    let backwards: Vec<Value> = forwards.iter().rev().cloned().collect();
    for _ in 0..10 {
        let (a, b) = tokio::join!(send(&app, forwards.clone()), send(&app, backwards.clone()));
        assert_eq!((a.status.as_u16(), b.status.as_u16()), (200, 200));
    }
}

#[tokio::test]
async fn a_body_that_comes_too_slowly_meets_the_deadline() {
    let app = shop_with(|config| config.ingest.timeout_seconds = 1).await;
    let stalled = futures::stream::once(async { Ok::<_, std::io::Error>("{\"records\": [") })
        .chain(futures::stream::pending());
    let answer = app.post_text(PATH, axum::body::Body::from_stream(stalled)).await;
    answer.problem(503, "service-unavailable");
}

#[tokio::test]
async fn a_client_that_leaves_gives_its_connection_back() {
    let app = shop_with(|config| config.ingest.timeout_seconds = 2).await;
    let mut other = app.pool.begin().await.unwrap();
    sqlx::query("lock table sales_daily in access exclusive mode").execute(&mut *other).await.unwrap();
    for _ in 0..8 {
        // More than the pool has connections; each waits for the lock and goes away.
        let gone = send(&app, vec![row("BER-01", "TEA-250", "2024-01-01", 1)]);
        assert!(tokio::time::timeout(std::time::Duration::from_millis(50), gone).await.is_err());
    }
    other.rollback().await.unwrap();
    assert_eq!(send(&app, vec![row("BER-01", "TEA-250", "2024-01-01", 1)]).await.status.as_u16(), 200);
}

#[tokio::test]
async fn what_rows_refer_to_cannot_be_deleted_under_a_load() {
    let app = shop().await;
    let delete = async || sqlx::query("delete from product where sku = 'TEA-250'").execute(&app.pool).await;
    // Load and deletion at the same time: whichever is first, no sale is left without its product.
    let load = send(&app, vec![row("BER-01", "TEA-250", "2024-01-01", 1)]);
    let (load, deleted) = tokio::join!(load, delete());
    let load = load.json();
    assert_eq!(load["processed_count"], usize::from(deleted.is_err()), "{load} {deleted:?}");
    assert_eq!(table(&app).await.len(), usize::from(deleted.is_err()));
    // Everybody else still meets the foreign keys.
    let orphan = sqlx::query(
        "insert into sales_daily (store_id, product_id, date, quantity, unit_price, total_amount) values (99, 1, '2024-01-01', 1, 1, 1)",
    );
    let error = orphan.execute(&app.pool).await.unwrap_err().to_string();
    assert!(error.contains("sales_daily_store_id_fkey"), "{error}");
    if load["processed_count"] == 1 {
        let error = delete().await.unwrap_err().to_string();
        assert!(error.contains("sales_daily_product_id_fkey"), "{error}");
    }
}
