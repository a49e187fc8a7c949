//! Writes prices and promotions. Their tables have no natural key of their own (histories overlap as they were
//! delivered), so the load compares: writers of a table wait for each other, and a row replaces every known one of
//! the same key.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde_json::Value;
use sqlx::PgConnection;

/// A price and its validity, by database keys.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) struct Price {
    pub(in super::super) product_id: i32,
    pub(in super::super) store_id: Option<i32>,
    pub(in super::super) amount: Decimal,
    pub(in super::super) valid_from: NaiveDate,
    pub(in super::super) valid_to: Option<NaiveDate>,
}

/// A promotion, by database keys.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) struct Promotion {
    pub(in super::super) product_id: i32,
    pub(in super::super) store_id: Option<i32>,
    pub(in super::super) name: String,
    pub(in super::super) kind: &'static str,
    pub(in super::super) discount_pct: Option<Decimal>,
    pub(in super::super) discount_amount: Option<Decimal>,
    pub(in super::super) bundle_members: Option<Vec<i32>>,
    pub(in super::super) start_date: NaiveDate,
    pub(in super::super) end_date: NaiveDate,
}

/// Writes prices of different product, store and first day.
pub(in super::super) async fn upsert_prices(
    connection: &mut PgConnection,
    prices: &[Price],
) -> sqlx::Result<()> {
    sqlx::query!("lock table price_history in share row exclusive mode").execute(&mut *connection).await?;
    let products: Vec<i32> = prices.iter().map(|p| p.product_id).collect();
    let stores: Vec<Option<i32>> = prices.iter().map(|p| p.store_id).collect();
    let amounts: Vec<Decimal> = prices.iter().map(|p| p.amount).collect();
    let starts: Vec<NaiveDate> = prices.iter().map(|p| p.valid_from).collect();
    let ends: Vec<Option<NaiveDate>> = prices.iter().map(|p| p.valid_to).collect();
    sqlx::query!(
        "merge into price_history as known
         using unnest($1::int[], $2::int[], $3::numeric[], $4::date[], $5::date[])
               as given (product_id, store_id, price, valid_from, valid_to)
         on known.product_id = given.product_id and known.valid_from = given.valid_from
            and known.store_id is not distinct from given.store_id
         when matched then update set price = given.price, valid_to = given.valid_to, updated_at = now()
         when not matched then
         insert (product_id, store_id, price, valid_from, valid_to)
         values (given.product_id, given.store_id, given.price, given.valid_from, given.valid_to)",
        &products,
        &stores as &[Option<i32>],
        &amounts,
        &starts,
        &ends as &[Option<NaiveDate>],
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes promotions of different product, store, name and first day.
pub(in super::super) async fn upsert_promotions(
    connection: &mut PgConnection,
    promotions: &[Promotion],
) -> sqlx::Result<()> {
    sqlx::query!("lock table promotion in share row exclusive mode").execute(&mut *connection).await?;
    let products: Vec<i32> = promotions.iter().map(|p| p.product_id).collect();
    let stores: Vec<Option<i32>> = promotions.iter().map(|p| p.store_id).collect();
    let names: Vec<&str> = promotions.iter().map(|p| p.name.as_str()).collect();
    let kinds: Vec<&str> = promotions.iter().map(|p| p.kind).collect();
    let shares: Vec<Option<Decimal>> = promotions.iter().map(|p| p.discount_pct).collect();
    let amounts: Vec<Option<Decimal>> = promotions.iter().map(|p| p.discount_amount).collect();
    let members: Vec<Option<Value>> =
        promotions.iter().map(|p| p.bundle_members.as_ref().map(|ids| ids.as_slice().into())).collect();
    let starts: Vec<NaiveDate> = promotions.iter().map(|p| p.start_date).collect();
    let ends: Vec<NaiveDate> = promotions.iter().map(|p| p.end_date).collect();
    sqlx::query!(
        "merge into promotion as known
         using unnest($1::int[], $2::int[], $3::text[], $4::text[], $5::numeric[], $6::numeric[], $7::jsonb[],
                      $8::date[], $9::date[])
               as given (product_id, store_id, name, kind, discount_pct, discount_amount, members, start_date, end_date)
         on known.product_id = given.product_id and known.start_date = given.start_date and known.name = given.name
            and known.store_id is not distinct from given.store_id
         when matched then update
         set kind = given.kind, discount_pct = given.discount_pct, discount_amount = given.discount_amount,
             bundle_member_product_ids = given.members, end_date = given.end_date, updated_at = now()
         when not matched then
         insert (product_id, store_id, name, kind, discount_pct, discount_amount, bundle_member_product_ids,
                 start_date, end_date)
         values (given.product_id, given.store_id, given.name, given.kind, given.discount_pct, given.discount_amount,
                 given.members, given.start_date, given.end_date)",
        &products,
        &stores as &[Option<i32>],
        &names as &[&str],
        &kinds as &[&str],
        &shares as &[Option<Decimal>],
        &amounts as &[Option<Decimal>],
        &members as &[Option<Value>],
        &starts,
        &ends,
    )
    .execute(connection)
    .await?;
    Ok(())
}
