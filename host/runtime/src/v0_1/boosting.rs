//! The host's side of `gradient-boosting`.

use std::borrow::Cow;
use std::ops::Range;

use wasmtime::component::Resource;

use super::bindings::retailcast::plugin::gradient_boosting as wit;
use super::bindings::retailcast::plugin::types::{ErrorCode, PluginError};
use super::host::{FutureHandle, TrainingHandle};
use crate::FeatureTable;
use crate::boosting::{Booster, BoosterError, Importance, MAX_CELLS, MAX_FEATURES, ParamError, Params};
use crate::sandbox::SandboxState;
use crate::trace::pairs;

fn refuse(code: ErrorCode, message: impl Into<String>) -> PluginError {
    PluginError { code, message: message.into(), series: None, details: Vec::new() }
}

impl From<BoosterError> for PluginError {
    fn from(e: BoosterError) -> Self {
        let code = match e {
            BoosterError::Library(_) => ErrorCode::Numeric,
            BoosterError::Interrupted(_) => ErrorCode::Other,
            BoosterError::Shape(_) => ErrorCode::MissingFeature,
            BoosterError::Codes(_) => ErrorCode::InvalidConfig,
            BoosterError::Text(_) => ErrorCode::ArtifactMismatch,
        };
        refuse(code, e.to_string())
    }
}

/// The rows of every column; copied only when they are not all of them.
fn matrix(table: &FeatureTable, rows: Range<usize>) -> Cow<'_, [f64]> {
    if rows == (0..table.rows) {
        return Cow::Borrowed(&table.values);
    }
    Cow::Owned(
        table.values.chunks(table.rows.max(1)).flat_map(|column| &column[rows.clone()]).copied().collect(),
    )
}

/// Rows that LightGBM predicts in one call, which nothing can interrupt: a fraction of a second even for the largest
/// model that this host trains.
const ROWS_AT_A_TIME: usize = 256;

fn no_such_series(series: u32) -> PluginError {
    refuse(ErrorCode::Other, format!("there is no series {series}"))
}

impl wit::Host for SandboxState {}

impl wit::HostBooster for SandboxState {
    fn train(
        &mut self,
        data: Resource<TrainingHandle>,
        series: Option<u32>,
        params: Vec<(String, String)>,
    ) -> wasmtime::Result<Result<Resource<Booster>, PluginError>> {
        self.answer("booster.train", pairs(&params), |state| state.train(&data, series, &params))
    }

    fn load(&mut self, bytes: Vec<u8>) -> wasmtime::Result<Result<Resource<Booster>, PluginError>> {
        self.answer("booster.load", bytes.len(), |state| state.load_booster(&bytes))
    }

    fn predict(
        &mut self,
        booster: Resource<Booster>,
        data: Resource<FutureHandle>,
        series: Option<u32>,
    ) -> wasmtime::Result<Result<Vec<f64>, PluginError>> {
        self.answer("booster.predict", 0, |state| {
            state.run_booster(&booster, &data, series, Booster::predict)
        })
    }

    fn contributions(
        &mut self,
        booster: Resource<Booster>,
        data: Resource<FutureHandle>,
        series: Option<u32>,
    ) -> wasmtime::Result<Result<Vec<f64>, PluginError>> {
        self.answer("booster.contributions", 0, |state| {
            state.run_booster(&booster, &data, series, Booster::contributions)
        })
    }

    fn importance(
        &mut self,
        booster: Resource<Booster>,
        kind: wit::ImportanceKind,
    ) -> wasmtime::Result<Vec<f64>> {
        let kind = match kind {
            wit::ImportanceKind::Split => Importance::Split,
            wit::ImportanceKind::Gain => Importance::Gain,
        };
        self.answer("booster.importance", 0, |state| Ok(state.table.get(&booster)?.importance(kind)?))
    }

    fn save(&mut self, booster: Resource<Booster>) -> wasmtime::Result<Vec<u8>> {
        self.answer("booster.save", 0, |state| Ok(state.table.get(&booster)?.save()?.into_bytes()))
    }

