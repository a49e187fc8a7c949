//! `explain_trees` on what `lightgbm` and `regression` really save, against LightGBM's `pred_contrib` and the package `shap`.
//! `plugins/explain-trees/tests/fixtures/make_fixtures.py` made the fixtures.

use std::collections::BTreeMap;
use std::sync::Arc;

use retailcast_runtime::explain::{Explanation, FittedModel, Signals, Subject};
use retailcast_runtime::{Call, Catalogue, FeatureTable, FutureSet, PluginError, TrainingSet};
use serde_json::Value;

use crate::support::catalogue;

fn cases(file: &str) -> serde_json::Map<String, Value> {
    let path = format!("{}/../../plugins/explain-trees/tests/fixtures/{file}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap_or(f64::NAN)).collect()
}

fn names(case: &Value) -> Vec<String> {
    case["names"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

fn columns(case: &Value, member: &str) -> Vec<Vec<f64>> {
    case[member].as_array().unwrap().iter().map(numbers).collect()
}

fn table(names: &[String], columns: &[Vec<f64>]) -> FeatureTable {
    FeatureTable { names: names.to_vec(), rows: columns[0].len(), values: columns.concat() }
}

/// Fits the model of a case and explains each of its rows ahead.
fn explained(catalogue: &Catalogue, model_type: &str, case: &Value) -> Vec<Explanation> {
    let (names, ahead) = (names(case), columns(case, "ahead"));
    let model = catalogue.model(model_type).unwrap();
    let mut session = model.session(&Call { seed: 42, ..Call::default() }).unwrap();
    let target = numbers(&case["y"]);
    let days = (0..target.len() as i32).collect();
    let data = Arc::new(TrainingSet::one(days, target, table(&names, &columns(case, "x"))));
    let fitted = session.fit(&case["config"].to_string(), data).unwrap();
    let state = session.save(fitted).unwrap();
    let features = table(&names, &ahead);
    let (rows, starts) = (features.rows, vec![400]);
    let future = Arc::new(FutureSet { starts, horizon: rows, features });
    let points = session.predict(fitted, future).unwrap().points;
    let explainer = catalogue.explainer_of(model_type).unwrap();
    let subject = Subject {
        store_id: 3,
        product_id: 17,
        model_type: model_type.to_owned(),
        config: case["config"].to_string(),
        as_of: 399,
    };
    let explain = |(row, forecast): (usize, f64)| {
        let features = ahead.iter().map(|column| column[row]).collect();
        let fitted = FittedModel { state: state.clone(), feature_names: names.clone(), features, forecast };
        let signals = Signals::default();
        explainer.explain(&subject, &[1.0; 100], &signals, Some(&fitted), &Call::default()).unwrap()
    };
    points.into_iter().enumerate().map(explain).collect()
}

/// The driver of a column.
fn group(name: &str) -> &'static str {
    match name {
        "dow_sin" | "day_of_week" | "month" => "calendar",
        "price_factor" => "price",
        "promo_active" => "promotion",
        "is_holiday" => "holiday",
        "days_since_launch" => "launch",
        "store" | "product" | "category" => "series",
        name => {
            assert!(name.starts_with("lag_") || name.starts_with("rolling_mean_"), "{name}");
            "lag"
        }
    }
}

/// What the reference says of one row, by driver.
fn reference(case: &Value, row: usize) -> BTreeMap<&'static str, f64> {
    let contributions = numbers(&case["contributions"][row]);
    let mut groups = BTreeMap::from([("base", *contributions.last().unwrap())]);
    for (name, contribution) in names(case).iter().zip(contributions) {
        *groups.entry(group(name)).or_default() += contribution;
    }
    groups
}

fn compare(file: &str, model_type: &str, tolerance: f64) {
    let catalogue = catalogue(None, &[]);
    for (name, case) in cases(file) {
        for (row, found) in explained(&catalogue, model_type, &case).iter().enumerate() {
            let sum: f64 = found.drivers.iter().map(|driver| driver.contribution).sum();
            assert!(
                (sum - found.forecast).abs() <= 1e-9 * found.forecast.abs().max(1.0),
                "{name}: {found:?}"
            );
            let expected = reference(&case, row);
            assert_eq!(found.drivers.len(), expected.len(), "{name}: {found:?}");
            for driver in &found.drivers {
                let (found, expected) = (driver.contribution, expected[driver.name.as_str()]);
                assert!(
                    (found - expected).abs() < tolerance,
                    "{name}, row {row}, {}: {found} {expected}",
                    driver.name
                );
            }
        }
    }
}

#[test]
fn lightgbm_is_explained_as_its_python_package_does() {
    compare("lightgbm.json", "lightgbm", 1e-9);
}

/// Forecasts of `regression` equal scikit-learn's within 1e-6 relative, and so do the parts of them.
#[test]
fn regression_is_explained_as_shap_explains_scikit_learn() {
    compare("regression.json", "regression", 1e-6);
}

#[test]
fn a_state_that_is_damaged_is_refused() {
    let explainer = catalogue(None, &[]).explainer_of("lightgbm").unwrap();
    let subject = Subject {
        store_id: 1,
        product_id: 1,
        model_type: "lightgbm".to_owned(),
        config: "{}".to_owned(),
        as_of: 0,
    };
    let fitted =
        FittedModel { state: vec![1, 2, 3], feature_names: Vec::new(), features: Vec::new(), forecast: 1.0 };
    let refused =
        explainer.explain(&subject, &[], &Signals::default(), Some(&fitted), &Call::default()).unwrap_err();
    assert!(
        matches!(&refused, PluginError::Guest(e) if e.message.contains("not a state of lightgbm")),
        "{refused}"
    );
}
