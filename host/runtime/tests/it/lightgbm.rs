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

/// The global model sees codes that lie far apart; the package was given pandas' view of them, positions.
#[test]
fn forecasts_across_series_equal_those_of_the_python_package() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../plugins/lightgbm/tests/fixtures/global.json");
    let case: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let model = catalogue(None, &[]).model("lightgbm").unwrap();
    let target = numbers(&case["y"]);
    let offsets: Vec<u32> = numbers(&case["offsets"]).iter().map(|offset| *offset as u32).collect();
    let days = offsets.windows(2).flat_map(|rows| 0..(rows[1] - rows[0]) as i32).collect();
    let starts: Vec<i32> = offsets.windows(2).map(|rows| (rows[1] - rows[0]) as i32).collect();
    let data = Arc::new(TrainingSet { offsets, days, target, features: table(&case["x"]) });
    let features = table(&case["ahead"]);
    let ahead = Arc::new(FutureSet { horizon: features.rows / starts.len(), starts, features });
    let mut states = Vec::new();
    for threads in [1, 2] {
        let mut session = model.session(&Call { seed: 42, threads, ..Call::default() }).unwrap();
        let config = case["config"].to_string();
        assert_eq!(session.requirements(&config).unwrap().scope, retailcast_runtime::Scope::Global);
        let fitted = session.fit(&config, Arc::clone(&data)).unwrap();
        let state = session.save(fitted).unwrap();
        let loaded = session.load(&state).unwrap();
        states.push(state);
        for fitted in [fitted, loaded] {
            let found = session.predict(fitted, Arc::clone(&ahead)).unwrap().points;
            let expected = numbers(&case["predicted"]);
            assert_eq!(found.len(), expected.len());
            for (f, e) in found.iter().zip(&expected) {
                assert!((f - e).abs() <= 1e-9 * e.abs(), "{threads} threads: {f} instead of {e}");
            }
        }
    }
    assert!(states[0] == states[1], "the same bytes on one thread and on two");
}

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
