//! What a job is.

use chrono::{DateTime, Utc};
use serde_json::Value;

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobType {
    /// Trains a model on one series.
    Train,
    /// Forecasts from a trained model.
    Predict,
    /// Cross-validates a model on one series.
    Backtest,
    /// Fits a model on every series of a selection and forecasts.
    PortfolioForecast,
    /// Cross-validates models on a selection.
    PortfolioBacktest,
}

impl JobType {
    /// All types by name.
    pub const NAMES: [(&'static str, Self); 5] = [
        ("train", Self::Train),
        ("predict", Self::Predict),
        ("backtest", Self::Backtest),
        ("portfolio_forecast", Self::PortfolioForecast),
        ("portfolio_backtest", Self::PortfolioBacktest),
    ];

    /// As it stands in the API and in the database.
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize].0
    }

    /// The type of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
    }

    /// Whether it is cut into chunks that different workers take.
    pub fn fans_out(self) -> bool {
        matches!(self, Self::PortfolioForecast | Self::PortfolioBacktest)
    }
}

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobStatus {
    /// Waits for a worker.
    Pending,
    /// A worker has begun; also while it waits for another try.
    Running,
    /// Done.
    Completed,
    /// Given up.
    Failed,
    /// No longer wanted.
    Cancelled,
}

impl JobStatus {
    /// All states by name.
    pub const NAMES: [(&'static str, Self); 5] = [
        ("pending", Self::Pending),
        ("running", Self::Running),
        ("completed", Self::Completed),
        ("failed", Self::Failed),
        ("cancelled", Self::Cancelled),
    ];

    /// As it stands in the API and in the database.
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize].0
    }
}

/// A job as the API shows it.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct Job {
    /// Internal key.
    pub id: i32,
    /// 32 hex digits.
    pub job_id: String,
    /// Name of its [`JobType`].
    pub job_type: String,
    /// Name of its [`JobStatus`].
    pub status: String,
    /// As submitted.
    pub params: Value,
    /// When completed.
    pub result: Option<Value>,
    /// When failed.
    pub error_message: Option<String>,
    /// When failed.
    pub error_type: Option<String>,
    /// Of a completed training: id of the model file.
    pub run_id: Option<String>,
    /// First try.
    pub started_at: Option<DateTime<Utc>>,
    /// When it got its final status.
    pub completed_at: Option<DateTime<Utc>>,
    /// When it was submitted.
    pub created_at: DateTime<Utc>,
    /// Last change.
    pub updated_at: DateTime<Utc>,
    /// Larger first.
    pub priority: i16,
    /// Not finished by then: failed.
    pub deadline_at: Option<DateTime<Utc>>,
    /// When it was asked to stop while it ran.
    pub cancel_requested_at: Option<DateTime<Utc>>,
    /// Tries so far.
    pub attempts: i32,
    /// 0 to 1.
    pub progress: f64,
    /// What it does, in words.
    pub progress_message: Option<String>,
}

impl Job {
    /// Whether nothing will change any more.
    pub fn is_final(&self) -> bool {
        !["pending", "running"].contains(&self.status.as_str())
    }

    /// Whether it has this status.
    pub fn is(&self, status: JobStatus) -> bool {
        self.status == status.name()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_in_the_order_of_the_variants() {
        for (name, kind) in JobType::NAMES {
            assert_eq!((kind.name(), JobType::named(name)), (name, Some(kind)));
        }
        for (name, status) in JobStatus::NAMES {
            assert_eq!(status.name(), name);
        }
        assert_eq!(JobType::named("TRAIN"), None);
    }
}
