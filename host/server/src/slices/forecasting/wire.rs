//! JSON shapes of `/forecasting/train` and `/forecasting/predict`.

use std::time::Duration;

use chrono::NaiveDate;
use retailcast_core::Day;
use retailcast_core::config_schema::{FieldError, NormalisedConfig};
use retailcast_runtime::Catalogue;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::interval_wire::{CalibrationBody, CalibrationResult, IntervalResult, read_calibration};
use super::predict::{OtherPlugin, PredictRequest, Predicted};
use super::series::SeriesWindow;
use super::service::{ForecastingSettings, TrainRequest, Trained};
use crate::http::fields::{self, Fields};

const KEY: (i64, i64) = (1, i32::MAX as i64);

/// What to train.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes the body, which is read field by field")]
#[schema(example = json!({"store_id": 4, "product_id": 31, "train_start_date": "2025-01-01", "train_end_date": "2025-03-31",
    "config": {"model_type": "seasonal_naive", "season_length": 7},
    "calibration": {"levels": [80, 95], "horizon": 14, "n_windows": 60}}))]
pub(super) struct TrainBody {
    /// The series' store.
    #[schema(minimum = 1)]
    store_id: i32,
    /// The series' product.
    #[schema(minimum = 1)]
    product_id: i32,
    /// First day of the training window, inclusive.
    train_start_date: NaiveDate,
    /// Last day, inclusive, after `train_start_date`; the forecast origin.
    train_end_date: NaiveDate,
    /// Configuration of the model.
    config: ModelConfig,
    /// Prediction intervals to train with it; none when absent or null.
    calibration: Option<CalibrationBody>,
}

/// Configuration of a model: `model_type` names a loaded plugin, whose JSON Schema declares the other fields.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes the body, which is read by the plugin's schema")]
#[schema(example = json!({"model_type": "moving_average", "window_size": 7}))]
pub struct ModelConfig {
    /// `naive`, `seasonal_naive`, `moving_average`, `croston`, `theta`, `ets`, `elastic_net`, `lightgbm`, `regression` or any
    /// other loaded plugin.
    #[schema(example = "seasonal_naive")]
    model_type: String,
    /// `digits.digits` or `digits.digits.digits`.
    #[schema(default = "1.0", pattern = r"^\d+\.\d+(\.\d+)?$")]
    schema_version: Option<String>,
}

/// Reads a configuration: the tag, then the fields that the plugin of this type declares.
pub fn read_config(
    value: &Value,
    location: &str,
    catalogue: &Catalogue,
) -> Result<(String, NormalisedConfig), Vec<FieldError>> {
    let one = |kind, message: String| Err(vec![FieldError::new(location, kind, message)]);
    let Value::Object(members) = value else {
        return one("dict_type", format!("must be an object, got {}", fields::short(value)));
    };
    let loaded = || catalogue.model_types().join(", ");
    let model_type = match members.get("model_type") {
        None => {
            return one("union_tag_not_found", format!("`model_type` is required; loaded are: {}", loaded()));
        }
        Some(Value::String(name)) => name,
        Some(other) => {
            let found = fields::short(other);
            return one("union_tag_invalid", format!("`model_type` must be a string, got {found}"));
        }
    };
    let Ok(model) = catalogue.model(model_type) else {
        return one("union_tag_invalid", format!("no model type `{model_type}`; loaded are: {}", loaded()));
    };
    let config = model.config_schema().normalise(members, &format!("{location}.{model_type}"))?;
    Ok((model_type.clone(), config))
}

/// Reads the body of train.
pub(super) fn read_train(
    body: &Map<String, Value>,
    catalogue: &Catalogue,
    settings: &ForecastingSettings,
) -> Result<TrainRequest, Vec<FieldError>> {
    let mut fields = Fields::of(body);
    let store_id = fields.required("store_id", fields::strict_int(KEY.0, KEY.1));
    let product_id = fields.required("product_id", fields::strict_int(KEY.0, KEY.1));
    let start = fields.required("train_start_date", fields::date);
    let end = fields.required("train_end_date", fields::date);
    if let (Some(start), Some(end)) = (start, end)
        && end <= start
    {
        fields.refuse("train_end_date", format!("must be after train_start_date {start}, is {end}"));
    }
    let config = fields.nested("config", |value| read_config(value, "config", catalogue));
    let calibration = fields.nullable_nested("calibration", |value| read_calibration(value, settings));
    let request = (|| {
        let (model_type, config) = config?;
        Some(TrainRequest {
            window: SeriesWindow {
                store_id: i32::try_from(store_id?).ok()?,
                product_id: i32::try_from(product_id?).ok()?,
                start: Day::from_date(start?),
                end: Day::from_date(end?),
            },
            model_type,
            config,
            calibration,
        })
    })();
    fields.finish(request)
}

