//! Forecasts from a model file.

use std::sync::Arc;

use chrono::Utc;
use retailcast_core::frame::{Exogenous, Feature};
use retailcast_core::{Day, MissingDays};
use retailcast_runtime::{
    Call, Description, FittedId, ForecastModel, ForecastSession, Forecasts, Input, Lane, PluginError,
};
use serde_json::{Map, Value};

use super::error::{ForecastError, plugin_error};
use super::panel::{self, Ahead};
use super::service::Forecasting;
use super::store::Pair;
use crate::artifacts::{Bundle, BundleError, Calibration, Metadata, ResolveError, is_run_id};
use crate::compute;

/// What to forecast.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PredictRequest {
    /// The series that the model was trained on.
    pub store_id: i32,
    /// The series that the model was trained on.
    pub product_id: i32,
    /// Days.
    pub horizon: usize,
    /// The model file, as training named it.
    pub model_path: String,
}

/// A forecast.
#[derive(Debug, Clone, PartialEq)]
pub struct Predicted {
    /// Model type.
    pub model_type: String,
    /// Schema hash of the model's configuration.
    pub config_hash: String,
    /// How days without a row were taken in training.
    pub missing_days: String,
    /// Columns that were filled by the assumption that nothing changes.
    pub assumed_inputs: Vec<&'static str>,
    /// One per day.
    pub points: Vec<Point>,
    /// The method that really answered, when the model says that it used another one.
    pub fallback: Option<String>,
    /// The plugins, when not the one that trained the model forecasts.
    pub other_plugin: Option<OtherPlugin>,
}

/// A model file says which plugin trained it; the one that is loaded now is another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherPlugin {
    /// The one that trained the model.
    pub trained_by: PluginId,
    /// The one that is loaded.
    pub loaded: PluginId,
}

/// One exact plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginId {
    /// `major.minor.patch`.
    pub version: String,
    /// SHA-256 of its component.
    pub sha256: String,
}

impl std::fmt::Display for PluginId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (SHA-256 {})", self.version, self.sha256)
    }
}

impl OtherPlugin {
    fn of(bundle: &Bundle, loaded: &Description) -> Option<Self> {
        let trained_by =
            PluginId { version: bundle.plugin.version.clone(), sha256: bundle.plugin.digest.clone() };
        let loaded = PluginId { version: loaded.version.clone(), sha256: loaded.digest.to_string() };
        (trained_by.sha256 != loaded.sha256).then_some(Self { trained_by, loaded })
    }
}

/// The forecast of one day.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// The day.
    pub day: Day,
    /// Units.
    pub forecast: f64,
    /// The interval of a model without more words: of a calibrated one the narrowest, of the model's own the widest.
    pub bounds: Option<(f64, f64)>,
    /// All intervals, narrowest first.
    pub intervals: Vec<Interval>,
}

/// A prediction interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// How often it is to hold what comes, in percent.
    pub level: f64,
    /// Units.
    pub lower: f64,
    /// Units.
    pub upper: f64,
}

impl Forecasting {
    /// Forecasts from a model file.
    pub async fn predict(
        &self,
        request: PredictRequest,
        request_id: &str,
    ) -> Result<Predicted, ForecastError> {
        let bundle = self.models.read(&request.model_path).await?;
        check_series(&bundle, &request)?;
        self.forecast_from(bundle, request.horizon, request_id).await
    }

    /// Forecasts from the model file of a training, for the series that it was trained on: store, product, forecast.
    pub async fn predict_run(
        &self,
        run_id: &str,
        horizon: usize,
        request_id: &str,
    ) -> Result<(i32, i32, Predicted), ForecastError> {
        let bundle = self.models.read(&self.models.path_of_run(run_id)).await?;
        let (store_id, product_id) = (bundle.metadata.store_id, bundle.metadata.product_id);
        Ok((store_id, product_id, self.forecast_from(bundle, horizon, request_id).await?))
    }

    /// The bytes of a model file, which is decoded once to see that it is whole.
    pub async fn model_file(&self, model_path: &str) -> Result<Vec<u8>, ForecastError> {
        Ok(self.models.read_file(model_path).await?)
    }