    fn drop(&mut self, booster: Resource<Booster>) -> wasmtime::Result<()> {
        self.table.delete(booster)?;
        Ok(())
    }
}

impl SandboxState {
    fn train(
        &mut self,
        data: &Resource<TrainingHandle>,
        series: Option<u32>,
        params: &[(String, String)],
    ) -> wasmtime::Result<Result<Resource<Booster>, PluginError>> {
        let set = std::sync::Arc::clone(&self.table.get(data)?.0);
        let rows = match series {
            None => 0..set.target.len(),
            Some(series) => match set.rows(series as usize) {
                Some(rows) => rows,
                None => return Ok(Err(no_such_series(series))),
            },
        };
        let params = match Params::new(params, self.seed) {
            Ok(params) => params,
            Err(ParamError::Invalid(message)) => return Ok(Err(refuse(ErrorCode::InvalidConfig, message))),
            Err(ParamError::Unsupported(message)) => return Ok(Err(refuse(ErrorCode::Unsupported, message))),
        };
        let features = set.features.names.len();
        if features == 0 {
            return Ok(Err(refuse(ErrorCode::MissingFeature, "the training data has no feature columns")));
        }
        if features > MAX_FEATURES {
            let message = format!("{features} feature columns are more than {MAX_FEATURES}");
            return Ok(Err(refuse(ErrorCode::Unsupported, message)));
        }
        if rows.len().saturating_mul(features) > MAX_CELLS {
            let message =
                format!("{} rows of {features} columns are more than {MAX_CELLS} cells", rows.len());
            return Ok(Err(refuse(ErrorCode::Unsupported, message)));
        }
        let columns = matrix(&set.features, rows.clone());
        let trained = Booster::train(&columns, features, &set.target[rows], &params, self.threads, || {
            self.check_interruption().is_some()
        });
        match trained {
            Ok(booster) => Ok(Ok(self.table.push(booster)?)),
            // A trap, so that a plugin cannot go on past its deadline; the session tells the reason.
            Err(e @ BoosterError::Interrupted(_)) => Err(wasmtime::format_err!("{e}")),
            Err(e) => Ok(Err(e.into())),
        }
    }

    fn load_booster(&mut self, bytes: &[u8]) -> wasmtime::Result<Result<Resource<Booster>, PluginError>> {
        let loaded =
            std::str::from_utf8(bytes).map_err(|e| BoosterError::Text(e.to_string())).and_then(Booster::load);
        match loaded {
            Ok(booster) => Ok(Ok(self.table.push(booster)?)),
            Err(e) => Ok(Err(refuse(ErrorCode::ArtifactMismatch, e.to_string()))),
        }
    }

    fn run_booster(
        &mut self,
        booster: &Resource<Booster>,
        data: &Resource<FutureHandle>,
        series: Option<u32>,
        run: impl Fn(&Booster, &[f64], usize) -> Result<Vec<f64>, BoosterError>,
    ) -> wasmtime::Result<Result<Vec<f64>, PluginError>> {
        let set = std::sync::Arc::clone(&self.table.get(data)?.0);
        let rows = match series {
            None => 0..set.features.rows,
            Some(series) if (series as usize) < set.starts.len() => {
                series as usize * set.horizon..(series as usize + 1) * set.horizon
            }
            Some(series) => return Ok(Err(no_such_series(series))),
        };
        if set.features.names.is_empty() {
            return Ok(Err(refuse(ErrorCode::MissingFeature, "the future data has no feature columns")));
        }
        let mut results = Vec::new();
        for from in rows.clone().step_by(ROWS_AT_A_TIME) {
            if self.check_interruption().is_some() {
                return Err(wasmtime::format_err!("interrupted after {} rows", from - rows.start));
            }
            let part = from..(from + ROWS_AT_A_TIME).min(rows.end);
            match run(self.table.get(booster)?, &matrix(&set.features, part.clone()), part.len()) {
                Ok(values) => results.extend(values),
                Err(e) => return Ok(Err(e.into())),
            }
        }
        Ok(Ok(results))
    }
}
