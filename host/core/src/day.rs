//! Calendar days as plain numbers.

use chrono::{Datelike, NaiveDate};

/// A calendar day, as days since 1970-01-01 (day 0).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i32);

/// `chrono` counts days from 0001-01-01; this is its number for 1970-01-01.
const EPOCH_FROM_CE: i32 = 719_163;

impl Day {
    /// The day of a date.
    pub fn from_date(date: NaiveDate) -> Self {
        Self(date.num_days_from_ce() - EPOCH_FROM_CE)
    }

    /// The date, for writing and calendar questions.
    pub fn date(self) -> NaiveDate {
        self.0
            .checked_add(EPOCH_FROM_CE)
            .and_then(NaiveDate::from_num_days_from_ce_opt)
            // 262,000 years away from today; dates enter through parsers and PostgreSQL, which stop far earlier.
            .unwrap_or(if self.0 < 0 { NaiveDate::MIN } else { NaiveDate::MAX })
    }

    /// 0 = Monday .. 6 = Sunday.
    pub fn weekday(self) -> u32 {
        // 1970-01-01 was a Thursday.
        (self.0 + 3).rem_euclid(7) as u32
    }

    /// 1 .. 12.
    pub fn month(self) -> u32 {
        self.date().month()
    }

    /// 1 .. 4.
    pub fn quarter(self) -> u32 {
        (self.month() - 1) / 3 + 1
    }

    /// The year.
    pub fn year(self) -> i32 {
        self.date().year()
    }

    /// Saturday or Sunday.
    pub fn is_weekend(self) -> bool {
        self.weekday() >= 5
    }

    /// The last day of its month.
    pub fn is_month_end(self) -> bool {
        (self + 1).month() != self.month()
    }
}

impl std::ops::Add<i32> for Day {
    type Output = Self;
    fn add(self, days: i32) -> Self {
        Self(self.0 + days)
    }
}

impl std::ops::Sub for Day {
    type Output = i32;
    fn sub(self, other: Self) -> i32 {
        self.0 - other.0
    }
}

impl std::fmt::Display for Day {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.date().fmt(f)
    }
}

impl std::str::FromStr for Day {
    type Err = chrono::ParseError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        NaiveDate::parse_from_str(text, "%Y-%m-%d").map(Self::from_date)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    #[test]
    fn knows_the_calendar() {
        assert_eq!(day("1970-01-01"), Day(0));
        assert_eq!(day("2024-01-01").weekday(), 0);
        assert_eq!(day("2024-02-10").weekday(), 5);
        assert!(day("2024-02-29").is_month_end());
        assert!(!day("2024-02-28").is_month_end());
        assert_eq!(day("2024-12-31").quarter(), 4);
        assert_eq!(day("1969-12-31"), Day(-1));
    }

    proptest! {
        #[test]
        fn text_and_number_agree(n in -700_000..2_000_000_i32) {
            let day = Day(n);
            prop_assert_eq!(day.date().weekday().num_days_from_monday(), day.weekday());
            if (0..=9999).contains(&day.year()) {
                prop_assert_eq!(day.to_string().parse::<Day>().unwrap(), day);
            }
        }
    }
}
