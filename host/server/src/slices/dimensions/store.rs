//! Reads pages of dimension tables.

use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgPool, Postgres, QueryBuilder, Row};

use super::service::{Listing, Page, Product, Store};
use crate::http::query::contains_pattern;

/// Something to order by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order(&'static str);

/// By what stores may be ordered. Text by code point: results do not depend on the database's locale.
pub const STORE_ORDERS: &[(&str, Order)] = &[
    ("code", Order(r#"code collate "C""#)),
    ("name", Order(r#"name collate "C""#)),
    ("region", Order(r#"region collate "C""#)),
    ("city", Order(r#"city collate "C""#)),
    ("store_type", Order(r#"store_type collate "C""#)),
];

/// By what products may be ordered.
pub const PRODUCT_ORDERS: &[(&str, Order)] = &[
    ("sku", Order(r#"sku collate "C""#)),
    ("name", Order(r#"name collate "C""#)),
    ("category", Order(r#"category collate "C""#)),
    ("brand", Order(r#"brand collate "C""#)),
    ("base_price", Order("base_price")),
];

/// What differs between the tables.
#[derive(Debug)]
pub(super) struct Table {
    /// Columns, as `select` has them.
    columns: &'static str,
    name: &'static str,
    /// The natural key: default order, tie-breaker, and searched besides the name.
    key: &'static str,
    exact: [&'static str; 2],
}

pub(super) const STORES: Table = Table {
    columns: "id, code, name, region, city, store_type, created_at, updated_at",
    name: "store",
    key: "code",
    exact: ["region", "store_type"],
};

pub(super) const PRODUCTS: Table = Table {
    columns: "id, sku, name, category, brand, base_price, base_cost, created_at, updated_at",
    name: "product",
    key: "sku",
    exact: ["category", "brand"],
};

/// A page and the number of all rows that fit, in one statement: both are of the same moment.
pub(super) async fn page<T>(pool: &PgPool, table: &Table, listing: &Listing<'_>) -> sqlx::Result<Page<T>>
where
    T: for<'r> FromRow<'r, PgRow>,
{
    let mut query =
        QueryBuilder::new(format!("select {}, count(*) over () as total from {}", table.columns, table.name));
    filter(&mut query, table, listing);
    query.push(" order by ");
    if let Some(Order(column)) = listing.sorting.by {
        // Nulls are the largest value, which is PostgreSQL's default in both directions.
        let direction = if listing.sorting.descending { "desc" } else { "asc" };
        query.push(format!("{column} {direction}, "));
    }
    query.push(format!(r#"{} collate "C""#, table.key));
    query.push(" limit ").push_bind(listing.paging.page_size);
    query.push(" offset ").push_bind(listing.paging.offset());
    let rows = query.build().fetch_all(pool).await?;
    let total = match rows.first() {
        Some(row) => row.try_get("total")?,
        // Past the end no row is there to carry the number.
        None if listing.paging.page > 1 => count(pool, table, listing).await?,
        None => 0,
    };
    let rows = rows.iter().map(T::from_row).collect::<Result<_, _>>()?;
    Ok(Page { rows, total })
}

async fn count(pool: &PgPool, table: &Table, listing: &Listing<'_>) -> sqlx::Result<i64> {
    let mut query = QueryBuilder::new(format!("select count(*) from {}", table.name));
    filter(&mut query, table, listing);
    query.build_query_scalar().fetch_one(pool).await
}

fn filter(query: &mut QueryBuilder<Postgres>, table: &Table, listing: &Listing<'_>) {
    query.push(" where true");
    for (column, value) in table.exact.iter().zip(listing.exact) {
        if let Some(value) = value {
            query.push(format!(" and {column} = ")).push_bind(value.to_owned());
        }
    }
    if let Some(term) = listing.search {
        let pattern = contains_pattern(term);
        query.push(format!(" and ({} ilike ", table.key)).push_bind(pattern.clone());
        query.push(" or name ilike ").push_bind(pattern).push(")");
    }
}

/// One store.
pub(super) async fn store(pool: &PgPool, id: i32) -> sqlx::Result<Option<Store>> {
    sqlx::query_as!(
        Store,
        "select id, code, name, region, city, store_type, created_at, updated_at from store where id = $1",
        id
    )
    .fetch_optional(pool)
    .await
}

/// One product.
pub(super) async fn product(pool: &PgPool, id: i32) -> sqlx::Result<Option<Product>> {
    sqlx::query_as!(
        Product,
        "select id, sku, name, category, brand, base_price, base_cost, created_at, updated_at
         from product where id = $1",
        id
    )
    .fetch_optional(pool)
    .await
}
