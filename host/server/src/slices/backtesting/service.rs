//! Backtests of one model on one series.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Instant;

use retailcast_core::backtest::{Fold, SplitConfig, SplitError, find_leak, rows_for_all_splits, split};
use retailcast_core::config_schema::NormalisedConfig;
use retailcast_core::{MissingDays, Series};
use retailcast_runtime::{Call, Catalogue, ComputePool, Lane};
use serde_json::json;

use super::folds::{Candidate, Failure, ModelResult};
use crate::compute::{self, ComputeError};
use crate::slices::forecasting::error::{ForecastError, plugin_error};
use crate::slices::forecasting::panel::History;
use crate::slices::forecasting::service::{Forecasting, present};
use crate::slices::forecasting::{SeriesWindow, read_config};

/// What backtests need to know of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BacktestSettings {
    /// Most folds.
    pub max_splits: usize,
    /// First training window below which a warning is logged, in rows.
    pub default_min_train_size: usize,
    /// Longest gap, in rows.
    pub max_gap: usize,
    /// Most forecasts of a portfolio backtest: series x models x windows x days.
    pub max_portfolio_points: usize,
}

/// Cross-validation on top of what trains and forecasts.
#[derive(Debug, Clone)]
pub struct Backtesting {
    pub(super) forecasting: Forecasting,
    pub(super) compute: Arc<ComputePool>,
    pub(super) settings: BacktestSettings,
}

/// What to backtest.
#[derive(Debug, Clone, PartialEq)]
pub struct BacktestRequest {
    /// The data.
    pub window: SeriesWindow,
    /// How it is cut.
    pub split: SplitConfig,
    /// Model type.
    pub model_type: String,
    /// Its configuration.
    pub config: NormalisedConfig,
    /// Whether [`BASELINES`] run too.
    pub include_baselines: bool,
}

/// A backtest.
#[derive(Debug, Clone, PartialEq)]
pub struct Backtest {
    /// 16 hex digits, random.
    pub id: String,
    /// The data that it ran on.
    pub series: Series,
    /// How days without a row were taken.
    pub missing_days: MissingDays,
    /// Training and test rows, the same for all models.
    pub folds: Vec<Fold>,
    /// Whether no fold trains on what it is tested with. False shows a defect of this program.
    pub leakage_check_passed: bool,
    /// The model.
    pub main: ModelResult,
    /// The baselines that could run, in the order of [`BASELINES`]; none when they were not wanted.
    pub baselines: Option<Vec<ModelResult>>,
}

