//! Reads natural keys, writes sales.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;
use rust_decimal::Decimal;
use sqlx::PgConnection;

/// One day of one product in one store, by database keys.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sale {
    pub(crate) store_id: i32,
    pub(crate) product_id: i32,
    pub(crate) date: NaiveDate,
    pub(crate) quantity: i32,
    pub(crate) unit_price: Decimal,
    pub(crate) total_amount: Decimal,
}

impl Sale {
    /// The primary key.
    pub(crate) fn grain(&self) -> (i32, i32, NaiveDate) {
        (self.store_id, self.product_id, self.date)
    }
}

/// Keys of the stores that exist.
pub(crate) async fn store_ids(
    connection: &mut PgConnection,
    codes: &[&str],
) -> sqlx::Result<HashMap<String, i32>> {
    let rows = sqlx::query!("select code, id from store where code = any($1::text[])", codes as &[&str])
        .fetch_all(connection)
        .await?;
    Ok(rows.into_iter().map(|row| (row.code, row.id)).collect())
}

/// Keys of the products that exist.
pub(crate) async fn product_ids(
    connection: &mut PgConnection,
    skus: &[&str],
) -> sqlx::Result<HashMap<String, i32>> {
    let rows = sqlx::query!("select sku, id from product where sku = any($1::text[])", skus as &[&str])
        .fetch_all(connection)
        .await?;
    Ok(rows.into_iter().map(|row| (row.sku, row.id)).collect())
}

/// Those of the days that the calendar has.
pub(crate) async fn known_days(
    connection: &mut PgConnection,
    days: &[NaiveDate],
) -> sqlx::Result<HashSet<NaiveDate>> {
    let rows = sqlx::query_scalar!("select date from calendar where date = any($1::date[])", days)
        .fetch_all(connection)
        .await?;
    Ok(rows.into_iter().collect())
}

/// Inserts or updates rows of different grains, `batch` rows per statement. An update keeps `created_at` and
/// `channel`.
pub(crate) async fn upsert_sales(
    connection: &mut PgConnection,
    rows: Vec<Sale>,
    batch: usize,
) -> sqlx::Result<()> {
    for rows in rows.chunks(batch) {
        let stores: Vec<i32> = rows.iter().map(|row| row.store_id).collect();
        let products: Vec<i32> = rows.iter().map(|row| row.product_id).collect();
        let dates: Vec<NaiveDate> = rows.iter().map(|row| row.date).collect();
        let quantities: Vec<i32> = rows.iter().map(|row| row.quantity).collect();
        let prices: Vec<Decimal> = rows.iter().map(|row| row.unit_price).collect();
        let amounts: Vec<Decimal> = rows.iter().map(|row| row.total_amount).collect();
        sqlx::query!(
            "insert into sales_daily (store_id, product_id, date, quantity, unit_price, total_amount)
             select * from unnest($1::int[], $2::int[], $3::date[], $4::int[], $5::numeric[], $6::numeric[])
             on conflict (store_id, product_id, date) do update
             set quantity = excluded.quantity, unit_price = excluded.unit_price,
                 total_amount = excluded.total_amount, updated_at = now()",
            &stores,
            &products,
            &dates,
            &quantities,
            &prices,
            &amounts,
        )
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}
