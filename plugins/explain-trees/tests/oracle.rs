//! Contributions equal those of LightGBM's `pred_contrib` and of the package `shap`, column by column.
//! `fixtures/make_fixtures.py` made the fixtures.

use std::path::Path;

use retailcast_plugin_explain_trees::lightgbm;
use retailcast_plugin_explain_trees::tree::{Ensemble, Kind, Missing, Node, Test, Tree};
use serde_json::Value;

/// Sums in another order; the contributions are of the order of 1.
const TOLERANCE: f64 = 1e-9;

fn cases(file: &str) -> serde_json::Map<String, Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(file);
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap_or(f64::NAN)).collect()
}

/// The rows ahead, each with its contributions (the base last) and its prediction.
fn ahead(case: &Value) -> Vec<(Vec<f64>, Vec<f64>, f64)> {
    let columns: Vec<Vec<f64>> = case["ahead"].as_array().unwrap().iter().map(numbers).collect();
    let predicted = numbers(&case["predicted"]);
    let row = |i: usize| columns.iter().map(|column| column[i]).collect();
    predicted.iter().enumerate().map(|(i, p)| (row(i), numbers(&case["contributions"][i]), *p)).collect()
}

/// The largest difference over all columns and the base.
fn difference(ensemble: &Ensemble, row: &[f64], expected: &[f64]) -> f64 {
    let found = ensemble.contributions(row);
    assert_eq!(found.features.len() + 1, expected.len());
    let all = found.features.iter().chain([&found.base]);
    all.zip(expected).map(|(f, e)| (f - e).abs()).fold(0.0, f64::max)
}

#[test]
fn lightgbm_says_the_same() {
    let cases = cases("lightgbm.json");
    assert_eq!(cases.len(), 4);
    for (name, case) in &cases {
        let columns = case["names"].as_array().unwrap().len();
        let saved = lightgbm::read_text(case["model"].as_str().unwrap(), columns).unwrap();
        assert!(saved.ensemble.link.is_none());
        for (row, expected, prediction) in ahead(case) {
            let row = saved.encode(&row);
            let found = difference(&saved.ensemble, &row, &expected);
            assert!(found < TOLERANCE, "{name}: {found:e}");
            let contributions = saved.ensemble.contributions(&row);
            let sum = contributions.base + contributions.features.iter().sum::<f64>();
            assert!((sum - prediction).abs() < TOLERANCE, "{name}: {sum} instead of {prediction}");
        }
    }
}

/// Its contributions are on the scale of the logarithm, and the objective says so.
#[test]
fn a_log_link_is_seen() {
    let case = &cases("log_link.json")["poisson"];
    let saved = lightgbm::read_text(case["model"].as_str().unwrap(), 7).unwrap();
    assert_eq!(saved.ensemble.link.as_deref(), Some("poisson"));
    for (row, expected, prediction) in ahead(case) {
        assert!(difference(&saved.ensemble, &row, &expected) < TOLERANCE);
        assert!((expected.iter().sum::<f64>().exp() - prediction).abs() < TOLERANCE);
    }
}

#[test]
fn shap_says_the_same_of_scikit_learn_s_trees() {
    let cases = cases("regression.json");
    assert_eq!(cases.len(), 3);
    for (name, case) in &cases {
        let columns = case["names"].as_array().unwrap().len();
        let trees = case["trees"].as_array().unwrap().iter();
        let ensemble = Ensemble {
            start: case["baseline"].as_f64().unwrap(),
            trees: trees.map(|nodes| tree(nodes, columns)).collect(),
            link: None,
        };
        for (row, expected, _) in ahead(case) {
            let found = difference(&ensemble, &row, &expected);
            assert!(found < TOLERANCE, "{name}: {found:e}");
        }
    }
}

fn tree(nodes: &Value, columns: usize) -> Tree {
    let position = |node: &Value, member: &str| node[member].as_u64().unwrap() as usize;
    let node = |node: &Value| {
        let kind = match node["value"].as_f64() {
            Some(value) => Kind::Leaf(value),
            None => Kind::Split {
                feature: position(node, "feature"),
                test: Test::UpTo(
                    node["threshold"].as_f64().unwrap(),
                    Missing::Nan { left: node["missing_left"].as_bool().unwrap() },
                ),
                left: position(node, "left"),
                right: position(node, "right"),
            },
        };
        Node { kind, rows: node["rows"].as_u64().unwrap() as u32 }
    };
    Tree::new(nodes.as_array().unwrap().iter().map(node).collect(), columns).unwrap()
}

/// A text that is cut or changed anywhere is refused or read, and nothing panics.
#[test]
fn damaged_texts_do_no_harm() {
    let case = &cases("lightgbm.json")["global"];
    let text = case["model"].as_str().unwrap();
    let row: Vec<f64> = ahead(case)[0].0.clone();
    for at in (0..text.len()).step_by(97) {
        let cut = lightgbm::read_text(&text[..at], 11);
        if let Ok(saved) = &cut {
            saved.ensemble.contributions(&saved.encode(&row));
        }
        let changed = format!("{}9{}", &text[..at], &text[at + 1..]);
        if let Ok(saved) = lightgbm::read_text(&changed, 11) {
            saved.ensemble.contributions(&saved.encode(&row));
        }
    }
    assert!(lightgbm::read_text(text, 7).unwrap_err().message.contains("11 columns, given are 7"));
    assert!(lightgbm::read_text(&text[..text.len() / 2], 11).is_err());
}
