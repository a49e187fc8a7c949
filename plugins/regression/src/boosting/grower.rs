//! Grows one tree after the other, best split first. All buffers live as long as the grower.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::Params;
use super::bins::Bins;
use super::histogram::{Histogram, MIN_ROWS, Split, Sums, UNROLL, best_split, fill, subtract};
use super::model::{Node, Tree};

/// Most leaves of a tree.
const MAX_LEAVES: usize = 31;

/// A node whose split is known and waits for its turn.
struct Candidate {
    split: Split,
    /// Which came first; of equal gains the older one is split first.
    order: usize,
    /// Position in the tree.
    node: usize,
    depth: u32,
    /// Its rows, as a range of the grower's row list.
    rows: std::ops::Range<usize>,
    histogram: Histogram,
}

impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Candidate {}
impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        self.split.gain.total_cmp(&other.split.gain).then(other.order.cmp(&self.order))
    }
}

/// A child of a split, on its way to be a leaf or a candidate.
struct Child {
    node: usize,
    rows: std::ops::Range<usize>,
    sums: Sums,
}

pub(super) struct Grower<'a> {
    bins: &'a Bins,
    learning_rate: f64,
    max_depth: u32,
    /// Row numbers; every node owns a range, in ascending order.
    rows: Vec<u32>,
    moved: Vec<u32>,
    queue: BinaryHeap<Candidate>,
    spare: Vec<Histogram>,
    nodes: Vec<Node>,
    /// Rows of each node.
    counts: Vec<u32>,
    leaves: Vec<(usize, std::ops::Range<usize>)>,
    order: usize,
}

impl<'a> Grower<'a> {
    pub(super) fn new(bins: &'a Bins, params: &Params) -> Self {
        Self {
            bins,
            learning_rate: params.learning_rate,
            max_depth: params.max_depth,
            rows: Vec::with_capacity(bins.rows),
            moved: vec![0; bins.rows],
            queue: BinaryHeap::with_capacity(MAX_LEAVES),
            spare: Vec::new(),
            nodes: Vec::new(),
            counts: Vec::new(),
            leaves: Vec::with_capacity(MAX_LEAVES),
            order: 0,
        }
    }

    /// Grows a tree on the gradients and adds it to the predictions.
    pub(super) fn grow(&mut self, gradients: &[f64], predictions: &mut [f64]) -> Tree {
        self.rows.clear();
        self.rows.extend(0..self.bins.rows as u32);
        self.nodes.clear();
        self.counts.clear();
        self.leaves.clear();
        self.order = 0;
        self.start(gradients);
        while let Some(candidate) = self.queue.pop() {
            self.split(candidate, gradients);
        }
        for (node, rows) in &self.leaves {
            let Node::Leaf { value } = self.nodes[*node] else { continue };
            for row in &self.rows[rows.clone()] {
                predictions[*row as usize] += value;
            }
        }
        Tree::new(self.nodes.clone(), self.counts.clone())
    }

    fn start(&mut self, gradients: &[f64]) {
        self.nodes.push(Node::Leaf { value: 0.0 });
        self.counts.push(self.bins.rows as u32);
        let rows = 0..self.bins.rows;
        let sums = Sums { gradient: gradients.iter().sum(), rows: self.bins.rows as f64 };
        if sums.rows < 2.0 * MIN_ROWS {
            self.leaves.push((0, rows));
            return;
        }
        let mut histogram = self.spare.pop().unwrap_or_default();
        fill(&mut histogram, self.bins, &self.rows, gradients);
        // The root's own value is 0.
        self.search(Child { node: 0, rows, sums }, 0.0, 0, histogram);
    }

    /// Queues a node with its best split, or leaves it a leaf.
    fn search(&mut self, child: Child, value: f64, depth: u32, histogram: Histogram) {
        match best_split(&histogram, self.bins, child.sums, value) {
            Some(split) => {
                self.order += 1;
                let Child { node, rows, .. } = child;
                self.queue.push(Candidate { split, order: self.order, node, depth, rows, histogram });
            }
            None => {
                self.leaves.push((child.node, child.rows));
                self.spare.push(histogram);
            }
        }
    }

