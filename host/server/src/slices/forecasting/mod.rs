//! Trains one model for one (store, product) series, keeps it as a file, forecasts from that file; and the same for
//! whole selections at once (`portfolio`). Contract: `forecasting.md`.

pub mod calibration;
pub mod error;
pub mod fitted;
mod interval_wire;
pub mod portfolio;
pub mod predict;
pub mod routes;
mod series;
pub mod service;
mod store;
pub mod what_if;
mod wire;

pub use retailcast_runtime::panel;
pub use series::SeriesWindow;
pub use wire::{ModelConfig, read_config, read_train};
