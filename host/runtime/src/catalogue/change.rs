//! What a reload changed.

use super::{Entry, State};
use crate::Digest;

/// One plugin that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Name of its settings table.
    pub key: String,
    /// What happened to it.
    pub kind: ChangeKind,
    /// SHA-256 before, when there was a readable file.
    pub before: Option<Digest>,
    /// SHA-256 now.
    pub after: Option<Digest>,
}

/// What happened to a plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// It was not there.
    Added,
    /// Another file, other settings, or another outcome.
    Changed,
    /// It is not there any more.
    Removed,
}

impl std::fmt::Display for ChangeKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Removed => "removed",
        })
    }
}

/// What is different, in the order of `after`, and at the end what is gone.
pub(super) fn between(before: &[Entry], after: &[Entry]) -> Vec<Change> {
    let find = |entries: &[Entry], entry: &Entry| {
        entries.iter().find(|other| other.key == entry.key && other.origin == entry.origin).cloned()
    };
    let judged = after.iter().filter_map(|now| {
        let was = find(before, now);
        let kind = match &was {
            None => ChangeKind::Added,
            Some(was) if is_same(was, now) => return None,
            Some(_) => ChangeKind::Changed,
        };
        Some(Change { key: now.key.clone(), kind, before: was.and_then(|was| was.digest), after: now.digest })
    });
    let gone = before.iter().filter(|was| find(after, was).is_none()).map(|was| Change {
        key: was.key.clone(),
        kind: ChangeKind::Removed,
        before: was.digest,
        after: None,
    });
    judged.chain(gone).collect()
}

fn is_same(was: &Entry, now: &Entry) -> bool {
    let outcome = match (&was.state, &now.state) {
        (State::Loaded(_), State::Loaded(_)) | (State::Disabled, State::Disabled) => true,
        (State::Refused(was), State::Refused(now)) => was.to_string() == now.to_string(),
        _ => false,
    };
    outcome && was.digest == now.digest && was.settings == now.settings
}
