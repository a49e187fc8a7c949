//! Sums of sales per day and store, and per day and product, that are kept beside the sales.
//! docs/decisions/analytics-rollups.md tells how they stay exact.

mod service;
mod store;

pub use service::{Rollups, stale_days};
