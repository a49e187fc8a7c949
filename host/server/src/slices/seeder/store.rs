//! The SQL of seeding.

use crate::db::foreign_keys;
use chrono::NaiveDate;
use retailcast_core::Day;
use retailcast_core::seeder::calendar::CalendarDay;
use retailcast_core::seeder::dimensions::{NewProduct, NewStore};
use retailcast_core::seeder::prices::PriceWindow;
use retailcast_core::seeder::promotions::{Promotion, Span};
use retailcast_core::seeder::{Cents, Product, Shop, Window};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use sqlx::PgConnection;
use sqlx::postgres::PgCopyIn;

use super::checks::Findings;
use super::service::{Counts, Status, date};

/// Names seeding in PostgreSQL's list of advisory locks: "rcSeeder" in ASCII.
const LOCK: i64 = 0x7263_5365_6564_6572;

/// A table and its number of rows.
pub(super) type Table = (&'static str, fn(&Counts) -> i64);

/// All tables in order of deletion, the facts first.
pub(super) const TABLES: [Table; 10] = [
    ("replenishment_event", |counts| counts.replenishment_events),
    ("sales_returns", |counts| counts.sales_returns),
    ("exogenous_signal", |counts| counts.exogenous_signals),
    ("sales_daily", |counts| counts.sales),
    ("inventory_snapshot_daily", |counts| counts.inventory),
    ("price_history", |counts| counts.price_history),
    ("promotion", |counts| counts.promotions),
    ("store", |counts| counts.stores),
    ("product", |counts| counts.products),
    ("calendar", |counts| counts.calendar),
];
/// How many of them are facts.
pub(super) const FACTS: usize = 7;

/// A table that is written by COPY: into a temporary one, because COPY cannot skip rows that exist.
pub(super) struct Bulk {
    /// What it holds.
    pub(super) name: &'static str,
    create: &'static str,
    copy: &'static str,
    take_over: &'static str,
}

/// Stock.
pub(super) const INVENTORY: Bulk = Bulk {
    name: "inventory",
    create: "create temporary table seeded_inventory (
                 store_id integer, product_id integer, date date, on_hand_qty integer, on_order_qty integer,
                 is_stockout boolean
             ) on commit drop",
    copy: "copy seeded_inventory from stdin",
    take_over: "insert into inventory_snapshot_daily
                    (store_id, product_id, date, on_hand_qty, on_order_qty, is_stockout)
                select * from seeded_inventory
                on conflict (store_id, product_id, date) do nothing",
};

/// Sales.
pub(super) const SALES: Bulk = Bulk {
    name: "sales",
    create: "create temporary table seeded_sales (
                 store_id integer, product_id integer, date date, quantity integer, unit_price numeric(10, 2),
                 total_amount numeric(12, 2), channel text
             ) on commit drop",
    copy: "copy seeded_sales from stdin",
    take_over: "insert into sales_daily
                    (store_id, product_id, date, quantity, unit_price, total_amount, channel)
                select * from seeded_sales
                on conflict (store_id, product_id, date) do nothing",
};

/// Opens the way for rows; [`take_over`] brings them into their table.
pub(super) async fn open<'c>(
    connection: &'c mut PgConnection,
    table: &Bulk,
) -> sqlx::Result<PgCopyIn<&'c mut PgConnection>> {
    sqlx::query(table.create).execute(&mut *connection).await?;
    connection.copy_in_raw(table.copy).await
}

/// Moves the rows of [`open`] into their table; those that exist stay as they are. What they refer to must be held
/// ([`shop`], [`hold_days`]).
///
/// The lookups of foreign keys are left out: the rows are made for stores, products and days that this transaction has
/// read and holds.
pub(super) async fn take_over(connection: &mut PgConnection, table: &Bulk) -> sqlx::Result<()> {
    foreign_keys::left_out(connection, async |connection| {
        sqlx::query(table.take_over).execute(connection).await
    })
    .await?;
    Ok(())
}

