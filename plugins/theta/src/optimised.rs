//! The optimised theta model of Fiorucci, Pellegrini, Louzada, Petropoulos and Koehler (2016), "Models for optimising the
//! theta method and their relationship to state space models".
//!
//! A straight line a + b t is fitted by least squares. With θ >= 1, w = 1 - 1/θ and the level ℓ smoothed by α,
//!
//! ```text
//! ŷ[t] = ℓ[t-1] + w d[t]      d[t] = (1-α)^(t-1) a + (1 - (1-α)^t) / α b
//! ℓ[t] = α y[t] + (1-α) ℓ[t-1]
//! ```
//!
//! α, ℓ[0] and w are those with the least sum of squared one-step errors, the first three apart. For a given α the errors
//! are linear in ℓ[0] and w, so these two come from normal equations, and only α is searched for.

/// What the forecasts need of a fitted model: they lie on a line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Line {
    /// The forecast of the first day ahead.
    pub(crate) first: f64,
    /// The change from one day to the next.
    pub(crate) slope: f64,
    /// Sum of squared one-step errors, without those of the first [`BURN_IN`] values.
    pub(crate) squared_errors: f64,
}

/// Values whose errors do not count: the level has not settled.
pub(crate) const BURN_IN: usize = 3;

/// Bounds of α, as statsforecast has them.
const ALPHA: (f64, f64) = (0.1, 0.99);

/// w of the largest θ, which is 10^10 in statsforecast.
const MOST_WEIGHT: f64 = 1.0 - 1e-10;

/// The best model of these values, of which there are more than [`BURN_IN`].
pub(crate) fn fit(values: &[f64]) -> Line {
    /// The sum of squares can have several valleys: each is entered from its own cell of the grid.
    const CELLS: usize = 40;
    let trend = Trend::of(values);
    let width = (ALPHA.1 - ALPHA.0) / CELLS as f64;
    let errors = |alpha: f64| given_alpha(values, trend, alpha).squared_errors;
    let grid: Vec<f64> = (0..=CELLS).map(|cell| errors(ALPHA.0 + width * cell as f64)).collect();
    let best = (0..=CELLS).fold(0, |best, cell| if grid[cell] < grid[best] { cell } else { best });
    let centre = ALPHA.0 + width * best as f64;
    let refined = golden_section(errors, (centre - width).max(ALPHA.0), (centre + width).min(ALPHA.1));
    let alpha = if errors(refined) < grid[best] { refined } else { centre };
    given_alpha(values, trend, alpha)
}

/// The least-squares line through the values at t = 1, 2, …
#[derive(Debug, Clone, Copy)]
struct Trend {
    intercept: f64,
    slope: f64,
}

impl Trend {
    fn of(values: &[f64]) -> Self {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let centre = f64::midpoint(n, 1.0);
        let weighted: f64 =
            values.iter().zip(1_u32..).map(|(y, t)| (f64::from(t) - centre) * (y - mean)).sum();
        let slope = 12.0 * weighted / (n * (n * n - 1.0));
        Self { intercept: mean - slope * centre, slope }
    }
}

/// The best ℓ[0] and w for this α, and what follows from them.
fn given_alpha(values: &[f64], trend: Trend, alpha: f64) -> Line {
    let parts = Parts::of(values, trend, alpha);
    let (level, weight) = parts.least_squares(values[0]);
    let error = |t: usize| parts.rest[t] - level * parts.of_level[t] - weight * parts.of_weight[t];
    let squared_errors = (BURN_IN..values.len()).map(|t| error(t).powi(2)).sum();
    let ahead = values.len();
    Line {
        first: level * parts.of_level[ahead] + weight * parts.of_weight[ahead] - parts.rest[ahead],
        slope: weight * trend.slope,
        squared_errors,
    }
}

/// The error of each value, taken apart: `rest - ℓ[0] of_level - w of_weight`. One entry more than values: the first day
/// ahead, as if 0 had been sold there.
struct Parts {
    rest: Vec<f64>,
    of_level: Vec<f64>,
    of_weight: Vec<f64>,
}

impl Parts {
    fn of(values: &[f64], trend: Trend, alpha: f64) -> Self {
        let count = values.len() + 1;
        let mut parts = Self {
            rest: Vec::with_capacity(count),
            of_level: Vec::with_capacity(count),
            of_weight: Vec::with_capacity(count),
        };
        // The level if ℓ[0] were 0, (1-α)^(t-1), and d[t].
        let (mut smoothed, mut decay, mut line) = (0.0, 1.0, trend.intercept + trend.slope);
        for value in values {
            parts.push(value - smoothed, decay, line);
            smoothed += alpha * (value - smoothed);
            decay *= 1.0 - alpha;
            line = (1.0 - alpha) * line + trend.slope;
        }
        parts.push(-smoothed, decay, line);
        parts
    }

