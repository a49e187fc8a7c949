//! `lightgbm`: LightGBM on lags, calendar, price and promotion, one model per series, or one across all.
//!
//! The trees grow in the host (capability `gradient-boosting`); this plugin says which columns it wants and maps
//! its configuration onto LightGBM's parameters.

use retailcast_sdk::{
    Booster, Error, Feature, ForecastModel, Forecasts, FutureData, Info, Requirements, ShortLags,
    TrainingData, retail_frame, state,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Rows below which trees of at least 20 rows a leaf cannot split sensibly.
const MIN_ROWS: u32 = 30;

/// Fitted trees.
#[derive(Debug)]
pub enum LightGbm {
    /// Those of a panel, one booster per series.
    Local(Vec<Result<Booster, Error>>),
    /// One booster for whatever series there are.
    Global(Booster),
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
    /// One model per series (local), or one across all series of a selection, which knows them by store, product and
    /// category (global).
    // Its default is not declared, so that a configuration without it keeps the hash that it had before this field.
    #[serde(default, skip_serializing_if = "Scope::is_local")]
    scope: Scope,
}

/// What one model is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum Scope {
    #[default]
    Local,
    Global,
}

impl Scope {
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
    fn is_local(&self) -> bool {
        *self == Self::Local
    }
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

/// What a model across series sees: the recent past, the calendar, and whose past it is.
const GLOBAL_FRAME: [Feature; 11] = [
    Feature::Lag(1),
    Feature::Lag(7),
    Feature::Lag(14),
    Feature::Lag(28),
    Feature::RollingMean(7),
    Feature::RollingMean(28),
    Feature::DayOfWeek,
    Feature::Month,
    Feature::Store,
    Feature::Product,
    Feature::Category,
];

/// The columns of [`GLOBAL_FRAME`] that are categorical, as LightGBM wants to hear it.
fn categorical_columns() -> String {
    let columns = GLOBAL_FRAME.iter().enumerate().filter(|(_, feature)| feature.is_categorical());
    columns.map(|(column, _)| column.to_string()).collect::<Vec<_>>().join(",")
}

/// LightGBM's parameters. What is not named stays at LightGBM's default; the host sets threads and seed.
fn parameters(config: &Config) -> Vec<(&'static str, String)> {
    let mut parameters = vec![
        ("objective", "regression".to_owned()),
        ("num_iterations", config.n_estimators.to_string()),
        ("learning_rate", config.learning_rate.to_string()),
        ("max_depth", config.max_depth.to_string()),
        ("num_leaves", "31".to_owned()),
        ("min_data_in_leaf", "20".to_owned()),
    ];
    if config.scope == Scope::Global {
        parameters.push(("categorical_feature", categorical_columns()));
    }
    parameters
}

/// Where the state of local models has the number of its series, which is never 0, a global one has this, and then the
/// text of its booster.
const GLOBAL_STATE: u8 = 0;

impl ForecastModel for LightGbm {
    type Config = Config;
    const INFO: Info = Info {
        name: "lightgbm",
        version: env!("CARGO_PKG_VERSION"),
        licence: "Apache-2.0",
        summary: "LightGBM on lags, calendar, price and promotion; one model per series, or one across all.",
    };

    fn requirements(config: &Config) -> Result<Requirements, Error> {
        Ok(match config.scope {
            Scope::Local => Requirements::table(MIN_ROWS, retail_frame(), ShortLags::Direct),
            Scope::Global => {
                Requirements::table(MIN_ROWS, GLOBAL_FRAME.to_vec(), ShortLags::Recursive).across_series()
            }
        })
    }

    fn fit(config: &Config, data: &dyn TrainingData) -> Result<Self, Error> {
        let parameters = parameters(config);
        let train = |series| Booster::train(data, Some(series), &parameters);
        match (config.scope, data.series_count()) {
            (Scope::Global, _) => Booster::train(data, None, &parameters).map(Self::Global),
            (Scope::Local, 1) => Ok(Self::Local(vec![Ok(train(0)?)])),
            (Scope::Local, count) => Ok(Self::Local((0..count).map(train).collect())),
        }
    }

    fn predict(&self, ahead: &dyn FutureData) -> Result<Forecasts, Error> {
        match self {
            Self::Local(boosters) => local_forecasts(boosters, ahead),
            Self::Global(booster) => {
                let mut forecasts = Forecasts::new(ahead.series_count(), ahead.horizon());
                forecasts.points = booster.predict(ahead, None)?;
                Ok(forecasts)
            }
        }
    }

