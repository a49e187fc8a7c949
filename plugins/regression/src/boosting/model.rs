//! Fitted trees.

use serde::{Deserialize, Serialize};

/// A node of a tree; children stand behind their parent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) enum Node {
    /// Learning rate times the leaf's value.
    Leaf { value: f64 },
    /// Values up to the threshold go left.
    Split { feature: u32, threshold: f64, missing_left: bool, left: u32, right: u32 },
}

/// One tree; node 0 is the root.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    /// Training rows that reached each node: what an explanation weighs branches with. Empty in models that were saved
    /// before they were counted.
    rows: Vec<u32>,
}

impl Tree {
    /// `rows` has one number per node.
    pub(super) fn new(nodes: Vec<Node>, rows: Vec<u32>) -> Self {
        Self { nodes, rows }
    }

    fn value(&self, cell: impl Fn(usize) -> f64) -> f64 {
        let mut at = 0;
        loop {
            match self.nodes[at] {
                Node::Leaf { value } => return value,
                Node::Split { feature, threshold, missing_left, left, right } => {
                    let x = cell(feature as usize);
                    let goes_left = if x.is_nan() { missing_left } else { x <= threshold };
                    at = if goes_left { left } else { right } as usize;
                }
            }
        }
    }

    /// Children exist and stand behind their parent (so that walking ends), features exist, numbers are numbers.
    fn is_sound(&self, features: u32) -> bool {
        !self.nodes.is_empty()
            && (self.rows.is_empty() || self.rows.len() == self.nodes.len())
            && self.nodes.iter().enumerate().all(|(at, node)| match node {
                Node::Leaf { value } => value.is_finite(),
                Node::Split { feature, threshold, left, right, .. } => {
                    let child = |c: u32| (at + 1..self.nodes.len()).contains(&(c as usize));
                    *feature < features && !threshold.is_nan() && child(*left) && child(*right)
                }
            })
    }
}

/// Why a decoded model cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelError;

impl std::fmt::Display for ModelError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the trees have nodes, features or numbers that do not exist")
    }
}

impl std::error::Error for ModelError {}

/// A fitted model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Model {
    baseline: f64,
    features: u32,
    trees: Vec<Tree>,
}

impl Model {
    pub(super) fn new(baseline: f64, features: u32, trees: Vec<Tree>) -> Self {
        Self { baseline, features, trees }
    }

    /// Columns it was fitted on.
    pub fn feature_count(&self) -> usize {
        self.features as usize
    }

    /// The prediction for one row; `cell(feature)` is NaN when missing.
    pub fn predict(&self, cell: impl Fn(usize) -> f64) -> f64 {
        self.trees.iter().fold(self.baseline, |sum, tree| sum + tree.value(&cell))
    }

    /// A decoded model must be checked before it predicts: a damaged one could walk in circles.
    pub fn check(self) -> Result<Self, ModelError> {
        let sound = self.baseline.is_finite() && self.trees.iter().all(|tree| tree.is_sound(self.features));
        if sound { Ok(self) } else { Err(ModelError) }
    }
}

/// A tree of state format 1, which had no row counts.
#[derive(Deserialize)]
struct UncountedTree {
    nodes: Vec<Node>,
}

/// A model of state format 1: it forecasts as ever, and cannot be explained.
#[derive(Deserialize)]
pub struct UncountedModel {
    baseline: f64,
    features: u32,
    trees: Vec<UncountedTree>,
}

impl From<UncountedModel> for Model {
    fn from(old: UncountedModel) -> Self {
        let uncounted = |tree: UncountedTree| Tree::new(tree.nodes, Vec::new());
        Self::new(old.baseline, old.features, old.trees.into_iter().map(uncounted).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_trees_are_refused() {
        let split = |feature, threshold, left, right| Node::Split {
            feature,
            threshold,
            missing_left: false,
            left,
            right,
        };
        let leaf = Node::Leaf { value: 1.0 };
        let check = |nodes: Vec<Node>| Model::new(0.0, 2, vec![Tree::new(nodes, Vec::new())]).check();
        assert!(check(vec![split(1, 0.5, 1, 2), leaf, leaf]).is_ok());
        assert!(check(vec![]).is_err(), "no root");
        assert!(check(vec![split(1, 0.5, 0, 1), leaf]).is_err(), "a circle");
        assert!(check(vec![split(1, 0.5, 1, 3), leaf, leaf]).is_err(), "no such child");
        assert!(check(vec![split(2, 0.5, 1, 2), leaf, leaf]).is_err(), "no such feature");
        assert!(check(vec![split(1, f64::NAN, 1, 2), leaf, leaf]).is_err(), "no threshold");
        assert!(check(vec![Node::Leaf { value: f64::INFINITY }]).is_err(), "no number");
        let counted = |rows| Model::new(0.0, 2, vec![Tree::new(vec![leaf], rows)]).check();
        assert!(counted(vec![30]).is_ok());
        assert!(counted(vec![20, 10]).is_err(), "counts of no node");
    }
}
