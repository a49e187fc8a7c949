//! Natural keys: how the report of rejected rows echoes them, and looking them up.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;
use serde::Serialize;
use sqlx::PgConnection;
use utoipa::ToSchema;

use super::super::store::keys::{self, Grain};
use super::{Rejection, RejectionCode};
use crate::http::fields::{self, Fields};

/// A store.
#[derive(Debug, Serialize, ToSchema)]
pub(in super::super) struct StoreKey {
    /// As sent.
    pub(super) code: String,
}

/// A product.
#[derive(Debug, Serialize, ToSchema)]
pub(in super::super) struct ProductKey {
    /// As sent.
    pub(super) sku: String,
}

/// A day.
#[derive(Debug, Serialize, ToSchema)]
pub(in super::super) struct DayKey {
    /// As sent.
    pub(super) date: NaiveDate,
}

/// A day of a product in a store: what sales and stock are addressed by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(in super::super) struct SeriesDay {
    /// As sent.
    pub(super) store_code: String,
    /// As sent.
    pub(super) sku: String,
    /// As sent.
    pub(super) date: NaiveDate,
}

impl SeriesDay {
    /// Reads the fields, in the order of the schema.
    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let date = fields.required("date", fields::date);
        let store_code = fields.required("store_code", fields::text(1, 20));
        let sku = fields.required("sku", fields::text(1, 50));
        Some(Self { store_code: store_code?.to_owned(), sku: sku?.to_owned(), date: date? })
    }
}

/// A price: product, store and first day.
#[derive(Debug, Serialize, ToSchema)]
pub(in super::super) struct PriceKey {
    /// As sent; null for the whole chain.
    pub(super) store_code: Option<String>,
    /// As sent.
    pub(super) sku: String,
    /// As sent.
    pub(super) valid_from: NaiveDate,
}

/// A promotion.
#[derive(Debug, Serialize, ToSchema)]
pub(in super::super) struct PromotionKey {
    /// As sent; null for the whole chain.
    pub(super) store_code: Option<String>,
    /// As sent.
    pub(super) sku: String,
    /// As sent.
    pub(super) name: String,
    /// As sent.
    pub(super) start_date: NaiveDate,
}

/// The natural keys of some rows that exist.
pub(super) struct Known {
    stores: HashMap<String, i32>,
    products: HashMap<String, i32>,
    days: HashSet<NaiveDate>,
}

impl Known {
    /// One lookup per kind.
    pub(super) async fn look_up(
        connection: &mut PgConnection,
        codes: HashSet<&str>,
        skus: HashSet<&str>,
        days: HashSet<NaiveDate>,
    ) -> sqlx::Result<Self> {
        let days: Vec<NaiveDate> = days.into_iter().collect();
        Ok(Self {
            stores: keys::store_ids(connection, &codes.into_iter().collect::<Vec<_>>()).await?,
            products: keys::product_ids(connection, &skus.into_iter().collect::<Vec<_>>()).await?,
            days: keys::known_days(connection, &days).await?,
        })
    }

    /// The same for rows of facts.
    pub(super) async fn of_facts<'a>(
        connection: &mut PgConnection,
        grains: impl Iterator<Item = &'a SeriesDay>,
    ) -> sqlx::Result<Self> {
        let (mut codes, mut skus, mut days) = (HashSet::new(), HashSet::new(), HashSet::new());
        for grain in grains {
            codes.insert(grain.store_code.as_str());
            skus.insert(grain.sku.as_str());
            days.insert(grain.date);
        }
        Self::look_up(connection, codes, skus, days).await
    }

    /// Checks store, then product, then day.
    pub(super) fn grain(&self, grain: &SeriesDay) -> Result<Grain, Unknown> {
        Ok((self.store(&grain.store_code)?, self.product(&grain.sku)?, self.day(grain.date)?))
    }

    pub(super) fn store(&self, code: &str) -> Result<i32, Unknown> {
        let missing = || (RejectionCode::Store, format!("no store with code {code}"));
        self.stores.get(code).copied().ok_or_else(missing)
    }

    pub(super) fn product(&self, sku: &str) -> Result<i32, Unknown> {
        let missing = || (RejectionCode::Product, format!("no product with SKU {sku}"));
        self.products.get(sku).copied().ok_or_else(missing)
    }

    fn day(&self, date: NaiveDate) -> Result<NaiveDate, Unknown> {
        let missing = || (RejectionCode::Date, format!("the calendar does not have {date}"));
        self.days.contains(&date).then_some(date).ok_or_else(missing)
    }
}

/// What does not exist.
pub(super) type Unknown = (RejectionCode, String);

/// Resolves every row, and keeps apart those that do not resolve.
pub(super) fn resolve<R, T>(
    rows: &[R],
    resolve: impl Fn(&R) -> Result<T, Unknown>,
) -> (Vec<T>, Vec<Rejection>) {
    let (mut resolved, mut rejected) = (Vec::with_capacity(rows.len()), Vec::new());
    for (row, record) in rows.iter().enumerate() {
        match resolve(record) {
            Ok(record) => resolved.push(record),
            Err((code, message)) => rejected.push(Rejection { row, code, message }),
        }
    }
    (resolved, rejected)
}
