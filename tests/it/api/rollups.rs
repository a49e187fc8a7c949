//! The sums that analytics read are those of the sales, whoever wrote them and whenever. docs/decisions/analytics-rollups.md.

use std::collections::BTreeMap;
use std::time::Duration;

use retailcast::slices::rollups::Rollups;
use retailcast_core::Day;
use serde_json::{Value, json};
use sqlx::Row;

use crate::support::app::TestApp;
use crate::support::data;
use crate::support::random::Random;

/// 2024-01-01.
const START: Day = Day(19_723);
const STORES: [&str; 2] = ["BER-01", "BER-02"];
const SKUS: [&str; 2] = ["TEA-250", "TEA-500"];

/// Day, store, product: quantity and cents.
type Table = BTreeMap<(i32, usize, usize), (i64, i128)>;

async fn shop() -> TestApp {
    let app = TestApp::new().await;
    data::shop(&app.pool).await;
    app
}

/// Some rows, some of them of the same grain.
fn batch(random: &mut Random, rows: usize) -> Vec<Value> {
    let row = |_| {
        let cents = random.below(100_000);
        json!({"date": (START + random.below(120) as i32).to_string(), "store_code": random.pick(&STORES),
               "sku": random.pick(&SKUS), "quantity": random.below(30), "unit_price": "1.00",
               "total_amount": format!("{}.{:02}", cents / 100, cents % 100)})
    };
    (0..rows).map(row).collect()
}

fn apply(table: &mut Table, records: &[Value]) {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    for record in records {
        let day = (0..120).find(|i| (START + *i).to_string() == text(&record["date"])).unwrap();
        let store = STORES.iter().position(|code| record["store_code"] == *code).unwrap();
        let product = SKUS.iter().position(|sku| record["sku"] == *sku).unwrap();
        let cents = text(&record["total_amount"]).replace('.', "").parse().unwrap();
        table.insert((day, store, product), (record["quantity"].as_i64().unwrap(), cents));
    }
}

