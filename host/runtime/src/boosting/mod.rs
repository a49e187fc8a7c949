//! LightGBM for the capability `gradient-boosting`: allow-listed parameters, limits, cancellation per round, and no model
//! text that this host could not have written.

mod categories;
mod lightgbm;
mod model_text;
mod params;
mod threads;

pub use lightgbm::{Booster, BoosterError, Importance};
pub use params::{MAX_ROUNDS, ParamError, Params};

/// Most cells (rows times columns) of a training matrix. 500 million are 4 GB as f64; a panel of M5's size with
/// 30 columns has 1.8 billion and is better sampled.
pub const MAX_CELLS: usize = 500_000_000;

/// Most feature columns. LightGBM changes to hash maps per row beyond 100,000, and no forecast has a tenth of that.
pub const MAX_FEATURES: usize = 10_000;

/// Most codes of a categorical column. A split keeps a bit per code, so a million are 128 KiB a split.
const MAX_CODES: usize = 1 << 20;

/// Most leaves of a tree; what LightGBM itself allows.
const MAX_LEAVES: i64 = 131_072;

/// Most splits from the root to a leaf. LightGBM's contributions recurse and need memory by its square, so that
/// a chain of 100,000 splits would overflow the thread's stack.
const MAX_DEPTH: usize = 1_000;
