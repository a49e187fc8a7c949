//! Sums of gradients per bin, and the best split that they show.

use std::ops::ControlFlow;

use super::bins::{Bins, FeatureBins};

/// Least rows on each side of a split.
pub(super) const MIN_ROWS: f64 = 20.0;
/// Keeps divisions by empty sums finite.
const EPSILON: f64 = 1e-15;

/// Turns of a hot loop that are written out. In the sandbox every turn of a loop looks whether the deadline has passed,
/// which made the whole fit half as long again.
pub(super) const UNROLL: usize = 8;

/// One bin: sum of gradients and number of rows (a float, because sums of hessians are).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[repr(C, align(16))]
pub(super) struct Slot {
    gradient: f64,
    rows: f64,
}

/// All bins of all features for the rows of one node.
pub(super) type Histogram = Vec<Slot>;

/// Sums the rows of a node, in order.
pub(super) fn fill(histogram: &mut Histogram, bins: &Bins, rows: &[u32], gradients: &[f64]) {
    histogram.clear();
    histogram.resize(bins.total, Slot::default());
    for row in rows {
        let row = *row as usize;
        let gradient = gradients[row];
        let mut add = |slot: u32| {
            let slot = &mut histogram[slot as usize];
            slot.gradient += gradient;
            slot.rows += 1.0;
        };
        let (many, _) = bins.slots[row * bins.stride..(row + 1) * bins.stride].as_chunks::<UNROLL>();
        for slots in many {
            for slot in slots {
                add(*slot);
            }
        }
    }
}

/// The larger child: the parent less the smaller child, in the parent's place.
pub(super) fn subtract(parent: &mut Histogram, smaller: &Histogram) {
    let take = |slot: &mut Slot, less: &Slot| {
        slot.gradient -= less.gradient;
        slot.rows -= less.rows;
    };
    let (many, rest) = parent.as_chunks_mut::<UNROLL>();
    let (many_less, rest_less) = smaller.as_chunks::<UNROLL>();
    for (slots, less) in many.iter_mut().zip(many_less) {
        slots.iter_mut().zip(less).for_each(|(slot, less)| take(slot, less));
    }
    rest.iter_mut().zip(rest_less).for_each(|(slot, less)| take(slot, less));
}

/// Sums of a node.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sums {
    pub gradient: f64,
    pub rows: f64,
}

impl Sums {
    /// The value of a leaf with these sums.
    pub(super) fn value(self) -> f64 {
        -self.gradient / (self.rows + EPSILON)
    }

    /// What a split wins by giving these rows a value of their own.
    fn loss(self) -> f64 {
        self.gradient * self.value()
    }

    fn less(self, other: Self) -> Self {
        Self { gradient: self.gradient - other.gradient, rows: self.rows - other.rows }
    }
}

/// A split of a node.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Split {
    pub feature: usize,
    /// Last bin that goes left.
    pub bin: usize,
    pub missing_left: bool,
    pub gain: f64,
    pub left: Sums,
    pub right: Sums,
}

/// The best split of a node with these sums and this value, if any split wins something.
pub(super) fn best_split(histogram: &Histogram, bins: &Bins, node: Sums, value: f64) -> Option<Split> {
    let mut best: Option<Split> = None;
    for (index, feature) in bins.features.iter().enumerate() {
        let mut search = Search { node, loss: node.gradient * value, feature: index, best: None, floor: 0.0 };
        search.missing_right(histogram, feature);
        if feature.has_missing {
            search.missing_left(histogram, feature);
        }
        if let Some(found) = search.best
            && best.is_none_or(|best| found.gain > best.gain)
        {
            best = Some(found);
        }
    }
    best
}

/// The search along one feature.
struct Search {
    node: Sums,
    loss: f64,
    feature: usize,
    best: Option<Split>,
    /// Gain to beat.
    floor: f64,
}

impl Search {
    /// Bins go left one after the other; missing values stay right.
    fn missing_right(&mut self, histogram: &Histogram, feature: &FeatureBins) {
        let end = feature.count() - 1 + usize::from(feature.has_missing);
        let slots = &histogram[feature.offset..feature.offset + end];
        let mut left = Sums { gradient: 0.0, rows: 0.0 };
        let mut step = |bin: usize, slot: &Slot| {
            left.gradient += slot.gradient;
            left.rows += slot.rows;
            let right = self.node.less(left);
            if left.rows >= MIN_ROWS && right.rows >= MIN_ROWS {
                self.consider(bin, false, left, right);
            }
            // What goes left only grows.
            if right.rows < MIN_ROWS { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let (many, rest) = slots.as_chunks::<UNROLL>();
        for (i, slots) in many.iter().enumerate() {
            if (0..UNROLL).try_for_each(|j| step(i * UNROLL + j, &slots[j])).is_break() {
                return;
            }
        }
        let from = many.len() * UNROLL;
        let _ = rest.iter().enumerate().try_for_each(|(j, slot)| step(from + j, slot));
    }

    /// Bins go right one after the other, from the last; missing values stay left.
    fn missing_left(&mut self, histogram: &Histogram, feature: &FeatureBins) {
        let slots = &histogram[feature.offset + 1..feature.offset + feature.count()];
        let mut right = Sums { gradient: 0.0, rows: 0.0 };
        let mut step = |bin: usize, slot: &Slot| {
            right.gradient += slot.gradient;
            right.rows += slot.rows;
            let left = self.node.less(right);
            if left.rows >= MIN_ROWS && right.rows >= MIN_ROWS {
                self.consider(bin, true, left, right);
            }
            if left.rows < MIN_ROWS { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let (rest, many) = slots.as_rchunks::<UNROLL>();
        for (i, slots) in many.iter().enumerate().rev() {
            let from = rest.len() + i * UNROLL;
            if (0..UNROLL).rev().try_for_each(|j| step(from + j, &slots[j])).is_break() {
                return;
            }
        }
        let _ = rest.iter().enumerate().rev().try_for_each(|(j, slot)| step(j, slot));
    }

    fn consider(&mut self, bin: usize, missing_left: bool, left: Sums, right: Sums) {
        let gain = self.loss - left.loss() - right.loss();
        if gain > self.floor {
            self.floor = gain;
            self.best = Some(Split { feature: self.feature, bin, missing_left, gain, left, right });
        }
    }
}
