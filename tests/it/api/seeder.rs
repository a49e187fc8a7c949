//! `/seeder/*`. Contract: `seeder.md`.

use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::Request;
use retailcast::config::AppEnv;
use serde_json::{Value, json};
use sqlx::{PgPool, Row};

use crate::support::app::{Answer, TestApp};

/// Small, and yet with promotions, changes of prices and stock-outs.
fn small() -> Value {
    json!({"scenario": "stockout_heavy", "stores": 3, "products": 12, "start_date": "2026-01-01", "end_date": "2026-01-31", "seed": 7})
}

/// [`small`] with further members.
fn small_with(more: Value) -> Value {
    let mut body = small();
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

async fn generate(app: &TestApp, body: Value) -> Value {
    let answer = app.post("/seeder/generate", body).await;
    assert_eq!(answer.status.as_u16(), 201, "{}", answer.text);
    answer.json()
}

async fn delete(app: &TestApp, body: &str) -> Answer {
    let request = Request::delete("/seeder/data").header("content-type", "application/json");
    app.send(request.body(Body::from(body.to_owned())).unwrap()).await
}

async fn one(pool: &PgPool, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(pool).await.unwrap_or_else(|e| panic!("{sql}: {e}"))
}

async fn run(pool: &PgPool, sql: &'static str) {
    sqlx::query(sql).execute(pool).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
}

/// Every row of a query as text.
async fn rows(pool: &PgPool, sql: &'static str) -> Vec<String> {
    let rows = sqlx::query(sql).fetch_all(pool).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
    rows.iter().map(|row| row.get(0)).collect()
}

const SALES: &str =
    "select concat_ws(' ', store.code, product.sku, date, quantity, unit_price, total_amount, channel)
    from sales_daily join store on store.id = store_id join product on product.id = product_id order by 1";
const STOCK: &str = "select concat_ws(' ', store.code, product.sku, date, on_hand_qty, on_order_qty, is_stockout)
    from inventory_snapshot_daily join store on store.id = store_id join product on product.id = product_id order by 1";
const PRICES: &str = "select concat_ws(' ', product.sku, store.code, price, valid_from, valid_to)
    from price_history left join store on store.id = store_id join product on product.id = product_id order by 1";
const PROMOTIONS: &str = "select concat_ws(' ', product.sku, store.code, promotion.name, discount_pct, discount_amount, start_date, end_date)
    from promotion left join store on store.id = store_id join product on product.id = product_id order by 1";

#[tokio::test]
async fn an_empty_database() {
    let app = TestApp::new().await;
    insta::assert_json_snapshot!("status_empty", app.get("/seeder/status").await.json());
    insta::assert_json_snapshot!("verify_empty", app.post("/seeder/verify", json!({})).await.json());
    app.post("/seeder/append", json!({"start_date": "2026-01-01", "end_date": "2026-01-02"}))
        .await
        .problem(400, "bad-request");
    assert_eq!(one(&app.pool, "select count(*) from calendar").await, 0);
}

#[tokio::test]
async fn fixed_lists() {
    let app = TestApp::new().await;
    let channels = json!({"channels": ["click_collect", "in_store", "online", "wholesale"], "total": 4});
    assert_eq!(app.get("/seeder/channels").await.json(), channels);
    let scenarios = app.get("/seeder/scenarios").await.json();
    let names: Vec<&str> =
        scenarios.as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "retail_standard",
            "holiday_rush",
            "high_variance",
            "stockout_heavy",
            "new_launches",
            "sparse",
            "demo_minimal"
        ]
    );
    insta::assert_json_snapshot!("holiday_rush", scenarios[1]);
    assert_eq!((&scenarios[4]["products"], &scenarios[6]["stores"]), (&json!(100), &json!(3)));
    let today = sqlx::types::chrono::Utc::now().date_naive();
    assert_eq!(scenarios[0]["end_date"], today.to_string());
    assert_eq!(scenarios[6]["start_date"], today.iter_days().rev().nth(91).unwrap().to_string());
}

