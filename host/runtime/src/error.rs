//! What can go wrong with a plugin, told apart. Every variant has a code with a page under `docs/errors/`.

use std::time::Duration;

use crate::Kind;

/// What the host was doing with the plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Making the instance.
    Instantiate,
    /// Reading its description.
    Describe,
    /// Asking its requirements.
    Needs,
    /// Fitting a model.
    Fit,
    /// Restoring a fitted model.
    Load,
    /// Writing a fitted model.
    Save,
    /// Forecasting.
    Predict,
    /// Applying assumptions to a forecast.
    Adjust,
    /// Explaining a forecast.
    Explain,
    /// Making vectors of texts.
    Embed,
}

impl Phase {
    /// All of them, in the order of a request.
    pub const ALL: [Self; 10] = [
        Self::Instantiate,
        Self::Describe,
        Self::Needs,
        Self::Fit,
        Self::Load,
        Self::Save,
        Self::Predict,
        Self::Adjust,
        Self::Explain,
        Self::Embed,
    ];
}

impl std::fmt::Display for Phase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Instantiate => "instantiate",
            Self::Describe => "describe",
            Self::Needs => "needs",
            Self::Fit => "fit",
            Self::Load => "load",
            Self::Save => "save",
            Self::Predict => "predict",
            Self::Adjust => "adjust",
            Self::Explain => "explain",
            Self::Embed => "embed",
        })
    }
}

/// Why a plugin says it refuses, as declared in the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GuestErrorCode {
    /// Configuration values that do not go together.
    InvalidConfig,
    /// Fewer rows than the model needs.
    NotEnoughHistory,
    /// An absent feature column.
    MissingFeature,
    /// Bytes that this plugin did not write.
    ArtifactMismatch,
    /// No finite result.
    Numeric,
    /// Declared as not supported.
    Unsupported,
    /// Another service failed.
    Upstream,
    /// None of the above.
    Other,
}

impl GuestErrorCode {
    /// As the contract writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::InvalidConfig => "invalid-config",
            Self::NotEnoughHistory => "not-enough-history",
            Self::MissingFeature => "missing-feature",
            Self::ArtifactMismatch => "artifact-mismatch",
            Self::Numeric => "numeric",
            Self::Unsupported => "unsupported",
            Self::Upstream => "upstream",
            Self::Other => "other",
        }
    }
}

/// A refusal by the plugin itself.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct GuestError {
    /// Why.
    pub code: GuestErrorCode,
    /// For people.
    pub message: String,
    /// Position of the series it is about.
    pub series: Option<u32>,
    /// Further facts.
    pub details: Vec<(String, String)>,
}

/// The time limits that applied, the smallest of which won.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeLimit {
    /// What was granted.
    pub effective: Duration,
    /// What was left of the request's deadline.
    pub request: Option<Duration>,
    /// The plugin's limit for this phase.
    pub plugin: Duration,
}

impl std::fmt::Display for TimeLimit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} (plugin limit {:?}", self.effective, self.plugin)?;
        match self.request {
            Some(left) => write!(f, ", left of the request {left:?})"),
            None => f.write_str(", the request has no deadline)"),
        }
    }
}

