//! Trees as both models have them: a test per split, and how many training rows went each way.

use std::ops::Range;

use retailcast_sdk::Error;

/// Most splits from the root to a leaf. Explaining recurses, and needs memory by the square of it; trees of 31 leaves
/// have at most 30.
const MAX_DEPTH: usize = 100;

/// What a split does with a missing value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// NaN counts as 0.
    IsZero,
    /// NaN and 0 are missing, and go left or not.
    ZeroToo {
        /// Whether they go left.
        left: bool,
    },
    /// NaN is missing, and goes left or not.
    Nan {
        /// Whether it goes left.
        left: bool,
    },
}

/// What a split asks of its feature.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// Values up to the threshold go left.
    UpTo(f64, Missing),
    /// Categories whose bit is set go left; missing ones go right.
    OneOf(Vec<u32>),
}

/// LightGBM's zero, a float: values as close to 0 as this are missing where 0 is.
const ZERO: f32 = 1e-35;

impl Test {
    /// Whether a value goes left.
    pub fn goes_left(&self, value: f64) -> bool {
        match self {
            Self::UpTo(threshold, missing) => {
                let number = if value.is_nan() { 0.0 } else { value };
                match missing {
                    Missing::Nan { left } if value.is_nan() => *left,
                    Missing::ZeroToo { left } if number.abs() <= f64::from(ZERO) => *left,
                    _ => number <= *threshold,
                }
            }
            Self::OneOf(bits) => {
                // The cast sends NaN to 0 and cuts what is out of range, so both are looked at before.
                if !(0.0..=f64::from(u32::MAX)).contains(&value) {
                    return false;
                }
                let category = value as usize;
                bits.get(category / 32).is_some_and(|word| word >> (category % 32) & 1 == 1)
            }
        }
    }
}

/// A node; children stand behind their parent.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// What the tree adds to the prediction.
    Leaf(f64),
    /// Two ways on.
    Split {
        /// Column that is asked.
        feature: usize,
        /// What it is asked.
        test: Test,
        /// Position of the node to the left.
        left: usize,
        /// Position of the node to the right.
        right: usize,
    },
}

/// A node and the training rows that reached it.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Leaf or split.
    pub kind: Kind,
    /// Training rows, at least one.
    pub rows: u32,
}

/// One tree; node 0 is the root. It is sound: see [`Tree::new`].
#[derive(Debug, Clone, PartialEq)]
pub struct Tree(Vec<Node>);

impl Tree {
    /// Checks what walking relies on: from the root every node is reached once, features exist, every node has rows, and
    /// leaves are numbers.
    pub fn new(nodes: Vec<Node>, features: usize) -> Result<Self, Error> {
        let damaged = |what: &str| Err(Error::artifact_mismatch(format!("a tree of the model {what}")));
        let mut depth: Vec<Option<usize>> = vec![None; nodes.len()];
        match depth.first_mut() {
            Some(root) => *root = Some(0),
            None => return damaged("has no node"),
        }
        for (at, node) in nodes.iter().enumerate() {
            let Some(here) = depth[at] else { return damaged("has a node that nothing leads to") };
            if here > MAX_DEPTH {
                return Err(Error::unsupported(format!(
                    "a tree of the model is deeper than {MAX_DEPTH} splits, which is not explained"
                )));
            }
            if node.rows == 0 {
                return damaged("has a node without training rows");
            }
            match &node.kind {
                Kind::Leaf(value) if !value.is_finite() => return damaged("has a leaf that is no number"),
                Kind::Leaf(_) => {}
                Kind::Split { feature, .. } if *feature >= features => {
                    return damaged("asks for a column that does not exist");
                }
                Kind::Split { left, right, .. } => {
                    for child in [*left, *right] {
                        match depth.get_mut(child) {
                            Some(reached @ None) if child > at => *reached = Some(here + 1),
                            _ => return damaged("has children that are none"),
                        }
                    }
                }
            }
        }
        Ok(Self(nodes))
    }

