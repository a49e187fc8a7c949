use retailcast_sdk::ErrorCode;
use retailcast_sdk::explain::{PromotionSignal, Reason, StockSignal};

use super::*;
use crate::regression::{SavedModel, SavedNode, SavedTree};

fn header(name: &str, format: u32) -> Vec<u8> {
    [b"RCS2", &[name.len() as u8][..], name.as_bytes(), &format.to_le_bytes()].concat()
}

/// One tree on two columns of ten rows: lags of at most 3 sell 2 less than the mean of 5, others by promotion.
fn saved() -> SavedModel {
    let split = |feature, threshold, left, right| SavedNode::Split {
        feature,
        threshold,
        missing_left: true,
        left,
        right,
    };
    let leaf = |value| SavedNode::Leaf { value };
    SavedModel {
        baseline: 5.0,
        features: 2,
        trees: vec![SavedTree {
            nodes: vec![split(0, 3.0, 1, 2), leaf(-2.0), split(1, 0.5, 3, 4), leaf(0.0), leaf(4.0)],
            rows: vec![10, 6, 4, 1, 3],
        }],
    }
}

fn state(models: &[Result<SavedModel, Error>]) -> Vec<u8> {
    let body = models.iter().fold(vec![models.len() as u8], |mut bytes, model| {
        match model {
            Ok(model) => {
                bytes.push(0);
                bytes.extend(model.baseline.to_le_bytes());
                bytes.extend([model.features as u8, model.trees.len() as u8]);
                for tree in &model.trees {
                    bytes.push(tree.nodes.len() as u8);
                    tree.nodes.iter().for_each(|node| write(&mut bytes, *node));
                    bytes.push(tree.rows.len() as u8);
                    bytes.extend(tree.rows.iter().map(|rows| *rows as u8));
                }
            }
            Err(_) => bytes.extend([1, 1, 1, b'x', 0, 0]),
        }
        bytes
    });
    [header("regression", 2), body].concat()
}

/// In postcard's encoding; all numbers here are small.
fn write(bytes: &mut Vec<u8>, node: SavedNode) {
    match node {
        SavedNode::Leaf { value } => {
            bytes.push(0);
            bytes.extend(value.to_le_bytes());
        }
        SavedNode::Split { feature, threshold, missing_left, left, right } => {
            bytes.extend([1, feature as u8]);
            bytes.extend(threshold.to_le_bytes());
            bytes.extend([u8::from(missing_left), left as u8, right as u8]);
        }
    }
}

fn fitted(state: Vec<u8>, forecast: f64) -> FittedModel {
    let feature_names = vec!["lag_1".to_owned(), "promo_active".to_owned()];
    FittedModel { state, feature_names, features: vec![7.0, 1.0], forecast }
}

fn subject(model_type: &str) -> Subject {
    Subject {
        store_id: 3,
        product_id: 17,
        model_type: model_type.to_owned(),
        config: "{}".to_owned(),
        as_of: 20_526,
    }
}

fn signals() -> Signals {
    Signals {
        window_days: 30,
        stock: StockSignal { snapshots: 0, stockouts: 0 },
        promotions: PromotionSignal { touching: 0, running: 0 },
        days_since_launch: None,
        holiday: None,
    }
}

fn explain(fitted: &FittedModel, observations: usize) -> Result<Explained, Error> {
    ExplainTrees::explain(&subject("regression"), &vec![1.0; observations], &signals(), Some(fitted))
}

fn refusal(state: Vec<u8>) -> Error {
    explain(&fitted(state, 9.0), 90).unwrap_err()
}

