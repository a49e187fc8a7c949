//! The API, slice by slice.

mod analytics;
mod backtesting;
mod backtesting_portfolio;
mod dimensions;
mod featuresets;
mod featuresets_oracle;
mod forecasting;
mod http;
mod import;
mod ingest;
mod ingest_laws;
mod ingest_others;
mod ingest_tables;
mod intervals;
mod jobs;
mod jobs_portfolio;
mod plugins;
mod plugins_list;
mod portfolio;
mod rag;
mod rag_faults;
mod rag_recall;
mod registry;
mod registry_artifacts;
mod rollups;
mod seeder;
