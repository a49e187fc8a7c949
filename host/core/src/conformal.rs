//! Prediction intervals from past errors (split conformal prediction; Vovk et al. 2005, Lei et al. 2018): whatever the
//! model, an interval of the quantile of its absolute errors on days that it had not seen covers the next day as often
//! as it says, as long as the future is like the past.

mod trial;

pub use trial::{OriginConfig, Trial, held_out, origins, residuals};

/// Absolute errors per step ahead, divided by the scale of their series so that series of all sizes may share them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Residuals {
    per_step: Vec<Vec<f64>>,
}

/// Smallest scale, in units: series that hardly ever change would turn any error into an infinite one.
const LEAST_SCALE: f64 = 0.01;

/// What errors of a series are relative to: usually its in-sample error of the seasonal naive forecast.
fn bounded(scale: f64) -> f64 {
    if scale.is_finite() { scale.max(LEAST_SCALE) } else { 1.0 }
}

impl Residuals {
    /// Nothing yet, for this many steps.
    pub fn new(horizon: usize) -> Self {
        Self { per_step: vec![Vec::new(); horizon] }
    }

    /// Adds what a forecast `step` days ahead (from 0) was wrong by.
    pub fn add(&mut self, step: usize, actual: f64, forecast: f64, scale: f64) {
        self.per_step[step].push((actual - forecast).abs() / bounded(scale));
    }

    /// Errors of the step with the fewest.
    pub fn len(&self) -> usize {
        self.per_step.iter().map(Vec::len).min().unwrap_or(0)
    }

    /// Whether any step has no error.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The intervals that follow, for levels between 0 and 1. None when a step has no error at all.
    pub fn calibrate(&mut self, levels: &[f64]) -> Option<Calibration> {
        if self.is_empty() {
            return None;
        }
        let mut levels = levels.to_vec();
        levels.sort_unstable_by(f64::total_cmp);
        let radius = |errors: &mut Vec<f64>, level: f64| {
            let rank = rank(errors.len(), level);
            *errors.select_nth_unstable_by(rank, f64::total_cmp).1
        };
        let radii = levels
            .iter()
            .map(|level| self.per_step.iter_mut().map(|errors| radius(errors, *level)).collect())
            .collect();
        Some(Calibration { levels, radii })
    }
}

/// Position (from 0) of the ⌈(n + 1) level⌉-th smallest of n errors, n at least 1. Too few errors for the level give the
/// largest: the interval then covers less often than it says, about n / (n + 1).
fn rank(errors: usize, level: f64) -> usize {
    round_up((errors + 1) as f64 * level).clamp(1, errors) - 1
}

/// The radius that ascending errors give, at least one.
fn quantile(ascending: &[f64], level: f64) -> f64 {
    ascending[rank(ascending.len(), level)]
}

/// Errors that a level needs: with fewer the interval cannot be as wide as the level asks.
pub fn errors_needed(level: f64) -> usize {
    round_up(level / (1.0 - level))
}

/// Products like 20 x 0.95 may lie a hair above the whole number that they are.
fn round_up(value: f64) -> usize {
    (value - 1e-9).ceil() as usize
}

/// Half widths of intervals per level and step, in scales. Wider levels are never narrower.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    /// Ascending, between 0 and 1.
    pub levels: Vec<f64>,
    /// `radii[level][step]`.
    pub radii: Vec<Vec<f64>>,
}

impl Calibration {
    /// Lower and upper bound of a level (by its position) around a forecast, see [`interval`].
    pub fn bounds(&self, level: usize, step: usize, forecast: f64, scale: f64) -> (f64, f64) {
        interval(forecast, self.radii[level][step] * bounded(scale))
    }
}

/// Lower and upper bound this far around a forecast. Sales are never negative, and the forecast is always inside, even
/// a negative one.
pub fn interval(forecast: f64, radius: f64) -> (f64, f64) {
    ((forecast - radius).max(0.0).min(forecast), forecast + radius)
}

/// How often intervals of one level held what they say.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Coverage {
    inside: f64,
    count: f64,
    width: f64,
    /// Days whose interval is a single point, and those of them inside.
    points: f64,
    points_inside: f64,
}

impl Coverage {
    /// Adds a day.
    pub fn add(&mut self, actual: f64, (lower, upper): (f64, f64)) {
        let inside = f64::from(u8::from((lower..=upper).contains(&actual)));
        self.inside += inside;
        self.width += upper - lower;
        self.count += 1.0;
        if lower.total_cmp(&upper).is_ge() {
            self.points += 1.0;
            self.points_inside += inside;
        }
    }

