//! The API, slice by slice.

mod forecasting;
mod http;
mod import;
mod ingest;
mod plugins;
