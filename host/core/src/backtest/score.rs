//! How good the folds of one model were, each for itself and all together.

use crate::Day;
use crate::metrics::{Metrics, Sums, mean, stability};

/// Test days that lie about equally far ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HorizonBucket {
    /// Days 1 to 7 of the test window.
    Week1,
    /// Days 8 to 14.
    Week2,
    /// Days 15 to 28.
    Weeks3And4,
    /// All later days.
    Later,
}

impl HorizonBucket {
    /// All, nearest first.
    pub const ALL: [Self; 4] = [Self::Week1, Self::Week2, Self::Weeks3And4, Self::Later];

    /// The name in responses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Week1 => "h_1_7",
            Self::Week2 => "h_8_14",
            Self::Weeks3And4 => "h_15_28",
            Self::Later => "h_29_plus",
        }
    }

    /// The bucket of a test day, by its distance in calendar days from the first test day.
    fn of(day: Day, first: Day) -> Self {
        Self::of_step((day - first).max(0) as usize)
    }

    /// The bucket of a test day, by the days between it and the first test day.
    pub fn of_step(step: usize) -> Self {
        match step {
            ..=6 => Self::Week1,
            7..=13 => Self::Week2,
            14..=27 => Self::Weeks3And4,
            _ => Self::Later,
        }
    }
}

/// Metrics per bucket, nearest first; buckets without a day are absent.
pub type BucketMetrics = Vec<(HorizonBucket, Metrics)>;

/// The metrics of one fold.
#[derive(Debug, Clone, PartialEq)]
pub struct FoldScore {
    /// Over all test days.
    pub metrics: Metrics,
    /// Over those that lie about equally far ahead.
    pub buckets: BucketMetrics,
}

impl FoldScore {
    /// Scores equally long test days, actuals and forecasts.
    pub fn of(days: &[Day], actual: &[f64], forecast: &[f64]) -> Self {
        let mut sums = [Sums::default(); HorizonBucket::ALL.len()];
        for (day, (a, f)) in days.iter().zip(actual.iter().zip(forecast)) {
            sums[HorizonBucket::of(*day, days[0]) as usize].add(*a, *f);
        }
        let buckets = HorizonBucket::ALL
            .into_iter()
            .zip(&sums)
            .filter(|(_, sums)| !sums.is_empty())
            .map(|(bucket, sums)| (bucket, sums.metrics()))
            .collect();
        Self { metrics: Metrics::of(actual, forecast), buckets }
    }
}

/// The folds of one model together.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// Mean of every metric over the folds ([`mean`]).
    pub mean: Metrics,
    /// Stability of every metric over the folds ([`stability`]).
    pub stability: Metrics,
    /// Means per bucket, over the folds that have it.
    pub buckets: BucketMetrics,
}

impl Summary {
    /// Of all folds of one model.
    pub fn of(folds: &[FoldScore]) -> Self {
        let metrics: Vec<Metrics> = folds.iter().map(|fold| fold.metrics).collect();
        let bucket = |bucket: HorizonBucket| {
            let of_bucket = folds.iter().flat_map(|fold| &fold.buckets).filter(|(b, _)| *b == bucket);
            let metrics: Vec<Metrics> = of_bucket.map(|(_, metrics)| *metrics).collect();
            (!metrics.is_empty()).then(|| (bucket, Metrics::over(&metrics, mean)))
        };
        Self {
            mean: Metrics::over(&metrics, mean),
            stability: Metrics::over(&metrics, stability),
            buckets: HorizonBucket::ALL.into_iter().filter_map(bucket).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(offsets: &[i32]) -> Vec<Day> {
        offsets.iter().map(|offset| Day(100 + offset)).collect()
    }

    #[test]
    fn buckets_go_by_calendar_days_and_empty_ones_are_absent() {
        let score = FoldScore::of(&days(&[0, 6, 7, 28]), &[1.0, 2.0, 3.0, 4.0], &[0.0; 4]);
        let mae: Vec<(&str, f64)> = score.buckets.iter().map(|(b, m)| (b.name(), m.mae)).collect();
        assert_eq!(mae, [("h_1_7", 1.5), ("h_8_14", 3.0), ("h_29_plus", 4.0)]);
        let edges = FoldScore::of(&days(&[0, 13, 14, 27]), &[1.0; 4], &[0.0; 4]);
        let names: Vec<&str> = edges.buckets.iter().map(|(b, _)| b.name()).collect();
        assert_eq!(names, ["h_1_7", "h_8_14", "h_15_28"]);
    }

    #[test]
    fn one_bucket_is_the_whole_fold() {
        let score = FoldScore::of(&days(&[0, 1, 2]), &[3.0, 0.0, 5.0], &[1.0, 0.0, 9.0]);
        assert_eq!(score.buckets, [(HorizonBucket::Week1, score.metrics)]);
    }

    #[test]
    fn a_perfect_forecast_of_nothing_is_a_bucket_too() {
        let score = FoldScore::of(&days(&[0, 1]), &[0.0, 0.0], &[0.0, 0.0]);
        assert_eq!(score.buckets.len(), 1);
    }

    #[test]
    fn folds_are_averaged_per_bucket_over_those_that_have_it() {
        let folds = [
            FoldScore::of(&days(&[0, 7]), &[1.0, 5.0], &[0.0, 0.0]),
            FoldScore::of(&days(&[0]), &[3.0], &[0.0]),
        ];
        let summary = Summary::of(&folds);
        let mae: Vec<f64> = summary.buckets.iter().map(|(_, m)| m.mae).collect();
        assert_eq!(mae, [2.0, 5.0]);
        assert_eq!(summary.mean.mae.to_bits(), 3.0_f64.to_bits());
        assert_eq!(summary.stability.mae.to_bits(), 0.0_f64.to_bits());
    }
}
