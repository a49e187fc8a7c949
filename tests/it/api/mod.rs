//! The API, slice by slice.

mod analytics;
mod backtesting;
mod dimensions;
mod forecasting;
mod http;
mod import;
mod ingest;
mod plugins;
mod rollups;
mod seeder;
