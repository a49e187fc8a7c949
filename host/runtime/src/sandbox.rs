//! What a plugin sees of the world: no files but those of a folder that was granted, no environment, no sockets; a clock
//! and random numbers that the request determines. The same input gives the same bytes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::rngs::StdRng;
use wasmtime::component::{HasSelf, Linker, Resource, ResourceTable};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemView};
use wasmtime_wasi::p2::bindings::{cli, clocks, filesystem, io, random, sync};
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};
use wasmtime_wasi::random::WasiRandom;
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::call::{Call, CancelToken};
use crate::http::Outgoing;
use crate::http_pattern::HttpPattern;
use crate::limits::{Limits, MemoryWatch};
use crate::output::OutputTail;
use crate::trace::{Direction, Payload, Trace};
use crate::{GrantedFolder, PluginError, PluginSettings};

/// Why the host interrupted a plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interruption {
    Deadline,
    Cancelled,
}

/// Most handles a plugin may hold at once (data, boosters, streams).
const MAX_HANDLES: usize = 10_000;

/// Bytes of log that a session may write; the rest is counted and dropped.
pub const LOG_BUDGET: usize = 64 << 10;

/// What the host writes around a line counts too, or empty lines would cost nothing.
pub(crate) const LOG_LINE: usize = 64;

/// The state of one instance.
pub(crate) struct SandboxState {
    pub(crate) table: ResourceTable,
    wasi: WasiCtx,
    clock: VirtualClock,
    http: WasiHttpCtx,
    outgoing: Outgoing,
    pub(crate) memory: MemoryWatch,
    pub(crate) stderr: OutputTail,
    pub(crate) seed: u64,
    pub(crate) threads: usize,
    pub(crate) deadline: Instant,
    pub(crate) cancel: CancelToken,
    pub(crate) interruption: Option<Interruption>,
    pub(crate) log: LogBudget,
    pub(crate) trace: Option<Trace>,
}

/// Who runs, as the log names it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Identity<'a> {
    /// The plugin's name.
    pub(crate) name: &'a str,
    /// Its version.
    pub(crate) version: &'a str,
}

/// What a plugin may reach of the world outside, by the operator's grants.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outside {
    /// Hosts, besides the one that a call allows.
    pub(crate) http: Arc<[HttpPattern]>,
    /// A folder to read.
    pub(crate) folder: Option<GrantedFolder>,
}

impl Outside {
    pub(crate) fn of(settings: &PluginSettings) -> Self {
        Self { http: settings.http.as_slice().into(), folder: settings.folder.clone() }
    }
}

/// Where a plugin sees the folder that it was granted.
const FOLDER: &str = "/granted";

/// Who writes, and how much it may still write.
pub(crate) struct LogBudget {
    pub(crate) plugin: String,
    pub(crate) version: String,
    pub(crate) call: String,
    left: usize,
    dropped: u64,
}

impl LogBudget {
    fn new(plugin: Identity<'_>, call: &Call) -> Self {
        Self {
            plugin: plugin.name.to_owned(),
            version: plugin.version.to_owned(),
            call: call.id.clone(),
            left: LOG_BUDGET,
            dropped: 0,
        }
    }

    /// Whether a line of this many bytes may still be written.
    pub(crate) fn take(&mut self, bytes: usize) -> bool {
        let bytes = bytes.saturating_add(LOG_LINE);
        if bytes <= self.left {
            self.left -= bytes;
            return true;
        }
        self.left = 0;
        self.dropped += 1;
        false
    }
}

impl Drop for LogBudget {
    fn drop(&mut self) {
        if self.dropped > 0 {
            tracing::warn!(
                plugin = self.plugin,
                version = self.version,
                request_id = self.call,
                dropped_lines = self.dropped,
                budget_bytes = LOG_BUDGET,
                "plugin logged more than its budget"
            );
        }
    }
}

