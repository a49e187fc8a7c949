//! From recorded rows to a series that a model can read.

use crate::Day;

/// One recorded day of a (store, product) series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation {
    /// The day.
    pub day: Day,
    /// Units sold.
    pub quantity: f64,
    /// Price per unit.
    pub unit_price: f64,
}

/// What a day without a row means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MissingDays {
    /// Zero sales.
    #[default]
    Zero,
    /// Nothing: rows stand next to each other, whatever lies between.
    Skip,
    /// A mistake: the series is refused.
    Error,
}

impl MissingDays {
    /// All values, as they are written.
    pub const NAMES: [&'static str; 3] = ["zero", "skip", "error"];

    /// The name as it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Zero => "zero",
            Self::Skip => "skip",
            Self::Error => "error",
        }
    }

    /// The days of a series with rows on the `recorded` days, each with the number of its row; `None` on a day that
    /// is filled. `Zero` fills from the first row to `window_end`; days before the first row stay out.
    pub(crate) fn days(
        self,
        recorded: &[Day],
        window_end: Day,
    ) -> Result<Vec<(Day, Option<usize>)>, SeriesError> {
        let (Some(first), Some(last)) = (recorded.first(), recorded.last()) else {
            return Err(SeriesError::Empty);
        };
        if let Some(pair) = recorded.windows(2).find(|pair| pair[0] >= pair[1]) {
            return Err(SeriesError::Unordered(pair[1], pair[0]));
        }
        let span = (window_end.max(*last) - *first) as usize + 1;
        match self {
            Self::Zero => {
                let mut rows = recorded.iter().enumerate().peekable();
                let mut row = |day| rows.next_if(|(_, recorded)| **recorded == day).map(|(at, _)| at);
                Ok((first.0..).take(span).map(Day).map(|day| (day, row(day))).collect())
            }
            Self::Error if recorded.len() < span => {
                let missing = recorded.iter().zip(first.0..).find(|(recorded, day)| recorded.0 != *day);
                let first = missing.map_or(*last + 1, |(_, day)| Day(day));
                Err(SeriesError::Missing { first, count: span - recorded.len() })
            }
            Self::Skip | Self::Error => {
                Ok(recorded.iter().enumerate().map(|(at, day)| (*day, Some(at))).collect())
            }
        }
    }
}

impl std::fmt::Display for MissingDays {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for MissingDays {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "zero" => Ok(Self::Zero),
            "skip" => Ok(Self::Skip),
            "error" => Ok(Self::Error),
            _ => Err(format!("`{text}` is not one of {}", Self::NAMES.join(", "))),
        }
    }
}

/// Why rows do not make a series.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SeriesError {
    /// No rows.
    #[error("there are no rows")]
    Empty,
    /// Rows out of order or two of one day.
    #[error("the rows are not in order of day, each day once: {0} follows {1}")]
    Unordered(Day, Day),
    /// Days without a row, and the policy `error`.
    #[error(
        "{count} days have no row, the first is {first}; forecast.missing_days = \"zero\" takes them as zero sales"
    )]
    Missing {
        /// The first of them.
        first: Day,
        /// How many.
        count: usize,
    },
}

/// One series, oldest value first; all columns have the same length.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Series {
    /// Day of every value.
    pub days: Vec<Day>,
    /// Units sold.
    pub quantity: Vec<f64>,
    /// Unit price; on a filled day the last recorded one.
    pub unit_price: Vec<f64>,
    /// Upper median of the positive recorded prices, 1.0 without one: what `price_factor` is relative to.
    pub baseline_price: f64,
}

impl Series {
    /// Makes a series of recorded rows (in order of day). `Zero` fills from the first row to `window_end`;
    /// days before the first row stay out.
    pub fn build(rows: &[Observation], window_end: Day, policy: MissingDays) -> Result<Self, SeriesError> {
        let recorded: Vec<Day> = rows.iter().map(|row| row.day).collect();
        let mut series = Self { baseline_price: baseline_price(rows), ..Self::default() };
        let mut price = f64::NAN;
        for (day, row) in policy.days(&recorded, window_end)? {
            let quantity = row.map_or(0.0, |at| rows[at].quantity);
            price = row.map_or(price, |at| rows[at].unit_price);
            series.push(day, quantity, price);
        }
        Ok(series)
    }

