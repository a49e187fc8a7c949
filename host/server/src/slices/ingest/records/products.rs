//! Products.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use sqlx::PgConnection;

use super::super::store::{dimensions, last_of_each};
use super::keys::ProductKey;
use super::{MOST_PRICE, MOST_UNITS, Record, Rejection, optional_text};
use crate::http::fields::{self, Fields};

/// The stages of a product's life.
const STAGES: [&str; 5] = ["intro", "growth", "maturity", "decline", "discontinued"];

/// A product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct ProductRow {
    pub(in super::super) sku: String,
    pub(in super::super) name: String,
    pub(in super::super) category: Option<String>,
    pub(in super::super) subcategory: Option<String>,
    pub(in super::super) brand: Option<String>,
    pub(in super::super) base_price: Option<Decimal>,
    pub(in super::super) base_cost: Option<Decimal>,
    pub(in super::super) pack_size: Option<i32>,
    pub(in super::super) lifecycle_stage: Option<&'static str>,
    pub(in super::super) launch_date: Option<NaiveDate>,
    pub(in super::super) discontinue_date: Option<NaiveDate>,
}

impl Record for ProductRow {
    const REQUIRED: &'static [&'static str] = &["sku", "name"];
    type Key = ProductKey;

    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let sku = fields.required("sku", fields::text(1, 50));
        let name = fields.required("name", fields::text(1, 200));
        let category = optional_text(fields, "category", 100);
        let subcategory = optional_text(fields, "subcategory", 100);
        let brand = optional_text(fields, "brand", 100);
        let base_price = fields.nullable("base_price", fields::money(MOST_PRICE));
        let base_cost = fields.nullable("base_cost", fields::money(MOST_PRICE));
        let pack_size = fields.nullable("pack_size", fields::lax_int(1, MOST_UNITS));
        let lifecycle_stage = fields.nullable("lifecycle_stage", fields::one_of(&STAGES));
        let launch_date = fields.nullable("launch_date", fields::date);
        let discontinue_date = fields.nullable("discontinue_date", fields::date);
        if let (Some(launch), Some(end)) = (launch_date, discontinue_date)
            && end < launch
        {
            fields.refuse("discontinue_date", format!("must not be before launch_date, {launch}; got {end}"));
        }
        Some(Self {
            sku: sku?.to_owned(),
            name: name?.to_owned(),
            category,
            subcategory,
            brand,
            base_price,
            base_cost,
            pack_size: pack_size.map(i32::try_from).transpose().ok()?,
            lifecycle_stage,
            launch_date,
            discontinue_date,
        })
    }

    fn key(&self) -> ProductKey {
        ProductKey { sku: self.sku.clone() }
    }

    async fn write(
        connection: &mut PgConnection,
        rows: &[Self],
        batch: usize,
    ) -> sqlx::Result<Vec<Rejection>> {
        let rows = last_of_each(rows.iter().collect(), |a: &&Self, b| a.sku.cmp(&b.sku));
        for rows in rows.chunks(batch) {
            dimensions::upsert_products(connection, rows).await?;
        }
        Ok(Vec::new())
    }
}
