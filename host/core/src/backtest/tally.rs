//! Errors of many series and windows, added up.

use crate::metrics::{Metrics, Sums};

/// How far a training series is from itself a season earlier: what scaled errors are relative to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// Mean of |y\[t\] - y\[t - season\]|.
    pub absolute: f64,
    /// Mean of its square.
    pub squared: f64,
}

impl Scale {
    /// Of every training series that is a prefix of this one; `ends` are their lengths, ascending. NaN for those that
    /// are not longer than a season.
    pub fn of_prefixes(series: &[f64], season: usize, ends: &[usize]) -> Vec<Self> {
        let (mut absolute, mut squared, mut at) = (0.0, 0.0, season);
        let scale = |end: &usize| {
            while at < *end {
                let d = series[at] - series[at - season];
                absolute += d.abs();
                squared += d * d;
                at += 1;
            }
            let count = end.saturating_sub(season) as f64;
            Self { absolute: absolute / count, squared: squared / count }
        };
        ends.iter().map(scale).collect()
    }
}

/// A mean in the making.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Mean {
    sum: f64,
    count: f64,
}

impl Mean {
    /// Adds a value, if it is a number: scaled errors of series that never change are none.
    fn add(&mut self, value: f64) {
        if value.is_finite() {
            self.sum += value;
            self.count += 1.0;
        }
    }

    fn merge(&mut self, other: &Self) {
        self.sum += other.sum;
        self.count += other.count;
    }

    fn value(&self) -> f64 {
        self.sum / self.count
    }
}

/// Errors of forecasts of several series and windows.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Tally {
    sums: Sums,
    mase: Mean,
    rmsse: Mean,
}

impl Tally {
    /// Adds the days of one series in one window, and its scaled errors.
    pub fn add(&mut self, days: &Sums, scale: Scale) {
        self.sums.merge(days);
        let metrics = days.metrics();
        self.mase.add(metrics.mae / scale.absolute);
        self.rmsse.add(metrics.rmse / scale.squared.sqrt());
    }

    /// Adds what another one has.
    pub fn merge(&mut self, other: &Self) {
        self.sums.merge(&other.sums);
        self.mase.merge(&other.mase);
        self.rmsse.merge(&other.rmsse);
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.sums.is_empty()
    }

    /// Over all days together: a series counts as much as it sells.
    pub fn metrics(&self) -> Metrics {
        self.sums.metrics()
    }

    /// Mean of the scaled errors of every series in every window ([`crate::metrics::mase`]): every series counts the
    /// same. Series that never change before a window have none and are left out.
    pub fn mase(&self) -> f64 {
        self.mase.value()
    }

    /// The same of [`crate::metrics::rmsse`].
    pub fn rmsse(&self) -> f64 {
        self.rmsse.value()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{mase, rmsse};
    use proptest::prelude::*;

    fn sums(actual: &[f64], forecast: &[f64]) -> Sums {
        let mut sums = Sums::default();
        actual.iter().zip(forecast).for_each(|(a, f)| sums.add(*a, *f));
        sums
    }

    #[test]
    fn a_series_that_never_changes_has_no_scaled_error() {
        let mut tally = Tally::default();
        assert!(tally.is_empty() && tally.mase().is_nan());
        tally.add(&sums(&[1.0], &[2.0]), Scale::of_prefixes(&[3.0; 20], 7, &[20])[0]);
        assert!(tally.mase().is_nan());
        tally.add(&sums(&[1.0], &[2.0]), Scale { absolute: 2.0, squared: 4.0 });
        assert_eq!((tally.mase().to_bits(), tally.rmsse().to_bits()), (0.5_f64.to_bits(), 0.5_f64.to_bits()));
    }

    proptest! {
        #[test]
        fn scaled_errors_are_those_of_the_metrics(
            series in proptest::collection::vec(0.0..100.0_f64, 40..60), season in 1_usize..8, end in 20_usize..35,
        ) {
            let (train, test) = (&series[..end], &series[end..]);
            let forecast = vec![series[end - 1]; test.len()];
            let mut tally = Tally::default();
            // A shorter prefix before it must not matter.
            tally.add(&sums(test, &forecast), Scale::of_prefixes(&series, season, &[10, end])[1]);
            let (m, r) = (mase(test, &forecast, train, season), rmsse(test, &forecast, train, season));
            prop_assert!((tally.mase() - m).abs() < 1e-9 * m.abs() && (tally.rmsse() - r).abs() < 1e-9 * r.abs());
        }

        #[test]
        fn parts_add_up(values in proptest::collection::vec((0.0..50.0_f64, 0.0..50.0_f64), 2..40), cut in 1_usize..2) {
            let scale = Scale { absolute: 1.5, squared: 4.0 };
            let of = |part: &[(f64, f64)]| {
                let mut tally = Tally::default();
                for (a, f) in part {
                    tally.add(&sums(&[*a], &[*f]), scale);
                }
                tally
            };
            let (whole, mut left) = (of(&values), of(&values[..cut]));
            left.merge(&of(&values[cut..]));
            prop_assert!((whole.metrics().mae - left.metrics().mae).abs() < 1e-9);
            prop_assert!((whole.mase() - left.mase()).abs() < 1e-9);
        }
    }
}
