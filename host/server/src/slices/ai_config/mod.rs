//! Settings of language and embedding models, changed while the server runs. Contract: `config.md`.

mod error;
mod overrides;
mod routes;
mod service;
mod store;
mod wire;

pub use error::ConfigError;
pub use overrides::{Allowed, Change};
pub use routes::routes;
pub use service::AiConfig;
