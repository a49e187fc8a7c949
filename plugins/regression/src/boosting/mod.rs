//! Gradient-boosted regression trees on binned features, squared error: the estimator of the forecasting contract,
//! equal to scikit-learn 1.8's `HistGradientBoostingRegressor` with default parameters.
//!
//! The order of sums follows scikit-learn's (rows in order, smaller child counted, larger one subtracted), so that
//! near ties between splits fall the same way.

mod bins;
mod grower;
mod histogram;
mod model;

pub use model::{Model, ModelError, UncountedModel};

use bins::Bins;
use grower::Grower;

/// Hyper-parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Params {
    /// Trees.
    pub max_iter: u32,
    /// Share of every tree that is added.
    pub learning_rate: f64,
    /// Depth of the deepest leaf; the root has depth 0.
    pub max_depth: u32,
}

/// Why nothing could be fitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FitError {
    /// No rows, or columns that are not as long as the target.
    Shape {
        /// Rows of the target.
        rows: usize,
        /// Length of the first column that differs.
        column: usize,
    },
    /// The target has a value that is not finite.
    Target,
}

impl std::fmt::Display for FitError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Shape { rows, column } => {
                write!(f, "the target has {rows} rows and a column {column}; at least one row is needed")
            }
            Self::Target => f.write_str("the target has a value that is not finite"),
        }
    }
}

impl std::error::Error for FitError {}

/// Fits trees on `columns` (one slice per feature, NaN = missing) and `target`.
pub fn fit(columns: &[&[f64]], target: &[f64], params: &Params) -> Result<Model, FitError> {
    let rows = target.len();
    if let Some(column) = columns.iter().map(|c| c.len()).find(|len| *len != rows) {
        return Err(FitError::Shape { rows, column });
    }
    if rows == 0 {
        return Err(FitError::Shape { rows, column: 0 });
    }
    if target.iter().any(|y| !y.is_finite()) {
        return Err(FitError::Target);
    }
    let baseline = target.iter().sum::<f64>() / rows as f64;
    let bins = Bins::new(columns);
    let mut grower = Grower::new(&bins, params);
    let mut predictions = vec![baseline; rows];
    let mut gradients = vec![0.0; rows];
    let mut trees = Vec::with_capacity(params.max_iter as usize);
    for _ in 0..params.max_iter {
        for ((gradient, prediction), y) in gradients.iter_mut().zip(&predictions).zip(target) {
            // scikit-learn keeps gradients in single precision.
            *gradient = f64::from((prediction - y) as f32);
        }
        trees.push(grower.grow(&gradients, &mut predictions));
    }
    Ok(Model::new(baseline, columns.len() as u32, trees))
}
