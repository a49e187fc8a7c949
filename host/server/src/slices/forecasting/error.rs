//! Why nothing was trained or forecast.

use retailcast_core::config_schema::FieldError;
use retailcast_core::{Day, SeriesError};
use retailcast_runtime::PluginError;

use super::calibration::{self, CalibrationRequest};
use super::predict::{OtherPlugin, PluginId};
use super::series::{LONGEST_WINDOW, SeriesWindow};
use crate::artifacts::{BundleError, ModelError, ResolveError, StorageError};
use crate::compute::ComputeError;

/// Why nothing was trained or forecast.
#[derive(Debug, thiserror::Error)]
pub enum ForecastError {
    /// The operator switched the model off.
    #[error(
        "model type `lightgbm` is disabled; `forecast.enable_lightgbm = true` (forecast_enable_lightgbm) enables it"
    )]
    Disabled,
    /// The configuration is not one of the model.
    #[error("the configuration does not fit {model_type}: {}", .errors.iter().map(|e| format!("{}: {}", e.field, e.message)).collect::<Vec<_>>().join("; "))]
    Config {
        /// The model.
        model_type: String,
        /// Where and why.
        errors: Vec<FieldError>,
    },
    /// No sales in the window.
    #[error(
        "No data found: there are no sales of product {} in store {} between {} and {}",
        .0.product_id, .0.store_id, .0.start, .0.end
    )]
    NoRows(SeriesWindow),
    /// More days than anybody has sold anything.
    #[error(
        "{first}, the first day with sales, to the window's last day {end} are more than {LONGEST_WINDOW} days"
    )]
    Window {
        /// First row in the window.
        first: Day,
        /// End of the window.
        end: Day,
    },
    /// Fewer values than the model needs.
    #[error("{model_type} needs at least {needed} observations, found {found}")]
    TooFewRows {
        /// The model.
        model_type: String,
        /// What it needs.
        needed: usize,
        /// What there is.
        found: usize,
    },
    /// No window of the past to calibrate on.
    #[error("{}", calibration::too_short(model_type, *min_history, wanted, *found))]
    ShortCalibration {
        /// The model.
        model_type: String,
        /// Rows that it needs.
        min_history: usize,
        /// What was wanted.
        wanted: CalibrationRequest,
        /// Rows that there are.
        found: usize,
    },
    /// The model failed on the past.
    #[error("calibration on the days after {origin}: {source}")]
    Calibration {
        /// Last day that it knew.
        origin: Day,
        /// How.
        source: Box<ForecastError>,
    },
    /// The rows do not make a series.
    #[error(transparent)]
    Series(#[from] SeriesError),
    /// The path is no model file.
    #[error(transparent)]
    Path(#[from] ResolveError),
    /// The model belongs to another series.
    #[error("the model was trained for {what} {trained}, the request says {asked}")]
    OtherSeries {
        /// `store_id` or `product_id`.
        what: &'static str,
        /// The model's.
        trained: i32,
        /// The request's.
        asked: i32,
    },
    /// The file cannot be decoded.
    #[error("the model file {0}")]
    Bundle(#[from] BundleError),
    /// The store of model files failed.
    #[error("the model file: {0}")]
    Storage(#[from] StorageError),
    /// The model cannot be turned into a file.
    #[error("the model cannot be encoded: {0}")]
    Encode(#[from] serde_json::Error),
    /// The plugin that trained the model is not loaded any more.
    #[error(
        "the model was trained by plugin {name} {trained_by}, which is not loaded: {reason}. \
         Put its file back, or train the model again with another"
    )]
    PluginGone {
        /// Its name.
        name: String,
        /// Which one exactly.
        trained_by: PluginId,
        /// What the catalogue says.
        reason: String,
    },
    /// The plugin that trained the model was replaced, and its successor failed on it.
    #[error(
        "{source}. The model was trained by version {}, loaded is version {}: train it again, or put the old file back",
        other.trained_by, other.loaded
    )]
    OtherPlugin {
        /// Both.
        other: OtherPlugin,
        /// How the successor failed.
        source: Box<ForecastError>,
    },
    /// The plugin failed or refused.
    #[error("model {model_type}: {error}")]
    Plugin {
        /// The model.
        model_type: String,
        /// What it said.
        error: PluginError,
    },
    /// The compute threads are busy or failed.
    #[error(transparent)]
    Compute(#[from] ComputeError),
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

impl From<ModelError> for ForecastError {
    fn from(error: ModelError) -> Self {
        match error {
            ModelError::Path(error) => error.into(),
            ModelError::Bundle(error) => error.into(),
            ModelError::Storage(error) => error.into(),
        }
    }
}

impl ForecastError {
    /// Whether a plugin failed or refused.
    pub fn is_of_a_plugin(&self) -> bool {
        matches!(self, Self::Plugin { .. })
    }
}

/// A plugin's failure, with the model's name.
pub fn plugin_error(model_type: &str, error: PluginError) -> ForecastError {
    ForecastError::Plugin { model_type: model_type.to_owned(), error }
}
