//! `lightgbm`: LightGBM on lags, calendar, price and promotion, one model per series.
//!
//! The trees grow in the host (capability `gradient-boosting`); this plugin says which columns it wants and maps
//! its configuration onto LightGBM's parameters.

use retailcast_sdk::{
    Booster, Error, ForecastModel, Forecasts, FutureData, Info, Requirements, ShortLags, TrainingData,
    retail_frame, state,
};
use schemars::JsonSchema;
use serde::Deserialize;

/// Rows below which trees of at least 20 rows a leaf cannot split sensibly.
const MIN_ROWS: u32 = 30;

/// The boosters of a panel, one per series.
#[derive(Debug)]
pub struct LightGbm {
    boosters: Vec<Result<Booster, Error>>,
}

/// Configuration.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Config {
    /// Boosting rounds.
    #[serde(default = "rounds")]
    #[schemars(range(min = 10, max = 1000))]
    n_estimators: u32,
    /// Deepest leaf.
    #[serde(default = "depth")]
    #[schemars(range(min = 1, max = 20))]
    max_depth: u32,
    /// Share of every tree that is added.
    #[serde(default = "rate")]
    #[schemars(range(min = 0.001, max = 1.0))]
    learning_rate: f64,
    /// Hash of the feature configuration that a client has in mind. Informational.
    #[serde(default)]
    #[allow(dead_code, reason = "part of the configuration and its hash; training does not read it")]
    feature_config_hash: Option<String>,
}

fn rounds() -> u32 {
    100
}

fn depth() -> u32 {
    6
}

fn rate() -> f64 {
    0.1
}

/// LightGBM's parameters. What is not named stays at LightGBM's default; the host sets threads and seed.
fn parameters(config: &Config) -> Vec<(&'static str, String)> {
    vec![
        ("objective", "regression".to_owned()),
        ("num_iterations", config.n_estimators.to_string()),
        ("learning_rate", config.learning_rate.to_string()),
        ("max_depth", config.max_depth.to_string()),
        ("num_leaves", "31".to_owned()),
        ("min_data_in_leaf", "20".to_owned()),
    ]
}

impl ForecastModel for LightGbm {
    type Config = Config;
    const INFO: Info = Info {
        name: "lightgbm",
        version: env!("CARGO_PKG_VERSION"),
        licence: "Apache-2.0",
        summary: "LightGBM on lags, calendar, price and promotion; one model per series.",
    };

    fn requirements(_: &Config) -> Result<Requirements, Error> {
        Ok(Requirements::table(MIN_ROWS, retail_frame(), ShortLags::Direct))
    }

    fn fit(config: &Config, data: &dyn TrainingData) -> Result<Self, Error> {
        let parameters = parameters(config);
        let train = |series| Booster::train(data, Some(series), &parameters);
        if data.series_count() == 1 {
            return Ok(Self { boosters: vec![Ok(train(0)?)] });
        }
        Ok(Self { boosters: (0..data.series_count()).map(train).collect() })
    }

    fn predict(&self, ahead: &dyn FutureData) -> Result<Forecasts, Error> {
        ahead.expect_series(self.boosters.len())?;
        let mut forecasts = Forecasts::new(self.boosters.len(), ahead.horizon());
        for (series, booster) in self.boosters.iter().enumerate() {
            forecasts.push(match booster {
                Ok(booster) => booster.predict(ahead, Some(series)),
                Err(e) => Err(e.clone()),
            });
        }
        Ok(forecasts)
    }

    fn save(&self) -> Vec<u8> {
        let models: Vec<Result<Vec<u8>, Error>> = self
            .boosters
            .iter()
            .map(|booster| booster.as_ref().map(Booster::save).map_err(Error::clone))
            .collect();
        state::encode::<Self>(&models)
    }

    fn load(bytes: &[u8]) -> Result<Self, Error> {
        let models: Vec<Result<Vec<u8>, Error>> = state::decode::<Self, _>(bytes)?;
        let boosters = models
            .into_iter()
            .map(|model| match model {
                Ok(text) => Booster::load(&text).map(Ok),
                Err(refusal) => Ok(Err(refusal)),
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { boosters })
    }
}

retailcast_sdk::export_forecast_model!(LightGbm);

#[cfg(test)]
mod tests {
    use super::*;
    use retailcast_sdk::ErrorCode;
    use retailcast_sdk::testing::Panel;

    const CONFIG: Config =
        Config { n_estimators: 10, max_depth: 3, learning_rate: 0.5, feature_config_hash: None };

    #[test]
    fn maps_its_configuration_onto_lightgbm() {
        let parameters = parameters(&CONFIG);
        assert!(parameters.contains(&("num_iterations", "10".to_owned())));
        assert!(parameters.contains(&("learning_rate", "0.5".to_owned())));
        assert!(parameters.contains(&("max_depth", "3".to_owned())));
    }

    #[test]
    fn asks_for_the_fourteen_columns_and_thirty_rows() {
        let requirements = LightGbm::requirements(&CONFIG).unwrap();
        assert_eq!(requirements.min_history, 30);
        assert!(requirements.exogenous);
        assert_eq!(retail_frame().len(), 14);
    }

    #[test]
    fn a_series_without_trees_keeps_its_code_and_the_number_of_series_counts() {
        let missing = Error::new(ErrorCode::MissingFeature, "no columns");
        let saved = LightGbm { boosters: vec![Err(missing.clone())] }.save();
        let loaded = LightGbm::load(&saved).unwrap();
        let one = Panel::of(&[&[1.0; 30]]);
        assert_eq!(loaded.predict(&one.future(2)).unwrap().failures, [missing.for_series(0)]);
        let two = Panel::of(&[&[1.0; 30], &[1.0; 30]]);
        let error = loaded.predict(&two.future(2)).unwrap_err();
        assert_eq!(error.message, "fitted on 1 series, asked for 2");
    }

    #[test]
    fn without_a_server_it_says_where_the_trees_grow() {
        let error = LightGbm::fit(&CONFIG, &Panel::of(&[&[1.0; 30]])).unwrap_err();
        assert!(error.message.contains("capability of the server"), "{error}");
    }
}