/// Why there is no backtest.
#[derive(Debug, thiserror::Error)]
pub enum BacktestError {
    /// More folds than the operator allows.
    #[error(
        "n_splits {wanted} is above the limit of {most}; `backtest.max_splits` (backtest_max_splits) raises it"
    )]
    TooManySplits {
        /// Folds wanted.
        wanted: usize,
        /// Folds allowed.
        most: usize,
    },
    /// A longer gap than the operator allows.
    #[error("gap {wanted} is above the limit of {most}; `backtest.max_gap` (backtest_max_gap) raises it")]
    GapTooLong {
        /// Rows wanted.
        wanted: usize,
        /// Rows allowed.
        most: usize,
    },
    /// The first training window is shorter than the model needs.
    #[error("{}", short_training(model_type, *needed, split))]
    ShortTraining {
        /// The model.
        model_type: String,
        /// Rows that it needs.
        needed: usize,
        /// What was wanted.
        split: SplitConfig,
    },
    /// The series is too short.
    #[error("{0}")]
    Split(#[from] SplitError),
    /// The model failed on a fold.
    #[error("fold {index}: {error}")]
    Fold {
        /// Which, from 0.
        index: usize,
        /// How. Boxed: it is the largest of the reasons.
        error: Box<ForecastError>,
    },
    /// The model, its data or the machine failed.
    #[error(transparent)]
    Forecast(#[from] ForecastError),
}

impl From<ComputeError> for BacktestError {
    fn from(error: ComputeError) -> Self {
        Self::Forecast(error.into())
    }
}

fn short_training(model_type: &str, needed: usize, split: &SplitConfig) -> String {
    let enough = SplitConfig { min_train_size: needed, ..*split };
    let one = SplitConfig { n_splits: 1, ..enough };
    format!(
        "{model_type} needs at least {needed} rows of training with this configuration, min_train_size is {}; it \
         would fit with min_train_size {needed}, and then one fold needs {} rows of history, all {} splits {}",
        split.min_train_size,
        rows_for_all_splits(&one),
        split.n_splits,
        rows_for_all_splits(&enough),
    )
}

/// What every model is compared with: repeat the last value, repeat the last week.
pub const BASELINES: [&str; 2] = ["naive", "seasonal_naive"];

/// Days of a season of the seasonal baseline.
const BASELINE_SEASON: usize = 7;

impl Backtesting {
    /// Puts the parts together.
    pub fn new(forecasting: Forecasting, compute: Arc<ComputePool>, settings: BacktestSettings) -> Self {
        Self { forecasting, compute, settings }
    }

    /// The loaded plugins.
    pub fn catalogue(&self) -> &Catalogue {
        self.forecasting.catalogue()
    }

    /// Runs a model on all folds of a series, and the baselines on the same. When the caller goes away, the work stops.
    pub async fn run(&self, request: BacktestRequest, request_id: &str) -> Result<Backtest, BacktestError> {
        self.run_told(request, request_id, |_, _| {}).await
    }

    /// The same; `progress` hears after every fold of every model how many are done, and of how many.
    pub async fn run_told(
        &self,
        request: BacktestRequest,
        request_id: &str,
        progress: impl Fn(usize, usize) + Send + 'static,
    ) -> Result<Backtest, BacktestError> {
        self.check_limits(&request.split)?;
        self.forecasting.check_enabled(&request.model_type)?;
        let call = self.forecasting.call(request_id, request.window.start);
        let BacktestRequest { window, split: wanted, model_type, config, include_baselines } = request;
        let main = self.candidate(&model_type, config, &wanted, &call).await?;
        let baselines = if include_baselines { Some(self.baselines(&wanted, &call).await?) } else { None };
        let with_exogenous = baselines.iter().flatten().chain([&main]).any(Candidate::feature_aware);
        let history = self.forecasting.history(window, with_exogenous).await?;
        let folds = split(history.series.len(), &wanted)?;
        let leak = find_leak(&folds, &history.series.days, wanted.gap);
        if let Some(leak) = leak {
            tracing::error!(%leak, "the folds of a backtest leak: this is a defect of the program");
        }
        let missing_days = self.forecasting.settings().missing_days;
        // One instance runs all folds of a model: its present is that of the first, so that none sees days to come.
        // There is a first: a series too short for it was refused.
        let origin = history.series.days[folds[0].train.end - 1];
        let call = Call { now: present(origin), ..call };
        let lane = Lane::plugin(&main.model_type);
        compute::run(&self.compute, &lane, &call.clone(), move || {
            let models = 1 + baselines.as_deref().map_or(0, <[_]>::len);
            let (done, all) = (Cell::new(0), models * folds.len());
            let each = || {
                done.set(done.get() + 1);
                progress(done.get(), all);
            };
            let (main, baselines) = run_all(&main, baselines.as_deref(), &history, &folds, &call, &each)?;
            Ok(Backtest {
                id: random_id(),
                series: history.series,
                missing_days,
                folds,
                leakage_check_passed: leak.is_none(),
                main,
                baselines,
            })
        })
        .await?
    }

    fn check_limits(&self, split: &SplitConfig) -> Result<(), BacktestError> {
        let settings = &self.settings;
        if split.n_splits > settings.max_splits {
            return Err(BacktestError::TooManySplits { wanted: split.n_splits, most: settings.max_splits });
        }
        if split.gap > settings.max_gap {
            return Err(BacktestError::GapTooLong { wanted: split.gap, most: settings.max_gap });
        }
        if split.min_train_size < settings.default_min_train_size {
            tracing::warn!(
                min_train_size = split.min_train_size,
                usual = settings.default_min_train_size,
                "a backtest trains on few rows"
            );
        }
        Ok(())
    }

    /// A model that can run on the shortest training window.
    async fn candidate(
        &self,
        model_type: &str,
        config: NormalisedConfig,
        split: &SplitConfig,
        call: &Call,
    ) -> Result<Candidate, BacktestError> {
        let model = self.forecasting.model(model_type)?;
        let requirements = self.forecasting.requirements(&model, &config, call).await?;
        let needed = requirements.min_history;
        if split.min_train_size < needed {
            return Err(BacktestError::ShortTraining {
                model_type: model_type.to_owned(),
                needed,
                split: *split,
            });
        }
        Ok(Candidate { model_type: model_type.to_owned(), config, model, requirements })
    }

    /// The baselines that can run.
    async fn baselines(&self, split: &SplitConfig, call: &Call) -> Result<Vec<Candidate>, BacktestError> {
        let mut ready = Vec::new();
        for name in BASELINES {
            let wanted = match name {
                "seasonal_naive" => json!({"model_type": name, "season_length": BASELINE_SEASON}),
                _ => json!({"model_type": name}),
            };
            match read_config(&wanted, "baseline", self.forecasting.catalogue()) {
                Ok((model_type, config)) => match self.candidate(&model_type, config, split, call).await {
                    Ok(candidate) => ready.push(candidate),
                    Err(error) if concerns_all(&error, call) => return Err(error),
                    Err(error) => left_out(name, &error),
                },
                Err(errors) => {
                    let reasons: Vec<&str> = errors.iter().map(|error| error.message.as_str()).collect();
                    left_out(name, &reasons.join("; "));
                }
            }
        }
        Ok(ready)
    }
}

/// The model, then the baselines; `each` hears of every fold that is done. One that fails is left out, unless the reason concerns the whole request.
fn run_all(
    main: &Candidate,
    baselines: Option<&[Candidate]>,
    history: &History,
    folds: &[Fold],
    call: &Call,
    each: &dyn Fn(),
) -> Result<(ModelResult, Option<Vec<ModelResult>>), BacktestError> {
    let run = |candidate: &Candidate| {
        candidate.run(history, folds, call, each).map_err(|Failure { fold, error }| {
            let error = plugin_error(&candidate.model_type, error);
            match fold {
                Some(index) => BacktestError::Fold { index, error: Box::new(error) },
                None => BacktestError::Forecast(error),
            }
        })
    };
    let result = run(main)?;
    let Some(baselines) = baselines else { return Ok((result, None)) };
    let mut results = Vec::with_capacity(baselines.len());
    for baseline in baselines {
        match run(baseline) {
            Ok(result) => results.push(result),
            Err(error) if concerns_all(&error, call) => return Err(error),
            Err(error) => left_out(&baseline.model_type, &error),
        }
    }
    Ok((result, Some(results)))
}

/// Whether a baseline failed for a reason that is not its own: nobody waits any more, the time is over, or the machine
/// is busy. Leaving it out would make the answer depend on the load.
fn concerns_all(error: &BacktestError, call: &Call) -> bool {
    call.cancel.is_cancelled()
        || call.deadline.is_some_and(|deadline| Instant::now() >= deadline)
        || matches!(error, BacktestError::Forecast(ForecastError::Compute(_)))
}

fn left_out(baseline: &str, reason: &dyn std::fmt::Display) {
    tracing::warn!(baseline, %reason, "a baseline cannot run and is left out of the backtest");
}

/// 16 hex digits.
pub(super) fn random_id() -> String {
    let mut id = uuid::Uuid::new_v4().simple().to_string();
    id.truncate(16);
    id
}
