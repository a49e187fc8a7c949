//! Why there is no explanation.

use retailcast_core::SeriesError;
use retailcast_runtime::PluginError;

use crate::compute::ComputeError;
use crate::slices::forecasting::error::ForecastError;

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
    /// The explainer wants a fitted model, which is not there.
    #[error("{model_type} is explained from a fitted model only, and there is none for this request")]
    NoModel {
        /// The model type.
        model_type: String,
    },
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
