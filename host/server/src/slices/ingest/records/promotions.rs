//! Promotions.

use std::collections::HashSet;

use chrono::NaiveDate;
use retailcast_core::config_schema::FieldError;
use rust_decimal::Decimal;
use serde_json::Value;
use sqlx::PgConnection;

use super::super::store::last_of_each;
use super::super::store::plans::{self, Promotion};
use super::keys::{Known, PromotionKey, resolve};
use super::{MOST_PRICE, Record, Rejection};
use crate::http::fields::{self, Fields};

/// The kinds of promotions.
const KINDS: [&str; 4] = ["pct_off", "bogo", "bundle", "markdown"];
/// Most products of one bundle.
const MOST_MEMBERS: usize = 1000;

/// A promotion of a product, in one store or in all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct PromotionRow {
    pub(super) store_code: Option<String>,
    pub(super) sku: String,
    pub(super) name: String,
    pub(super) kind: &'static str,
    pub(super) discount_pct: Option<Decimal>,
    pub(super) discount_amount: Option<Decimal>,
    pub(super) bundle_member_skus: Option<Vec<String>>,
    pub(super) start_date: NaiveDate,
    pub(super) end_date: NaiveDate,
}

impl Record for PromotionRow {
    const REQUIRED: &'static [&'static str] = &["sku", "name", "start_date", "end_date"];
    type Key = PromotionKey;

    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let store_code = fields.nullable("store_code", fields::text(1, 20));
        let sku = fields.required("sku", fields::text(1, 50));
        let name = fields.required("name", fields::text(1, 200));
        let kind = fields.nullable("kind", fields::one_of(&KINDS)).unwrap_or("pct_off");
        let discount_pct = fields.nullable("discount_pct", fields::decimal(4, Decimal::ONE));
        let discount_amount = fields.nullable("discount_amount", fields::money(MOST_PRICE));
        let members = fields.nullable_nested("bundle_member_skus", members);
        let start_date = fields.required("start_date", fields::date);
        let end_date = fields.required("end_date", fields::date);
        if let (Some(first), Some(last)) = (start_date, end_date)
            && last < first
        {
            fields.refuse("end_date", format!("must not be before start_date, {first}; got {last}"));
        }
        let has_members = fields.given("bundle_member_skus");
        if matches!(kind, "bundle" | "bogo") != has_members {
            let rule = if has_members { "belongs to the kinds bundle and bogo only" } else { "is required" };
            fields.refuse("bundle_member_skus", format!("{rule}; the kind is {kind}"));
        }
        Some(Self {
            store_code: store_code.map(str::to_owned),
            sku: sku?.to_owned(),
            name: name?.to_owned(),
            kind,
            discount_pct,
            discount_amount,
            bundle_member_skus: members,
            start_date: start_date?,
            end_date: end_date?,
        })
    }

    fn key(&self) -> PromotionKey {
        PromotionKey {
            store_code: self.store_code.clone(),
            sku: self.sku.clone(),
            name: self.name.clone(),
            start_date: self.start_date,
        }
    }

    async fn write(
        connection: &mut PgConnection,
        rows: &[Self],
        batch: usize,
    ) -> sqlx::Result<Vec<Rejection>> {
        let members = rows.iter().flat_map(|row| row.bundle_member_skus.iter().flatten());
        let known = Known::look_up(
            connection,
            rows.iter().filter_map(|row| row.store_code.as_deref()).collect(),
            rows.iter().map(|row| &row.sku).chain(members).map(String::as_str).collect(),
            HashSet::new(),
        )
        .await?;
        let (promotions, rejected) = resolve(rows, |row| {
            let members = row.bundle_member_skus.as_ref();
            Ok(Promotion {
                store_id: row.store_code.as_deref().map(|code| known.store(code)).transpose()?,
                product_id: known.product(&row.sku)?,
                name: row.name.clone(),
                kind: row.kind,
                discount_pct: row.discount_pct,
                discount_amount: row.discount_amount,
                bundle_members: members
                    .map(|skus| skus.iter().map(|sku| known.product(sku)).collect())
                    .transpose()?,
                start_date: row.start_date,
                end_date: row.end_date,
            })
        });
        let promotions = last_of_each(promotions, |a, b| {
            let key = |p: &Promotion| (p.product_id, p.store_id, p.start_date);
            key(a).cmp(&key(b)).then_with(|| a.name.cmp(&b.name))
        });
        for promotions in promotions.chunks(batch) {
            plans::upsert_promotions(connection, promotions).await?;
        }
        Ok(rejected)
    }
}

/// The SKUs of a bundle: an array, which in a table's cell is written as JSON.
fn members(value: &Value) -> Result<Vec<String>, Vec<FieldError>> {
    let parsed = value.as_str().and_then(|text| serde_json::from_str(text).ok());
    let refuse = |(kind, message)| vec![FieldError::new("bundle_member_skus", kind, message)];
    let members = fields::list(1, MOST_MEMBERS)(parsed.as_ref().unwrap_or(value)).map_err(refuse)?;
    let mut errors = Vec::new();
    let mut skus = Vec::with_capacity(members.len());
    for (i, member) in members.iter().enumerate() {
        match fields::text(1, 50)(member) {
            Ok(sku) => skus.push(sku.to_owned()),
            Err((kind, message)) => {
                errors.push(FieldError::new(format!("bundle_member_skus.{i}"), kind, message));
            }
        }
    }
    if errors.is_empty() { Ok(skus) } else { Err(errors) }
}
