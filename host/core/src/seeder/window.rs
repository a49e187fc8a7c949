//! The days that a run makes data for.

use std::ops::Range;

use chrono::Datelike;

use crate::Day;

/// From the first to the last day, both included; at least one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    first: Day,
    last: Day,
}

impl Window {
    /// None when the last day is before the first.
    pub fn new(first: Day, last: Day) -> Option<Self> {
        (first <= last).then_some(Self { first, last })
    }

    /// First day.
    pub fn first(self) -> Day {
        self.first
    }

    /// Last day.
    pub fn last(self) -> Day {
        self.last
    }

    /// Number of days.
    pub fn days(self) -> usize {
        (self.last - self.first) as usize + 1
    }

    /// The day with this number, counted from 0.
    pub fn day(self, index: usize) -> Day {
        self.first + index as i32
    }

    /// All days.
    pub fn iter(self) -> impl Iterator<Item = Day> {
        (self.first.0..=self.last.0).map(Day)
    }

    /// Numbers of the days from `from` to `to` (included; none: without end) that are inside the window.
    pub fn span(self, from: Day, to: Option<Day>) -> Range<usize> {
        let to = to.unwrap_or(self.last).min(self.last);
        let from = from.max(self.first);
        if from > to {
            return 0..0;
        }
        (from - self.first) as usize..(to - self.first) as usize + 1
    }
}

/// 1 for 1 January.
pub(crate) fn day_of_year(day: Day) -> f64 {
    f64::from(day.date().ordinal())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_span_is_what_a_look_at_every_day_finds(
            first in -50..50_i32, days in 1..60_i32, from in -80..80_i32, to in proptest::option::of(-80..80_i32)
        ) {
            let window = Window::new(Day(first), Day(first + days - 1)).unwrap();
            let found: Vec<usize> = window.span(Day(from), to.map(Day)).collect();
            let slow: Vec<usize> = (0..window.days())
                .filter(|i| { let d = window.day(*i); d >= Day(from) && to.is_none_or(|to| d <= Day(to)) })
                .collect();
            prop_assert_eq!(found, slow);
            prop_assert_eq!(window.iter().count(), window.days());
        }
    }
}
