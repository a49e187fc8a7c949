//! JSON and CSV shapes of `/dimensions`.

use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::service::{self, Listing, Page};
use super::store::{Order, PRODUCT_ORDERS, STORE_ORDERS};
use crate::http::listing::CsvRow;
use crate::http::query::{Paging, Query, QueryFields, Sorting};
use crate::http::{Problem, Timestamp, fields};

/// Which stores.
#[derive(Debug, IntoParams)]
#[allow(dead_code, reason = "describes the query string, which is read value by value")]
#[into_params(parameter_in = Query)]
pub(super) struct StoresQuery {
    /// From 1; a page past the end is empty.
    #[param(minimum = 1, default = 1)]
    page: Option<i64>,
    /// Rows per page.
    #[param(minimum = 1, maximum = 100, default = 20)]
    page_size: Option<i64>,
    /// Exactly this region.
    region: Option<String>,
    /// Exactly this type.
    store_type: Option<String>,
    /// A part of code or name, in any case; `%`, `_` and `\` stand for themselves.
    #[param(min_length = 2)]
    search: Option<String>,
    /// `code`, `name`, `region`, `city` or `store_type`; anything else is the default order: by code.
    sort_by: Option<String>,
    /// `asc` or `desc`; only with `sort_by`.
    #[param(pattern = "^(asc|desc)$", default = "asc")]
    sort_order: Option<String>,
}

/// Which products.
#[derive(Debug, IntoParams)]
#[allow(dead_code, reason = "describes the query string, which is read value by value")]
#[into_params(parameter_in = Query)]
pub(super) struct ProductsQuery {
    /// From 1; a page past the end is empty.
    #[param(minimum = 1, default = 1)]
    page: Option<i64>,
    /// Rows per page.
    #[param(minimum = 1, maximum = 100, default = 20)]
    page_size: Option<i64>,
    /// Exactly this category.
    category: Option<String>,
    /// Exactly this brand.
    brand: Option<String>,
    /// A part of SKU or name, in any case; `%`, `_` and `\` stand for themselves.
    #[param(min_length = 2)]
    search: Option<String>,
    /// `sku`, `name`, `category`, `brand` or `base_price`; anything else is the default order: by SKU.
    sort_by: Option<String>,
    /// `asc` or `desc`; only with `sort_by`.
    #[param(pattern = "^(asc|desc)$", default = "asc")]
    sort_order: Option<String>,
}

/// Reads the query of stores.
pub(super) fn read_stores(query: &Query) -> Result<Listing<'_>, Problem> {
    read(query.fields(), ["region", "store_type"], STORE_ORDERS)
}

/// Reads the query of products.
pub(super) fn read_products(query: &Query) -> Result<Listing<'_>, Problem> {
    read(query.fields(), ["category", "brand"], PRODUCT_ORDERS)
}

fn read<'a>(
    mut fields: QueryFields<'a>,
    exact: [&str; 2],
    orders: &[(&str, Order)],
) -> Result<Listing<'a>, Problem> {
    let paging = Paging::read(&mut fields);
    let exact = exact.map(|name| fields.optional(name, fields::text(0, usize::MAX)));
    let search = fields.optional("search", fields::text(2, usize::MAX));
    let sorting = Sorting::read(&mut fields, orders);
    let listing = (|| {
        let [first, second] = exact;
        Some(Listing { exact: [first?, second?], search: search?, sorting: sorting?, paging: paging? })
    })();
    fields.finish(listing)
}

/// A store.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": 4, "code": "BER-01", "name": "Berlin Mitte", "region": "East", "city": "Berlin",
    "store_type": "supermarket", "created_at": "2025-01-02T09:00:00Z", "updated_at": "2025-01-02T09:00:00Z"}))]
#[allow(clippy::struct_field_names, reason = "the contract's names")]
pub(super) struct Store {
    /// Use it as `store_id` elsewhere.
    id: i32,
    /// Natural key.
    code: String,
    name: String,
    region: Option<String>,
    city: Option<String>,
    store_type: Option<String>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<service::Store> for Store {
    fn from(store: service::Store) -> Self {
        Self {
            id: store.id,
            code: store.code,
            name: store.name,
            region: store.region,
            city: store.city,
            store_type: store.store_type,
            created_at: store.created_at.into(),
            updated_at: store.updated_at.into(),
        }
    }
}

/// A product.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": 31, "sku": "TEA-500", "name": "Green Tea 500g", "category": "Beverage",
    "brand": "Leafline", "base_price": "6.20", "base_cost": "3.10",
    "created_at": "2025-01-02T09:00:00Z", "updated_at": "2025-01-02T09:00:00Z"}))]