/// Waits until all days are summed up; the server may be at it already, and a refresh leaves the work to it.
async fn settle(app: &TestApp) {
    let rollups = Rollups::new(app.pool.clone());
    let marks = async || -> i64 {
        sqlx::query_scalar("select count(*) from sales_stale_days").fetch_one(&app.pool).await.unwrap()
    };
    while marks().await > 0 {
        rollups.refresh().await.unwrap();
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn ingest(app: &TestApp, records: &[Value]) {
    let answer = app.post("/ingest/sales-daily", json!({"records": records})).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
}

async fn kpis(app: &TestApp, from: i32, to: i32, filter: &str) -> Value {
    let window = format!("start_date={}&end_date={}", START + from, START + to);
    let answer = app.get(&format!("/analytics/kpis?{window}{filter}")).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
    answer.json()["metrics"].clone()
}

/// The metrics of some rows, straight from the contract's table.
#[track_caller]
fn check<'a>(found: &Value, rows: impl Iterator<Item = &'a (i64, i128)>, what: &str) {
    let (mut count, mut units, mut cents) = (0_i64, 0_i64, 0_i128);
    for (quantity, amount) in rows {
        count += 1;
        units += quantity;
        cents += amount;
    }
    let revenue = if count == 0 { "0".to_owned() } else { format!("{}.{:02}", cents / 100, cents % 100) };
    assert_eq!(found["total_revenue"], revenue, "{what}");
    assert_eq!(
        (&found["total_units"], &found["total_transactions"]),
        (&json!(units), &json!(count)),
        "{what}"
    );
    for (name, divisor) in [("avg_unit_price", units), ("avg_basket_value", count)] {
        let average: Option<f64> = found[name].as_str().map(|text| text.parse().unwrap());
        let expected = (divisor > 0).then(|| cents as f64 / 100.0 / divisor as f64);
        match (average, expected) {
            (Some(average), Some(expected)) => {
                assert!((average - expected).abs() <= expected * 1e-12, "{what}");
            }
            (average, expected) => assert_eq!(average, expected, "{what}"),
        }
    }
}

async fn check_windows(app: &TestApp, table: &Table, random: &mut Random) {
    for _ in 0..6 {
        let (a, b) = (random.below(120) as i32, random.below(120) as i32);
        let (from, to) = (a.min(b), a.max(b));
        let store = [None, Some(0), Some(1)][random.below(3)];
        let product = [None, Some(0), Some(1)][random.below(3)];
        let mut filter = String::new();
        if let Some(store) = store {
            filter += &format!("&store_id={}", store + 1);
        }
        if let Some(product) = product {
            filter += &format!("&product_id={}", product + 1);
        }
        let fits = |(day, s, p): &(i32, usize, usize)| {
            (from..=to).contains(day)
                && store.is_none_or(|store| store == *s)
                && product.is_none_or(|product| product == *p)
        };
        let rows = table.iter().filter(|(grain, _)| fits(grain)).map(|(_, row)| row);
        check(&kpis(app, from, to, &filter).await, rows, &format!("{from} to {to}{filter}"));
    }
}

#[tokio::test]
async fn kpis_equal_a_recomputation_while_rows_come_change_and_go() {
    let (app, mut random) = (shop().await, Random(42));
    let mut table = Table::new();
    for step in 0..24 {
        match step % 6 {
            4 => {
                let day = random.below(120) as i32;
                sqlx::query("delete from sales_daily where date = $1::date")
                    .bind((START + day).date())
                    .execute(&app.pool)
                    .await
                    .unwrap();
                table.retain(|grain, _| grain.0 != day);
            }
            5 => {
                // Rows move to another day, too: both days change.
                sqlx::query(
                    "update sales_daily set date = date + 1 where date = (select max(date) from sales_daily)",
                )
                .execute(&app.pool)
                .await
                .unwrap();
                let last = table.keys().map(|grain| grain.0).max().unwrap();
                let moved: Vec<_> =
                    table.iter().filter(|(grain, _)| grain.0 == last).map(|(g, r)| (*g, *r)).collect();
                for ((day, store, product), row) in moved {
                    table.remove(&(day, store, product));
                    table.insert((day + 1, store, product), row);
                }
            }
            _ => {
                let records = batch(&mut random, 40);
                ingest(&app, &records).await;
                apply(&mut table, &records);
            }
        }
        // Before the sums are brought up to date and after: the client sees the same.
        check_windows(&app, &table, &mut random).await;
        if step % 3 == 0 {
            settle(&app).await;
            check_windows(&app, &table, &mut random).await;
        }
    }
    sqlx::query("truncate sales_daily").execute(&app.pool).await.unwrap();
    assert_eq!(kpis(&app, 0, 119, "").await["total_revenue"], "0");
}

/// What the API says of all sales, and the table itself.
async fn everything(app: &TestApp) -> (Vec<String>, Value) {
    let rows = sqlx::query("select concat_ws(' ', store_id, product_id, date, quantity, total_amount) from sales_daily order by 1")
        .fetch_all(&app.pool)
        .await
        .unwrap();
    (rows.iter().map(|row| row.get(0)).collect(), kpis(app, 0, 130, "").await)
}

#[tokio::test]
async fn repeating_batches_in_any_order_changes_nothing() {
    let (app, mut random) = (shop().await, Random(7));
    // Batches that do not overlap: their order does not decide which row wins.
    let mut rows: Vec<Value> = Vec::new();
    for day in 0..60 {
        for (store, sku) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            rows.push(
                json!({"date": (START + day).to_string(), "store_code": STORES[store], "sku": SKUS[sku],
                             "quantity": random.below(9), "unit_price": 1, "total_amount": random.below(99)}),
            );
        }
    }
    let mut batches: Vec<Vec<Value>> = rows.chunks(50).map(<[Value]>::to_vec).collect();
    for batch in &batches {
        ingest(&app, batch).await;
    }
    let first = everything(&app).await;
    for _ in 0..3 {
        random.shuffle(&mut batches);
        for batch in &mut batches {
            random.shuffle(batch);
            ingest(&app, batch).await;
        }
        assert_eq!(everything(&app).await, first);
        settle(&app).await;
        assert_eq!(everything(&app).await, first);
    }
}

#[tokio::test]
async fn writers_and_refreshes_at_once_lose_nothing() {
    let app = shop().await;
    let mut random = Random(11);
    // Two writers with rows of their own on the same days, and somebody who refreshes all the time.
    let mut batches = |store: usize| -> Vec<Vec<Value>> {
        (0..15)
            .map(|_| {
                let mut records = batch(&mut random, 60);
                for record in &mut records {
                    record["store_code"] = json!(STORES[store]);
                }
                records
            })
            .collect()
    };
    let (first, second) = (batches(0), batches(1));
    let write = async |batches: &[Vec<Value>]| {
        for batch in batches {
            ingest(&app, batch).await;
        }
    };
    let refresh = async || {
        for _ in 0..40 {
            Rollups::new(app.pool.clone()).refresh().await.unwrap();
            tokio::task::yield_now().await;
        }
    };
    tokio::join!(write(&first), write(&second), refresh());
    let mut table = Table::new();
    first.iter().chain(&second).for_each(|records| apply(&mut table, records));
    check(&kpis(&app, 0, 119, "").await, table.values(), "before");
    settle(&app).await;
    check(&kpis(&app, 0, 119, "").await, table.values(), "after");
}

