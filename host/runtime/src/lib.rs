//! The plugin host of RetailCast: loads forecasting models, explainers and scenario adjusters that are WebAssembly
//! components, gives them data and granted capabilities, holds them to limits, and tells exactly what went wrong when
//! something did.
//!
//! Read from top to bottom: [`Catalogue`] knows the plugins; a [`ForecastModel`] opens a [`ForecastSession`] (one
//! instance, for one request); a session asks requirements, fits, saves, loads and predicts. Everything is
//! synchronous and belongs on the [`ComputePool`], never on an async reactor.
//!
//! The contract stands in `wit/v0.1`; its adapter in `v0_1` is the only module that knows the generated types.

pub mod boosting;
mod cache;
mod call;
mod catalogue;
mod description;
pub mod embedding;
mod engine;
mod error;
pub mod explain;
mod http;
mod http_pattern;
mod inspect;
mod limits;
mod measured;
mod model;
mod open;
mod output;
pub mod panel;
mod plugin;
mod pool;
mod sandbox;
pub mod scenario;
mod serving;
mod stats;
mod trace;
mod v0_1;

pub use cache::CodeCache;
pub use call::{Call, CancelToken};
pub use catalogue::{
    Admission, Catalogue, CatalogueSettings, Change, ChangeKind, Entry, GrantedFolder, Models, Origin,
    PluginSettings, State, Watch, settings_key, settings_table,
};
pub use description::{Description, Kind};
pub use embedding::EmbeddingProvider;
pub use engine::{Engine, EngineSettings};
pub use error::{GuestError, GuestErrorCode, Phase, PluginError, TimeLimit};
pub use explain::Explainer;
pub use http::{HttpAccess, HttpAccessError};
pub use http_pattern::{HttpPattern, HttpPatternError};
pub use inspect::{Access, Import, Inspection};
pub use limits::Limits;
pub use model::{
    FeatureTable, FittedId, ForecastModel, ForecastSession, Forecasts, FutureSet, Input, Requirements, Scope,
    ShortLags, TrainingSet,
};
pub use open::{Plugin, open, open_forecast_model};
pub use plugin::Digest;
pub use pool::{Busy, ComputePool, Lane, PoolSettings};
pub use sandbox::LOG_BUDGET;
pub use scenario::ScenarioAdjuster;
pub use stats::{PhaseStats, Stats, StatsSnapshot};
pub use trace::{Crossing, Direction, Trace};
