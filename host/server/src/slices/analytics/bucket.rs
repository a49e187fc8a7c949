//! Periods of time series.

use chrono::{Datelike, Days, NaiveDate};

/// How long a period is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Granularity {
    /// A day.
    Day,
    /// An ISO week, from Monday.
    Week,
    /// A month.
    Month,
    /// A quarter.
    Quarter,
}

impl Granularity {
    /// On the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
        }
    }

    /// The first day of the period that a day belongs to.
    pub fn period(self, day: NaiveDate) -> NaiveDate {
        let first_of = |month| {
            // Every month of the calendar has a first day.
            NaiveDate::from_ymd_opt(day.year(), month, 1).unwrap_or(day)
        };
        match self {
            Self::Day => day,
            Self::Week => day - Days::new(u64::from(day.weekday().num_days_from_monday())),
            Self::Month => first_of(day.month()),
            Self::Quarter => first_of(day.month0() / 3 * 3 + 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_start_where_the_contract_says() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        for (granularity, date, start) in [
            (Granularity::Day, "2025-03-05", "2025-03-05"),
            (Granularity::Week, "2025-03-05", "2025-03-03"),
            (Granularity::Week, "2025-03-03", "2025-03-03"),
            (Granularity::Week, "2025-03-09", "2025-03-03"),
            (Granularity::Week, "2027-01-01", "2026-12-28"),
            (Granularity::Month, "2024-02-29", "2024-02-01"),
            (Granularity::Quarter, "2024-01-01", "2024-01-01"),
            (Granularity::Quarter, "2024-06-30", "2024-04-01"),
            (Granularity::Quarter, "2024-09-01", "2024-07-01"),
            (Granularity::Quarter, "2024-12-31", "2024-10-01"),
        ] {
            assert_eq!(granularity.period(day(date)), day(start), "{granularity:?} {date}");
        }
    }
}