    fn save(&self) -> Vec<u8> {
        match self {
            Self::Local(boosters) => {
                let models: Vec<Result<Vec<u8>, Error>> = boosters
                    .iter()
                    .map(|booster| booster.as_ref().map(Booster::save).map_err(Error::clone))
                    .collect();
                state::encode::<Self>(&models)
            }
            Self::Global(booster) => [state::header::<Self>(), vec![GLOBAL_STATE], booster.save()].concat(),
        }
    }

    fn load(bytes: &[u8]) -> Result<Self, Error> {
        if let [GLOBAL_STATE, text @ ..] = state::strip_header::<Self>(bytes)? {
            return Booster::load(text).map(Self::Global);
        }
        let models: Vec<Result<Vec<u8>, Error>> = state::decode::<Self, _>(bytes)?;
        let boosters = models
            .into_iter()
            .map(|model| match model {
                Ok(text) => Booster::load(&text).map(Ok),
                Err(refusal) => Ok(Err(refusal)),
            })
            .collect::<Result<_, _>>()?;
        Ok(Self::Local(boosters))
    }
}

fn local_forecasts(boosters: &[Result<Booster, Error>], ahead: &dyn FutureData) -> Result<Forecasts, Error> {
    ahead.expect_series(boosters.len())?;
    let mut forecasts = Forecasts::new(boosters.len(), ahead.horizon());
    for (series, booster) in boosters.iter().enumerate() {
        forecasts.push(match booster {
            Ok(booster) => booster.predict(ahead, Some(series)),
            Err(e) => Err(e.clone()),
        });
    }
    Ok(forecasts)
}

retailcast_sdk::export!(LightGbm as ForecastModel);

#[cfg(test)]
mod tests {
    use super::*;
    use retailcast_sdk::ErrorCode;
    use retailcast_sdk::Input;
    use retailcast_sdk::testing::Panel;

    const CONFIG: Config = Config {
        n_estimators: 10,
        max_depth: 3,
        learning_rate: 0.5,
        feature_config_hash: None,
        scope: Scope::Local,
    };
    const GLOBAL: Config = Config { feature_config_hash: None, scope: Scope::Global, ..CONFIG };

    #[test]
    fn maps_its_configuration_onto_lightgbm() {
        let parameters = parameters(&CONFIG);
        assert!(parameters.contains(&("num_iterations", "10".to_owned())));
        assert!(parameters.contains(&("learning_rate", "0.5".to_owned())));
        assert!(parameters.contains(&("max_depth", "3".to_owned())));
        assert!(parameters.iter().all(|(name, _)| *name != "categorical_feature"));
    }

    #[test]
    fn asks_for_the_fourteen_columns_and_thirty_rows() {
        let requirements = LightGbm::requirements(&CONFIG).unwrap();
        assert_eq!(requirements.min_history, 30);
        assert!(requirements.exogenous);
        assert_eq!(retail_frame().len(), 14);
    }

    #[test]
    fn across_series_it_asks_whose_rows_they_are_and_says_what_is_a_category() {
        let requirements = LightGbm::requirements(&GLOBAL).unwrap();
        assert_eq!(requirements.scope, retailcast_sdk::Scope::Global);
        assert!(!requirements.exogenous);
        let Input::Table(table) = requirements.input else { panic!("a table") };
        assert_eq!(table.short_lags, ShortLags::Recursive);
        assert_eq!(table.features.len(), 11);
        assert!(parameters(&GLOBAL).contains(&("categorical_feature", "8,9,10".to_owned())));
    }

    #[test]
    fn the_scope_has_no_declared_default_so_that_older_hashes_stay() {
        let schema: serde_json::Value =
            serde_json::from_str(&retailcast_sdk::component::config_schema::<LightGbm>()).unwrap();
        let scope = &schema["properties"]["scope"];
        assert_eq!(scope["enum"], serde_json::json!(["local", "global"]));
        assert!(scope.get("default").is_none() && schema.get("required").is_none(), "{schema}");
        let config: Config = retailcast_sdk::testing::config("{}").unwrap();
        assert_eq!(config.scope, Scope::Local);
    }

    #[test]
    fn a_series_without_trees_keeps_its_code_and_the_number_of_series_counts() {
        let missing = Error::new(ErrorCode::MissingFeature, "no columns");
        let saved = LightGbm::Local(vec![Err(missing.clone())]).save();
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
