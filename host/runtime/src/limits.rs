//! How much a plugin may take, and the watchman who remembers what it wanted.

use std::time::Duration;

/// Limits of one plugin. Every number can be set in `[plugins.settings.NAME.limits]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Linear memory of an instance, all memories together, in bytes. 512 MiB: a panel of ten million rows and
    /// the model made of it.
    pub memory: usize,
    /// One `fit`. 30 s: what a person waits for.
    pub fit: Duration,
    /// One call for vectors. 120 s: it may wait for another service.
    pub embed: Duration,
    /// Every other call. 5 s: a forecast is arithmetic on a fitted model.
    pub predict: Duration,
    /// What a plugin may hand over in one call, in bytes. 64 MiB: eight million numbers.
    pub payload: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 512 << 20,
            fit: Duration::from_secs(30),
            embed: Duration::from_mins(2),
            predict: Duration::from_secs(5),
            payload: 64 << 20,
        }
    }
}

/// Counts linear memory over all memories of a store. `StoreLimits` of wasmtime limits each memory apart and
/// forgets what it refused; a Rust guest that cannot grow aborts with `unreachable`, so that only the limiter
/// can tell that memory was the reason.
#[derive(Debug)]
pub(crate) struct MemoryWatch {
    limit: usize,
    in_use: usize,
    peak: usize,
    refused: Option<usize>,
}

/// Elements of all tables: function pointers, of which the largest component here has a few thousand.
const TABLE_ELEMENTS: usize = 20_000;

impl MemoryWatch {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, in_use: 0, peak: 0, refused: None }
    }

    /// The size that was asked for and refused, in bytes.
    pub(crate) fn refused(&self) -> Option<usize> {
        self.refused
    }

    /// Most memory that was in use, in bytes.
    pub(crate) fn peak(&self) -> usize {
        self.peak
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit
    }
}

impl wasmtime::ResourceLimiter for MemoryWatch {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = self.in_use.saturating_add(desired.saturating_sub(current));
        if total > self.limit {
            self.refused = Some(total);
            return Err(wasmtime::format_err!("the memory limit of the plugin is reached"));
        }
        self.in_use = total;
        self.peak = self.peak.max(total);
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= TABLE_ELEMENTS)
    }

    // A wasip2 component written in Rust has about five core instances and one memory.
    fn instances(&self) -> usize {
        16
    }
    fn memories(&self) -> usize {
        4
    }
    fn tables(&self) -> usize {
        16
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasmtime::ResourceLimiter;

    #[test]
    fn adds_up_all_memories_and_remembers_the_refusal() {
        let mut watch = MemoryWatch::new(100);
        assert!(watch.memory_growing(0, 60, None).unwrap());
        assert!(watch.memory_growing(0, 40, None).unwrap());
        assert_eq!(watch.refused(), None);
        assert!(watch.memory_growing(40, 41, None).is_err());
        assert_eq!((watch.refused(), watch.peak()), (Some(101), 100));
    }
}
