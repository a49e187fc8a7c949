//! What a check is, and how a list of them is run.

use std::time::{Duration, Instant};

use retailcast_runtime::PluginError;
use serde::Serialize;

use crate::report::{CheckResult, Verdict};

/// How thorough a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// What a server does before a file serves: seconds at most.
    Smoke,
    /// Everything.
    Full,
}

impl Level {
    /// The name as it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Smoke => "smoke",
            Self::Full => "full",
        }
    }
}

/// One rule for plugins of one kind, and how it is found out. `S` is what the checks of the kind look at.
#[derive(Debug)]
pub struct Check<S> {
    /// `group.name`; never changes, because exclusion lists of other people's CI and links name it.
    pub id: &'static str,
    /// A few words.
    pub title: &'static str,
    /// The rule, as one sentence that ends with a full stop.
    pub rule: &'static str,
    /// The lowest level that runs it.
    pub level: Level,
    /// Which plugins must keep it.
    pub applies: Applies<S>,
    /// What usually breaks the rule, and how it is mended.
    pub mend: &'static str,
    /// Carries it out.
    pub body: fn(&S) -> Outcome,
}

/// Which plugins must keep a rule: what a plugin declares decides, nothing else.
#[derive(Debug)]
pub struct Applies<S> {
    /// Completes the sentence "applies ...".
    pub when: &'static str,
    /// The declaration, read.
    pub to: fn(&S) -> bool,
}

impl<S> Applies<S> {
    /// All of the kind.
    pub const ALWAYS: Self = Self { when: "to every plugin of the kind", to: |_| true };
}

/// What a check found.
pub type Outcome = Result<(), Problem>;

/// Why a check does not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// The plugin breaks the rule.
    Failed(Failure),
    /// The check could not be carried out, which is no proof that the rule is kept.
    NotRun(String),
}

/// How the plugin breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// What the rule asks for.
    pub expected: String,
    /// What the plugin did.
    pub found: String,
    /// The smallest input on which it did so.
    pub case: String,
}

impl Failure {
    /// As an outcome.
    pub fn outcome(
        expected: impl Into<String>,
        found: impl Into<String>,
        case: impl Into<String>,
    ) -> Outcome {
        Err(Problem::Failed(Self { expected: expected.into(), found: found.into(), case: case.into() }))
    }
}

impl Problem {
    /// The problem of an error where an answer was due, on this input.
    pub fn of(error: &PluginError, expected: &str, case: &str) -> Self {
        match error {
            // The time of the whole run is over; the plugin's own limit would have a key.
            PluginError::Timeout { key: None, .. } => Self::out_of_time(),
            PluginError::Host { .. } | PluginError::Cancelled { .. } => Self::NotRun(error.to_string()),
            other => Self::Failed(Failure {
                expected: expected.to_owned(),
                found: other.to_string(),
                case: case.to_owned(),
            }),
        }
    }

    /// The check had no turn because another one, whose result it builds on, fails.
    pub fn after(check: &str) -> Self {
        Self::NotRun(format!("not run, because `{check}` does not pass"))
    }

    fn out_of_time() -> Self {
        Self::NotRun("not run, because the time for this run is over".to_owned())
    }
}

/// What is said of a check without its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct About {
    /// See [`Check::id`].
    pub id: &'static str,
    /// See [`Check::title`].
    pub title: &'static str,
    /// See [`Check::rule`].
    pub rule: &'static str,
    /// See [`Check::level`].
    pub level: Level,
    /// See [`Applies::when`].
    pub applies: &'static str,
    /// See [`Check::mend`].
    pub mend: &'static str,
}

impl<S> Check<S> {
    /// What is said of it.
    pub fn about(&self) -> About {
        About {
            id: self.id,
            title: self.title,
            rule: self.rule,
            level: self.level,
            applies: self.applies.when,
            mend: self.mend,
        }
    }

    /// Carries it out on a subject, unless the subject declares that the rule is not for it or the time is over.
    pub(crate) fn run(&self, subject: &S, until: Option<Instant>) -> CheckResult {
        let started = Instant::now();
        let verdict = if !(self.applies.to)(subject) {
            Verdict::Skip { reason: format!("applies {}", self.applies.when) }
        } else if until.is_some_and(|until| started >= until) {
            Verdict::from(Err(Problem::out_of_time()))
        } else {
            Verdict::from((self.body)(subject))
        };
        CheckResult::new(self.about(), verdict, started.elapsed())
    }
}

impl About {
    /// The result of a check that had no subject to look at.
    pub(crate) fn not_run(self, problem: Problem) -> CheckResult {
        CheckResult::new(self, Verdict::from(Err(problem)), Duration::ZERO)
    }
}
