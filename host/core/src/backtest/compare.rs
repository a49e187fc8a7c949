//! A model against a baseline.

use crate::metrics::Metric;

/// How much better a model is than a baseline, in percent of the baseline; positive = better.
///
/// 100 × (B − M) / B, where for [`Metric::Bias`] both are taken absolute. None when the baseline's value is 0, NaN or
/// infinite: there is nothing to be a percentage of. Not finite when only the model's value is not.
pub fn improvement(metric: Metric, model: f64, baseline: f64) -> Option<f64> {
    let size = |value: f64| if metric == Metric::Bias { value.abs() } else { value };
    let (model, baseline) = (size(model), size(baseline));
    (baseline.is_finite() && baseline != 0.0).then(|| 100.0 * (baseline - model) / baseline)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worked_cell_of_the_contract() {
        let model = 4.519_739_396_9;
        for (baseline, expected) in [(7.928_571_428_6, 42.994_278), (8.023_809_523_8, 43.670_904)] {
            let found = improvement(Metric::Mae, model, baseline).unwrap();
            assert!((found - expected).abs() < 1e-6, "{found} instead of {expected}");
        }
    }

    #[test]
    fn bias_is_better_when_it_is_nearer_to_zero() {
        assert_eq!(improvement(Metric::Bias, -1.0, 2.0), Some(50.0));
        assert_eq!(improvement(Metric::Bias, 1.0, -2.0), Some(50.0));
        assert_eq!(improvement(Metric::Bias, -3.0, 2.0), Some(-50.0));
    }

    #[test]
    fn without_a_usable_baseline_there_is_no_percentage() {
        for baseline in [0.0, -0.0, f64::NAN, f64::INFINITY] {
            assert_eq!(improvement(Metric::Wape, 1.0, baseline), None);
        }
        for model in [f64::NAN, f64::INFINITY] {
            assert!(!improvement(Metric::Wape, model, 1.0).unwrap().is_finite());
        }
    }
}
