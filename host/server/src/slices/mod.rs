//! The API, slice by slice: `routes` (handlers), `wire` (JSON shapes), `service` (the work), `store` (SQL).

pub mod analytics;
pub mod backtesting;
pub mod dimensions;
pub mod explain;
pub mod featuresets;
pub mod forecasting;
pub mod ingest;
pub mod jobs;
pub mod plugins;
pub mod rag;
pub mod registry;
pub mod rollups;
pub mod scenarios;
pub mod seeder;