#[tokio::test]
async fn a_transaction_that_is_rolled_back_or_open_is_not_seen() {
    let app = shop().await;
    let rollups = Rollups::new(app.pool.clone());
    let insert = "insert into sales_daily (store_id, product_id, date, quantity, unit_price, total_amount)
                  values (1, 1, '2024-01-05', 3, 1, 3)";
    let mut writer = app.pool.begin().await.unwrap();
    sqlx::query(insert).execute(&mut *writer).await.unwrap();
    assert_eq!(kpis(&app, 0, 30, "").await["total_units"], 0);
    // It neither waits for the writer nor takes the mark that it does not see.
    rollups.refresh().await.unwrap();
    assert_eq!(kpis(&app, 0, 30, "").await["total_units"], 0);
    writer.commit().await.unwrap();
    assert_eq!(kpis(&app, 0, 30, "").await["total_units"], 3);
    rollups.refresh().await.unwrap();
    assert_eq!(kpis(&app, 0, 30, "").await["total_units"], 3);
    let mut writer = app.pool.begin().await.unwrap();
    sqlx::query("update sales_daily set quantity = 9").execute(&mut *writer).await.unwrap();
    writer.rollback().await.unwrap();
    assert_eq!(kpis(&app, 0, 30, "").await["total_units"], 3);
}

#[tokio::test]
async fn truncating_waits_for_a_refresh_and_a_refresh_for_it() {
    let app = shop().await;
    let rollups = Rollups::new(app.pool.clone());
    let write = async || {
        for _ in 0..30 {
            sqlx::query(
                "insert into sales_daily (store_id, product_id, date, quantity, unit_price, total_amount)
                 select s, p, '2024-01-01'::date + d, 1, 1, 1
                 from generate_series(1, 2) as s, generate_series(1, 2) as p, generate_series(0, 99) as d",
            )
            .execute(&app.pool)
            .await
            .unwrap();
            sqlx::query("truncate sales_daily").execute(&app.pool).await.unwrap();
        }
    };
    let refresh = async || {
        for _ in 0..60 {
            rollups.refresh().await.unwrap();
        }
    };
    tokio::join!(write(), refresh());
    settle(&app).await;
    let left: i64 =
        sqlx::query_scalar("select count(*) from sales_by_store_day").fetch_one(&app.pool).await.unwrap();
    assert_eq!((left, &kpis(&app, 0, 119, "").await["total_units"]), (0, &json!(0)));
}

#[tokio::test]
async fn loads_without_foreign_keys_and_copies_are_seen() {
    let app = shop().await;
    let mut writer = app.pool.begin().await.unwrap();
    sqlx::query("set local session_replication_role = replica").execute(&mut *writer).await.unwrap();
    sqlx::query(
        "insert into sales_daily (store_id, product_id, date, quantity, unit_price, total_amount)
         select 1, 1, '2024-01-01'::date + i, 1, 1, 1 from generate_series(0, 9) as i",
    )
    .execute(&mut *writer)
    .await
    .unwrap();
    writer.commit().await.unwrap();
    assert_eq!(kpis(&app, 0, 30, "").await["total_units"], 10);
    settle(&app).await;
    assert_eq!(kpis(&app, 0, 30, "").await["total_units"], 10);
    let mut connection = app.pool.acquire().await.unwrap();
    let columns = "store_id, product_id, date, quantity, unit_price, total_amount";
    let mut copy =
        connection.copy_in_raw(&format!("copy sales_daily ({columns}) from stdin csv")).await.unwrap();
    copy.send(&b"2,2,2024-01-05,7,1.00,7.00\n"[..]).await.unwrap();
    copy.finish().await.unwrap();
    assert_eq!(kpis(&app, 0, 30, "").await["total_units"], 17);
}

