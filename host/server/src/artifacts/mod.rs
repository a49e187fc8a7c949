//! Fitted models as files.

mod bundle;
mod calibration;
mod store;

pub use bundle::{Bundle, BundleError, Metadata, PluginStamp, Runtime};
pub use calibration::Calibration;
pub use store::{EXTENSION, ModelStore, ResolveError, is_run_id, run_id};
