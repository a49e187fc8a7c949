//! What a forecast rests on: drivers, signals and caveats of the next day's forecast. Contract: `explainability.md`. The
//! arithmetic is a plugin's, which explains the model type; here the series and the signals are read, and what was said is
//! kept as an audit trail.

mod artifact;
mod error;
mod routes;
mod service;
mod store;
mod wire;

pub use error::ExplainError;
pub use routes::routes;
pub use service::{Explained, Explanations, Request};
