//! Fitted models and other artifacts, as files in a folder or objects in a bucket.

mod bundle;
mod calibration;
mod root;
mod storage;
mod store;

pub use bundle::{Bundle, BundleError, Metadata, PluginStamp, Runtime};
pub use calibration::Calibration;
pub use root::{ArtifactRoot, NoRoot};
pub use storage::{Fingerprint, Object, Storage, StorageError, Target};
pub use store::{EXTENSION, ModelError, ModelStore, ResolveError, is_run_id, run_id};
