//! Linear regression with elastic-net penalty (Zou and Hastie 2005) on standardised columns.
//!
//! With n rows, columns of mean 0 and standard deviation 1, it makes the objective of scikit-learn and glmnet least:
//!
//! ```text
//! 1/(2n) |y - b - X w|² + alpha l1_ratio |w|₁ + alpha (1 - l1_ratio)/2 |w|²
//! ```
//!
//! The coordinate descent is linfa's.

use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_elasticnet::{ElasticNet, ElasticNetError};
use ndarray::{Array1, Array2, ShapeBuilder};
use serde::{Deserialize, Serialize};

/// How strongly weights are held back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Penalty {
    /// Strength, at least 0.
    pub alpha: f64,
    /// 1 for absolute values of weights alone (lasso), towards 0 for their squares (ridge). Above 0: the descent tells from
    /// the absolute values when to stop.
    pub l1_ratio: f64,
}

/// Share of the target's sum of squares by which the objective may miss its least value; tight, so that forecasts do not
/// depend on where the descent stopped.
const TOLERANCE: f64 = 1e-12;

/// Sweeps over all columns, where rounding keeps the tolerance from being met.
const MOST_SWEEPS: u32 = 5_000;

/// A fitted regression.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Linear {
    intercept: f64,
    columns: Vec<Column>,
}

/// A column's share in a prediction: `slope * (x - mean)`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Column {
    mean: f64,
    slope: f64,
}

impl Linear {
    /// Fits `target` on `columns`, each as long as it; NaN is missing and counts as the column's mean.
    ///
    /// # Panics
    /// When the target is empty or a column is not as long.
    pub fn fit(columns: &[Vec<f64>], target: &[f64], penalty: Penalty) -> Result<Self, ElasticNetError> {
        let moments: Vec<Moments> = columns.iter().map(|column| Moments::of(column)).collect();
        let intercept = target.iter().sum::<f64>() / target.len() as f64;
        if target.iter().all(|y| (y - target[0]).abs() <= f64::EPSILON * target[0].abs()) {
            // Nothing to explain. The descent would look for a tolerance of nothing.
            let columns = moments.iter().map(|moments| Column { mean: moments.mean, slope: 0.0 }).collect();
            return Ok(Self { intercept, columns });
        }
        let cells =
            columns.iter().zip(&moments).flat_map(|(column, m)| column.iter().map(|x| m.standardised(*x)));
        // Column after column: the descent walks down one at a time.
        let shape = (target.len(), columns.len()).f();
        let table = Array2::from_shape_vec(shape, cells.collect())
            .expect("every column is as long as the target: the caller's promise");
        let fitted = ElasticNet::params()
            .penalty(penalty.alpha)
            .l1_ratio(penalty.l1_ratio)
            .tolerance(TOLERANCE)
            .max_iterations(MOST_SWEEPS)
            .fit(&DatasetBase::new(table, Array1::from(target.to_vec())))?;
        let columns = moments
            .iter()
            .zip(fitted.hyperplane())
            .map(|(moments, weight)| Column { mean: moments.mean, slope: weight / moments.deviation })
            .collect();
        Ok(Self { intercept: fitted.intercept(), columns })
    }

    /// Number of columns.
    pub fn width(&self) -> usize {
        self.columns.len()
    }

    /// The prediction for the row whose cell in each column `cell` gives.
    pub fn predict(&self, cell: impl Fn(usize) -> f64) -> f64 {
        let share = |(at, column): (usize, &Column)| match cell(at) {
            missing if missing.is_nan() => 0.0,
            x => column.slope * (x - column.mean),
        };
        self.intercept + self.columns.iter().enumerate().map(share).sum::<f64>()
    }
}

/// Mean and standard deviation of the cells that are not missing.
struct Moments {
    mean: f64,
    /// 1 for a column that has but one value, which then is 0 everywhere.
    deviation: f64,
}

impl Moments {
    fn of(column: &[f64]) -> Self {
        let known = || column.iter().filter(|x| !x.is_nan());
        let count = known().count().max(1) as f64;
        let mean = known().sum::<f64>() / count;
        let deviation = (known().map(|x| (x - mean).powi(2)).sum::<f64>() / count).sqrt();
        // What rounding alone can leave of a constant.
        let constant = deviation <= 1e-12 * mean.abs().max(f64::MIN_POSITIVE);
        Self { mean, deviation: if constant { 1.0 } else { deviation } }
    }

    fn standardised(&self, x: f64) -> f64 {
        if x.is_nan() { 0.0 } else { (x - self.mean) / self.deviation }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIGHT: Penalty = Penalty { alpha: 1e-6, l1_ratio: 0.5 };

    #[test]
    fn next_to_no_penalty_gives_least_squares() {
        let x: Vec<f64> = (0..40).map(|i| f64::from(i % 7)).collect();
        let z: Vec<f64> = (0..40).map(|i| f64::from(i % 5)).collect();
        let y: Vec<f64> = x.iter().zip(&z).map(|(x, z)| 3.0 + 2.0 * x - z).collect();
        let model = Linear::fit(&[x, z], &y, LIGHT).unwrap();
        assert!((model.predict(|column| [10.0, -4.0][column]) - 27.0).abs() < 1e-3);
    }

    #[test]
    fn a_heavy_penalty_gives_the_mean() {
        let x: Vec<f64> = (0..40).map(f64::from).collect();
        let model = Linear::fit(std::slice::from_ref(&x), &x, Penalty { alpha: 1e3, l1_ratio: 0.5 }).unwrap();
        assert!((model.predict(|_| 1e6) - 19.5).abs() < 1e-9);
    }

    #[test]
    fn missing_and_constant_columns_have_no_say() {
        let x: Vec<f64> = (0..40).map(|i| f64::from(i % 7)).collect();
        let model = Linear::fit(&[x.clone(), vec![f64::NAN; 40], vec![0.1; 40]], &x, LIGHT).unwrap();
        let predict = |row: [f64; 3]| model.predict(|column| row[column]);
        assert!((predict([5.0, 1e9, 1e9]) - 5.0).abs() < 1e-4);
        let mean = x.iter().sum::<f64>() / 40.0;
        assert!((predict([f64::NAN; 3]) - mean).abs() < 1e-9, "a missing cell counts as the mean");
    }
}
