//! The columns of models across series against those of mlforecast. `fixtures/make_mlforecast.py` made the fixture.

use retailcast_core::frame::{Exogenous, Feature, RowInputs, next_row, training_frame};
use retailcast_core::{Aggregation, CalendarField, Day, MissingDays, Observation, Series, Statics};
use serde_json::Value;

const FEATURES: [Feature; 8] = [
    Feature::Lag(1),
    Feature::Lag(7),
    Feature::Lag(14),
    Feature::Lag(28),
    Feature::Rolling(Aggregation::Mean, 7),
    Feature::Rolling(Aggregation::Mean, 28),
    Feature::Calendar(CalendarField::DayOfWeek),
    Feature::Calendar(CalendarField::Month),
];

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|cell| cell.as_f64().unwrap_or(f64::NAN)).collect()
}

fn close(found: f64, expected: f64) -> bool {
    (found.is_nan() && expected.is_nan()) || (found - expected).abs() <= 1e-12 * expected.abs()
}

#[test]
fn columns_equal_those_of_mlforecast() {
    let fixture: Value = serde_json::from_str(include_str!("fixtures/mlforecast.json")).unwrap();
    assert_eq!(fixture.as_object().unwrap().len(), 2);
    for (name, case) in fixture.as_object().unwrap() {
        let start: Day = case["start"].as_str().unwrap().parse().unwrap();
        let rows: Vec<Observation> = (0..)
            .zip(numbers(&case["y"]))
            .map(|(i, quantity)| Observation { day: start + i, quantity, unit_price: 1.0 })
            .collect();
        let end = rows.last().unwrap().day;
        let series = Series::build(&rows, end, MissingDays::Error).unwrap();
        let frame = training_frame(&FEATURES, &series, &Exogenous::default());
        // The last row once more, as a recursive forecast would meet it.
        let last = series.len() - 1;
        let ahead = RowInputs { day: end, price_factor: 1.0, promo_active: false, is_holiday: false };
        let next = next_row(&FEATURES, &series.quantity[..last], ahead, &Statics::default());
        for (column, expected) in case["columns"].as_array().unwrap().iter().map(numbers).enumerate() {
            let found = frame.column(column);
            assert_eq!(found.len(), expected.len());
            for (row, (found, expected)) in found.iter().zip(&expected).enumerate() {
                assert!(
                    close(*found, *expected),
                    "{name}, {:?}, row {row}: {found}, {expected}",
                    FEATURES[column]
                );
            }
            assert!(close(next.column(column)[0], expected[last]), "{name}, {:?} ahead", FEATURES[column]);
        }
    }
}
