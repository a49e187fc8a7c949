//! Prices and their validity.

use std::collections::HashSet;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use sqlx::PgConnection;

use super::super::store::last_of_each;
use super::super::store::plans::{self, Price};
use super::keys::{Known, PriceKey, resolve};
use super::{MOST_PRICE, Record, Rejection};
use crate::http::fields::{self, Fields};

/// A price of a product, in one store or in all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct PriceRow {
    pub(super) store_code: Option<String>,
    pub(super) sku: String,
    pub(super) price: Decimal,
    pub(super) valid_from: NaiveDate,
    pub(super) valid_to: Option<NaiveDate>,
}

impl Record for PriceRow {
    const REQUIRED: &'static [&'static str] = &["sku", "price", "valid_from"];
    type Key = PriceKey;

    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let store_code = fields.nullable("store_code", fields::text(1, 20));
        let sku = fields.required("sku", fields::text(1, 50));
        let price = fields.required("price", fields::money(MOST_PRICE));
        let valid_from = fields.required("valid_from", fields::date);
        let valid_to = fields.nullable("valid_to", fields::date);
        if let (Some(first), Some(last)) = (valid_from, valid_to)
            && last < first
        {
            fields.refuse("valid_to", format!("must not be before valid_from, {first}; got {last}"));
        }
        Some(Self {
            store_code: store_code.map(str::to_owned),
            sku: sku?.to_owned(),
            price: price?,
            valid_from: valid_from?,
            valid_to,
        })
    }

    fn key(&self) -> PriceKey {
        PriceKey { store_code: self.store_code.clone(), sku: self.sku.clone(), valid_from: self.valid_from }
    }

    async fn write(
        connection: &mut PgConnection,
        rows: &[Self],
        batch: usize,
    ) -> sqlx::Result<Vec<Rejection>> {
        let known = Known::look_up(
            connection,
            rows.iter().filter_map(|row| row.store_code.as_deref()).collect(),
            rows.iter().map(|row| row.sku.as_str()).collect(),
            HashSet::new(),
        )
        .await?;
        let (prices, rejected) = resolve(rows, |row| {
            Ok(Price {
                store_id: row.store_code.as_deref().map(|code| known.store(code)).transpose()?,
                product_id: known.product(&row.sku)?,
                amount: row.price,
                valid_from: row.valid_from,
                valid_to: row.valid_to,
            })
        });
        let key = |p: &Price| (p.product_id, p.store_id, p.valid_from);
        for prices in last_of_each(prices, |a, b| key(a).cmp(&key(b))).chunks(batch) {
            plans::upsert_prices(connection, prices).await?;
        }
        Ok(rejected)
    }
}