#[tokio::test]
async fn generate_fills_every_table_that_is_on() {
    let app = TestApp::new().await;
    let created = generate(&app, small()).await;
    insta::assert_json_snapshot!("generate", created, {".duration_seconds" => "[seconds]"});
    assert!(created["duration_seconds"].is_f64());
    let counts = &created["records_created"];
    let status = app.get("/seeder/status").await.json();
    for name in ["stores", "products", "calendar", "sales", "inventory", "price_history", "promotions"] {
        assert_eq!(status[name], counts[name], "{name}");
    }
    insta::assert_json_snapshot!("status", status, {".last_updated" => "[moment]"});
    let moment = status["last_updated"].as_str().unwrap();
    assert!(moment.ends_with('Z') && moment.starts_with("20"), "{moment}");

    let wrong = "select count(*) from sales_daily where total_amount <> unit_price * quantity or channel <> 'in_store'";
    assert_eq!(one(&app.pool, wrong).await, 0);
    // Stock-outs have no sales; everything else has.
    let missing = "select count(*) from inventory_snapshot_daily as stock left join sales_daily as sale
                   using (store_id, product_id, date) where stock.is_stockout <> (sale.date is null)";
    assert_eq!(one(&app.pool, missing).await, 0);
    // Also where foreign keys are not looked up: the sums of analytics know that these days are new.
    let unmarked = "select count(*) from sales_daily where not exists (select from sales_stale_days where dates @> date)";
    assert_eq!(one(&app.pool, unmarked).await, 0);
    let role =
        "select count(*) from pg_settings where name = 'session_replication_role' and setting <> 'origin'";
    assert_eq!(one(&app.pool, role).await, 0);
    let optional = "select count(*) from product where subcategory is not null or pack_size is not null
                    or launch_date is not null or lifecycle_stage is not null";
    assert_eq!(one(&app.pool, optional).await, 0);
    assert_eq!(
        rows(
            &app.pool,
            "select concat_ws(' ', date, holiday_name) from calendar where is_holiday order by date"
        )
        .await,
        ["2026-01-01 New Year's Day", "2026-01-19 Martin Luther King Jr. Day"]
    );
    let verified = app.post("/seeder/verify", json!({})).await.json();
    insta::assert_json_snapshot!("verify_good", verified);
}

#[tokio::test]
async fn a_dry_run_writes_nothing() {
    let app = TestApp::new().await;
    let answer = generate(&app, json!({"scenario": "demo_minimal", "dry_run": true, "products": 11})).await;
    insta::assert_json_snapshot!("generate_dry", answer);
    assert!(answer["duration_seconds"].is_f64());
    for table in
        ["select count(*) from store", "select count(*) from product", "select count(*) from calendar"]
    {
        assert_eq!(one(&app.pool, table).await, 0);
    }
}

#[tokio::test]
async fn the_same_seed_gives_the_same_data_and_a_repetition_nothing_more() {
    let app = TestApp::new().await;
    let everything = small_with(
        json!({"enable_returns": true, "enable_lead_time": true, "enable_exogenous": true,
        "enable_markdowns": true, "markdown_trigger": "stockout_risk", "enable_bundles": true, "enable_multichannel": true}),
    );
    let first = generate(&app, everything.clone()).await;
    let before = app.get("/seeder/status").await.json();
    let data = async || {
        let mut data = Vec::new();
        for sql in [SALES, STOCK, PRICES, PROMOTIONS] {
            data.push(rows(&app.pool, sql).await);
        }
        data
    };
    let original = data().await;
    let again = generate(&app, everything.clone()).await;
    assert_eq!(first["records_created"], again["records_created"]);
    assert_eq!(app.get("/seeder/status").await.json(), before);
    assert_eq!(data().await, original);

    // Ids go on counting, and the data does not depend on them.
    assert_eq!(delete(&app, "{}").await.status.as_u16(), 200);
    generate(&app, everything.clone()).await;
    assert_eq!(data().await, original);
    assert!(one(&app.pool, "select min(id)::bigint from store").await > 3);

    delete(&app, "{}").await;
    let mut other = everything;
    other["seed"] = json!(8);
    generate(&app, other).await;
    assert_ne!(data().await, original);
}

#[tokio::test]
async fn another_seed_adds_dimensions_and_facts_for_all_of_them() {
    let app = TestApp::new().await;
    generate(&app, small()).await;
    let more = generate(&app, small_with(json!({"seed": 8, "stores": 1, "products": 2}))).await;
    assert_eq!(
        (&more["records_created"]["stores"], &more["records_created"]["products"]),
        (&json!(4), &json!(14))
    );
    assert_eq!(more["records_created"]["inventory"], 4 * 14 * 31);
    assert_eq!(one(&app.pool, "select count(*) from inventory_snapshot_daily").await, 4 * 14 * 31);
}

