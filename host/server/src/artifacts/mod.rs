//! Fitted models as files.

mod bundle;
mod store;

pub use bundle::{Bundle, BundleError, Metadata, PluginStamp, Runtime};
pub use store::{EXTENSION, ModelStore, ResolveError};
