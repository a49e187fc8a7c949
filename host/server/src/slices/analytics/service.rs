//! Sums of sales by whatever is asked for, and the newest inventory.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use sqlx::{PgConnection, PgPool};

use super::bucket::Granularity;
use super::store::{self, Grouping, Key, Rows};
use super::sums::Sums;
use crate::slices::rollups::{Rollups, stale_days};

/// What analytics need to know of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnalyticsSettings {
    /// Most rows of a list.
    pub max_rows: i64,
    /// Longest window: days between its first and its last day.
    pub max_date_range_days: i64,
}

/// A window of days, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// First day.
    pub start: NaiveDate,
    /// Last day.
    pub end: NaiveDate,
}

/// Which sales; what is `None` selects everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this store.
    pub store_id: Option<i32>,
    /// Of this product.
    pub product_id: Option<i32>,
    /// Of products with exactly this category.
    pub category: Option<String>,
}

/// By what a drill-down groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dimension {
    /// By store.
    Store,
    /// By product.
    Product,
    /// By category of products.
    Category,
    /// By region of stores.
    Region,
    /// By day.
    Date,
}

impl Dimension {
    /// On the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Product => "product",
            Self::Category => "category",
            Self::Region => "region",
            Self::Date => "date",
        }
    }
}

/// A group of a drill-down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Store code, SKU, category, region or day.
    pub value: String,
    /// Key of a store or product.
    pub id: Option<i32>,
    /// Its sums.
    pub sums: Sums,
}

/// All groups, largest revenue first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drilldown {
    /// The groups.
    pub items: Vec<Item>,
    /// Revenue of all of them, in hundredths.
    pub total_cents: i128,
}

/// The newest inventory of a store and product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stock {
    /// Store.
    pub store_id: i32,
    /// Product.
    pub product_id: i32,
    /// Day of the snapshot.
    pub date: NaiveDate,
    /// Units there.
    pub on_hand_qty: i32,
    /// Units on their way.
    pub on_order_qty: i32,
    /// As recorded.
    pub is_stockout: bool,
}

/// The newest inventory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockList {
    /// At most `max_rows`, by store and product.
    pub items: Vec<Stock>,
    /// How many there are.
    pub total: i64,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AnalyticsError {
    /// The window ends before it starts.
    #[error("end_date {} lies before start_date {}", .0.end, .0.start)]
    Reversed(Window),
    /// The window is too long.
    #[error(
        "{days} days between start_date and end_date are more than {most} (`analytics.max_date_range_days`)"
    )]
    TooLong {
        /// Its length.
        days: i64,
        /// Longest allowed.
        most: i64,
    },
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

/// Aggregates.
#[derive(Debug, Clone)]
pub struct Analytics {
    pool: PgPool,
    rollups: Rollups,
    settings: AnalyticsSettings,
}

impl Analytics {
    /// On this database, with the sums that are kept there.
    pub fn new(pool: PgPool, rollups: Rollups, settings: AnalyticsSettings) -> Self {
        Self { pool, rollups, settings }
    }

    /// The sums of everything that fits.
    pub async fn kpis(&self, window: Window, filter: &Filter) -> Result<Sums, AnalyticsError> {
        let groups = self.groups(Grouping::Nothing, window, filter).await?;
        Ok(groups.into_values().next().unwrap_or_default())
    }

    /// The sums of each member of a dimension; those without a name do not count.
    pub async fn drilldown(
        &self,
        dimension: Dimension,
        window: Window,
        filter: &Filter,
    ) -> Result<Drilldown, AnalyticsError> {
        let grouping = match dimension {
            Dimension::Store => Grouping::Store,
            Dimension::Product => Grouping::Product,
            Dimension::Category => Grouping::Category,
            Dimension::Region => Grouping::Region,
            Dimension::Date => Grouping::Day,
        };
        let groups = self.groups(grouping, window, filter).await?;
        let item = |(key, sums): (Key, Sums)| match key {
            Key::Everything => None,
            Key::Day(day) => Some(Item { value: day.to_string(), id: None, sums }),
            Key::Member { value, id } => Some(Item { value, id, sums }),
        };
        let mut items: Vec<Item> = groups.into_iter().filter_map(item).collect();
        // UTF-8 compares like code points do.
        items.sort_unstable_by(|a, b| b.sums.cents.cmp(&a.sums.cents).then_with(|| a.value.cmp(&b.value)));
        let total_cents = items.iter().map(|item| item.sums.cents).sum();
        Ok(Drilldown { items, total_cents })
    }

    /// The sums of each period that has rows, ascending.
    pub async fn timeseries(
        &self,
        granularity: Granularity,
        window: Window,
        filter: &Filter,
    ) -> Result<Vec<(NaiveDate, Sums)>, AnalyticsError> {
        let mut periods: BTreeMap<NaiveDate, Sums> = BTreeMap::new();
        for (key, sums) in self.groups(Grouping::Day, window, filter).await? {
            if let Key::Day(day) = key {
                *periods.entry(granularity.period(day)).or_default() += sums;
            }
        }
        Ok(periods.into_iter().collect())
    }

    /// The newest inventory of every store and product that fits.
    pub async fn inventory(
        &self,
        store_id: Option<i32>,
        product_id: Option<i32>,
    ) -> Result<StockList, AnalyticsError> {
        Ok(store::inventory(&self.pool, store_id, product_id, self.settings.max_rows).await?)
    }

    fn check(&self, window: Window) -> Result<(), AnalyticsError> {
        if window.end < window.start {
            return Err(AnalyticsError::Reversed(window));
        }
        let (days, most) = ((window.end - window.start).num_days(), self.settings.max_date_range_days);
        if days > most { Err(AnalyticsError::TooLong { days, most }) } else { Ok(()) }
    }

    async fn groups(
        &self,
        grouping: Grouping,
        window: Window,
        filter: &Filter,
    ) -> Result<HashMap<Key, Sums>, AnalyticsError> {
        self.check(window)?;
        // One snapshot for sums, marks and sales: whatever a writer commits meanwhile is seen in all of them or in
        // none.
        let mut transaction =
            self.pool.begin_with("begin isolation level repeatable read, read only").await?;
        let (groups, stale) = groups(&mut transaction, grouping, window, filter).await?;
        transaction.commit().await?;
        if stale {
            self.rollups.refresh_soon();
        }
        Ok(groups)
    }
}

/// The groups, and whether some of their days were not summed up.
async fn groups(
    connection: &mut PgConnection,
    grouping: Grouping,
    window: Window,
    filter: &Filter,
) -> sqlx::Result<(HashMap<Key, Sums>, bool)> {
    let mut groups: HashMap<Key, Sums> = HashMap::new();
    let mut add = |found: Vec<(Key, Sums)>| {
        for (key, sums) in found {
            *groups.entry(key).or_default() += sums;
        }
    };
    let Some(source) = store::rollup_for(grouping, filter) else {
        // Store and product together: few rows of the sales themselves, read by their key.
        add(store::sums(connection, grouping, Rows::Sales(window), filter).await?);
        return Ok((groups, false));
    };
    let stale = stale_days(connection, window.start, window.end).await?;
    add(store::sums(connection, grouping, Rows::Rollup(source, window, &stale), filter).await?);
    if !stale.is_empty() {
        add(store::sums(connection, grouping, Rows::SalesOf(&stale), filter).await?);
    }
    Ok((groups, !stale.is_empty()))
}