impl SandboxState {
    pub(crate) fn new(
        plugin: Identity<'_>,
        call: &Call,
        limits: &Limits,
        outside: &Outside,
    ) -> Result<Self, PluginError> {
        let stderr = OutputTail::default();
        let mut wasi = WasiCtx::builder();
        wasi.stdout(stderr.clone())
            .stderr(stderr.clone())
            .secure_random(StdRng::seed_from_u64(call.seed))
            .insecure_random(StdRng::seed_from_u64(call.seed))
            .insecure_random_seed(u128::from(call.seed))
            // A guest asks for a few bytes to seed a hash map; a mebibyte is for simulations.
            .max_random_size(1 << 20)
            // Plugins run on threads that may wait.
            .allow_blocking_current_thread(true);
        if let Some(folder) = &outside.folder {
            wasi.preopened_dir(&folder.path, FOLDER, FsPerms::ReadOnly).map_err(|e| PluginError::Host {
                context: format!("cannot open {folder}"),
                reason: format!("{e:#}"),
            })?;
        }
        let mut table = ResourceTable::new();
        table.set_max_capacity(MAX_HANDLES);
        Ok(Self {
            table,
            wasi: wasi.build(),
            clock: VirtualClock { start: call.now, elapsed: 0 },
            http: WasiHttpCtx::new(),
            outgoing: Outgoing::new(plugin, call, &outside.http),
            memory: MemoryWatch::new(limits.memory),
            stderr,
            seed: call.seed,
            threads: call.threads.max(1),
            deadline: Instant::now(),
            cancel: call.cancel.clone(),
            interruption: None,
            log: LogBudget::new(plugin, call),
            trace: call.trace.clone(),
        })
    }

    /// Makes the state that of another call, for an instance that is kept: it may do what that call allows, and its clock
    /// starts where that call says. Random numbers go on.
    pub(crate) fn renew(&mut self, plugin: Identity<'_>, call: &Call, outside: &Outside) {
        self.clock.start = call.now;
        self.outgoing = Outgoing::new(plugin, call, &outside.http);
        self.seed = call.seed;
        self.threads = call.threads.max(1);
        self.cancel = call.cancel.clone();
        self.interruption = None;
        self.log = LogBudget::new(plugin, call);
        self.trace = call.trace.clone();
    }

    /// Answers a call of the plugin, and writes it down when somebody traces. `bytes_in` is what its arguments carry.
    pub(crate) fn answer<T: Payload>(
        &mut self,
        function: &'static str,
        bytes_in: usize,
        answer: impl FnOnce(&mut Self) -> wasmtime::Result<T>,
    ) -> wasmtime::Result<T> {
        let Some(trace) = self.trace.clone() else { return answer(self) };
        let started = Instant::now();
        let result = answer(self)?;
        trace.record(Direction::IntoHost, function, (bytes_in, result.payload()), started);
        Ok(result)
    }

    /// Looked at every tick while the plugin runs, and every round while a capability works for it.
    pub(crate) fn check_interruption(&mut self) -> Option<Interruption> {
        let found = if self.cancel.is_cancelled() {
            Some(Interruption::Cancelled)
        } else if Instant::now() >= self.deadline {
            Some(Interruption::Deadline)
        } else {
            None
        };
        self.interruption = self.interruption.or(found);
        self.interruption
    }
}

impl WasiView for SandboxState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for SandboxState {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.outgoing, table: &mut self.table, ctx: &mut self.http }
    }
}

/// Interfaces of WASI that every plugin may import: what Rust's (and others') standard library needs to start,
/// panic and hash. Everything else of WASI is refused at load.
pub(crate) const WASI_OFFERED: &[&str] = &[
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
];

