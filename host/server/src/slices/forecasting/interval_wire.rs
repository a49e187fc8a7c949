//! JSON shapes of calibration and prediction intervals.

use retailcast_core::config_schema::FieldError;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::calibration::{Calibrated, CalibratedLevel, CalibrationRequest};
use super::predict::Interval;
use super::service::ForecastingSettings;
use crate::http::Number;
use crate::http::fields::{self, Fields};

/// Levels where none are given, in percent.
const LEVELS: [f64; 2] = [80.0, 95.0];
/// Most levels.
const MOST_LEVELS: usize = 5;
/// Windows where none are given.
const N_WINDOWS: i64 = 60;
/// Most windows: a year, so that every season of it counts once.
const MOST_WINDOWS: i64 = 365;

/// Which prediction intervals to train with the model.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes the body, which is read field by field")]
#[schema(example = json!({"levels": [80, 95], "horizon": 14, "n_windows": 60}))]
pub(super) struct CalibrationBody {
    /// How often the intervals are to hold what comes, in percent; all different.
    #[schema(required = false, default = json!([80.0, 95.0]), min_items = 1, max_items = 5, minimum = 1, maximum = 99.9)]
    levels: Vec<f64>,
    /// Steps ahead that get a radius of their own, at most `forecast.max_horizon`; `forecast.default_horizon` when absent.
    #[schema(required = false, default = 14, minimum = 1, maximum = 90)]
    horizon: u32,
    /// Past windows to measure errors on, the newest, one a row; a short history gives fewer, and a model that reads
    /// feature columns is fitted at 20 of them at most.
    #[schema(required = false, default = 60, minimum = 1, maximum = 365)]
    n_windows: u32,
}

/// Reads `calibration` of the body of train.
pub(super) fn read_calibration(
    value: &Value,
    settings: &ForecastingSettings,
) -> Result<CalibrationRequest, Vec<FieldError>> {
    let mut fields = Fields::inside("calibration", value)?;
    let levels = fields.optional_nested("levels", read_levels).unwrap_or_else(|| LEVELS.to_vec());
    let horizon = fields.optional("horizon", fields::lax_int(1, settings.max_horizon as i64));
    let n_windows = fields.optional("n_windows", fields::lax_int(1, MOST_WINDOWS)).unwrap_or(N_WINDOWS);
    fields.forbid_others(&["levels", "horizon", "n_windows"]);
    fields.finish(Some(CalibrationRequest {
        levels,
        horizon: horizon.map_or(settings.default_horizon, |horizon| horizon as usize),
        n_windows: n_windows as usize,
    }))
}

/// Different levels, in ascending order.
fn read_levels(value: &Value) -> Result<Vec<f64>, Vec<FieldError>> {
    let refuse = |field: &str, (kind, message): fields::Refusal| FieldError::new(field, kind, message);
    let items =
        fields::list(1, MOST_LEVELS)(value).map_err(|refusal| vec![refuse("calibration.levels", refusal)])?;
    let (mut levels, mut errors) = (Vec::with_capacity(items.len()), Vec::new());
    for (i, item) in items.iter().enumerate() {
        let field = format!("calibration.levels.{i}");
        match fields::lax_number(1.0, 99.9)(item) {
            Ok(level) if levels.contains(&level) => {
                errors.push(refuse(
                    &field,
                    ("value_error", format!("must differ from the others, {level} stands before")),
                ));
            }
            Ok(level) => levels.push(level),
            Err(refusal) => errors.push(refuse(&field, refusal)),
        }
    }
    levels.sort_unstable_by(f64::total_cmp);
    if errors.is_empty() { Ok(levels) } else { Err(errors) }
}

/// The prediction intervals that were trained with a model.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CalibrationResult {
    /// Steps ahead that have a radius of their own; later ones have that of the last.
    horizon: usize,
    /// Past errors per step that the radii rest on: one per window.
    errors_per_step: usize,
    /// Level by level, narrowest first.
    levels: Vec<LevelResult>,
    /// Levels that need more errors than there are, and what would give them.
    #[schema(required)]
    warning: Option<String>,
}

/// The intervals of one level.
#[derive(Debug, Serialize, ToSchema)]
struct LevelResult {
    /// In percent.
    level: f64,
    /// How far they reach around the forecast of steps 1, 7, 14 and the last, as far as there are.
    radii: Vec<RadiusResult>,
    /// Share of past days that the intervals held at origins that were left out of them, between 0 and 1; null when the
    /// origins are too few or too near each other to leave some out.
    #[schema(required)]
    coverage: Number,
    /// Mean width of those intervals, in units.
    #[schema(required)]
    mean_width: Number,
}

/// Half the width of an interval, before it is cut at zero.
#[derive(Debug, Serialize, ToSchema)]
struct RadiusResult {
    /// From 1.
    step: usize,
    /// Units.
    radius: f64,
}

impl From<Calibrated> for CalibrationResult {
    fn from(calibrated: Calibrated) -> Self {
        Self {
            horizon: calibrated.horizon,
            errors_per_step: calibrated.errors_per_step,
            levels: calibrated.levels.iter().map(LevelResult::new).collect(),
            warning: calibrated.warning,
        }
    }
}

impl LevelResult {
    fn new(level: &CalibratedLevel) -> Self {
        let last = level.radii.len();
        let told = |step: &usize| [1, 7, 14, last].contains(step);
        let radius = |step: usize| RadiusResult { step, radius: level.radii[step - 1] };
        Self {
            level: level.level,
            radii: (1..=last).filter(told).map(radius).collect(),
            coverage: level.held_out.share().into(),
            mean_width: level.held_out.mean_width().into(),
        }
    }
}

/// A prediction interval of one day.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct IntervalResult {
    /// How often it is to hold what comes, in percent.
    level: f64,
    /// Units; never negative unless the forecast is.
    lower: f64,
    /// Units.
    upper: f64,
}

impl From<Interval> for IntervalResult {
    fn from(Interval { level, lower, upper }: Interval) -> Self {
        Self { level, lower, upper }
    }
}
