//! JSON and CSV shapes of `/analytics`.

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::bucket::Granularity;
use super::service::{Dimension, Drilldown, Filter, Item, Stock, StockList, Window};
use super::sums::Sums;
use crate::http::listing::CsvRow;
use crate::http::query::{self, Query, QueryFields};
use crate::http::{Problem, fields};

const DIMENSIONS: [(&str, Dimension); 5] = [
    ("store", Dimension::Store),
    ("product", Dimension::Product),
    ("category", Dimension::Category),
    ("region", Dimension::Region),
    ("date", Dimension::Date),
];

const GRANULARITIES: [(&str, Granularity); 4] = [
    ("day", Granularity::Day),
    ("week", Granularity::Week),
    ("month", Granularity::Month),
    ("quarter", Granularity::Quarter),
];

/// Which sales.
#[derive(Debug, IntoParams)]
#[allow(dead_code, reason = "describes the query string, which is read value by value")]
#[into_params(parameter_in = Query)]
pub(super) struct KpisQuery {
    /// First day, inclusive.
    start_date: NaiveDate,
    /// Last day, inclusive; at most `analytics.max_date_range_days` after the first.
    end_date: NaiveDate,
    /// Only this store; an unknown one selects nothing.
    #[param(minimum = 1)]
    store_id: Option<i32>,
    /// Only this product; an unknown one selects nothing.
    #[param(minimum = 1)]
    product_id: Option<i32>,
    /// Only products of exactly this category.
    category: Option<String>,
}

/// Which sales, by what.
#[derive(Debug, IntoParams)]
#[allow(dead_code, reason = "describes the query string, which is read value by value")]
#[into_params(parameter_in = Query)]
pub(super) struct DrilldownQuery {
    /// By what.
    #[param(inline)]
    dimension: DimensionName,
    /// First day, inclusive.
    start_date: NaiveDate,
    /// Last day, inclusive; at most `analytics.max_date_range_days` after the first.
    end_date: NaiveDate,
    /// Only this store; an unknown one selects nothing.
    #[param(minimum = 1)]
    store_id: Option<i32>,
    /// Only this product; an unknown one selects nothing.
    #[param(minimum = 1)]
    product_id: Option<i32>,
    /// How many groups.
    #[param(minimum = 1, maximum = 100, default = 20)]
    max_items: Option<i32>,
}

/// By what a drill-down groups.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes the query string, which is read value by value")]
#[schema(rename_all = "lowercase")]
enum DimensionName {
    Store,
    Product,
    Category,
    Region,
    Date,
}

/// Which sales, by which periods.
#[derive(Debug, IntoParams)]
#[allow(dead_code, reason = "describes the query string, which is read value by value")]
#[into_params(parameter_in = Query)]
pub(super) struct TimeseriesQuery {
    /// First day, inclusive.
    start_date: NaiveDate,
    /// Last day, inclusive; at most `analytics.max_date_range_days` after the first.
    end_date: NaiveDate,
    /// `day` when absent.
    #[param(inline)]
    granularity: Option<GranularityName>,
    /// Only this store; an unknown one selects nothing.
    #[param(minimum = 1)]
    store_id: Option<i32>,
    /// Only this product; an unknown one selects nothing.
    #[param(minimum = 1)]
    product_id: Option<i32>,
    /// Only products of exactly this category.
    category: Option<String>,
}

/// How long a period is.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes the query string, which is read value by value")]
#[schema(rename_all = "lowercase")]
enum GranularityName {
    Day,
    Week,
    Month,
    Quarter,
}

/// Which inventory.
#[derive(Debug, IntoParams)]
#[allow(dead_code, reason = "describes the query string, which is read value by value")]
#[into_params(parameter_in = Query)]
pub(super) struct InventoryQuery {
    /// Only this store; an unknown one selects nothing.
    #[param(minimum = 1)]
    store_id: Option<i32>,
    /// Only this product; an unknown one selects nothing.
    #[param(minimum = 1)]
    product_id: Option<i32>,
}

fn window(fields: &mut QueryFields<'_>) -> Option<Window> {
    let start = fields.required("start_date", fields::date);
    let end = fields.required("end_date", fields::date);
    Some(Window { start: start?, end: end? })
}

fn filter(fields: &mut QueryFields<'_>, with_category: bool) -> Option<Filter> {
    let store_id = fields.optional("store_id", query::key);
    let product_id = fields.optional("product_id", query::key);
    let category =
        if with_category { fields.optional("category", fields::text(0, usize::MAX)) } else { Some(None) };
    Some(Filter { store_id: store_id?, product_id: product_id?, category: category?.map(str::to_owned) })
}

/// Reads the query of KPIs.
pub(super) fn read_kpis(query: &Query) -> Result<(Window, Filter), Problem> {
    let mut fields = query.fields();
    let window = window(&mut fields);
    let filter = filter(&mut fields, true);
    fields.finish(window.zip(filter))
}

