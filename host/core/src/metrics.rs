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

/// One of the numbers of [`Metrics`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "described at the fields of `Metrics`")]
pub enum Metric {
    Mae,
    Rmse,
    Smape,
    Wape,
    Bias,
}

impl Metric {
    /// All, in the order of responses.
    pub const ALL: [Self; 5] = [Self::Mae, Self::Rmse, Self::Smape, Self::Wape, Self::Bias];
}

impl Metrics {
    /// One of them.
    pub fn get(&self, metric: Metric) -> f64 {
        match metric {
            Metric::Mae => self.mae,
            Metric::Rmse => self.rmse,
            Metric::Smape => self.smape,
            Metric::Wape => self.wape,
            Metric::Bias => self.bias,
        }
    }

    /// A statistic ([`mean`], [`stability`]) of every metric over folds.
    pub fn over(folds: &[Self], statistic: fn(&[f64]) -> f64) -> Self {
        let of = |metric: Metric| statistic(&folds.iter().map(|fold| fold.get(metric)).collect::<Vec<_>>());
        Self {
            mae: of(Metric::Mae),
            rmse: of(Metric::Rmse),
            smape: of(Metric::Smape),
            wape: of(Metric::Wape),
            bias: of(Metric::Bias),
        }
    }

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

    /// Whether no day was added.
    pub fn is_empty(&self) -> bool {
        self.count == 0.0
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

/// Mean absolute scaled error (Hyndman and Koehler 2006): the MAE of a forecast over the in-sample MAE of the seasonal
/// naive forecast, mean of |y\[t\] - y\[t - season\]| over the training series. 1 is as good as repeating the last
/// season, below is better. NaN when the training series is not longer than a season (at least 1) or when both errors
/// are 0, infinite when only the scale is.
pub fn mase(actual: &[f64], forecast: &[f64], training: &[f64], season: usize) -> f64 {
    Metrics::of(actual, forecast).mae / seasonal_naive(training, season).mae
}

/// Root mean squared scaled error (M5 competition, there with season 1): the RMSE of a forecast over the in-sample RMSE
/// of the seasonal naive forecast. Otherwise as [`mase`].
pub fn rmsse(actual: &[f64], forecast: &[f64], training: &[f64], season: usize) -> f64 {
    Metrics::of(actual, forecast).rmse / seasonal_naive(training, season).rmse
}

/// How well a training series forecasts itself by its value a season earlier; NaN when it is too short.
fn seasonal_naive(training: &[f64], season: usize) -> Metrics {
    Metrics::of(training.get(season..).unwrap_or_default(), training)
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
    fn scaled_errors_compare_with_the_seasonal_naive_forecast() {
        // |d| of the training series at season 2: 2, 2, 4.
        let training = [1.0, 5.0, 3.0, 7.0, 7.0];
        close(mase(&[10.0, 8.0], &[8.0, 8.0], &training, 2), 1.0 / (8.0 / 3.0));
        close(rmsse(&[10.0, 8.0], &[8.0, 8.0], &training, 2), (2.0 / 8.0_f64).sqrt());
        assert!(mase(&[1.0], &[2.0], &training, 5).is_nan());
        assert!(rmsse(&[1.0], &[2.0], &training, 6).is_nan());
        assert!(mase(&[1.0], &[2.0], &[4.0, 4.0], 1).is_infinite());
        assert!(mase(&[1.0], &[1.0], &[4.0, 4.0], 1).is_nan());
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
