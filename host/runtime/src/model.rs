//! The forecast-model kind as the rest of the program sees it: traits and plain data, no WebAssembly.

use std::sync::Arc;

use retailcast_core::config_schema::ModelConfigSchema;
use retailcast_core::frame::Feature;

use crate::{Call, Description, GuestError, PluginError};

/// How lags whose source lies after the origin are met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShortLags {
    /// They are NaN; one call predicts all steps.
    Direct,
    /// Predictions are fed back; one call per step.
    Recursive,
}

/// What a model reads.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// The target series alone.
    Series,
    /// Feature columns.
    Table {
        /// The columns, in order.
        features: Vec<Feature>,
        /// How short lags are met.
        short_lags: ShortLags,
    },
}

/// What a fit covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Every series for itself.
    Local,
    /// One model across all series.
    Global,
}

/// What a model needs under one configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Requirements {
    /// Least number of rows per series.
    pub min_history: usize,
    /// What it reads.
    pub input: Input,
    /// What a fit covers.
    pub scope: Scope,
    /// Whether it gives intervals.
    pub intervals: bool,
    /// Whether known future inputs change its forecasts.
    pub exogenous: bool,
}

/// Feature columns, column after column.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FeatureTable {
    /// Names of the columns.
    pub names: Vec<String>,
    /// Rows per column.
    pub rows: usize,
    /// `names.len() * rows` numbers; NaN is missing.
    pub values: Vec<f64>,
}

impl FeatureTable {
    /// One column; `None` when there is no such column.
    pub fn column(&self, index: usize) -> Option<&[f64]> {
        (index < self.names.len()).then(|| &self.values[index * self.rows..(index + 1) * self.rows])
    }
}

/// The history that a model is fitted on; layout as in `wit/v0.1/forecast.wit`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TrainingSet {
    /// `n + 1` row offsets.
    pub offsets: Vec<u32>,
    /// Day of every row, as days since 1970-01-01.
    pub days: Vec<i32>,
    /// Units sold on every row.
    pub target: Vec<f64>,
    /// Feature columns over all rows; empty for models that read the series alone.
    pub features: FeatureTable,
}

impl TrainingSet {
    /// A panel of one series.
    pub fn one(days: Vec<i32>, target: Vec<f64>, features: FeatureTable) -> Self {
        Self { offsets: vec![0, target.len() as u32], days, target, features }
    }

    /// Number of series.
    pub fn series_count(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// Rows of one series; `None` when there is no such series.
    pub fn rows(&self, series: usize) -> Option<std::ops::Range<usize>> {
        Some(*self.offsets.get(series)? as usize..*self.offsets.get(series + 1)? as usize)
    }
}

/// The days to forecast.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FutureSet {
    /// First day to forecast of every series.
    pub starts: Vec<i32>,
    /// Days to forecast.
    pub horizon: usize,
    /// Feature columns, `series * horizon + step`.
    pub features: FeatureTable,
}

/// Forecasts of n series and h steps, checked against the contract: right lengths, finite points except for the
/// failed series (whose points and bounds are NaN), ordered and nested intervals.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Forecasts {
    /// Steps per series.
    pub horizon: usize,
    /// `series * horizon + step`.
    pub points: Vec<f64>,
    /// Interval levels, ascending.
    pub levels: Vec<f64>,
    /// `(level * n + series) * horizon + step`.
    pub lower: Vec<f64>,
    /// The same layout.
    pub upper: Vec<f64>,
    /// Series without a forecast.
    pub failures: Vec<GuestError>,
    /// Series answered by another method, with its name.
    pub fallbacks: Vec<(u32, String)>,
}

impl Forecasts {
    /// Points of one series; NaN throughout when it failed.
    pub fn series(&self, series: usize) -> &[f64] {
        &self.points[series * self.horizon..(series + 1) * self.horizon]
    }
}

/// A loaded forecast model.
pub trait ForecastModel: Send + Sync {
    /// What it says of itself.
    fn description(&self) -> &Description;
    /// Asks a fresh instance for its description again: it must not have changed.
    fn describe(&self, call: &Call) -> Result<Description, PluginError>;
    /// The schema of its configuration, compiled.
    fn config_schema(&self) -> &ModelConfigSchema;
    /// A fresh instance for one request.
    fn session(&self, call: &Call) -> Result<Box<dyn ForecastSession>, PluginError>;
}

/// A fitted model inside a session: its number there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FittedId(pub usize);

/// One instance of a model, for one request. After an error other than a refusal by the plugin it is over.
pub trait ForecastSession: Send {
    /// What the model needs under this configuration (JSON). Once asked, forecasts of a model that was fitted under the
    /// same configuration, or loaded, must keep the promise about intervals.
    fn requirements(&mut self, config: &str) -> Result<Requirements, PluginError>;
    /// Fits all series.
    fn fit(&mut self, config: &str, data: Arc<TrainingSet>) -> Result<FittedId, PluginError>;
    /// Restores a fitted model.
    fn load(&mut self, state: &[u8]) -> Result<FittedId, PluginError>;
    /// The fitted state as bytes.
    fn save(&mut self, fitted: FittedId) -> Result<Vec<u8>, PluginError>;
    /// Forecasts.
    fn predict(&mut self, fitted: FittedId, ahead: Arc<FutureSet>) -> Result<Forecasts, PluginError>;
    /// Lets go of a fitted model, so that a session may fit many without growing.
    fn release(&mut self, fitted: FittedId) -> Result<(), PluginError>;
    /// Most memory that the instance used, in bytes.
    fn peak_memory(&self) -> usize;
}
