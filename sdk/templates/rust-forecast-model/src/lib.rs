//! `my_model`: the mean of the same weekday over the last weeks. Make it yours.

use retailcast_sdk::{Error, Info, Requirements, SeriesModel, Tail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The mean of each weekday of one series, beginning with that of the first day to forecast.
#[derive(Debug, Serialize, Deserialize)]
pub struct MyModel {
    week: Vec<f64>,
}

/// Configuration.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Config {
    /// Weeks over which the mean is taken.
    #[serde(default = "four")]
    #[schemars(range(min = 1, max = 52))]
    weeks: u32,
}

fn four() -> u32 {
    4
}

impl SeriesModel for MyModel {
    type Config = Config;
    const INFO: Info = Info {
        name: "my_model",
        version: env!("CARGO_PKG_VERSION"),
        licence: "Apache-2.0",
        summary: "The mean of the same weekday over the last weeks.",
    };

    fn requirements(config: &Config) -> Result<Requirements, Error> {
        Ok(Requirements::series(7 * config.weeks))
    }

    fn reads(config: &Config) -> Tail {
        Tail::Last(7 * config.weeks as usize)
    }

    fn fit(config: &Config, history: &[f64]) -> Result<Self, Error> {
        let weeks = config.weeks as usize;
        if history.len() < 7 * weeks {
            return Err(Error::not_enough_history(7 * weeks, history.len()));
        }
        let mean = |day: usize| history[day..].iter().step_by(7).map(|sold| sold / weeks as f64).sum::<f64>();
        let week: Vec<f64> = (0..7).map(mean).collect();
        if week.iter().all(|mean| mean.is_finite()) {
            Ok(Self { week })
        } else {
            Err(Error::numeric("the values are too large to be added up"))
        }
    }

    fn forecast(&self, horizon: usize) -> Result<Vec<f64>, Error> {
        Ok(self.week.iter().copied().cycle().take(horizon).collect())
    }
}

retailcast_sdk::export!(MyModel as SeriesModel);

#[cfg(test)]
mod tests {
    use super::*;
    use retailcast_sdk::component::EachSeries;
    use retailcast_sdk::testing::{Panel, fit_predict};

    #[test]
    fn averages_each_weekday_for_itself() {
        let history: Vec<f64> = (0..14).map(f64::from).collect();
        let panel = Panel::of(&[&history]);
        let forecasts =
            fit_predict::<EachSeries<MyModel>>(r#"{"weeks": 2}"#, &panel, &panel.future(8)).unwrap();
        assert_eq!(forecasts.points, [3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5, 3.5]);
    }
}
