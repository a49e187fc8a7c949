//! Reads series and what is known beside them.

use retailcast_core::{Day, Observation, Statics};
use sqlx::PgPool;

/// A (store, product) pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Pair {
    pub store_id: i32,
    pub product_id: i32,
}

/// The recorded rows of a pair from `from` to `to`, both included, by day.
pub(super) async fn observations(
    pool: &PgPool,
    pair: Pair,
    from: Day,
    to: Day,
) -> sqlx::Result<Vec<Observation>> {
    let rows = sqlx::query!(
        r#"select date, quantity, unit_price::float8 as "unit_price!"
           from sales_daily
           where store_id = $1 and product_id = $2 and date between $3 and $4
           order by date"#,
        pair.store_id,
        pair.product_id,
        from.date(),
        to.date(),
    )
    .fetch_all(pool)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Observation {
            day: Day::from_date(row.date),
            quantity: f64::from(row.quantity),
            unit_price: row.unit_price,
        })
        .collect())
}

/// What does not change about a pair.
pub(super) async fn statics(pool: &PgPool, pair: Pair) -> sqlx::Result<Statics> {
    let product = sqlx::query!("select launch_date, category from product where id = $1", pair.product_id)
        .fetch_optional(pool)
        .await?;
    let (launch, category) = product.map_or((None, None), |row| (row.launch_date, row.category));
    Ok(Statics {
        launch: launch.map(Day::from_date),
        ..Statics::of(pair.store_id, pair.product_id, category.as_deref())
    })
}

/// Promotions of every kind that cover any day of the span, of the product in this store or chain-wide.
pub(super) async fn promotions(
    pool: &PgPool,
    pair: Pair,
    from: Day,
    to: Day,
) -> sqlx::Result<Vec<(Day, Day)>> {
    let rows = sqlx::query!(
        "select start_date, end_date from promotion
         where product_id = $1 and (store_id = $2 or store_id is null) and start_date <= $4 and end_date >= $3",
        pair.product_id,
        pair.store_id,
        from.date(),
        to.date(),
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|row| (Day::from_date(row.start_date), Day::from_date(row.end_date))).collect())
}

/// The calendar of a span.
pub(super) struct Calendar {
    /// Flagged days, ascending.
    pub holidays: Vec<Day>,
    /// Days of the span that the calendar knows.
    pub known: usize,
}

/// The calendar from `from` to `to`, both included.
pub(super) async fn calendar(pool: &PgPool, from: Day, to: Day) -> sqlx::Result<Calendar> {
    let rows = sqlx::query!(
        "select date, is_holiday from calendar where date between $1 and $2 order by date",
        from.date(),
        to.date(),
    )
    .fetch_all(pool)
    .await?;
    let known = rows.len();
    let holidays =
        rows.into_iter().filter(|row| row.is_holiday).map(|row| Day::from_date(row.date)).collect();
    Ok(Calendar { holidays, known })
}

/// Which series: empty lists select everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Store codes.
    pub stores: Vec<String>,
    /// SKUs.
    pub skus: Vec<String>,
    /// Product categories.
    pub categories: Vec<String>,
}

/// A series with its natural keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesKey {
    /// Database key.
    pub store_id: i32,
    /// Database key.
    pub product_id: i32,
    /// Natural key.
    pub store_code: String,
    /// Natural key.
    pub sku: String,
    /// Product category.
    pub category: Option<String>,
    /// Launch of the product.
    pub launch: Option<Day>,
}

/// The selected pairs that have sales, by store code and SKU.
pub(super) async fn series_keys(pool: &PgPool, selection: &Selection) -> sqlx::Result<Vec<SeriesKey>> {
    let rows = sqlx::query!(
        r#"select s.id as store_id, p.id as product_id, s.code, p.sku, p.category, p.launch_date
           from store s cross join product p
           where (cardinality($1::text[]) = 0 or s.code = any($1))
             and (cardinality($2::text[]) = 0 or p.sku = any($2))
             and (cardinality($3::text[]) = 0 or p.category = any($3))
             and exists (select from sales_daily d where d.store_id = s.id and d.product_id = p.id)
           order by s.code collate "C", p.sku collate "C""#,
        &selection.stores,
        &selection.skus,
        &selection.categories,
    )
    .fetch_all(pool)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| SeriesKey {
            store_id: row.store_id,
            product_id: row.product_id,
            store_code: row.code,
            sku: row.sku,
            category: row.category,
            launch: row.launch_date.map(Day::from_date),
        })
        .collect())
}

