//! Training of one series, and what everything that runs models needs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{SecondsFormat, Utc};
use retailcast_core::config_schema::NormalisedConfig;
use retailcast_core::frame::{Feature, tail};
use retailcast_core::{Day, MissingDays};
use retailcast_runtime::{
    Call, CancelToken, Catalogue, ComputePool, ForecastModel, Input, Lane, Phase, PluginError, Requirements,
    Scope,
};
use sqlx::PgPool;

use super::calibration::{Calibrated, CalibrationRequest};
use super::error::{ForecastError, plugin_error};
use super::panel::{self, History};
use super::series::SeriesWindow;
use crate::artifacts::{Bundle, Metadata, ModelStore, PluginStamp, Runtime};
use crate::compute;

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

    /// Sets how long a request may take.
    pub fn allow(&mut self, deadline: Duration) {
        self.settings.deadline = deadline;
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
        let Prepared { model, requirements, history, call } = self.prepare(&request, request_id).await?;
        let found = history.series.len();
        let wanted = request.calibration.as_ref();
        let trial =
            wanted.map(|wanted| wanted.trial(&request.model_type, &requirements, found)).transpose()?;
        let settings = self.settings;
        let lane = Lane::plugin(&model.description().name);
        let (bytes, trained) = compute::run(&self.compute, &lane, &call.clone(), move || {
            let mut bundle = fit(&*model, &request, &requirements.input, &history, settings, &call)?;
            let calibrated = trial
                .map(|trial| trial.run(&*model, &request.config, &requirements.input, &history, &call))
                .transpose()?;
            bundle.calibration = calibrated.as_ref().map(Calibrated::to_keep);
            if call.cancel.is_cancelled() {
                return Err(plugin_error(&request.model_type, PluginError::Cancelled { phase: Phase::Save }));
            }
            let trained = Trained {
                model_path: String::new(),
                config_hash: bundle.config_hash.clone(),
                n_observations: found,
                missing_days: settings.missing_days,
                calibration: calibrated,
            };
            Ok((bundle.encode()?, trained))
        })
        .await??;
        Ok(Trained { model_path: self.models.write(bytes).await?, ..trained })
    }

    /// The same without a file and without intervals. No rows are too few rows here.
    pub(super) async fn fit(&self, request: TrainRequest, request_id: &str) -> Result<Bundle, ForecastError> {
        let prepared = match self.prepare(&request, request_id).await {
            Err(ForecastError::NoRows(window)) => {
                let (model, call) = (self.model(&request.model_type)?, self.call(request_id, window.end));
                let needed = self.requirements(&model, &request.config, &call).await?.min_history;
                return Err(ForecastError::TooFewRows { model_type: request.model_type, needed, found: 0 });
            }
            prepared => prepared?,
        };
        let Prepared { model, requirements, history, call } = prepared;
        let settings = self.settings;
        let lane = Lane::plugin(&model.description().name);
        compute::run(&self.compute, &lane, &call.clone(), move || {
            fit(&*model, &request, &requirements.input, &history, settings, &call)
        })
        .await?
    }

    /// Everything that a fit needs, after the checks that come before it.
    async fn prepare(&self, request: &TrainRequest, request_id: &str) -> Result<Prepared, ForecastError> {
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
                model_type: request.model_type.clone(),
                needed: requirements.min_history,
                found,
            });
        }
        Ok(Prepared { model, requirements, history, call })
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
        let lane = Lane::plugin(&model.description().name);
        compute::run(&self.compute, &lane, call, move || asked.session(&asking)?.requirements(&config))
            .await?
            .map_err(|error| plugin_error(&model.description().name, error))
    }
}

/// What a fit needs.
struct Prepared {
    model: Arc<dyn ForecastModel>,
    requirements: Requirements,
    history: History,
    call: Call,
}

/// What a plugin sees as the present: the forecast origin, so that the same data gives the same forecast on any day.
/// Origins before 1970 have no time of their own.
pub fn present(origin: Day) -> Duration {
    Duration::from_hours(24) * u32::try_from(origin.0).unwrap_or(0)
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
    let data = Arc::new(panel::training_set(input, &[history], &call.cancel).map_err(fail)?);
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
        train_end_date: Some(request.window.end.to_string()),
        n_observations: series.len(),
        feature_columns: features.map(|features| features.iter().map(Feature::name).collect()),
        history_tail: tail.map(<[f64]>::to_vec),
        history_tail_dates: tail
            .map(|tail| series.days[series.len() - tail.len()..].iter().map(Day::to_string).collect()),
        launch_date: features.map(|_| history.exogenous.statics.launch.map(|day| day.to_string())),
    }
}
