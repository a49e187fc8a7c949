//! The glue between the traits and the exports of a component. Used by the export macros only.

use crate::bindings::exports::retailcast::plugin::forecaster as exports;
use crate::bindings::retailcast::plugin::data as host;
use crate::bindings::retailcast::plugin::types::{Description, PluginError, PluginKind};
use crate::{Error, ForecastModel, FutureData, Info, SeriesModel, TrainingData};

/// Exports a [`ForecastModel`] as a component. One per crate.
#[doc(hidden)]
#[macro_export]
macro_rules! __export_forecast_model {
    ($model:ty) => {
        // Also natively, where there are no exports: what is wrong is said by the first `cargo check`.
        const _: fn() = $crate::component::is_a_forecast_model::<$model>;

        // Only a component has exports; natively the model is tested through its trait.
        #[cfg(target_arch = "wasm32")]
        #[allow(unsafe_code, missing_docs, clippy::all)]
        mod component_exports {
            struct Component;

            impl $crate::description_bindings::exports::retailcast::plugin::plugin::Guest for Component {
                fn describe() -> $crate::component::WitDescription {
                    $crate::component::describe::<$model>()
                }
            }

            impl $crate::bindings::exports::retailcast::plugin::forecaster::Guest for Component {
                type Fitted = $crate::component::Fitted<$model>;

                fn needs(
                    config: String,
                ) -> Result<$crate::Requirements, $crate::component::WitError> {
                    $crate::component::needs::<$model>(&config)
                }
                fn fit(
                    config: String,
                    data: $crate::component::TrainingHandle<'_>,
                ) -> Result<$crate::component::FittedResource, $crate::component::WitError> {
                    $crate::component::fit::<$model>(&config, data)
                }
                fn load(
                    bytes: Vec<u8>,
                ) -> Result<$crate::component::FittedResource, $crate::component::WitError> {
                    $crate::component::load::<$model>(&bytes)
                }
            }

            use super::*;
            $crate::description_bindings::export_description!(Component with_types_in $crate::description_bindings);
            $crate::bindings::export_forecaster!(Component with_types_in $crate::bindings);
        }
    };
}

/// Exports a [`crate::SeriesModel`] as a component. One per crate.
#[doc(hidden)]
#[macro_export]
macro_rules! __export_series_model {
    ($model:ty) => {
        const _: fn() = $crate::component::is_a_series_model::<$model>;
        $crate::__export_forecast_model!($crate::component::EachSeries<$model>);
    };
}

pub use crate::bindings::exports::retailcast::plugin::forecaster::Fitted as FittedResource;
pub use crate::bindings::retailcast::plugin::data::TrainingData as TrainingResource;
pub use crate::bindings::retailcast::plugin::types::PluginKind as WitKind;
pub use crate::model::EachSeries;

/// What [`export!`](crate::export) asks of a type.
pub fn is_a_forecast_model<M: ForecastModel>() {}

/// What [`export!`](crate::export) asks of a type.
pub fn is_a_series_model<M: SeriesModel>() {}

/// A borrowed training set, as the exports receive it.
pub type TrainingHandle<'a> = &'a TrainingResource;
/// A refusal, as the exports give it.
pub type WitError = PluginError;
/// A description, as the exports give it.
pub type WitDescription = Description;

/// `describe` of a forecast model.
pub fn describe<M: ForecastModel>() -> Description {
    description(&M::INFO, PluginKind::ForecastModel, config_schema::<M>())
}

/// `describe` of a kind whose configuration is `C`.
pub fn describe_configured<C: schemars::JsonSchema>(info: &Info, kind: PluginKind) -> Description {
    description(info, kind, schemars::schema_for!(C).as_value().to_string())
}

/// `describe` of a kind that has no configuration.
pub fn describe_unconfigured(info: &Info, kind: PluginKind) -> Description {
    description(info, kind, r#"{"type":"object","properties":{}}"#.to_owned())
}

fn description(info: &Info, kind: PluginKind, config_schema: String) -> Description {
    Description {
        name: info.name.to_owned(),
        version: info.version.to_owned(),
        kind,
        licence: info.licence.to_owned(),
        summary: info.summary.to_owned(),
        config_schema,
    }
}

/// The JSON Schema of a model's configuration.
pub fn config_schema<M: ForecastModel>() -> String {
    schemars::schema_for!(M::Config).as_value().to_string()
}

fn parse<M: ForecastModel>(config: &str) -> Result<M::Config, Error> {
    serde_json::from_str(config)
        .map_err(|e| Error::invalid_config(format!("the configuration does not fit: {e}")))
}

/// `needs`.
pub fn needs<M: ForecastModel>(config: &str) -> Result<exports::Requirements, PluginError> {
    M::requirements(&parse::<M>(config)?).map_err(Into::into)
}

/// `fit`.
pub fn fit<M: ForecastModel>(
    config: &str,
    data: &host::TrainingData,
) -> Result<exports::Fitted, PluginError> {
    let model = M::fit(&parse::<M>(config)?, data)?;
    Ok(exports::Fitted::new(Fitted(model)))
}

/// `load`.
pub fn load<M: ForecastModel>(bytes: &[u8]) -> Result<exports::Fitted, PluginError> {
    Ok(exports::Fitted::new(Fitted(M::load(bytes)?)))
}

/// A fitted model as a resource.
pub struct Fitted<M>(M);

impl<M: ForecastModel> exports::GuestFitted for Fitted<M> {
    fn save(&self) -> Vec<u8> {
        self.0.save()
    }

    fn predict(&self, ahead: &host::FutureData) -> Result<exports::Forecasts, PluginError> {
        Ok(self.0.predict(ahead)?.into())
    }
}

impl TrainingData for host::TrainingData {
    fn series_count(&self) -> usize {
        self.series_count() as usize
    }
    fn offsets(&self) -> Vec<u32> {
        self.offsets()
    }
    fn starts(&self) -> Vec<i32> {
        self.starts()
    }
    fn days(&self) -> Vec<i32> {
        self.days()
    }
    fn target(&self) -> Vec<f64> {
        self.target()
    }
    fn target_of(&self, series: usize) -> Vec<f64> {
        self.target_of(series as u32)
    }
    fn target_tail(&self, series: usize, count: usize) -> Vec<f64> {
        self.target_tail(series as u32, u32::try_from(count).unwrap_or(u32::MAX))
    }
    fn feature_names(&self) -> Vec<String> {
        self.feature_names()
    }
    fn feature(&self, column: usize) -> Vec<f64> {
        self.feature(column as u32)
    }
    fn seed(&self) -> u64 {
        self.seed()
    }
    fn handle(&self) -> Option<&host::TrainingData> {
        Some(self)
    }
}

impl FutureData for host::FutureData {
    fn series_count(&self) -> usize {
        self.series_count() as usize
    }
    fn horizon(&self) -> usize {
        self.horizon() as usize
    }
    fn starts(&self) -> Vec<i32> {
        self.starts()
    }
    fn feature_names(&self) -> Vec<String> {
        self.feature_names()
    }
    fn feature(&self, column: usize) -> Vec<f64> {
        self.feature(column as u32)
    }
    fn handle(&self) -> Option<&host::FutureData> {
        Some(self)
    }
}
