//! Runs a backtest of a selection.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use retailcast_core::backtest::{Window, WindowConfig, windows};
use retailcast_core::config_schema::NormalisedConfig;
use retailcast_core::{Day, MissingDays};
use retailcast_runtime::{Call, Lane};

use super::super::service::{Backtesting, random_id};
use super::scores::ModelScores;
use super::truth::Truth;
use crate::compute::{self, ComputeError};
use crate::slices::forecasting::error::ForecastError;
use crate::slices::forecasting::portfolio::{
    Origin, Outcome, Plan, Portfolio, PortfolioRun, Selection, SeriesForecast,
};

/// What to backtest.
#[derive(Debug, Clone, PartialEq)]
pub struct PortfolioOrder {
    /// Which series.
    pub selection: Selection,
    /// Which models.
    pub models: Vec<Entry>,
    /// How the calendar is cut.
    pub windows: WindowConfig,
    /// Last day of the last window; none: the last day with any sale.
    pub end: Option<Day>,
    /// Levels of prediction intervals whose coverage is measured, between 0 and 1.
    pub levels: Vec<f64>,
    /// Whether the forecasts are kept for export.
    pub keep_forecasts: bool,
}

/// A model in the contest.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// What it is called in the leaderboard: type and what differs from the defaults, as the command line takes it.
    pub label: String,
    /// Model type.
    pub model_type: String,
    /// Its configuration.
    pub config: NormalisedConfig,
}

/// A backtest of a selection.
#[derive(Debug, Clone)]
pub struct PortfolioBacktest {
    /// 16 hex digits, random.
    pub id: String,
    /// The series, by store code and SKU.
    pub portfolio: Arc<Portfolio>,
    /// The test windows, in order of time.
    pub windows: Vec<Window>,
    /// How days without a row were taken.
    pub missing_days: MissingDays,
    /// The models, best WAPE first; those without any forecast last.
    pub models: Vec<Scored>,
    /// What was sold, per series and window.
    pub(super) truths: Arc<Vec<Truth>>,
}

/// What models are to forecast, and what was really sold.
#[derive(Debug, Clone)]
pub struct Contest {
    /// The series, by store code and SKU.
    pub portfolio: Arc<Portfolio>,
    /// The test windows, in order of time.
    pub windows: Vec<Window>,
    missing_days: MissingDays,
    truths: Arc<Vec<Truth>>,
}

/// A model and how good it was.
#[derive(Debug, Clone)]
pub struct Scored {
    /// The model.
    pub entry: Entry,
    /// How good it was.
    pub scores: ModelScores,
    /// Its forecasts per series and window, when they are kept.
    pub(super) outcomes: Option<Vec<Vec<Outcome>>>,
}

/// How far a backtest has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// The model that is at work.
    pub label: String,
    /// Series that it has done.
    pub done: usize,
    /// Of so many.
    pub series: usize,
    /// Of those done, the ones without a forecast in some window.
    pub incomplete: usize,
}

/// Why there is no backtest.
#[derive(Debug, thiserror::Error)]
pub enum PortfolioError {
    /// Nothing fits the selection.
    #[error("no series with sales is selected")]
    NothingSelected,
    /// More forecasts than the operator allows.
    #[error(
        "{series} series x {models} models x {windows} windows x {horizon} days are {} forecasts, the limit is {most}; select fewer, or raise `backtest.max_portfolio_points` (backtest_max_portfolio_points)",
        series * models * windows * horizon
    )]
    TooMuch {
        /// Series selected.
        series: usize,
        /// Models.
        models: usize,
        /// Windows.
        windows: usize,
        /// Days per window.
        horizon: usize,
        /// Forecasts allowed.
        most: usize,
    },
    /// No model has a single forecast.
    #[error("no model could forecast any series in any window; the first reason: {0}")]
    NothingForecast(String),
    /// A model, its data or the machine failed.
    #[error(transparent)]
    Forecast(#[from] ForecastError),
}

