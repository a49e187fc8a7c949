//! The API, slice by slice.

mod analytics;
mod backtesting;
mod dimensions;
mod forecasting;
mod http;
mod import;
mod ingest;
mod ingest_laws;
mod ingest_others;
mod ingest_tables;
mod intervals;
mod plugins;
mod rollups;
mod seeder;
