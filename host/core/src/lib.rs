//! The domain of RetailCast: days, series, feature frames, metrics, configurations and their hashes. No IO, no
//! WebAssembly, no clock: everything here is a function of its arguments.

pub mod backtest;
pub mod calendar;
pub mod chunking;
pub mod config_schema;
pub mod conformal;
pub mod day;
pub mod featureset;
pub mod frame;
pub mod hash;
pub mod metrics;
mod past;
mod promotion;
pub mod seeder;
pub mod series;
pub mod statics;

pub use calendar::CalendarField;
pub use day::Day;
pub use past::Aggregation;
pub use promotion::PromotionKind;
pub use series::{MissingDays, Observation, Series, SeriesError};
pub use statics::Statics;
