//! Stores and products as they are recorded.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use sqlx::{FromRow, PgPool};

use super::store::{self, Order};
use crate::http::query::{Paging, Sorting};

/// A store.
#[derive(Debug, Clone, FromRow)]
pub struct Store {
    /// Database key.
    pub id: i32,
    /// Natural key.
    pub code: String,
    /// Name.
    pub name: String,
    /// Region.
    pub region: Option<String>,
    /// City.
    pub city: Option<String>,
    /// For example `supermarket`.
    pub store_type: Option<String>,
    /// When the row was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// A product; its life cycle is not told here.
#[derive(Debug, Clone, FromRow)]
pub struct Product {
    /// Database key.
    pub id: i32,
    /// Natural key.
    pub sku: String,
    /// Name.
    pub name: String,
    /// Category.
    pub category: Option<String>,
    /// Brand.
    pub brand: Option<String>,
    /// List price, two decimals.
    pub base_price: Option<Decimal>,
    /// Unit cost, two decimals.
    pub base_cost: Option<Decimal>,
    /// When the row was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// Which rows, in which order, which page of them.
#[derive(Debug, Clone)]
pub struct Listing<'a> {
    /// Exact filters: region and type of stores, category and brand of products.
    pub exact: [Option<&'a str>; 2],
    /// A part of the natural key or of the name, in any case.
    pub search: Option<&'a str>,
    /// The order.
    pub sorting: Sorting<Order>,
    /// The page.
    pub paging: Paging,
}

/// A page of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// Its rows.
    pub rows: Vec<T>,
    /// Rows of all pages.
    pub total: i64,
}

/// Reads stores and products.
#[derive(Debug, Clone)]
pub struct Dimensions {
    pool: PgPool,
}

impl Dimensions {
    /// On this database.
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// A page of stores.
    pub async fn stores(&self, listing: &Listing<'_>) -> sqlx::Result<Page<Store>> {
        store::page(&self.pool, &store::STORES, listing).await
    }

    /// One store.
    pub async fn store(&self, id: i32) -> sqlx::Result<Option<Store>> {
        store::store(&self.pool, id).await
    }

    /// A page of products.
    pub async fn products(&self, listing: &Listing<'_>) -> sqlx::Result<Page<Product>> {
        store::page(&self.pool, &store::PRODUCTS, listing).await
    }

    /// One product.
    pub async fn product(&self, id: i32) -> sqlx::Result<Option<Product>> {
        store::product(&self.pool, id).await
    }
}