/// Scans of a whole table since the start, as PostgreSQL counts them.
async fn scans(app: &TestApp) -> i64 {
    // Every connection tells what it did only now and then, or when asked.
    let mut connections = Vec::new();
    for _ in 0..4 {
        connections.push(app.pool.acquire().await.unwrap());
    }
    for connection in &mut connections {
        sqlx::query("select pg_stat_force_next_flush()").execute(&mut **connection).await.unwrap();
    }
    drop(connections);
    sqlx::query_scalar("select coalesce(seq_scan, 0) from pg_stat_user_tables where relname = 'sales_daily'")
        .fetch_one(&app.pool)
        .await
        .unwrap()
}

/// Two million rows: 20 stores, 100 products, 1,000 days.
async fn two_million(app: &TestApp) {
    for statement in [
        "insert into store (code, name) select 'S' || i, 'S' || i from generate_series(1, 20) as i",
        "insert into product (sku, name) select 'P' || i, 'P' || i from generate_series(1, 100) as i",
        "insert into calendar (date, day_of_week, month, quarter, year)
         select day, extract(isodow from day)::int - 1, extract(month from day)::int,
                extract(quarter from day)::int, extract(year from day)::int
         from generate_series('2023-01-01'::date, '2025-12-31', '1 day') as day",
        // A load like this checks foreign keys afterwards, all at once; here nothing of them is tested.
        "alter table sales_daily drop constraint sales_daily_store_id_fkey, drop constraint sales_daily_product_id_fkey, drop constraint sales_daily_date_fkey",
        "insert into sales_daily (store_id, product_id, date, quantity, unit_price, total_amount)
         select s, p, '2023-01-01'::date + d, (s + p + d) % 20, 2.50, ((s + p + d) % 20) * 2.50
         from generate_series(1, 20) as s, generate_series(1, 100) as p, generate_series(0, 999) as d",
        "vacuum analyze sales_daily",
    ] {
        sqlx::query(statement).execute(&app.pool).await.unwrap();
    }
}

#[tokio::test]
async fn two_million_rows_are_not_scanned_for_a_series_or_a_month() {
    let app = TestApp::new().await;
    two_million(&app).await;
    let plan = async |statement: &'static str| -> String {
        let rows = sqlx::query(statement).fetch_all(&app.pool).await.unwrap();
        rows.iter().map(|row| row.get::<String, _>(0)).collect::<Vec<_>>().join("\n")
    };
    let series = plan(
        "explain select date, quantity, unit_price::float8 from sales_daily
         where store_id = 7 and product_id = 33 and date between '2023-01-01' and '2025-12-31' order by date",
    )
    .await;
    assert!(!series.contains("Seq Scan on sales_daily"), "{series}");

    // What requests really do, with all days marked as written and after the sums are made.
    let month = "start_date=2024-06-01&end_date=2024-06-30";
    let year = "start_date=2024-01-01&end_date=2024-12-31";
    let before = scans(&app).await;
    let body = app.get(&format!("/analytics/kpis?{month}&store_id=7&product_id=33")).await.json();
    assert_eq!(body["metrics"]["total_transactions"], 30);
    assert_eq!(scans(&app).await, before);
    // A read that finds marks starts a refresh, which may scan.
    let body = app.get(&format!("/analytics/kpis?{month}")).await.json();
    assert_eq!(body["metrics"]["total_transactions"], 60_000);
    settle(&app).await;
    let before = scans(&app).await;
    for (query, rows) in
        [(month.to_owned(), 60_000), (year.to_owned(), 732_000), (format!("{month}&product_id=5"), 600)]
    {
        let body = app.get(&format!("/analytics/kpis?{query}")).await.json();
        assert_eq!(body["metrics"]["total_transactions"], rows, "{query}");
    }
    for dimension in ["store", "product", "date"] {
        let body = app.get(&format!("/analytics/drilldowns?dimension={dimension}&{year}")).await;
        assert_eq!(body.status.as_u16(), 200, "{}", body.text);
    }
    app.get(&format!("/analytics/drilldowns?dimension=store&{year}&product_id=5")).await.json();
    // A day that was written since is read by its index.
    sqlx::query("update sales_daily set quantity = quantity + 1 where date = '2024-06-15'")
        .execute(&app.pool)
        .await
        .unwrap();
    let body = app.get(&format!("/analytics/kpis?{month}")).await.json();
    assert_eq!(body["metrics"]["total_transactions"], 60_000);
    assert_eq!(scans(&app).await, before);
}
