//! LightGBM for the capability `gradient-boosting`: allow-listed parameters, limits, cancellation per round.

mod lightgbm;
mod params;

pub use lightgbm::{Booster, BoosterError, Importance};
pub use params::{MAX_ROUNDS, Params};

/// Most cells (rows times columns) of a training matrix. 500 million are 4 GB as f64; a panel of M5's size with
/// 30 columns has 1.8 billion and is better sampled.
pub const MAX_CELLS: usize = 500_000_000;
