//! The loaded plugins, for operators: what there is, what was refused and why, how the calls go.

mod routes;
mod service;
mod wire;

pub use routes::routes;
pub use service::Plugins;
pub use wire::PluginResult;