/// Reads the query of drill-downs; the number is that of the wanted groups.
pub(super) fn read_drilldown(query: &Query) -> Result<(Dimension, Window, Filter, usize), Problem> {
    let mut fields = query.fields();
    let dimension = fields.required("dimension", query::one_of("enum", &DIMENSIONS));
    let window = window(&mut fields);
    let filter = filter(&mut fields, false);
    let max_items = fields.or("max_items", 20, query::int(1, 100));
    let read = (|| Some((dimension?, window?, filter?, usize::try_from(max_items?).ok()?)))();
    fields.finish(read)
}

/// Reads the query of time series.
pub(super) fn read_timeseries(query: &Query) -> Result<(Granularity, Window, Filter), Problem> {
    let mut fields = query.fields();
    let window = window(&mut fields);
    let granularity = fields.or("granularity", Granularity::Day, query::one_of("enum", &GRANULARITIES));
    let filter = filter(&mut fields, true);
    let read = (|| Some((granularity?, window?, filter?)))();
    fields.finish(read)
}

/// Reads the query of inventory: store and product.
pub(super) fn read_inventory(query: &Query) -> Result<(Option<i32>, Option<i32>), Problem> {
    let mut fields = query.fields();
    let store_id = fields.optional("store_id", query::key);
    let product_id = fields.optional("product_id", query::key);
    fields.finish(store_id.zip(product_id))
}

/// Aggregates over the selected rows.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"total_revenue": "1250.00", "total_units": 500, "total_transactions": 40,
    "avg_unit_price": "2.50", "avg_basket_value": "31.25"}))]
pub(super) struct SalesMetrics {
    /// Sum of `total_amount`, two decimals; `"0"` without rows.
    total_revenue: String,
    /// Sum of `quantity`.
    total_units: i64,
    /// Rows.
    total_transactions: i64,
    /// Revenue per unit; null without units.
    avg_unit_price: Option<String>,
    /// Revenue per row; null without rows.
    avg_basket_value: Option<String>,
}

impl From<Sums> for SalesMetrics {
    fn from(sums: Sums) -> Self {
        Self {
            total_revenue: sums.revenue(),
            total_units: sums.units,
            total_transactions: sums.rows,
            avg_unit_price: sums.per_unit(),
            avg_basket_value: sums.per_row(),
        }
    }
}

impl SalesMetrics {
    fn cells(&self) -> [String; 5] {
        [
            self.total_revenue.clone(),
            self.total_units.to_string(),
            self.total_transactions.to_string(),
            self.avg_unit_price.clone().unwrap_or_default(),
            self.avg_basket_value.clone().unwrap_or_default(),
        ]
    }
}

/// Key figures of a window.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"metrics": {"total_revenue": "90.00", "total_units": 30, "total_transactions": 5,
    "avg_unit_price": "3.00", "avg_basket_value": "18.00"}, "start_date": "2025-03-05", "end_date": "2025-03-12",
    "store_id": 4, "product_id": null, "category": null}))]
pub(super) struct Kpis {
    metrics: SalesMetrics,
    start_date: NaiveDate,
    end_date: NaiveDate,
    store_id: Option<i32>,
    product_id: Option<i32>,
    category: Option<String>,
}

impl Kpis {
    pub(super) fn new(sums: Sums, window: Window, filter: Filter) -> Self {
        Self {
            metrics: sums.into(),
            start_date: window.start,
            end_date: window.end,
            store_id: filter.store_id,
            product_id: filter.product_id,
            category: filter.category,
        }
    }
}

/// Groups by revenue.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"dimension": "region", "items": [
    {"dimension_value": "North", "dimension_id": null, "metrics": {"total_revenue": "1250.00", "total_units": 500,
     "total_transactions": 40, "avg_unit_price": "2.50", "avg_basket_value": "31.25"}, "rank": 1,
     "revenue_share_pct": "62.50"}], "total_items": 2, "start_date": "2025-03-01", "end_date": "2025-03-31",
    "store_id": null, "product_id": null}))]
pub(super) struct DrilldownResult {
    /// As requested.
    dimension: &'static str,
    /// The first `max_items` groups.
    pub(super) items: Vec<DrilldownItem>,
    /// Groups altogether.
    pub(super) total_items: usize,
    start_date: NaiveDate,
    end_date: NaiveDate,
    store_id: Option<i32>,
    product_id: Option<i32>,
}

/// A group.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DrilldownItem {
    /// Store code, SKU, category, region or day.
    dimension_value: String,
    /// Database key of a store or product; null for the other dimensions.
    dimension_id: Option<i32>,
    metrics: SalesMetrics,
    /// From 1, by revenue, then by `dimension_value`.
    rank: usize,
    /// Percent of the revenue of all groups, two decimals.
    #[schema(example = "62.50")]
    revenue_share_pct: String,
}

impl DrilldownResult {
    pub(super) fn new(
        dimension: Dimension,
        window: Window,
        filter: &Filter,
        found: Drilldown,
        max_items: usize,
    ) -> Self {
        let total_items = found.items.len();
        let item = |(i, item): (usize, Item)| DrilldownItem {
            dimension_value: item.value,
            dimension_id: item.id,
            metrics: item.sums.into(),
            rank: i + 1,
            revenue_share_pct: item.sums.share(found.total_cents),
        };
        Self {
            dimension: dimension.name(),
            items: found.items.into_iter().take(max_items).enumerate().map(item).collect(),
            total_items,
            start_date: window.start,
            end_date: window.end,
            store_id: filter.store_id,
            product_id: filter.product_id,
        }
    }
}

