//! Predictions equal scikit-learn 1.8's within 1e-6. `fixtures/make_fixtures.py` made the fixture.

use retailcast_plugin_elastic_net::linear::{Linear, Penalty};
use serde_json::Value;

/// Relative to the largest prediction. Both descend to the same single minimum; what remains is where they stop.
const TOLERANCE: f64 = 1e-6;

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap_or(f64::NAN)).collect()
}

fn columns(value: &Value) -> Vec<Vec<f64>> {
    value.as_array().unwrap().iter().map(numbers).collect()
}

fn predict(model: &Linear, columns: &[Vec<f64>]) -> Vec<f64> {
    (0..columns[0].len()).map(|row| model.predict(|column| columns[column][row])).collect()
}

fn worst(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let scale = expected.iter().map(|e| e.abs()).fold(0.0, f64::max);
    found.iter().zip(expected).map(|(f, e)| (f - e).abs()).fold(0.0, f64::max) / scale
}

#[test]
fn every_case_within_tolerance() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("fixtures/elastic_net.json")).unwrap();
    assert_eq!(cases.len(), 8);
    for case in &cases {
        let number = |name: &str| case[name].as_f64().unwrap();
        let penalty = Penalty { alpha: number("alpha"), l1_ratio: number("l1_ratio") };
        let x = columns(&case["x"]);
        let model = Linear::fit(&x, &numbers(&case["y"]), penalty).unwrap();
        let fitted = worst(&predict(&model, &x), &numbers(&case["fitted"]));
        let ahead = worst(&predict(&model, &columns(&case["ahead"])), &numbers(&case["predicted"]));
        println!("{}: fitted {fitted:.1e}, ahead {ahead:.1e}", case["name"]);
        assert!(fitted.max(ahead) <= TOLERANCE, "{}: fitted {fitted:e}, ahead {ahead:e}", case["name"]);
    }
}
