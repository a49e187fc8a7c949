//! Why there is no explanation.

use retailcast_core::SeriesError;
use retailcast_runtime::PluginError;

use crate::compute::ComputeError;
use crate::slices::forecasting::error::ForecastError;
use crate::slices::registry::RegistryError;

/// Why there is no explanation.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// No loaded plugin explains the model type.
    #[error(
        "{model_type} is not explained here: baseline models only, and whatever a loaded explainer covers ({})",
        .explained.join(", ")
    )]
    NotExplained {
        /// The model type.
        model_type: String,
        /// What is explained.
        explained: Vec<String>,
    },
    /// The explainer wants the fitted model, and its file is gone.
    #[error(
        "{model_type} is explained from the model file that the job forecast from, which is gone; \
         train and forecast again"
    )]
    ModelGone {
        /// The model type.
        model_type: String,
    },
    /// The artifact is not the model that made the forecast.
    #[error("the artifact `{uri}` cannot be explained: {reason}")]
    Artifact {
        /// As the run names it.
        uri: String,
        /// Why.
        reason: String,
    },
    /// The model file is of another series, model or day than the forecast.
    #[error("the model file is for {what} {trained}, the forecast for {told}")]
    OtherModel {
        /// What differs.
        what: &'static str,
        /// The file's.
        trained: String,
        /// The forecast's.
        told: String,
    },
    /// The registry's store failed.
    #[error(transparent)]
    Registry(RegistryError),
    /// The span is longer than the host computes on.
    #[error("{from} to {to} are {days} days, at most {most} are explained; choose an earlier as_of_date")]
    TooLong {
        /// First day with a sale.
        from: String,
        /// The cutoff.
        to: String,
        /// Days.
        days: i64,
        /// Days allowed.
        most: i64,
    },
    /// Days are missing, and the policy refuses that.
    #[error(transparent)]
    Series(#[from] SeriesError),
    /// No such run.
    #[error("there is no run with the id {0}; GET /registry/runs lists all runs")]
    UnknownRun(String),
    /// No such job.
    #[error("there is no job with the id {0}; GET /jobs lists all jobs")]
    UnknownJob(String),
    /// The job forecast nothing.
    #[error("the job is not a completed predict job: its type is {job_type}, its status {status}")]
    OtherJob {
        /// Its type.
        job_type: String,
        /// Its status.
        status: String,
    },
    /// The job's result does not say what was forecast.
    #[error("the job's result cannot be explained: {0}")]
    Result(&'static str),
    /// The explainer failed or refused.
    #[error("explainer {name}: {error}")]
    Explainer {
        /// Its name.
        name: String,
        /// What it said.
        error: PluginError,
    },
    /// The model file cannot be read.
    #[error(transparent)]
    Forecast(#[from] ForecastError),
    /// The compute threads are busy or failed.
    #[error(transparent)]
    Compute(#[from] ComputeError),
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}
