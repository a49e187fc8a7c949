//! Feature sets of random, sparse data against the same features computed by PostgreSQL: window functions over a
//! table, written from `featuresets.md` and sharing no line with the program.

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgPool, Row};

use crate::support::app::TestApp;
use crate::support::data;
use crate::support::random::Random;

/// Days that have data, from 2024-01-01.
const DAYS: usize = 150;

async fn run(pool: &PgPool, sql: String) {
    sqlx::query(AssertSqlSafe(sql.clone())).execute(pool).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
}

/// Two stores and two products with gaps, free days, stockouts, overlapping promotions and deliveries that come
/// twice a day or long before the window.
async fn fill(pool: &PgPool, random: &mut Random) {
    data::shop(pool).await;
    let day = |i: usize| format!("'2024-01-01'::date + {i}");
    let (mut sales, mut stock, mut deliveries, mut promotions) = (vec![], vec![], vec![], vec![]);
    for (store, product) in [(1, 1), (1, 2), (2, 1), (2, 2)] {
        for i in 0..DAYS {
            if random.below(10) < 6 {
                let (units, price) = (random.below(40), random.pick(&["0", "1.99", "2.49", "2.50", "12.00"]));
                sales.push(format!(
                    "({store}, {product}, {}, {units}, {price}, {})",
                    day(i),
                    random.below(500)
                ));
            }
            if random.below(10) < 5 {
                let out = random.below(3) == 0;
                stock.push(format!("({store}, {product}, {}, {}, {out})", day(i), if out { 0 } else { 5 }));
            }
            for _ in 0..random.below(8).saturating_sub(5) {
                deliveries.push(format!("({}, {store}, {product}, 2, 9, 9)", day(i)));
            }
        }
        deliveries.push(format!("('2023-06-{:02}', {store}, {product}, 2, 9, 9)", 1 + random.below(28)));
    }
    for product in [1, 2] {
        for _ in 0..40 {
            let (kind, members) = *random.pick(&[
                ("pct_off", "null"),
                ("markdown", "null"),
                ("bogo", "'[1, 2]'"),
                ("bundle", "'[1, 2]'"),
            ]);
            let store = *random.pick(&["null", "1", "2"]);
            let discount = *random.pick(&["null", "0", "0.1", "0.25", "0.3333"]);
            let first = random.below(DAYS + 20);
            let last = first + random.below(6);
            promotions.push(format!(
                "({product}, {store}, 'p', '{kind}', {discount}, {members}, {}, {})",
                day(first),
                day(last)
            ));
        }
    }
    let insert = async |into: &str, values: Vec<String>| {
        run(pool, format!("insert into {into} values {}", values.join(", "))).await;
    };
    insert("sales_daily (store_id, product_id, date, quantity, unit_price, total_amount)", sales).await;
    insert("inventory_snapshot_daily (store_id, product_id, date, on_hand_qty, is_stockout)", stock).await;
    insert(
        "replenishment_event (date, store_id, product_id, lead_time_days, ordered_qty, received_qty)",
        deliveries,
    )
    .await;
    insert(
        "promotion (product_id, store_id, name, kind, discount_pct, bundle_member_product_ids, start_date, end_date)",
        promotions,
    )
    .await;
    run(pool, "update calendar set is_holiday = true where extract(doy from date)::int % 11 = 0".into())
        .await;
    run(
        pool,
        "update product set launch_date = '2023-11-05', discontinue_date = '2024-04-01' where id = 1".into(),
    )
    .await;
}

/// One feature set and its oracle.
struct Case {
    store: i32,
    product: i32,
    cutoff: &'static str,
    lookback: i32,
    /// Fill days without a row.
    filled: bool,
    /// The price of a filled day is the last one.
    carried: bool,
    min_periods: Option<usize>,
}

const LAGS: [usize; 4] = [1, 2, 7, 30];
const WINDOWS: [usize; 3] = [3, 7, 28];
const KINDS: [&str; 4] = ["bogo", "bundle", "markdown", "pct_off"];
/// `lag_days` of life cycle, promotions and deliveries, and the rows in which deliveries are counted.
const LIFE: usize = 3;
const PROMO: usize = 2;
const SUPPLY: usize = 4;
const COUNTED: usize = 9;

