//! The SQL of imports. Sales themselves are written by the ingest slice's statement.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;
use rust_decimal::Decimal;
use sqlx::PgConnection;

use super::dimensions::{Product, Store};
use super::sales::PromotionRun;

/// What promotions made of flagged days are called; repeated imports replace those of this name.
const FLAGGED: &str = "Flagged in imported sales";

/// Keys of all stores.
pub(super) async fn all_stores(connection: &mut PgConnection) -> sqlx::Result<HashMap<String, i32>> {
    let rows = sqlx::query!("select code, id from store").fetch_all(connection).await?;
    Ok(rows.into_iter().map(|row| (row.code, row.id)).collect())
}

/// Keys and base prices of all products.
pub(super) async fn all_products(
    connection: &mut PgConnection,
) -> sqlx::Result<HashMap<String, (i32, Option<Decimal>)>> {
    let rows = sqlx::query!("select sku, id, base_price from product").fetch_all(connection).await?;
    Ok(rows.into_iter().map(|row| (row.sku, (row.id, row.base_price))).collect())
}

/// All days of the calendar.
pub(super) async fn all_days(connection: &mut PgConnection) -> sqlx::Result<HashSet<NaiveDate>> {
    let days = sqlx::query_scalar!("select date from calendar").fetch_all(connection).await?;
    Ok(days.into_iter().collect())
}

/// The next free keys of stores and products. Nobody else adds any until the transaction ends, so the reader may
/// count on from here; `return_ids` tells the sequences how far it came.
pub(super) async fn reserve_ids(connection: &mut PgConnection) -> sqlx::Result<(i32, i32)> {
    sqlx::query!("lock table store, product in share row exclusive mode").execute(&mut *connection).await?;
    let next = sqlx::query!(
        r#"select greatest(nextval(pg_get_serial_sequence('store', 'id')), (select max(id) + 1 from store))::int as "store!",
                  greatest(nextval(pg_get_serial_sequence('product', 'id')), (select max(id) + 1 from product))::int as "product!""#
    )
    .fetch_one(connection)
    .await?;
    Ok((next.store, next.product))
}

/// See [`reserve_ids`].
pub(super) async fn return_ids(connection: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query!(
        "select setval(pg_get_serial_sequence('store', 'id'), coalesce(max(id), 0) + 1, false) from store
         union all
         select setval(pg_get_serial_sequence('product', 'id'), coalesce(max(id), 0) + 1, false) from product"
    )
    .fetch_all(connection)
    .await?;
    Ok(())
}

