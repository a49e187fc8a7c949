//! Why there is no scenario.

use retailcast_runtime::PluginError;

use crate::artifacts::{BundleError, ResolveError};
use crate::compute::ComputeError;
use crate::slices::forecasting::error::ForecastError;

/// Why there is no scenario.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// No model artifact can have this key.
    #[error(
        "run_id `{0}` is no key of a model artifact, which has ASCII letters, digits, - and _ alone; it is the `run_id` \
         that a train job reports, not that of a registered run"
    )]
    Key(String),
    /// No model artifact has this key.
    #[error(
        "there is no model artifact with the key {0}; it is the `run_id` that a train job reports, not that of a \
         registered run"
    )]
    UnknownArtifact(String),
    /// The artifact is whole and does not say enough.
    #[error("the model artifact {run_id} {error}")]
    Incomplete {
        /// Its key.
        run_id: String,
        /// What it lacks.
        error: BundleError,
    },
    /// The model does not forecast.
    #[error(transparent)]
    Forecast(ForecastError),
    /// The adjuster failed or refused.
    #[error("scenario adjuster {name}: {error}")]
    Adjuster {
        /// Its name.
        name: String,
        /// What it said.
        error: PluginError,
    },
    /// The compute threads are busy or failed.
    #[error(transparent)]
    Compute(#[from] ComputeError),
    /// No such plans.
    #[error("no plan has the id {}; GET /scenarios lists all plans", .0.join(" or "))]
    UnknownPlans(Vec<String>),
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

impl ScenarioError {
    /// What forecasting said about the artifact of this key.
    pub(super) fn of_artifact(run_id: &str, error: ForecastError) -> Self {
        match error {
            ForecastError::Path(ResolveError::Missing(_)) => Self::UnknownArtifact(run_id.to_owned()),
            ForecastError::Bundle(error @ BundleError::Incomplete(_)) => {
                Self::Incomplete { run_id: run_id.to_owned(), error }
            }
            error => Self::Forecast(error),
        }
    }
}
