//! The answer of `POST /backtesting/portfolio`.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::NaiveDate;
use retailcast_core::Day;
use retailcast_core::backtest::{HorizonBucket, Tally, Window};
use serde::Serialize;
use utoipa::ToSchema;

use super::PortfolioBacktest;
use super::scores::SeriesScore;
use super::service::Scored;
use crate::http::number::Number;

/// A backtest of a selection. Models stand in the order of the leaderboard everywhere.
#[derive(Debug, Serialize, ToSchema)]
pub struct PortfolioResult {
    /// 16 hex digits, random; not retrievable later.
    backtest_id: String,
    /// How days without a row were taken: `zero`, `skip` or `error`.
    missing_days: &'static str,
    /// The test windows.
    windows: Vec<WindowBody>,
    /// Series selected.
    series_count: usize,
    /// All series together, best WAPE first; models without any forecast last.
    leaderboard: Vec<Row>,
    /// Stores by code.
    by_store: Vec<Group>,
    /// Categories by name; products without one are left out.
    by_category: Vec<Group>,
    /// By days ahead: `h_1_7`, `h_8_14`, `h_15_28`, `h_29_plus`; those beyond the horizon are absent.
    by_horizon: Vec<Group>,
    /// Every series, by store code and SKU; null when not wanted.
    series: Option<Vec<SeriesBody>>,
    /// Milliseconds, rounded to 2 decimals.
    duration_ms: f64,
}

/// A test window.
#[derive(Debug, Serialize, ToSchema)]
struct WindowBody {
    /// From 0, in order of time.
    index: usize,
    /// First day that models may learn from; null: all there are.
    train_start: Option<NaiveDate>,
    /// Last day that they learn from.
    train_end: NaiveDate,
    /// First test day.
    test_start: NaiveDate,
    /// Last test day.
    test_end: NaiveDate,
}

/// Errors over all days of a group together. Null where not defined.
#[derive(Debug, Serialize, ToSchema)]
struct Errors {
    /// Mean absolute error, in units.
    mae: Number,
    /// Root mean squared error, in units.
    rmse: Number,
    /// 0 to 200.
    smape: Number,
    /// 100 x sum of absolute errors / sum of sales.
    wape: Number,
    /// Mean of actual less forecast: positive when forecasts are too low.
    bias: Number,
    /// Mean over series and windows of the error relative to the in-sample error of the seasonal naive forecast.
    mase: Number,
    /// The same of squared errors.
    rmsse: Number,
}

impl Errors {
    fn of(tally: &Tally) -> Self {
        let metrics = tally.metrics();
        Self {
            mae: metrics.mae.into(),
            rmse: metrics.rmse.into(),
            smape: metrics.smape.into(),
            wape: metrics.wape.into(),
            bias: metrics.bias.into(),
            mase: tally.mase().into(),
            rmsse: tally.rmsse().into(),
        }
    }
}

/// A model on the leaderboard.
#[derive(Debug, Serialize, ToSchema)]
struct Row {
    /// From 1.
    rank: usize,
    /// Model type and what was set, for example `lightgbm,n_estimators=200`.
    model: String,
    /// Model type.
    model_type: String,
    /// Schema hash of the configuration.
    config_hash: String,
    /// How good it was.
    metrics: Errors,
    /// Series with a forecast in every window.
    series_complete: usize,
    /// Series with a forecast in some windows.
    series_partial: usize,
    /// Series without any forecast.
    series_failed: usize,
    /// How often intervals held, made of the errors of earlier windows. Needs at least two windows.
    coverage: Vec<CoverageBody>,
    /// Time of fitting and forecasting.
    seconds: f64,
}

/// Prediction intervals of one level.
#[derive(Debug, Serialize, ToSchema)]
struct CoverageBody {
    /// In percent.
    level: f64,
    /// Percent of days inside.
    covered: Number,
    /// Percent of days whose interval is a single point, for example closed days. These hold more often than any level
    /// asks.
    points: Number,
    /// Percent of the other days inside.
    covered_others: Number,
    /// In units.
    mean_width: Number,
}

/// All models on a part of the data.
#[derive(Debug, Serialize, ToSchema)]
struct Group {
    /// Store code, category or distance.
    key: String,
    /// One entry per model that has forecasts here.
    models: Vec<GroupRow>,
}

/// One model on a part of the data.
#[derive(Debug, Serialize, ToSchema)]
struct GroupRow {
    /// As on the leaderboard.
    model: String,
    /// How good it was.
    metrics: Errors,
}

/// All models on one series.
#[derive(Debug, Serialize, ToSchema)]
struct SeriesBody {
    /// Store.
    store_code: String,
    /// Product.
    sku: String,
    /// Category of the product.
    category: Option<String>,
    /// One entry per model.
    models: Vec<SeriesRow>,
}

