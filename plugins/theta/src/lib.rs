//! `theta`: the season is taken out, the optimised theta method forecasts what remains, and the season is put back.

mod optimised;
mod seasonal;

use retailcast_sdk::{Error, Info, Requirements, SeriesModel};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use seasonal::{Form, Season};

/// Values that give three parameters something to fit beyond the first three errors, which do not count.
const MIN_HISTORY: u32 = 8;

/// The forecast line of one series, and its season.
#[derive(Debug, Serialize, Deserialize)]
pub struct Theta {
    first: f64,
    slope: f64,
    form: Form,
    /// The index of each day ahead, repeated; a single neutral one without a season.
    indices: Vec<f64>,
    non_negative: bool,
}

/// Configuration.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Config {
    /// Days of one season; 7 is the week. A season is taken out when it shows; with less than 4 none is.
    #[serde(default = "week")]
    #[schemars(range(min = 1, max = 365))]
    season_length: u32,
    /// Forecasts below zero become zero.
    #[serde(default = "yes")]
    non_negative: bool,
}

fn week() -> u32 {
    7
}

fn yes() -> bool {
    true
}

impl SeriesModel for Theta {
    type Config = Config;
    const INFO: Info = Info {
        name: "theta",
        version: env!("CARGO_PKG_VERSION"),
        licence: "Apache-2.0",
        summary: "Optimised theta method on seasonally adjusted sales: a smoothed level, a damped trend, the week.",
    };

    fn requirements(_: &Config) -> Result<Requirements, Error> {
        Ok(Requirements::series(MIN_HISTORY))
    }

    fn fit(config: &Config, history: &[f64]) -> Result<Self, Error> {
        if history.len() < MIN_HISTORY as usize {
            return Err(Error::not_enough_history(MIN_HISTORY as usize, history.len()));
        }
        let season = Season::of(history, config.season_length as usize);
        let line = optimised::fit(&season.adjusted(history));
        if !(line.first.is_finite() && line.slope.is_finite()) {
            return Err(Error::numeric("the values are too large for sums of their squares"));
        }
        let mut indices = season.indices;
        let phase = history.len() % indices.len();
        indices.rotate_left(phase);
        let Config { non_negative, .. } = *config;
        Ok(Self { first: line.first, slope: line.slope, form: season.form, indices, non_negative })
    }

    fn forecast(&self, horizon: usize) -> Result<Vec<f64>, Error> {
        let floor = if self.non_negative { 0.0 } else { f64::NEG_INFINITY };
        let indices = self.indices.iter().cycle();
        Ok((0..horizon)
            .zip(indices)
            .map(|(step, index)| {
                self.form.unadjusted(self.first + self.slope * step as f64, *index).max(floor)
            })
            .collect())
    }
}

/// What the model makes least: the sum of squared one-step errors of the seasonally adjusted values without the first three.
/// For comparison with other implementations.
pub fn criterion(history: &[f64], season_length: usize) -> f64 {
    optimised::fit(&Season::of(history, season_length).adjusted(history)).squared_errors
}

retailcast_sdk::export!(Theta as SeriesModel);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use retailcast_sdk::component::EachSeries;
    use retailcast_sdk::testing::{Panel, fit_predict};

    fn forecast(history: &[f64]) -> Vec<f64> {
        let panel = Panel::of(&[history]);
        fit_predict::<EachSeries<Theta>>("{}", &panel, &panel.future(90)).unwrap().points
    }

    #[test]
    fn the_week_stands_on_its_days() {
        let week = [5.0, 7.0, 9.0, 11.0, 13.0, 20.0, 2.0];
        let history: Vec<f64> = (0..73).map(|day| week[day % 7]).collect();
        for (step, point) in forecast(&history).iter().enumerate() {
            assert!((point - week[(73 + step) % 7]).abs() < 1e-6, "step {step}: {point}");
        }
    }

    #[test]
    fn degenerate_series_have_sensible_forecasts() {
        let mut spike = [0.0; 100];
        spike[50] = 1000.0;
        assert!(forecast(&spike).iter().all(|point| (0.0..100.0).contains(point)));
        assert_eq!(forecast(&[0.0; 60]), [0.0; 90]);
        assert!(forecast(&[4.0; 8]).iter().all(|point| (point - 4.0).abs() < 1e-9));
    }

    #[test]
    fn values_whose_squares_overflow_fail_their_series() {
        let panel = Panel::of(&[&[1e200, 0.0].repeat(20), &[1.0, 2.0].repeat(20)]);
        let forecasts = fit_predict::<EachSeries<Theta>>("{}", &panel, &panel.future(1)).unwrap();
        assert_eq!(forecasts.failures.len(), 1);
        assert_eq!(forecasts.failures[0].code, retailcast_sdk::ErrorCode::Numeric);
    }

    #[test]
    fn decline_ends_at_zero() {
        let decline: Vec<f64> = (0..40).map(|day| f64::from(40 - day)).collect();
        assert_eq!(forecast(&decline)[89].to_bits(), 0.0_f64.to_bits());
    }

    #[test]
    fn a_short_series_does_not_fail_the_others() {
        let panel = Panel::of(&[&[1.0; 7], &[2.0; 8]]);
        let forecasts = fit_predict::<EachSeries<Theta>>("{}", &panel, &panel.future(1)).unwrap();
        assert_eq!(forecasts.failures[0].message, "needs at least 8 values, found 7");
        assert!((forecasts.points[1] - 2.0).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn forecasts_are_finite_and_not_negative(history in proptest::collection::vec(
            prop_oneof![3 => Just(0.0), 2 => 0.0..1e6, 1 => (0..5_u32).prop_map(f64::from)], 8..120,
        )) {
            prop_assert!(forecast(&history).iter().all(|point| point.is_finite() && *point >= 0.0));
        }
    }
}