    fn push(&mut self, rest: f64, of_level: f64, of_weight: f64) {
        self.rest.push(rest);
        self.of_level.push(of_level);
        self.of_weight.push(of_weight);
    }

    /// ℓ[0] and w with the least sum of squared errors, w between 0 and [`MOST_WEIGHT`]. `usual` is ℓ[0] where the errors
    /// do not tell it.
    fn least_squares(&self, usual: f64) -> (f64, f64) {
        let counted = BURN_IN..self.rest.len() - 1;
        let (rest, of_level, of_weight) =
            (&self.rest[counted.clone()], &self.of_level[counted.clone()], &self.of_weight[counted]);
        let (ll, lw, ww) = (dot(of_level, of_level), dot(of_level, of_weight), dot(of_weight, of_weight));
        let (lr, wr) = (dot(of_level, rest), dot(of_weight, rest));
        // The level that is best for a weight.
        let level = |weight: f64| (lr - weight * lw) / ll;
        let determinant = ll * ww - lw * lw;
        if determinant > 1e-12 * ll * ww {
            let weight = ((ll * wr - lw * lr) / determinant).clamp(0.0, MOST_WEIGHT);
            return (level(weight), weight);
        }
        // The two cannot be told apart (or the line is 0 everywhere): the level is given, the weight is alone.
        let weight = if ww > 0.0 { ((wr - usual * lw) / ww).clamp(0.0, MOST_WEIGHT) } else { 0.0 };
        (usual, weight)
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Where between the bounds `f`, of one valley, is least.
fn golden_section(f: impl Fn(f64) -> f64, mut low: f64, mut high: f64) -> f64 {
    /// Half of the digits of a float: closer, sums of squares no longer differ.
    const WIDTH: f64 = 1e-8;
    let share = (5.0_f64.sqrt() - 1.0) / 2.0;
    let (mut left, mut right) = (high - share * (high - low), low + share * (high - low));
    let (mut at_left, mut at_right) = (f(left), f(right));
    while high - low > WIDTH {
        if at_left < at_right {
            (high, right, at_right) = (right, left, at_left);
            left = high - share * (high - low);
            at_left = f(left);
        } else {
            (low, left, at_left) = (left, right, at_right);
            right = low + share * (high - low);
            at_right = f(right);
        }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_straight_line_goes_on() {
        let values: Vec<f64> = (1..=40).map(|t| 5.0 + 0.5 * f64::from(t)).collect();
        let line = fit(&values);
        assert!((line.first - 25.5).abs() < 1e-6 && (line.slope - 0.5).abs() < 1e-6, "{line:?}");
    }

    #[test]
    fn a_constant_goes_on() {
        for constant in [0.0, 7.0] {
            let line = fit(&[constant; 30]);
            assert!((line.first - constant).abs() < 1e-9 && line.slope.abs() < 1e-9, "{line:?}");
        }
    }

    /// The recursion of the paper, written down directly.
    fn squared_errors(values: &[f64], alpha: f64, start: f64, weight: f64) -> f64 {
        let Trend { intercept, slope } = Trend::of(values);
        let mut level = start;
        let mut sum = 0.0;
        for (at, value) in values.iter().enumerate() {
            let decay = |power: usize| (1.0 - alpha).powi(power as i32);
            let line = decay(at) * intercept + (1.0 - decay(at + 1)) / alpha * slope;
            if at >= BURN_IN {
                sum += (value - level - weight * line).powi(2);
            }
            level += alpha * (value - level);
        }
        sum
    }

    #[test]
    fn nothing_on_a_grid_is_better() {
        let values: Vec<f64> =
            (0..50).map(|t| f64::from((7 * t) % 11) + 0.2 * f64::from(t) + f64::from(t % 3)).collect();
        let best = fit(&values).squared_errors;
        for alpha in (2..=19).map(|step| 0.05 * f64::from(step)) {
            for start in (-10..=10).map(f64::from) {
                for weight in (0..=10).map(|step| 0.1 * f64::from(step)) {
                    assert!(best <= squared_errors(&values, alpha, start, weight) * (1.0 + 1e-9));
                }
            }
        }
    }
}
