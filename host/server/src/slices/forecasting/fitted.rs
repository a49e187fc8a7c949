//! A fitted model and what it reads for the day after its origin: what explanations are made from.

use chrono::NaiveDate;
use retailcast_core::Day;
use retailcast_runtime::explain::FittedModel;
use retailcast_runtime::panel::{self, Ahead};
use retailcast_runtime::{FeatureTable, Lane};
use serde_json::{Map, Value};

use super::error::ForecastError;
use super::predict::{LoadedModel, origin, own_config};
use super::series::SeriesWindow;
use super::service::{Forecasting, TrainRequest};
use crate::artifacts::Bundle;
use crate::compute;

/// What to fit.
#[derive(Debug, Clone, PartialEq)]
pub struct FitRequest {
    /// The series.
    pub store_id: i32,
    /// The series.
    pub product_id: i32,
    /// Model type.
    pub model_type: String,
    /// Its configuration, as submitted.
    pub config: Map<String, Value>,
    /// First day of the training data; none for all of it.
    pub start: Option<NaiveDate>,
    /// Last day, the forecast origin.
    pub end: NaiveDate,
}

/// A fitted model and its configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// State, columns and forecast.
    pub model: FittedModel,
    /// The configuration as its plugin knows it (JSON).
    pub config: String,
}

/// 0000-01-01: no date that clients can write is before it.
const FIRST_DAY: Day = Day(-719_528);

impl Forecasting {
    /// Fits a model and keeps nothing.
    pub async fn fit_unkept(&self, request: FitRequest, request_id: &str) -> Result<Fitted, ForecastError> {
        let FitRequest { store_id, product_id, model_type, config, start, end } = request;
        let schema = self.model(&model_type)?;
        let config = schema
            .config_schema()
            .normalise(&config, &model_type)
            .map_err(|errors| ForecastError::Config { model_type: model_type.clone(), errors })?;
        let start = start.map_or(FIRST_DAY, Day::from_date);
        let window = SeriesWindow { store_id, product_id, start, end: Day::from_date(end) };
        let request = TrainRequest { window, model_type, config, calibration: None };
        self.fitted(self.fit(request, request_id).await?, request_id).await
    }

    /// The model of a file.
    pub async fn fitted(&self, bundle: Bundle, request_id: &str) -> Result<Fitted, ForecastError> {
        let model = self.model_of(&bundle)?;
        let origin = origin(&bundle)?;
        let (known, _) = self.known_ahead(&bundle, 1, origin).await?;
        let call = self.call(request_id, origin);
        let lane = Lane::plugin(&bundle.plugin.name);
        compute::run(&self.compute, &lane, &call.clone(), move || {
            let mut loaded = LoadedModel::open(&*model, &bundle, &call)?;
            let ahead = loaded.unchanged(&bundle, origin + 1, 1, &known);
            fitted(&mut loaded, bundle, ahead)
        })
        .await?
    }
}

fn fitted(loaded: &mut LoadedModel, bundle: Bundle, ahead: Ahead) -> Result<Fitted, ForecastError> {
    let FeatureTable { names, values, .. } = panel::first_row(&loaded.input, &ahead);
    let forecast = loaded.forecast(&bundle, ahead, 1)?.0[0].forecast;
    let config = own_config(&bundle);
    Ok(Fitted {
        model: FittedModel { state: bundle.state, feature_names: names, features: values, forecast },
        config,
    })
}
