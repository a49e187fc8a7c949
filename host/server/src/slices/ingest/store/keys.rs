//! Natural keys to database keys.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::NaiveDate;
use sqlx::PgConnection;

/// Store, product and day: the primary key of facts.
pub(in super::super) type Grain = (i32, i32, NaiveDate);

/// Keys of the stores that exist.
pub(in super::super) async fn store_ids(
    connection: &mut PgConnection,
    codes: &[&str],
) -> sqlx::Result<HashMap<String, i32>> {
    let rows = sqlx::query!("select code, id from store where code = any($1::text[])", codes as &[&str])
        .fetch_all(connection)
        .await?;
    Ok(rows.into_iter().map(|row| (row.code, row.id)).collect())
}

/// Keys of the products that exist.
pub(in super::super) async fn product_ids(
    connection: &mut PgConnection,
    skus: &[&str],
) -> sqlx::Result<HashMap<String, i32>> {
    let rows = sqlx::query!("select sku, id from product where sku = any($1::text[])", skus as &[&str])
        .fetch_all(connection)
        .await?;
    Ok(rows.into_iter().map(|row| (row.sku, row.id)).collect())
}

/// Those of the days that the calendar has.
pub(in super::super) async fn known_days(
    connection: &mut PgConnection,
    days: &[NaiveDate],
) -> sqlx::Result<HashSet<NaiveDate>> {
    let rows = sqlx::query_scalar!("select date from calendar where date = any($1::date[])", days)
        .fetch_all(connection)
        .await?;
    Ok(rows.into_iter().collect())
}

/// Keeps the stores, products and days of these grains from being deleted until the transaction ends, and says
/// whether all of them are there.
pub(super) async fn hold(
    connection: &mut PgConnection,
    grains: impl Iterator<Item = Grain>,
) -> sqlx::Result<bool> {
    let (mut stores, mut products, mut days) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for (store, product, day) in grains {
        stores.insert(store);
        products.insert(product);
        days.insert(day);
    }
    let stores: Vec<i32> = stores.into_iter().collect();
    let products: Vec<i32> = products.into_iter().collect();
    let days: Vec<NaiveDate> = days.into_iter().collect();
    let held = sqlx::query!(
        r#"with stores as (select from store where id = any($1) for key share),
                products as (select from product where id = any($2) for key share),
                days as (select from calendar where date = any($3) for key share)
           select (select count(*) from stores) as "stores!", (select count(*) from products) as "products!",
                  (select count(*) from days) as "days!""#,
        &stores,
        &products,
        &days,
    )
    .fetch_one(connection)
    .await?;
    let wanted = [stores.len(), products.len(), days.len()].map(|length| length as i64);
    Ok([held.stores, held.products, held.days] == wanted)
}
