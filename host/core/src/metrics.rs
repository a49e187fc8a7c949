//! How good a forecast was. Formulas of `backtesting.md`; a = actual, f = forecast, d = a - f.

/// Errors of one forecast. NaN and infinity are kept as computed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Metrics {
    /// Mean of |d|, in units.
    pub mae: f64,
    /// Square root of the mean of d², in units.
    pub rmse: f64,
    /// 100 × mean of 2 |d| / (|a| + |f|), 0 where both are 0; 0 to 200.
    pub smape: f64,
    /// 100 × sum |d| / sum |a|; infinite when nothing was sold.
    pub wape: f64,
    /// Mean of d: positive when the forecast was too low.
    pub bias: f64,
}

impl Metrics {
    /// Of equally long actuals and forecasts.
    pub fn of(actual: &[f64], forecast: &[f64]) -> Self {
        let mut sums = Sums::default();
        for (a, f) in actual.iter().zip(forecast) {
            sums.add(*a, *f);
        }
        sums.metrics()
    }
}

/// Running sums, for metrics over many series at once.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sums {
    count: f64,
    absolute: f64,
    squared: f64,
    relative: f64,
    actual: f64,
    signed: f64,
}

impl Sums {
    /// Adds one day.
    pub fn add(&mut self, actual: f64, forecast: f64) {
        let d = actual - forecast;
        self.count += 1.0;
        self.absolute += d.abs();
        self.squared += d * d;
        self.signed += d;
        self.actual += actual.abs();
        let size = actual.abs() + forecast.abs();
        // 0 when both are 0 (also -0), and NaN stays NaN.
        self.relative += if size == 0.0 { 0.0 } else { 2.0 * d.abs() / size };
    }

    /// The metrics of all days added; NaN when there were none.
    pub fn metrics(&self) -> Metrics {
        Metrics {
            mae: self.absolute / self.count,
            rmse: (self.squared / self.count).sqrt(),
            smape: 100.0 * self.relative / self.count,
            wape: if self.actual == 0.0 { f64::INFINITY } else { 100.0 * self.absolute / self.actual },
            bias: self.signed / self.count,
        }
    }
}

/// Arithmetic mean over the folds whose value is not NaN; NaN when there is none.
pub fn mean(folds: &[f64]) -> f64 {
    let values: Vec<f64> = folds.iter().copied().filter(|v| !v.is_nan()).collect();
    values.iter().sum::<f64>() / values.len() as f64
}

/// 100 × population standard deviation / |mean| over the folds that are not NaN: lower is steadier. NaN with fewer
/// than two, infinite when the mean is 0.
pub fn stability(folds: &[f64]) -> f64 {
    let values: Vec<f64> = folds.iter().copied().filter(|v| !v.is_nan()).collect();
    if values.len() < 2 {
        return f64::NAN;
    }
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    if mean == 0.0 {
        return f64::INFINITY;
    }
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64;
    100.0 * variance.sqrt() / mean.abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The series of `featuresets.md`.
    fn q() -> Vec<f64> {
        (0..90).map(|i| f64::from(20 + 3 * (i % 7) + (5 * i) % 13)).collect()
    }

    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9 * expected.abs().max(1.0), "{found} instead of {expected}");
    }

    /// Train ends and test starts of the three folds of the contract's example.
    const FOLDS: [(usize, usize); 3] = [(30, 32), (52, 54), (74, 76)];

    #[test]
    fn worked_values_of_the_naive_model() {
        let q = q();
        let folds: Vec<Metrics> = FOLDS
            .iter()
            .map(|(train, test)| Metrics::of(&q[*test..test + 14], &[q[train - 1]; 14]))
            .collect();
        close(folds[0].mae, 10.285_714_285_7);
        close(folds[0].smape, 32.598_238_933_2);
        close(folds[0].wape, 29.508_196_721_3);
        close(folds[0].bias, 9.857_142_857_1);
        let mae: Vec<f64> = folds.iter().map(|f| f.mae).collect();
        close(mean(&mae), 7.928_571_428_6);
        close(stability(&mae), 21.932_203_767_6);
        let bias: Vec<f64> = folds.iter().map(|f| f.bias).collect();
        close(stability(&bias), 66.273_718_434_9);
    }

    #[test]
    fn worked_values_of_the_seasonal_model() {
        let q = q();
        let forecast = |train: usize| (0..14).map(|j| q[train - 7 + j % 7]).collect::<Vec<_>>();
        let folds: Vec<Metrics> =
            FOLDS.iter().map(|(train, test)| Metrics::of(&q[*test..test + 14], &forecast(*train))).collect();
        close(mean(&folds.iter().map(|f| f.wape).collect::<Vec<_>>()), 22.946_497_204_1);
        close(stability(&folds.iter().map(|f| f.smape).collect::<Vec<_>>()), 5.227_463_235_4);
    }

    #[test]
    fn degenerate_folds_keep_their_infinities() {
        let nothing_sold = Metrics::of(&[0.0, 0.0], &[0.0, 0.0]);
        assert_eq!(nothing_sold.smape.to_bits(), 0.0_f64.to_bits());
        assert!(nothing_sold.wape.is_infinite());
        assert!(mean(&[1.0, f64::INFINITY]).is_infinite());
        assert!(stability(&[1.0, f64::NAN]).is_nan());
        assert!(stability(&[1.0, -1.0]).is_infinite());
    }
}
