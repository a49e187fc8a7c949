//! What is in stock at the end of a day.

use chrono::NaiveDate;
use sqlx::PgConnection;

use super::super::store::facts::{self, StockLevel};
use super::keys::{Known, Series, resolve};
use super::{MOST_UNITS, Record, Rejection};
use crate::http::fields::{self, Fields};

/// One day of one product in one store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct InventoryRow {
    pub(super) date: NaiveDate,
    pub(super) store_code: String,
    pub(super) sku: String,
    pub(super) on_hand_qty: i32,
    pub(super) on_order_qty: i32,
    pub(super) is_stockout: bool,
}

impl Record for InventoryRow {
    const REQUIRED: &'static [&'static str] = &["date", "store_code", "sku", "on_hand_qty"];
    type Key = Series;

    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let date = fields.required("date", fields::date);
        let store_code = fields.required("store_code", fields::text(1, 20));
        let sku = fields.required("sku", fields::text(1, 50));
        let on_hand = fields.required("on_hand_qty", fields::lax_int(0, MOST_UNITS));
        let on_order = fields.nullable("on_order_qty", fields::lax_int(0, MOST_UNITS));
        let is_stockout = fields.nullable("is_stockout", fields::lax_flag);
        let on_hand_qty = i32::try_from(on_hand?).ok()?;
        Some(Self {
            date: date?,
            store_code: store_code?.to_owned(),
            sku: sku?.to_owned(),
            on_hand_qty,
            on_order_qty: i32::try_from(on_order.unwrap_or(0)).ok()?,
            // The source may know better: goods on hand that cannot be sold.
            is_stockout: is_stockout.unwrap_or(on_hand_qty == 0),
        })
    }

    fn key(&self) -> Series {
        Series { store_code: self.store_code.clone(), sku: self.sku.clone(), date: self.date }
    }

    async fn write(
        connection: &mut PgConnection,
        rows: &[Self],
        batch: usize,
    ) -> sqlx::Result<Vec<Rejection>> {
        let grains = rows.iter().map(|row| (row.store_code.as_str(), row.sku.as_str(), row.date));
        let known = Known::of_facts(connection, grains).await?;
        let (levels, rejected) = resolve(rows, |row| {
            Ok(StockLevel {
                store_id: known.store(&row.store_code)?,
                product_id: known.product(&row.sku)?,
                date: known.day(row.date)?,
                on_hand_qty: row.on_hand_qty,
                on_order_qty: row.on_order_qty,
                is_stockout: row.is_stockout,
            })
        });
        facts::upsert_inventory(connection, levels, batch).await?;
        Ok(rejected)
    }
}
