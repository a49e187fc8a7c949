//! Seasonal adjustment: a test whether there is a season, and classical decomposition.
//!
//! The test and the fallback to the additive form are those of Fiorucci et al. (2016) as statsforecast has them.

use serde::{Deserialize, Serialize};

/// How the season joins the adjusted values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Form {
    Additive,
    Multiplicative,
}

impl Form {
    pub(crate) fn adjusted(self, value: f64, index: f64) -> f64 {
        match self {
            Self::Additive => value - index,
            Self::Multiplicative => value / index,
        }
    }

    pub(crate) fn unadjusted(self, value: f64, index: f64) -> f64 {
        match self {
            Self::Additive => value + index,
            Self::Multiplicative => value * index,
        }
    }
}

/// A season: one index per phase; phase 0 is that of the first value of the history.
#[derive(Debug, PartialEq)]
pub(crate) struct Season {
    pub(crate) form: Form,
    pub(crate) indices: Vec<f64>,
}

/// Below it, dividing by a multiplicative index would blow values up.
const LEAST_INDEX: f64 = 0.01;

impl Season {
    /// The season of these values; a neutral one where none shows. Multiplicative where all values and indices allow it.
    pub(crate) fn of(values: &[f64], length: usize) -> Self {
        if !is_seasonal(values, length) {
            return Self::neutral();
        }
        let form =
            if values.iter().all(|value| *value > 0.0) { Form::Multiplicative } else { Form::Additive };
        let season = Self::decompose(values, length, form);
        if form == Form::Multiplicative && season.indices.iter().any(|index| *index < LEAST_INDEX) {
            return Self::decompose(values, length, Form::Additive);
        }
        season
    }

    fn neutral() -> Self {
        Self { form: Form::Additive, indices: vec![0.0] }
    }

    /// The values without their season.
    pub(crate) fn adjusted(&self, values: &[f64]) -> Vec<f64> {
        let indices = self.indices.iter().cycle();
        values.iter().zip(indices).map(|(value, index)| self.form.adjusted(*value, *index)).collect()
    }

    /// Classical decomposition: per phase, the mean of what the values are over their centred moving average.
    fn decompose(values: &[f64], length: usize, form: Form) -> Self {
        let half = length / 2;
        let mut sums = vec![0.0; length];
        let mut counts = vec![0.0; length];
        for at in half..values.len() - half {
            sums[at % length] += form.adjusted(values[at], centred_mean(values, at, length));
            counts[at % length] += 1.0;
        }
        let means: Vec<f64> = sums.iter().zip(&counts).map(|(sum, count)| sum / count).collect();
        let overall = means.iter().sum::<f64>() / length as f64;
        Self { form, indices: means.iter().map(|mean| form.adjusted(*mean, overall)).collect() }
    }
}

/// The mean of one season around a value; with a season of even length, the two ends count half.
fn centred_mean(values: &[f64], at: usize, length: usize) -> f64 {
    let half = length / 2;
    let window = &values[at - half..=at + half];
    let mut sum: f64 = window.iter().sum();
    if length.is_multiple_of(2) {
        sum -= f64::midpoint(window[0], window[length]);
    }
    sum / length as f64
}

/// Whether the autocorrelation at the season's lag is beyond chance (10 %, two-sided; Bartlett's variance), for seasons of
/// at least 4 values and histories of at least two seasons.
fn is_seasonal(values: &[f64], length: usize) -> bool {
    /// The 95th percentile of the standard normal distribution.
    const CRITICAL: f64 = 1.644_853_626_951_472_2;
    if length < 4 || values.len() < 2 * length {
        return false;
    }
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let centred: Vec<f64> = values.iter().map(|value| value - mean).collect();
    let covariance = |lag: usize| centred.iter().zip(&centred[lag..]).map(|(a, b)| a * b).sum::<f64>();
    let variance = covariance(0);
    // A constant has no season.
    if variance <= f64::EPSILON * mean * mean * values.len() as f64 {
        return false;
    }
    let shorter: f64 = (1..length).map(|lag| (covariance(lag) / variance).powi(2)).sum();
    let deviation = ((1.0 + 2.0 * shorter) / values.len() as f64).sqrt();
    (covariance(length) / variance).abs() > CRITICAL * deviation
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weekly(days: usize, form: Form) -> Vec<f64> {
        let pattern = [0.5, 0.8, 1.0, 1.2, 1.5, 1.4, 0.6];
        (0..days).map(|day| form.unadjusted(10.0, pattern[day % 7])).collect()
    }

    #[test]
    fn a_pure_season_is_found_exactly() {
        for (form, centre) in [(Form::Multiplicative, 1.0), (Form::Additive, 0.0)] {
            let values = weekly(70, form);
            let season = Season::decompose(&values, 7, form);
            for (value, index) in values.iter().zip(&season.indices) {
                assert!((form.unadjusted(10.0 + 1.0 - centre, *index) - value).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn even_seasons_weigh_both_ends_half() {
        let values: Vec<f64> =
            (0..24).map(|day| f64::from(day) + [3.0, -1.0, -4.0, 2.0][day as usize % 4]).collect();
        let season = Season::decompose(&values, 4, Form::Additive);
        for (found, expected) in season.indices.iter().zip([3.0, -1.0, -4.0, 2.0]) {
            assert!((found - expected).abs() < 1e-9, "a straight line does not disturb the season");
        }
    }

    #[test]
    fn zeros_make_the_season_additive() {
        let mut values = weekly(70, Form::Multiplicative);
        assert_eq!(Season::of(&values, 7).form, Form::Multiplicative);
        values[10] = 0.0;
        assert_eq!(Season::of(&values, 7).form, Form::Additive);
    }

    #[test]
    fn no_season_where_none_can_be_seen() {
        assert_eq!(Season::of(&[0.0; 70], 7), Season::neutral());
        assert_eq!(Season::of(&[0.1; 70], 7), Season::neutral());
        assert_eq!(Season::of(&weekly(13, Form::Additive), 7), Season::neutral());
        assert_eq!(Season::of(&weekly(70, Form::Additive), 1), Season::neutral());
    }
}
