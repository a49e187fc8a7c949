//! Feature sets of one series, for people and programs that build models of their own. Contract: `featuresets.md`.
//! What a feature is, is decided in [`retailcast_core::featureset`]; here series are read and answers written.

mod config_body;
mod config_shapes;
mod routes;
mod service;
mod store;
mod wire;

pub use routes::{problem, routes};
pub use service::{Computed, FeatureRequest, FeatureSettings, Featuresets, FeaturesetsError};
pub use wire::read_compute;