    fn split(&mut self, candidate: Candidate, gradients: &[f64]) {
        let Candidate { split, node, depth, rows, histogram, .. } = candidate;
        let middle = self.partition(&split, rows.clone());
        let left = self.child(rows.start..middle, split.left);
        let right = self.child(middle..rows.end, split.right);
        let feature = &self.bins.features[split.feature];
        self.nodes[node] = Node::Split {
            feature: split.feature as u32,
            // Past the last value bin all values go left.
            threshold: feature.thresholds.get(split.bin).copied().unwrap_or(f64::INFINITY),
            missing_left: if feature.has_missing {
                split.missing_left
            } else {
                split.left.rows > split.right.rows
            },
            left: left.node as u32,
            right: right.node as u32,
        };

        let full = self.leaves.len() + self.queue.len() + 2 == MAX_LEAVES;
        if full || depth + 1 == self.max_depth {
            self.spare.push(histogram);
            self.leaves.push((left.node, left.rows));
            self.leaves.push((right.node, right.rows));
            if full {
                self.close();
            }
            return;
        }
        self.descend(left, right, depth + 1, histogram, gradients);
    }

    /// Both children: the smaller one's histogram is counted, the larger one's is the parent's less that.
    fn descend(&mut self, left: Child, right: Child, depth: u32, parent: Histogram, gradients: &[f64]) {
        let splittable = |child: &Child| child.sums.rows >= 2.0 * MIN_ROWS;
        if !splittable(&left) && !splittable(&right) {
            self.spare.push(parent);
            self.leaves.push((left.node, left.rows));
            self.leaves.push((right.node, right.rows));
            return;
        }
        let left_is_smaller = left.rows.len() < right.rows.len();
        let smaller = if left_is_smaller { &left } else { &right };
        let mut counted = self.spare.pop().unwrap_or_default();
        fill(&mut counted, self.bins, &self.rows[smaller.rows.clone()], gradients);
        let mut subtracted = parent;
        subtract(&mut subtracted, &counted);
        let (left_histogram, right_histogram) =
            if left_is_smaller { (counted, subtracted) } else { (subtracted, counted) };
        for (child, histogram) in [(left, left_histogram), (right, right_histogram)] {
            if splittable(&child) {
                let value = child.sums.value();
                self.search(child, value, depth, histogram);
            } else {
                self.leaves.push((child.node, child.rows));
                self.spare.push(histogram);
            }
        }
    }

    fn child(&mut self, rows: std::ops::Range<usize>, sums: Sums) -> Child {
        self.nodes.push(Node::Leaf { value: self.learning_rate * sums.value() });
        self.counts.push(rows.len() as u32);
        Child { node: self.nodes.len() - 1, rows, sums }
    }

    /// Everything that waits stays a leaf.
    fn close(&mut self) {
        for candidate in self.queue.drain() {
            self.leaves.push((candidate.node, candidate.rows));
            self.spare.push(candidate.histogram);
        }
    }

    /// Puts the rows that go left before the others, both in order; returns where the others start.
    fn partition(&mut self, split: &Split, rows: std::ops::Range<usize>) -> usize {
        let feature = &self.bins.features[split.feature];
        let last_left = (feature.offset + split.bin) as u32;
        let missing = feature.missing_slot() as u32;
        let (mut middle, mut moved) = (rows.start, 0);
        // Both places are written and one of them counts: no branch to guess wrong.
        let mut place = |row: u32, all: &mut [u32]| {
            let slot = self.bins.slots[row as usize * self.bins.stride + split.feature];
            let goes_left = if slot == missing { split.missing_left } else { slot <= last_left };
            all[middle] = row;
            self.moved[moved] = row;
            middle += usize::from(goes_left);
            moved += usize::from(!goes_left);
        };
        let mut at = rows.start;
        while at + UNROLL <= rows.end {
            for j in 0..UNROLL {
                place(self.rows[at + j], &mut self.rows);
            }
            at += UNROLL;
        }
        for at in at..rows.end {
            place(self.rows[at], &mut self.rows);
        }
        self.rows[middle..rows.end].copy_from_slice(&self.moved[..moved]);
        middle
    }
}