/// Links what [`WASI_OFFERED`] lists, and files, which only a plugin with a folder was let to import.
pub(crate) fn add_to_linker(linker: &mut Linker<SandboxState>) -> wasmtime::Result<()> {
    use wasmtime_wasi::cli::{WasiCli, WasiCliView};
    type S = SandboxState;

    cli::environment::add_to_linker::<S, WasiCli>(linker, S::cli)?;
    cli::exit::add_to_linker::<S, WasiCli>(linker, S::cli)?;
    cli::stdin::add_to_linker::<S, WasiCli>(linker, S::cli)?;
    cli::stdout::add_to_linker::<S, WasiCli>(linker, S::cli)?;
    cli::stderr::add_to_linker::<S, WasiCli>(linker, S::cli)?;
    cli::terminal_input::add_to_linker::<S, WasiCli>(linker, S::cli)?;
    cli::terminal_output::add_to_linker::<S, WasiCli>(linker, S::cli)?;
    cli::terminal_stdin::add_to_linker::<S, WasiCli>(linker, S::cli)?;
    cli::terminal_stdout::add_to_linker::<S, WasiCli>(linker, S::cli)?;
    cli::terminal_stderr::add_to_linker::<S, WasiCli>(linker, S::cli)?;

    io::error::add_to_linker::<S, HasTable>(linker, |s| &mut s.table)?;
    sync::io::poll::add_to_linker::<S, HasTable>(linker, |s| &mut s.table)?;
    sync::io::streams::add_to_linker::<S, HasTable>(linker, |s| &mut s.table)?;

    random::random::add_to_linker::<S, WasiRandom>(linker, |s| s.wasi.random())?;
    random::insecure::add_to_linker::<S, WasiRandom>(linker, |s| s.wasi.random())?;
    random::insecure_seed::add_to_linker::<S, WasiRandom>(linker, |s| s.wasi.random())?;

    sync::filesystem::types::add_to_linker::<S, WasiFilesystem>(linker, S::filesystem)?;
    filesystem::preopens::add_to_linker::<S, WasiFilesystem>(linker, S::filesystem)?;

    clocks::wall_clock::add_to_linker::<S, HasSelf<S>>(linker, |s| s)?;
    clocks::monotonic_clock::add_to_linker::<S, HasSelf<S>>(linker, |s| s)?;
    Ok(())
}

struct HasTable;

impl wasmtime::component::HasData for HasTable {
    type Data<'a> = &'a mut ResourceTable;
}

/// Time that only passes when it is looked at. Sleeping takes no time: a plugin that waited for real would hold
/// its compute thread inside a host call, where epochs cannot reach it.
struct VirtualClock {
    start: Duration,
    elapsed: u64,
}

/// What looking at the clock costs, in nanoseconds: enough that loops which wait for the clock end.
const LOOK: u64 = 1_000_000;

impl VirtualClock {
    fn look(&mut self) -> u64 {
        self.elapsed = self.elapsed.saturating_add(LOOK);
        self.elapsed
    }
}

/// A pollable that is always ready.
struct Elapsed;

#[wasmtime_wasi::async_trait]
impl Pollable for Elapsed {
    async fn ready(&mut self) {}
}

impl clocks::wall_clock::Host for SandboxState {
    fn now(&mut self) -> wasmtime::Result<clocks::wall_clock::Datetime> {
        let now = self.clock.start + Duration::from_nanos(self.clock.look());
        Ok(clocks::wall_clock::Datetime { seconds: now.as_secs(), nanoseconds: now.subsec_nanos() })
    }

    fn resolution(&mut self) -> wasmtime::Result<clocks::wall_clock::Datetime> {
        Ok(clocks::wall_clock::Datetime { seconds: 0, nanoseconds: LOOK as u32 })
    }
}

impl clocks::monotonic_clock::Host for SandboxState {
    fn now(&mut self) -> wasmtime::Result<u64> {
        Ok(self.clock.look())
    }

    fn resolution(&mut self) -> wasmtime::Result<u64> {
        Ok(LOOK)
    }

    fn subscribe_instant(&mut self, when: u64) -> wasmtime::Result<Resource<DynPollable>> {
        self.clock.elapsed = self.clock.elapsed.max(when);
        let elapsed = self.table.push(Elapsed)?;
        subscribe(&mut self.table, elapsed)
    }

    fn subscribe_duration(&mut self, duration: u64) -> wasmtime::Result<Resource<DynPollable>> {
        let when = self.clock.elapsed.saturating_add(duration);
        clocks::monotonic_clock::Host::subscribe_instant(self, when)
    }
}
