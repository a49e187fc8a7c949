//! Fits every form that comes into question and takes the one with the least corrected Akaike information criterion.

use argmin::core::{CostFunction, Executor};
use argmin::solver::neldermead::NelderMead;

use crate::form::{Form, Join, Spec, Trend};
use crate::initial;
use crate::recursion::{Smoothing, States, smooth};

/// Bounds of alpha, beta and gamma, as in R's `forecast::ets`; beta stays below alpha, gamma below 1 - alpha.
const SHARE: (f64, f64) = (0.0001, 0.9999);
/// Bounds of phi.
const DAMPING: (f64, f64) = (0.8, 0.98);
/// A search ends when the costs of its simplex's corners deviate by less from each other, in units of -2 log likelihood: a
/// rough one …
const ROUGH: f64 = 0.1;
/// … and a fine one, or any after so many steps.
const FINE: f64 = 1e-4;
const MOST_STEPS: u64 = 2_000;
/// Forms whose rough criterion is worse than the best by more are out of the running.
const MARGIN: f64 = 10.0;

/// A fitted form.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// The form.
    pub form: Form,
    /// Corrected Akaike information criterion, without the constants that all forms share.
    pub aicc: f64,
    pub(crate) smoothing: Smoothing,
    /// After the last value.
    pub(crate) states: States,
}

/// The best form; `None` when none comes into question, or none has a finite likelihood.
///
/// All forms are searched roughly, those near the best one finely, and that twice: a simplex can collapse before it has
/// arrived, and one that is spread anew goes on.
pub fn best(values: &[f64], season_length: usize, spec: Spec) -> Option<Fitted> {
    let rough: Vec<(Problem<'_>, Vec<f64>, f64)> = spec
        .candidates(values, season_length)
        .into_iter()
        .map(|form| {
            let problem = Problem { form, values, season_length };
            let point = problem.search(problem.start(), ROUGH);
            let aicc = problem.fitted(&point).aicc;
            (problem, point, aicc)
        })
        .collect();
    let least = rough.iter().map(|(_, _, aicc)| *aicc).fold(f64::INFINITY, f64::min);
    rough
        .into_iter()
        .filter(|(_, _, aicc)| *aicc <= least + MARGIN)
        .map(|(problem, point, _)| {
            let point = problem.search(problem.search(point, FINE), FINE);
            problem.fitted(&point)
        })
        .filter(|fitted| fitted.aicc.is_finite())
        .min_by(|a, b| a.aicc.total_cmp(&b.aicc))
}

/// The likelihood as a function of a point: alpha, then beta, gamma and phi as far as the form has them, then the states
/// before the first value (of the season, all but the last index, which makes the indices neutral on average).
struct Problem<'a> {
    form: Form,
    values: &'a [f64],
    season_length: usize,
}

impl Problem<'_> {
    fn growing(&self) -> bool {
        self.form.trend != Trend::None
    }

    fn damped(&self) -> bool {
        self.form.trend == Trend::Damped
    }

    /// Parameters as R's `forecast::ets` begins with, and states of [`initial`].
    fn start(&self) -> Vec<f64> {
        let within = |(low, high): (f64, f64), share: f64| low + share * (high - low);
        let season_length = if self.form.season.is_some() { self.season_length } else { 1 };
        let alpha = within(SHARE, 0.2 / season_length as f64);
        let states = initial::states(self.form, self.values, self.season_length);
        let mut point = vec![alpha];
        point.extend(self.growing().then(|| within((SHARE.0, alpha), 0.1)));
        point.extend(self.form.season.map(|_| within((SHARE.0, 1.0 - alpha), 0.05)));
        point.extend(self.damped().then(|| within(DAMPING, 0.99)));
        point.push(states.level);
        point.extend(self.growing().then_some(states.growth));
        point.extend(self.form.season.and(states.season.split_last()).map_or(&[][..], |(_, free)| free));
        point
    }

    /// Parameters and first states of a point; a parameter beyond its bounds is the bound.
    fn read(&self, point: &[f64]) -> (Smoothing, States) {
        let mut numbers = point.iter().copied();
        let mut next = || numbers.next().expect("a point has as many numbers as `start` gave it");
        let alpha = next().clamp(SHARE.0, SHARE.1);
        let beta = if self.growing() { next().min(alpha).max(SHARE.0) } else { 0.0 };
        let gamma = if self.form.season.is_some() { next().min(1.0 - alpha).max(SHARE.0) } else { 0.0 };
        let phi = if self.damped() { next().clamp(DAMPING.0, DAMPING.1) } else { 1.0 };
        let level = next();
        let growth = if self.growing() { next() } else { 0.0 };
        let mut season: Vec<f64> = numbers.collect();
        let sum: f64 = season.iter().sum();
        season.push(match self.form.season {
            None | Some(Join::Additive) => -sum,
            Some(Join::Multiplicative) => self.season_length as f64 - sum,
        });
        (Smoothing { alpha, beta, gamma, phi }, States { level, growth, season })
    }

    /// The form with the parameters of this point.
    fn fitted(&self, point: &[f64]) -> Fitted {
        let (smoothing, mut states) = self.read(point);
        let likelihood = smooth(self.form, &smoothing, &mut states, self.values);
        let (parameters, count) = (self.form.parameters(self.season_length) as f64, self.values.len() as f64);
        let correction = 2.0 * parameters * (parameters + 1.0) / (count - parameters - 1.0);
        Fitted { form: self.form, aicc: likelihood + 2.0 * parameters + correction, smoothing, states }
    }

    /// The best point that a simplex around this one finds.
    fn search(&self, start: Vec<f64>, spread: f64) -> Vec<f64> {
        let dimensions = start.len() as f64;
        let moved = |at: usize| {
            let mut corner = start.clone();
            corner[at] = if corner[at].abs() < 1e-8 { 1e-4 } else { corner[at] * 1.05 };
            corner
        };
        let corners = std::iter::once(start.clone()).chain((0..start.len()).map(moved)).collect();
        // Expansion and shrinkage that suit many dimensions: Gao and Han (2012), "Implementing the Nelder-Mead simplex
        // algorithm with adaptive parameters".
        let solver = NelderMead::new(corners)
            .with_sd_tolerance(spread)
            .and_then(|solver| solver.with_gamma(1.0 + 2.0 / dimensions))
            .and_then(|solver| solver.with_sigma(1.0 - 1.0 / dimensions))
            .expect("of two or more dimensions (alpha and the level), they are in their ranges");
        let run = Executor::new(self, solver)
            .configure(|state| state.max_iters(MOST_STEPS))
            .timer(false)
            .run()
            .expect("the likelihood has no error");
        run.state.best_param.unwrap_or(start)
    }
}

impl CostFunction for &Problem<'_> {
    type Param = Vec<f64>;
    type Output = f64;

    fn cost(&self, point: &Vec<f64>) -> Result<f64, argmin::core::Error> {
        let (smoothing, mut states) = self.read(point);
        Ok(smooth(self.form, &smoothing, &mut states, self.values))
    }
}