/// Keeps the days of the window from being deleted until the transaction ends.
pub(super) async fn hold_days(connection: &mut PgConnection, window: Window) -> sqlx::Result<()> {
    sqlx::query!(
        "select date from calendar where date between $1 and $2 for key share",
        date(window.first()),
        date(window.last()),
    )
    .fetch_all(connection)
    .await?;
    Ok(())
}

/// Whether nobody else seeds this database now; held until the transaction ends.
pub(super) async fn try_lock(connection: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"select pg_try_advisory_xact_lock($1) as "locked!""#, LOCK)
        .fetch_one(connection)
        .await
}

fn cents(amount: Decimal) -> Cents {
    // The columns hold ten digits.
    (amount * Decimal::ONE_HUNDRED).round().to_i64().unwrap_or(0)
}

fn money(cents: Cents) -> Decimal {
    Decimal::new(cents, 2)
}

/// All stores and products, in order of their keys. None of them can be deleted until the transaction ends.
pub(super) async fn shop(connection: &mut PgConnection) -> sqlx::Result<Shop> {
    let stores = sqlx::query_scalar!("select id from store order by id for key share")
        .fetch_all(&mut *connection)
        .await?;
    let products = sqlx::query!(
        "select id, base_price, launch_date, discontinue_date from product order by id for key share"
    )
    .fetch_all(connection)
    .await?
    .into_iter()
    .map(|row| Product {
        id: row.id,
        base_price: row.base_price.map(cents),
        launch: row.launch_date.map(Day::from_date),
        discontinue: row.discontinue_date.map(Day::from_date),
    })
    .collect();
    Ok(Shop { stores, products })
}