/// By hand: nothing known 5 + (6 * -2 + 1 * 0 + 3 * 4) / 10 = 5; lag alone 5 + 3 = 8; promotion alone
/// 5 + (6 * -2 + 4 * 4) / 10 = 5.4; both 9. So the lag has (3 + 3.6) / 2 = 3.3 and the promotion (0.4 + 1) / 2 = 0.7.
#[test]
fn a_small_tree_by_hand() {
    let found = explain(&fitted(state(&[Ok(saved())]), 9.0), 90).unwrap();
    let numbers: Vec<(&str, f64)> =
        found.drivers.iter().map(|driver| (driver.name.as_str(), driver.contribution)).collect();
    for ((name, found), (wanted, expected)) in
        numbers.iter().zip([("lag", 3.3), ("promotion", 0.7), ("base", 5.0)])
    {
        assert_eq!(*name, wanted);
        assert!((found - expected).abs() < 1e-12, "{name}: {found}");
    }
    assert_eq!(
        (found.method, found.confidence, found.reason_codes.len()),
        (Method::Shap, Confidence::Medium, 0)
    );
    assert_eq!(found.caveats.len(), 3);
    assert_eq!(
        found.summary,
        "regression expects 9.0 units for store 3, product 17 on 2026-03-15. Main driver: lag (7.0). Confidence: \
         medium. No signal was found."
    );
}

#[test]
fn a_short_history_is_told() {
    let found = explain(&fitted(state(&[Ok(saved())]), 9.0), COMFORTABLE - 1).unwrap();
    assert_eq!(
        (found.confidence, found.reason_codes[0].code),
        (Confidence::Low, Reason::InsufficientHistory)
    );
}

#[test]
fn what_was_cut_at_zero_is_a_driver_of_its_own() {
    let mut low = saved();
    low.baseline = -6.0;
    let found = explain(&fitted(state(&[Ok(low)]), 0.0), 90).unwrap();
    let link = found.drivers.last().unwrap();
    assert_eq!(link.name, "link");
    assert!((link.value + 2.0).abs() < 1e-12 && (link.contribution - 2.0).abs() < 1e-12, "{link:?}");
    let sum: f64 = found.drivers.iter().map(|driver| driver.contribution).sum();
    assert!(sum.abs() < 1e-12, "{sum}");
    assert!(found.caveats[3].contains("cut at 0"), "{:?}", found.caveats);
}

#[test]
fn states_that_say_something_else_are_refused_with_what_to_do() {
    let other = explain(&fitted(state(&[Ok(saved())]), 9.5), 90).unwrap_err();
    assert!(other.message.contains("add up to 9") && other.message.contains("9.5"), "{other}");
    let mut uncounted = saved();
    uncounted.trees[0].rows.clear();
    for old in [state(&[Ok(uncounted)]), header("regression", 1)] {
        let error = refusal(old);
        assert_eq!(error.code, ErrorCode::ArtifactMismatch);
        assert!(error.message.contains("train it again"), "{error}");
    }
    assert!(refusal(header("regression", 3)).message.contains("format 3"));
    assert!(refusal(header("naive", 2)).message.contains("not a state of regression"));
    assert!(refusal(state(&[Ok(saved()), Ok(saved())])).message.contains("2 series"));
    let mut wide = saved();
    wide.features = 3;
    assert!(refusal(state(&[Ok(wide)])).message.contains("fitted on 3 columns, given are 2"));
    // The reason why the series has no model is handed on.
    assert_eq!(refusal(state(&[Err(Error::numeric("x"))])).message, "x");
    let whole = state(&[Ok(saved())]);
    for cut in 0..whole.len() {
        refusal(whole[..cut].to_vec());
    }
}

#[test]
fn only_fitted_models_of_known_types_are_explained() {
    let without = ExplainTrees::explain(&subject("regression"), &[], &signals(), None).unwrap_err();
    assert_eq!(without.code, ErrorCode::Unsupported);
    let model = fitted(state(&[Ok(saved())]), 9.0);
    let stranger = ExplainTrees::explain(&subject("naive"), &[], &signals(), Some(&model)).unwrap_err();
    assert!(stranger.message.contains("only regression, lightgbm"), "{stranger}");
    let half = FittedModel { features: vec![7.0], ..model };
    assert!(explain(&half, 90).unwrap_err().message.contains("2 columns have names and 1"));
}