/// Adds stores that are named like their codes.
pub(super) async fn add_stores(connection: &mut PgConnection, stores: &[(i32, String)]) -> sqlx::Result<()> {
    if stores.is_empty() {
        return Ok(());
    }
    let (ids, codes): (Vec<i32>, Vec<String>) = stores.iter().cloned().unzip();
    sqlx::query!(
        "insert into store (id, code, name) select id, code, code from unnest($1::int[], $2::text[]) as added (id, code)",
        &ids,
        &codes
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Adds products that are named like their SKUs.
pub(super) async fn add_products(
    connection: &mut PgConnection,
    products: &[(i32, String)],
) -> sqlx::Result<()> {
    if products.is_empty() {
        return Ok(());
    }
    let (ids, skus): (Vec<i32>, Vec<String>) = products.iter().cloned().unzip();
    sqlx::query!(
        "insert into product (id, sku, name) select id, sku, sku from unnest($1::int[], $2::text[]) as added (id, sku)",
        &ids,
        &skus
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Adds days that are no holidays; those that are there stay as they are.
pub(super) async fn add_days(connection: &mut PgConnection, days: &[NaiveDate]) -> sqlx::Result<()> {
    if days.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "insert into calendar (date, day_of_week, month, quarter, year)
         select day, extract(isodow from day)::int - 1, extract(month from day)::int,
                extract(quarter from day)::int, extract(year from day)::int
         from unnest($1::date[]) as day
         on conflict (date) do nothing",
        days
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Adds what is missing between two days, and says how many.
pub(super) async fn fill_calendar(
    connection: &mut PgConnection,
    first: NaiveDate,
    last: NaiveDate,
) -> sqlx::Result<usize> {
    let done = sqlx::query!(
        "insert into calendar (date, day_of_week, month, quarter, year)
         select day, extract(isodow from day)::int - 1, extract(month from day)::int,
                extract(quarter from day)::int, extract(year from day)::int
         from generate_series($1::date, $2::date, '1 day') as day
         on conflict (date) do nothing",
        first,
        last
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected() as usize)
}

/// Puts these promotions in place of those that earlier imports made for the same series and span. What earlier ones
/// cover beyond the span stays.
pub(super) async fn replace_promotions(
    connection: &mut PgConnection,
    series: &[(i32, i32)],
    (first, last): (NaiveDate, NaiveDate),
    runs: &[PromotionRun],
) -> sqlx::Result<()> {
    let (seen_stores, seen_products): (Vec<i32>, Vec<i32>) = series.iter().copied().unzip();
    sqlx::query!(
        "with hit as (
             delete from promotion
             where name = $1 and start_date <= $4 and end_date >= $3
               and (store_id, product_id) in (select * from unnest($2::int[], $5::int[]))
             returning store_id, product_id, start_date, end_date
         )
         insert into promotion (store_id, product_id, start_date, end_date, name)
         select store_id, product_id, start_date, $3::date - 1, $1 from hit where start_date < $3
         union all
         select store_id, product_id, $4::date + 1, end_date, $1 from hit where end_date > $4",
        FLAGGED,
        &seen_stores,
        first,
        last,
        &seen_products,
    )
    .execute(&mut *connection)
    .await?;
    let stores: Vec<i32> = runs.iter().map(|run| run.pair.0).collect();
    let products: Vec<i32> = runs.iter().map(|run| run.pair.1).collect();
    let starts: Vec<NaiveDate> = runs.iter().map(|run| run.first).collect();
    let ends: Vec<NaiveDate> = runs.iter().map(|run| run.last).collect();
    sqlx::query!(
        "insert into promotion (store_id, product_id, start_date, end_date, name)
         select store_id, product_id, first, last, $5
         from unnest($1::int[], $2::int[], $3::date[], $4::date[]) as run (store_id, product_id, first, last)",
        &stores,
        &products,
        &starts,
        &ends,
        FLAGGED,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Inserts or updates stores by code. What a file does not say of a store (`None`) stays as it is.
pub(super) async fn upsert_stores(connection: &mut PgConnection, stores: &[Store]) -> sqlx::Result<()> {
    let codes: Vec<&str> = stores.iter().map(|s| s.code.as_str()).collect();
    let names: Vec<Option<&str>> = stores.iter().map(|s| s.name.as_deref()).collect();
    let regions: Vec<Option<&str>> = stores.iter().map(|s| s.region.as_deref()).collect();
    let cities: Vec<Option<&str>> = stores.iter().map(|s| s.city.as_deref()).collect();
    let types: Vec<Option<&str>> = stores.iter().map(|s| s.store_type.as_deref()).collect();
    sqlx::query!(
        "insert into store (code, name, region, city, store_type)
         select given.code, coalesce(given.name, known.name, given.code), given.region, given.city, given.store_type
         from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
              as given (code, name, region, city, store_type)
         left join store as known on known.code = given.code
         on conflict (code) do update
         set name = excluded.name, region = coalesce(excluded.region, store.region),
             city = coalesce(excluded.city, store.city),
             store_type = coalesce(excluded.store_type, store.store_type), updated_at = now()",
        &codes as &[&str],
        &names as &[Option<&str>],
        &regions as &[Option<&str>],
        &cities as &[Option<&str>],
        &types as &[Option<&str>],
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Inserts or updates products by SKU. What a file does not say of a product (`None`) stays as it is.
pub(super) async fn upsert_products(connection: &mut PgConnection, products: &[Product]) -> sqlx::Result<()> {
    let skus: Vec<&str> = products.iter().map(|p| p.sku.as_str()).collect();
    let names: Vec<Option<&str>> = products.iter().map(|p| p.name.as_deref()).collect();
    let categories: Vec<Option<&str>> = products.iter().map(|p| p.category.as_deref()).collect();
    let subcategories: Vec<Option<&str>> = products.iter().map(|p| p.subcategory.as_deref()).collect();
    let brands: Vec<Option<&str>> = products.iter().map(|p| p.brand.as_deref()).collect();
    let stages: Vec<Option<&str>> = products.iter().map(|p| p.lifecycle_stage.as_deref()).collect();
    let prices: Vec<Option<Decimal>> = products.iter().map(|p| p.base_price).collect();
    let costs: Vec<Option<Decimal>> = products.iter().map(|p| p.base_cost).collect();
    let packs: Vec<Option<i32>> = products.iter().map(|p| p.pack_size).collect();
    let launches: Vec<Option<NaiveDate>> = products.iter().map(|p| p.launch_date).collect();
    let ends: Vec<Option<NaiveDate>> = products.iter().map(|p| p.discontinue_date).collect();
    sqlx::query!(
        "insert into product (sku, name, category, subcategory, brand, lifecycle_stage, base_price, base_cost,
                              pack_size, launch_date, discontinue_date)
         select given.sku, coalesce(given.name, known.name, given.sku), given.category, given.subcategory, given.brand,
                given.lifecycle_stage, given.base_price, given.base_cost, given.pack_size, given.launch_date,
                given.discontinue_date
         from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
                     $7::numeric[], $8::numeric[], $9::int[], $10::date[], $11::date[])
              as given (sku, name, category, subcategory, brand, lifecycle_stage, base_price, base_cost, pack_size,
                        launch_date, discontinue_date)
         left join product as known on known.sku = given.sku
         on conflict (sku) do update
         set name = excluded.name, category = coalesce(excluded.category, product.category),
             subcategory = coalesce(excluded.subcategory, product.subcategory),
             brand = coalesce(excluded.brand, product.brand),
             lifecycle_stage = coalesce(excluded.lifecycle_stage, product.lifecycle_stage),
             base_price = coalesce(excluded.base_price, product.base_price),
             base_cost = coalesce(excluded.base_cost, product.base_cost),
             pack_size = coalesce(excluded.pack_size, product.pack_size),
             launch_date = coalesce(excluded.launch_date, product.launch_date),
             discontinue_date = coalesce(excluded.discontinue_date, product.discontinue_date), updated_at = now()",
        &skus as &[&str],
        &names as &[Option<&str>],
        &categories as &[Option<&str>],
        &subcategories as &[Option<&str>],
        &brands as &[Option<&str>],
        &stages as &[Option<&str>],
        &prices as &[Option<Decimal>],
        &costs as &[Option<Decimal>],
        &packs as &[Option<i32>],
        &launches as &[Option<NaiveDate>],
        &ends as &[Option<NaiveDate>],
    )
    .execute(connection)
    .await?;
    Ok(())
}
