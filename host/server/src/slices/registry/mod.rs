//! Training runs: what was trained, how it went, whether its artifact is intact, and names for what is in use. It
//! trains nothing. Contract: `registry.md`.

mod compare;
mod error;
mod routes;
mod run;
mod run_body;
mod runtime_info;
mod service;
mod status;
mod store;
mod wire;

pub use compare::Comparison;
pub use error::RegistryError;
pub use routes::{problem, routes};
pub use run::{AgentContext, Alias, NewAlias, NewRun, Run, RunPatch};
pub use run_body::read_alias;
pub use service::{Listing, Registry, RunPage, StoredArtifact, Verification};
pub use status::Status;
pub use store::{Order, RUN_ORDERS};
pub use wire::{AliasAnswer, ComparisonBody, RunBody, RunPageBody};
