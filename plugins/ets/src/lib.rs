//! `ets`: exponential smoothing in state-space form. Error, trend and season are added, multiplied or absent; which form
//! it is, the corrected Akaike information criterion decides.
//!
//! Source: Hyndman, Koehler, Ord and Snyder (2008), "Forecasting with exponential smoothing: the state space approach".

pub mod form;
mod initial;
mod recursion;
pub mod search;

use retailcast_sdk::{Error, ErrorCode, Info, Requirements, SeriesModel};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use form::{Join, Spec};

/// Values that leave the simplest form some to be wrong about.
const MIN_HISTORY: u32 = 8;

/// The states of one series after its last day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ets {
    level: f64,
    growth: f64,
    /// Share of the growth that is left after a day.
    damping: f64,
    season: Option<Join>,
    /// The index of each day ahead, repeated.
    indices: Vec<f64>,
    non_negative: bool,
}

/// Configuration.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Config {
    /// Days of one season; 7 is the week, 1 is none.
    #[serde(default = "week")]
    #[schemars(range(min = 1, max = 24))]
    season_length: u32,
    /// Forms to choose from: three letters for error (A, M), trend (N, A) and season (N, A, M); Z is any. N is none, A
    /// added, M multiplied (only where all values are above zero).
    #[serde(default = "any")]
    #[schemars(regex(pattern = "^[AMZ][NAZ][NAMZ]$"))]
    model: String,
    /// Forecasts below zero become zero.
    #[serde(default = "yes")]
    non_negative: bool,
}

fn week() -> u32 {
    7
}

fn any() -> String {
    "ZZZ".to_owned()
}

fn yes() -> bool {
    true
}

/// The forms that are asked for.
fn spec(config: &Config) -> Result<Spec, Error> {
    let refusal = || {
        let message = format!(
            "`model` {} has no form: A or M or Z, then N or A or Z, then N or A or M or Z; and additive errors do not \
             go with a multiplied season, so MNM, MAM or ZZM",
            config.model
        );
        Error::invalid_config(message)
    };
    Spec::parse(&config.model).ok_or_else(refusal)
}

impl SeriesModel for Ets {
    type Config = Config;
    const INFO: Info = Info {
        name: "ets",
        version: env!("CARGO_PKG_VERSION"),
        licence: "Apache-2.0",
        summary: "Exponential smoothing of level, trend and week; the form that suits the series is chosen by AICc.",
    };

    fn requirements(config: &Config) -> Result<Requirements, Error> {
        spec(config)?;
        Ok(Requirements::series(MIN_HISTORY))
    }

    fn fit(config: &Config, history: &[f64]) -> Result<Self, Error> {
        let spec = spec(config)?;
        if history.len() < MIN_HISTORY as usize {
            return Err(Error::not_enough_history(MIN_HISTORY as usize, history.len()));
        }
        let Config { season_length, non_negative, .. } = *config;
        if history.iter().all(|value| value.to_bits() == history[0].to_bits()) {
            // Every form fits perfectly, so no likelihood tells them apart.
            return Ok(Self::level(history[0], non_negative));
        }
        let fitted = search::best(history, season_length as usize, spec).ok_or_else(|| {
            let message = format!(
                "no form of `model` {} fits these {} values: a season needs three of itself, what is multiplied needs \
                 values above zero, and sums of squares must be finite; `model` ZZZ leaves most to choose from",
                config.model,
                history.len()
            );
            Error::new(ErrorCode::Numeric, message)
        })?;
        let mut indices = fitted.states.season;
        let phase = history.len() % indices.len();
        indices.rotate_left(phase);
        Ok(Self {
            level: fitted.states.level,
            growth: fitted.states.growth,
            damping: fitted.smoothing.phi,
            season: fitted.form.season,
            indices,
            non_negative,
        })
    }

    fn forecast(&self, horizon: usize) -> Result<Vec<f64>, Error> {
        let floor = if self.non_negative { 0.0 } else { f64::NEG_INFINITY };
        let (mut level, mut growth) = (self.level, self.growth);
        let points = (0..horizon).zip(self.indices.iter().cycle()).map(|(_, index)| {
            growth *= self.damping;
            level += growth;
            let point = match self.season {
                None => level,
                Some(Join::Additive) => level + index,
                Some(Join::Multiplicative) => level * index,
            };
            point.max(floor)
        });
        Ok(points.collect())
    }
}

impl Ets {
    fn level(level: f64, non_negative: bool) -> Self {
        Self { level, growth: 0.0, damping: 1.0, season: None, indices: vec![0.0], non_negative }
    }
}

