//! Laws of ingest and of the sums made of it, on random data.

use axum::body::Body;
use axum::http::Request;
use polars::prelude::{ChunkCompareEq, ChunkCompareIneq, DataFrame, NamedFrom, Series};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use sqlx::Row as _;

use crate::support::app::TestApp;
use crate::support::data;

const STORES: [&str; 2] = ["BER-01", "BER-02"];
const SKUS: [&str; 2] = ["TEA-250", "TEA-500"];

/// Day of January 2024, store, product, quantity, cents.
type Row = (usize, usize, usize, i64, i64);

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let row = (1_usize..=31, 0_usize..2, 0_usize..2, 0_i64..50, 0_i64..100_000);
    proptest::collection::vec(row, 1..60)
}

fn money(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

fn records(rows: &[Row]) -> Value {
    let record = |(day, store, product, quantity, cents): &Row| {
        json!({"date": format!("2024-01-{day:02}"), "store_code": STORES[*store], "sku": SKUS[*product],
               "quantity": quantity, "unit_price": "1.00", "total_amount": money(*cents)})
    };
    json!({"records": rows.iter().map(record).collect::<Vec<_>>()})
}

fn csv(rows: &[Row]) -> String {
    let line = |(day, store, product, quantity, cents): &Row| {
        format!("2024-01-{day:02},{},{},{quantity},1.00,{}\n", STORES[*store], SKUS[*product], money(*cents))
    };
    "date,store_code,sku,quantity,unit_price,total_amount\n".to_owned()
        + &rows.iter().map(line).collect::<String>()
}

async fn shop() -> TestApp {
    let app = TestApp::new().await;
    data::shop(&app.pool).await;
    app
}

async fn send(app: &TestApp, rows: &[Row], as_csv: bool) {
    let answer = if as_csv {
        let request = Request::post("/ingest/sales-daily").header("content-type", "text/csv");
        app.send(request.body(Body::from(csv(rows))).unwrap()).await
    } else {
        app.post("/ingest/sales-daily", records(rows)).await
    };
    assert_eq!(answer.json()["processed_count"], rows.len(), "{}", answer.text);
}

async fn table(app: &TestApp) -> Vec<String> {
    let rows = sqlx::query(
        "select concat_ws(' ', store_id, product_id, date, quantity, unit_price, total_amount, channel)
         from sales_daily order by store_id, product_id, date",
    );
    rows.fetch_all(&app.pool).await.unwrap().iter().map(|row| row.get(0)).collect()
}

/// Each grain once, with its last row.
fn last_of_each(rows: &[Row]) -> Vec<Row> {
    let grain = |row: &Row| (row.0, row.1, row.2);
    let last = |(i, row): &(usize, &Row)| !rows[i + 1..].iter().any(|later| grain(later) == grain(row));
    rows.iter().enumerate().filter(last).map(|(_, row)| *row).collect()
}

/// Runs a law on a runtime, in few cases: each has a database of its own.
fn law<S: Strategy>(cases: u32, strategy: S, law: impl AsyncFn(S::Value)) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 20, ..Config::default() };
    let check = |value| {
        runtime.block_on(law(value));
        Ok(())
    };
    TestRunner::new(config).run(&strategy, check).unwrap();
}

#[test]
fn a_batch_gives_the_same_table_in_any_order_and_any_number_of_times() {
    let shuffled = rows().prop_flat_map(|rows| {
        let distinct = last_of_each(&rows);
        (Just(rows), Just(distinct).prop_shuffle(), any::<bool>(), 1_usize..20)
    });
    law(12, shuffled, async |(rows, distinct, as_csv, piece)| {
        let (app, peer) = (shop().await, shop().await);
        send(&app, &rows, false).await;
        let once = table(&app).await;
        send(&app, &rows, as_csv).await;
        assert_eq!(table(&app).await, once);
        // The same facts in another order, in pieces, twice.
        for rows in distinct.chunks(piece).chain(distinct.chunks(piece)) {
            send(&peer, rows, as_csv).await;
        }
        assert_eq!(table(&peer).await, once);
    });
}

fn frame(rows: &[Row]) -> DataFrame {
    let column = |name: &str, value: fn(&Row) -> i64| {
        Series::new(name.into(), rows.iter().map(value).collect::<Vec<_>>()).into()
    };
    let columns = vec![
        column("day", |row| row.0 as i64),
        column("store_id", |row| row.1 as i64 + 1),
        column("product_id", |row| row.2 as i64 + 1),
        column("quantity", |row| row.3),
        column("cents", |row| row.4),
    ];
    DataFrame::new(rows.len(), columns).unwrap()
}

fn numbers<'a>(frame: &'a DataFrame, name: &str) -> &'a polars::prelude::Int64Chunked {
    frame.column(name).unwrap().as_materialized_series().i64().unwrap()
}

fn sum(frame: &DataFrame, name: &str) -> i64 {
    numbers(frame, name).iter().flatten().sum()
}

#[test]
fn kpis_and_drilldowns_equal_a_recomputation_in_polars() {
    let windows = (rows(), 1_i64..=31, 1_i64..=31, proptest::option::of(1_i64..=2));
    law(12, windows, async |(rows, a, b, store)| {
        let app = shop().await;
        send(&app, &rows, false).await;
        let (first, last) = (a.min(b), a.max(b));
        let all = frame(&last_of_each(&rows));
        let days = numbers(&all, "day");
        let mut mask = days.gt_eq(first) & days.lt_eq(last);
        let mut query = format!("start_date=2024-01-{first:02}&end_date=2024-01-{last:02}");
        if let Some(store) = store {
            mask = mask & numbers(&all, "store_id").equal(store);
            query += &format!("&store_id={store}");
        }
        let sold = all.filter(&mask).unwrap();
        let metrics = app.get(&format!("/analytics/kpis?{query}")).await.json()["metrics"].clone();
        let revenue = |frame: &DataFrame| match frame.height() {
            0 => "0".to_owned(),
            _ => money(sum(frame, "cents")),
        };
        assert_eq!(metrics["total_revenue"], revenue(&sold), "{metrics}");
        assert_eq!(metrics["total_units"], sum(&sold, "quantity"));
        assert_eq!(metrics["total_transactions"], sold.height());

        let answer = app.get(&format!("/analytics/drilldowns?dimension=product&{query}")).await.json();
        let items = answer["items"].as_array().unwrap();
        let products: Vec<i64> = (1..=2).filter(|p| numbers(&sold, "product_id").equal(*p).any()).collect();
        assert_eq!(items.len(), products.len(), "{answer}");
        for product in products {
            let part = sold.filter(&numbers(&sold, "product_id").equal(product)).unwrap();
            let item = items.iter().find(|item| item["dimension_id"] == product).unwrap();
            assert_eq!(item["metrics"]["total_revenue"], revenue(&part), "{answer}");
            assert_eq!(item["metrics"]["total_units"], sum(&part, "quantity"), "{answer}");
        }
    });
}