/// What to forecast.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes the body, which is read field by field")]
#[schema(example = json!({"store_id": 4, "product_id": 31, "horizon": 2, "model_path": "artifacts/models/model_5f0c2b9a71de.rcm"}))]
pub(super) struct PredictBody {
    /// The trained store.
    #[schema(minimum = 1)]
    store_id: i32,
    /// The trained product.
    #[schema(minimum = 1)]
    product_id: i32,
    /// Days, at most `forecast.max_horizon`.
    #[schema(minimum = 1, maximum = 90)]
    horizon: i32,
    /// As train answered it.
    model_path: String,
}

/// Reads the body of predict.
pub(super) fn read_predict(
    body: &Map<String, Value>,
    max_horizon: usize,
) -> Result<PredictRequest, Vec<FieldError>> {
    let mut fields = Fields::of(body);
    let store_id = fields.required("store_id", fields::strict_int(KEY.0, KEY.1));
    let product_id = fields.required("product_id", fields::strict_int(KEY.0, KEY.1));
    let horizon = fields.required("horizon", fields::strict_int(1, max_horizon as i64));
    let model_path = fields.required("model_path", fields::text(0, 4096));
    let request = (|| {
        Some(PredictRequest {
            store_id: i32::try_from(store_id?).ok()?,
            product_id: i32::try_from(product_id?).ok()?,
            horizon: usize::try_from(horizon?).ok()?,
            model_path: model_path?.to_owned(),
        })
    })();
    fields.finish(request)
}

/// A trained model.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"store_id": 4, "product_id": 31, "model_type": "seasonal_naive",
    "model_path": "artifacts/models/model_5f0c2b9a71de.rcm", "config_hash": "a9baf055e83a554f", "n_observations": 90,
    "train_start_date": "2025-01-01", "train_end_date": "2025-03-31", "duration_ms": 6.83, "missing_days": "zero",
    "calibration": {"horizon": 14, "errors_per_step": 60, "levels": [
        {"level": 80.0, "radii": [{"step": 1, "radius": 5.0}, {"step": 7, "radius": 5.0}, {"step": 14, "radius": 6.0}],
         "coverage": 0.79, "mean_width": 10.4},
        {"level": 95.0, "radii": [{"step": 1, "radius": 8.0}, {"step": 7, "radius": 9.0}, {"step": 14, "radius": 9.0}],
         "coverage": 0.94, "mean_width": 17.1}], "warning": null}}))]
pub(super) struct TrainResult {
    store_id: i32,
    product_id: i32,
    model_type: String,
    /// Hand it to predict unchanged.
    model_path: String,
    /// Schema hash of the configuration, 16 hex digits.
    config_hash: String,
    /// Values trained on.
    n_observations: usize,
    /// As requested.
    train_start_date: NaiveDate,
    /// As requested.
    train_end_date: NaiveDate,
    duration_ms: f64,
    /// How days without a row were taken: `zero`, `skip` or `error`.
    missing_days: &'static str,
    /// The prediction intervals, when they were asked for.
    #[schema(required)]
    calibration: Option<CalibrationResult>,
}

impl TrainResult {
    pub(super) fn new(request: &TrainRequest, trained: Trained, elapsed: Duration) -> Self {
        Self {
            store_id: request.window.store_id,
            product_id: request.window.product_id,
            model_type: request.model_type.clone(),
            model_path: trained.model_path,
            config_hash: trained.config_hash,
            n_observations: trained.n_observations,
            train_start_date: request.window.start.date(),
            train_end_date: request.window.end.date(),
            duration_ms: elapsed.as_secs_f64() * 1e3,
            missing_days: trained.missing_days.name(),
            calibration: trained.calibration.map(Into::into),
        }
    }
}

