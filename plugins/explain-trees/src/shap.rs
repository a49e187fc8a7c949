//! Shapley values of trees: how far each feature moves a prediction away from what is expected without any.
//!
//! What is expected when some features are unknown follows the tree: a split on an unknown feature is gone both ways,
//! weighted by the training rows. Lundberg, Erion, Lee: Consistent Individualized Feature Attribution for Tree
//! Ensembles (2018), algorithm 2, in time by leaves and the square of depth instead of by subsets of features.

use crate::tree::{Ensemble, Kind, Tree};

/// A prediction, taken apart: base and contributions add up to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Contributions {
    /// What is expected without knowing any feature.
    pub base: f64,
    /// What each feature adds.
    pub features: Vec<f64>,
}

impl Ensemble {
    /// Takes the prediction for a row apart.
    pub fn contributions(&self, row: &[f64]) -> Contributions {
        let mut found = Contributions { base: self.start, features: vec![0.0; row.len()] };
        for tree in &self.trees {
            found.base += expected(tree);
            let root = Step { feature: None, zero: 1.0, one: 1.0, weight: 0.0 };
            Walk { tree, row, path: Vec::new(), sums: &mut found.features }.visit(0, 0, root);
        }
        found
    }
}

/// The mean of a tree over its training rows.
fn expected(tree: &Tree) -> f64 {
    let mut expected = vec![0.0; tree.positions().len()];
    // Children stand behind their parent.
    for at in tree.positions().rev() {
        expected[at] = match tree.node(at).kind {
            Kind::Leaf(value) => value,
            Kind::Split { left, right, .. } => {
                tree.share(left, right) * expected[left] + tree.share(right, left) * expected[right]
            }
        };
    }
    expected[0]
}

/// A feature on the way from the root, each once; the root itself is none.
#[derive(Debug, Clone, Copy)]
struct Step {
    feature: Option<usize>,
    /// Share of the rows that come this far when the feature is unknown.
    zero: f64,
    /// The same when it is known: 1 or 0.
    one: f64,
    /// In the i-th step: the weight of all sets with i of the features known.
    weight: f64,
}

/// The walk through one tree.
struct Walk<'a> {
    tree: &'a Tree,
    row: &'a [f64],
    /// The paths of the nodes that are open, each behind its parent's.
    path: Vec<Step>,
    sums: &'a mut [f64],
}

impl Walk<'_> {
    /// Visits a node whose parent's path begins at `parent`; `step` leads from there to it.
    fn visit(&mut self, at: usize, parent: usize, step: Step) {
        let start = self.path.len();
        self.path.extend_from_within(parent..);
        extend(&mut self.path, start, step);
        match &self.tree.node(at).kind {
            Kind::Leaf(value) => self.reach(start, *value),
            Kind::Split { feature, test, left, right } => {
                let (hot, cold) =
                    if test.goes_left(self.row[*feature]) { (*left, *right) } else { (*right, *left) };
                // A feature that was asked before counts once.
                let asked = self.path[start..].iter().position(|step| step.feature == Some(*feature));
                let before = asked.map_or((1.0, 1.0), |at| {
                    let Step { zero, one, .. } = self.path[start + at];
                    unwind(&mut self.path, start, at);
                    (zero, one)
                });
                let step =
                    |zero, one| Step { feature: Some(*feature), zero: before.0 * zero, one, weight: 0.0 };
                self.visit(hot, start, step(self.tree.share(hot, cold), before.1));
                self.visit(cold, start, step(self.tree.share(cold, hot), 0.0));
            }
        }
        self.path.truncate(start);
    }

    /// Gives every feature on the path its part of a leaf.
    fn reach(&mut self, start: usize, value: f64) {
        let path = &self.path[start..];
        for (at, step) in path.iter().enumerate() {
            if let Some(feature) = step.feature {
                self.sums[feature] += unwound(path, at).sum::<f64>() * (step.one - step.zero) * value;
            }
        }
    }
}

/// Adds a step to the path that begins at `start`: every set of known features goes on with and without it.
fn extend(path: &mut Vec<Step>, start: usize, step: Step) {
    let length = path.len() - start;
    path.push(Step { weight: if length == 0 { 1.0 } else { 0.0 }, ..step });
    let path = &mut path[start..];
    let of = (length + 1) as f64;
    for i in (0..length).rev() {
        let weight = path[i].weight;
        path[i + 1].weight += step.one * weight * (i + 1) as f64 / of;
        path[i].weight = step.zero * weight * (length - i) as f64 / of;
    }
}

/// Takes a step out again, as if it had never been added.
fn unwind(path: &mut Vec<Step>, start: usize, at: usize) {
    let weights: Vec<f64> = unwound(&path[start..], at).collect();
    // Weights belong to places and stay there; what the steps say moves up.
    path.remove(start + at);
    for (step, weight) in path[start..].iter_mut().rev().zip(weights) {
        step.weight = weight;
    }
}

/// The weights of all places but the last, from there to the first, as they were without a step.
fn unwound(path: &[Step], at: usize) -> impl Iterator<Item = f64> {
    let Step { zero, one, .. } = path[at];
    let last = path.len() - 1;
    let of = path.len() as f64;
    let mut next = path[last].weight;
    (0..last).rev().map(move |i| {
        let rest = (last - i) as f64;
        if one == 0.0 {
            return path[i].weight * of / (zero * rest);
        }
        let weight = next * of / ((i + 1) as f64 * one);
        next = path[i].weight - weight * zero * rest / of;
        weight
    })
}
