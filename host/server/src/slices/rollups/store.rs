//! Marks of stale days, and the sums.

use chrono::NaiveDate;
use sqlx::PgConnection;

/// Names the work in PostgreSQL's list of advisory locks: "rcRollup" in ASCII.
const LOCK: i64 = 0x7263_526f_6c6c_7570;

/// Days from `first` to `last`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) first: NaiveDate,
    pub(super) last: NaiveDate,
}

/// Whether no other process does this work now; held until the transaction ends. Before the first snapshot, and before
/// anything that a `truncate` of the sales waits for: that one waits for us as a whole, or we for it.
pub(super) async fn try_lock(connection: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query!("lock table sales_daily in access share mode").execute(&mut *connection).await?;
    sqlx::query_scalar!(r#"select pg_try_advisory_xact_lock($1) as "locked!""#, LOCK)
        .fetch_one(connection)
        .await
}

/// The stale days between two days, as ascending spans that do not touch.
pub(super) async fn stale(
    connection: &mut PgConnection,
    first: NaiveDate,
    last: NaiveDate,
) -> sqlx::Result<Vec<Span>> {
    sqlx::query_as!(
        Span,
        r#"select greatest(lower(span), $1) as "first!", least(upper(span) - 1, $2) as "last!"
           from (select unnest(range_agg(dates)) as span from sales_stale_days) as spans
           where lower(span) <= $2 and upper(span) > $1
           order by 1"#,
        first,
        last,
    )
    .fetch_all(connection)
    .await
}

/// Takes all marks away and sets these.
pub(super) async fn replace_marks(connection: &mut PgConnection, spans: &[Span]) -> sqlx::Result<()> {
    sqlx::query!("delete from sales_stale_days").execute(&mut *connection).await?;
    let firsts: Vec<NaiveDate> = spans.iter().map(|span| span.first).collect();
    let lasts: Vec<NaiveDate> = spans.iter().map(|span| span.last).collect();
    sqlx::query!(
        "insert into sales_stale_days (dates)
         select datemultirange(daterange(first, last, '[]'))
         from unnest($1::date[], $2::date[]) as span (first, last)",
        &firsts,
        &lasts,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Replaces the sums of these days by what the sales say; both tables from one scan.
pub(super) async fn sum_up(connection: &mut PgConnection, days: &[NaiveDate]) -> sqlx::Result<()> {
    sqlx::query!("delete from sales_by_store_day where date = any($1)", days)
        .execute(&mut *connection)
        .await?;
    sqlx::query!("delete from sales_by_product_day where date = any($1)", days)
        .execute(&mut *connection)
        .await?;
    // Enough to sum up a year of twenty million rows without sorting them on disk.
    sqlx::query!("set local work_mem = '64MB'").execute(&mut *connection).await?;
    sqlx::query!(
        "with sums as (
             select date, store_id, product_id, count(*) as row_count, sum(quantity) as units,
                    (sum(total_amount) * 100)::bigint as cents
             from sales_daily
             where date = any($1)
             group by grouping sets ((date, store_id), (date, product_id))
         ), by_store as (
             insert into sales_by_store_day (date, store_id, row_count, units, cents)
             select date, store_id, row_count, units, cents from sums
             where store_id is not null order by date, store_id
         )
         insert into sales_by_product_day (date, product_id, row_count, units, cents)
         select date, product_id, row_count, units, cents from sums
         where product_id is not null order by date, product_id",
        days,
    )
    .execute(connection)
    .await?;
    Ok(())
}
