//! The host's side of `log` and `data`: handles on memory that plugins copy columns out of.

use std::sync::Arc;

use wasmtime::component::Resource;

use super::bindings::retailcast::plugin::{data, log, types};
use crate::sandbox::{LOG_LINE, SandboxState};
use crate::trace::pairs;
use crate::{FutureSet, TrainingSet};

/// What a plugin borrows as `training-data`. Public because the generated bindings re-export it.
#[allow(unreachable_pub)]
pub struct TrainingHandle(pub(crate) Arc<TrainingSet>);

/// What a plugin borrows as `future-data`.
#[allow(unreachable_pub)]
pub struct FutureHandle(pub(crate) Arc<FutureSet>);

impl types::Host for SandboxState {}

impl log::Host for SandboxState {
    fn log(
        &mut self,
        level: log::Level,
        message: String,
        fields: Vec<(String, String)>,
    ) -> wasmtime::Result<()> {
        let size = message.len() + pairs(&fields);
        self.answer("log", size + LOG_LINE, |state| {
            state.write_log(level, &message, &fields, size);
            Ok(())
        })
    }
}

impl SandboxState {
    fn write_log(&mut self, level: log::Level, message: &str, fields: &[(String, String)], size: usize) {
        if !self.log.take(size) {
            return;
        }
        let (plugin, version, request_id) = (&self.log.plugin, &self.log.version, &self.log.call);
        let fields =
            fields.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ");
        match level {
            log::Level::Trace => tracing::trace!(plugin, version, request_id, fields, "{message}"),
            log::Level::Debug => tracing::debug!(plugin, version, request_id, fields, "{message}"),
            log::Level::Info => tracing::info!(plugin, version, request_id, fields, "{message}"),
            log::Level::Warn => tracing::warn!(plugin, version, request_id, fields, "{message}"),
            log::Level::Error => tracing::error!(plugin, version, request_id, fields, "{message}"),
        }
    }
}

impl data::Host for SandboxState {}

type Training = Resource<TrainingHandle>;

impl data::HostTrainingData for SandboxState {
    fn series_count(&mut self, handle: Training) -> wasmtime::Result<u32> {
        self.answer("training-data.series-count", 0, |state| {
            Ok(state.table.get(&handle)?.0.series_count() as u32)
        })
    }

    fn offsets(&mut self, handle: Training) -> wasmtime::Result<Vec<u32>> {
        self.answer("training-data.offsets", 0, |state| Ok(state.table.get(&handle)?.0.offsets.clone()))
    }

    fn starts(&mut self, handle: Training) -> wasmtime::Result<Vec<i32>> {
        self.answer("training-data.starts", 0, |state| {
            let set = &state.table.get(&handle)?.0;
            let rows = set.offsets.iter().take(set.series_count());
            Ok(rows.filter_map(|row| set.days.get(*row as usize)).copied().collect())
        })
    }

    fn days(&mut self, handle: Training) -> wasmtime::Result<Vec<i32>> {
        self.answer("training-data.days", 0, |state| Ok(state.table.get(&handle)?.0.days.clone()))
    }

    fn target(&mut self, handle: Training) -> wasmtime::Result<Vec<f64>> {
        self.answer("training-data.target", 0, |state| Ok(state.table.get(&handle)?.0.target.clone()))
    }

    fn target_of(&mut self, handle: Training, series: u32) -> wasmtime::Result<Vec<f64>> {
        self.answer("training-data.target-of", 0, |state| state.tail(&handle, series, u32::MAX))
    }

    fn target_tail(&mut self, handle: Training, series: u32, count: u32) -> wasmtime::Result<Vec<f64>> {
        self.answer("training-data.target-tail", 0, |state| state.tail(&handle, series, count))
    }

    fn feature_names(&mut self, handle: Training) -> wasmtime::Result<Vec<String>> {
        self.answer("training-data.feature-names", 0, |state| {
            Ok(state.table.get(&handle)?.0.features.names.clone())
        })
    }

    fn feature(&mut self, handle: Training, column: u32) -> wasmtime::Result<Vec<f64>> {
        self.answer("training-data.feature", 0, |state| {
            Ok(state.table.get(&handle)?.0.features.column(column as usize).unwrap_or_default().to_vec())
        })
    }

    fn seed(&mut self, _: Training) -> wasmtime::Result<u64> {
        self.answer("training-data.seed", 0, |state| Ok(state.seed))
    }

    fn drop(&mut self, handle: Training) -> wasmtime::Result<()> {
        self.table.delete(handle)?;
        Ok(())
    }
}

impl SandboxState {
    fn tail(&self, handle: &Training, series: u32, count: u32) -> wasmtime::Result<Vec<f64>> {
        let set = &self.table.get(handle)?.0;
        let Some(rows) = set.rows(series as usize) else { return Ok(Vec::new()) };
        let from = rows.end.saturating_sub(count as usize).max(rows.start);
        Ok(set.target[from..rows.end].to_vec())
    }
}

type Future = Resource<FutureHandle>;

impl data::HostFutureData for SandboxState {
    fn series_count(&mut self, handle: Future) -> wasmtime::Result<u32> {
        self.answer(
            "future-data.series-count",
            0,
            |state| Ok(state.table.get(&handle)?.0.starts.len() as u32),
        )
    }

    fn horizon(&mut self, handle: Future) -> wasmtime::Result<u32> {
        self.answer("future-data.horizon", 0, |state| Ok(state.table.get(&handle)?.0.horizon as u32))
    }

    fn starts(&mut self, handle: Future) -> wasmtime::Result<Vec<i32>> {
        self.answer("future-data.starts", 0, |state| Ok(state.table.get(&handle)?.0.starts.clone()))
    }

    fn feature_names(&mut self, handle: Future) -> wasmtime::Result<Vec<String>> {
        self.answer("future-data.feature-names", 0, |state| {
            Ok(state.table.get(&handle)?.0.features.names.clone())
        })
    }

    fn feature(&mut self, handle: Future, column: u32) -> wasmtime::Result<Vec<f64>> {
        self.answer("future-data.feature", 0, |state| {
            Ok(state.table.get(&handle)?.0.features.column(column as usize).unwrap_or_default().to_vec())
        })
    }

    fn drop(&mut self, handle: Future) -> wasmtime::Result<()> {
        self.table.delete(handle)?;
        Ok(())
    }
}
