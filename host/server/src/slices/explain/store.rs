//! What explanations read, and the trail that they leave.

use chrono::NaiveDate;
use retailcast_core::{Day, Observation};
use retailcast_runtime::explain::{PromotionSignal, Signals, StockSignal};
use serde_json::Value;
use sqlx::PgPool;

use super::service::Kept;

/// Days that the window of stock and promotions reaches back from the cutoff.
pub(super) const WINDOW_DAYS: u32 = 30;

/// All rows of a series up to the cutoff, oldest first.
pub(super) async fn sales(
    pool: &PgPool,
    (store_id, product_id): (i32, i32),
    cutoff: NaiveDate,
) -> sqlx::Result<Vec<Observation>> {
    let rows = sqlx::query!(
        r#"select date, quantity::float8 as "quantity!", unit_price::float8 as "unit_price!" from sales_daily
           where store_id = $1 and product_id = $2 and date <= $3 order by date"#,
        store_id,
        product_id,
        cutoff,
    )
    .fetch_all(pool)
    .await?;
    let observed = rows.into_iter().map(|row| Observation {
        day: Day::from_date(row.date),
        quantity: row.quantity,
        unit_price: row.unit_price,
    });
    Ok(observed.collect())
}

/// What is recorded beside the series. The calendar of the day after the cutoff is the one thing that lies beyond it.
pub(super) async fn signals(
    pool: &PgPool,
    (store_id, product_id): (i32, i32),
    cutoff: NaiveDate,
) -> sqlx::Result<Signals> {
    let row = sqlx::query!(
        r#"with stock as (
             select count(*) as snapshots, count(*) filter (where is_stockout) as stockouts
             from inventory_snapshot_daily
             where store_id = $1 and product_id = $2 and date between $3::date - $4::int and $3
           ), promoted as (
             select count(*) as touching, count(*) filter (where end_date >= $3) as running
             from promotion
             where product_id = $2 and (store_id = $1 or store_id is null)
               and start_date <= $3 and end_date >= $3::date - $4::int
           )
           select snapshots as "snapshots!", stockouts as "stockouts!", touching as "touching!", running as "running!",
                  (select $3::date - launch_date from product where id = $2) as days_since_launch,
                  exists (select from calendar where date = $3::date + 1 and is_holiday) as "is_holiday!",
                  (select holiday_name from calendar where date = $3::date + 1 and is_holiday) as holiday_name
           from stock, promoted"#,
        store_id,
        product_id,
        cutoff,
        WINDOW_DAYS as i32,
    )
    .fetch_one(pool)
    .await?;
    let count = |n: i64| u32::try_from(n).unwrap_or(u32::MAX);
    Ok(Signals {
        window_days: WINDOW_DAYS,
        stock: StockSignal { snapshots: count(row.snapshots), stockouts: count(row.stockouts) },
        promotions: PromotionSignal { touching: count(row.touching), running: count(row.running) },
        days_since_launch: row.days_since_launch,
        holiday: row.is_holiday.then_some(row.holiday_name),
    })
}

/// Keeps what was said.
pub(super) async fn insert(pool: &PgPool, kept: &Kept<'_>) -> sqlx::Result<()> {
    let explained = kept.explained;
    sqlx::query!(
        "insert into forecast_explanation (explanation_id, run_id, job_id, store_id, product_id, model_type, method,
             as_of_date, forecast_value, confidence, drivers, reason_codes, caveats, agent_summary)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        uuid::Uuid::new_v4().simple().to_string(),
        kept.run_id,
        kept.job_id,
        explained.store_id,
        explained.product_id,
        explained.model_type,
        explained.said.method.name(),
        explained.as_of,
        explained.said.forecast,
        explained.said.confidence.name(),
        kept.drivers,
        kept.reason_codes,
        Value::from(explained.said.caveats.clone()),
        explained.said.summary,
    )
    .execute(pool)
    .await?;
    Ok(())
}