pub(super) struct Product {
    /// Use it as `product_id` elsewhere.
    id: i32,
    /// Natural key.
    sku: String,
    name: String,
    category: Option<String>,
    brand: Option<String>,
    /// List price, two decimals.
    #[schema(value_type = Option<String>)]
    base_price: Option<Decimal>,
    /// Unit cost, two decimals.
    #[schema(value_type = Option<String>)]
    base_cost: Option<Decimal>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<service::Product> for Product {
    fn from(product: service::Product) -> Self {
        Self {
            id: product.id,
            sku: product.sku,
            name: product.name,
            category: product.category,
            brand: product.brand,
            base_price: product.base_price.map(cents),
            base_cost: product.base_cost.map(cents),
            created_at: product.created_at.into(),
            updated_at: product.updated_at.into(),
        }
    }
}

/// With two decimals, also zero, which comes from the database without any.
fn cents(mut money: Decimal) -> Decimal {
    money.rescale(2);
    money
}

/// A page of stores.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"stores": [{"id": 4, "code": "BER-01", "name": "Berlin Mitte", "region": "East",
    "city": "Berlin", "store_type": "supermarket", "created_at": "2025-01-02T09:00:00Z",
    "updated_at": "2025-01-02T09:00:00Z"}], "total": 12, "page": 1, "page_size": 1}))]
pub(super) struct StorePage {
    pub(super) stores: Vec<Store>,
    /// Matches on all pages.
    pub(super) total: i64,
    page: i64,
    page_size: i64,
}

impl StorePage {
    pub(super) fn new(page: Page<service::Store>, paging: Paging) -> Self {
        Self {
            stores: page.rows.into_iter().map(Store::from).collect(),
            total: page.total,
            page: paging.page,
            page_size: paging.page_size,
        }
    }
}

/// A page of products.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"products": [{"id": 31, "sku": "TEA-500", "name": "Green Tea 500g", "category": "Beverage",
    "brand": "Leafline", "base_price": "6.20", "base_cost": "3.10", "created_at": "2025-01-02T09:00:00Z",
    "updated_at": "2025-01-02T09:00:00Z"}], "total": 3, "page": 1, "page_size": 1}))]
pub(super) struct ProductPage {
    pub(super) products: Vec<Product>,
    /// Matches on all pages.
    pub(super) total: i64,
    page: i64,
    page_size: i64,
}

impl ProductPage {
    pub(super) fn new(page: Page<service::Product>, paging: Paging) -> Self {
        Self {
            products: page.rows.into_iter().map(Product::from).collect(),
            total: page.total,
            page: paging.page,
            page_size: paging.page_size,
        }
    }
}

impl CsvRow for Store {
    const COLUMNS: &'static [&'static str] =
        &["id", "code", "name", "region", "city", "store_type", "created_at", "updated_at"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            self.code.clone(),
            self.name.clone(),
            self.region.clone().unwrap_or_default(),
            self.city.clone().unwrap_or_default(),
            self.store_type.clone().unwrap_or_default(),
            self.created_at.text(),
            self.updated_at.text(),
        ]
    }
}

impl CsvRow for Product {
    const COLUMNS: &'static [&'static str] =
        &["id", "sku", "name", "category", "brand", "base_price", "base_cost", "created_at", "updated_at"];

    fn cells(&self) -> Vec<String> {
        let money = |money: Option<Decimal>| money.map(|money| money.to_string()).unwrap_or_default();
        vec![
            self.id.to_string(),
            self.sku.clone(),
            self.name.clone(),
            self.category.clone().unwrap_or_default(),
            self.brand.clone().unwrap_or_default(),
            money(self.base_price),
            money(self.base_cost),
            self.created_at.text(),
            self.updated_at.text(),
        ]
    }
}