impl CsvRow for DrilldownItem {
    const COLUMNS: &'static [&'static str] = &[
        "rank",
        "dimension_value",
        "dimension_id",
        "total_revenue",
        "total_units",
        "total_transactions",
        "avg_unit_price",
        "avg_basket_value",
        "revenue_share_pct",
    ];

    fn cells(&self) -> Vec<String> {
        let id = self.dimension_id.map(|id| id.to_string()).unwrap_or_default();
        let mut cells = vec![self.rank.to_string(), self.dimension_value.clone(), id];
        cells.extend(self.metrics.cells());
        cells.push(self.revenue_share_pct.clone());
        cells
    }
}

/// A time series; periods without rows are not there.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"granularity": "week", "points": [
    {"period": "2025-03-03", "metrics": {"total_revenue": "90.00", "total_units": 30, "total_transactions": 5,
     "avg_unit_price": "3.00", "avg_basket_value": "18.00"}},
    {"period": "2025-03-10", "metrics": {"total_revenue": "54.00", "total_units": 16, "total_transactions": 3,
     "avg_unit_price": "3.375", "avg_basket_value": "18.00"}}], "total_points": 2, "start_date": "2025-03-05",
    "end_date": "2025-03-12", "store_id": 4, "product_id": null, "category": null}))]
pub(super) struct Timeseries {
    /// As requested.
    granularity: &'static str,
    /// Ascending.
    pub(super) points: Vec<TimeseriesPoint>,
    /// Length of `points`.
    pub(super) total_points: usize,
    start_date: NaiveDate,
    end_date: NaiveDate,
    store_id: Option<i32>,
    product_id: Option<i32>,
    category: Option<String>,
}

/// A period.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TimeseriesPoint {
    /// Its first day, which may lie before `start_date`; rows outside the window never count.
    period: NaiveDate,
    metrics: SalesMetrics,
}

impl Timeseries {
    pub(super) fn new(
        granularity: Granularity,
        window: Window,
        filter: Filter,
        found: Vec<(NaiveDate, Sums)>,
    ) -> Self {
        let points: Vec<TimeseriesPoint> = found
            .into_iter()
            .map(|(period, sums)| TimeseriesPoint { period, metrics: sums.into() })
            .collect();
        Self {
            granularity: granularity.name(),
            total_points: points.len(),
            points,
            start_date: window.start,
            end_date: window.end,
            store_id: filter.store_id,
            product_id: filter.product_id,
            category: filter.category,
        }
    }
}

impl CsvRow for TimeseriesPoint {
    const COLUMNS: &'static [&'static str] = &[
        "period",
        "total_revenue",
        "total_units",
        "total_transactions",
        "avg_unit_price",
        "avg_basket_value",
    ];

    fn cells(&self) -> Vec<String> {
        let mut cells = vec![self.period.to_string()];
        cells.extend(self.metrics.cells());
        cells
    }
}

/// The newest inventory of each store and product.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"items": [{"store_id": 4, "product_id": 31, "date": "2025-03-31", "on_hand_qty": 12,
    "on_order_qty": 40, "is_stockout": false}], "total_items": 1, "store_id": 4, "product_id": null}))]
pub(super) struct InventoryStatus {
    /// By store and product, at most `analytics.max_rows`.
    pub(super) items: Vec<InventoryItem>,
    /// All that there are, also beyond `analytics.max_rows`.
    pub(super) total_items: i64,
    store_id: Option<i32>,
    product_id: Option<i32>,
}

/// The newest snapshot of a store and product.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct InventoryItem {
    store_id: i32,
    product_id: i32,
    /// Day of the snapshot.
    date: NaiveDate,
    /// Units there.
    on_hand_qty: i32,
    /// Units on their way.
    on_order_qty: i32,
    /// As recorded, not derived.
    is_stockout: bool,
}

impl From<Stock> for InventoryItem {
    fn from(stock: Stock) -> Self {
        Self {
            store_id: stock.store_id,
            product_id: stock.product_id,
            date: stock.date,
            on_hand_qty: stock.on_hand_qty,
            on_order_qty: stock.on_order_qty,
            is_stockout: stock.is_stockout,
        }
    }
}

impl InventoryStatus {
    pub(super) fn new(found: StockList, store_id: Option<i32>, product_id: Option<i32>) -> Self {
        Self {
            items: found.items.into_iter().map(InventoryItem::from).collect(),
            total_items: found.total,
            store_id,
            product_id,
        }
    }
}

impl CsvRow for InventoryItem {
    const COLUMNS: &'static [&'static str] =
        &["store_id", "product_id", "date", "on_hand_qty", "on_order_qty", "is_stockout"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.store_id.to_string(),
            self.product_id.to_string(),
            self.date.to_string(),
            self.on_hand_qty.to_string(),
            self.on_order_qty.to_string(),
            self.is_stockout.to_string(),
        ]
    }
}