impl From<ComputeError> for PortfolioError {
    fn from(error: ComputeError) -> Self {
        Self::Forecast(error.into())
    }
}

/// Most series whose truth is worked out at a time.
const TRUTH_BATCH: usize = 2_000;

impl Backtesting {
    /// Loads the selection and runs all models on it. A series that a model cannot forecast does not stop the others.
    /// When the caller goes away, the work stops.
    pub async fn portfolio(
        &self,
        order: PortfolioOrder,
        progress: impl Fn(Progress),
    ) -> Result<PortfolioBacktest, PortfolioError> {
        let portfolio = Arc::new(self.forecasting.load_portfolio(&order.selection, order.end).await?);
        self.portfolio_in_memory(portfolio, order, progress).await
    }

    /// The same with a selection that is loaded already.
    pub async fn portfolio_in_memory(
        &self,
        portfolio: Arc<Portfolio>,
        order: PortfolioOrder,
        progress: impl Fn(Progress),
    ) -> Result<PortfolioBacktest, PortfolioError> {
        let contest = self.contest(portfolio, &order).await?;
        let mut models = Vec::with_capacity(order.models.len());
        for entry in &order.models {
            let (outcomes, elapsed) = self
                .outcomes(&contest.portfolio, entry, &contest.windows, order.windows.horizon, &progress)
                .await?;
            models.push(self.score(&contest, &order, entry, outcomes, elapsed).await?);
        }
        contest.rank(models)
    }

    /// What models are to forecast, and what was really sold.
    pub async fn contest(
        &self,
        portfolio: Arc<Portfolio>,
        order: &PortfolioOrder,
    ) -> Result<Contest, PortfolioError> {
        let end = order.end.or(portfolio.last_day).ok_or(PortfolioError::NothingSelected)?;
        self.check_order(portfolio.series.len(), order)?;
        let windows = windows(end, &order.windows);
        let missing_days = self.forecasting.settings().missing_days;
        let truths = Arc::new(self.truths(&portfolio, &windows, missing_days).await?);
        Ok(Contest { portfolio, windows, missing_days, truths })
    }

    /// Whether an order on this many series is allowed.
    pub fn check_order(&self, series: usize, order: &PortfolioOrder) -> Result<(), PortfolioError> {
        if series == 0 {
            return Err(PortfolioError::NothingSelected);
        }
        self.check_size(series, order)?;
        for entry in &order.models {
            self.forecasting.check_enabled(&entry.model_type)?;
        }
        Ok(())
    }

    /// Holds what a model gave, per series and window, against what was sold.
    pub async fn score(
        &self,
        contest: &Contest,
        order: &PortfolioOrder,
        entry: &Entry,
        outcomes: Vec<Vec<Outcome>>,
        elapsed: Duration,
    ) -> Result<Scored, PortfolioError> {
        let (all, truth) = (Arc::clone(&contest.portfolio), Arc::clone(&contest.truths));
        let levels = order.levels.clone();
        let (outcomes, scores) = compute::run(&self.compute, &Lane::host(), &Call::default(), move || {
            let scores = ModelScores::of(&all, &truth, &outcomes, &levels, elapsed);
            (outcomes, scores)
        })
        .await?;
        Ok(Scored { entry: entry.clone(), scores, outcomes: order.keep_forecasts.then_some(outcomes) })
    }

    fn check_size(&self, series: usize, order: &PortfolioOrder) -> Result<(), PortfolioError> {
        let most = self.settings.max_portfolio_points;
        let WindowConfig { n_windows, horizon, .. } = order.windows;
        let models = order.models.len();
        if series * models * n_windows * horizon > most {
            return Err(PortfolioError::TooMuch { series, models, windows: n_windows, horizon, most });
        }
        Ok(())
    }

