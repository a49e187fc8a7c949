//! What was found, for people and for programs.

use std::fmt;

use serde::Serialize;

use super::Check;

/// Examples that are told of one check.
pub(super) const TOLD: usize = 5;

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Id of the check.
    pub check: &'static str,
    /// What holds in a healthy place.
    pub holds: &'static str,
    /// How often it does not.
    pub count: usize,
    /// Some of those.
    pub examples: Vec<String>,
    /// What to do.
    pub mend: &'static str,
}

impl Finding {
    /// Of everything that breaks it.
    pub(super) fn of(check: Check, mut broken: Vec<String>) -> Self {
        let count = broken.len();
        broken.truncate(TOLD);
        Self { check: check.id, holds: check.holds, count, examples: broken, mend: check.mend }
    }
}

/// All results.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whether everything holds.
    pub healthy: bool,
    /// One per check.
    pub findings: Vec<Finding>,
}

impl Report {
    pub(super) fn new(findings: Vec<Finding>) -> Self {
        Self { healthy: findings.iter().all(|finding| finding.count == 0), findings }
    }

    /// Ids of the checks that do not hold.
    pub fn broken(&self) -> Vec<&'static str> {
        self.findings.iter().filter(|finding| finding.count > 0).map(|finding| finding.check).collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Finding { check, holds, count, examples, mend } in &self.findings {
            if *count == 0 {
                writeln!(f, "ok    {check:20} {holds}")?;
                continue;
            }
            writeln!(f, "BAD   {check:20} {holds}")?;
            for example in examples {
                writeln!(f, "      - {example}")?;
            }
            if *count > examples.len() {
                writeln!(f, "      and {} more", count - examples.len())?;
            }
            writeln!(f, "      {mend}")?;
        }
        let broken = self.broken().len();
        write!(
            f,
            "{} checks, {}.",
            self.findings.len(),
            match broken {
                0 => "everything holds".to_owned(),
                1 => "1 does not hold".to_owned(),
                more => format!("{more} do not hold"),
            }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_broken_is_told_with_some_examples() {
        let check = Check { id: "a.b", holds: "Nothing is wrong.", mend: "Mend it." };
        let many = (0..7).map(|i| format!("thing {i}")).collect();
        let report = Report::new(vec![Finding::of(check, Vec::new()), Finding::of(check, many)]);
        assert!(!report.healthy);
        let text = report.to_string();
        assert!(text.contains("ok    a.b"), "{text}");
        assert!(text.contains("- thing 4\n      and 2 more\n      Mend it."), "{text}");
        assert!(text.ends_with("2 checks, 1 does not hold."), "{text}");
        assert!(Report::new(vec![Finding::of(check, Vec::new())]).healthy);
    }
}