    /// The bytes of the model file of a training, if it is still there.
    pub async fn kept_file(&self, run_id: &str) -> Result<Option<Vec<u8>>, ForecastError> {
        match self.model_file(&self.models.path_of_run(run_id)).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(ForecastError::Path(_)) => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// What a training kept, if its model file is still there.
    pub async fn trained(&self, run_id: &str) -> Result<Option<Bundle>, ForecastError> {
        if !is_run_id(run_id) {
            return Ok(None);
        }
        match self.models.read(&self.models.path_of_run(run_id)).await.map_err(ForecastError::from) {
            Ok(bundle) => Ok(Some(bundle)),
            Err(ForecastError::Path(ResolveError::Missing(_))) => Ok(None),
            Err(e) => Err(e),
        }
    }

    async fn forecast_from(
        &self,
        bundle: Bundle,
        horizon: usize,
        request_id: &str,
    ) -> Result<Predicted, ForecastError> {
        let model = self.model_of(&bundle)?;
        let other_plugin = OtherPlugin::of(&bundle, model.description());
        let origin = origin(&bundle)?;
        let (known, assumed) = self.known_ahead(&bundle, horizon, origin).await?;
        let call = self.call(request_id, origin);
        let lane = Lane::plugin(&bundle.plugin.name);
        let forecast = compute::run(&self.compute, &lane, &call.clone(), move || {
            forecast(&*model, &bundle, &known, origin + 1, horizon, assumed, &call)
        })
        .await?;
        match (forecast, other_plugin) {
            (Ok(predicted), other_plugin) => Ok(Predicted { other_plugin, ..predicted }),
            (Err(source), Some(other)) if source.is_of_a_plugin() => {
                Err(ForecastError::OtherPlugin { other, source: Box::new(source) })
            }
            (Err(source), _) => Err(source),
        }
    }

    /// The plugin that trained a model, or what took its place.
    pub(super) fn model_of(&self, bundle: &Bundle) -> Result<Arc<dyn ForecastModel>, ForecastError> {
        let name = &bundle.plugin.name;
        let model = self.catalogue.model(name).map_err(|e| ForecastError::PluginGone {
            name: name.clone(),
            trained_by: PluginId {
                version: bundle.plugin.version.clone(),
                sha256: bundle.plugin.digest.clone(),
            },
            reason: e.to_string(),
        })?;
        note_other_makers(bundle, OtherPlugin::of(bundle, model.description()).as_ref());
        Ok(model)
    }

    /// For feature models: what is known of the days to come, and which columns rest on an assumption.
    pub(super) async fn known_ahead(
        &self,
        bundle: &Bundle,
        horizon: usize,
        origin: Day,
    ) -> Result<(Exogenous, Vec<&'static str>), ForecastError> {
        let Some(columns) = &bundle.metadata.feature_columns else {
            return Ok((Exogenous::default(), Vec::new()));
        };
        let pair = Pair { store_id: bundle.metadata.store_id, product_id: bundle.metadata.product_id };
        let (mut known, days) = self.exogenous(pair, origin + 1, origin + horizon as i32).await?;
        // The launch that the model was trained with, even when the product's was changed since.
        known.statics.launch = launch(bundle)?;
        let mut assumed = vec!["price_factor", "promo_active"];
        if days < horizon {
            assumed.push("is_holiday");
        }
        assumed.retain(|column| columns.iter().any(|read| read == column));
        Ok((known, assumed))
    }
}

/// A model made by another plugin or program is used, and the log says so. Whether its state still fits is for the
/// plugin to say.
fn note_other_makers(bundle: &Bundle, other: Option<&OtherPlugin>) {
    let plugin = &bundle.plugin.name;
    if let Some(OtherPlugin { trained_by, loaded }) = other {
        tracing::warn!(plugin, %trained_by, %loaded, "another plugin forecasts than trained the model");
    }
    if bundle.runtime.version != env!("CARGO_PKG_VERSION") {
        let trained_in = &bundle.runtime.version;
        tracing::info!(plugin, trained_in, "the model file was made by another version of the program");
    }
}

fn check_series(bundle: &Bundle, request: &PredictRequest) -> Result<(), ForecastError> {
    for (what, trained, asked) in [
        ("store_id", bundle.metadata.store_id, request.store_id),
        ("product_id", bundle.metadata.product_id, request.product_id),
    ] {
        if trained != asked {
            return Err(ForecastError::OtherSeries { what, trained, asked });
        }
    }
    Ok(())
}

fn forecast(
    model: &dyn ForecastModel,
    bundle: &Bundle,
    known: &Exogenous,
    start: Day,
    horizon: usize,
    assumed_inputs: Vec<&'static str>,
    call: &Call,
) -> Result<Predicted, ForecastError> {
    let mut loaded = LoadedModel::open(model, bundle, call)?;
    let ahead = loaded.unchanged(bundle, start, horizon, known);
    let (points, fallback) = loaded.forecast(bundle, ahead, horizon)?;
    Ok(Predicted {
        model_type: bundle.plugin.name.clone(),
        config_hash: bundle.config_hash.clone(),
        missing_days: bundle.missing_days.clone(),
        assumed_inputs,
        points,
        fallback,
        other_plugin: None,
    })
}

/// The last day that the model knows; today (UTC) when its file does not say.
pub(super) fn origin(bundle: &Bundle) -> Result<Day, BundleError> {
    match &bundle.metadata.train_end_date {
        Some(date) => date.parse().map_err(|e| BundleError::Damaged(format!("its train_end_date: {e}"))),
        None => Ok(Day::from_date(Utc::now().date_naive())),
    }
}

/// How days without a row were taken in training.
pub fn missing_days(bundle: &Bundle) -> Result<MissingDays, BundleError> {
    bundle.missing_days.parse().map_err(|e| BundleError::Damaged(format!("its missing_days: {e}")))
}

/// The launch that the model was trained with.
pub(super) fn launch(bundle: &Bundle) -> Result<Option<Day>, BundleError> {
    let date = bundle.metadata.launch_date.clone().flatten();
    date.map(|text| text.parse().map_err(|e| BundleError::Damaged(format!("its launch_date: {e}"))))
        .transpose()
}

/// The configuration of a model as its plugin knows it: without the two members that are the host's.
pub(super) fn own_config(bundle: &Bundle) -> String {
    let own: Map<String, Value> = bundle.config.clone().into_iter().skip(2).collect();
    Value::Object(own).to_string()
}

/// What a model reads, with the columns that its file names, in that order.
fn stored_input(needed: Input, metadata: &Metadata) -> Result<Input, BundleError> {
    let Input::Table { short_lags, .. } = needed else { return Ok(Input::Series) };
    let columns = metadata.feature_columns.as_ref().ok_or(BundleError::Incomplete("feature_columns"))?;
    if metadata.history_tail.is_none() {
        return Err(BundleError::Incomplete("history_tail"));
    }
    Ok(Input::Table { features: columns.iter().map(|name| Feature::named(name)).collect(), short_lags })
}

/// A model file in an instance of its plugin.
pub(super) struct LoadedModel {
    session: Box<dyn ForecastSession>,
    fitted: FittedId,
    /// What the model reads.
    pub(super) input: Input,
}

impl LoadedModel {
    /// Loads it.
    pub(super) fn open(
        model: &dyn ForecastModel,
        bundle: &Bundle,
        call: &Call,
    ) -> Result<Self, ForecastError> {
        let fail = |error| plugin_error(&bundle.plugin.name, error);
        let mut session = model.session(call).map_err(fail)?;
        let needs = session.requirements(&own_config(bundle)).map_err(fail)?;
        let input = stored_input(needs.input, &bundle.metadata)?;
        let fitted = session.load(&bundle.state).map_err(fail)?;
        Ok(Self { session, fitted, input })
    }

