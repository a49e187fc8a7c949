//! What is in stock at the end of a day.

use sqlx::PgConnection;

use super::super::store::facts::{self, StockLevel};
use super::keys::{Known, SeriesDay, resolve};
use super::{MOST_UNITS, Record, Rejection};
use crate::http::fields::{self, Fields};

/// One day of one product in one store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct InventoryRow {
    pub(super) grain: SeriesDay,
    pub(super) on_hand_qty: i32,
    pub(super) on_order_qty: i32,
    pub(super) is_stockout: bool,
}

impl Record for InventoryRow {
    const REQUIRED: &'static [&'static str] = &["date", "store_code", "sku", "on_hand_qty"];
    type Key = SeriesDay;

    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let grain = SeriesDay::read(fields);
        let on_hand = fields.required("on_hand_qty", fields::lax_int(0, MOST_UNITS));
        let on_order = fields.nullable("on_order_qty", fields::lax_int(0, MOST_UNITS));
        let is_stockout = fields.nullable("is_stockout", fields::lax_flag);
        let on_hand_qty = i32::try_from(on_hand?).ok()?;
        Some(Self {
            grain: grain?,
            on_hand_qty,
            on_order_qty: i32::try_from(on_order.unwrap_or(0)).ok()?,
            // The source may know better: goods on hand that cannot be sold.
            is_stockout: is_stockout.unwrap_or(on_hand_qty == 0),
        })
    }

    fn key(&self) -> SeriesDay {
        self.grain.clone()
    }

    async fn write(
        connection: &mut PgConnection,
        rows: &[Self],
        batch: usize,
    ) -> sqlx::Result<Vec<Rejection>> {
        let known = Known::of_facts(connection, rows.iter().map(|row| &row.grain)).await?;
        let (levels, rejected) = resolve(rows, |row| {
            let (store_id, product_id, date) = known.grain(&row.grain)?;
            Ok(StockLevel {
                store_id,
                product_id,
                date,
                on_hand_qty: row.on_hand_qty,
                on_order_qty: row.on_order_qty,
                is_stockout: row.is_stockout,
            })
        });
        facts::upsert_inventory(connection, levels, batch).await?;
        Ok(rejected)
    }
}
