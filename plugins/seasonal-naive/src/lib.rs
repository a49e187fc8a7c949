//! `seasonal_naive`: next week is like last week. The last `season_length` values, repeated.

use retailcast_sdk::{Error, Info, Requirements, SeriesModel, Tail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The last season of one series, oldest value first.
#[derive(Debug, Serialize, Deserialize)]
pub struct SeasonalNaive {
    season: Vec<f64>,
}

/// Configuration.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Config {
    /// Days of one season; 7 repeats the last week.
    #[serde(default = "week")]
    #[schemars(range(min = 1, max = 365))]
    season_length: u32,
}

fn week() -> u32 {
    7
}

impl SeriesModel for SeasonalNaive {
    type Config = Config;
    const INFO: Info = Info {
        name: "seasonal_naive",
        version: env!("CARGO_PKG_VERSION"),
        licence: "Apache-2.0",
        summary: "Repeats the last season, by default the last week.",
    };

    fn requirements(config: &Config) -> Result<Requirements, Error> {
        Ok(Requirements::series(config.season_length))
    }

    fn reads(config: &Config) -> Tail {
        Tail::Last(config.season_length as usize)
    }

    fn fit(config: &Config, history: &[f64]) -> Result<Self, Error> {
        let length = config.season_length as usize;
        let start = history
            .len()
            .checked_sub(length)
            .ok_or_else(|| Error::not_enough_history(length, history.len()))?;
        Ok(Self { season: history[start..].to_vec() })
    }

    fn forecast(&self, horizon: usize) -> Result<Vec<f64>, Error> {
        Ok(self.season.iter().copied().cycle().take(horizon).collect())
    }
}

retailcast_sdk::export!(SeasonalNaive as SeriesModel);

#[cfg(test)]
mod tests {
    use super::*;
    use retailcast_sdk::component::EachSeries;
    use retailcast_sdk::testing::{Panel, fit_predict};

    #[test]
    fn cycles_the_last_season() {
        let panel = Panel::of(&[&[9.0, 1.0, 2.0, 3.0]]);
        let config = r#"{"season_length": 3}"#;
        let forecasts = fit_predict::<EachSeries<SeasonalNaive>>(config, &panel, &panel.future(5)).unwrap();
        assert_eq!(forecasts.points, [1.0, 2.0, 3.0, 1.0, 2.0]);
    }

    #[test]
    fn one_short_series_does_not_fail_the_other() {
        let panel = Panel::of(&[&[1.0; 6], &[2.0; 7]]);
        let forecasts = fit_predict::<EachSeries<SeasonalNaive>>("{}", &panel, &panel.future(1)).unwrap();
        assert_eq!(forecasts.failures[0].message, "needs at least 7 values, found 6");
        assert_eq!(forecasts.points[1].to_bits(), 2.0_f64.to_bits());
    }
}
