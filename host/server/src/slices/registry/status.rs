//! The life cycle of a run.

use std::fmt;

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum Status {
    /// Registered.
    Pending,
    /// In training.
    Running,
    /// Trained.
    Success,
    /// Not trained.
    Failed,
    /// Put away; the last state.
    Archived,
}

impl Status {
    /// All of them, by name.
    pub const NAMES: [(&str, Self); 5] = [
        ("pending", Self::Pending),
        ("running", Self::Running),
        ("success", Self::Success),
        ("failed", Self::Failed),
        ("archived", Self::Archived),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Success => "success",
            Self::Failed => "failed",
            Self::Archived => "archived",
        }
    }

    /// The states that may follow.
    pub fn successors(self) -> &'static [Self] {
        match self {
            Self::Pending => &[Self::Running, Self::Archived],
            Self::Running => &[Self::Success, Self::Failed, Self::Archived],
            Self::Success | Self::Failed => &[Self::Archived],
            Self::Archived => &[],
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (name, status) in Status::NAMES {
            assert_eq!(status.to_string(), name);
        }
    }

    #[test]
    fn no_state_comes_back() {
        fn reaches(from: Status, to: Status) -> bool {
            from.successors().iter().any(|next| *next == to || reaches(*next, to))
        }
        for (_, status) in Status::NAMES {
            assert!(!reaches(status, status), "{status}");
            assert_eq!(reaches(status, Status::Archived), status != Status::Archived);
        }
    }
}
