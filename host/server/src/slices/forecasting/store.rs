//! Reads series and what is known beside them.

use retailcast_core::{Day, Observation};
use sqlx::PgPool;

/// A (store, product) pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Pair {
    pub store_id: i32,
    pub product_id: i32,
}

/// The recorded rows of a pair from `from` to `to`, both included, by day.
pub(super) async fn observations(
    pool: &PgPool,
    pair: Pair,
    from: Day,
    to: Day,
) -> sqlx::Result<Vec<Observation>> {
    let rows = sqlx::query!(
        r#"select date, quantity, unit_price::float8 as "unit_price!"
           from sales_daily
           where store_id = $1 and product_id = $2 and date between $3 and $4
           order by date"#,
        pair.store_id,
        pair.product_id,
        from.date(),
        to.date(),
    )
    .fetch_all(pool)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Observation {
            day: Day::from_date(row.date),
            quantity: f64::from(row.quantity),
            unit_price: row.unit_price,
        })
        .collect())
}

/// Launch of a product.
pub(super) async fn launch(pool: &PgPool, product_id: i32) -> sqlx::Result<Option<Day>> {
    let launch = sqlx::query_scalar!("select launch_date from product where id = $1", product_id)
        .fetch_optional(pool)
        .await?;
    Ok(launch.flatten().map(Day::from_date))
}

/// Promotions of every kind that cover any day of the span, of the product in this store or chain-wide.
pub(super) async fn promotions(
    pool: &PgPool,
    pair: Pair,
    from: Day,
    to: Day,
) -> sqlx::Result<Vec<(Day, Day)>> {
    let rows = sqlx::query!(
        "select start_date, end_date from promotion
         where product_id = $1 and (store_id = $2 or store_id is null) and start_date <= $4 and end_date >= $3",
        pair.product_id,
        pair.store_id,
        from.date(),
        to.date(),
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|row| (Day::from_date(row.start_date), Day::from_date(row.end_date))).collect())
}

/// The calendar of a span.
pub(super) struct Calendar {
    /// Flagged days, ascending.
    pub holidays: Vec<Day>,
    /// Days of the span that the calendar knows.
    pub known: usize,
}

/// The calendar from `from` to `to`, both included.
pub(super) async fn calendar(pool: &PgPool, from: Day, to: Day) -> sqlx::Result<Calendar> {
    let rows = sqlx::query!(
        "select date, is_holiday from calendar where date between $1 and $2 order by date",
        from.date(),
        to.date(),
    )
    .fetch_all(pool)
    .await?;
    let known = rows.len();
    let holidays =
        rows.into_iter().filter(|row| row.is_holiday).map(|row| Day::from_date(row.date)).collect();
    Ok(Calendar { holidays, known })
}
