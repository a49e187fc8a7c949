//! Laws that hold for any trees and any row.

use proptest::prelude::*;
use retailcast_plugin_explain_trees::tree::{Ensemble, Kind, Missing, Node, Test, Tree};

/// Columns of a row. The last one is asked by no tree.
const COLUMNS: usize = 6;
const ASKED: usize = COLUMNS - 1;

/// A tree while it is made.
#[derive(Debug, Clone)]
enum Branch {
    Leaf { value: f64, rows: u32 },
    Split { feature: usize, test: Test, left: Box<Branch>, right: Box<Branch> },
}

fn test() -> impl Strategy<Value = Test> {
    let missing = prop_oneof![
        Just(Missing::IsZero),
        any::<bool>().prop_map(|left| Missing::ZeroToo { left }),
        any::<bool>().prop_map(|left| Missing::Nan { left }),
    ];
    prop_oneof![
        3 => (-2_i32..3, missing).prop_map(|(at, missing)| Test::UpTo(f64::from(at) + 0.5, missing)),
        1 => any::<u32>().prop_map(|bits| Test::OneOf(vec![bits & 0b111])),
    ]
}

fn branch() -> impl Strategy<Value = Branch> {
    let leaf = (-20_i32..20, 1_u32..50)
        .prop_map(|(value, rows)| Branch::Leaf { value: f64::from(value) / 4.0, rows });
    leaf.prop_recursive(6, 60, 2, |inner| {
        (0..ASKED, test(), inner.clone(), inner).prop_map(|(feature, test, left, right)| Branch::Split {
            feature,
            test,
            left: Box::new(left),
            right: Box::new(right),
        })
    })
}

/// Writes a branch behind what is there; returns its rows.
fn write(branch: &Branch, nodes: &mut Vec<Node>) -> u32 {
    let at = nodes.len();
    nodes.push(Node { kind: Kind::Leaf(0.0), rows: 1 });
    let (kind, rows) = match branch {
        Branch::Leaf { value, rows } => (Kind::Leaf(*value), *rows),
        Branch::Split { feature, test, left, right } => {
            let (first, rows_left) = (nodes.len(), write(left, nodes));
            let (second, rows_right) = (nodes.len(), write(right, nodes));
            let kind = Kind::Split { feature: *feature, test: test.clone(), left: first, right: second };
            (kind, rows_left + rows_right)
        }
    };
    nodes[at] = Node { kind, rows };
    rows
}

fn ensemble(branches: &[Branch], start: f64) -> Ensemble {
    let tree = |branch: &Branch| {
        let mut nodes = Vec::new();
        write(branch, &mut nodes);
        Tree::new(nodes, COLUMNS).unwrap()
    };
    Ensemble { start, trees: branches.iter().map(tree).collect(), link: None }
}

/// What a branch is expected to give when the features of a set (as bits) are known: for all of them the prediction.
/// Written from the definition, not from the algorithm.
fn expected(branch: &Branch, row: &[f64], known: u32) -> f64 {
    fn rows(branch: &Branch) -> f64 {
        match branch {
            Branch::Leaf { rows, .. } => f64::from(*rows),
            Branch::Split { left, right, .. } => rows(left) + rows(right),
        }
    }
    match branch {
        Branch::Leaf { value, .. } => *value,
        Branch::Split { feature, test, left, right } if known >> feature & 1 == 1 => {
            expected(if test.goes_left(row[*feature]) { left } else { right }, row, known)
        }
        Branch::Split { left, right, .. } => {
            (rows(left) * expected(left, row, known) + rows(right) * expected(right, row, known))
                / rows(branch)
        }
    }
}

/// Shapley's formula over all subsets of the other features.
fn shapley(branches: &[Branch], row: &[f64], feature: usize) -> f64 {
    let factorial = |n: usize| (1..=n).map(|i| i as f64).product::<f64>();
    let value = |known: u32| branches.iter().map(|branch| expected(branch, row, known)).sum::<f64>();
    (0_u32..1 << COLUMNS)
        .filter(|known| known >> feature & 1 == 0)
        .map(|known| {
            let size = known.count_ones() as usize;
            let weight = factorial(size) * factorial(COLUMNS - size - 1) / factorial(COLUMNS);
            weight * (value(known | 1 << feature) - value(known))
        })
        .sum()
}

fn row() -> impl Strategy<Value = Vec<f64>> {
    let cell = prop_oneof![9 => (-3_i32..4).prop_map(f64::from), 1 => Just(f64::NAN)];
    proptest::collection::vec(cell, COLUMNS)
}

const ALL: u32 = (1 << COLUMNS) - 1;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Base and contributions are the prediction.
    #[test]
    fn nothing_is_lost(branches in proptest::collection::vec(branch(), 1..4), row in row(), start in -9.0..9.0) {
        let found = ensemble(&branches, start).contributions(&row);
        let sum = found.base + found.features.iter().sum::<f64>();
        let prediction = start + branches.iter().map(|branch| expected(branch, &row, ALL)).sum::<f64>();
        prop_assert!((sum - prediction).abs() < 1e-9, "{sum} instead of {prediction}");
        let base = start + branches.iter().map(|branch| expected(branch, &row, 0)).sum::<f64>();
        prop_assert!((found.base - base).abs() < 1e-9, "base {} instead of {base}", found.base);
    }

    /// Every contribution is Shapley's.
    #[test]
    fn contributions_are_those_of_the_definition(branches in proptest::collection::vec(branch(), 1..3), row in row()) {
        let found = ensemble(&branches, 0.0).contributions(&row);
        for (feature, contribution) in found.features.iter().enumerate() {
            let expected = shapley(&branches, &row, feature);
            prop_assert!((contribution - expected).abs() < 1e-9, "{feature}: {contribution} instead of {expected}");
        }
    }

    /// A feature that no tree asks contributes exactly nothing.
    #[test]
    fn a_dummy_contributes_nothing(branches in proptest::collection::vec(branch(), 1..4), row in row()) {
        prop_assert_eq!(ensemble(&branches, 1.0).contributions(&row).features[ASKED].to_bits(), 0);
    }

    /// Trees add up: so do their contributions.
    #[test]
    fn contributions_of_two_trees_are_the_sum_of_each(a in branch(), b in branch(), row in row()) {
        let one = |branches: &[Branch]| ensemble(branches, 0.0).contributions(&row);
        let (both, first, second) = (one(&[a.clone(), b.clone()]), one(&[a]), one(&[b]));
        for (feature, sum) in both.features.iter().enumerate() {
            prop_assert!((sum - first.features[feature] - second.features[feature]).abs() < 1e-12);
        }
    }
}
