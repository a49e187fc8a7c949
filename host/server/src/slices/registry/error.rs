//! Why the registry refuses.

use super::status::Status;
use crate::artifacts::StorageError;

/// Why the registry refuses.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// Registered already, and the policy is to refuse.
    #[error(
        "run {0} has the same model_config, store_id, product_id and data window, and duplicates are refused here \
         (registry.duplicate_policy = \"deny\"); archive that run to register another"
    )]
    Duplicate(String),
    /// No such run.
    #[error("no run has id {0}; GET /registry/runs lists all runs")]
    UnknownRun(String),
    /// One of two runs is not there, or both.
    #[error("runs {a} and {b} cannot be compared: there is no run {missing}")]
    UnknownPair {
        /// One run.
        a: String,
        /// The other.
        b: String,
        /// What is missing.
        missing: String,
    },
    /// The state machine has no such change.
    #[error("a transition from {from} to {to} is not allowed; {}", allowed(*from))]
    Transition {
        /// The run's state.
        from: Status,
        /// The wanted one.
        to: Status,
    },
    /// The run has no artifact.
    #[error("run {0} has no artifact_uri, so there is nothing to verify")]
    NoArtifact(String),
    /// The run has no hash.
    #[error("run {0} has no artifact_hash to verify its artifact with")]
    NoHash(String),
    /// The artifact lies elsewhere.
    #[error("artifact_uri `{0}` leads out of the registry's artifact root")]
    Outside(String),
    /// The artifact is gone.
    #[error("there is no artifact `{0}` below the registry's artifact root")]
    MissingArtifact(String),
    /// A name for no run.
    #[error("an alias needs a run, and no run has id {0}")]
    AliasOfUnknown(String),
    /// A name for a run that is not in use.
    #[error("an alias needs a run in status success, and run {run_id} is {status}")]
    AliasOfUnsuccessful {
        /// The run.
        run_id: String,
        /// Its state.
        status: Status,
    },
    /// No such name.
    #[error("there is no alias `{0}`; GET /registry/aliases lists all aliases")]
    UnknownAlias(String),
    /// The artifact store failed.
    #[error("the artifact store: {0}")]
    Storage(StorageError),
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

fn allowed(from: Status) -> String {
    let names: Vec<_> = from.successors().iter().map(|status| status.name()).collect();
    match names.as_slice() {
        [] => format!("{from} is the last state"),
        names => format!("from {from} a run may become {}", names.join(" or ")),
    }
}