    /// The days to come when nothing changes.
    pub(super) fn unchanged(&self, bundle: &Bundle, start: Day, horizon: usize, known: &Exogenous) -> Ahead {
        match (&self.input, &bundle.metadata.history_tail) {
            (Input::Table { features, .. }, Some(tail)) => {
                Ahead::unchanged(features, tail, start, horizon, known)
            }
            _ => Ahead::bare(start),
        }
    }

    /// The forecast of one series, and the method that really answered when it was another one.
    pub(super) fn forecast(
        &mut self,
        bundle: &Bundle,
        ahead: Ahead,
        horizon: usize,
    ) -> Result<(Vec<Point>, Option<String>), ForecastError> {
        let fail = |error| plugin_error(&bundle.plugin.name, error);
        let start = ahead.start;
        let mut forecasts =
            panel::predict(&mut *self.session, self.fitted, &self.input, &[ahead], horizon).map_err(fail)?;
        if let Some(failure) = forecasts.failures.drain(..).next() {
            return Err(fail(PluginError::Guest(failure)));
        }
        let points =
            (0..horizon).map(|step| point(start, step, &forecasts, bundle.calibration.as_ref())).collect();
        Ok((points, forecasts.fallbacks.into_iter().next().map(|(_, method)| method)))
    }
}

/// One step of the forecasts of one series. Intervals of the calibration come before the model's own.
fn point(start: Day, step: usize, forecasts: &Forecasts, calibration: Option<&Calibration>) -> Point {
    let forecast = forecasts.points[step];
    let own = |(i, level): (usize, &f64)| {
        let at = i * forecasts.horizon + step;
        Interval { level: percent(*level), lower: forecasts.lower[at], upper: forecasts.upper[at] }
    };
    let intervals: Vec<Interval> = match calibration {
        Some(calibration) => calibration
            .intervals(step, forecast)
            .map(|(level, lower, upper)| Interval { level, lower, upper })
            .collect(),
        None => forecasts.levels.iter().enumerate().map(own).collect(),
    };
    let told = if calibration.is_some() { intervals.first() } else { intervals.last() };
    let bounds = told.map(|interval| (interval.lower, interval.upper));
    Point { day: start + step as i32, forecast, bounds, intervals }
}

/// 0.58 as 58, though 100 times the one is not quite the other.
fn percent(share: f64) -> f64 {
    (share * 1e8).round() / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_own_intervals() -> Forecasts {
        Forecasts {
            horizon: 2,
            points: vec![5.0, 6.0],
            levels: vec![0.58, 0.95],
            lower: vec![4.0, 4.5, 3.0, 3.5],
            upper: vec![6.0, 7.0, 8.0, 9.0],
            ..Forecasts::default()
        }
    }

    #[test]
    fn a_model_s_own_intervals_are_told_when_it_was_not_calibrated() {
        let found = point(Day(10), 1, &with_own_intervals(), None);
        let interval = |level, lower, upper| Interval { level, lower, upper };
        assert_eq!((found.day, found.forecast.to_bits()), (Day(11), 6.0_f64.to_bits()));
        assert_eq!(found.intervals, [interval(58.0, 4.5, 7.0), interval(95.0, 3.5, 9.0)]);
        assert_eq!(found.bounds, Some((3.5, 9.0)));
    }

    #[test]
    fn calibrated_intervals_come_before_a_model_s_own() {
        let calibration =
            Calibration { levels: vec![50.0, 90.0], radii: vec![vec![1.0], vec![9.0]], errors_per_step: 9 };
        let found = point(Day(10), 1, &with_own_intervals(), Some(&calibration));
        let interval = |level, lower, upper| Interval { level, lower, upper };
        assert_eq!(found.intervals, [interval(50.0, 5.0, 7.0), interval(90.0, 0.0, 15.0)]);
        assert_eq!(found.bounds, Some((5.0, 7.0)));
    }

    #[test]
    fn without_any_there_are_none() {
        let bare = Forecasts { horizon: 1, points: vec![5.0], ..Forecasts::default() };
        let found = point(Day(10), 0, &bare, None);
        assert_eq!((found.bounds, found.intervals), (None, Vec::new()));
    }
}
