//! The API, slice by slice.

mod analytics;
mod dimensions;
mod featuresets;
mod featuresets_oracle;
mod forecasting;
mod http;
mod import;
mod ingest;
mod plugins;
mod rollups;
mod seeder;
