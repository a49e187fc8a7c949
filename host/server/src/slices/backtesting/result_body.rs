//! The answer of `POST /backtesting/run`.

use std::ops::Range;
use std::time::Duration;

use chrono::NaiveDate;
use indexmap::IndexMap;
use retailcast_core::backtest::{BucketMetrics, Fold, SplitConfig, improvement};
use retailcast_core::metrics::{Metric, Metrics};
use serde::Serialize;
use utoipa::ToSchema;

use super::folds::{FoldResult, ModelResult};
use super::run_body::BacktestOrder;
use super::service::Backtest;
use crate::http::Number;

/// A backtest.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "backtest_id": "9c1f4e07aa53d2b8", "store_id": 4, "product_id": 31, "config_hash": "35b7d818cd26a07c",
    "split_config": {"strategy": "sliding", "n_splits": 2, "min_train_size": 30, "gap": 0, "horizon": 7},
    "main_model_results": {
        "model_type": "moving_average", "config_hash": "c221092145a157cb",
        "fold_results": [
            {"fold_index": 0,
             "split": {"fold_index": 0, "train_start": "2025-01-01", "train_end": "2025-01-30",
                       "test_start": "2025-01-31", "test_end": "2025-02-06", "train_size": 30, "test_size": 7},
             "dates": [], "actuals": [], "predictions": [],
             "metrics": {"mae": 2.0, "rmse": 2.4, "smape": 20.0, "wape": 18.0, "bias": 0.5},
             "horizon_bucket_metrics": {"h_1_7": {"mae": 2.0, "rmse": 2.4, "smape": 20.0, "wape": 18.0, "bias": 0.5}},
             "fallback": null},
            {"fold_index": 1,
             "split": {"fold_index": 1, "train_start": "2025-02-23", "train_end": "2025-03-24",
                       "test_start": "2025-03-25", "test_end": "2025-03-31", "train_size": 30, "test_size": 7},
             "dates": [], "actuals": [], "predictions": [],
             "metrics": {"mae": 3.0, "rmse": 3.6, "smape": 24.0, "wape": 22.0, "bias": -0.5},
             "horizon_bucket_metrics": {"h_1_7": {"mae": 3.0, "rmse": 3.6, "smape": 24.0, "wape": 22.0, "bias": -0.5}},
             "fallback": null}],
        "aggregated_metrics": {"mae": 2.5, "rmse": 3.0, "smape": 22.0, "wape": 20.0, "bias": 0.0},
        "metric_std": {"mae_stability": 20.0, "rmse_stability": 20.0, "smape_stability": 9.090_909_090_909_092,
                       "wape_stability": 10.0, "bias_stability": null},
        "bucketed_aggregated_metrics": {"h_1_7": {"mae": 2.5, "rmse": 3.0, "smape": 22.0, "wape": 20.0, "bias": 0.0}},
        "feature_aware": false, "exogenous_policy": null},
    "baseline_results": null, "comparison_summary": null, "duration_ms": 4.2, "leakage_check_passed": true,
    "missing_days": "zero"}))]
pub struct BacktestResult {
    /// 16 hex digits, random. Nothing is kept under it.
    backtest_id: String,
    store_id: i32,
    product_id: i32,
    /// Schema hash of `config`, 16 hex digits.
    config_hash: String,
    /// As requested, with defaults.
    split_config: SplitConfigResult,
    /// The model.
    main_model_results: BacktestModel,
    /// `naive`, then `seasonal_naive`; one that cannot run is absent. Null when not requested.
    #[schema(required)]
    baseline_results: Option<Vec<BacktestModel>>,
    /// The model against the baselines, metric by metric. Null when not requested.
    #[schema(required)]
    comparison_summary: Option<BacktestComparison>,
    duration_ms: f64,
    /// Whether every fold ends its training before its test, with the gap between. False shows a defect.
    leakage_check_passed: bool,
    /// How days without a row were taken: `zero`, `skip` or `error`.
    missing_days: &'static str,
}

impl BacktestResult {
    /// Of a backtest.
    pub fn new(order: &BacktestOrder, backtest: Backtest, elapsed: Duration) -> Self {
        let details = order.store_fold_details;
        let window = order.request.window;
        Self {
            store_id: window.store_id,
            product_id: window.product_id,
            config_hash: order.config_hash.clone(),
            split_config: SplitConfigResult::new(&order.request.split),
            main_model_results: BacktestModel::new(&backtest.main, &backtest, details),
            baseline_results: backtest
                .baselines
                .as_ref()
                .map(|all| all.iter().map(|model| BacktestModel::new(model, &backtest, details)).collect()),
            comparison_summary: backtest
                .baselines
                .as_ref()
                .map(|baselines| BacktestComparison::new(&backtest.main, baselines)),
            duration_ms: elapsed.as_secs_f64() * 1e3,
            leakage_check_passed: backtest.leakage_check_passed,
            missing_days: backtest.missing_days.name(),
            backtest_id: backtest.id,
        }
    }
}