/// One model on one series.
#[derive(Debug, Serialize, ToSchema)]
struct SeriesRow {
    /// As on the leaderboard.
    model: String,
    /// `complete`: a forecast in every window; `partial`: in some; `failed`: in none.
    status: &'static str,
    /// Windows with a forecast.
    windows_scored: usize,
    /// Why the others have none.
    reason: Option<String>,
    /// The method that answered in place of the model, if it says so.
    fallback: Option<String>,
    /// How good it was.
    metrics: Errors,
}

impl PortfolioResult {
    /// The answer, with or without the status of every series.
    pub fn new(backtest: &PortfolioBacktest, include_series: bool, elapsed: Duration) -> Self {
        let windows = backtest.windows.len();
        let models = &backtest.models;
        let buckets = HorizonBucket::ALL.into_iter().enumerate();
        Self {
            backtest_id: backtest.id.clone(),
            missing_days: backtest.missing_days.name(),
            windows: backtest.windows.iter().enumerate().map(|(i, w)| WindowBody::new(i, w)).collect(),
            series_count: backtest.portfolio.series.len(),
            leaderboard: models.iter().zip(1..).map(|(model, rank)| Row::new(rank, model, windows)).collect(),
            by_store: groups(models, |model| &model.scores.by_store),
            by_category: groups(models, |model| &model.scores.by_category),
            by_horizon: buckets
                .map(|(i, bucket)| Group::new(bucket.name(), models, |m| Some(&m.scores.by_horizon[i])))
                .filter(|group| !group.models.is_empty())
                .collect(),
            series: include_series.then(|| series(backtest)),
            duration_ms: (elapsed.as_secs_f64() * 1e5).round() / 100.0,
        }
    }
}

impl WindowBody {
    fn new(index: usize, window: &Window) -> Self {
        Self {
            index,
            train_start: window.train_start.map(Day::date),
            train_end: window.origin.date(),
            test_start: window.test_start().date(),
            test_end: window.test_end.date(),
        }
    }
}

impl Row {
    fn new(rank: usize, model: &Scored, windows: usize) -> Self {
        let scores = &model.scores;
        let count = |status: &str| scores.series.iter().filter(|s| status_of(s, windows) == status).count();
        let coverage = scores.coverage.iter().map(|(level, coverage)| CoverageBody {
            level: percent(*level),
            covered: (100.0 * coverage.share()).into(),
            points: (100.0 * coverage.share_of_points()).into(),
            covered_others: (100.0 * coverage.share_of_others()).into(),
            mean_width: coverage.mean_width().into(),
        });
        Self {
            rank,
            model: model.entry.label.clone(),
            model_type: model.entry.model_type.clone(),
            config_hash: model.entry.config.hash(),
            metrics: Errors::of(&scores.overall),
            series_complete: count(COMPLETE),
            series_partial: count(PARTIAL),
            series_failed: count(FAILED),
            coverage: coverage.collect(),
            seconds: scores.elapsed.as_secs_f64(),
        }
    }
}

/// A level as it was asked for: 0.95 is 95.
fn percent(level: f64) -> f64 {
    (level * 1e6).round() / 1e4
}

const COMPLETE: &str = "complete";
const PARTIAL: &str = "partial";
const FAILED: &str = "failed";

fn status_of(score: &SeriesScore, windows: usize) -> &'static str {
    match score.scored {
        0 => FAILED,
        n if n < windows => PARTIAL,
        _ => COMPLETE,
    }
}

impl Group {
    fn new<'m>(key: &str, models: &'m [Scored], tally: impl Fn(&'m Scored) -> Option<&'m Tally>) -> Self {
        let rows = models.iter().filter_map(|model| {
            let tally = tally(model).filter(|tally| !tally.is_empty())?;
            Some(GroupRow { model: model.entry.label.clone(), metrics: Errors::of(tally) })
        });
        Self { key: key.to_owned(), models: rows.collect() }
    }
}

fn groups(models: &[Scored], tallies: impl Fn(&Scored) -> &BTreeMap<String, Tally>) -> Vec<Group> {
    let keys: std::collections::BTreeSet<&String> = models.iter().flat_map(|m| tallies(m).keys()).collect();
    keys.into_iter().map(|key| Group::new(key, models, |model| tallies(model).get(key))).collect()
}

fn series(backtest: &PortfolioBacktest) -> Vec<SeriesBody> {
    let windows = backtest.windows.len();
    let row = |model: &Scored, i: usize| {
        let score = &model.scores.series[i];
        SeriesRow {
            model: model.entry.label.clone(),
            status: status_of(score, windows),
            windows_scored: score.scored,
            reason: score.reason.clone(),
            fallback: score.fallback.clone(),
            metrics: Errors::of(&score.tally),
        }
    };
    let all = backtest.portfolio.series.iter().enumerate();
    all.map(|(i, series)| SeriesBody {
        store_code: series.key.store_code.clone(),
        sku: series.key.sku.clone(),
        category: series.key.category.clone(),
        models: backtest.models.iter().map(|model| row(model, i)).collect(),
    })
    .collect()
}
