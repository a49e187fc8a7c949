//! The smoothing itself: states move with every value, and the one-step errors give the likelihood.

use crate::form::{Form, Join, Trend};

/// Smoothing parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Smoothing {
    /// Of the level.
    pub(crate) alpha: f64,
    /// Of the growth; at most alpha.
    pub(crate) beta: f64,
    /// Of the season; at most 1 - alpha.
    pub(crate) gamma: f64,
    /// Share of the growth that is left after a day; 1 without damping.
    pub(crate) phi: f64,
}

/// States of a series at the end of a day.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct States {
    pub(crate) level: f64,
    pub(crate) growth: f64,
    /// One index per phase; phase 0 is that of the first value. A single neutral one without a season.
    pub(crate) season: Vec<f64>,
}

/// Smooths all values, moving the states, and returns -2 log likelihood up to a constant: n ln Σe², and for
/// multiplicative errors 2 Σ ln |ŷ| more. Infinite where the form is not defined: a multiplied season or forecast that is
/// not above zero.
pub(crate) fn smooth(form: Form, smoothing: &Smoothing, states: &mut States, values: &[f64]) -> f64 {
    /// A perfect fit has no logarithm; this is as good as perfect.
    const LEAST: f64 = f64::MIN_POSITIVE;
    let Smoothing { alpha, beta, gamma, phi } = *smoothing;
    let growing = form.trend != Trend::None;
    let growth_share = beta / alpha;
    let States { mut level, mut growth, ref mut season } = *states;
    let (mut squares, mut logarithms, mut phase) = (0.0, 0.0, 0);
    for value in values {
        let expected = level + phi * growth;
        let index = season[phase];
        let (forecast, without_season) = match form.season {
            None => (expected, *value),
            Some(Join::Additive) => (expected + index, value - index),
            Some(Join::Multiplicative) if index > 0.0 && expected > 0.0 => (expected * index, value / index),
            Some(Join::Multiplicative) => return f64::INFINITY,
        };
        match form.error {
            Join::Additive => squares += (value - forecast) * (value - forecast),
            Join::Multiplicative if forecast > 0.0 => {
                squares += (value / forecast - 1.0) * (value / forecast - 1.0);
                logarithms += forecast.ln();
            }
            Join::Multiplicative => return f64::INFINITY,
        }
        let before = level;
        level = expected + alpha * (without_season - expected);
        if growing {
            growth = phi * growth + growth_share * (level - before - phi * growth);
        }
        match form.season {
            None => {}
            Some(Join::Additive) => season[phase] += gamma * (value - expected - index),
            Some(Join::Multiplicative) => season[phase] += gamma * (value / expected - index),
        }
        phase = if phase + 1 == season.len() { 0 } else { phase + 1 };
    }
    (states.level, states.growth) = (level, growth);
    let likelihood = values.len() as f64 * squares.max(LEAST).ln() + 2.0 * logarithms;
    if likelihood.is_nan() { f64::INFINITY } else { likelihood }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HALF: Smoothing = Smoothing { alpha: 0.5, beta: 0.25, gamma: 0.5, phi: 1.0 };

    #[test]
    fn a_level_by_hand() {
        let form = Form { error: Join::Additive, trend: Trend::None, season: None };
        let mut states = States { level: 4.0, growth: 0.0, season: vec![0.0] };
        // Errors 2, -1; levels 5, 4.5.
        let likelihood = smooth(form, &HALF, &mut states, &[6.0, 4.0]);
        assert!((likelihood - 2.0 * 5.0_f64.ln()).abs() < 1e-12);
        assert_eq!(states.level.to_bits(), 4.5_f64.to_bits());
    }

    #[test]
    fn growth_and_season_by_hand() {
        let form =
            Form { error: Join::Multiplicative, trend: Trend::Additive, season: Some(Join::Multiplicative) };
        let mut states = States { level: 8.0, growth: 2.0, season: vec![2.0, 0.5] };
        // Expected 10, forecast 20; without its season 24 is 12. Then expected 11 + 2.5, forecast 6.75, met exactly.
        let likelihood = smooth(form, &HALF, &mut states, &[24.0, 6.75]);
        assert!((likelihood - 2.0 * (0.04_f64.ln() + 20.0_f64.ln() + 6.75_f64.ln())).abs() < 1e-12);
        assert_eq!(states, States { level: 13.5, growth: 2.5, season: vec![2.2, 0.5] });
    }

    #[test]
    fn outside_of_its_domain_a_form_is_infinitely_unlikely() {
        let form = Form { error: Join::Multiplicative, trend: Trend::None, season: None };
        let mut states = States { level: -1.0, growth: 0.0, season: vec![0.0] };
        assert_eq!(smooth(form, &HALF, &mut states, &[1.0]).to_bits(), f64::INFINITY.to_bits());
    }
}
