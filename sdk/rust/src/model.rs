//! The traits that a forecast model implements.

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Error, Forecasts, FutureData, TrainingData, state};

pub use crate::bindings::exports::retailcast::plugin::forecaster::{
    Feature, Input, Requirements, Scope, ShortLags,
};

/// What a plugin says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Info {
    /// Machine name, `[a-z][a-z0-9_]*`; of a forecast model the model type.
    pub name: &'static str,
    /// `major.minor.patch`; usually `env!("CARGO_PKG_VERSION")`.
    pub version: &'static str,
    /// SPDX expression, for example `Apache-2.0`.
    pub licence: &'static str,
    /// One sentence for people who choose among models.
    pub summary: &'static str,
}

impl Requirements {
    /// A local model that reads the series alone.
    pub fn series(min_history: u32) -> Self {
        Self { min_history, input: Input::Series, scope: Scope::Local, intervals: false, exogenous: false }
    }

    /// The same needs of one model across all series.
    #[must_use]
    pub fn across_series(self) -> Self {
        Self { scope: Scope::Global, ..self }
    }

    /// A local model that reads these feature columns.
    pub fn table(min_history: u32, features: Vec<Feature>, short_lags: ShortLags) -> Self {
        let exogenous = features
            .iter()
            .any(|f| matches!(f, Feature::PriceFactor | Feature::PromoActive | Feature::IsHoliday));
        let table = crate::bindings::exports::retailcast::plugin::forecaster::Table { features, short_lags };
        Self { min_history, input: Input::Table(table), scope: Scope::Local, intervals: false, exogenous }
    }
}

impl Feature {
    /// Whether the column holds codes that name something: who the series is.
    pub fn is_categorical(self) -> bool {
        matches!(self, Self::Store | Self::Product | Self::Category)
    }
}

/// The 14 columns of the forecasting contract (`forecasting.md`, "the 14-column frame"), in its order: lags of 1, 7, 14
/// and 28 rows, weekday, month, weekend, month end, price, promotion, holiday, age of the product.
pub fn retail_frame() -> Vec<Feature> {
    use Feature::{
        DaysSinceLaunch, DowCos, DowSin, IsHoliday, IsMonthEnd, IsWeekend, Lag, MonthCos, MonthSin,
        PriceFactor, PromoActive,
    };
    vec![
        Lag(1),
        Lag(7),
        Lag(14),
        Lag(28),
        DowSin,
        DowCos,
        MonthSin,
        MonthCos,
        IsWeekend,
        IsMonthEnd,
        PriceFactor,
        PromoActive,
        IsHoliday,
        DaysSinceLaunch,
    ]
}

/// A forecast model, the general case.
///
/// `Config` is the plugin's configuration: its JSON Schema is shown to clients, the order of its fields is the
/// order of hashing, and its serde defaults are filled in by the host before the plugin sees it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no forecast model",
    label = "does not implement `ForecastModel`",
    note = "implement `retailcast_sdk::ForecastModel` for it; a model of one series at a time implements `SeriesModel` and is exported as `SeriesModel`"
)]
pub trait ForecastModel: Sized + 'static {
    /// The configuration.
    type Config: DeserializeOwned + JsonSchema;
    /// Name, version, licence.
    const INFO: Info;
    /// Number of the format of the fitted state. Raise it when a new version of the plugin changes what its state
    /// consists of: states of another format are refused, those of the same format are read by every version.
    const STATE_FORMAT: u32 = 1;

    /// What the model needs under this configuration. Asked before any data is read.
    fn requirements(config: &Self::Config) -> Result<Requirements, Error>;
    /// Fits all series of `data`.
    fn fit(config: &Self::Config, data: &dyn TrainingData) -> Result<Self, Error>;
    /// Forecasts every series. Changes nothing.
    fn predict(&self, ahead: &dyn FutureData) -> Result<Forecasts, Error>;
    /// The fitted state; see [`state`] for a ready-made format.
    fn save(&self) -> Vec<u8>;
    /// Restores what [`ForecastModel::save`] wrote, refuses anything else.
    fn load(bytes: &[u8]) -> Result<Self, Error>;
}

/// How much of a series a [`SeriesModel`] reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tail {
    /// All values.
    All,
    /// Only this many of the newest: the rest is not copied into the plugin.
    Last(usize),
}

/// A model of one series at a time. The SDK does the panel, the state and the failures of single series.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no model of one series",
    label = "does not implement `SeriesModel`",
    note = "implement `retailcast_sdk::SeriesModel` for it; a model of whole panels implements `ForecastModel` and is exported as `ForecastModel`"
)]
pub trait SeriesModel: Sized + Serialize + DeserializeOwned + 'static {
    /// The configuration.
    type Config: DeserializeOwned + JsonSchema;
    /// Name, version, licence.
    const INFO: Info;
    /// Number of the format of the fitted state. Raise it when a new version of the plugin changes what its state
    /// consists of: states of another format are refused, those of the same format are read by every version.
    const STATE_FORMAT: u32 = 1;

    /// What the model needs under this configuration.
    fn requirements(config: &Self::Config) -> Result<Requirements, Error>;
    /// How much history [`SeriesModel::fit`] reads.
    fn reads(_config: &Self::Config) -> Tail {
        Tail::All
    }
    /// Fits one series: values oldest first, as many as [`SeriesModel::reads`] says or fewer.
    fn fit(config: &Self::Config, history: &[f64]) -> Result<Self, Error>;
    /// Forecasts the next `horizon` days.
    fn forecast(&self, horizon: usize) -> Result<Vec<f64>, Error>;
}

/// A [`SeriesModel`] fitted on every series of a panel.
pub struct EachSeries<M>(Vec<Result<M, Error>>);

impl<M: SeriesModel> ForecastModel for EachSeries<M> {
    type Config = M::Config;
    const INFO: Info = M::INFO;
    const STATE_FORMAT: u32 = M::STATE_FORMAT;

    fn requirements(config: &Self::Config) -> Result<Requirements, Error> {
        M::requirements(config)
    }

    fn fit(config: &Self::Config, data: &dyn TrainingData) -> Result<Self, Error> {
        let reads = M::reads(config);
        let fit_one = |series| match reads {
            Tail::All => M::fit(config, &data.target_of(series)),
            Tail::Last(count) => M::fit(config, &data.target_tail(series, count)),
        };
        if data.series_count() == 1 {
            return Ok(Self(vec![Ok(fit_one(0).map_err(|e| e.for_series(0))?)]));
        }
        Ok(Self((0..data.series_count()).map(fit_one).collect()))
    }

    fn predict(&self, ahead: &dyn FutureData) -> Result<Forecasts, Error> {
        ahead.expect_series(self.0.len())?;
        let mut forecasts = Forecasts::new(self.0.len(), ahead.horizon());
        for fitted in &self.0 {
            forecasts.push(match fitted {
                Ok(model) => model.forecast(ahead.horizon()),
                Err(e) => Err(e.clone()),
            });
        }
        Ok(forecasts)
    }

    fn save(&self) -> Vec<u8> {
        state::encode::<Self>(&self.0)
    }

    fn load(bytes: &[u8]) -> Result<Self, Error> {
        state::decode::<Self, _>(bytes).map(Self)
    }
}
