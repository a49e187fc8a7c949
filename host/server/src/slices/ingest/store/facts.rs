//! Writes facts: one row per store, product and day.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use sqlx::PgConnection;

use super::keys::{self, Grain};
use super::last_of_each;
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
    fn grain(&self) -> Grain {
        (self.store_id, self.product_id, self.date)
    }
}

/// What was in stock at the end of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct StockLevel {
    pub(in super::super) store_id: i32,
    pub(in super::super) product_id: i32,
    pub(in super::super) date: NaiveDate,
    pub(in super::super) on_hand_qty: i32,
    pub(in super::super) on_order_qty: i32,
    pub(in super::super) is_stockout: bool,
}

impl StockLevel {
    /// The primary key.
    fn grain(&self) -> Grain {
        (self.store_id, self.product_id, self.date)
    }
}

/// Inserts or updates sales, `batch` rows per statement; of equal grains the last counts. An update keeps
/// `created_at` and `channel`.
pub(crate) async fn upsert_sales(
    connection: &mut PgConnection,
    rows: Vec<Sale>,
    batch: usize,
) -> sqlx::Result<()> {
    let write = async |connection: &mut PgConnection, rows: &[Sale]| {
        for rows in rows.chunks(batch) {
            upsert_sales_chunk(connection, rows).await?;
        }
        Ok(())
    };
    upsert(connection, rows, Sale::grain, write).await
}

/// The same of stock levels.
pub(in super::super) async fn upsert_inventory(
    connection: &mut PgConnection,
    rows: Vec<StockLevel>,
    batch: usize,
) -> sqlx::Result<()> {
    let write = async |connection: &mut PgConnection, rows: &[StockLevel]| {
        for rows in rows.chunks(batch) {
            upsert_inventory_chunk(connection, rows).await?;
        }
        Ok(())
    };
    upsert(connection, rows, StockLevel::grain, write).await
}

/// Writes the last row of each grain, with the keys checked once for all of them.
async fn upsert<T>(
    connection: &mut PgConnection,
    rows: Vec<T>,
    grain: fn(&T) -> Grain,
    write: impl AsyncFnOnce(&mut PgConnection, &[T]) -> sqlx::Result<()>,
) -> sqlx::Result<()> {
    let rows = last_of_each(rows, |a, b| grain(a).cmp(&grain(b)));
    if keys::hold(connection, rows.iter().map(grain)).await? {
        foreign_keys::left_out(connection, async |connection| write(connection, &rows).await).await
    } else {
        // Something was deleted meanwhile: the foreign keys tell what.
        write(connection, &rows).await
    }
}

async fn upsert_sales_chunk(connection: &mut PgConnection, rows: &[Sale]) -> sqlx::Result<()> {
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

async fn upsert_inventory_chunk(connection: &mut PgConnection, rows: &[StockLevel]) -> sqlx::Result<()> {
    let stores: Vec<i32> = rows.iter().map(|row| row.store_id).collect();
    let products: Vec<i32> = rows.iter().map(|row| row.product_id).collect();
    let dates: Vec<NaiveDate> = rows.iter().map(|row| row.date).collect();
    let on_hand: Vec<i32> = rows.iter().map(|row| row.on_hand_qty).collect();
    let on_order: Vec<i32> = rows.iter().map(|row| row.on_order_qty).collect();
    let stockouts: Vec<bool> = rows.iter().map(|row| row.is_stockout).collect();
    sqlx::query!(
        "insert into inventory_snapshot_daily (store_id, product_id, date, on_hand_qty, on_order_qty, is_stockout)
         select * from unnest($1::int[], $2::int[], $3::date[], $4::int[], $5::int[], $6::bool[])
         on conflict (store_id, product_id, date) do update
         set on_hand_qty = excluded.on_hand_qty, on_order_qty = excluded.on_order_qty,
             is_stockout = excluded.is_stockout, updated_at = now()",
        &stores,
        &products,
        &dates,
        &on_hand,
        &on_order,
        &stockouts,
    )
    .execute(connection)
    .await?;
    Ok(())
}
