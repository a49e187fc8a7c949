//! Forecasts equal scikit-learn 1.8's within 1e-6 relative. `fixtures/make_fixtures.py` made the fixtures.

use std::path::Path;

use retailcast_plugin_regression::boosting::{Model, Params, fit};
use serde_json::Value;

/// The contract's tolerance: the order of sums may differ.
const TOLERANCE: f64 = 1e-6;

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap_or(f64::NAN)).collect()
}

fn columns(value: &Value) -> Vec<Vec<f64>> {
    value.as_array().unwrap().iter().map(numbers).collect()
}

fn predict(model: &Model, columns: &[Vec<f64>]) -> Vec<f64> {
    (0..columns[0].len()).map(|row| model.predict(|feature| columns[feature][row])).collect()
}

fn worst(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let error = |(f, e): (&f64, &f64)| (f - e).abs() / e.abs().max(1e-9);
    found.iter().zip(expected).map(error).fold(0.0, f64::max)
}

#[test]
fn every_fixture_within_tolerance() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut seen = 0;
    let mut worst_of_all: f64 = 0.0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "json") {
            continue;
        }
        let fixture: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let params = &fixture["params"];
        let params = Params {
            max_iter: params["max_iter"].as_u64().unwrap() as u32,
            learning_rate: params["learning_rate"].as_f64().unwrap(),
            max_depth: params["max_depth"].as_u64().unwrap() as u32,
        };
        let x = columns(&fixture["x"]);
        let slices: Vec<&[f64]> = x.iter().map(Vec::as_slice).collect();
        let model = fit(&slices, &numbers(&fixture["y"]), &params).unwrap();
        let error = worst(&predict(&model, &x), &numbers(&fixture["fitted"]))
            .max(worst(&predict(&model, &columns(&fixture["ahead"])), &numbers(&fixture["predicted"])));
        println!("{}: {error:.1e}", path.file_stem().unwrap().display());
        assert!(error < TOLERANCE, "{}: {error:e}", path.display());
        worst_of_all = worst_of_all.max(error);
        seen += 1;
    }
    println!("worst of {seen}: {worst_of_all:.1e}");
    assert!(seen >= 15, "only {seen} fixtures found");
}

/// The seven forecasts printed in the contract.
#[test]
fn the_contract_s_worked_values() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/contract_example.json");
    let fixture: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let x = columns(&fixture["x"]);
    let slices: Vec<&[f64]> = x.iter().map(Vec::as_slice).collect();
    let params = Params { max_iter: 200, learning_rate: 0.05, max_depth: 6 };
    let model = fit(&slices, &numbers(&fixture["y"]), &params).unwrap();
    let printed = [
        42.954_642_677_7,
        27.642_622_476_0,
        26.181_851_183_2,
        29.058_022_580_0,
        30.924_546_372_1,
        34.949_330_288_5,
        41.141_098_176_2,
    ];
    let error = worst(&predict(&model, &columns(&fixture["ahead"])), &printed);
    assert!(error < TOLERANCE, "{error:e}");
}
