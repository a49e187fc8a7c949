//! Contributions of columns as drivers: columns that tell of the same thing stand together.

use std::cmp::Ordering;

use retailcast_sdk::explain::{Direction, Driver};

use crate::shap::Contributions;

/// What columns tell of: the driver's name, and what people call it.
const GROUPS: [(&str, &str); 8] = [
    ("lag", "Sales of the days before"),
    ("calendar", "Weekday, month and end of month"),
    ("price", "The price over the usual one"),
    ("promotion", "Whether a promotion runs"),
    ("holiday", "Whether the day is a holiday"),
    ("launch", "The product's age"),
    ("series", "Which store, product and category it is"),
    ("other", "Columns of another kind"),
];
/// Position of the last group.
const OTHER: usize = GROUPS.len() - 1;

/// Columns that a description names; the rest is summed.
const NAMED: usize = 3;

/// A column of the model.
struct Column<'a> {
    name: &'a str,
    value: f64,
    contribution: f64,
}

fn group_of(column: &str) -> usize {
    match column {
        "day_of_week" | "dow_sin" | "dow_cos" | "month" | "month_sin" | "month_cos" | "quarter" | "year"
        | "is_weekend" | "is_month_end" => 1,
        "price_factor" => 2,
        "promo_active" => 3,
        "is_holiday" => 4,
        "days_since_launch" => 5,
        "store" | "product" | "category" => 6,
        name if name.starts_with("lag_") || name.starts_with("rolling_") => 0,
        _ => OTHER,
    }
}

/// One driver per group that has columns, the largest contribution first; then the base, which comes first when nothing
/// else contributes.
pub(crate) fn drivers(names: &[String], row: &[f64], found: &Contributions) -> Vec<Driver> {
    let cells = names.iter().zip(row).zip(&found.features);
    let mut columns: Vec<Column<'_>> = cells
        .map(|((name, value), contribution)| Column { name, value: *value, contribution: *contribution })
        .collect();
    columns.sort_by(|a, b| largest_first(a.contribution, b.contribution));
    let group = |at: usize| {
        let of_group: Vec<&Column<'_>> =
            columns.iter().filter(|column| group_of(column.name) == at).collect();
        (!of_group.is_empty()).then(|| driver(GROUPS[at], &of_group))
    };
    let mut drivers: Vec<Driver> = (0..GROUPS.len()).filter_map(group).collect();
    drivers.sort_by(|a, b| largest_first(a.contribution, b.contribution));
    let nothing = drivers.iter().all(|driver| driver.contribution == 0.0);
    drivers.insert(if nothing { 0 } else { drivers.len() }, base(found.base));
    drivers
}

fn largest_first(a: f64, b: f64) -> Ordering {
    b.abs().total_cmp(&a.abs())
}

/// Several columns as one, those that contribute most first. Its value is that of the first one, 0 where it is missing.
fn driver((name, people): (&str, &str), columns: &[&Column<'_>]) -> Driver {
    let contribution = columns.iter().map(|column| column.contribution).sum();
    let value = columns[0].value;
    let (named, rest) = columns.split_at(columns.len().min(NAMED));
    let mut parts: Vec<String> = named.iter().map(|column| told(column)).collect();
    if !rest.is_empty() {
        let sum: f64 = rest.iter().map(|column| column.contribution).sum();
        parts.push(format!("{} more ({sum:+.2})", rest.len()));
    }
    Driver {
        name: name.to_owned(),
        value: if value.is_finite() { value } else { 0.0 },
        contribution,
        direction: Direction::of(contribution),
        description: format!("{people}: {}.", parts.join(", ")),
    }
}

fn told(column: &Column<'_>) -> String {
    let Column { name, value, contribution } = column;
    if value.is_nan() {
        format!("{name} is missing ({contribution:+.2})")
    } else {
        format!("{name} is {value:.4} ({contribution:+.2})")
    }
}

fn base(base: f64) -> Driver {
    Driver {
        name: "base".to_owned(),
        value: base,
        contribution: base,
        direction: Direction::of(base),
        description: "What the model expects of any day: the mean of its forecasts over the days that it was trained on.".to_owned(),
    }
}

/// What lies between the sum of the trees and the forecast.
pub(crate) fn link(sum: f64, forecast: f64, description: String) -> Driver {
    let contribution = forecast - sum;
    Driver {
        name: "link".to_owned(),
        value: sum,
        contribution,
        direction: Direction::of(contribution),
        description,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(columns: &[(&str, f64, f64)], base: f64) -> Vec<Driver> {
        let names: Vec<String> = columns.iter().map(|(name, ..)| (*name).to_owned()).collect();
        let row: Vec<f64> = columns.iter().map(|(_, value, _)| *value).collect();
        let features = columns.iter().map(|(.., contribution)| *contribution).collect();
        drivers(&names, &row, &Contributions { base, features })
    }

    #[test]
    fn columns_of_a_kind_are_one_driver_and_the_largest_comes_first() {
        let found = explained(
            &[
                ("lag_1", 4.0, 0.5),
                ("rolling_mean_7", 5.0, -1.5),
                ("month", 7.0, 0.25),
                ("price_factor", 0.8, 3.0),
                ("promo_active", 1.0, 0.5),
                ("is_holiday", 0.0, 0.0),
                ("days_since_launch", f64::NAN, 0.125),
                ("store", 70_000.0, -0.0625),
                ("moon", 1.0, 0.03125),
            ],
            10.0,
        );
        let numbers: Vec<(&str, f64, f64)> =
            found.iter().map(|driver| (driver.name.as_str(), driver.value, driver.contribution)).collect();
        assert_eq!(
            numbers,
            [
                ("price", 0.8, 3.0),
                ("lag", 5.0, -1.0),
                ("promotion", 1.0, 0.5),
                ("calendar", 7.0, 0.25),
                ("launch", 0.0, 0.125),
                ("series", 70_000.0, -0.0625),
                ("other", 1.0, 0.03125),
                ("holiday", 0.0, 0.0),
                ("base", 10.0, 10.0),
            ]
        );
        assert_eq!(
            found[1].description,
            "Sales of the days before: rolling_mean_7 is 5.0000 (-1.50), lag_1 is 4.0000 (+0.50)."
        );
        assert_eq!(found[4].description, "The product's age: days_since_launch is missing (+0.12).");
        let directions = [found[0].direction, found[1].direction, found[7].direction];
        assert_eq!(directions, [Direction::Positive, Direction::Negative, Direction::Neutral]);
    }

    #[test]
    fn the_base_leads_when_nothing_else_contributes() {
        let found = explained(&[("lag_1", 4.0, 0.0)], 2.5);
        assert_eq!((found[0].name.as_str(), found[0].contribution, found.len()), ("base", 2.5, 2));
        let lags: Vec<(String, f64, f64)> = (1..6).map(|k| (format!("lag_{k}"), 1.0, f64::from(k))).collect();
        let lags: Vec<(&str, f64, f64)> = lags.iter().map(|(name, v, c)| (name.as_str(), *v, *c)).collect();
        assert!(explained(&lags, 0.0)[0].description.ends_with("lag_3 is 1.0000 (+3.00), 2 more (+3.00)."));
    }
}
