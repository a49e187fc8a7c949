//! RetailCast: a demand-forecasting server for retail whose models are WebAssembly plugins.
//!
//! Read from the outside in: [`cli`] starts things, [`http`] is what all routes share, [`slices`] are the API,
//! [`artifacts`] keeps fitted models, [`dashboard`] the page at `/`, [`ai`] the settings of language models, [`llm`] speaks
//! to them, [`db`] the rest. [`app`] puts them together.

pub mod access;
mod admission;
pub mod ai;
pub mod app;
pub mod artifacts;
pub mod backup;
pub mod cli;
pub mod compute;
pub mod config;
pub mod dashboard;
pub mod db;
pub mod doctor;
pub mod http;
pub mod import;
pub mod jobs;
pub mod llm;
mod logging;
pub mod slices;
pub mod tabular;
