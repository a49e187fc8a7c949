//! The factors of demand that depend on the day alone (`seeder.md` §6).

use super::parameters::{Changepoint, Parameters, Trend};
use super::window::day_of_year;
use crate::Day;

/// Base demand times trend, weekday, month, holiday, yearly wave and shocks, for every day of the window.
pub fn daily(parameters: &Parameters) -> Vec<f64> {
    let window = parameters.window;
    (0..window.days())
        .map(|n| parameters.time_series.base_demand * factors(parameters, n, window.day(n)))
        .collect()
}

fn factors(parameters: &Parameters, n: usize, day: Day) -> f64 {
    let series = &parameters.time_series;
    let growth = series.trend_slope * n as f64;
    let trend = match series.trend {
        Trend::None => 1.0,
        // A line that falls ends at zero and not below.
        Trend::Linear => (1.0 + growth).max(0.0),
        Trend::Exponential => growth.exp(),
    };
    let holiday = parameters.holidays.iter().find(|holiday| holiday.day == day).map_or(1.0, |h| h.multiplier);
    let yearly =
        parameters.features.yearly_amplitude * (std::f64::consts::TAU * day_of_year(day) / 365.0).sin();
    trend
        * series.weekly[day.weekday() as usize]
        * series.monthly[day.month() as usize - 1]
        * holiday
        * (1.0 + yearly)
        * shocks(&parameters.features.changepoints, day)
}

/// Shocks add up. Below zero they would turn another negative factor into demand, so they end there.
fn shocks(changepoints: &[Changepoint], day: Day) -> f64 {
    let shock = |point: &Changepoint| {
        let age = day - point.day;
        let left = match (age, point.decay_days) {
            (0, _) => 1.0,
            (..0, _) | (_, 0) => 0.0,
            (age, days) => (-f64::from(age) / f64::from(days)).exp(),
        };
        (point.multiplier - 1.0) * left
    };
    (1.0 + changepoints.iter().map(shock).sum::<f64>()).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seeder::{Scenario, Window};

    fn flat(first: &str, last: &str) -> Parameters {
        let window = Window::new(first.parse().unwrap(), last.parse().unwrap()).unwrap();
        let mut parameters = Parameters::base(window);
        parameters.time_series.weekly = [1.0; 7];
        parameters
    }

    #[track_caller]
    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9 * expected.abs().max(1.0), "{found} instead of {expected}");
    }

    #[test]
    fn trends() {
        let mut p = flat("2026-01-01", "2026-01-11");
        near(daily(&p)[10], 100.0);
        (p.time_series.trend, p.time_series.trend_slope) = (Trend::Linear, 0.002);
        near(daily(&p)[0], 100.0);
        near(daily(&p)[10], 102.0);
        p.time_series.trend = Trend::Exponential;
        near(daily(&p)[10], 100.0 * 0.02_f64.exp());
        (p.time_series.trend, p.time_series.trend_slope) = (Trend::Linear, -0.5);
        near(daily(&p)[10], 0.0);
    }

    #[test]
    fn weekdays_months_and_holidays() {
        // 2026-01-05 is a Monday.
        let window = Window::new("2026-01-05".parse().unwrap(), "2026-01-11".parse().unwrap()).unwrap();
        let week = daily(&Parameters::base(window));
        for (found, expected) in week.iter().zip([80.0, 90.0, 100.0, 100.0, 110.0, 130.0, 120.0]) {
            near(*found, expected);
        }
        let mut rush = Scenario::HolidayRush.parameters(Day(0));
        (rush.time_series.weekly, rush.time_series.trend) = ([1.0; 7], Trend::None);
        let of = |day: &str| daily(&rush)[(day.parse::<Day>().unwrap() - rush.window.first()) as usize];
        near(of("2024-10-31"), 80.0);
        near(of("2024-11-27"), 80.0 * 1.3);
        near(of("2024-11-29"), 80.0 * 1.3 * 3.0);
        near(of("2024-12-25"), 80.0 * 1.8 * 0.3);
        // A holiday of the calendar has no effect of its own.
        near(of("2024-11-11"), 80.0 * 1.3);
    }

    #[test]
    fn the_yearly_wave() {
        let mut p = flat("2023-01-01", "2023-12-31");
        p.features.yearly_amplitude = 0.4;
        let year = daily(&p);
        near(year[364], 100.0);
        near(year[90], 100.0 * (1.0 + 0.4 * (std::f64::consts::TAU * 91.0 / 365.0).sin()));
        assert!(year.iter().all(|d| (60.0..=140.0).contains(d)));
        near(year.iter().sum::<f64>() / 365.0, 100.0);
    }

    #[test]
    fn shocks_add_up_and_wear_off() {
        let mut p = flat("2026-01-01", "2026-02-28");
        let shock = |day: &str, multiplier, decay_days| Changepoint {
            day: day.parse().unwrap(),
            multiplier,
            decay_days,
        };
        p.features.changepoints = vec![shock("2026-01-11", 2.0, 10), shock("2026-01-21", 0.5, 0)];
        let days = daily(&p);
        near(days[9], 100.0);
        near(days[10], 200.0);
        near(days[20], 100.0 * (1.0 + (-1.0_f64).exp() - 0.5));
        near(days[21], 100.0 * (1.0 + (-1.1_f64).exp()));
        p.features.changepoints = vec![shock("2026-01-11", 0.0, 10); 2];
        near(daily(&p)[10], 0.0);
        // One that began before the window still acts.
        p.features.changepoints = vec![shock("2025-12-31", 2.0, 1)];
        near(daily(&p)[0], 100.0 * (1.0 + (-1.0_f64).exp()));
    }
}