    async fn truths(
        &self,
        portfolio: &Arc<Portfolio>,
        cut: &[Window],
        policy: MissingDays,
    ) -> Result<Vec<Truth>, PortfolioError> {
        // A few batches per thread, so that all threads end at about the same time.
        let size = portfolio.series.len().div_ceil(self.compute.threads() * 4).clamp(1, TRUTH_BATCH);
        let batches = (0..portfolio.series.len()).step_by(size).map(|from| {
            let (portfolio, cut) = (Arc::clone(portfolio), cut.to_vec());
            let work = move || {
                let to = (from + size).min(portfolio.series.len());
                let series = &portfolio.series[from..to];
                series.iter().map(|series| Truth::of(series, &cut, policy)).collect::<Vec<Truth>>()
            };
            async move { compute::run(&self.compute, &Lane::host(), &Call::default(), work).await }
        });
        let mut batches = futures::stream::iter(batches).buffered(self.compute.threads() + 1);
        let mut truths = Vec::with_capacity(portfolio.series.len());
        while let Some(batch) = batches.next().await {
            truths.extend(batch?);
        }
        Ok(truths)
    }

    /// What a model gives, per series and window, and how long it takes.
    pub async fn outcomes(
        &self,
        portfolio: &Arc<Portfolio>,
        entry: &Entry,
        cut: &[Window],
        horizon: usize,
        progress: &impl Fn(Progress),
    ) -> Result<(Vec<Vec<Outcome>>, Duration), PortfolioError> {
        let run = PortfolioRun {
            model_type: entry.model_type.clone(),
            config: entry.config.clone(),
            origins: cut.iter().map(|w| Origin { train_start: w.train_start, day: w.origin }).collect(),
            horizon,
            plan: Plan::Recorded,
        };
        let started = Instant::now();
        let mut at =
            Progress { label: entry.label.clone(), done: 0, series: portfolio.series.len(), incomplete: 0 };
        progress(at.clone());
        let mut outcomes: Vec<Vec<Outcome>> = vec![Vec::new(); portfolio.series.len()];
        self.forecasting
            .run_portfolio(portfolio, &run, |range, found| {
                at.done += range.len();
                at.incomplete += found.iter().filter(|windows| windows.iter().any(Result::is_err)).count();
                for (slot, found) in outcomes[range].iter_mut().zip(found) {
                    *slot = found;
                }
                progress(at.clone());
            })
            .await?;
        Ok((outcomes, started.elapsed()))
    }
}

impl Contest {
    /// The ranking of these models.
    pub fn rank(self, mut models: Vec<Scored>) -> Result<PortfolioBacktest, PortfolioError> {
        if models.iter().all(|model| model.scores.overall.is_empty()) {
            let mut reasons = models.iter().flat_map(|model| &model.scores.series);
            let reason = reasons.find_map(|series| series.reason.clone());
            return Err(PortfolioError::NothingForecast(
                reason.unwrap_or_else(|| "the windows have no recorded day".to_owned()),
            ));
        }
        models.sort_by(|a, b| {
            let wape = |model: &Scored| model.scores.overall.metrics().wape;
            wape(a).total_cmp(&wape(b)).then_with(|| a.entry.label.cmp(&b.entry.label))
        });
        let Self { portfolio, windows, missing_days, truths } = self;
        Ok(PortfolioBacktest { id: random_id(), portfolio, windows, missing_days, models, truths })
    }
}

impl PortfolioBacktest {
    /// Every forecast that was kept: model, series, window, forecast, what was sold.
    pub(super) fn each_forecast<'a>(
        &'a self,
        mut each: impl FnMut(&'a Scored, usize, &'a Window, &'a SeriesForecast, &'a [f64]),
    ) {
        for model in &self.models {
            for (series, outcomes) in model.outcomes.iter().flatten().enumerate() {
                for ((window, outcome), truth) in
                    self.windows.iter().zip(outcomes).zip(&self.truths[series].windows)
                {
                    if let Ok(forecast) = outcome {
                        each(model, series, window, forecast, &truth.actual);
                    }
                }
            }
        }
    }
}