/// Adds stores whose codes are free.
pub(super) async fn insert_stores(connection: &mut PgConnection, stores: &[NewStore]) -> sqlx::Result<()> {
    let texts = |of: fn(&NewStore) -> &String| stores.iter().map(|s| of(s).clone()).collect::<Vec<_>>();
    sqlx::query!(
        "insert into store (code, name, region, city, store_type)
         select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
         on conflict (code) do nothing",
        &texts(|s| &s.code),
        &texts(|s| &s.name),
        &texts(|s| &s.region),
        &texts(|s| &s.city),
        &texts(|s| &s.store_type),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Adds products whose SKUs are free.
pub(super) async fn insert_products(
    connection: &mut PgConnection,
    products: &[NewProduct],
) -> sqlx::Result<()> {
    let texts = |of: fn(&NewProduct) -> &String| products.iter().map(|p| of(p).clone()).collect::<Vec<_>>();
    let subcategories: Vec<Option<String>> = products.iter().map(|p| p.subcategory.clone()).collect();
    let prices: Vec<Decimal> = products.iter().map(|p| money(p.base_price)).collect();
    let costs: Vec<Decimal> = products.iter().map(|p| money(p.base_cost)).collect();
    let packs: Vec<Option<i32>> = products.iter().map(|p| p.pack_size).collect();
    let stages: Vec<Option<&str>> = products.iter().map(|p| p.lifecycle_stage).collect();
    let launches: Vec<Option<NaiveDate>> = products.iter().map(|p| p.launch.map(date)).collect();
    let ends: Vec<Option<NaiveDate>> = products.iter().map(|p| p.discontinue.map(date)).collect();
    sqlx::query!(
        "insert into product (sku, name, category, subcategory, brand, base_price, base_cost, pack_size,
                              lifecycle_stage, launch_date, discontinue_date)
         select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::numeric[],
                              $7::numeric[], $8::int[], $9::text[], $10::date[], $11::date[])
         on conflict (sku) do nothing",
        &texts(|p| &p.sku),
        &texts(|p| &p.name),
        &texts(|p| &p.category),
        &subcategories as &[Option<String>],
        &texts(|p| &p.brand),
        &prices,
        &costs,
        &packs as &[Option<i32>],
        &stages as &[Option<&str>],
        &launches as &[Option<NaiveDate>],
        &ends as &[Option<NaiveDate>],
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Adds days that the calendar does not have.
pub(super) async fn insert_calendar(
    connection: &mut PgConnection,
    days: &[CalendarDay],
    batch: usize,
) -> sqlx::Result<()> {
    for days in days.chunks(batch) {
        let dates: Vec<NaiveDate> = days.iter().map(|day| date(day.day)).collect();
        let names: Vec<Option<&str>> = days.iter().map(|day| day.holiday.as_deref()).collect();
        sqlx::query!(
            "insert into calendar (date, day_of_week, month, quarter, year, is_holiday, holiday_name)
             select day, extract(isodow from day)::int - 1, extract(month from day)::int,
                    extract(quarter from day)::int, extract(year from day)::int, name is not null, name
             from unnest($1::date[], $2::text[]) as made (day, name)
             on conflict (date) do nothing",
            &dates,
            &names as &[Option<&str>],
        )
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// A signal to write.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct NewSignal {
    pub(super) day: Day,
    pub(super) name: &'static str,
    /// None: global.
    pub(super) store: Option<i32>,
    pub(super) value: f64,
}

/// Adds signals of days that have none.
pub(super) async fn insert_signals(
    connection: &mut PgConnection,
    signals: &[NewSignal],
    batch: usize,
) -> sqlx::Result<()> {
    for signals in signals.chunks(batch) {
        let dates: Vec<NaiveDate> = signals.iter().map(|signal| date(signal.day)).collect();
        let names: Vec<&str> = signals.iter().map(|signal| signal.name).collect();
        let stores: Vec<Option<i32>> = signals.iter().map(|signal| signal.store).collect();
        let values: Vec<f64> = signals.iter().map(|signal| signal.value).collect();
        sqlx::query!(
            "insert into exogenous_signal (date, signal_name, store_id, is_global, value)
             select day, name, store_id, store_id is null, value
             from unnest($1::date[], $2::text[], $3::int[], $4::float8[]) as made (day, name, store_id, value)
             on conflict do nothing",
            &dates,
            &names as &[&str],
            &stores as &[Option<i32>],
            &values,
        )
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Ends price windows without an end that began before `first`, where new ones of the same scope come.
pub(super) async fn close_open_prices(
    connection: &mut PgConnection,
    prices: &[PriceWindow],
    first: Day,
) -> sqlx::Result<()> {
    let products: Vec<i32> = prices.iter().map(|price| price.product).collect();
    let stores: Vec<Option<i32>> = prices.iter().map(|price| price.store).collect();
    sqlx::query!(
        "update price_history set valid_to = $3::date - 1, updated_at = now()
         where valid_to is null and valid_from < $3 and exists (
             select from unnest($1::int[], $2::int[]) as scope (product_id, store_id)
             where scope.product_id = price_history.product_id
               and scope.store_id is not distinct from price_history.store_id
         )",
        &products,
        &stores as &[Option<i32>],
        date(first),
    )
    .execute(connection)
    .await?;
    Ok(())
}

// Prices, promotions, returns and deliveries have no unique key. What an earlier transaction has written is told from
// what this one wrote by `created_at`, which is the transaction's `now()`.

/// Adds prices whose product, store and first day are new.
pub(super) async fn insert_prices(
    connection: &mut PgConnection,
    prices: &[PriceWindow],
    batch: usize,
) -> sqlx::Result<()> {
    for prices in prices.chunks(batch) {
        let products: Vec<i32> = prices.iter().map(|price| price.product).collect();
        let stores: Vec<Option<i32>> = prices.iter().map(|price| price.store).collect();
        let amounts: Vec<Decimal> = prices.iter().map(|price| money(price.price)).collect();
        let firsts: Vec<NaiveDate> = prices.iter().map(|price| date(price.from)).collect();
        let lasts: Vec<Option<NaiveDate>> = prices.iter().map(|price| price.to.map(date)).collect();
        sqlx::query!(
            "insert into price_history (product_id, store_id, price, valid_from, valid_to)
             select product_id, store_id, price, valid_from, valid_to
             from unnest($1::int[], $2::int[], $3::numeric[], $4::date[], $5::date[]) with ordinality
                  as made (product_id, store_id, price, valid_from, valid_to, position)
             where not exists (
                 select from price_history as there
                 where there.product_id = made.product_id and there.store_id is not distinct from made.store_id
                   and there.valid_from = made.valid_from and there.created_at <> now()
             )
             order by position",
            &products,
            &stores as &[Option<i32>],
            &amounts,
            &firsts,
            &lasts as &[Option<NaiveDate>],
        )
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Adds promotions whose product, store, kind and first day are new.
pub(super) async fn insert_promotions(
    connection: &mut PgConnection,
    promotions: &[Promotion],
    batch: usize,
) -> sqlx::Result<()> {
    for promotions in promotions.chunks(batch) {
        let products: Vec<i32> = promotions.iter().map(|p| p.product).collect();
        let stores: Vec<Option<i32>> = promotions.iter().map(|p| p.store).collect();
        let names: Vec<&str> = promotions.iter().map(|p| p.name).collect();
        let kinds: Vec<&str> = promotions.iter().map(|p| p.kind.name()).collect();
        let discounts: Vec<Option<Decimal>> =
            promotions.iter().map(|p| p.discount.map(|d| Decimal::new(d, 4))).collect();
        let amounts: Vec<Option<Decimal>> = promotions.iter().map(|p| p.amount.map(money)).collect();
        let members: Vec<Option<String>> =
            promotions.iter().map(|p| p.members.as_ref().map(|m| format!("{m:?}"))).collect();
        let firsts: Vec<NaiveDate> = promotions.iter().map(|p| date(p.from)).collect();
        let lasts: Vec<NaiveDate> = promotions.iter().map(|p| date(p.to)).collect();
        sqlx::query!(
            "insert into promotion (product_id, store_id, name, kind, discount_pct, discount_amount,
                                    bundle_member_product_ids, start_date, end_date)
             select product_id, store_id, name, kind, discount_pct, discount_amount, members::jsonb, first, last
             from unnest($1::int[], $2::int[], $3::text[], $4::text[], $5::numeric[], $6::numeric[], $7::text[],
                         $8::date[], $9::date[]) with ordinality
                  as made (product_id, store_id, name, kind, discount_pct, discount_amount, members, first, last,
                           position)
             where not exists (
                 select from promotion as there
                 where there.product_id = made.product_id and there.store_id is not distinct from made.store_id
                   and there.kind = made.kind and there.start_date = made.first and there.created_at <> now()
             )
             order by position",
            &products,
            &stores as &[Option<i32>],
            &names as &[&str],
            &kinds as &[&str],
            &discounts as &[Option<Decimal>],
            &amounts as &[Option<Decimal>],
            &members as &[Option<String>],
            &firsts,
            &lasts,
        )
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// All prices that are valid on a day of the window, in the order in which they were made.
pub(super) async fn prices_in(
    connection: &mut PgConnection,
    window: Window,
) -> sqlx::Result<Vec<PriceWindow>> {
    let rows = sqlx::query!(
        "select product_id, store_id, price, valid_from, valid_to from price_history
         where valid_from <= $2 and (valid_to is null or valid_to >= $1)
         order by id",
        date(window.first()),
        date(window.last()),
    )
    .fetch_all(connection)
    .await?;
    let price = rows.into_iter().map(|row| PriceWindow {
        product: row.product_id,
        store: row.store_id,
        price: cents(row.price),
        from: Day::from_date(row.valid_from),
        to: row.valid_to.map(Day::from_date),
    });
    Ok(price.collect())
}

/// All promotions on days of the window, without markdowns.
pub(super) async fn promotions_in(connection: &mut PgConnection, window: Window) -> sqlx::Result<Vec<Span>> {
    let rows = sqlx::query!(
        "select product_id, store_id, start_date, end_date from promotion
         where kind <> 'markdown' and start_date <= $2 and end_date >= $1",
        date(window.first()),
        date(window.last()),
    )
    .fetch_all(connection)
    .await?;
    let span = rows.into_iter().map(|row| Span {
        product: row.product_id,
        store: row.store_id,
        from: Day::from_date(row.start_date),
        to: Day::from_date(row.end_date),
    });
    Ok(span.collect())
}

/// A return to write.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReturnRow {
    pub(super) store: i32,
    pub(super) product: i32,
    pub(super) day: Day,
    pub(super) quantity: i32,
    pub(super) reason: &'static str,
}

/// Adds returns of series and days that have none of an earlier run.
pub(super) async fn insert_returns(
    connection: &mut PgConnection,
    returns: &[ReturnRow],
    batch: usize,
) -> sqlx::Result<()> {
    for returns in returns.chunks(batch) {
        let dates: Vec<NaiveDate> = returns.iter().map(|row| date(row.day)).collect();
        let stores: Vec<i32> = returns.iter().map(|row| row.store).collect();
        let products: Vec<i32> = returns.iter().map(|row| row.product).collect();
        let quantities: Vec<i32> = returns.iter().map(|row| row.quantity).collect();
        let reasons: Vec<&str> = returns.iter().map(|row| row.reason).collect();
        sqlx::query!(
            "insert into sales_returns (date, store_id, product_id, return_quantity, return_reason)
             select date, store_id, product_id, quantity, reason
             from unnest($1::date[], $2::int[], $3::int[], $4::int[], $5::text[])
                  as made (date, store_id, product_id, quantity, reason)
             where not exists (
                 select from sales_returns as there
                 where there.store_id = made.store_id and there.product_id = made.product_id
                   and there.date = made.date and there.created_at <> now()
             )",
            &dates,
            &stores,
            &products,
            &quantities,
            &reasons as &[&str],
        )
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// A delivery to write.
#[derive(Debug, Clone, Copy)]
pub(super) struct DeliveryRow {
    pub(super) store: i32,
    pub(super) product: i32,
    pub(super) day: Day,
    pub(super) lead_time: i32,
    pub(super) ordered: i32,
    pub(super) received: i32,
}

/// Adds deliveries of series and days that have none of an earlier run.
pub(super) async fn insert_deliveries(
    connection: &mut PgConnection,
    deliveries: &[DeliveryRow],
    batch: usize,
) -> sqlx::Result<()> {
    for deliveries in deliveries.chunks(batch) {
        let dates: Vec<NaiveDate> = deliveries.iter().map(|row| date(row.day)).collect();
        let numbers = |of: fn(&DeliveryRow) -> i32| deliveries.iter().map(of).collect::<Vec<i32>>();
        sqlx::query!(
            "insert into replenishment_event (date, store_id, product_id, lead_time_days, ordered_qty, received_qty)
             select date, store_id, product_id, lead_time, ordered, received
             from unnest($1::date[], $2::int[], $3::int[], $4::int[], $5::int[], $6::int[])
                  as made (date, store_id, product_id, lead_time, ordered, received)
             where not exists (
                 select from replenishment_event as there
                 where there.store_id = made.store_id and there.product_id = made.product_id
                   and there.date = made.date and there.created_at <> now()
             )",
            &dates,
            &numbers(|row| row.store),
            &numbers(|row| row.product),
            &numbers(|row| row.lead_time),
            &numbers(|row| row.ordered),
            &numbers(|row| row.received),
        )
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Rows of every table.
pub(super) async fn count(connection: &mut PgConnection) -> sqlx::Result<Counts> {
    sqlx::query_as!(
        Counts,
        r#"select (select count(*) from store) as "stores!", (select count(*) from product) as "products!",
                  (select count(*) from calendar) as "calendar!", (select count(*) from sales_daily) as "sales!",
                  (select count(*) from inventory_snapshot_daily) as "inventory!",
                  (select count(*) from price_history) as "price_history!",
                  (select count(*) from promotion) as "promotions!",
                  (select count(*) from exogenous_signal) as "exogenous_signals!",
                  (select count(*) from sales_returns) as "sales_returns!",
                  (select count(*) from replenishment_event) as "replenishment_events!""#
    )
    .fetch_one(connection)
    .await
}

/// Rows of every table, and what sales span.
pub(super) async fn status(connection: &mut PgConnection) -> sqlx::Result<Status> {
    let counts = count(connection).await?;
    let sales = sqlx::query!(
        "select min(date) as first, max(date) as last, max(updated_at) as last_updated from sales_daily"
    )
    .fetch_one(connection)
    .await?;
    Ok(Status { counts, sales: sales.first.zip(sales.last), last_updated: sales.last_updated })
}

/// First and last day of the calendar.
pub(super) async fn calendar_span(
    connection: &mut PgConnection,
) -> sqlx::Result<Option<(NaiveDate, NaiveDate)>> {
    let days = sqlx::query!("select min(date) as first, max(date) as last from calendar")
        .fetch_one(connection)
        .await?;
    Ok(days.first.zip(days.last))
}

/// A signal's row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Signal {
    /// Day.
    pub date: NaiveDate,
    /// Store; none: global.
    pub store_id: Option<i32>,
    /// Says the same.
    pub is_global: bool,
    /// The value.
    pub value: f64,
}

/// Rows of a signal in a window.
pub(super) async fn signals(
    connection: &mut PgConnection,
    name: &str,
    window: (NaiveDate, NaiveDate),
    store_id: Option<i32>,
    most: i64,
) -> sqlx::Result<Vec<Signal>> {
    sqlx::query_as!(
        Signal,
        "select date, store_id, is_global, value from exogenous_signal
         where signal_name = $1 and date between $2 and $3 and ($4::int is null or store_id = $4 or is_global)
         order by date, store_id nulls first
         limit $5",
        name,
        window.0,
        window.1,
        store_id,
        most,
    )
    .fetch_all(connection)
    .await
}

/// Keeps everybody out, so that what is counted is what is deleted. Dimensions come first, in the order in which
/// writers of facts touch them.
pub(super) async fn lock_tables(connection: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query!(
        "lock table store, product, calendar, price_history, promotion, inventory_snapshot_daily, sales_daily,
                    exogenous_signal, sales_returns, replenishment_event in access exclusive mode"
    )
    .execute(connection)
    .await?;
    Ok(())
}

// TRUNCATE and not DELETE: deleting would look for references to every single day and product in tables full of rows
// that are only just dead, and leave them behind for a vacuum. Identities go on counting.

/// Deletes all facts.
pub(super) async fn delete_facts(connection: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query!(
        "truncate replenishment_event, sales_returns, exogenous_signal, sales_daily, inventory_snapshot_daily,
                  price_history, promotion"
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Deletes all facts and dimensions.
pub(super) async fn delete_all(connection: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query!(
        "truncate replenishment_event, sales_returns, exogenous_signal, sales_daily, inventory_snapshot_daily,
                  price_history, promotion, store, product, calendar"
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Looks for rows that cannot be. The schema refuses them all; they come from restores and switched-off constraints.
pub(super) async fn findings(connection: &mut PgConnection) -> sqlx::Result<Findings> {
    sqlx::query_as!(
        Findings,
        r#"select count(*) filter (where store.id is null) as "without_store!",
                  count(*) filter (where product.id is null) as "without_product!",
                  count(*) filter (where calendar.date is null) as "without_day!",
                  count(*) filter (where quantity < 0) as "negative_quantity!",
                  count(*) filter (where unit_price < 0) as "negative_price!",
                  count(*) filter (where total_amount < 0) as "negative_amount!",
                  (select count(*) from sales_returns where return_quantity < 1) as "empty_returns!",
                  (select count(*) from exogenous_signal where is_global <> (store_id is null))
                      as "contradicting_signals!",
                  (select count(*) from promotion
                   where kind in ('bogo', 'bundle') and case
                       when jsonb_typeof(bundle_member_product_ids) = 'array'
                           then jsonb_array_length(bundle_member_product_ids) = 0
                       else true
                   end) as "bundles_without_members!",
                  (select count(*) from product where discontinue_date < launch_date) as "ended_before_launch!",
                  (select count(*) from replenishment_event where received_qty > ordered_qty)
                      as "received_too_much!"
           from sales_daily
           left join store on store.id = store_id
           left join product on product.id = product_id
           left join calendar on calendar.date = sales_daily.date"#
    )
    .fetch_one(connection)
    .await
}
