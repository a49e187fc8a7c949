//! Two backtests side by side, from their JSON.

use serde_json::{Map, Value, json};

/// A relative change is told only against a number that is not 0.
const SMALLEST: f64 = 1e-10;

/// Compares the main models of two backtest responses; what is wrong with one that is none.
pub(super) fn compare(a: &Map<String, Value>, b: &Map<String, Value>) -> Result<Value, String> {
    let (a, b) = (Side::of("result_a", a)?, Side::of("result_b", b)?);
    let mut metrics = Map::new();
    for name in a.metrics.keys().chain(b.metrics.keys()) {
        if !metrics.contains_key(name) {
            metrics.insert(name.clone(), cell(name, a.metric(name), b.metric(name)));
        }
    }
    Ok(json!({
        "model_a": a.summary(), "model_b": b.summary(), "metric_comparison": metrics,
        "recommendation": recommendation(&a, &b),
    }))
}

struct Side<'a> {
    result: &'a Map<String, Value>,
    model: &'a Map<String, Value>,
    metrics: &'a Map<String, Value>,
}

impl<'a> Side<'a> {
    fn of(name: &str, result: &'a Map<String, Value>) -> Result<Self, String> {
        let inside =
            |object: &'a Map<String, Value>, member: &str| object.get(member).and_then(Value::as_object);
        let model = inside(result, "main_model_results");
        let metrics = model.and_then(|model| inside(model, "aggregated_metrics"));
        match (model, metrics) {
            (Some(model), Some(metrics)) => Ok(Self { result, model, metrics }),
            _ => Err(format!(
                "{name} is no result of tool_run_backtest: main_model_results.aggregated_metrics is missing"
            )),
        }
    }

    fn metric(&self, name: &str) -> Option<f64> {
        self.metrics.get(name).and_then(Value::as_f64)
    }

    fn model_type(&self) -> &str {
        self.model.get("model_type").and_then(Value::as_str).unwrap_or("unknown")
    }

    fn summary(&self) -> Value {
        let (result, model) = (self.result, self.model);
        json!({
            "backtest_id": result.get("backtest_id"), "model_type": model.get("model_type"),
            "config_hash": model.get("config_hash"), "metrics": self.metrics,
        })
    }
}

fn cell(name: &str, a: Option<f64>, b: Option<f64>) -> Value {
    let mut cell = json!({"model_a": a, "model_b": b});
    if let (Some(a), Some(b)) = (a, b) {
        cell["difference"] = json!(b - a);
        if a.abs() > SMALLEST {
            cell["percent_change"] = json!(100.0 * (b - a) / a.abs());
        }
        // The bias has a sign: the one nearer to 0 is better.
        let (a, b) = if name == "bias" { (a.abs(), b.abs()) } else { (a, b) };
        cell["better_model"] = json!(if a <= b { "a" } else { "b" });
    }
    cell
}

fn recommendation(a: &Side<'_>, b: &Side<'_>) -> String {
    let (Some(mae_a), Some(mae_b)) = (a.metric("mae"), b.metric("mae")) else {
        return "One of the models has no MAE, so none is recommended.".to_owned();
    };
    let (name_a, name_b) = (a.model_type(), b.model_type());
    if mae_a.total_cmp(&mae_b).is_eq() {
        return format!("Tie: model A ({name_a}) and model B ({name_b}) have the same MAE of {mae_a:.4}.");
    }
    let (letter, name, better, worse) =
        if mae_a < mae_b { ("A", name_a, mae_a, mae_b) } else { ("B", name_b, mae_b, mae_a) };
    let gain = if worse.abs() > 0.0 {
        format!(", {:.1}% better", 100.0 * (worse - better) / worse)
    } else {
        String::new()
    };
    format!("Model {letter} ({name}) is better: MAE {better:.4} against {worse:.4}{gain}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(model: &str, metrics: &Value) -> Map<String, Value> {
        let value = json!({"backtest_id": "b", "main_model_results":
            {"model_type": model, "config_hash": "c", "aggregated_metrics": metrics}});
        value.as_object().unwrap().clone()
    }

    #[test]
    fn lower_is_better_and_the_bias_is_compared_without_its_sign() {
        let a = result("naive", &json!({"mae": 4.0, "bias": -0.5, "wape": null, "x": 0.0}));
        let b = result("moving_average", &json!({"mae": 3.0, "bias": 0.75, "wape": 9.0, "x": 1.0}));
        let found = compare(&a, &b).unwrap();
        assert_eq!(
            found["metric_comparison"],
            json!({
                "mae": {"model_a": 4.0, "model_b": 3.0, "difference": -1.0, "percent_change": -25.0, "better_model": "b"},
                "bias": {"model_a": -0.5, "model_b": 0.75, "difference": 1.25, "percent_change": 250.0, "better_model": "a"},
                "wape": {"model_a": null, "model_b": 9.0},
                "x": {"model_a": 0.0, "model_b": 1.0, "difference": 1.0, "better_model": "a"},
            })
        );
        assert_eq!(
            found["recommendation"],
            "Model B (moving_average) is better: MAE 3.0000 against 4.0000, 25.0% better."
        );
        let tie = compare(&a, &a).unwrap();
        assert!(tie["recommendation"].as_str().unwrap().starts_with("Tie"));
        assert!(compare(&a, &Map::new()).unwrap_err().contains("result_b"));
    }
}
