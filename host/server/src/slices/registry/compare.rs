//! What differs between two runs.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Number, Value};

use super::run::Run;

/// Two runs side by side. Keys are in the order of code points.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// One run.
    pub a: Run,
    /// The other.
    pub b: Run,
    /// Top-level keys of the configurations whose values differ; a missing key is null.
    pub config: BTreeMap<String, (Value, Value)>,
    /// Every top-level key of the metrics.
    pub metrics: BTreeMap<String, MetricPair>,
}

/// A metric of two runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MetricPair {
    /// When it is a number; true and false are 1 and 0.
    pub a: Option<f64>,
    /// When it is a number; true and false are 1 and 0.
    pub b: Option<f64>,
}

impl MetricPair {
    /// b - a.
    pub fn difference(self) -> Option<f64> {
        Some(self.b? - self.a?)
    }
}

impl Comparison {
    /// Compares.
    pub fn of(a: Run, b: Run) -> Self {
        let config = config_diff(&a.model_config, &b.model_config);
        let metrics = metrics_diff(a.metrics.as_ref(), b.metrics.as_ref());
        Self { a, b, config, metrics }
    }
}

fn config_diff(a: &Map<String, Value>, b: &Map<String, Value>) -> BTreeMap<String, (Value, Value)> {
    let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    let value = |object: &Map<String, Value>, key| object.get(key).cloned().unwrap_or_default();
    keys.into_iter()
        .map(|key| (key.clone(), (value(a, key), value(b, key))))
        .filter(|(_, (a, b))| !equal(a, b))
        .collect()
}

fn metrics_diff(
    a: Option<&Map<String, Value>>,
    b: Option<&Map<String, Value>>,
) -> BTreeMap<String, MetricPair> {
    let keys = [a, b].into_iter().flatten().flat_map(Map::keys);
    let value = |object: Option<&Map<String, Value>>, key| object?.get(key).and_then(metric);
    keys.map(|key| (key.clone(), MetricPair { a: value(a, key), b: value(b, key) })).collect()
}

fn metric(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(flag) => Some(f64::from(u8::from(*flag))),
        number => number.as_f64(),
    }
}

/// Deep equality by value: 1 and 1.0 are equal, the order of members does not matter.
fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => equal_numbers(a, b),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| equal(a, b)))
        }
        (a, b) => a == b,
    }
}

/// Integers exactly, so that large ones do not become equal as floats.
fn equal_numbers(a: &Number, b: &Number) -> bool {
    match (a.as_i128(), b.as_i128()) {
        (Some(a), Some(b)) => a == b,
        _ => a.as_f64() == b.as_f64(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn configurations_differ_where_values_do() {
        let diff = |a: Value, b: Value| json!(config_diff(&object(a), &object(b)));
        assert_eq!(
            diff(
                json!({"z": 1, "a": 7, "deep": {"x": [1, 2], "y": 1}, "gone": null, "same": [1, {"k": 2.0}]}),
                json!({"a": 14, "deep": {"y": 1.0, "x": [1, 3]}, "same": [1.0, {"k": 2}], "new": false}),
            ),
            json!({
                "a": [7, 14], "deep": [{"x": [1, 2], "y": 1}, {"y": 1.0, "x": [1, 3]}], "new": [null, false],
                "z": [1, null],
            })
        );
        assert_eq!(diff(json!({"é": 1, "z": 1, "Z": 1}), json!({})).as_object().unwrap().len(), 3);
        assert_eq!(diff(json!({"n": u64::MAX}), json!({"n": u64::MAX - 1})).as_object().unwrap().len(), 1);
        assert_eq!(diff(json!({"t": true}), json!({"t": 1})), json!({"t": [true, 1]}));
    }

    #[test]
    fn every_metric_is_there_and_only_numbers_have_a_difference() {
        let a = object(json!({"mae": 4.5, "ok": true, "note": "fine", "only_a": 1}));
        let b = object(json!({"mae": 4, "ok": false, "note": 1, "only_b": [1]}));
        let diff = metrics_diff(Some(&a), Some(&b));
        let told: Vec<_> =
            diff.iter().map(|(key, pair)| (key.as_str(), pair.a, pair.b, pair.difference())).collect();
        assert_eq!(
            told,
            [
                ("mae", Some(4.5), Some(4.0), Some(-0.5)),
                ("note", None, Some(1.0), None),
                ("ok", Some(1.0), Some(0.0), Some(-1.0)),
                ("only_a", Some(1.0), None, None),
                ("only_b", None, None, None),
            ]
        );
        assert!(metrics_diff(None, None).is_empty());
        assert_eq!(metrics_diff(None, Some(&b)).len(), 4);
    }

    fn json_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-3_i64..3).prop_map(Value::from),
            (-3_i64..3).prop_map(|n| Value::from(n as f64)),
            "[ab]?".prop_map(Value::from),
        ];
        leaf.prop_recursive(2, 8, 3, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                proptest::collection::btree_map("[a-c]", inner, 0..3)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    fn config() -> impl Strategy<Value = Map<String, Value>> {
        proptest::collection::btree_map("[a-d]", json_value(), 0..4)
            .prop_map(|members| members.into_iter().collect())
    }

    proptest! {
        #[test]
        fn a_configuration_equals_itself_in_any_order(config in config()) {
            let turned: Map<_, _> = config.clone().into_iter().rev().collect();
            prop_assert!(config_diff(&config, &turned).is_empty());
        }

        #[test]
        fn turned_around_the_sides_change_places(a in config(), b in config()) {
            let there = config_diff(&a, &b);
            let back: BTreeMap<_, _> =
                config_diff(&b, &a).into_iter().map(|(key, (b, a))| (key, (a, b))).collect();
            prop_assert_eq!(there, back);
            let (there, back) = (metrics_diff(Some(&a), Some(&b)), metrics_diff(Some(&b), Some(&a)));
            prop_assert!(there.keys().eq(back.keys()));
            for (key, pair) in there {
                prop_assert_eq!(pair.difference(), back[&key].difference().map(|d| 0.0 - d));
            }
        }

        #[test]
        fn what_is_not_named_is_equal(a in config(), b in config()) {
            let diff = config_diff(&a, &b);
            for key in a.keys().chain(b.keys()).filter(|key| !diff.contains_key(*key)) {
                let (a, b) = (a.get(key).unwrap_or(&Value::Null), b.get(key).unwrap_or(&Value::Null));
                prop_assert!(equal(a, b));
            }
        }
    }
}
