//! Aggregates over sales and inventory. Contract: `analytics.md`.

mod bucket;
mod routes;
mod service;
mod store;
mod sums;
mod wire;

pub use bucket::Granularity;
pub use routes::routes;
pub use service::{
    Analytics, AnalyticsError, AnalyticsSettings, Dimension, Drilldown, Filter, Item, Stock, StockList,
    Window,
};
pub use sums::Sums;