/// Anything that keeps a plugin from loading or from answering.
#[derive(Debug, thiserror::Error)]
pub enum PluginError {
    /// The file is not a component that this host can use.
    #[error("not a usable component: {reason}")]
    NotAComponent {
        /// What it is, and how to mend it.
        reason: String,
    },
    /// The component is valid, but compiling it failed.
    #[error("the component does not compile: {reason}")]
    Compile {
        /// The compiler's words.
        reason: String,
    },
    /// The component speaks another version of the contract, or another world.
    #[error("needs {needed}; this host offers {offered}")]
    Contract {
        /// What the component wants.
        needed: String,
        /// What there is.
        offered: String,
    },
    /// An import that was not granted or does not exist here.
    #[error("imports `{import}`, which {reason}. {hint}")]
    Denied {
        /// The interface.
        import: String,
        /// Why it is not there.
        reason: String,
        /// The line that would allow it, or that nothing would.
        hint: String,
    },
    /// The file is not the one that was pinned.
    #[error("its SHA-256 is {found}, but `{key}` pins {pinned}. To allow this file:{}", setting(.key, &format!("{found:?}")))]
    Digest {
        /// The file's digest.
        found: String,
        /// The pinned digest.
        pinned: String,
        /// The configuration key of the pin.
        key: String,
    },
    /// The operator wants every file pinned, and this one is not.
    #[error("it is not pinned, which `plugins.strict` demands. To allow this file:{}", setting(.key, &format!("{found:?}")))]
    Unpinned {
        /// The file's digest.
        found: String,
        /// The configuration key of the missing pin.
        key: String,
    },
    /// Defaults of the operator that the plugin's schema refuses.
    #[error("the defaults set for it do not fit: {reason}. Its own would be:\n{lines}")]
    Defaults {
        /// What does not fit.
        reason: String,
        /// The lines of TOML that would do.
        lines: String,
    },
    /// What the plugin says of itself breaks the contract, or its name belongs to another.
    #[error("its name or description is refused: {reason}")]
    Description {
        /// What is wrong with it.
        reason: String,
    },
    /// The plugin could not be instantiated.
    #[error("cannot be instantiated: {reason}")]
    Instantiate {
        /// Why.
        reason: String,
    },
    /// The plugin crashed.
    #[error("crashed in {phase}: {reason}{}", stderr_suffix(.stderr))]
    Trap {
        /// In which call.
        phase: Phase,
        /// The trap, as wasmtime names it.
        reason: String,
        /// Function names, innermost first.
        frames: Vec<String>,
        /// The last lines it wrote to standard error: its panic message, usually. Of the place of a panic only the
        /// file's name is kept; the log has it all.
        stderr: String,
    },
    /// The plugin took too long.
    #[error("{}", timeout(*.phase, limit, .key.as_deref()))]
    Timeout {
        /// In which call.
        phase: Phase,
        /// The limits that applied.
        limit: TimeLimit,
        /// The configuration key that raises the limit; none when the request's deadline was the nearer one.
        key: Option<String>,
    },
    /// Nobody waits for the answer any more.
    #[error("cancelled in {phase}")]
    Cancelled {
        /// In which call.
        phase: Phase,
    },
    /// The plugin wanted more memory than it may have.
    #[error("wanted {asked_mib} MiB of memory in {phase}, its limit is {limit_mib} MiB; `{key}` raises it{}", raise_mib(.key, *.limit_mib, *.asked_mib))]
    MemoryLimit {
        /// In which call.
        phase: Phase,
        /// What it would have had, in MiB, rounded up.
        asked_mib: u64,
        /// What it may have, in MiB.
        limit_mib: u64,
        /// The configuration key.
        key: String,
    },
    /// The plugin handed over more than it may.
    #[error("handed over more than {limit_mib} MiB in {phase}; `{key}` raises the limit{}", raise_mib(.key, *.limit_mib, 0))]
    PayloadLimit {
        /// In which call.
        phase: Phase,
        /// What it may hand over in one call, in MiB.
        limit_mib: u64,
        /// The configuration key.
        key: String,
    },
    /// The plugin answered, and the answer breaks the contract.
    #[error("broke the contract in {phase}: {check}: expected {expected}, found {found}")]
    BadResult {
        /// In which call.
        phase: Phase,
        /// Which promise.
        check: &'static str,
        /// What was promised.
        expected: String,
        /// What came.
        found: String,
    },
    /// The plugin refuses, as it may.
    #[error("{0}")]
    Guest(#[from] GuestError),
    /// No plugin has this name.
    #[error("no {} `{name}` is loaded; loaded are: {}", .kind.noun(), .loaded.join(", "))]
    Unknown {
        /// What it should be for.
        kind: Kind,
        /// The name asked for.
        name: String,
        /// The names there are.
        loaded: Vec<String>,
    },
    /// The session ended with an earlier error.
    #[error("the plugin's instance was dropped after an earlier failure")]
    SessionOver,
    /// The plugin does not keep a rule that every plugin of its kind must keep.
    #[error("fails the check `{check}`: {rule} Expected {expected}, found {found}")]
    Conformance {
        /// The check's id.
        check: &'static str,
        /// Its rule, as a sentence.
        rule: &'static str,
        /// What was expected.
        expected: String,
        /// What was found.
        found: String,
    },
    /// The host itself failed (a file, a lock).
    #[error("{context}: {reason}")]
    Host {
        /// What the host did.
        context: String,
        /// How it failed.
        reason: String,
    },
}

fn timeout(phase: Phase, limit: &TimeLimit, key: Option<&str>) -> String {
    match key {
        Some(key) => {
            let twice = format!("{:?}", limit.plugin.as_secs_f64() * 2.0);
            let lines = setting(key, &twice);
            format!("took longer in {phase} than its limit of {limit}; `{key}` raises it:{lines}")
        }
        None => format!(
            "took longer in {phase} than the request had left, {limit}; the request's deadline came before the plugin's limit"
        ),
    }
}

/// A setting as lines to paste: `plugins.settings.drift.sha256` is the key `sha256` of a table.
fn setting(key: &str, value: &str) -> String {
    let (table, name) = key.rsplit_once('.').unwrap_or(("", key));
    format!("\n[{table}]\n{name} = {value}")
}

/// The lines that allow twice as much, or what was asked for; none when no setting allows more.
fn raise_mib(key: &str, limit: u64, asked: u64) -> String {
    let more = asked.max(2 * limit).min(MOST_MIB);
    if more > limit { format!(":{}", setting(key, &more.to_string())) } else { String::new() }
}

/// The largest limit that can be set, in MiB: linear memories are 32-bit, and a pool reserves this much per instance.
const MOST_MIB: u64 = 2_048;

fn stderr_suffix(stderr: &str) -> String {
    if stderr.is_empty() { String::new() } else { format!(". It said: {stderr}") }
}

impl PluginError {
    /// The stable code; `docs/errors/CODE.md` explains it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotAComponent { .. } => "RC-P001",
            Self::Compile { .. } => "RC-P002",
            Self::Contract { .. } => "RC-P003",
            Self::Denied { .. } => "RC-P004",
            Self::Digest { .. } | Self::Unpinned { .. } => "RC-P005",
            Self::Description { .. } => "RC-P006",
            Self::Instantiate { .. } => "RC-P007",
            Self::Trap { .. } => "RC-P008",
            Self::Timeout { .. } => "RC-P009",
            Self::Cancelled { .. } => "RC-P010",
            Self::MemoryLimit { .. } => "RC-P011",
            Self::PayloadLimit { .. } => "RC-P012",
            Self::BadResult { .. } => "RC-P013",
            Self::Guest(_) => "RC-P014",
            Self::Unknown { .. } => "RC-P015",
            Self::SessionOver => "RC-P016",
            Self::Host { .. } => "RC-P017",
            Self::Conformance { .. } => "RC-P018",
            Self::Defaults { .. } => "RC-P019",
        }
    }
}
