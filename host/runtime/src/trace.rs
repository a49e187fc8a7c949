//! What passes between the host and a plugin, call by call: for `retailcast plugin run --trace` and for tests.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::{FittedId, ForecastSession, Forecasts, FutureSet, PluginError, Requirements, TrainingSet};

/// Who called whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The host called an export of the plugin.
    IntoPlugin,
    /// The plugin called an interface of the host.
    IntoHost,
}

/// One call over the boundary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crossing {
    /// Who called whom.
    pub direction: Direction,
    /// The function, as the contract names it: `fit`, `training-data.target`.
    pub function: &'static str,
    /// Payload of the arguments (lists and strings; handles and numbers cost nothing), in bytes.
    pub bytes_in: usize,
    /// Payload of the result, in bytes.
    pub bytes_out: usize,
    /// How long it took. That of a call into the plugin contains those that the plugin made meanwhile.
    pub took: Duration,
}

/// Collects crossings in the order in which they ended. Clones share one list.
#[derive(Debug, Clone, Default)]
pub struct Trace(Arc<Mutex<Vec<Crossing>>>);

impl Trace {
    /// Everything so far.
    pub fn crossings(&self) -> Vec<Crossing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn record(
        &self,
        direction: Direction,
        function: &'static str,
        bytes: (usize, usize),
        started: Instant,
    ) {
        let (bytes_in, bytes_out) = bytes;
        let crossing = Crossing { direction, function, bytes_in, bytes_out, took: started.elapsed() };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(crossing);
    }
}

/// Bytes that a value hands over the boundary.
pub(crate) trait Payload {
    /// Of lists and strings; 0 for handles and single numbers.
    fn payload(&self) -> usize;
}

macro_rules! payload {
    ($($type:ty => $bytes:expr),* $(,)?) => {
        $(impl Payload for $type {
            fn payload(&self) -> usize {
                let bytes: fn(&Self) -> usize = $bytes;
                bytes(self)
            }
        })*
    };
}

payload! {
    () => |()| 0,
    u32 => |_| 0,
    u64 => |_| 0,
    Vec<u8> => Vec::len,
    Vec<u32> => |list| list.len() * 4,
    Vec<i32> => |list| list.len() * 4,
    Vec<f64> => |list| list.len() * 8,
    Vec<String> => |list| list.iter().map(String::len).sum(),
}

impl<T> Payload for wasmtime::component::Resource<T> {
    fn payload(&self) -> usize {
        0
    }
}

impl<T: Payload, E> Payload for Result<T, E> {
    fn payload(&self) -> usize {
        self.as_ref().map_or(0, Payload::payload)
    }
}

/// Names and values of a list.
pub(crate) fn pairs(list: &[(String, String)]) -> usize {
    list.iter().map(|(name, value)| name.len() + value.len()).sum()
}

/// Makes a call into the plugin, and writes it down when somebody wants to see it.
pub(crate) fn traced<T>(
    trace: Option<&Trace>,
    function: &'static str,
    bytes_in: usize,
    call: impl FnOnce() -> Result<T, PluginError>,
    bytes_out: impl FnOnce(&T) -> usize,
) -> Result<T, PluginError> {
    let started = Instant::now();
    let result = call();
    if let Some(trace) = trace {
        let out = result.as_ref().map_or(0, bytes_out);
        trace.record(Direction::IntoPlugin, function, (bytes_in, out), started);
    }
    result
}

/// A session that writes down its calls into the plugin.
pub(crate) struct TracedSession<S> {
    pub(crate) inner: S,
    pub(crate) trace: Trace,
}

impl<S> TracedSession<S> {
    fn record<T>(
        &mut self,
        function: &'static str,
        bytes_in: usize,
        call: impl FnOnce(&mut S) -> Result<T, PluginError>,
        bytes_out: impl FnOnce(&T) -> usize,
    ) -> Result<T, PluginError> {
        traced(Some(&self.trace), function, bytes_in, || call(&mut self.inner), bytes_out)
    }
}

/// Bytes of all columns.
fn weight(f: &Forecasts) -> usize {
    (f.points.len() + f.levels.len() + f.lower.len() + f.upper.len()) * size_of::<f64>()
}

impl<S: ForecastSession> ForecastSession for TracedSession<S> {
    fn requirements(&mut self, config: &str) -> Result<Requirements, PluginError> {
        self.record("needs", config.len(), |session| session.requirements(config), |_| 0)
    }
    fn fit(&mut self, config: &str, data: Arc<TrainingSet>) -> Result<FittedId, PluginError> {
        self.record("fit", config.len(), |session| session.fit(config, data), |_| 0)
    }
    fn load(&mut self, state: &[u8]) -> Result<FittedId, PluginError> {
        self.record("load", state.len(), |session| session.load(state), |_| 0)
    }
    fn save(&mut self, fitted: FittedId) -> Result<Vec<u8>, PluginError> {
        self.record("fitted.save", 0, |session| session.save(fitted), Vec::len)
    }
    fn predict(&mut self, fitted: FittedId, ahead: Arc<FutureSet>) -> Result<Forecasts, PluginError> {
        self.record("fitted.predict", 0, |session| session.predict(fitted, ahead), weight)
    }
    fn release(&mut self, fitted: FittedId) -> Result<(), PluginError> {
        self.record("fitted.drop", 0, |session| session.release(fitted), |()| 0)
    }
    fn peak_memory(&self) -> usize {
        self.inner.peak_memory()
    }
}