/// How the series was to be cut.
#[derive(Debug, Serialize, ToSchema)]
struct SplitConfigResult {
    /// `expanding` or `sliding`.
    strategy: &'static str,
    /// Wanted folds; a short series gives fewer.
    n_splits: usize,
    /// Rows of the first (expanding) or of every (sliding) training window.
    min_train_size: usize,
    /// Rows between training and test.
    gap: usize,
    /// Rows of every test window.
    horizon: usize,
}

impl SplitConfigResult {
    fn new(split: &SplitConfig) -> Self {
        let SplitConfig { strategy, n_splits, min_train_size, gap, horizon } = *split;
        Self { strategy: strategy.name(), n_splits, min_train_size, gap, horizon }
    }
}

/// One model on all folds.
#[derive(Debug, Serialize, ToSchema)]
struct BacktestModel {
    model_type: String,
    /// Schema hash of the model's configuration, 16 hex digits.
    config_hash: String,
    /// In order of time.
    fold_results: Vec<BacktestFold>,
    /// Means over the folds.
    aggregated_metrics: BacktestMetrics,
    /// Stability over the folds: 100 × standard deviation / |mean|; lower is steadier.
    metric_std: BacktestStability,
    /// Means over the folds per bucket of days ahead: `h_1_7`, `h_8_14`, `h_15_28`, `h_29_plus`.
    #[schema(value_type = std::collections::HashMap<String, BacktestMetrics>)]
    bucketed_aggregated_metrics: Buckets,
    /// Whether the model reads feature columns.
    feature_aware: bool,
    /// `observed`: the columns of the test days hold recorded prices, promotions and holidays, so the scores mean
    /// "given that the plan was known". Null for models that read the series alone.
    #[schema(required)]
    exogenous_policy: Option<&'static str>,
}

impl BacktestModel {
    fn new(model: &ModelResult, backtest: &Backtest, details: bool) -> Self {
        let folds = backtest.folds.iter().zip(&model.folds).enumerate();
        Self {
            model_type: model.model_type.clone(),
            config_hash: model.config_hash.clone(),
            fold_results: folds
                .map(|(i, (fold, result))| BacktestFold::new(i, fold, result, backtest, details))
                .collect(),
            aggregated_metrics: BacktestMetrics::from(model.summary.mean),
            metric_std: BacktestStability::from(model.summary.stability),
            bucketed_aggregated_metrics: buckets(&model.summary.buckets),
            feature_aware: model.feature_aware,
            exogenous_policy: model.feature_aware.then_some("observed"),
        }
    }
}

/// One model on one fold.
#[derive(Debug, Serialize, ToSchema)]
struct BacktestFold {
    /// From 0.
    fold_index: usize,
    split: FoldSplit,
    /// Test days; empty without `store_fold_details`.
    dates: Vec<NaiveDate>,
    /// Units sold on them; empty without `store_fold_details`.
    actuals: Vec<f64>,
    /// Units forecast for them; empty without `store_fold_details`.
    predictions: Vec<f64>,
    metrics: BacktestMetrics,
    /// The same per bucket of days ahead; a bucket without days is absent.
    #[schema(value_type = std::collections::HashMap<String, BacktestMetrics>)]
    horizon_bucket_metrics: Buckets,
    /// The method that really answered, when the model says that it used another one.
    #[schema(required)]
    fallback: Option<String>,
}

impl BacktestFold {
    fn new(index: usize, fold: &Fold, result: &FoldResult, backtest: &Backtest, details: bool) -> Self {
        let rows = if details { fold.test.clone() } else { Range::default() };
        let series = &backtest.series;
        Self {
            fold_index: index,
            split: FoldSplit::new(index, fold, backtest),
            dates: series.days[rows.clone()].iter().map(|day| day.date()).collect(),
            actuals: series.quantity[rows.clone()].to_vec(),
            predictions: result.predictions[..rows.len()].to_vec(),
            metrics: BacktestMetrics::from(result.score.metrics),
            horizon_bucket_metrics: buckets(&result.score.buckets),
            fallback: result.fallback.clone(),
        }
    }
}

/// The windows of a fold.
#[derive(Debug, Serialize, ToSchema)]
struct FoldSplit {
    /// From 0.
    fold_index: usize,
    /// First day of training.
    train_start: NaiveDate,
    /// Last day of training.
    train_end: NaiveDate,
    /// First test day.
    test_start: NaiveDate,
    /// Last test day.
    test_end: NaiveDate,
    /// Rows of training.
    train_size: usize,
    /// Test rows.
    test_size: usize,
}