/// A forecast.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"store_id": 4, "product_id": 31, "forecasts": [
    {"date": "2025-04-01", "forecast": 14.0, "lower_bound": 9.0, "upper_bound": 19.0,
     "intervals": [{"level": 80.0, "lower": 9.0, "upper": 19.0}, {"level": 95.0, "lower": 6.0, "upper": 22.0}]},
    {"date": "2025-04-02", "forecast": 11.0, "lower_bound": 5.0, "upper_bound": 17.0,
     "intervals": [{"level": 80.0, "lower": 5.0, "upper": 17.0}, {"level": 95.0, "lower": 2.0, "upper": 20.0}]}],
    "model_type": "seasonal_naive", "config_hash": "a9baf055e83a554f", "horizon": 2, "duration_ms": 1.07,
    "missing_days": "zero", "assumed_inputs": [], "fallback": null, "other_plugin": null}))]
pub(super) struct PredictResult {
    store_id: i32,
    product_id: i32,
    /// Exactly `horizon` days, ascending, from the day after `train_end_date`.
    forecasts: Vec<ForecastPoint>,
    model_type: String,
    /// Schema hash of the model's configuration, 16 hex digits.
    config_hash: String,
    horizon: usize,
    duration_ms: f64,
    /// How days without a row were taken in training: `zero`, `skip` or `error`.
    missing_days: String,
    /// Feature columns that were filled by the assumption that nothing changes.
    assumed_inputs: Vec<&'static str>,
    /// The method that really answered, when the model says that it used another one.
    #[schema(required)]
    fallback: Option<String>,
    /// When the model was trained by another plugin than the one that is loaded now and forecasts: both. Train again to
    /// be sure.
    #[schema(required)]
    other_plugin: Option<OtherPluginResult>,
}

/// Which plugin trained a model and which one forecasts from it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OtherPluginResult {
    /// Version of the plugin that trained the model.
    trained_version: String,
    /// SHA-256 of its component, 64 hex digits.
    trained_sha256: String,
    /// Version of the plugin that is loaded.
    loaded_version: String,
    /// SHA-256 of its component.
    loaded_sha256: String,
}

impl From<OtherPlugin> for OtherPluginResult {
    fn from(other: OtherPlugin) -> Self {
        Self {
            trained_version: other.trained_by.version,
            trained_sha256: other.trained_by.sha256,
            loaded_version: other.loaded.version,
            loaded_sha256: other.loaded.sha256,
        }
    }
}

/// The forecast of one day.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ForecastPoint {
    date: NaiveDate,
    /// Units; neither rounded nor cut at zero.
    forecast: f64,
    /// Of the narrowest level that the model was calibrated for; else of the widest that it gives by itself; null for
    /// models without intervals.
    #[schema(required)]
    lower_bound: Option<f64>,
    /// See `lower_bound`.
    #[schema(required)]
    upper_bound: Option<f64>,
    /// Every level, narrowest first: those that the model was calibrated for, else those that it gives by itself.
    intervals: Vec<IntervalResult>,
}

impl PredictResult {
    pub(super) fn new(request: &PredictRequest, predicted: Predicted, elapsed: Duration) -> Self {
        let point = |point: super::predict::Point| ForecastPoint {
            date: point.day.date(),
            forecast: point.forecast,
            lower_bound: point.bounds.map(|(lower, _)| lower),
            upper_bound: point.bounds.map(|(_, upper)| upper),
            intervals: point.intervals.into_iter().map(Into::into).collect(),
        };
        Self {
            store_id: request.store_id,
            product_id: request.product_id,
            forecasts: predicted.points.into_iter().map(point).collect(),
            model_type: predicted.model_type,
            config_hash: predicted.config_hash,
            horizon: request.horizon,
            duration_ms: elapsed.as_secs_f64() * 1e3,
            missing_days: predicted.missing_days,
            assumed_inputs: predicted.assumed_inputs,
            fallback: predicted.fallback,
            other_plugin: predicted.other_plugin.map(Into::into),
        }
    }
}
