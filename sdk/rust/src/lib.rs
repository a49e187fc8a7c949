//! Write a RetailCast plugin in Rust.
//!
//! A forecast model is a type that implements [`ForecastModel`] (the general case: whole panels, feature
//! tables, native boosting) or [`SeriesModel`] (one series at a time; enough for most statistical models), and
//! one line that exports it:
//!
//! ```
//! use retailcast_sdk::{Error, Info, Requirements, SeriesModel};
//! use schemars::JsonSchema;
//! use serde::{Deserialize, Serialize};
//!
//! /// Forecasts the last value.
//! #[derive(Serialize, Deserialize)]
//! pub struct Last(f64);
//!
//! #[derive(Deserialize, JsonSchema)]
//! pub struct Nothing {}
//!
//! impl SeriesModel for Last {
//!     type Config = Nothing;
//!     const INFO: Info = Info { name: "last", version: "0.1.0", licence: "Apache-2.0", summary: "Repeats the last value." };
//!
//!     fn requirements(_: &Nothing) -> Result<Requirements, Error> {
//!         Ok(Requirements::series(1))
//!     }
//!     fn fit(_: &Nothing, history: &[f64]) -> Result<Self, Error> {
//!         history.last().map(|last| Last(*last)).ok_or_else(|| Error::not_enough_history(1, 0))
//!     }
//!     fn forecast(&self, horizon: usize) -> Result<Vec<f64>, Error> {
//!         Ok(vec![self.0; horizon])
//!     }
//! }
//! retailcast_sdk::export_series_model!(Last);
//! # fn main() {}
//! ```
//!
//! Build it with `cargo build --profile guest --target wasm32-wasip2` (in this repository; the workspace defines the profile
//! `guest`) or `cargo build --release --target wasm32-wasip2` (in a crate of your own), put the `.wasm` into the
//! server's plugin folder. The same type runs under `cargo test` on [`testing::Panel`], without WebAssembly.

mod boosting;
mod data;
mod error;
mod forecasts;
mod model;
pub mod state;
pub mod testing;

pub mod component;

pub use boosting::{Booster, ImportanceKind};
pub use data::{FutureData, TrainingData};
pub use error::{Error, ErrorCode};
pub use forecasts::Forecasts;
pub use model::{
    Feature, ForecastModel, Info, Input, Requirements, Scope, SeriesModel, ShortLags, Tail, retail_frame,
};

pub use schemars;
pub use serde;

/// What `wit-bindgen` makes of `wit/v0.1`. Plugins use the types above; this is for the export macros.
#[doc(hidden)]
#[allow(missing_docs, unsafe_code, unreachable_pub, clippy::all, clippy::pedantic)]
pub mod bindings {
    wit_bindgen::generate!({
        path: "../../wit/v0.1",
        world: "forecast-model",
        pub_export_macro: true,
        default_bindings_module: "retailcast_sdk::bindings",
        export_macro_name: "export_forecast_model_component",
    });
}

/// Writes lines to the host's log, with the plugin's name and version and the request's id.
pub mod log {
    use crate::bindings::retailcast::plugin::log as host;
    pub use crate::bindings::retailcast::plugin::log::Level;

    /// Writes one line with fields. Outside WebAssembly (in native tests) it goes to standard error.
    pub fn log(level: Level, message: &str, fields: &[(&str, String)]) {
        if cfg!(target_arch = "wasm32") {
            let fields: Vec<(String, String)> =
                fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
            host::log(level, message, &fields);
        } else {
            eprintln!("{level:?}: {message} {fields:?}");
        }
    }
}
