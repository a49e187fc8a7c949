//! Forecasts against what was sold: per model overall, by store, by category, by distance, and per series.

use std::collections::BTreeMap;
use std::time::Duration;

use retailcast_core::backtest::{HorizonBucket, Tally};
use retailcast_core::conformal::{Coverage, Residuals};
use retailcast_core::metrics::Sums;

use super::truth::{Truth, WindowTruth};
use crate::slices::forecasting::portfolio::{Outcome, Portfolio};

/// How good one model was.
#[derive(Debug, Clone)]
pub struct ModelScores {
    /// All series and windows.
    pub overall: Tally,
    /// By store code.
    pub by_store: BTreeMap<String, Tally>,
    /// By category; products without one are left out.
    pub by_category: BTreeMap<String, Tally>,
    /// By distance from the origin, in the order of [`HorizonBucket::ALL`].
    pub by_horizon: [Tally; HorizonBucket::ALL.len()],
    /// Per series.
    pub series: Vec<SeriesScore>,
    /// How often intervals made of the errors of earlier windows held in later ones, by level.
    pub coverage: Vec<(f64, Coverage)>,
    /// Wall time of fitting and forecasting.
    pub elapsed: Duration,
}

/// How good one model was on one series.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SeriesScore {
    /// Over the windows that have a forecast.
    pub tally: Tally,
    /// Windows with a forecast.
    pub scored: usize,
    /// Why the others have none: the first reason.
    pub reason: Option<String>,
    /// The method that really answered, when the model says that it used another one.
    pub fallback: Option<String>,
}

impl ModelScores {
    /// Scores what a model gave per series and window; series as in the portfolio.
    pub(super) fn of(
        portfolio: &Portfolio,
        truths: &[Truth],
        outcomes: &[Vec<Outcome>],
        levels: &[f64],
        elapsed: Duration,
    ) -> Self {
        let mut scores = Self {
            overall: Tally::default(),
            by_store: BTreeMap::new(),
            by_category: BTreeMap::new(),
            by_horizon: [Tally::default(); HorizonBucket::ALL.len()],
            series: Vec::with_capacity(truths.len()),
            coverage: coverage(truths, outcomes, levels),
            elapsed,
        };
        for ((series, truth), outcomes) in portfolio.series.iter().zip(truths).zip(outcomes) {
            let score = scores.add_series(truth, outcomes);
            if !score.tally.is_empty() {
                scores.overall.merge(&score.tally);
                scores.by_store.entry(series.key.store_code.clone()).or_default().merge(&score.tally);
                if let Some(category) = &series.key.category {
                    scores.by_category.entry(category.clone()).or_default().merge(&score.tally);
                }
            }
            scores.series.push(score);
        }
        scores
    }

    fn add_series(&mut self, truth: &Truth, outcomes: &[Outcome]) -> SeriesScore {
        let mut score = SeriesScore::default();
        for (window, outcome) in truth.windows.iter().zip(outcomes) {
            let forecast = match outcome {
                Ok(forecast) => forecast,
                Err(reason) => {
                    score.reason.get_or_insert_with(|| reason.clone());
                    continue;
                }
            };
            score.scored += 1;
            if score.fallback.is_none() {
                score.fallback.clone_from(&forecast.fallback);
            }
            let mut buckets = [Sums::default(); HorizonBucket::ALL.len()];
            let mut whole = Sums::default();
            for (step, (actual, point)) in window.actual.iter().zip(&forecast.points).enumerate() {
                if !actual.is_nan() {
                    buckets[HorizonBucket::of_step(step) as usize].add(*actual, *point);
                    whole.add(*actual, *point);
                }
            }
            for (bucket, sums) in self.by_horizon.iter_mut().zip(&buckets) {
                if !sums.is_empty() {
                    bucket.add(sums, window.scale);
                }
            }
            if !whole.is_empty() {
                score.tally.add(&whole, window.scale);
            }
        }
        score
    }
}

/// Walks through the windows: what the errors of earlier ones say of the next is held against it. So nothing is
/// calibrated on what it is tested with, and the first window is not tested.
fn coverage(truths: &[Truth], outcomes: &[Vec<Outcome>], levels: &[f64]) -> Vec<(f64, Coverage)> {
    let windows = truths.iter().map(|truth| truth.windows.len()).max().unwrap_or(0);
    let horizon = truths.iter().flat_map(|truth| &truth.windows).map(|w| w.actual.len()).max().unwrap_or(0);
    let mut coverage: Vec<(f64, Coverage)> =
        levels.iter().map(|level| (*level, Coverage::default())).collect();
    let mut errors = Residuals::new(horizon);
    if levels.is_empty() {
        return coverage;
    }
    for window in 0..windows {
        if let Some(intervals) = errors.calibrate(levels) {
            each_day(truths, outcomes, window, |truth, step, actual, point| {
                for (level, (_, coverage)) in coverage.iter_mut().enumerate() {
                    coverage.add(actual, intervals.bounds(level, step, point, truth.scale.absolute));
                }
            });
        }
        each_day(truths, outcomes, window, |truth, step, actual, point| {
            errors.add(step, actual, point, truth.scale.absolute);
        });
    }
    coverage
}