/// The keys of these pairs, in their order; pairs whose store or product is gone are left out.
pub(super) async fn keys_of(pool: &PgPool, stores: &[i32], products: &[i32]) -> sqlx::Result<Vec<SeriesKey>> {
    let rows = sqlx::query!(
        r#"select s.id as "store_id!", p.id as "product_id!", s.code as "code!", p.sku as "sku!", p.category, p.launch_date
           from unnest($1::int[], $2::int[]) with ordinality as pair (store_id, product_id, at)
           join store s on s.id = pair.store_id join product p on p.id = pair.product_id
           order by pair.at"#,
        stores,
        products,
    )
    .fetch_all(pool)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| SeriesKey {
            store_id: row.store_id,
            product_id: row.product_id,
            store_code: row.code,
            sku: row.sku,
            category: row.category,
            launch: row.launch_date.map(Day::from_date),
        })
        .collect())
}

/// The last day on which any of these pairs has a row.
pub(super) async fn last_day(pool: &PgPool, keys: &[SeriesKey]) -> sqlx::Result<Option<Day>> {
    let stores: Vec<i32> = keys.iter().map(|key| key.store_id).collect();
    let products: Vec<i32> = keys.iter().map(|key| key.product_id).collect();
    let last = sqlx::query_scalar!(
        "select max(d.last) from unnest($1::int[], $2::int[]) as pair (store_id, product_id)
         cross join lateral (select max(date) as last from sales_daily d
                             where d.store_id = pair.store_id and d.product_id = pair.product_id) d",
        &stores,
        &products,
    )
    .fetch_one(pool)
    .await?;
    Ok(last.map(Day::from_date))
}

/// All recorded rows of these pairs up to `until`, each with its pair, ordered by pair and day.
pub(super) async fn panel_observations(
    pool: &PgPool,
    keys: &[SeriesKey],
    until: Option<Day>,
) -> sqlx::Result<Vec<(Pair, Observation)>> {
    let stores: Vec<i32> = keys.iter().map(|key| key.store_id).collect();
    let products: Vec<i32> = keys.iter().map(|key| key.product_id).collect();
    let rows = sqlx::query!(
        r#"select d.store_id, d.product_id, d.date, d.quantity, d.unit_price::float8 as "unit_price!"
           from unnest($1::int[], $2::int[]) as pair (store_id, product_id)
           join sales_daily d using (store_id, product_id)
           where $3::date is null or d.date <= $3
           order by d.store_id, d.product_id, d.date"#,
        &stores,
        &products,
        until.map(Day::date),
    )
    .fetch_all(pool)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let pair = Pair { store_id: row.store_id, product_id: row.product_id };
            let observation = Observation {
                day: Day::from_date(row.date),
                quantity: f64::from(row.quantity),
                unit_price: row.unit_price,
            };
            (pair, observation)
        })
        .collect())
}

/// A promotion of a product, in one store or chain-wide.
pub(super) struct Promotion {
    pub product_id: i32,
    pub store_id: Option<i32>,
    pub span: (Day, Day),
}

/// All promotions of these products.
pub(super) async fn promotions_of(pool: &PgPool, products: &[i32]) -> sqlx::Result<Vec<Promotion>> {
    let rows = sqlx::query!(
        "select product_id, store_id, start_date, end_date from promotion where product_id = any($1)",
        products
    )
    .fetch_all(pool)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Promotion {
            product_id: row.product_id,
            store_id: row.store_id,
            span: (Day::from_date(row.start_date), Day::from_date(row.end_date)),
        })
        .collect())
}