#[tokio::test]
async fn optional_features_change_no_unrelated_table() {
    let app = TestApp::new().await;
    generate(&app, small()).await;
    let (sales, stock) = (rows(&app.pool, SALES).await, rows(&app.pool, STOCK).await);
    let (prices, promotions) = (rows(&app.pool, PRICES).await, rows(&app.pool, PROMOTIONS).await);
    for (features, filled) in [
        (json!({"enable_exogenous": true}), "select count(*) from exogenous_signal"),
        (json!({"enable_returns": true}), "select count(*) from sales_returns"),
        (
            json!({"enable_lead_time": true, "mean_lead_time_days": 0}),
            "select count(*) from replenishment_event",
        ),
    ] {
        delete(&app, "{}").await;
        generate(&app, small_with(features)).await;
        assert!(one(&app.pool, filled).await > 0, "{filled}");
        assert_eq!(rows(&app.pool, SALES).await, sales);
        assert_eq!(rows(&app.pool, STOCK).await, stock);
        assert_eq!(rows(&app.pool, PRICES).await, prices);
        assert_eq!(rows(&app.pool, PROMOTIONS).await, promotions);
    }
    // Bundles change promotions and not when they are; channels change sales' channels alone.
    delete(&app, "{}").await;
    generate(
        &app,
        small_with(json!({"enable_bundles": true, "bundle_probability": 1, "enable_multichannel": true})),
    )
    .await;
    assert_eq!(rows(&app.pool, STOCK).await, stock);
    assert_eq!(rows(&app.pool, PRICES).await, prices);
    let without_channel = |rows: &[String]| -> Vec<String> {
        rows.iter().map(|row| row.rsplit_once(' ').unwrap().0.to_owned()).collect()
    };
    assert_eq!(without_channel(&rows(&app.pool, SALES).await), without_channel(&sales));
    assert!(one(&app.pool, "select count(*) from sales_daily where channel = 'online'").await > 0);
    let plain = "select count(*) from promotion where kind not in ('bogo', 'bundle') or bundle_member_product_ids is null";
    assert_eq!(one(&app.pool, plain).await, 0);
}

#[tokio::test]
async fn life_cycles_and_markdowns() {
    let app = TestApp::new().await;
    let body = json!({"stores": 2, "products": 40, "start_date": "2025-01-01", "end_date": "2025-12-31", "enable_lifecycle": true,
        "lifecycle_discontinue_probability": 0.5, "enable_markdowns": true});
    generate(&app, body).await;
    let broken = "select count(*) from product where subcategory is null or pack_size is null or launch_date is null
                  or lifecycle_stage <> 'intro' or discontinue_date < launch_date + 120 or discontinue_date > '2025-12-31'";
    assert_eq!(one(&app.pool, broken).await, 0);
    assert!(one(&app.pool, "select count(*) from product where discontinue_date is not null").await > 0);
    let before_launch = "select count(*) from sales_daily join product on product.id = product_id
                         where quantity > 0 and (date < launch_date or date >= discontinue_date)";
    assert_eq!(one(&app.pool, before_launch).await, 0);
    let markdowns = "select count(*) from promotion join product on product.id = product_id
                     where kind = 'markdown' and store_id is null and discount_pct = 0.3
                       and start_date = launch_date + 270 and end_date = least(start_date + 13, '2025-12-31')";
    let all = one(&app.pool, "select count(*) from promotion where kind = 'markdown'").await;
    assert!(all > 0);
    assert_eq!(one(&app.pool, markdowns).await, all);
    let priced = "select count(*) from promotion join product on product.id = product_id
                  join price_history on price_history.product_id = product.id and valid_from = start_date and valid_to = end_date
                  where kind = 'markdown' and price = round(base_price * 0.7, 2)";
    // Half a cent is rounded to even here and upwards there.
    assert!(one(&app.pool, priced).await >= all - all / 4);
}

