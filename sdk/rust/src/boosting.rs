//! Gradient-boosted trees by the host (LightGBM). Needs the operator's grant `gradient-boosting`.

use crate::bindings::retailcast::plugin::gradient_boosting as host;
use crate::{Error, FutureData, TrainingData};

pub use host::ImportanceKind;

/// Trees trained and kept by the host. Exists only inside the server: in native tests `train` and `load` refuse.
#[derive(Debug)]
pub struct Booster(host::Booster);

/// What native tests hear instead of LightGBM.
fn only_inside_the_server() -> Error {
    Error::unsupported("gradient boosting is a capability of the server; it does not exist in native tests")
}

impl Booster {
    /// Trains on the rows of one series, or of all (`None`). `params` are LightGBM's by name.
    pub fn train(
        data: &dyn TrainingData,
        series: Option<usize>,
        params: &[(&str, String)],
    ) -> Result<Self, Error> {
        let params: Vec<(String, String)> =
            params.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let handle = data.handle().ok_or_else(only_inside_the_server)?;
        host::Booster::train(handle, series.map(|s| s as u32), &params).map(Self).map_err(Error::from)
    }

    /// Reads what [`Booster::save`] wrote.
    pub fn load(bytes: &[u8]) -> Result<Self, Error> {
        if cfg!(target_arch = "wasm32") {
            host::Booster::load(bytes).map(Self).map_err(Error::from)
        } else {
            Err(only_inside_the_server())
        }
    }

    /// Predicts the rows of one series, or of all (`None`).
    pub fn predict(&self, ahead: &dyn FutureData, series: Option<usize>) -> Result<Vec<f64>, Error> {
        let handle = ahead.handle().ok_or_else(only_inside_the_server)?;
        self.0.predict(handle, series.map(|s| s as u32)).map_err(Error::from)
    }

    /// SHAP values of every feature and then the base value, row after row.
    pub fn contributions(&self, ahead: &dyn FutureData, series: Option<usize>) -> Result<Vec<f64>, Error> {
        let handle = ahead.handle().ok_or_else(only_inside_the_server)?;
        self.0.contributions(handle, series.map(|s| s as u32)).map_err(Error::from)
    }

    /// Importance per feature.
    pub fn importance(&self, kind: ImportanceKind) -> Vec<f64> {
        self.0.importance(kind)
    }

    /// LightGBM's text format.
    pub fn save(&self) -> Vec<u8> {
        self.0.save()
    }
}
