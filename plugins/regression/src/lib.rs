//! `regression`: gradient-boosted trees on lags, calendar, price and promotion, one model per series, entirely inside
//! the sandbox. The estimator is in [`boosting`].

pub mod boosting;

use retailcast_sdk::{
    Error, ErrorCode, ForecastModel, Forecasts, FutureData, Info, Requirements, ShortLags, TrainingData,
    retail_frame, state,
};
use schemars::JsonSchema;
use serde::Deserialize;

use boosting::{FitError, Model, Params, UncountedModel};

/// Rows below which trees of at least 20 rows a leaf cannot split sensibly.
const MIN_ROWS: u32 = 30;

/// The models of a panel, one per series, or why there is none.
#[derive(Debug)]
pub struct Regression {
    models: Vec<Result<Model, Error>>,
}

/// Configuration.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Config {
    /// Trees.
    #[serde(default = "iterations")]
    #[schemars(range(min = 10, max = 1000))]
    max_iter: u32,
    /// Share of every tree that is added.
    #[serde(default = "rate")]
    #[schemars(range(min = 0.001, max = 1.0))]
    learning_rate: f64,
    /// Deepest leaf.
    #[serde(default = "depth")]
    #[schemars(range(min = 1, max = 20))]
    max_depth: u32,
    /// Hash of the feature configuration that a client has in mind. Informational.
    #[serde(default)]
    #[allow(dead_code, reason = "part of the configuration and its hash; training does not read it")]
    feature_config_hash: Option<String>,
}

fn iterations() -> u32 {
    200
}

fn rate() -> f64 {
    0.05
}

fn depth() -> u32 {
    6
}

/// Why a series has no model, in the contract's words.
fn refusal(e: &FitError) -> Error {
    match e {
        FitError::Shape { rows: 0, .. } => Error::not_enough_history(MIN_ROWS as usize, 0),
        FitError::Shape { .. } => Error::new(ErrorCode::MissingFeature, e.to_string()),
        FitError::Target => Error::numeric(e.to_string()),
    }
}

/// All feature columns of a data set.
fn columns(count: usize, column: impl Fn(usize) -> Vec<f64>) -> Vec<Vec<f64>> {
    (0..count).map(column).collect()
}

impl ForecastModel for Regression {
    type Config = Config;
    /// 2 counts the rows of every node, which explanations need; 1 is still read.
    const STATE_FORMAT: u32 = 2;
    const INFO: Info = Info {
        name: "regression",
        version: env!("CARGO_PKG_VERSION"),
        licence: "Apache-2.0",
        summary: "Histogram gradient boosting on lags, calendar, price and promotion; one model per series.",
    };

    fn requirements(_: &Config) -> Result<Requirements, Error> {
        Ok(Requirements::table(MIN_ROWS, retail_frame(), ShortLags::Direct))
    }

    fn fit(config: &Config, data: &dyn TrainingData) -> Result<Self, Error> {
        let Config { max_iter, learning_rate, max_depth, .. } = *config;
        let params = Params { max_iter, learning_rate, max_depth };
        let columns = columns(data.feature_names().len(), |i| data.feature(i));
        let target = data.target();
        let models = data
            .offsets()
            .windows(2)
            .map(|rows| {
                let rows = rows[0] as usize..rows[1] as usize;
                let features: Vec<&[f64]> = columns.iter().map(|column| &column[rows.clone()]).collect();
                boosting::fit(&features, &target[rows], &params).map_err(|e| refusal(&e))
            })
            .collect::<Vec<_>>();
        match &models[..] {
            [Err(refusal)] => Err(refusal.clone()),
            _ => Ok(Self { models }),
        }
    }

    fn predict(&self, ahead: &dyn FutureData) -> Result<Forecasts, Error> {
        ahead.expect_series(self.models.len())?;
        let horizon = ahead.horizon();
        let columns = columns(ahead.feature_names().len(), |i| ahead.feature(i));
        let mut forecasts = Forecasts::new(self.models.len(), horizon);
        for (series, model) in self.models.iter().enumerate() {
            forecasts.push(match model {
                Ok(model) if model.feature_count() != columns.len() => Err(Error::new(
                    ErrorCode::MissingFeature,
                    format!("fitted on {} columns, given {}", model.feature_count(), columns.len()),
                )),
                Ok(model) => Ok((0..horizon)
                    .map(|step| model.predict(|feature| columns[feature][series * horizon + step]))
                    .collect()),
                Err(refusal) => Err(refusal.clone()),
            });
        }
        Ok(forecasts)
    }

    fn save(&self) -> Vec<u8> {
        state::encode::<Self>(&self.models)
    }

