//! Time-ordered cross-validation: of one model on one series against two baselines, and of many on a selection ([`portfolio`]). Contract: `backtesting.md`. What
//! is arithmetic about it stands in [`retailcast_core::backtest`]; here the models run.

mod folds;
pub mod portfolio;
mod result_body;
mod routes;
mod run_body;
mod service;

pub use folds::{FoldResult, ModelResult};
pub use result_body::{BacktestMetrics, BacktestResult};
pub use routes::{problem, routes};
pub use run_body::{BacktestOrder, read, read_split};
pub use service::{BASELINES, Backtest, BacktestError, BacktestRequest, BacktestSettings, Backtesting};
