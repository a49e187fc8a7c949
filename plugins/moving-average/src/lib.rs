//! `moving_average`: the mean of the last `window_size` values, for every step.

use retailcast_sdk::{Error, Info, Requirements, SeriesModel, Tail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The mean of the window of one series.
#[derive(Debug, Serialize, Deserialize)]
pub struct MovingAverage {
    mean: f64,
}

/// Configuration.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Config {
    /// Days that are averaged.
    #[serde(default = "week")]
    #[schemars(range(min = 1, max = 90))]
    window_size: u32,
}

fn week() -> u32 {
    7
}

impl SeriesModel for MovingAverage {
    type Config = Config;
    const INFO: Info = Info {
        name: "moving_average",
        version: env!("CARGO_PKG_VERSION"),
        licence: "Apache-2.0",
        summary: "Every day is forecast as the mean of the last days, by default of the last week.",
    };

    fn requirements(config: &Config) -> Result<Requirements, Error> {
        Ok(Requirements::series(config.window_size))
    }

    fn reads(config: &Config) -> Tail {
        Tail::Last(config.window_size as usize)
    }

    fn fit(config: &Config, history: &[f64]) -> Result<Self, Error> {
        let size = config.window_size as usize;
        let start =
            history.len().checked_sub(size).ok_or_else(|| Error::not_enough_history(size, history.len()))?;
        Ok(Self { mean: history[start..].iter().sum::<f64>() / f64::from(config.window_size) })
    }

    fn forecast(&self, horizon: usize) -> Result<Vec<f64>, Error> {
        Ok(vec![self.mean; horizon])
    }
}

retailcast_sdk::export!(MovingAverage as SeriesModel);

#[cfg(test)]
mod tests {
    use super::*;
    use retailcast_sdk::component::EachSeries;
    use retailcast_sdk::testing::{Panel, fit_predict};

    #[test]
    fn averages_the_window_only() {
        let panel = Panel::of(&[&[100.0, 1.0, 2.0, 6.0]]);
        let config = r#"{"window_size": 3}"#;
        let forecasts = fit_predict::<EachSeries<MovingAverage>>(config, &panel, &panel.future(2)).unwrap();
        assert_eq!(forecasts.points, [3.0, 3.0]);
    }

    #[test]
    fn says_how_much_history_it_needs() {
        let panel = Panel::of(&[&[1.0, 2.0]]);
        let error = fit_predict::<EachSeries<MovingAverage>>("{}", &panel, &panel.future(1)).unwrap_err();
        assert_eq!(error.message, "needs at least 7 values, found 2");
    }
}
