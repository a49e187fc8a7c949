//! Days and the holidays of the United States (`seeder.md` §7.1).

use std::collections::BTreeMap;

use chrono::{NaiveDate, Weekday};

use super::parameters::SpecialHoliday;
use super::window::Window;
use crate::Day;

/// A row of the calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarDay {
    /// The day; weekday, month, quarter and year follow from it.
    pub day: Day,
    /// Name of the holiday.
    pub holiday: Option<String>,
}

/// All days of the window; holidays of the parameters win over those of the year.
pub fn calendar(window: Window, special: &[SpecialHoliday]) -> Vec<CalendarDay> {
    let mut holidays: BTreeMap<Day, String> = (window.first().year()..=window.last().year())
        .flat_map(holidays_of)
        .map(|(day, name)| (day, name.to_owned()))
        .collect();
    holidays.extend(special.iter().map(|holiday| (holiday.day, holiday.name.clone())));
    window.iter().map(|day| CalendarDay { day, holiday: holidays.remove(&day) }).collect()
}

/// The ten holidays of a year.
pub fn holidays_of(year: i32) -> Vec<(Day, &'static str)> {
    let fixed = |month, day| NaiveDate::from_ymd_opt(year, month, day);
    let nth = |month, weekday, n| NaiveDate::from_weekday_of_month_opt(year, month, weekday, n);
    // The last one is the fifth or, where there is none, the fourth.
    let last = |month, weekday| nth(month, weekday, 5).or_else(|| nth(month, weekday, 4));
    [
        (fixed(1, 1), "New Year's Day"),
        (nth(1, Weekday::Mon, 3), "Martin Luther King Jr. Day"),
        (nth(2, Weekday::Mon, 3), "Presidents Day"),
        (last(5, Weekday::Mon), "Memorial Day"),
        (fixed(7, 4), "Independence Day"),
        (nth(9, Weekday::Mon, 1), "Labor Day"),
        (nth(10, Weekday::Mon, 2), "Columbus Day"),
        (fixed(11, 11), "Veterans Day"),
        (nth(11, Weekday::Thu, 4), "Thanksgiving"),
        (fixed(12, 25), "Christmas Day"),
    ]
    .into_iter()
    .filter_map(|(date, name)| Some((Day::from_date(date?), name)))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn dates_that_were_published() {
        let of = |year| holidays_of(year).into_iter().map(|(day, _)| day.to_string()).collect::<Vec<_>>();
        assert_eq!(
            of(2024),
            [
                "2024-01-01",
                "2024-01-15",
                "2024-02-19",
                "2024-05-27",
                "2024-07-04",
                "2024-09-02",
                "2024-10-14",
                "2024-11-11",
                "2024-11-28",
                "2024-12-25"
            ]
        );
        assert_eq!(
            of(2026),
            [
                "2026-01-01",
                "2026-01-19",
                "2026-02-16",
                "2026-05-25",
                "2026-07-04",
                "2026-09-07",
                "2026-10-12",
                "2026-11-11",
                "2026-11-26",
                "2026-12-25"
            ]
        );
        // A May with five Mondays.
        assert!(of(2027).contains(&"2027-05-31".to_owned()));
    }

    #[test]
    fn special_holidays_win_on_the_same_date() {
        let window = Window::new("2023-12-25".parse().unwrap(), "2024-01-02".parse().unwrap()).unwrap();
        let special = [SpecialHoliday { day: window.first(), name: "Sale".to_owned(), multiplier: 2.0 }];
        let days = calendar(window, &special);
        let named: Vec<String> = days
            .iter()
            .filter_map(|day| day.holiday.as_ref().map(|name| format!("{} {name}", day.day)))
            .collect();
        assert_eq!(named, ["2023-12-25 Sale", "2024-01-01 New Year's Day"]);
        assert_eq!(days.len(), 9);
    }

    proptest! {
        #[test]
        fn every_year_has_ten_on_the_right_weekdays(year in 1..9_999_i32) {
            let holidays = holidays_of(year);
            prop_assert_eq!(holidays.len(), 10);
            let weekdays: Vec<u32> = holidays.iter().map(|(day, _)| day.weekday()).collect();
            for monday in [1, 2, 3, 5, 6] {
                prop_assert_eq!(weekdays[monday], 0);
            }
            prop_assert_eq!(weekdays[8], 3);
            // The week after the last Monday of May is in June.
            prop_assert_eq!((holidays[3].0 + 7).month(), 6);
        }
    }
}
