//! What a day says by itself.

use crate::Day;

/// A number that follows from the day alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CalendarField {
    /// 0 = Monday .. 6 = Sunday.
    DayOfWeek,
    /// sin(2 pi d / 7).
    DowSin,
    /// cos(2 pi d / 7).
    DowCos,
    /// 1 .. 12.
    Month,
    /// sin(2 pi m / 12).
    MonthSin,
    /// cos(2 pi m / 12).
    MonthCos,
    /// 1 .. 4.
    Quarter,
    /// The year.
    Year,
    /// 1 on Saturday and Sunday.
    IsWeekend,
    /// 1 on the last day of a month.
    IsMonthEnd,
}

impl CalendarField {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::DayOfWeek,
        Self::DowSin,
        Self::DowCos,
        Self::Month,
        Self::MonthSin,
        Self::MonthCos,
        Self::Quarter,
        Self::Year,
        Self::IsWeekend,
        Self::IsMonthEnd,
    ];

    /// The column's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::DayOfWeek => "day_of_week",
            Self::DowSin => "dow_sin",
            Self::DowCos => "dow_cos",
            Self::Month => "month",
            Self::MonthSin => "month_sin",
            Self::MonthCos => "month_cos",
            Self::Quarter => "quarter",
            Self::Year => "year",
            Self::IsWeekend => "is_weekend",
            Self::IsMonthEnd => "is_month_end",
        }
    }

    /// Its value on a day.
    pub fn value(self, day: Day) -> f64 {
        let angle = |value: u32, period: f64| std::f64::consts::TAU * f64::from(value) / period;
        let flag = |on: bool| f64::from(u8::from(on));
        match self {
            Self::DayOfWeek => f64::from(day.weekday()),
            Self::DowSin => angle(day.weekday(), 7.0).sin(),
            Self::DowCos => angle(day.weekday(), 7.0).cos(),
            Self::Month => f64::from(day.month()),
            Self::MonthSin => angle(day.month(), 12.0).sin(),
            Self::MonthCos => angle(day.month(), 12.0).cos(),
            Self::Quarter => f64::from(day.quarter()),
            Self::Year => f64::from(day.year()),
            Self::IsWeekend => flag(day.is_weekend()),
            Self::IsMonthEnd => flag(day.is_month_end()),
        }
    }

    /// Whether its values are whole numbers.
    pub fn is_integer(self) -> bool {
        !matches!(self, Self::DowSin | Self::DowCos | Self::MonthSin | Self::MonthCos)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_a_saturday_at_the_end_of_a_month() {
        let day: Day = "2024-08-31".parse().unwrap();
        let values = CalendarField::ALL.map(|field| field.value(day));
        let (week, year) = (std::f64::consts::TAU * 5.0 / 7.0, std::f64::consts::TAU * 8.0 / 12.0);
        let expected = [5.0, week.sin(), week.cos(), 8.0, year.sin(), year.cos(), 3.0, 2024.0, 1.0, 1.0];
        assert_eq!(values.map(f64::to_bits), expected.map(f64::to_bits));
        for (field, value) in CalendarField::ALL.into_iter().zip(values) {
            assert!(!field.is_integer() || value.fract() == 0.0, "{field:?}");
        }
    }
}
