//! `naive`: tomorrow is like today. Every step of the forecast is the last observed value.

use retailcast_sdk::{Error, Info, Requirements, SeriesModel, Tail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The last value of one series.
#[derive(Debug, Serialize, Deserialize)]
pub struct Naive {
    last: f64,
}

/// Nothing to configure.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Config {}

impl SeriesModel for Naive {
    type Config = Config;
    const INFO: Info = Info {
        name: "naive",
        version: env!("CARGO_PKG_VERSION"),
        licence: "Apache-2.0",
        summary: "Every day is forecast as the last observed value.",
    };

    fn requirements(_: &Config) -> Result<Requirements, Error> {
        Ok(Requirements::series(1))
    }

    fn reads(_: &Config) -> Tail {
        Tail::Last(1)
    }

    fn fit(_: &Config, history: &[f64]) -> Result<Self, Error> {
        let last = history.last().ok_or_else(|| Error::not_enough_history(1, 0))?;
        Ok(Self { last: *last })
    }

    fn forecast(&self, horizon: usize) -> Result<Vec<f64>, Error> {
        Ok(vec![self.last; horizon])
    }
}

retailcast_sdk::export!(Naive as SeriesModel);

#[cfg(test)]
mod tests {
    use super::*;
    use retailcast_sdk::component::EachSeries;
    use retailcast_sdk::testing::{Panel, fit_predict};

    #[test]
    fn repeats_the_last_value_of_every_series() {
        let panel = Panel::of(&[&[1.0, 2.0, 3.0], &[7.0]]);
        let forecasts = fit_predict::<EachSeries<Naive>>("{}", &panel, &panel.future(2)).unwrap();
        assert_eq!(forecasts.points, [3.0, 3.0, 7.0, 7.0]);
    }

    #[test]
    fn refuses_an_empty_series() {
        let panel = Panel::of(&[&[]]);
        let error = fit_predict::<EachSeries<Naive>>("{}", &panel, &panel.future(1)).unwrap_err();
        assert_eq!(error.message, "needs at least 1 values, found 0");
    }
}
