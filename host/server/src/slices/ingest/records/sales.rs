//! Daily sales.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use sqlx::PgConnection;

use super::super::store::facts::{self, Sale};
use super::keys::{Known, Series, resolve};
use super::{MOST_AMOUNT, MOST_PRICE, MOST_UNITS, Record, Rejection};
use crate::http::fields::{self, Fields};

/// One day of one product in one store.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) struct SaleRow {
    pub(super) date: NaiveDate,
    pub(super) store_code: String,
    pub(super) sku: String,
    pub(super) quantity: i32,
    pub(super) unit_price: Decimal,
    pub(super) total_amount: Decimal,
}

impl Record for SaleRow {
    const REQUIRED: &'static [&'static str] =
        &["date", "store_code", "sku", "quantity", "unit_price", "total_amount"];
    type Key = Series;

    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let date = fields.required("date", fields::date);
        let store_code = fields.required("store_code", fields::text(1, 20));
        let sku = fields.required("sku", fields::text(1, 50));
        let quantity = fields.required("quantity", fields::lax_int(0, MOST_UNITS));
        let unit_price = fields.required("unit_price", fields::money(MOST_PRICE));
        let total_amount = fields.required("total_amount", fields::money(MOST_AMOUNT));
        Some(Self {
            date: date?,
            store_code: store_code?.to_owned(),
            sku: sku?.to_owned(),
            quantity: i32::try_from(quantity?).ok()?,
            unit_price: unit_price?,
            total_amount: total_amount?,
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
        let (sales, rejected) = resolve(rows, |row| {
            Ok(Sale {
                store_id: known.store(&row.store_code)?,
                product_id: known.product(&row.sku)?,
                date: known.day(row.date)?,
                quantity: row.quantity,
                unit_price: row.unit_price,
                total_amount: row.total_amount,
            })
        });
        facts::upsert_sales(connection, sales, batch).await?;
        Ok(rejected)
    }
}
