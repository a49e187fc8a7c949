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
//! retailcast_sdk::export!(Last as SeriesModel);
//! # fn main() {}
//! ```
//!
//! The other kinds have a trait each and the same line: `export!(Mine as ScenarioAdjuster)` for
//! [`scenario::ScenarioAdjuster`], `Explainer` for [`explain::Explainer`], `EmbeddingProvider` for
//! [`embedding::EmbeddingProvider`].
//!
//! Build it with `cargo build --profile guest --target wasm32-wasip2` (in this repository; the workspace defines the profile
//! `guest`) or `cargo build --release --target wasm32-wasip2` (in a crate of your own), put the `.wasm` into the
//! server's plugin folder. The same type runs under `cargo test` on [`testing::Panel`], without WebAssembly.

mod boosting;
mod data;
pub mod embedding;
mod error;
pub mod explain;
mod export;
mod forecasts;
pub mod http;
mod model;
pub mod scenario;
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
pub use serde_json;

// What `wit-bindgen` makes of `wit/v0.1`, for the export macros; plugins use the types above. Every world of the contract
// is its own interface and `plugin`, which all export. The macros that `wit-bindgen` writes are named by interface and
// stand at the crate's root, so that `plugin` may be generated once only: apart from the kinds. What a component exports
// is put together again when it is linked.

/// Forecast models, and the types that all kinds share.
#[doc(hidden)]
#[allow(missing_docs, unsafe_code, unreachable_pub, clippy::all, clippy::pedantic)]
pub mod bindings {
    wit_bindgen::generate!({
        path: "../../wit/v0.1",
        inline: "package retailcast:sdk; world forecasting { import retailcast:plugin/log@0.1.0; import retailcast:plugin/data@0.1.0; import retailcast:plugin/gradient-boosting@0.1.0; export retailcast:plugin/forecaster@0.1.0; }",
        world: "retailcast:sdk/forecasting",
        generate_all,
        pub_export_macro: true,
        default_bindings_module: "retailcast_sdk::bindings",
        export_macro_name: "export_forecaster",
    });
}

/// What every kind exports.
#[doc(hidden)]
#[allow(missing_docs, unsafe_code, unreachable_pub, clippy::all, clippy::pedantic)]
pub mod description_bindings {
    wit_bindgen::generate!({
        path: "../../wit/v0.1",
        inline: "package retailcast:sdk; world describing { export retailcast:plugin/plugin@0.1.0; }",
        world: "retailcast:sdk/describing",
        with: {
            "retailcast:plugin/types@0.1.0": crate::bindings::retailcast::plugin::types,
        },
        generate_all,
        pub_export_macro: true,
        default_bindings_module: "retailcast_sdk::description_bindings",
        export_macro_name: "export_description",
    });
}

/// Scenario adjusters.
#[doc(hidden)]
#[allow(missing_docs, unsafe_code, unreachable_pub, clippy::all, clippy::pedantic)]
pub mod scenario_bindings {
    wit_bindgen::generate!({
        path: "../../wit/v0.1",
        inline: "package retailcast:sdk; world adjusting { import retailcast:plugin/log@0.1.0; export retailcast:plugin/adjuster@0.1.0; }",
        world: "retailcast:sdk/adjusting",
        with: {
            "retailcast:plugin/types@0.1.0": crate::bindings::retailcast::plugin::types,
            "retailcast:plugin/log@0.1.0": crate::bindings::retailcast::plugin::log,
        },
        generate_all,
        pub_export_macro: true,
        default_bindings_module: "retailcast_sdk::scenario_bindings",
        export_macro_name: "export_adjuster",
    });
}

/// Explainers.
#[doc(hidden)]
#[allow(missing_docs, unsafe_code, unreachable_pub, clippy::all, clippy::pedantic)]
pub mod explainer_bindings {
    wit_bindgen::generate!({
        path: "../../wit/v0.1",
        inline: "package retailcast:sdk; world explaining { import retailcast:plugin/log@0.1.0; export retailcast:plugin/explanation@0.1.0; }",
        world: "retailcast:sdk/explaining",
        with: {
            "retailcast:plugin/types@0.1.0": crate::bindings::retailcast::plugin::types,
            "retailcast:plugin/log@0.1.0": crate::bindings::retailcast::plugin::log,
        },
        generate_all,
        pub_export_macro: true,
        default_bindings_module: "retailcast_sdk::explainer_bindings",
        export_macro_name: "export_explanation",
    });
}

/// Embedding providers.
#[doc(hidden)]
#[allow(missing_docs, unsafe_code, unreachable_pub, clippy::all, clippy::pedantic)]
pub mod embedding_bindings {
    wit_bindgen::generate!({
        path: "../../wit/v0.1",
        inline: "package retailcast:sdk; world embedding { import retailcast:plugin/log@0.1.0; export retailcast:plugin/embedder@0.1.0; }",
        world: "retailcast:sdk/embedding",
        with: {
            "retailcast:plugin/types@0.1.0": crate::bindings::retailcast::plugin::types,
            "retailcast:plugin/log@0.1.0": crate::bindings::retailcast::plugin::log,
        },
        generate_all,
        pub_export_macro: true,
        default_bindings_module: "retailcast_sdk::embedding_bindings",
        export_macro_name: "export_embedder",
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
