//! What `regression` saves: the SDK's header, then its models in postcard's encoding (format 2, docs/plugins/regression.md).

use retailcast_sdk::{Error, state};
use serde::{Deserialize, Serialize};

use crate::tree::{Ensemble, Kind, Missing, Node, Test, Tree};

/// Whose state it is.
pub const NAME: &str = "regression";
/// The first format that counts the rows of every node.
const COUNTED: u32 = 2;

/// A model.
#[derive(Debug, Serialize, Deserialize)]
pub struct SavedModel {
    /// What stands before the first tree.
    pub baseline: f64,
    /// Columns.
    pub features: u32,
    /// Trees.
    pub trees: Vec<SavedTree>,
}

/// A tree.
#[derive(Debug, Serialize, Deserialize)]
pub struct SavedTree {
    /// Children stand behind their parent.
    pub nodes: Vec<SavedNode>,
    /// Training rows of every node; empty in models that were first saved in an older format.
    pub rows: Vec<u32>,
}

/// A node.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub enum SavedNode {
    /// What the tree adds.
    Leaf {
        /// Learning rate times the leaf's value.
        value: f64,
    },
    /// Values up to the threshold go left.
    Split {
        /// Column.
        feature: u32,
        /// Threshold.
        threshold: f64,
        /// Where missing values go.
        missing_left: bool,
        /// Child.
        left: u32,
        /// Child.
        right: u32,
    },
}

/// Reads the state of a model of one series that was fitted on so many columns.
pub fn read(bytes: &[u8], features: usize) -> Result<Ensemble, Error> {
    let (format, body) = state::open(NAME, bytes)?;
    match format {
        1 => return Err(uncounted()),
        COUNTED => {}
        other => {
            return Err(Error::artifact_mismatch(format!(
                "this state of {NAME} has format {other}, explained is format {COUNTED}"
            )));
        }
    }
    let model = crate::one_series(NAME, state::read::<Vec<Result<SavedModel, Error>>>(NAME, body)?)?;
    if model.features as usize != features {
        return Err(Error::artifact_mismatch(format!(
            "the model was fitted on {} columns, given are {features}",
            model.features
        )));
    }
    let trees = model.trees.into_iter().map(|tree| counted(tree, features)).collect::<Result<_, _>>()?;
    Ok(Ensemble { start: model.baseline, trees, link: None })
}

fn uncounted() -> Error {
    Error::artifact_mismatch(
        "the model was trained before rows were counted in its trees, so that it forecasts but cannot be explained; train it again",
    )
}

fn counted(saved: SavedTree, features: usize) -> Result<Tree, Error> {
    if saved.rows.len() != saved.nodes.len() {
        return Err(uncounted());
    }
    let nodes = saved.nodes.iter().zip(saved.rows).map(|(node, rows)| Node { kind: kind(*node), rows });
    Tree::new(nodes.collect(), features)
}

fn kind(node: SavedNode) -> Kind {
    match node {
        SavedNode::Leaf { value } => Kind::Leaf(value),
        SavedNode::Split { feature, threshold, missing_left, left, right } => Kind::Split {
            feature: feature as usize,
            test: Test::UpTo(threshold, Missing::Nan { left: missing_left }),
            left: left as usize,
            right: right as usize,
        },
    }
}
