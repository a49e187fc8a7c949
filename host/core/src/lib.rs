//! The domain of RetailCast: days, series, feature frames, metrics, configurations and their hashes. No IO, no
//! WebAssembly, no clock: everything here is a function of its arguments.

pub mod backtest;
pub mod config_schema;
pub mod conformal;
pub mod day;
pub mod frame;
pub mod hash;
pub mod metrics;
pub mod seeder;
pub mod series;
pub mod statics;

pub use day::Day;
pub use series::{MissingDays, Observation, Series, SeriesError};
pub use statics::Statics;