    pub(crate) fn node(&self, at: usize) -> &Node {
        &self.0[at]
    }

    /// Share of a split's rows that a child has.
    pub(crate) fn share(&self, child: usize, other: usize) -> f64 {
        let rows = |at: usize| f64::from(self.0[at].rows);
        rows(child) / (rows(child) + rows(other))
    }

    /// Positions of all nodes.
    pub(crate) fn positions(&self) -> Range<usize> {
        0..self.0.len()
    }
}

/// Trees that add up.
#[derive(Debug, Clone, PartialEq)]
pub struct Ensemble {
    /// What stands before the first tree.
    pub start: f64,
    /// The trees.
    pub trees: Vec<Tree>,
    /// What the model makes of the sum; none when the sum is the forecast.
    pub link: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_values_go_where_the_split_says() {
        let up_to_half = |missing| Test::UpTo(0.5, missing);
        assert!(up_to_half(Missing::IsZero).goes_left(f64::NAN));
        assert!(!Test::UpTo(-0.5, Missing::IsZero).goes_left(f64::NAN));
        for left in [true, false] {
            assert_eq!(up_to_half(Missing::Nan { left }).goes_left(f64::NAN), left);
            assert!(up_to_half(Missing::Nan { left }).goes_left(0.0));
            assert_eq!(up_to_half(Missing::ZeroToo { left }).goes_left(f64::NAN), left);
            assert_eq!(up_to_half(Missing::ZeroToo { left }).goes_left(0.0), left);
            assert!(!up_to_half(Missing::ZeroToo { left }).goes_left(0.6));
        }
    }

    #[test]
    fn categories_are_bits_and_strangers_go_right() {
        let test = Test::OneOf(vec![0b101, 1 << 31]);
        let left: Vec<u32> = (0..80).filter(|code| test.goes_left(f64::from(*code))).collect();
        assert_eq!(left, [0, 2, 63]);
        for stranger in [f64::NAN, -1.0, f64::INFINITY, 1e300] {
            assert!(!test.goes_left(stranger), "{stranger}");
        }
    }

    #[test]
    fn what_could_not_be_walked_is_refused() {
        let leaf = |value| Node { kind: Kind::Leaf(value), rows: 1 };
        let split = |feature, left, right| Node {
            kind: Kind::Split { feature, test: Test::UpTo(0.0, Missing::IsZero), left, right },
            rows: 2,
        };
        let check = |nodes| Tree::new(nodes, 2);
        assert!(check(vec![split(1, 1, 2), leaf(0.0), leaf(1.0)]).is_ok());
        for (nodes, why) in [
            (vec![], "no root"),
            (vec![split(2, 1, 2), leaf(0.0), leaf(1.0)], "no such column"),
            (vec![split(0, 0, 1), leaf(0.0)], "a circle"),
            (vec![split(0, 1, 1), leaf(0.0)], "a child twice"),
            (vec![split(0, 1, 3), leaf(0.0), leaf(1.0)], "no such child"),
            (vec![leaf(0.0), leaf(1.0)], "an island"),
            (vec![leaf(f64::NAN)], "no number"),
            (vec![Node { kind: Kind::Leaf(0.0), rows: 0 }], "no rows"),
        ] {
            assert!(check(nodes).is_err(), "{why}");
        }
        // A chain as deep as allowed, and one deeper.
        let chain = |splits: usize| {
            let pair = |i: usize| [split(0, 2 * i + 1, 2 * i + 2), leaf(0.0)];
            let mut nodes: Vec<Node> = Vec::new();
            for i in 0..splits {
                let [split, leaf] = pair(i);
                // Node 2i splits into the leaf 2i + 1 and the node 2i + 2.
                nodes.extend([split, leaf]);
            }
            nodes.push(leaf(1.0));
            check(nodes)
        };
        assert!(chain(MAX_DEPTH).is_ok());
        assert!(chain(MAX_DEPTH + 1).is_err());
    }
}
