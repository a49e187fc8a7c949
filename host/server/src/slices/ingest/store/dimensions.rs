//! Writes stores, products and the calendar. A row replaces the known one of the same key: what it leaves out becomes
//! null.
//!
//! Writers of a table wait for each other (`share row exclusive`), so that two loads of the same new key do not
//! collide; readers and the facts that refer to the table go on. `merge` and not `insert … on conflict`: the latter
//! takes a number of the sequence for every row that exists, and integers would run out.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use sqlx::PgConnection;

use super::super::records::{CalendarDay, ProductRow, StoreRow};

/// Writes stores of different codes.
pub(in super::super) async fn upsert_stores(
    connection: &mut PgConnection,
    stores: &[&StoreRow],
) -> sqlx::Result<()> {
    sqlx::query!("lock table store in share row exclusive mode").execute(&mut *connection).await?;
    let codes: Vec<&str> = stores.iter().map(|s| s.code.as_str()).collect();
    let names: Vec<&str> = stores.iter().map(|s| s.name.as_str()).collect();
    let regions: Vec<Option<&str>> = stores.iter().map(|s| s.region.as_deref()).collect();
    let cities: Vec<Option<&str>> = stores.iter().map(|s| s.city.as_deref()).collect();
    let types: Vec<Option<&str>> = stores.iter().map(|s| s.store_type.as_deref()).collect();
    sqlx::query!(
        "merge into store as known
         using unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
               as given (code, name, region, city, store_type)
         on known.code = given.code
         when matched then update
         set name = given.name, region = given.region, city = given.city, store_type = given.store_type,
             updated_at = now()
         when not matched then
         insert (code, name, region, city, store_type)
         values (given.code, given.name, given.region, given.city, given.store_type)",
        &codes as &[&str],
        &names as &[&str],
        &regions as &[Option<&str>],
        &cities as &[Option<&str>],
        &types as &[Option<&str>],
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes products of different SKUs.
pub(in super::super) async fn upsert_products(
    connection: &mut PgConnection,
    products: &[&ProductRow],
) -> sqlx::Result<()> {
    sqlx::query!("lock table product in share row exclusive mode").execute(&mut *connection).await?;
    let skus: Vec<&str> = products.iter().map(|p| p.sku.as_str()).collect();
    let names: Vec<&str> = products.iter().map(|p| p.name.as_str()).collect();
    let categories: Vec<Option<&str>> = products.iter().map(|p| p.category.as_deref()).collect();
    let subcategories: Vec<Option<&str>> = products.iter().map(|p| p.subcategory.as_deref()).collect();
    let brands: Vec<Option<&str>> = products.iter().map(|p| p.brand.as_deref()).collect();
    let prices: Vec<Option<Decimal>> = products.iter().map(|p| p.base_price).collect();
    let costs: Vec<Option<Decimal>> = products.iter().map(|p| p.base_cost).collect();
    let packs: Vec<Option<i32>> = products.iter().map(|p| p.pack_size).collect();
    let stages: Vec<Option<&str>> = products.iter().map(|p| p.lifecycle_stage).collect();
    let launches: Vec<Option<NaiveDate>> = products.iter().map(|p| p.launch_date).collect();
    let ends: Vec<Option<NaiveDate>> = products.iter().map(|p| p.discontinue_date).collect();
    sqlx::query!(
        "merge into product as known
         using unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::numeric[], $7::numeric[],
                      $8::int[], $9::text[], $10::date[], $11::date[])
               as given (sku, name, category, subcategory, brand, base_price, base_cost, pack_size, lifecycle_stage,
                         launch_date, discontinue_date)
         on known.sku = given.sku
         when matched then update
         set name = given.name, category = given.category, subcategory = given.subcategory, brand = given.brand,
             base_price = given.base_price, base_cost = given.base_cost, pack_size = given.pack_size,
             lifecycle_stage = given.lifecycle_stage, launch_date = given.launch_date,
             discontinue_date = given.discontinue_date, updated_at = now()
         when not matched then
         insert (sku, name, category, subcategory, brand, base_price, base_cost, pack_size, lifecycle_stage,
                 launch_date, discontinue_date)
         values (given.sku, given.name, given.category, given.subcategory, given.brand, given.base_price,
                 given.base_cost, given.pack_size, given.lifecycle_stage, given.launch_date, given.discontinue_date)",
        &skus as &[&str],
        &names as &[&str],
        &categories as &[Option<&str>],
        &subcategories as &[Option<&str>],
        &brands as &[Option<&str>],
        &prices as &[Option<Decimal>],
        &costs as &[Option<Decimal>],
        &packs as &[Option<i32>],
        &stages as &[Option<&str>],
        &launches as &[Option<NaiveDate>],
        &ends as &[Option<NaiveDate>],
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes different days, with what follows from the date.
pub(crate) async fn upsert_calendar(
    connection: &mut PgConnection,
    days: &[&CalendarDay],
) -> sqlx::Result<()> {
    let dates: Vec<NaiveDate> = days.iter().map(|day| day.date).collect();
    let holidays: Vec<bool> = days.iter().map(|day| day.is_holiday).collect();
    let names: Vec<Option<&str>> = days.iter().map(|day| day.holiday_name.as_deref()).collect();
    // No number is taken for a day, so `on conflict` will do.
    sqlx::query!(
        "insert into calendar (date, day_of_week, month, quarter, year, is_holiday, holiday_name)
         select day, extract(isodow from day)::int - 1, extract(month from day)::int,
                extract(quarter from day)::int, extract(year from day)::int, is_holiday, holiday_name
         from unnest($1::date[], $2::bool[], $3::text[]) as given (day, is_holiday, holiday_name)
         on conflict (date) do update
         set is_holiday = excluded.is_holiday, holiday_name = excluded.holiday_name, updated_at = now()",
        &dates,
        &holidays,
        &names as &[Option<&str>],
    )
    .execute(connection)
    .await?;
    Ok(())
}
