//! Training and forecasting of one series.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{SecondsFormat, Utc};
use retailcast_core::config_schema::NormalisedConfig;
use retailcast_core::frame::{Exogenous, Feature, tail};
use retailcast_core::{Day, MissingDays, SeriesError};
use retailcast_runtime::{
    Call, CancelToken, Catalogue, ComputePool, Description, ForecastModel, Forecasts, Input, Phase,
    PluginError, Requirements, Scope,
};
use sqlx::PgPool;

use super::calibration::{self, Calibrated, CalibrationRequest};
use super::panel::{self, Ahead, History};
use super::series::{LONGEST_WINDOW, SeriesWindow};
use super::store::Pair;
use crate::artifacts::{
    Bundle, BundleError, Calibration, Metadata, ModelStore, PluginStamp, ResolveError, Runtime,
};
use crate::compute::{self, ComputeError};

/// What training and forecasting need to know of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForecastingSettings {
    /// Handed to every model.
    pub random_seed: u64,
    /// Whether the model type `lightgbm` is on.
    pub enable_lightgbm: bool,
    /// What a day without a row means.
    pub missing_days: MissingDays,
    /// Threads of a LightGBM across series, at least 1.
    pub boosting_threads: usize,
    /// Longest horizon, in days.
    pub max_horizon: usize,
    /// The horizon where none is given, in days.
    pub default_horizon: usize,
    /// Longest a request may take.
    pub deadline: Duration,
}

/// The models, the data, and where both meet.
#[derive(Debug, Clone)]
pub struct Forecasting {
    pub(super) pool: PgPool,
    pub(super) catalogue: Arc<Catalogue>,
    pub(super) compute: Arc<ComputePool>,
    pub(super) models: ModelStore,
    pub(super) settings: ForecastingSettings,
}

/// What to train.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainRequest {
    /// The training data; its last day is the forecast origin.
    pub window: SeriesWindow,
    /// Model type.
    pub model_type: String,
    /// Its configuration.
    pub config: NormalisedConfig,
    /// Prediction intervals, if wanted.
    pub calibration: Option<CalibrationRequest>,
}

/// A trained model.
#[derive(Debug, Clone, PartialEq)]
pub struct Trained {
    /// Where it is kept.
    pub model_path: String,
    /// Schema hash of the configuration.
    pub config_hash: String,
    /// Values trained on.
    pub n_observations: usize,
    /// How days without a row were taken.
    pub missing_days: MissingDays,
    /// Its prediction intervals, if they were wanted.
    pub calibration: Option<Calibrated>,
}

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

