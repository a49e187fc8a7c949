//! Backtests of a whole selection: several models, the same test windows for all series, one leaderboard.
//!
//! [`truth`] holds what was sold, [`service`] runs the models through the forecasting slice's portfolio engine,
//! [`scores`] compares the two, [`export`] writes forecasts as rows.

mod body;
pub mod export;
mod result;
mod routes;
pub mod scores;
pub mod service;
mod truth;

pub use body::{PortfolioRequest, read, read_selection};
pub use result::PortfolioResult;
pub use routes::routes;
pub use service::{Contest, Entry, PortfolioBacktest, PortfolioError, PortfolioOrder, Scored};