    /// Share of days whose interval is a single point: on such days the model was never wrong in the past, as with shops
    /// that are closed at weekends. No interval is narrower, so these hold more often than any level asks.
    pub fn share_of_points(&self) -> f64 {
        self.points / self.count
    }

    /// Share of the other days inside, NaN without one.
    pub fn share_of_others(&self) -> f64 {
        (self.inside - self.points_inside) / (self.count - self.points)
    }

    /// Share of days inside, NaN without a day.
    pub fn share(&self) -> f64 {
        self.inside / self.count
    }

    /// Mean width, in units.
    pub fn mean_width(&self) -> f64 {
        self.width / self.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn calibrated(errors: &[f64], levels: &[f64]) -> Calibration {
        let mut residuals = Residuals::new(1);
        for error in errors {
            residuals.add(0, *error, 0.0, 1.0);
        }
        residuals.calibrate(levels).unwrap()
    }

    #[test]
    fn quantiles_count_one_more_than_there_are() {
        let nine: Vec<f64> = (1..=9).map(f64::from).collect();
        let found = calibrated(&nine, &[0.95, 0.8, 0.5]);
        assert_eq!(found.levels, [0.5, 0.8, 0.95]);
        assert_eq!(found.radii, [[5.0], [8.0], [9.0]]);
        assert_eq!((errors_needed(0.8), errors_needed(0.95)), (4, 19));
        assert_eq!(Residuals::new(2).calibrate(&[0.8]), None);
    }

    #[test]
    fn bounds_scale_with_the_series_and_stay_above_zero() {
        let found = calibrated(&[2.0], &[0.8]);
        assert_eq!(found.bounds(0, 0, 10.0, 3.0), (4.0, 16.0));
        assert_eq!(found.bounds(0, 0, 1.0, 3.0), (0.0, 7.0));
        assert_eq!(found.bounds(0, 0, -1.0, 0.25), (-1.0, -0.5));
        assert_eq!(found.bounds(0, 0, 1.0, f64::NAN), (0.0, 3.0));
    }

    #[test]
    fn coverage_counts_the_edges() {
        let mut coverage = Coverage::default();
        assert!(coverage.share().is_nan());
        for actual in [1.0, 2.0, 3.0, 3.1] {
            coverage.add(actual, (1.0, 3.0));
        }
        assert_eq!(coverage.share().to_bits(), 0.75_f64.to_bits());
        assert_eq!(coverage.mean_width().to_bits(), 2.0_f64.to_bits());
        coverage.add(0.0, (0.0, 0.0));
        assert_eq!(coverage.share_of_points().to_bits(), 0.2_f64.to_bits());
        assert_eq!(coverage.share_of_others().to_bits(), 0.75_f64.to_bits());
    }

    proptest! {
        #[test]
        fn intervals_are_nested_and_hold_the_forecast(
            errors in proptest::collection::vec(0.0..100.0_f64, 1..50), forecast in 0.0..100.0_f64, scale in 0.0..10.0_f64,
        ) {
            let found = calibrated(&errors, &[0.5, 0.8, 0.95]);
            let bounds: Vec<(f64, f64)> = (0..3).map(|level| found.bounds(level, 0, forecast, scale)).collect();
            for pair in bounds.windows(2) {
                prop_assert!(pair[1].0 <= pair[0].0 && pair[0].1 <= pair[1].1);
            }
            prop_assert!(bounds.iter().all(|(lower, upper)| *lower <= forecast && forecast <= *upper && *lower >= 0.0));
        }

        #[test]
        fn exchangeable_errors_are_covered_as_often_as_the_level_says(seed in 0_u64..1000) {
            // A permutation of 1..=1000: half calibrates, half tests.
            let mut numbers: Vec<u64> = (1..=1000).collect();
            let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
            for i in (1..numbers.len()).rev() {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                numbers.swap(i, (state % (i as u64 + 1)) as usize);
            }
            let (past, future) = numbers.split_at(500);
            let errors: Vec<f64> = past.iter().map(|n| *n as f64).collect();
            let found = calibrated(&errors, &[0.8]);
            let mut coverage = Coverage::default();
            for n in future {
                coverage.add(*n as f64, found.bounds(0, 0, 0.0, 1.0));
            }
            // Five standard deviations of a hypergeometric share.
            prop_assert!((coverage.share() - 0.8).abs() < 0.13, "{}", coverage.share());
        }
    }
}