#[tokio::test]
async fn launches_ramp_up_and_the_holidays_of_a_preset_are_in_the_calendar() {
    let app = TestApp::new().await;
    generate(&app, json!({"scenario": "new_launches", "stores": 1, "products": 5})).await;
    let launched = "select count(*) from product where launch_date is not null and lifecycle_stage is null";
    assert_eq!(one(&app.pool, launched).await, 5);
    let early = "select count(*) from sales_daily join product on product.id = product_id where date <= launch_date and quantity > 0";
    assert_eq!(one(&app.pool, early).await, 0);
    delete(&app, "{}").await;
    let rush = generate(&app, json!({"scenario": "holiday_rush", "stores": 1, "products": 2})).await;
    assert_eq!(rush["records_created"]["calendar"], 92);
    let eve = "select count(*) from calendar where is_holiday and holiday_name = 'Christmas Eve' and date = '2024-12-24'";
    assert_eq!(one(&app.pool, eve).await, 1);
}

#[tokio::test]
async fn appended_days_join_without_overlapping_prices() {
    let app = TestApp::new().await;
    generate(&app, small()).await;
    let window = json!({"start_date": "2026-02-01", "end_date": "2026-02-28"});
    let answer = app.post("/seeder/append", window.clone()).await;
    assert_eq!(answer.status.as_u16(), 201, "{}", answer.text);
    let created = answer.json();
    insta::assert_json_snapshot!("append", created, {".duration_seconds" => "[seconds]"});
    let overlaps = "select count(*) from price_history as a join price_history as b
                    on a.id < b.id and a.product_id = b.product_id and a.store_id is not distinct from b.store_id
                    and daterange(a.valid_from, a.valid_to, '[]') && daterange(b.valid_from, b.valid_to, '[]')";
    assert_eq!(one(&app.pool, overlaps).await, 0);
    let closed =
        "select count(*) from price_history where valid_to = '2026-01-31' and valid_from < '2026-02-01'";
    assert!(one(&app.pool, closed).await > 0);
    let status = app.get("/seeder/status").await.json();
    assert_eq!((&status["calendar"], &status["date_range_end"]), (&json!(59), &json!("2026-02-28")));
    // Again: nothing more, the same numbers.
    let again = app.post("/seeder/append", window).await.json();
    assert_eq!(again["records_created"], created["records_created"]);
    let after = app.get("/seeder/status").await.json();
    assert_eq!(after, status);
    for (body, field, kind) in [
        (json!({"start_date": "2026-02-02", "end_date": "2026-02-01"}), "end_date", "value_error"),
        (json!({"start_date": "2026-02-02"}), "end_date", "missing"),
        (
            json!({"start_date": "2026-02-01", "end_date": "2026-02-02", "seed": -1}),
            "seed",
            "greater_than_equal",
        ),
    ] {
        let invalid = app.post("/seeder/append", body).await.invalid();
        assert_eq!(invalid, [(field.to_owned(), kind.to_owned())]);
    }
}

#[tokio::test]
async fn sales_follow_the_prices_in_the_database() {
    let app = TestApp::new().await;
    generate(&app, small()).await;
    let wrong = "select count(*) from sales_daily as sale join product on product.id = sale.product_id
        left join lateral (
            select price from price_history as p
            where p.product_id = sale.product_id and (p.store_id = sale.store_id or p.store_id is null)
              and p.valid_from <= sale.date and (p.valid_to is null or p.valid_to >= sale.date)
            order by p.store_id is null, p.valid_from desc, p.id desc limit 1
        ) as valid on true
        where sale.unit_price <> coalesce(valid.price, product.base_price)";
    assert_eq!(one(&app.pool, wrong).await, 0);
    // Imported products have no base price; they sell at nothing, and nothing breaks.
    run(&app.pool, "insert into product (sku, name) values ('BARE', 'Bare')").await;
    generate(&app, small()).await;
    let bare = "select count(*) from sales_daily join product on product.id = product_id where sku = 'BARE' and unit_price = 0";
    assert!(one(&app.pool, bare).await > 0);
    assert_eq!(one(&app.pool, wrong).await, one(&app.pool, "select 0::bigint").await);
}