/// Why nothing was trained or forecast.
#[derive(Debug, thiserror::Error)]
pub enum ForecastError {
    /// The operator switched the model off.
    #[error(
        "model type `lightgbm` is disabled; `forecast.enable_lightgbm = true` (forecast_enable_lightgbm) enables it"
    )]
    Disabled,
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
    /// The file cannot be read or written.
    #[error("cannot {what} the model file")]
    File {
        /// `read` or `write`.
        what: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// The plugin that trained the model is not loaded any more.
    #[error("the model was trained by plugin {name} {version}, which is not loaded: {reason}")]
    PluginGone {
        /// Its name.
        name: String,
        /// Its version.
        version: String,
        /// What the catalogue says.
        reason: String,
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

/// The one model type whose gate the contract names.
const LIGHTGBM: &str = "lightgbm";

impl Forecasting {
    /// Puts the parts together.
    pub fn new(
        pool: PgPool,
        catalogue: Arc<Catalogue>,
        compute: Arc<ComputePool>,
        models: ModelStore,
        settings: ForecastingSettings,
    ) -> Self {
        Self { pool, catalogue, compute, models, settings }
    }

    /// The loaded plugins.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// What it was set up with.
    pub fn settings(&self) -> &ForecastingSettings {
        &self.settings
    }

    /// Trains a model and keeps it as a file.
    pub async fn train(&self, request: TrainRequest, request_id: &str) -> Result<Trained, ForecastError> {
        self.check_enabled(&request.model_type)?;
        let model = self.model(&request.model_type)?;
        let call = self.call(request_id, request.window.end);
        let requirements = self.requirements(&model, &request.config, &call).await?;
        let call = Call { threads: self.boosting_threads(&requirements), ..call };
        let with_exogenous = matches!(requirements.input, Input::Table { .. });
        let history = self.history(request.window, with_exogenous).await?;
        let found = history.series.len();
        if found < requirements.min_history {
            return Err(ForecastError::TooFewRows {
                model_type: request.model_type,
                needed: requirements.min_history,
                found,
            });
        }
        let wanted = request.calibration.as_ref();
        let trial =
            wanted.map(|wanted| wanted.trial(&request.model_type, &requirements, found)).transpose()?;
        let (models, settings) = (self.models.clone(), self.settings);
        compute::run(&self.compute, &call.clone(), move || {
            let mut bundle = fit(&*model, &request, &requirements.input, &history, settings, &call)?;
            let calibrated = trial
                .map(|trial| trial.run(&*model, &request.config, &requirements.input, &history, &call))
                .transpose()?;
            bundle.calibration = calibrated.as_ref().map(Calibrated::to_keep);
            if call.cancel.is_cancelled() {
                return Err(plugin_error(&request.model_type, PluginError::Cancelled { phase: Phase::Save }));
            }
            let model_path =
                models.write(&bundle).map_err(|source| ForecastError::File { what: "write", source })?;
            Ok(Trained {
                model_path,
                config_hash: bundle.config_hash,
                n_observations: found,
                missing_days: settings.missing_days,
                calibration: calibrated,
            })
        })
        .await?
    }

    /// Whether the operator allows the model type.
    pub fn check_enabled(&self, model_type: &str) -> Result<(), ForecastError> {
        if model_type == LIGHTGBM && !self.settings.enable_lightgbm {
            return Err(ForecastError::Disabled);
        }
        Ok(())
    }

    /// A loaded model.
    pub fn model(&self, model_type: &str) -> Result<Arc<dyn ForecastModel>, ForecastError> {
        self.catalogue.model(model_type).map_err(|error| plugin_error(model_type, error))
    }

    /// What a request brings along to a plugin, with the deadline of this moment.
    pub fn call(&self, request_id: &str, origin: Day) -> Call {
        Call {
            id: request_id.to_owned(),
            deadline: Some(Instant::now() + self.settings.deadline),
            cancel: CancelToken::default(),
            seed: self.settings.random_seed,
            now: present(origin),
            ..Call::default()
        }
    }

    /// Threads for LightGBM: local fits run side by side on the compute threads, a global one runs alone.
    pub(super) fn boosting_threads(&self, requirements: &Requirements) -> usize {
        match requirements.scope {
            Scope::Local => 1,
            Scope::Global => self.settings.boosting_threads,
        }
    }

    /// What a model needs under a configuration.
    pub async fn requirements(
        &self,
        model: &Arc<dyn ForecastModel>,
        config: &NormalisedConfig,
        call: &Call,
    ) -> Result<Requirements, ForecastError> {
        let (asked, config, asking) = (Arc::clone(model), config.json(), call.clone());
        compute::run(&self.compute, call, move || asked.session(&asking)?.requirements(&config))
            .await?
            .map_err(|error| plugin_error(&model.description().name, error))
    }

    /// Forecasts from a model file.
    pub async fn predict(
        &self,
        request: PredictRequest,
        request_id: &str,
    ) -> Result<Predicted, ForecastError> {
        let bundle = self.read(&request.model_path).await?;
        check_series(&bundle, &request)?;
        let name = &bundle.plugin.name;
        let model = self.catalogue.model(name).map_err(|e| ForecastError::PluginGone {
            name: name.clone(),
            version: bundle.plugin.version.clone(),
            reason: e.to_string(),
        })?;
        note_other_makers(&bundle, model.description());
        let origin: Day = bundle
            .metadata
            .train_end_date
            .parse()
            .map_err(|e| BundleError::Damaged(format!("its train_end_date: {e}")))?;
        let (known, assumed) = self.known_ahead(&bundle, &request, origin).await?;
        let call = self.call(request_id, origin);
        compute::run(&self.compute, &call.clone(), move || {
            forecast(&*model, &bundle, &known, origin + 1, request.horizon, assumed, &call)
        })
        .await?
    }

    async fn read(&self, model_path: &str) -> Result<Bundle, ForecastError> {
        let (models, model_path) = (self.models.clone(), model_path.to_owned());
        let failed = |source| ForecastError::File { what: "read", source };
        let read = tokio::task::spawn_blocking(move || {
            let bytes = std::fs::read(models.resolve(&model_path)?).map_err(failed)?;
            Ok(Bundle::decode(&bytes)?)
        });
        read.await.map_err(|e| failed(std::io::Error::other(e)))?
    }

    /// For feature models: what is known of the days to come, and which columns rest on an assumption.
    async fn known_ahead(
        &self,
        bundle: &Bundle,
        request: &PredictRequest,
        origin: Day,
    ) -> Result<(Exogenous, Vec<&'static str>), ForecastError> {
        let Some(columns) = &bundle.metadata.feature_columns else {
            return Ok((Exogenous::default(), Vec::new()));
        };
        let pair = Pair { store_id: request.store_id, product_id: request.product_id };
        let (mut known, days) = self.exogenous(pair, origin + 1, origin + request.horizon as i32).await?;
        // The launch that the model was trained with, even when the product's was changed since.
        known.statics.launch = match bundle.metadata.launch_date.clone().flatten() {
            Some(text) => {
                Some(text.parse().map_err(|e| BundleError::Damaged(format!("its launch_date: {e}")))?)
            }
            None => None,
        };
        let mut assumed = vec!["price_factor", "promo_active"];
        if days < request.horizon {
            assumed.push("is_holiday");
        }
        assumed.retain(|column| columns.iter().any(|read| read == column));
        Ok((known, assumed))
    }
}

/// What a plugin sees as the present: the forecast origin, so that the same data gives the same forecast on any day.
/// Origins before 1970 have no time of their own.
pub fn present(origin: Day) -> Duration {
    Duration::from_hours(24) * u32::try_from(origin.0).unwrap_or(0)
}

/// A plugin's failure, with the model's name.
pub fn plugin_error(model_type: &str, error: PluginError) -> ForecastError {
    ForecastError::Plugin { model_type: model_type.to_owned(), error }
}

fn fit(
    model: &dyn ForecastModel,
    request: &TrainRequest,
    input: &Input,
    history: &History,
    settings: ForecastingSettings,
    call: &Call,
) -> Result<Bundle, ForecastError> {
    let fail = |error| plugin_error(&request.model_type, error);
    let mut session = model.session(call).map_err(fail)?;
    let data = Arc::new(panel::training_set(input, std::slice::from_ref(history)));
    let fitted = session.fit(&request.config.json(), data).map_err(fail)?;
    let state = session.save(fitted).map_err(fail)?;
    let description = model.description();
    let mut bundle = Bundle {
        plugin: PluginStamp {
            name: description.name.clone(),
            version: description.version.clone(),
            digest: description.digest.to_string(),
            contract: description.contract.to_owned(),
        },
        config: request.config.full.clone(),
        config_hash: request.config.hash(),
        metadata: metadata(request, input, history),
        missing_days: settings.missing_days.to_string(),
        random_state: settings.random_seed,
        created_at: Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true),
        runtime: Runtime {
            program: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        },
        bundle_hash: String::new(),
        calibration: None,
        state,
    };
    bundle.bundle_hash = bundle.content_hash();
    Ok(bundle)
}

fn metadata(request: &TrainRequest, input: &Input, history: &History) -> Metadata {
    let series = &history.series;
    let features: Option<&Vec<Feature>> = match input {
        Input::Series => None,
        Input::Table { features, .. } => Some(features),
    };
    let tail = features.map(|features| tail(features, &series.quantity));
    Metadata {
        store_id: request.window.store_id,
        product_id: request.window.product_id,
        train_start_date: request.window.start.to_string(),
        train_end_date: request.window.end.to_string(),
        n_observations: series.len(),
        feature_columns: features.map(|features| features.iter().map(Feature::name).collect()),
        history_tail: tail.map(<[f64]>::to_vec),
        history_tail_dates: tail
            .map(|tail| series.days[series.len() - tail.len()..].iter().map(Day::to_string).collect()),
        launch_date: features.map(|_| history.exogenous.statics.launch.map(|day| day.to_string())),
    }
}

/// A model made by another version is used, and the log says so.
fn note_other_makers(bundle: &Bundle, loaded: &Description) {
    let program = env!("CARGO_PKG_VERSION");
    if bundle.plugin.digest != loaded.digest.to_string() || bundle.runtime.version != program {
        tracing::info!(
            plugin = bundle.plugin.name,
            trained_by = bundle.plugin.version,
            loaded = loaded.version,
            trained_in = bundle.runtime.version,
            "the model file was made by another version"
        );
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
    let fail = |error| plugin_error(&bundle.plugin.name, error);
    let own: serde_json::Map<_, _> = bundle.config.clone().into_iter().skip(2).collect();
    let mut session = model.session(call).map_err(fail)?;
    let fitted = session.load(&bundle.state).map_err(fail)?;
    let input = match bundle.metadata.history_tail {
        None => Input::Series,
        Some(_) => session.requirements(&serde_json::Value::Object(own).to_string()).map_err(fail)?.input,
    };
    let ahead = match (&input, &bundle.metadata.history_tail) {
        (Input::Table { features, .. }, Some(tail)) => {
            Ahead::unchanged(features, tail, start, horizon, known)
        }
        _ => Ahead::bare(start),
    };
    let mut forecasts = panel::predict(&mut *session, fitted, &input, &[ahead], horizon).map_err(fail)?;
    if let Some(failure) = forecasts.failures.drain(..).next() {
        return Err(fail(PluginError::Guest(failure)));
    }
    let points =
        (0..horizon).map(|step| point(start, step, &forecasts, bundle.calibration.as_ref())).collect();
    Ok(Predicted {
        model_type: bundle.plugin.name.clone(),
        config_hash: bundle.config_hash.clone(),
        missing_days: bundle.missing_days.clone(),
        assumed_inputs,
        points,
        fallback: forecasts.fallbacks.into_iter().next().map(|(_, method)| method),
    })
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
