//! The one place that configures wasmtime. Server, command line, tests and benches call it.

use std::sync::Arc;
use std::time::Duration;

use wasmtime::{Config, OptLevel};

use crate::PluginError;

/// How often running plugins are looked at: deadlines and cancellations take effect within one tick. 10 ms is
/// far below what a client notices and costs one atomic increment a hundred times a second.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// What an operator (or a bench) may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EngineSettings {
    /// Keep a pool of instances ready. Off: our calls are few and long, and the pool reserves terabytes of
    /// address space, which small containers refuse (docs/decisions/wasm-engine.md has the numbers).
    pub pooling: bool,
    /// Interrupt plugins by epochs. Only benches switch it off, to show what it costs.
    pub epochs: bool,
}

impl Default for EngineSettings {
    fn default() -> Self {
        Self { pooling: false, epochs: true }
    }
}

/// A configured engine with its ticker. Clones share both; the ticker ends with the last clone.
#[derive(Clone)]
pub struct Engine {
    inner: wasmtime::Engine,
    settings: EngineSettings,
    _ticker: Arc<Ticker>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Engine {
    /// Builds the engine and starts its ticker.
    pub fn new(settings: EngineSettings) -> Result<Self, PluginError> {
        let host = |context: &str, reason: String| PluginError::Host { context: context.to_owned(), reason };
        let inner = wasmtime::Engine::new(&config(settings))
            .map_err(|e| host("cannot configure the WebAssembly engine", format!("{e:#}")))?;
        let ticker = Ticker::start(inner.weak())
            .map_err(|e| host("cannot start the thread that watches plugins", e.to_string()))?;
        Ok(Self { inner, settings, _ticker: Arc::new(ticker) })
    }

    /// The wasmtime engine.
    pub fn wasmtime(&self) -> &wasmtime::Engine {
        &self.inner
    }

    pub(crate) fn settings(&self) -> EngineSettings {
        self.settings
    }
}

fn config(settings: EngineSettings) -> Config {
    let mut config = Config::new();
    // Numeric loops are what we run; compiling is off the request path and cached.
    config.cranelift_opt_level(OptLevel::Speed);
    config.wasm_component_model(true);
    // The async component model is incomplete upstream; without it stores carry less.
    config.concurrency_support(false);
    // Deterministic results on every machine: relaxed SIMD differs between processors.
    config.wasm_relaxed_simd(false);
    // Nothing here needs more than 4 GiB, and 64-bit memories pay for bounds checks that 32-bit ones elide.
    config.wasm_memory64(false);
    config.wasm_custom_page_sizes(false);
    // Deadlines and cancellation. Cheaper than fuel; not deterministic, which timeouts are not anyway.
    config.epoch_interruption(settings.epochs);
    // Deep recursion in tree code fits; compute threads have 8 MiB, so the host keeps 7.
    config.max_wasm_stack(1 << 20);
    // Enough frames to see who called; plugins keep their function names for this.
    config.wasm_backtrace_max_frames(std::num::NonZeroUsize::new(32));
    config.wasm_backtrace_details(wasmtime::WasmBacktraceDetails::Disable);
    if settings.pooling {
        config.allocation_strategy(wasmtime::InstanceAllocationStrategy::Pooling(pool()));
    }
    config
}

/// Room for 64 plugin instances at a time, a few more than any sensible number of compute threads.
fn pool() -> wasmtime::PoolingAllocationConfig {
    let mut pool = wasmtime::PoolingAllocationConfig::default();
    pool.total_component_instances(64);
    // A wasip2 component written in Rust consists of about five core instances.
    pool.total_core_instances(512);
    pool.total_memories(128);
    pool.total_tables(512);
    // What one plugin may have at most (the largest memory limit an operator can set).
    pool.max_memory_size(2 << 30);
    pool.table_elements(20_000);
    pool.max_tables_per_component(16);
    pool.max_core_instances_per_component(16);
    pool.max_component_instance_size(4 << 20);
    pool.max_core_instance_size(4 << 20);
    // Keep one warm MiB of a slot instead of unmapping it at every call.
    pool.linear_memory_keep_resident(1 << 20);
    pool
}

/// The thread that advances the engine's epoch. A thread and not an async task: if every worker of a reactor
/// were stuck in plugins, the task that should free them would not run.
struct Ticker {
    stop: std::sync::mpsc::Sender<()>,
}

impl Ticker {
    fn start(engine: wasmtime::EngineWeak) -> std::io::Result<Self> {
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        std::thread::Builder::new().name("plugin-ticker".to_owned()).spawn(move || {
            // A message never comes: the channel closes when the engine's last clone is gone.
            while stopped.recv_timeout(TICK) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                let Some(engine) = engine.upgrade() else { return };
                engine.increment_epoch();
            }
        })?;
        Ok(Self { stop })
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        // Errors mean that the thread has ended already.
        let _ = self.stop.send(());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_engines_of_one_configuration_exchange_compiled_code() {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let hash = || {
            let engine = Engine::new(EngineSettings::default()).unwrap();
            let mut hasher = DefaultHasher::new();
            engine.wasmtime().precompile_compatibility_hash().hash(&mut hasher);
            hasher.finish()
        };
        assert_eq!(hash(), hash());
    }
}
