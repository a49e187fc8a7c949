//! The `lightgbm` plugin through the capability against LightGBM's own Python package.
//! `plugins/lightgbm/tests/fixtures/make_fixtures.py` made the fixture.

use std::sync::Arc;

use retailcast_runtime::{Call, FeatureTable, FutureSet, TrainingSet};
use serde_json::Value;

use crate::support::catalogue;

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap_or(f64::NAN)).collect()
}

fn table(columns: &Value) -> FeatureTable {
    let columns: Vec<Vec<f64>> = columns.as_array().unwrap().iter().map(numbers).collect();
    let names = (0..columns.len()).map(|i| format!("x{i}")).collect();
    FeatureTable { names, rows: columns[0].len(), values: columns.concat() }
}

/// The same library, the same parameters: only the print and parse of the saved model lie between, which keep every
/// digit.
const TOLERANCE: f64 = 1e-12;

#[test]
fn forecasts_equal_those_of_the_python_package() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../plugins/lightgbm/tests/fixtures/lightgbm.json");
    let fixture: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let cases = fixture.as_object().unwrap();
    assert_eq!(cases.len(), 5);
    let model = catalogue(None, &[]).model("lightgbm").unwrap();
    for (name, case) in cases {
        let mut session = model.session(&Call { seed: 42, ..Call::default() }).unwrap();
        let target = numbers(&case["y"]);
        let days = (0..target.len() as i32).collect();
        let data = Arc::new(TrainingSet::one(days, target, table(&case["x"])));
        let start = data.days.len() as i32;
        let fitted = session.fit(&case["config"].to_string(), data).unwrap();
        let state = session.save(fitted).unwrap();
        let loaded = session.load(&state).unwrap();
        let features = table(&case["ahead"]);
        let ahead = Arc::new(FutureSet { starts: vec![start], horizon: features.rows, features });
        for fitted in [fitted, loaded] {
            let found = session.predict(fitted, Arc::clone(&ahead)).unwrap().points;
            let expected = numbers(&case["predicted"]);
            assert_eq!(found.len(), expected.len());
            for (f, e) in found.iter().zip(&expected) {
                assert!((f - e).abs() <= TOLERANCE * e.abs(), "{name}: {found:?} instead of {expected:?}");
            }
        }
    }
}