impl Case {
    fn request(&self) -> Value {
        let mut config = json!({
            "name": "oracle", "lag_config": {"lags": LAGS},
            "rolling_config": {"windows": WINDOWS, "aggregations": ["mean", "std", "min", "max", "sum"],
                               "min_periods": self.min_periods},
            "calendar_config": {"use_cyclical_encoding": false, "include_year": true},
            "exogenous_config": {"price_lags": [1, 7]}, "lifecycle_config": {"lag_days": LIFE},
            "replenishment_config": {"lag_days": SUPPLY, "count_window_days": COUNTED},
            "promotion_config": {"kinds_to_track": ["pct_off", "bogo", "markdown", "bundle"], "lag_days": PROMO},
        });
        if self.carried {
            config["imputation_config"] = json!({"strategies": {"unit_price": "ffill"}});
        }
        json!({"store_id": self.store, "product_id": self.product, "cutoff_date": self.cutoff,
               "lookback_days": self.lookback, "config": config})
    }

    /// A query with a column per feature, all of type float8.
    fn sql(&self) -> String {
        let Self { store, product, cutoff, lookback, .. } = self;
        let sold = format!(
            "select date, quantity, unit_price from sales_daily where store_id = {store} and product_id = {product}
             and date between '{cutoff}'::date - {lookback} and '{cutoff}'"
        );
        let rows = if self.filled {
            "select day::date as date, coalesce(quantity, 0) as quantity, unit_price
             from generate_series((select min(date) from sold), last_day, '1 day') as day
             left join sold on date = day::date"
        } else {
            "select date, quantity, unit_price from sold"
        };
        let rows = rows.replace("last_day", &format!("'{cutoff}'::date"));
        let price =
            if self.carried { "max(unit_price) over (partition by price_group)" } else { "unit_price" };
        let mut columns = Vec::new();
        let mut column =
            |name: String, expression: String| columns.push(format!("({expression})::float8 as {name}"));
        for k in LAGS {
            column(format!("lag_{k}"), format!("lag(q, {k}) over w"));
        }
        for w in WINDOWS {
            let least = self.min_periods.unwrap_or(w);
            let window = format!("over (order by date rows between {w} preceding and 1 preceding)");
            for (name, function) in
                [("mean", "avg"), ("std", "stddev_samp"), ("min", "min"), ("max", "max"), ("sum", "sum")]
            {
                let statistic =
                    format!("case when count(q) {window} >= {least} then {function}(q) {window} end");
                column(format!("rolling_{name}_{w}"), statistic);
            }
        }
        for (name, expression) in [
            ("day_of_week", "extract(isodow from date) - 1"),
            ("month", "extract(month from date)"),
            ("quarter", "extract(quarter from date)"),
            ("year", "extract(year from date)"),
            ("is_weekend", "(extract(isodow from date) >= 6)::int"),
            ("is_month_end", "(extract(day from date + 1) = 1)::int"),
            ("is_holiday", "holiday"),
            ("price_lag_1", "lag(p, 1) over w"),
            ("price_lag_7", "lag(p, 7) over w"),
            ("price_pct_change_7d", "(lag(p, 1) over w - lag(p, 8) over w) / nullif(lag(p, 8) over w, 0)"),
            ("stockout_lag_1", "lag(stockout, 1) over w"),
        ] {
            column(name.to_owned(), expression.to_owned());
        }
        for name in ["launch", "discontinue"] {
            column(format!("days_since_{name}_lag{LIFE}"), format!("lag(date - {name}_date, {LIFE}) over w"));
        }
        for kind in KINDS {
            column(format!("promo_{kind}_active_lag{PROMO}"), format!("lag({kind}_active, {PROMO}) over w"));
            column(
                format!("promo_{kind}_intensity_lag{PROMO}"),
                format!("lag({kind}_largest, {PROMO}) over w"),
            );
        }
        column(
            format!("days_since_last_replenishment_lag{SUPPLY}"),
            format!("lag(date - supplied, {SUPPLY}) over w"),
        );
        let counted = SUPPLY + COUNTED - 1;
        column(
            format!("replenishment_count_w{COUNTED}_lag{SUPPLY}"),
            format!(
                "coalesce(sum(deliveries) over (order by date rows between {counted} preceding and {SUPPLY} preceding), 0)"
            ),
        );
        let promotions: Vec<String> = KINDS
            .iter()
            .map(|kind| {
                let covering = format!(
                    "from promotion where kind = '{kind}' and product_id = {product}
                     and coalesce(store_id, {store}) = {store} and row.date between start_date and end_date"
                );
                format!(
                    "(exists (select {covering}))::int as {kind}_active,
                     (select max(discount_pct) {covering}) as {kind}_largest"
                )
            })
            .collect();
        let own = format!("store_id = {store} and product_id = {product}");
        format!(
            "with sold as ({sold}),
             rows as ({rows}),
             grouped as (select *, count(unit_price) over (order by date) as price_group from rows),
             row as (select date, quantity::float8 as q, ({price})::float8 as p from grouped),
             known as (
                 select row.*, launch_date, discontinue_date,
                     coalesce((select is_holiday from calendar where date = row.date), false)::int as holiday,
                     (select is_stockout::int from inventory_snapshot_daily where {own} and date = row.date) as stockout,
                     (select max(date) from replenishment_event where {own} and date <= row.date) as supplied,
                     (select count(*) from replenishment_event where {own} and date = row.date) as deliveries,
                     {}
                 from row cross join (select * from product where id = {product}) as product
             )
             select date::text as day, {} from known window w as (order by date) order by date",
            promotions.join(", "),
            columns.join(", ")
        )
    }