impl FoldSplit {
    fn new(index: usize, fold: &Fold, backtest: &Backtest) -> Self {
        let date = |row: usize| backtest.series.days[row].date();
        Self {
            fold_index: index,
            train_start: date(fold.train.start),
            train_end: date(fold.train.end - 1),
            test_start: date(fold.test.start),
            test_end: date(fold.test.end - 1),
            train_size: fold.train.len(),
            test_size: fold.test.len(),
        }
    }
}

/// Errors of a forecast; null where there is no finite number.
#[derive(Debug, Serialize, ToSchema)]
pub struct BacktestMetrics {
    /// Mean of |actual - forecast|, in units.
    mae: Number,
    /// Square root of the mean of (actual - forecast)², in units.
    rmse: Number,
    /// 0 to 200.
    smape: Number,
    /// Percent of the units sold; null when nothing was sold.
    wape: Number,
    /// Mean of actual - forecast: positive when the forecast was too low.
    bias: Number,
}

impl From<Metrics> for BacktestMetrics {
    fn from(metrics: Metrics) -> Self {
        let Metrics { mae, rmse, smape, wape, bias } = metrics;
        Self { mae: mae.into(), rmse: rmse.into(), smape: smape.into(), wape: wape.into(), bias: bias.into() }
    }
}

/// How much a metric varies over the folds, in percent of its mean; null with one fold or a mean of 0.
#[derive(Debug, Serialize, ToSchema)]
struct BacktestStability {
    #[serde(rename = "mae_stability")]
    mae: Number,
    #[serde(rename = "rmse_stability")]
    rmse: Number,
    #[serde(rename = "smape_stability")]
    smape: Number,
    #[serde(rename = "wape_stability")]
    wape: Number,
    #[serde(rename = "bias_stability")]
    bias: Number,
}

impl From<Metrics> for BacktestStability {
    fn from(stability: Metrics) -> Self {
        let Metrics { mae, rmse, smape, wape, bias } = stability;
        Self { mae: mae.into(), rmse: rmse.into(), smape: smape.into(), wape: wape.into(), bias: bias.into() }
    }
}

type Buckets = IndexMap<&'static str, BacktestMetrics>;

fn buckets(metrics: &BucketMetrics) -> Buckets {
    metrics.iter().map(|(bucket, metrics)| (bucket.name(), BacktestMetrics::from(*metrics))).collect()
}

/// The model against the baselines.
#[derive(Debug, Serialize, ToSchema)]
struct BacktestComparison {
    mae: ComparisonCell,
    rmse: ComparisonCell,
    smape: ComparisonCell,
    wape: ComparisonCell,
    bias: ComparisonCell,
}

impl BacktestComparison {
    fn new(main: &ModelResult, baselines: &[ModelResult]) -> Self {
        let mean = |name: &str| {
            baselines.iter().find(|model| model.model_type == name).map(|model| model.summary.mean)
        };
        let (naive, seasonal) = (mean("naive"), mean("seasonal_naive"));
        let cell = |metric: Metric| {
            let of = |metrics: Option<Metrics>| metrics.map(|metrics| metrics.get(metric));
            ComparisonCell::new(metric, main.summary.mean.get(metric), of(naive), of(seasonal))
        };
        Self {
            mae: cell(Metric::Mae),
            rmse: cell(Metric::Rmse),
            smape: cell(Metric::Smape),
            wape: cell(Metric::Wape),
            bias: cell(Metric::Bias),
        }
    }
}

/// One metric of the model and of the baselines. The keys of a baseline that did not run are absent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"main": 4.519_739_396_9, "naive": 7.928_571_428_6, "vs_naive_pct": 42.994_278,
    "seasonal_naive": 8.023_809_523_8, "vs_seasonal_pct": 43.670_904}))]
struct ComparisonCell {
    /// The model's mean.
    main: Number,
    /// That of `naive`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Number, required = false)]
    naive: Option<Number>,
    /// How much better the model is, in percent; absent when the baseline has no number to compare with.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Number, required = false)]
    vs_naive_pct: Option<Number>,
    /// That of `seasonal_naive`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Number, required = false)]
    seasonal_naive: Option<Number>,
    /// How much better the model is, in percent; absent when the baseline has no number to compare with.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Number, required = false)]
    vs_seasonal_pct: Option<Number>,
}

impl ComparisonCell {
    fn new(metric: Metric, main: f64, naive: Option<f64>, seasonal: Option<f64>) -> Self {
        let better = |baseline: Option<f64>| improvement(metric, main, baseline?).map(Number);
        Self {
            main: main.into(),
            naive: naive.map(Number),
            vs_naive_pct: better(naive),
            seasonal_naive: seasonal.map(Number),
            vs_seasonal_pct: better(seasonal),
        }
    }
}