retailcast_sdk::export!(Ets as SeriesModel);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use retailcast_sdk::component::EachSeries;
    use retailcast_sdk::testing::{Panel, fit_predict};

    fn forecast(config: &str, history: &[f64]) -> Vec<f64> {
        let panel = Panel::of(&[history]);
        fit_predict::<EachSeries<Ets>>(config, &panel, &panel.future(90)).unwrap().points
    }

    #[test]
    fn the_week_stands_on_its_days() {
        let week = [5.0, 7.0, 9.0, 11.0, 13.0, 20.0, 2.0];
        let history: Vec<f64> = (0..73).map(|day| week[day % 7]).collect();
        for (step, point) in forecast("{}", &history).iter().enumerate() {
            assert!((point - week[(73 + step) % 7]).abs() < 0.1, "step {step}: {point}");
        }
    }

    #[test]
    fn degenerate_series_have_sensible_forecasts() {
        let mut spike = [0.0; 100];
        spike[50] = 1000.0;
        assert!(forecast("{}", &spike).iter().all(|point| (0.0..100.0).contains(point)));
        assert_eq!(forecast("{}", &[0.0; 60]), [0.0; 90]);
        assert_eq!(forecast("{}", &[4.0; 8]), [4.0; 90]);
        let first = forecast("{}", &[1.0, 3.0, 2.0, 4.0, 3.0, 5.0, 4.0, 6.0])[0];
        assert!((3.0..8.0).contains(&first), "a week and a day: {first}");
    }

    #[test]
    fn values_whose_squares_overflow_fail_their_series() {
        let panel = Panel::of(&[&[1e200, 0.0].repeat(20), &[1.0, 2.0].repeat(20)]);
        let forecasts = fit_predict::<EachSeries<Ets>>("{}", &panel, &panel.future(1)).unwrap();
        assert_eq!(forecasts.failures.len(), 1);
        assert_eq!((forecasts.failures[0].series, forecasts.failures[0].code), (Some(0), ErrorCode::Numeric));
    }

    #[test]
    fn decline_ends_at_zero_unless_below_is_allowed() {
        let decline: Vec<f64> = (0..60).map(|day| f64::from(60 - day) + f64::from(day % 3)).collect();
        assert_eq!(forecast(r#"{"model": "AAN"}"#, &decline)[89].to_bits(), 0.0_f64.to_bits());
        assert!(forecast(r#"{"model": "AAN", "non_negative": false}"#, &decline)[89] < 0.0);
    }

    #[test]
    fn a_form_without_sense_is_refused_before_data_is_read() {
        let config: Config = retailcast_sdk::testing::config(r#"{"model": "AAM"}"#).unwrap();
        let error = Ets::requirements(&config).unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidConfig);
        assert!(error.message.contains("`model` AAM has no form"), "{error}");
    }

    #[test]
    fn a_series_that_a_form_does_not_fit_does_not_fail_the_others() {
        let (zeros, positive): (Vec<f64>, Vec<f64>) =
            (0..40).map(|day| (f64::from(day % 3), f64::from(day % 3 + 1))).unzip();
        let panel = Panel::of(&[&zeros, &positive, &[1.0; 7]]);
        let forecasts =
            fit_predict::<EachSeries<Ets>>(r#"{"model": "MNN"}"#, &panel, &panel.future(1)).unwrap();
        let codes: Vec<_> = forecasts.failures.iter().map(|failure| (failure.series, failure.code)).collect();
        assert_eq!(codes, [(Some(0), ErrorCode::Numeric), (Some(2), ErrorCode::NotEnoughHistory)]);
        assert!(forecasts.failures[0].message.contains("needs values above zero"));
        assert!((1.0..3.0).contains(&forecasts.points[1]));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn forecasts_are_finite_and_not_negative(history in proptest::collection::vec(
            prop_oneof![3 => Just(0.0), 2 => 0.0..1e6, 1 => (0..5_u32).prop_map(f64::from)], 8..80,
        )) {
            let points = forecast("{}", &history);
            prop_assert!(points.iter().all(|point| point.is_finite() && *point >= 0.0), "{points:?}");
        }

        #[test]
        fn forecasts_of_positive_values_are_finite(history in proptest::collection::vec(1e-3..1e4, 8..60)) {
            let points = forecast("{}", &history);
            prop_assert!(points.iter().all(|point| point.is_finite()), "{points:?}");
        }
    }
}