    /// Compares every cell; the number of cells that are not null.
    async fn check(&self, app: &TestApp) -> usize {
        let answer = app.post("/featuresets/compute", self.request()).await;
        assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
        let answer = answer.json();
        let expected = sqlx::query(AssertSqlSafe(self.sql())).fetch_all(&app.pool).await.unwrap();
        let rows = answer["rows"].as_array().unwrap();
        assert_eq!(rows.len(), expected.len());
        let names: Vec<&str> =
            answer["feature_columns"].as_array().unwrap().iter().map(|n| n.as_str().unwrap()).collect();
        // The oracle's columns are the day and the features, in the order of the contract.
        let oracle: Vec<&str> = sqlx::Row::columns(&expected[0]).iter().map(sqlx::Column::name).collect();
        assert_eq!(names, oracle[1..]);
        let mut known = 0;
        for (row, expected) in rows.iter().zip(&expected) {
            assert_eq!(row["date"], expected.get::<String, _>("day"));
            for name in &names {
                let found = row["features"][name].as_f64();
                let expected: Option<f64> = expected.get(*name);
                let place = || format!("{name} on {}: {found:?}, the oracle says {expected:?}", row["date"]);
                assert_eq!(found.is_some(), expected.is_some(), "{}", place());
                let (found, expected) = (found.unwrap_or(0.0), expected.unwrap_or(0.0));
                assert!((found - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{}", place());
                known += usize::from(row["features"][name].is_number());
            }
        }
        known
    }
}

#[tokio::test]
async fn postgresql_computes_the_same_features() {
    for (filled, policy) in [(true, "zero"), (false, "skip")] {
        let app = TestApp::with(|config| config.forecast.missing_days = policy.parse().unwrap()).await;
        fill(&app.pool, &mut Random(20_240_401)).await;
        let mut known = 0;
        for (store, product) in [(1, 1), (1, 2), (2, 1), (2, 2)] {
            for (cutoff, lookback) in
                [("2024-05-29", 148), ("2024-04-10", 60), ("2024-06-10", 200), ("2024-02-01", 5)]
            {
                for (min_periods, carried) in [(None, false), (Some(2), true)] {
                    let case = Case { store, product, cutoff, lookback, filled, carried, min_periods };
                    known += case.check(&app).await;
                }
            }
        }
        // Neither side may be right because there is nothing.
        assert!(known > 50_000, "{known} cells");
    }
}
