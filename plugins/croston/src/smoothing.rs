//! Simple exponential smoothing: the level begins at the first value, and each value moves it by a share `alpha` of its
//! distance.

/// The level after the last value, which forecasts every value to come; `None` without values.
pub(crate) fn level(values: &[f64], alpha: f64) -> Option<f64> {
    let (first, rest) = values.split_first()?;
    Some(rest.iter().fold(*first, |level, value| alpha * value + (1.0 - alpha) * level))
}

/// The `alpha` between the bounds whose one-step errors have the least sum of squares, by golden section.
pub(crate) fn best_alpha(values: &[f64], bounds: (f64, f64)) -> f64 {
    /// Half of the square root of machine precision: closer, sums of squares no longer differ.
    const WIDTH: f64 = 7e-9;
    if values.len() < 3 {
        // The first error that depends on alpha is the third value's.
        return f64::midpoint(bounds.0, bounds.1);
    }
    let share = (5.0_f64.sqrt() - 1.0) / 2.0;
    let (mut low, mut high) = bounds;
    let (mut left, mut right) = (high - share * (high - low), low + share * (high - low));
    let (mut at_left, mut at_right) = (squared_errors(values, left), squared_errors(values, right));
    while high - low > WIDTH {
        if at_left < at_right {
            (high, right, at_right) = (right, left, at_left);
            left = high - share * (high - low);
            at_left = squared_errors(values, left);
        } else {
            (low, left, at_left) = (left, right, at_right);
            right = low + share * (high - low);
            at_right = squared_errors(values, right);
        }
    }
    f64::midpoint(low, high)
}

fn squared_errors(values: &[f64], alpha: f64) -> f64 {
    let mut level = values.first().copied().unwrap_or_default();
    let mut sum = 0.0;
    for value in values {
        sum += (value - level) * (value - level);
        level += alpha * (value - level);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_moves_by_its_share() {
        assert_eq!(level(&[4.0, 8.0, 0.0], 0.5), Some(3.0));
        assert_eq!(level(&[], 0.5), None);
    }

    #[test]
    fn the_best_alpha_is_better_than_any_of_a_grid() {
        let values = [3.0, 5.0, 4.0, 9.0, 8.0, 9.5, 7.0, 12.0, 10.0, 11.0];
        let best = squared_errors(&values, best_alpha(&values, (0.1, 0.9)));
        for step in 0..=80 {
            assert!(best <= squared_errors(&values, 0.1 + 0.01 * f64::from(step)) + 1e-9);
        }
    }
}