#[tokio::test]
async fn deleting() {
    let app = TestApp::new().await;
    assert_eq!(delete(&app, "").await.invalid(), [(String::new(), "missing".to_owned())]);
    for (body, field, kind) in [
        (r#"{"scope": "everything"}"#, "scope", "literal_error"),
        (r#"{"scope": null}"#, "scope", "literal_error"),
        (r#"{"dry_run": "perhaps"}"#, "dry_run", "bool_parsing"),
    ] {
        assert_eq!(delete(&app, body).await.invalid(), [(field.to_owned(), kind.to_owned())]);
    }
    generate(&app, small_with(json!({"enable_returns": true}))).await;
    let filled = app.get("/seeder/status").await.json();
    let dry = delete(&app, r#"{"scope": "dimensions", "dry_run": true}"#).await;
    assert_eq!(dry.status.as_u16(), 200);
    insta::assert_json_snapshot!("delete_dimensions_dry", dry.json());
    assert_eq!(app.get("/seeder/status").await.json(), filled);

    let facts = delete(&app, r#"{"scope": "facts"}"#).await.json();
    insta::assert_json_snapshot!("delete_facts", facts);
    let left = app.get("/seeder/status").await.json();
    assert_eq!((&left["stores"], &left["sales"], &left["price_history"]), (&json!(3), &json!(0), &json!(0)));
    let tables: Vec<String> = delete(&app, r#"{"scope": "dimensions"}"#).await.json()["records_deleted"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    assert_eq!(
        tables,
        [
            "replenishment_event",
            "sales_returns",
            "exogenous_signal",
            "sales_daily",
            "inventory_snapshot_daily",
            "price_history",
            "promotion",
            "store",
            "product",
            "calendar"
        ]
    );
    assert_eq!(app.get("/seeder/status").await.json()["stores"], 0);
}

#[tokio::test]
async fn verify_finds_what_is_broken() {
    let app = TestApp::new().await;
    generate(&app, small()).await;
    for statement in [
        "alter table sales_daily drop constraint ck_sales_daily_quantity_positive",
        "alter table sales_daily drop constraint sales_daily_store_id_fkey",
        "alter table sales_returns drop constraint ck_sales_returns_quantity_positive",
        "alter table exogenous_signal drop constraint ck_exogenous_signal_global_consistency",
        "alter table product drop constraint ck_product_lifecycle_dates_order",
        "alter table replenishment_event drop constraint ck_replenishment_event_received_le_ordered",
        "insert into sales_daily (store_id, product_id, date, quantity, unit_price, total_amount)
         select 9999, min(id), '2026-01-01', -1, 1, 1 from product",
        "insert into sales_returns (date, store_id, product_id, return_quantity, return_reason)
         select '2026-01-01', store.id, product.id, 0, 'x' from store, product limit 2",
        "insert into exogenous_signal (date, signal_name, store_id, is_global, value) values ('2026-01-01', 'x', null, false, 1)",
        "insert into promotion (product_id, name, kind, bundle_member_product_ids, start_date, end_date)
         select min(id), 'x', 'bogo', '[]', '2026-01-01', '2026-01-01' from product",
        "update product set launch_date = '2026-01-02', discontinue_date = '2026-01-01' where id = (select min(id) from product)",
        "insert into replenishment_event (date, store_id, product_id, lead_time_days, ordered_qty, received_qty)
         select '2026-01-01', store.id, product.id, 1, 1, 2 from store, product limit 1",
        "delete from calendar where false",
        "insert into calendar (date, day_of_week, month, quarter, year) values ('2026-03-01', 6, 3, 1, 2026)",
    ] {
        run(&app.pool, statement).await;
    }
    let answer = app.post("/seeder/verify", json!({})).await;
    assert_eq!(answer.status.as_u16(), 200);
    insta::assert_json_snapshot!("verify_broken", answer.json());
}

#[tokio::test]
async fn every_bound_of_generate() {
    let app = TestApp::new().await;
    for (body, field, kind) in [
        (json!({"scenario": "nothing"}), "scenario", "literal_error"),
        (json!({"scenario": 5}), "scenario", "string_type"),
        (json!({"seed": -1}), "seed", "greater_than_equal"),
        (json!({"stores": 0}), "stores", "greater_than_equal"),
        (json!({"stores": 101}), "stores", "less_than_equal"),
        (json!({"stores": null}), "stores", "int_type"),
        (json!({"products": 501}), "products", "less_than_equal"),
        (json!({"products": 1.5}), "products", "int_from_float"),
        (json!({"start_date": "2026-01-02", "end_date": "2026-01-01"}), "end_date", "value_error"),
        (json!({"start_date": "2026-01-02T08:00:00"}), "start_date", "date_from_datetime_inexact"),
        (json!({"sparsity": 1.01}), "sparsity", "less_than_equal"),
        (
            json!({"changepoints": [{"date": "2026-01-01", "demand_multiplier": 1, "decay_days": 3651}]}),
            "changepoints.0.decay_days",
            "less_than_equal",
        ),
        (
            json!({"changepoints": [{"demand_multiplier": -1, "date": "2026-01-01"}]}),
            "changepoints.0.demand_multiplier",
            "greater_than_equal",
        ),
        (json!({"substitute_groups": [[1], ["x"]]}), "substitute_groups.1.0", "int_parsing"),
        (json!({"channel_mix": {"shop": 1}}), "channel_mix.shop", "literal_error"),
        (json!({"channel_mix": {"online": 0}}), "channel_mix", "value_error"),
        (json!({"markdown_trigger": "age_days"}), "markdown_trigger", "literal_error"),
        (json!({"mean_lead_time_days": 366}), "mean_lead_time_days", "less_than_equal"),
        (json!({"enable_returns": null}), "enable_returns", "bool_type"),
    ] {
        let invalid = app.post("/seeder/generate", body.clone()).await.invalid();
        assert_eq!(invalid, [(field.to_owned(), kind.to_owned())], "{body}");
    }
    let named = app.post("/seeder/generate", json!({"scenario": "nothing"})).await;
    assert!(named.text.contains("holiday_rush") && named.text.contains("demo_minimal"));
    let enormous = json!({"start_date": "0001-01-01", "end_date": "9999-12-31"});
    let problem = app.post("/seeder/generate", enormous).await.problem(400, "bad-request");
    assert!(problem["detail"].as_str().unwrap().contains("200000000"));
    let explosive = small_with(json!({"changepoints": [{"date": "2026-01-05", "demand_multiplier": 1e9}]}));
    app.post("/seeder/generate", explosive).await.problem(400, "bad-request");
    // Nothing is left of a run that failed half-way, and the next one works.
    assert_eq!(one(&app.pool, "select count(*) from store").await, 0);
    generate(&app, small()).await;
}

#[tokio::test]
async fn production_is_blocked_before_anything_else_is_looked_at() {
    let app = TestApp::with(|config| config.app.env = AppEnv::Production).await;
    app.post_text("/seeder/generate", "not json").await.problem(403, "forbidden");
    app.post("/seeder/generate", json!({"dry_run": true})).await.problem(403, "forbidden");
    let problem = app.post_text("/seeder/append", "").await.problem(403, "forbidden");
    assert_eq!((&problem["code"], &problem["title"]), (&json!("FORBIDDEN"), &json!("Forbidden")));
    delete(&app, "").await.problem(403, "forbidden");
    for path in ["/seeder/status", "/seeder/scenarios", "/seeder/channels"] {
        assert_eq!(app.get(path).await.status.as_u16(), 200);
    }
    assert_eq!(app.post("/seeder/verify", json!({})).await.status.as_u16(), 200);
    let lifted = TestApp::with(|config| {
        config.app.env = AppEnv::Production;
        config.seeder.allow_production = true;
    })
    .await;
    generate(&lifted, small()).await;
}

#[tokio::test]
async fn one_at_a_time() {
    let app = TestApp::new().await;
    // What another process would hold.
    let mut other = app.pool.begin().await.unwrap();
    sqlx::query("select pg_advisory_xact_lock(x'7263536565646572'::bigint)")
        .execute(&mut *other)
        .await
        .unwrap();
    let window = json!({"start_date": "2026-01-01", "end_date": "2026-01-02"});
    app.post("/seeder/generate", small()).await.problem(409, "conflict");
    app.post("/seeder/append", window).await.problem(409, "conflict");
    delete(&app, "{}").await.problem(409, "conflict");
    assert_eq!(app.get("/seeder/status").await.status.as_u16(), 200);
    generate(&app, small_with(json!({"dry_run": true}))).await;
    other.rollback().await.unwrap();
    generate(&app, small()).await;
}

#[tokio::test]
async fn a_client_that_goes_away_leaves_nothing_behind() {
    let app = TestApp::new().await;
    for patience in [50, 300, 1_000] {
        // A million and a half rows: no machine is done with them by then.
        let run = app.post("/seeder/generate", json!({"stores": 20, "products": 100}));
        // Dropped half-way, as when a client closes its connection.
        let gone = tokio::time::timeout(Duration::from_millis(patience), run).await;
        assert!(gone.is_err(), "done within {patience} ms");
        // The lock is free as soon as the transaction is rolled back.
        let end = Instant::now() + Duration::from_secs(30);
        while delete(&app, "{}").await.status.as_u16() == 409 {
            assert!(Instant::now() < end, "still locked");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(one(&app.pool, "select count(*) from store").await, 0);
    }
    generate(&app, small()).await;
}

#[tokio::test]
async fn threads_and_batches_do_not_matter() {
    let with = async |threads: usize, batch: usize| {
        let app = TestApp::with(|config| {
            config.compute.threads = threads;
            config.seeder.batch_size = batch;
        })
        .await;
        generate(&app, small_with(json!({"sparsity": 0.3, "enable_returns": true}))).await;
        (rows(&app.pool, SALES).await, rows(&app.pool, STOCK).await, rows(&app.pool, PRICES).await)
    };
    let one = with(1, 1_000).await;
    assert!(one.0.len() > 200);
    assert_eq!(with(4, 7).await, one);
}

#[tokio::test]
async fn signals() {
    let app = TestApp::new().await;
    let body = small_with(json!({"stores": 2, "products": 1, "enable_exogenous": true}));
    let created = generate(&app, body).await;
    assert_eq!(created["records_created"]["exogenous_signals"], 3 * 31);
    let (first, second) = (
        one(&app.pool, "select min(id)::bigint from store").await,
        one(&app.pool, "select max(id)::bigint from store").await,
    );
    let path = "/seeder/exogenous?signal_name=weather_temp_c&start_date=2026-01-30&end_date=2026-02-10";
    let all = app.get(path).await.json();
    let found: Vec<(Value, Value)> = all["records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| (r["date"].clone(), r["store_id"].clone()))
        .collect();
    let row = |day: &str, store: i64| (json!(day), json!(store));
    assert_eq!(
        found,
        [
            row("2026-01-30", first),
            row("2026-01-30", second),
            row("2026-01-31", first),
            row("2026-01-31", second)
        ]
    );
    run(&app.pool, "insert into exogenous_signal (date, signal_name, is_global, value) values ('2026-01-31', 'weather_temp_c', true, 'NaN')").await;
    let own = app.get(&format!("{path}&store_id={second}")).await.json();
    insta::assert_json_snapshot!("signals", own, {".records[].value" => "[number]", ".records[].store_id" => "[id]", ".store_id" => "[id]"});
    assert_eq!(own["records"][1]["value"], Value::Null);
    let economy = app
        .get("/seeder/exogenous?signal_name=macro_index&start_date=2026-01-01&end_date=2026-12-31")
        .await
        .json();
    assert_eq!((&economy["total"], &economy["records"][0]["is_global"]), (&json!(31), &json!(true)));
    let unknown =
        app.get("/seeder/exogenous?signal_name=x&start_date=2026-01-01&end_date=2028-12-31").await.json();
    assert_eq!((&unknown["total"], &unknown["store_id"]), (&json!(0), &Value::Null));

    for query in ["start_date=2026-01-02&end_date=2026-01-01", "start_date=2023-01-01&end_date=2026-01-01"] {
        app.get(&format!("/seeder/exogenous?signal_name=x&{query}")).await.problem(400, "bad-request");
    }
    let invalid = app.get("/seeder/exogenous?signal_name=&end_date=x&store_id=0").await.invalid();
    let expected = [
        ("query.signal_name", "string_too_short"),
        ("query.start_date", "missing"),
        ("query.end_date", "date_from_datetime_parsing"),
        ("query.store_id", "greater_than_equal"),
    ];
    assert_eq!(invalid, expected.map(|(field, kind)| (field.to_owned(), kind.to_owned())));
}

#[tokio::test]
async fn too_many_signals_at_once() {
    let app = TestApp::new().await;
    run(&app.pool, "insert into store (code, name) select 'S' || i, 'x' from generate_series(1, 100) as i")
        .await;
    generate(
        &app,
        small_with(json!({"stores": 1, "products": 1, "enable_exogenous": true, "start_date": "2024-06-01"})),
    )
    .await;
    let path = "/seeder/exogenous?signal_name=weather_temp_c&start_date=2024-06-01&end_date=2026-01-31";
    let problem = app.get(path).await.problem(400, "bad-request");
    assert!(problem["detail"].as_str().unwrap().contains("50000"));
}
