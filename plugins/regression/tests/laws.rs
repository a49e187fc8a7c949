//! Laws that hold for any data.

use proptest::prelude::*;
use retailcast_plugin_regression::boosting::{Model, Params, fit};

const PARAMS: Params = Params { max_iter: 20, learning_rate: 0.3, max_depth: 5 };

/// Two columns (one with missing values) and a target, 40 to 120 rows of small whole numbers.
fn data() -> impl Strategy<Value = (Vec<f64>, Vec<f64>, Vec<f64>)> {
    (40_usize..120).prop_flat_map(|rows| {
        let cell = prop_oneof![9 => (0..20_i32).prop_map(f64::from), 1 => Just(f64::NAN)];
        (
            proptest::collection::vec((0..50_i32).prop_map(f64::from), rows),
            proptest::collection::vec(cell, rows),
            proptest::collection::vec((0..30_i32).prop_map(f64::from), rows),
        )
    })
}

fn predictions(model: &Model, a: &[f64], b: &[f64]) -> Vec<f64> {
    (0..a.len()).map(|row| model.predict(|feature| [a, b][feature][row])).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Averages of the target cannot leave its range by more than the boosting overshoot allows: finite, always.
    #[test]
    fn predictions_are_finite((a, b, y) in data()) {
        let model = fit(&[&a, &b], &y, &PARAMS).unwrap();
        prop_assert!(predictions(&model, &a, &b).iter().all(|p| p.is_finite()));
        prop_assert!(model.predict(|_| f64::NAN).is_finite());
    }

    /// A target that is higher by a constant gives forecasts that are higher by it.
    #[test]
    fn shifting_the_target_shifts_the_forecasts((a, b, y) in data(), shift in -64..64_i32) {
        let shift = f64::from(shift);
        let shifted: Vec<f64> = y.iter().map(|y| y + shift).collect();
        let plain = predictions(&fit(&[&a, &b], &y, &PARAMS).unwrap(), &a, &b);
        let moved = predictions(&fit(&[&a, &b], &shifted, &PARAMS).unwrap(), &a, &b);
        // Single-precision gradients of shifted means round differently and may flip a tie between splits, so the
        // law holds for the mean of all forecasts, which no split changes.
        let mean = |p: &[f64]| p.iter().sum::<f64>() / p.len() as f64;
        prop_assert!((mean(&moved) - mean(&plain) - shift).abs() < 1e-3);
    }

    /// The same data gives the same trees.
    #[test]
    fn fitting_is_deterministic((a, b, y) in data()) {
        prop_assert_eq!(fit(&[&a, &b], &y, &PARAMS).unwrap(), fit(&[&a, &b], &y, &PARAMS).unwrap());
    }

    /// A column that is always missing changes nothing.
    #[test]
    fn a_missing_column_is_ignored((a, b, y) in data()) {
        let nothing = vec![f64::NAN; a.len()];
        let without = fit(&[&a, &b], &y, &PARAMS).unwrap();
        let with = fit(&[&a, &b, &nothing], &y, &PARAMS).unwrap();
        let found: Vec<f64> =
            (0..a.len()).map(|row| with.predict(|f| [&a[..], &b, &nothing][f][row])).collect();
        prop_assert_eq!(predictions(&without, &a, &b), found);
    }
}
