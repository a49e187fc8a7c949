//! Metrics against scikit-learn and numpy; `fixtures/make_metrics.py` makes the fixture.

use retailcast_core::metrics::{Metric, Metrics, mase, mean, rmsse, stability};
use serde_json::Value;

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

#[track_caller]
fn close(found: f64, expected: &Value, what: &str) {
    let expected = expected.as_f64().unwrap();
    assert!((found - expected).abs() <= 1e-12 * expected.abs().max(1.0), "{what}: {found} is not {expected}");
}

#[track_caller]
fn all_close(found: &Metrics, expected: &Value) {
    for (metric, name) in Metric::ALL.into_iter().zip(["mae", "rmse", "smape", "wape", "bias"]) {
        close(found.get(metric), &expected[name], name);
    }
}

#[test]
fn metrics_agree_with_scikit_learn_and_numpy() {
    let models: Value = serde_json::from_str(include_str!("fixtures/metrics.json")).unwrap();
    let models = models.as_array().unwrap();
    assert_eq!(models.len(), 4);
    for model in models {
        let mut folds = Vec::new();
        for fold in model["folds"].as_array().unwrap() {
            let (actual, forecast) = (numbers(&fold["actual"]), numbers(&fold["forecast"]));
            let (training, season) = (numbers(&fold["training"]), fold["season"].as_u64().unwrap() as usize);
            let metrics = Metrics::of(&actual, &forecast);
            all_close(&metrics, fold);
            close(mase(&actual, &forecast, &training, season), &fold["mase"], "mase");
            close(rmsse(&actual, &forecast, &training, season), &fold["rmsse"], "rmsse");
            folds.push(metrics);
        }
        all_close(&Metrics::over(&folds, mean), &model["mean"]);
        let found = Metrics::over(&folds, stability);
        for (metric, name) in Metric::ALL.into_iter().zip(["mae", "rmse", "smape", "wape", "bias"]) {
            let expected = model["stability"][name].as_f64().unwrap();
            // A mean of bias near zero loses digits that its deviation has.
            assert!((found.get(metric) - expected).abs() <= 1e-9 * expected, "{name}: {found:?}");
        }
    }
}
