//! Stores.

use sqlx::PgConnection;

use super::super::store::{dimensions, last_of_each};
use super::keys::StoreKey;
use super::{Record, Rejection, optional_text};
use crate::http::fields::{self, Fields};

/// A store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct StoreRow {
    pub(in super::super) code: String,
    pub(in super::super) name: String,
    pub(in super::super) region: Option<String>,
    pub(in super::super) city: Option<String>,
    pub(in super::super) store_type: Option<String>,
}

impl Record for StoreRow {
    const REQUIRED: &'static [&'static str] = &["code", "name"];
    type Key = StoreKey;

    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let code = fields.required("code", fields::text(1, 20));
        let name = fields.required("name", fields::text(1, 100));
        let region = optional_text(fields, "region", 50);
        let city = optional_text(fields, "city", 50);
        let store_type = optional_text(fields, "store_type", 30);
        Some(Self { code: code?.to_owned(), name: name?.to_owned(), region, city, store_type })
    }

    fn key(&self) -> StoreKey {
        StoreKey { code: self.code.clone() }
    }

    async fn write(
        connection: &mut PgConnection,
        rows: &[Self],
        batch: usize,
    ) -> sqlx::Result<Vec<Rejection>> {
        let rows = last_of_each(rows.iter().collect(), |a: &&Self, b| a.code.cmp(&b.code));
        for rows in rows.chunks(batch) {
            dimensions::upsert_stores(connection, rows).await?;
        }
        Ok(Vec::new())
    }
}