    fn load(bytes: &[u8]) -> Result<Self, Error> {
        let name = Self::INFO.name;
        let models: Vec<Result<Model, Error>> = match state::open(name, bytes)? {
            (1, body) => {
                let models: Vec<Result<UncountedModel, Error>> = state::read(name, body)?;
                models.into_iter().map(|model| model.map(Model::from)).collect()
            }
            _ => state::decode::<Self, _>(bytes)?,
        };
        let models = models
            .into_iter()
            .map(|model| match model {
                Ok(model) => model.check().map(Ok).map_err(|e| Error::artifact_mismatch(e.to_string())),
                Err(refusal) => Ok(Err(refusal)),
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { models })
    }
}

retailcast_sdk::export!(Regression as ForecastModel);

#[cfg(test)]
mod tests {
    use super::*;
    use retailcast_sdk::testing::{Panel, fit_predict};

    #[test]
    fn learns_each_series_for_itself() {
        let weekly: Vec<f64> = (0..70).map(|i| f64::from(i % 7)).collect();
        let (up, down): (Vec<f64>, Vec<f64>) = (weekly.clone(), weekly.iter().map(|x| 6.0 - x).collect());
        let panel =
            Panel::of(&[&up, &down]).with_column("weekday", [weekly.clone(), weekly.clone()].concat());
        let ahead = panel.future(7).with_column("weekday", [&weekly[..7], &weekly[..7]].concat());
        let forecasts = fit_predict::<Regression>("{}", &panel, &ahead).unwrap();
        assert!(forecasts.points[6] > forecasts.points[0]);
        assert!(forecasts.points[13] < forecasts.points[7]);
    }

    #[test]
    fn another_number_of_series_than_fitted_is_refused() {
        let panel = Panel::of(&[&[1.0; 40]]).with_column("x", vec![1.0; 40]);
        let config: Config = retailcast_sdk::testing::config("{}").unwrap();
        let loaded = Regression::load(&Regression::fit(&config, &panel).unwrap().save()).unwrap();
        let two = Panel::of(&[&[1.0; 40], &[1.0; 40]]).future(3).with_column("x", vec![1.0; 6]);
        let error = loaded.predict(&two).unwrap_err();
        assert_eq!(error.message, "fitted on 1 series, asked for 2");
    }

    #[test]
    fn a_series_that_could_not_be_fitted_keeps_its_code_through_save_and_load() {
        let panel = Panel::of(&[&[1.0; 40], &[]]).with_column("x", vec![1.0; 40]);
        let ahead = panel.future(1).with_column("x", vec![1.0; 2]);
        let config: Config = retailcast_sdk::testing::config("{}").unwrap();
        let fitted = Regression::fit(&config, &panel).unwrap();
        let (before, after) = (fitted.predict(&ahead).unwrap(), Regression::load(&fitted.save()).unwrap());
        assert_eq!(before.failures[0].code, ErrorCode::NotEnoughHistory);
        assert_eq!(after.predict(&ahead).unwrap().failures, before.failures);
    }

    /// A state of format 1, written by hand: a series with one tree of two leaves.
    #[test]
    fn a_state_without_row_counts_still_forecasts() {
        let mut state = b"RCS2\x0aregression\x01\0\0\0".to_vec();
        // One series, fitted; baseline 2.0; one feature; one tree of three nodes.
        state.extend([1, 0]);
        state.extend(2.0_f64.to_le_bytes());
        state.extend([1, 1, 3]);
        // Split: feature 0, threshold 0.5, missing values right, children 1 and 2.
        state.extend([1, 0]);
        state.extend(0.5_f64.to_le_bytes());
        state.extend([0, 1, 2]);
        for leaf in [-1.0_f64, 3.0] {
            state.push(0);
            state.extend(leaf.to_le_bytes());
        }
        let ahead = Panel::of(&[&[1.0]]).future(3).with_column("x", vec![0.0, 1.0, f64::NAN]);
        let old = Regression::load(&state).unwrap();
        assert_eq!(old.predict(&ahead).unwrap().points, [1.0, 5.0, 5.0]);
        // Saved again it is of the new format, and says that nothing was counted.
        let saved = old.save();
        assert_eq!(saved[15..19], 2_u32.to_le_bytes());
        assert_eq!(Regression::load(&saved).unwrap().predict(&ahead).unwrap().points, [1.0, 5.0, 5.0]);
        state[15] = 3;
        assert!(Regression::load(&state).unwrap_err().message.contains("has format 3; version"));
    }

    #[test]
    fn refuses_damaged_state() {
        let panel = Panel::of(&[&[1.0; 40]]).with_column("x", vec![1.0; 40]);
        let config: Config = retailcast_sdk::testing::config("{}").unwrap();
        let state = Regression::fit(&config, &panel).unwrap().save();
        for cut in 0..state.len() {
            assert!(Regression::load(&state[..cut]).is_err(), "cut at {cut}");
        }
    }
}
