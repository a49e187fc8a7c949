//! Reads what features are made of, up to a cutoff day and never beyond it.

use retailcast_core::featureset::{Promotion, Sale};
use retailcast_core::{Day, PromotionKind};
use sqlx::PgConnection;

/// A (store, product) pair and a window of days, both ends included.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub store_id: i32,
    pub product_id: i32,
    pub first: Day,
    pub last: Day,
}

/// The recorded sales, by day.
pub(super) async fn sales(connection: &mut PgConnection, span: Span) -> sqlx::Result<Vec<Sale>> {
    let rows = sqlx::query!(
        r#"select date, quantity, unit_price::float8 as "unit_price!", total_amount::float8 as "total_amount!"
           from sales_daily
           where store_id = $1 and product_id = $2 and date between $3 and $4
           order by date"#,
        span.store_id,
        span.product_id,
        span.first.date(),
        span.last.date(),
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Sale {
            day: Day::from_date(row.date),
            quantity: f64::from(row.quantity),
            unit_price: row.unit_price,
            total_amount: row.total_amount,
        })
        .collect())
}

/// The days that the calendar flags, ascending.
pub(super) async fn holidays(connection: &mut PgConnection, span: Span) -> sqlx::Result<Vec<Day>> {
    let days = sqlx::query_scalar!(
        "select date from calendar where is_holiday and date between $1 and $2 order by date",
        span.first.date(),
        span.last.date(),
    )
    .fetch_all(connection)
    .await?;
    Ok(days.into_iter().map(Day::from_date).collect())
}

/// The inventory snapshots, by day: whether nothing was on hand.
pub(super) async fn stockouts(connection: &mut PgConnection, span: Span) -> sqlx::Result<Vec<(Day, bool)>> {
    let rows = sqlx::query!(
        "select date, is_stockout from inventory_snapshot_daily
         where store_id = $1 and product_id = $2 and date between $3 and $4
         order by date",
        span.store_id,
        span.product_id,
        span.first.date(),
        span.last.date(),
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (Day::from_date(row.date), row.is_stockout)).collect())
}

/// Launch and end of the product.
pub(super) async fn product_dates(
    connection: &mut PgConnection,
    product_id: i32,
) -> sqlx::Result<(Option<Day>, Option<Day>)> {
    let row = sqlx::query!("select launch_date, discontinue_date from product where id = $1", product_id)
        .fetch_one(connection)
        .await?;
    Ok((row.launch_date.map(Day::from_date), row.discontinue_date.map(Day::from_date)))
}

/// The promotions that cover any day of the window, of the product in this store or chain-wide.
pub(super) async fn promotions(connection: &mut PgConnection, span: Span) -> sqlx::Result<Vec<Promotion>> {
    let rows = sqlx::query!(
        "select kind, discount_pct::float8, start_date, end_date from promotion
         where product_id = $1 and (store_id = $2 or store_id is null) and start_date <= $4 and end_date >= $3",
        span.product_id,
        span.store_id,
        span.first.date(),
        span.last.date(),
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Promotion {
                kind: kind(&row.kind)?,
                discount_pct: row.discount_pct,
                first: Day::from_date(row.start_date),
                last: Day::from_date(row.end_date),
            })
        })
        .collect()
}

/// A check of the table allows no others.
fn kind(name: &str) -> sqlx::Result<PromotionKind> {
    let unknown = || sqlx::Error::Decode(format!("promotion.kind: `{name}` is not known").into());
    PromotionKind::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(unknown)
}

/// Days with deliveries, ascending, and how many there were: those of the window and the newest day at its start or
/// before it, which is all that a window can be told from older ones.
pub(super) async fn deliveries(connection: &mut PgConnection, span: Span) -> sqlx::Result<Vec<(Day, u32)>> {
    let rows = sqlx::query!(
        r#"select date, count(*) as "count!" from replenishment_event
           where store_id = $1 and product_id = $2 and date <= $4
             and date >= coalesce((select max(date) from replenishment_event
                                   where store_id = $1 and product_id = $2 and date <= $3), $3)
           group by date order by date"#,
        span.store_id,
        span.product_id,
        span.first.date(),
        span.last.date(),
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (Day::from_date(row.date), row.count as u32)).collect())
}
