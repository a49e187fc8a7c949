//! Calibration on one series: forecasts from past origins against what came, and how often the intervals that follow
//! from some of them held the others.

use super::{Coverage, Residuals, interval, quantile};

/// Days of a week.
const WEEK: usize = 7;

/// How many past origins to forecast from. All sizes count rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OriginConfig {
    /// Least history to forecast from.
    pub min_history: usize,
    /// Rows of every forecast, at least 1.
    pub horizon: usize,
    /// Windows wanted, one a row; a short series gives fewer.
    pub n_windows: usize,
    /// Most origins, at least 1; with more windows than that, only some of them are forecast from.
    pub most: usize,
}

/// Lengths of the histories to forecast from, ascending: of the newest `n_windows` whose every row is known all, or
/// `most`, spread evenly from the newest back. Empty when the series is too short for one.
///
/// They are never whole weeks apart: then every one would meet the same days of the week.
pub fn origins(rows: usize, config: &OriginConfig) -> Vec<usize> {
    let OriginConfig { min_history, horizon, n_windows, most } = *config;
    let Some(newest) = rows.checked_sub(horizon).filter(|newest| *newest >= min_history) else {
        return Vec::new();
    };
    let windows = n_windows.min(newest - min_history + 1);
    let even = (windows / most).max(1);
    let step = if even % WEEK == 0 { even - 1 } else { even };
    (0..windows.min(most)).rev().map(|back| newest - back * step).collect()
}

/// A forecast from a past origin, and what came.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// Length of the history that it was made from.
    pub origin: usize,
    /// The forecast, step by step.
    pub forecast: Vec<f64>,
    /// What came.
    pub actual: Vec<f64>,
}

impl Trial {
    fn error(&self, step: usize) -> f64 {
        (self.actual[step] - self.forecast[step]).abs()
    }
}

/// Their errors, in units: a series that shares errors with no other needs no scale, and dividing by that of each
/// origin would blow up the errors of a series that had not begun to sell then.
pub fn residuals(trials: &[Trial]) -> Residuals {
    let mut residuals = Residuals::new(trials.first().map_or(0, |trial| trial.forecast.len()));
    for trial in trials {
        for (step, (actual, forecast)) in trial.actual.iter().zip(&trial.forecast).enumerate() {
            residuals.add(step, *actual, *forecast, 1.0);
        }
    }
    residuals
}

