//! Sums of sales and newest inventory.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, PgPool, Postgres, QueryBuilder, Row};

use super::service::{Filter, Stock, StockList, Window};
use super::sums::Sums;

/// What rows are grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grouping {
    Nothing,
    Day,
    Store,
    Region,
    Product,
    Category,
}

/// What a group is called.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Everything,
    Day(NaiveDate),
    Member { value: String, id: Option<i32> },
}

/// The sums that are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rollup {
    ByStore,
    ByProduct,
}

/// Which table is summed up.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rows<'a> {
    /// Kept sums of a window without some days.
    Rollup(Rollup, Window, &'a [NaiveDate]),
    /// Sales of a window.
    Sales(Window),
    /// Sales of some days.
    SalesOf(&'a [NaiveDate]),
}

/// The kept sums that have all columns that grouping and filter need; none has both store and product.
pub(super) fn rollup_for(grouping: Grouping, filter: &Filter) -> Option<Rollup> {
    let store = filter.store_id.is_some() || matches!(grouping, Grouping::Store | Grouping::Region);
    let product = filter.product_id.is_some()
        || filter.category.is_some()
        || matches!(grouping, Grouping::Product | Grouping::Category);
    match (store, product) {
        (true, true) => None,
        (false, true) => Some(Rollup::ByProduct),
        // There are fewer stores than products.
        (_, false) => Some(Rollup::ByStore),
    }
}

/// The sums of each group; a group whose name is null is not there.
pub(super) async fn sums(
    connection: &mut PgConnection,
    grouping: Grouping,
    rows: Rows<'_>,
    filter: &Filter,
) -> sqlx::Result<Vec<(Key, Sums)>> {
    let mut query = QueryBuilder::new("");
    // Facts are summed up by key before names come in: joining and grouping by text happens once per key.
    match grouping {
        Grouping::Nothing => facts(&mut query, None, rows, filter),
        Grouping::Day => facts(&mut query, Some("date"), rows, filter),
        Grouping::Store => {
            query.push("select d.code as value, d.id, g.row_count, g.units, g.cents from (");
            facts(&mut query, Some("store_id"), rows, filter);
            query.push(") as g join store as d on d.id = g.key");
        }
        Grouping::Product => {
            query.push("select d.sku as value, d.id, g.row_count, g.units, g.cents from (");
            facts(&mut query, Some("product_id"), rows, filter);
            query.push(") as g join product as d on d.id = g.key");
        }
        Grouping::Region => by_attribute(&mut query, "store", "region", rows, filter),
        Grouping::Category => by_attribute(&mut query, "product", "category", rows, filter),
    }
    let found = query.build().fetch_all(connection).await?;
    found.iter().map(|row| Ok((key(grouping, row)?, sums_of(row)?))).collect()
}

fn by_attribute(
    query: &mut QueryBuilder<Postgres>,
    table: &str,
    attribute: &str,
    rows: Rows<'_>,
    filter: &Filter,
) {
    query.push(format!(
        "select d.{attribute} as value, null::int as id, sum(g.row_count)::bigint as row_count,
                sum(g.units)::bigint as units, sum(g.cents) as cents from ("
    ));
    facts(query, Some(&format!("{table}_id")), rows, filter);
    query.push(format!(
        ") as g join {table} as d on d.id = g.key where d.{attribute} is not null group by d.{attribute}"
    ));
}

/// The sums by one column of the facts.
fn facts(query: &mut QueryBuilder<Postgres>, by: Option<&str>, rows: Rows<'_>, filter: &Filter) {
    query.push("select ");
    if let Some(by) = by {
        query.push(format!("f.{by} as key, "));
    }
    query.push(match rows {
        Rows::Rollup(..) => {
            "coalesce(sum(f.row_count), 0)::bigint as row_count, coalesce(sum(f.units), 0)::bigint as units,
             coalesce(sum(f.cents), 0) as cents"
        }
        Rows::Sales(_) | Rows::SalesOf(_) => {
            "count(*) as row_count, coalesce(sum(f.quantity), 0)::bigint as units,
             coalesce(sum(f.total_amount), 0) * 100 as cents"
        }
    });
    query.push(match rows {
        Rows::Rollup(Rollup::ByStore, ..) => " from sales_by_store_day as f",
        Rows::Rollup(Rollup::ByProduct, ..) => " from sales_by_product_day as f",
        // The key starts with the store: one range per store instead of a scan.
        Rows::Sales(_) if filter.store_id.is_none() => {
            " from store as s join sales_daily as f on f.store_id = s.id"
        }
        Rows::Sales(_) | Rows::SalesOf(_) => " from sales_daily as f",
    });
    match rows {
        Rows::Rollup(_, window, stale) => {
            within(query, window);
            if !stale.is_empty() {
                query.push(" and f.date <> all(").push_bind(stale.to_vec()).push(")");
            }
        }
        Rows::Sales(window) => within(query, window),
        Rows::SalesOf(days) => {
            query.push(" where f.date = any(").push_bind(days.to_vec()).push(")");
        }
    }
    if let Some(store_id) = filter.store_id {
        query.push(" and f.store_id = ").push_bind(store_id);
    }
    if let Some(product_id) = filter.product_id {
        query.push(" and f.product_id = ").push_bind(product_id);
    }
    if let Some(category) = &filter.category {
        query.push(" and f.product_id in (select id from product where category = ");
        query.push_bind(category.clone()).push(")");
    }
    if let Some(by) = by {
        query.push(format!(" group by f.{by}"));
    }
}

fn within(query: &mut QueryBuilder<Postgres>, window: Window) {
    query.push(" where f.date between ").push_bind(window.start);
    query.push(" and ").push_bind(window.end);
}

fn key(grouping: Grouping, row: &PgRow) -> sqlx::Result<Key> {
    Ok(match grouping {
        Grouping::Nothing => Key::Everything,
        Grouping::Day => Key::Day(row.try_get("key")?),
        Grouping::Store | Grouping::Region | Grouping::Product | Grouping::Category => {
            Key::Member { value: row.try_get("value")?, id: row.try_get("id")? }
        }
    })
}

fn sums_of(row: &PgRow) -> sqlx::Result<Sums> {
    let mut cents: Decimal = row.try_get("cents")?;
    // Whole already; only the decimals of the column go.
    cents.rescale(0);
    Ok(Sums { rows: row.try_get("row_count")?, units: row.try_get("units")?, cents: cents.mantissa() })
}

/// The newest snapshot of each store and product, the first `most` of them and the number of all.
pub(super) async fn inventory(
    pool: &PgPool,
    store_id: Option<i32>,
    product_id: Option<i32>,
    most: i64,
) -> sqlx::Result<StockList> {
    let mut query = QueryBuilder::new("with recursive ");
    newest(&mut query, store_id, product_id);
    query.push(
        " select *, count(*) over () as total from newest
          order by store_id, product_id limit ",
    );
    query.push_bind(most);
    let rows = query.build().fetch_all(pool).await?;
    let total = rows.first().map(|row| row.try_get("total")).transpose()?.unwrap_or(0);
    let items = rows.iter().map(stock).collect::<Result<_, _>>()?;
    Ok(StockList { items, total })
}

/// The table `newest`. Every step reads one row of the key: the history of a series costs nothing.
fn newest(query: &mut QueryBuilder<Postgres>, store_id: Option<i32>, product_id: Option<i32>) {
    const COLUMNS: &str = "store_id, product_id, date, on_hand_qty, on_order_qty, is_stockout";
    if let Some(product_id) = product_id {
        // One probe per store.
        query.push(format!(
            "newest as (select n.* from store as s cross join lateral (
                 select {COLUMNS} from inventory_snapshot_daily
                 where store_id = s.id and product_id = "
        ));
        query.push_bind(product_id).push(" order by date desc limit 1) as n");
        if let Some(store_id) = store_id {
            query.push(" where s.id = ").push_bind(store_id);
        }
        query.push(")");
        return;
    }
    // Down the key from pair to pair: the row before a pair's first is the newest of the pair before.
    let step = |query: &mut QueryBuilder<Postgres>, below: &str| {
        query.push(format!("(select {COLUMNS} from inventory_snapshot_daily where {below}"));
        if let Some(store_id) = store_id {
            query.push(" and store_id = ").push_bind(store_id);
        }
        query.push(" order by store_id desc, product_id desc, date desc limit 1)");
    };
    query.push("newest as (");
    step(query, "true");
    query.push(" union all select n.* from newest as later cross join lateral ");
    step(query, "(store_id, product_id) < (later.store_id, later.product_id)");
    query.push(" as n)");
}

fn stock(row: &PgRow) -> sqlx::Result<Stock> {
    Ok(Stock {
        store_id: row.try_get("store_id")?,
        product_id: row.try_get("product_id")?,
        date: row.try_get("date")?,
        on_hand_qty: row.try_get("on_hand_qty")?,
        on_order_qty: row.try_get("on_order_qty")?,
        is_stockout: row.try_get("is_stockout")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_kept_by_store_and_by_product_but_not_by_both() {
        let everything = Filter::default();
        let store = Filter { store_id: Some(1), ..Filter::default() };
        let product = Filter { product_id: Some(1), ..Filter::default() };
        let category = Filter { category: Some(String::new()), ..Filter::default() };
        let both = Filter { store_id: Some(1), product_id: Some(1), ..Filter::default() };
        for (grouping, filter, expected) in [
            (Grouping::Nothing, &everything, Some(Rollup::ByStore)),
            (Grouping::Day, &store, Some(Rollup::ByStore)),
            (Grouping::Region, &everything, Some(Rollup::ByStore)),
            (Grouping::Day, &category, Some(Rollup::ByProduct)),
            (Grouping::Category, &product, Some(Rollup::ByProduct)),
            (Grouping::Product, &everything, Some(Rollup::ByProduct)),
            (Grouping::Product, &store, None),
            (Grouping::Store, &product, None),
            (Grouping::Nothing, &both, None),
        ] {
            assert_eq!(rollup_for(grouping, filter), expected, "{grouping:?} {filter:?}");
        }
    }
}
