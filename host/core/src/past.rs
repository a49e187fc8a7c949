//! What a row may know of a column: the values before it. Every lag and every window, of the models' frame and of
//! feature sets, is computed from a [`Past`]; so none of them can see its own row or a later one.

/// The values of a column before a row, oldest first. NaN is missing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Past<'a> {
    known: &'a [f64],
    /// Rows between the last known value and the row itself; 0 for the row right after it.
    unknown: usize,
}

impl<'a> Past<'a> {
    /// Of the row right after `known`.
    pub(crate) fn of(known: &'a [f64]) -> Self {
        Self { known, unknown: 0 }
    }

    /// Of a row that `unknown` further rows separate from `known`.
    pub(crate) fn beyond(known: &'a [f64], unknown: usize) -> Self {
        Self { known, unknown }
    }

    /// The past of the row `k` rows earlier.
    pub(crate) fn earlier(self, k: usize) -> Self {
        let back = k.saturating_sub(self.unknown);
        let known = &self.known[..self.known.len().saturating_sub(back)];
        Self { known, unknown: self.unknown.saturating_sub(k) }
    }

    /// The value `k` rows before the row, k >= 1; NaN when there is none.
    pub(crate) fn lag(self, k: usize) -> f64 {
        k.checked_sub(self.unknown + 1)
            .and_then(|back| self.known.len().checked_sub(back + 1))
            .map_or(f64::NAN, |at| self.known[at])
    }

    /// A statistic of the values of the `w` rows before the row; NaN when fewer than `min_periods` of them are known.
    ///
    /// Every window is summed anew and not slid along: so a cell is a function of its own window alone, to the bit.
    pub(crate) fn window(self, w: usize, min_periods: usize, aggregation: Aggregation) -> f64 {
        let from = self.known.len().saturating_sub(w.saturating_sub(self.unknown));
        let values = self.known[from..].iter().copied().filter(|value| !value.is_nan());
        if values.clone().count() < min_periods { f64::NAN } else { aggregation.of(values) }
    }
}

/// A statistic of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Aggregation {
    /// Arithmetic mean.
    Mean,
    /// Sample standard deviation (divisor n - 1); NaN for a single value.
    Std,
    /// Minimum.
    Min,
    /// Maximum.
    Max,
    /// Sum; 0 of no values.
    Sum,
}

impl Aggregation {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Mean, Self::Std, Self::Min, Self::Max, Self::Sum];

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Std => "std",
            Self::Min => "min",
            Self::Max => "max",
            Self::Sum => "sum",
        }
    }

    fn of(self, values: impl Iterator<Item = f64> + Clone) -> f64 {
        let count = values.clone().count() as f64;
        match self {
            Self::Mean => sum(values) / count,
            Self::Std => {
                let mean = sum(values.clone()) / count;
                (sum(values.map(|value| (value - mean).powi(2))) / (count - 1.0)).sqrt()
            }
            Self::Min => values.reduce(f64::min).unwrap_or(f64::NAN),
            Self::Max => values.reduce(f64::max).unwrap_or(f64::NAN),
            Self::Sum => sum(values),
        }
    }
}

/// From 0.0 on; the standard library's sum of nothing is -0.0.
fn sum(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0, |sum, value| sum + value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAN: f64 = f64::NAN;

    fn bits(value: f64) -> u64 {
        value.to_bits()
    }

    #[test]
    fn a_lag_counts_rows_back_and_finds_nothing_before_the_first() {
        let past = Past::of(&[1.0, 2.0, 3.0]);
        assert_eq!([1, 3].map(|k| bits(past.lag(k))), [3.0, 1.0].map(bits));
        assert!(past.lag(4).is_nan());
        let beyond = Past::beyond(&[1.0, 2.0, 3.0], 2);
        assert!(beyond.lag(2).is_nan());
        assert_eq!(bits(beyond.lag(3)), bits(3.0));
    }

    #[test]
    fn an_earlier_row_knows_less() {
        let past = Past::of(&[1.0, 2.0, 3.0]);
        assert_eq!(bits(past.earlier(1).lag(1)), bits(past.lag(2)));
        assert!(past.earlier(7).lag(1).is_nan());
        let beyond = Past::beyond(&[1.0, 2.0, 3.0], 2);
        assert!(beyond.earlier(1).lag(1).is_nan());
        assert_eq!(bits(beyond.earlier(3).lag(1)), bits(2.0));
    }

    #[test]
    fn a_window_counts_known_values_only() {
        let past = Past::of(&[5.0, NAN, 1.0, 3.0]);
        for (aggregation, expected) in [
            (Aggregation::Mean, 2.0),
            (Aggregation::Min, 1.0),
            (Aggregation::Max, 3.0),
            (Aggregation::Sum, 4.0),
        ] {
            assert_eq!(bits(past.window(3, 2, aggregation)), bits(expected), "{aggregation:?}");
            assert!(past.window(3, 3, aggregation).is_nan(), "{aggregation:?}");
        }
        assert_eq!(bits(past.window(3, 2, Aggregation::Std)), bits(2.0_f64.sqrt()));
        assert!(past.window(1, 1, Aggregation::Std).is_nan(), "a single value has no deviation");
        assert_eq!(bits(past.window(9, 3, Aggregation::Sum)), bits(9.0), "shorter at the start");
    }

    #[test]
    fn rows_that_are_not_known_yet_count_as_missing() {
        let beyond = Past::beyond(&[1.0, 2.0, 3.0], 1);
        assert!(beyond.window(3, 3, Aggregation::Sum).is_nan());
        assert_eq!(bits(beyond.window(3, 2, Aggregation::Sum)), bits(5.0));
        assert!(beyond.window(1, 1, Aggregation::Sum).is_nan());
    }

    #[test]
    fn the_sum_of_nothing_is_a_plain_zero() {
        assert_eq!(bits(Past::of(&[]).window(7, 0, Aggregation::Sum)), bits(0.0));
        assert!(Past::of(&[]).window(7, 0, Aggregation::Min).is_nan());
    }
}
