//! Daily sales.

use rust_decimal::Decimal;
use sqlx::PgConnection;

use super::super::store::facts::{self, Sale};
use super::keys::{Known, SeriesDay, resolve};
use super::{MOST_AMOUNT, MOST_PRICE, MOST_UNITS, Record, Rejection};
use crate::http::fields::{self, Fields};

/// One day of one product in one store.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) struct SaleRow {
    pub(super) grain: SeriesDay,
    pub(super) quantity: i32,
    pub(super) unit_price: Decimal,
    pub(super) total_amount: Decimal,
}

impl Record for SaleRow {
    const REQUIRED: &'static [&'static str] =
        &["date", "store_code", "sku", "quantity", "unit_price", "total_amount"];
    type Key = SeriesDay;

    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let grain = SeriesDay::read(fields);
        let quantity = fields.required("quantity", fields::lax_int(0, MOST_UNITS));
        let unit_price = fields.required("unit_price", fields::money(MOST_PRICE));
        let total_amount = fields.required("total_amount", fields::money(MOST_AMOUNT));
        Some(Self {
            grain: grain?,
            quantity: i32::try_from(quantity?).ok()?,
            unit_price: unit_price?,
            total_amount: total_amount?,
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
        let (sales, rejected) = resolve(rows, |row| {
            let (store_id, product_id, date) = known.grain(&row.grain)?;
            Ok(Sale {
                store_id,
                product_id,
                date,
                quantity: row.quantity,
                unit_price: row.unit_price,
                total_amount: row.total_amount,
            })
        });
        facts::upsert_sales(connection, sales, batch).await?;
        Ok(rejected)
    }
}