/// How often intervals (of levels between 0 and 1) hold what came at origins that they do not know, per level.
///
/// Every origin is left out in turn. At step h, origins nearer than h rows are left out with it: forecasts from them
/// miss by days that neither knew, so their errors resemble each other. (Without that the share would be the level
/// itself, rounded up to an n-th, whatever the errors are.) A day without any other error is left out.
pub fn held_out(trials: &[Trial], levels: &[f64]) -> Vec<Coverage> {
    let mut coverages = vec![Coverage::default(); levels.len()];
    let horizon = trials.first().map_or(0, |trial| trial.forecast.len());
    for step in 0..horizon {
        let mut ascending: Vec<(f64, usize)> =
            trials.iter().map(|trial| (trial.error(step), trial.origin)).collect();
        ascending.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        for trial in trials {
            let others = ascending.iter().filter(|(_, origin)| origin.abs_diff(trial.origin) > step);
            let others: Vec<f64> = others.map(|(error, _)| *error).collect();
            if others.is_empty() {
                continue;
            }
            for (coverage, level) in coverages.iter_mut().zip(levels) {
                let bounds = interval(trial.forecast[step], quantile(&others, *level));
                coverage.add(trial.actual[step], bounds);
            }
        }
    }
    coverages
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_newest_windows_come_first_when_there_is_too_little_history() {
        let config = OriginConfig { min_history: 7, horizon: 14, n_windows: 3, most: usize::MAX };
        assert!(origins(20, &config).is_empty());
        assert_eq!(origins(21, &config), [7]);
        assert_eq!(origins(22, &config), [7, 8]);
        assert_eq!(origins(100, &config), [84, 85, 86]);
    }

    #[test]
    fn some_of_many_windows_are_spread_but_not_by_weeks() {
        let config = OriginConfig { min_history: 30, horizon: 14, n_windows: 60, most: 20 };
        let found = origins(400, &config);
        assert_eq!((found.len(), found[0], found[19]), (20, 329, 386));
        let found = origins(400, &OriginConfig { n_windows: 140, ..config });
        assert_eq!((found[18], found[19]), (380, 386));
    }

    /// Trials of one step from consecutive origins, with these errors.
    fn of_errors(errors: &[f64]) -> Vec<Trial> {
        let trial =
            |(i, error): (usize, &f64)| Trial { origin: i, forecast: vec![0.0], actual: vec![*error] };
        errors.iter().enumerate().map(trial).collect()
    }

    #[test]
    fn an_error_above_all_others_is_in_its_own_intervals_and_in_no_held_out_one() {
        let trials = of_errors(&[1.0, 2.0, 3.0, 4.0, 9.0]);
        let calibration = residuals(&trials).calibrate(&[0.9]).unwrap();
        assert_eq!(calibration.bounds(0, 0, 0.0, 1.0), (0.0, 9.0));
        let held_out = held_out(&trials, &[0.9]);
        assert_eq!(held_out[0].share().to_bits(), 0.8_f64.to_bits());
    }

    #[test]
    fn a_single_origin_has_nobody_to_be_compared_with() {
        assert!(held_out(&of_errors(&[1.0]), &[0.8])[0].share().is_nan());
        assert_eq!(held_out(&[], &[0.8]), [Coverage::default()]);
        assert!(residuals(&[]).is_empty());
    }

    prop_compose! {
        fn any_trials()(origins in proptest::collection::btree_set(0_usize..60, 1..25), horizon in 1_usize..10)(
            forecasts in proptest::collection::vec(
                proptest::collection::vec(0.0..50.0_f64, horizon), origins.len()),
            actuals in proptest::collection::vec(
                proptest::collection::vec(0.0..50.0_f64, horizon), origins.len()),
            origins in Just(origins),
        ) -> Vec<Trial> {
            origins.into_iter().zip(forecasts).zip(actuals)
                .map(|((origin, forecast), actual)| Trial { origin, forecast, actual })
                .collect()
        }
    }

    proptest! {
        #[test]
        fn origins_are_the_newest_that_fit(
            rows in 0_usize..900, min_history in 1_usize..100, horizon in 1_usize..=90, n_windows in 1_usize..=365,
            most in 1_usize..400,
        ) {
            let config = OriginConfig { min_history, horizon, n_windows, most };
            let found = origins(rows, &config);
            let possible = (rows + 1).saturating_sub(min_history + horizon).min(n_windows);
            prop_assert_eq!(found.len(), possible.min(most));
            if let Some(last) = found.last() {
                prop_assert_eq!(last + horizon, rows);
                prop_assert!(found[0] >= min_history && last - found[0] < n_windows);
            }
            for pair in found.windows(2) {
                prop_assert!(pair[0] < pair[1] && (pair[1] - pair[0]) % WEEK != 0);
            }
        }

        #[test]
        fn no_held_out_interval_knows_its_own_error_or_one_that_overlaps(trials in any_trials(), level in 0.05..0.99_f64) {
            let (mut inside, mut count) = (0.0, 0.0);
            for (i, trial) in trials.iter().enumerate() {
                for h in 1..=trial.forecast.len() {
                    let apart = |other: &&Trial| {
                        let span = |origin: usize| origin + 1..=origin + h;
                        !span(other.origin).any(|day| span(trial.origin).contains(&day))
                    };
                    let others: Vec<Trial> = trials.iter().filter(apart).cloned().collect();
                    prop_assert!(!others.contains(&trials[i]));
                    if let Some(calibration) = residuals(&others).calibrate(&[level]) {
                        let (lower, upper) = calibration.bounds(0, h - 1, trial.forecast[h - 1], 1.0);
                        inside += f64::from(u8::from((lower..=upper).contains(&trial.actual[h - 1])));
                        count += 1.0;
                    }
                }
            }
            let found = held_out(&trials, &[level])[0].share();
            if count > 0.0 {
                prop_assert!((found - inside / count).abs() < 1e-12, "{} instead of {}", found, inside / count);
            } else {
                prop_assert!(found.is_nan());
            }
        }

        #[test]
        fn wider_levels_hold_no_less(trials in any_trials()) {
            let found = held_out(&trials, &[0.5, 0.8, 0.95]);
            for pair in found.windows(2) {
                prop_assert!(pair[0].share().is_nan() || pair[0].share() <= pair[1].share());
                prop_assert!(pair[0].mean_width().is_nan() || pair[0].mean_width() <= pair[1].mean_width() + 1e-9);
            }
        }

        #[test]
        fn one_step_ahead_different_errors_are_held_as_often_as_the_level_says(n in 2_usize..80, level in 0.05..0.99_f64) {
            let errors: Vec<f64> = (1..=n).map(|i| i as f64).collect();
            let held = (n as f64 * level - 1e-9).ceil().clamp(1.0, n as f64 - 1.0);
            let found = held_out(&of_errors(&errors), &[level])[0].share();
            prop_assert!((found - held / n as f64).abs() < 1e-12, "{} of {}", found, n);
        }
    }
}