/// Every day of a window that has a forecast and a truth.
fn each_day(
    truths: &[Truth],
    outcomes: &[Vec<Outcome>],
    window: usize,
    mut day: impl FnMut(&WindowTruth, usize, f64, f64),
) {
    for (truth, outcomes) in truths.iter().zip(outcomes) {
        let (Some(truth), Some(Ok(forecast))) = (truth.windows.get(window), outcomes.get(window)) else {
            continue;
        };
        for (step, (actual, point)) in truth.actual.iter().zip(&forecast.points).enumerate() {
            if !actual.is_nan() {
                day(truth, step, *actual, *point);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slices::forecasting::portfolio::{PortfolioSeries, SeriesForecast, SeriesKey};
    use retailcast_core::backtest::Scale;
    use retailcast_core::frame::Exogenous;

    fn series(store: &str, category: Option<&str>) -> PortfolioSeries {
        let key = SeriesKey {
            store_id: 1,
            product_id: 1,
            store_code: store.to_owned(),
            sku: "P".to_owned(),
            category: category.map(str::to_owned),
            launch: None,
        };
        PortfolioSeries { key, rows: Vec::new(), exogenous: Exogenous::default() }
    }

    fn truth(actual: &[f64]) -> Truth {
        let window = |actual: &f64| WindowTruth {
            actual: vec![*actual; 8],
            scale: Scale { absolute: 2.0, squared: 4.0 },
        };
        Truth { windows: actual.iter().map(window).collect() }
    }

    fn flat(point: f64) -> SeriesForecast {
        SeriesForecast { points: vec![point; 8], fallback: None }
    }

    #[test]
    fn groups_add_up_and_a_failed_window_is_told() {
        let portfolio = Portfolio {
            series: vec![series("A", Some("tea")), series("B", None), series("B", Some("tea"))],
            last_day: None,
        };
        let truths = [truth(&[10.0, 10.0]), truth(&[5.0, 5.0]), truth(&[1.0, 1.0])];
        let failed = Err("too short".to_owned());
        let outcomes = [
            vec![Ok(flat(12.0)), Ok(flat(9.0))],
            vec![failed.clone(), Ok(flat(5.0))],
            vec![failed.clone(), Err("other".to_owned())],
        ];
        let scores = ModelScores::of(&portfolio, &truths, &outcomes, &[0.8], Duration::ZERO);
        assert!((scores.overall.metrics().wape - 100.0 * 24.0 / 200.0).abs() < 1e-9);
        assert!((scores.overall.mase() - (1.0 + 0.5 + 0.0) / 3.0).abs() < 1e-9);
        assert_eq!(scores.by_store.keys().collect::<Vec<_>>(), ["A", "B"]);
        assert!((scores.by_store["B"].metrics().mae).abs() < 1e-12);
        assert!((scores.by_category["tea"].metrics().mae - 1.5).abs() < 1e-9);
        assert!((scores.by_horizon[0].metrics().mae - 1.0).abs() < 1e-9);
        assert!(!scores.by_horizon[1].is_empty() && scores.by_horizon[2].is_empty());
        let told: Vec<(usize, Option<&str>)> =
            scores.series.iter().map(|s| (s.scored, s.reason.as_deref())).collect();
        assert_eq!(told, [(2, None), (1, Some("too short")), (0, Some("too short"))]);
    }

    #[test]
    fn intervals_are_made_of_earlier_windows_only() {
        let truths = vec![truth(&[10.0, 10.0, 10.0]); 2];
        // Off by 4, then by 3, then by 6: the second is inside what the first says, the third is not.
        let outcomes = vec![vec![Ok(flat(14.0)), Ok(flat(7.0)), Ok(flat(16.0))]; 2];
        let found = coverage(&truths, &outcomes, &[0.5]);
        assert_eq!(found[0].1.share().to_bits(), 0.5_f64.to_bits());
        assert!(coverage(&truths, &outcomes[..1], &[0.5])[0].1.share() > 0.0);
        let one = coverage(&[truth(&[10.0])], &[vec![Ok(flat(1.0))]], &[0.5]);
        assert!(one[0].1.share().is_nan());
    }
}
