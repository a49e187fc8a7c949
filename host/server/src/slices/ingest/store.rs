//! Reads natural keys, writes sales.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::NaiveDate;
use rust_decimal::Decimal;
use sqlx::PgConnection;

use crate::db::foreign_keys;

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
        if hold_keys(connection, rows).await? {
            foreign_keys::left_out(connection, async |connection| upsert(connection, rows).await).await?;
        } else {
            // Something was deleted meanwhile: the foreign keys tell what.
            upsert(connection, rows).await?;
        }
    }
    Ok(())
}

/// Keeps the stores, products and days of the rows from being deleted until the transaction ends, and says whether
/// all of them are there.
async fn hold_keys(connection: &mut PgConnection, rows: &[Sale]) -> sqlx::Result<bool> {
    fn distinct<T: Ord>(keys: impl Iterator<Item = T>) -> Vec<T> {
        keys.collect::<BTreeSet<T>>().into_iter().collect()
    }
    let stores = distinct(rows.iter().map(|row| row.store_id));
    let products = distinct(rows.iter().map(|row| row.product_id));
    let days = distinct(rows.iter().map(|row| row.date));
    let held = sqlx::query!(
        r#"with stores as (select from store where id = any($1) for key share),
                products as (select from product where id = any($2) for key share),
                days as (select from calendar where date = any($3) for key share)
           select (select count(*) from stores) as "stores!", (select count(*) from products) as "products!",
                  (select count(*) from days) as "days!""#,
        &stores,
        &products,
        &days,
    )
    .fetch_one(connection)
    .await?;
    let wanted = [stores.len(), products.len(), days.len()].map(|length| length as i64);
    Ok([held.stores, held.products, held.days] == wanted)
}

async fn upsert(connection: &mut PgConnection, rows: &[Sale]) -> sqlx::Result<()> {
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
    .execute(connection)
    .await?;
    Ok(())
}