    fn push(&mut self, day: Day, quantity: f64, unit_price: f64) {
        self.days.push(day);
        self.quantity.push(quantity);
        self.unit_price.push(unit_price);
    }

    /// Its first values. The baseline price stays that of the whole.
    #[must_use]
    pub fn first(&self, rows: usize) -> Self {
        Self {
            days: self.days[..rows].to_vec(),
            quantity: self.quantity[..rows].to_vec(),
            unit_price: self.unit_price[..rows].to_vec(),
            baseline_price: self.baseline_price,
        }
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.quantity.len()
    }

    /// Whether it has no value; a series that was built has at least one.
    pub fn is_empty(&self) -> bool {
        self.quantity.is_empty()
    }
}

/// The upper median of the positive unit prices, without averaging; 1.0 when there is none
/// (`forecasting.md`, "Training rows").
fn baseline_price(rows: &[Observation]) -> f64 {
    let mut prices: Vec<f64> = rows.iter().map(|row| row.unit_price).filter(|price| *price > 0.0).collect();
    prices.sort_unstable_by(f64::total_cmp);
    prices.get(prices.len() / 2).copied().unwrap_or(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rows(days: &[i32]) -> Vec<Observation> {
        days.iter()
            .map(|d| Observation { day: Day(*d), quantity: f64::from(*d), unit_price: f64::from(d + 1) })
            .collect()
    }

    #[test]
    fn zero_fills_to_the_end_of_the_window_and_carries_the_price() {
        let series = Series::build(&rows(&[3, 5]), Day(7), MissingDays::Zero).unwrap();
        assert_eq!(series.quantity, [3.0, 0.0, 5.0, 0.0, 0.0]);
        assert_eq!(series.unit_price, [4.0, 4.0, 6.0, 6.0, 6.0]);
        assert_eq!(series.baseline_price.to_bits(), 6.0_f64.to_bits());
    }

    #[test]
    fn skip_keeps_rows_and_error_names_the_first_missing_day() {
        let series = Series::build(&rows(&[3, 5]), Day(7), MissingDays::Skip).unwrap();
        assert_eq!(series.days, [Day(3), Day(5)]);
        let error = |days: &[i32]| Series::build(&rows(days), Day(7), MissingDays::Error);
        assert_eq!(error(&[3, 5]), Err(SeriesError::Missing { first: Day(4), count: 3 }));
        assert_eq!(error(&[3, 4]), Err(SeriesError::Missing { first: Day(5), count: 3 }));
        assert!(error(&[5, 6, 7]).is_ok());
    }

    #[test]
    fn refuses_nothing_and_disorder() {
        assert_eq!(Series::build(&[], Day(7), MissingDays::Zero), Err(SeriesError::Empty));
        assert!(Series::build(&rows(&[5, 5]), Day(7), MissingDays::Zero).is_err());
        assert!(Series::build(&rows(&[5, 3]), Day(7), MissingDays::Skip).is_err());
    }

    #[test]
    fn without_positive_prices_the_baseline_is_one() {
        let free = [Observation { day: Day(0), quantity: 1.0, unit_price: 0.0 }];
        assert_eq!(baseline_price(&free).to_bits(), 1.0_f64.to_bits());
    }

    proptest! {
        #[test]
        fn filling_keeps_every_row_and_adds_only_zeros(days in proptest::collection::btree_set(0..60_i32, 1..40)) {
            let rows = rows(&days.iter().copied().collect::<Vec<_>>());
            let series = Series::build(&rows, Day(60), MissingDays::Zero).unwrap();
            prop_assert_eq!(series.len() as i32, 60 - rows[0].day.0 + 1);
            for (day, quantity) in series.days.iter().zip(&series.quantity) {
                let expected = if days.contains(&day.0) { f64::from(day.0) } else { 0.0 };
                prop_assert_eq!(expected.to_bits(), quantity.to_bits());
            }
        }
    }
}
