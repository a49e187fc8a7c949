//! The built-in forecast models, beside a plugin that speaks of them.

use std::sync::Arc;

use retailcast_runtime::{Engine, ForecastModel, open_forecast_model};

use crate::config::Config;

/// Opens the built-in model of a type, under its settings. None when there is none, or when it is switched off.
pub(super) fn bundled(engine: &Engine, config: &Config) -> impl Fn(&str) -> Option<Arc<dyn ForecastModel>> {
    let catalogue = config.plugins.catalogue();
    move |model_type| {
        let bundled = retailcast_bundled::find(model_type)?;
        let settings = catalogue.plugins.get(model_type).unwrap_or(&catalogue.defaults);
        if !settings.enabled {
            return None;
        }
        match open_forecast_model(engine, None, model_type, bundled.component, settings) {
            Ok(model) => Some(model),
            Err(e) => {
                tracing::warn!(model_type, code = e.code(), "the built-in model is not at hand: {e}");
                None
            }
        }
    }
}
