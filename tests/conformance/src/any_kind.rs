//! What the checks of all kinds share.

use std::sync::Arc;
use std::time::{Duration, Instant};

use retailcast_runtime::{Call, Description, Direction, GuestErrorCode, LOG_BUDGET, PluginError, Trace};

use crate::check::{Failure, Outcome, Problem};

/// The circumstances of a call at this time, within the time of the run.
pub(crate) fn call_at(now: Duration, until: Option<Instant>) -> Call {
    Call { id: "conformance".to_owned(), deadline: until, seed: 42, now, ..Call::default() }
}

/// The same call at another time, with another seed.
pub(crate) fn later(call: &Call) -> Call {
    Call { now: Duration::from_secs(1), seed: 7, ..call.clone() }
}

/// The same call, with everything that crosses the boundary.
pub(crate) fn traced(call: &Call) -> (Call, Trace) {
    let trace = Trace::default();
    (Call { trace: Some(trace.clone()), ..call.clone() }, trace)
}

/// Whether the plugin refused with this code.
pub(crate) fn is_refusal(error: &PluginError, code: GuestErrorCode) -> bool {
    matches!(error, PluginError::Guest(refusal) if refusal.code == code)
}

/// Fails unless an answer was given or refused with one of these codes.
pub(crate) fn answered_or_refused<T>(
    answer: Result<T, PluginError>,
    codes: &[GuestErrorCode],
    case: &str,
) -> Outcome {
    match answer {
        Ok(_) => Ok(()),
        Err(e) if codes.iter().any(|code| is_refusal(&e, *code)) => Ok(()),
        Err(e) => Err(Problem::of(&e, &format!("an answer, or a refusal with {}", names(codes)), case)),
    }
}

/// Fails unless it was refused with one of these codes.
pub(crate) fn refused<T>(answer: Result<T, PluginError>, codes: &[GuestErrorCode], case: &str) -> Outcome {
    let expected = format!("a refusal with {}", names(codes));
    match answer {
        Ok(_) => Failure::outcome(expected, "an answer", case),
        Err(PluginError::Guest(refusal)) if codes.contains(&refusal.code) => Ok(()),
        Err(PluginError::Guest(refusal)) => {
            Failure::outcome(expected, format!("{:?}: {}", refusal.code, refusal.message), case)
        }
        Err(e) => Err(Problem::of(&e, &expected, case)),
    }
}

fn names(codes: &[GuestErrorCode]) -> String {
    codes.iter().map(|code| format!("`{}`", code.name())).collect::<Vec<_>>().join(" or ")
}

/// Fails when a plugin says something else of itself than the first time.
pub(crate) fn same_description(first: &Description, again: Result<Description, PluginError>) -> Outcome {
    let case = "describe, asked again in another instance";
    let again = again.map_err(|e| Problem::of(&e, "the description of the first time", case))?;
    // Maps keep the order of their fields, and that order is the order of hashing: compared as text.
    let text = |d: &Description| format!("{d:?}");
    if text(&again) == text(first) {
        return Ok(());
    }
    Failure::outcome(text(first), text(&again), case)
}

/// Fails when more was written to the log than it takes.
pub(crate) fn within_log_budget(trace: &Trace, case: &str) -> Outcome {
    let crossings = trace.crossings();
    let lines = crossings.iter().filter(|c| c.direction == Direction::IntoHost && c.function == "log");
    let written: usize = lines.map(|line| line.bytes_in).sum();
    if written > LOG_BUDGET {
        return Failure::outcome(format!("at most {LOG_BUDGET} bytes"), format!("{written} bytes"), case);
    }
    Ok(())
}

/// What goes wrong with ordinary input.
#[derive(Debug, Clone)]
pub(crate) struct Trouble {
    /// The smallest input that shows it.
    pub(crate) case: String,
    /// What the host says.
    pub(crate) error: Arc<PluginError>,
    /// The check that the error belongs to.
    pub(crate) owner: &'static str,
}

impl Trouble {
    /// The body of a check that ordinary input must pass: fails when its trouble is the check's own.
    pub(crate) fn judge(trouble: Option<&Self>, own: &str, expected: &str) -> Outcome {
        match trouble {
            Some(trouble) if trouble.owner == own => {
                Err(Problem::of(&trouble.error, expected, &trouble.case))
            }
            Some(trouble) => Err(Problem::after(trouble.owner)),
            None => Ok(()),
        }
    }

    /// An error when ordinary input fails: then nothing else is worth saying.
    pub(crate) fn none(trouble: Option<&Self>) -> Outcome {
        trouble.map_or(Ok(()), |trouble| Err(Problem::after(trouble.owner)))
    }
}
