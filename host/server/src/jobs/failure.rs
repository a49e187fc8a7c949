//! Why a job failed, with the names of the contract (`jobs.md`, "Failure names"), and whether another try may heal it.

use retailcast_core::config_schema::FieldError;
use retailcast_runtime::{GuestErrorCode, PluginError};

use crate::artifacts::ResolveError;
use crate::compute::ComputeError;
use crate::slices::backtesting::BacktestError;
use crate::slices::backtesting::portfolio::PortfolioError;
use crate::slices::forecasting::error::ForecastError;

/// Longest message that a job keeps, in characters.
const LONGEST: usize = 2_000;

/// Why a job failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Name of the contract.
    pub error_type: &'static str,
    /// For people; nothing internal.
    pub message: String,
    /// Whether the same job may succeed later.
    pub may_heal: bool,
}

impl Failure {
    fn new(error_type: &'static str, message: impl Into<String>) -> Self {
        let message: String = message.into();
        let message = message.chars().filter(|c| *c != '\0').take(LONGEST).collect();
        Self { error_type, message, may_heal: false }
    }

    fn healing(self) -> Self {
        Self { may_heal: true, ..self }
    }

    /// A required parameter is not there.
    pub(super) fn missing(key: &str) -> Self {
        Self::new("KeyError", format!("missing key {key}"))
    }

    /// A parameter is of another JSON kind.
    pub(super) fn kind(key: &str, message: &str) -> Self {
        Self::new("TypeError", format!("{key} {message}"))
    }

    /// A value that is refused.
    pub(super) fn value(message: impl Into<String>) -> Self {
        Self::new("ValueError", message)
    }

    /// Parameters of a model or a split that do not fit.
    pub(super) fn invalid(errors: &[FieldError]) -> Self {
        let one = |error: &FieldError| format!("{}: {}", error.field, error.message);
        Self::new("ValidationError", errors.iter().map(one).collect::<Vec<_>>().join("; "))
    }

    /// There is no such artifact.
    pub(super) fn not_found(run_id: &str) -> Self {
        Self::new("FileNotFoundError", format!("there is no trained model `{run_id}`"))
    }

    /// Its worker was lost too often.
    pub(super) fn interrupted(attempts: i32) -> Self {
        Self::new("Interrupted", format!("its worker was lost {attempts} times; it is not tried again"))
    }

    /// Its deadline passed.
    pub(super) fn late(deadline: &str) -> Self {
        Self::new("DeadlineExceeded", format!("it was not finished by its deadline, {deadline}"))
    }

    /// The database failed.
    pub(super) fn database(cause: &sqlx::Error) -> Self {
        let failure = Self::new("DatabaseError", "the database failed");
        if crate::db::is_transient(cause) { failure.healing() } else { failure }
    }

    /// A defect of the program or of a plugin.
    pub(super) fn internal(message: impl Into<String>) -> Self {
        Self::new("InternalError", message)
    }
}

impl From<sqlx::Error> for Failure {
    fn from(cause: sqlx::Error) -> Self {
        tracing::warn!(%cause, "a job met a failing database");
        Self::database(&cause)
    }
}

impl From<ForecastError> for Failure {
    fn from(error: ForecastError) -> Self {
        let told = format!("{error}");
        match error {
            ForecastError::Disabled
            | ForecastError::Config { .. }
            | ForecastError::NoRows(_)
            | ForecastError::Window { .. }
            | ForecastError::TooFewRows { .. }
            | ForecastError::ShortCalibration { .. }
            | ForecastError::Series(_)
            | ForecastError::OtherSeries { .. }
            | ForecastError::PluginGone { .. }
            | ForecastError::Path(ResolveError::Extension(_) | ResolveError::Outside(_)) => Self::value(told),
            ForecastError::Path(ResolveError::Missing(_)) => Self::new("FileNotFoundError", told),
            ForecastError::Plugin { error, .. } => of_plugin(&error, told),
            ForecastError::Calibration { source, .. } | ForecastError::OtherPlugin { source, .. } => {
                Self { message: told, ..(*source).into() }
            }
            ForecastError::Database(cause) => cause.into(),
            ForecastError::Bundle(_) => {
                tracing::error!("{told}");
                Self::internal(told)
            }
            ForecastError::Storage(cause) => {
                tracing::error!("{cause}");
                Self::internal("the store of model files failed").healing()
            }
            ForecastError::Encode(cause) => {
                tracing::error!("a model cannot be encoded: {cause}");
                Self::internal("the model cannot be encoded")
            }
            ForecastError::Compute(ComputeError::Busy(_) | ComputeError::Late) => {
                Self::internal(told).healing()
            }
            ForecastError::Compute(ComputeError::Lost) => {
                tracing::error!("{told}");
                Self::internal("the computation failed")
            }
        }
    }
}

/// A plugin that refuses is the caller's business, one that fails its author's. Neither changes its mind.
fn of_plugin(error: &PluginError, told: String) -> Failure {
    match error {
        PluginError::Guest(refusal) => match refusal.code {
            GuestErrorCode::InvalidConfig
            | GuestErrorCode::NotEnoughHistory
            | GuestErrorCode::Numeric
            | GuestErrorCode::Unsupported => Failure::value(told),
            GuestErrorCode::Upstream => Failure::internal(told).healing(),
            GuestErrorCode::MissingFeature | GuestErrorCode::ArtifactMismatch | GuestErrorCode::Other => {
                Failure::internal(told)
            }
        },
        PluginError::Unknown { .. } => Failure::value(told),
        PluginError::Cancelled { .. } => Failure::internal(told).healing(),
        other => {
            tracing::warn!(code = other.code(), "{told}");
            Failure::internal(format!("the plugin failed ({}): {told}", other.code()))
        }
    }
}

impl From<BacktestError> for Failure {
    fn from(error: BacktestError) -> Self {
        let told = error.to_string();
        match error {
            BacktestError::TooManySplits { .. }
            | BacktestError::GapTooLong { .. }
            | BacktestError::ShortTraining { .. }
            | BacktestError::Split(_) => Self::value(told),
            BacktestError::Fold { error, .. } => Self { message: told, ..(*error).into() },
            BacktestError::Forecast(error) => error.into(),
        }
    }
}

impl From<PortfolioError> for Failure {
    fn from(error: PortfolioError) -> Self {
        match error {
            PortfolioError::NothingSelected
            | PortfolioError::TooMuch { .. }
            | PortfolioError::NothingForecast(_) => Self::value(error.to_string()),
            PortfolioError::Forecast(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_keeps_to_its_length_and_to_what_the_database_takes() {
        let failure = Failure::value(format!("a\0{}", "é".repeat(3_000)));
        assert_eq!(failure.message.chars().count(), LONGEST);
        assert!(failure.message.starts_with("aé"));
    }

    #[test]
    fn only_faults_that_pass_are_tried_again() {
        let busy = retailcast_runtime::Busy {
            lane: retailcast_runtime::Lane::plugin("naive"),
            running: 1,
            queue: 1,
        };
        assert!(Failure::from(ForecastError::Compute(busy.into())).may_heal);
        assert!(Failure::from(sqlx::Error::PoolTimedOut).may_heal);
        assert!(!Failure::from(sqlx::Error::RowNotFound).may_heal);
        assert!(!Failure::from(ForecastError::Disabled).may_heal);
        assert!(!Failure::from(PortfolioError::NothingSelected).may_heal);
    }
}
