//! What a run found: for programs (JSON), for CI (JUnit) and for people.

mod junit;
mod text;

use std::time::Duration;

use retailcast_runtime::{Description, Digest};
use serde::{Serialize, Serializer};

use crate::check::{About, Failure, Level, Outcome, Problem};

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "lowercase")]
pub enum Verdict {
    /// The rule is kept.
    Pass,
    /// The rule is broken.
    Fail(Failure),
    /// The plugin declares that the rule is not for it.
    Skip {
        /// The declaration.
        reason: String,
    },
    /// It could not be found out.
    Error {
        /// Why.
        reason: String,
    },
}

impl From<Outcome> for Verdict {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Ok(()) => Self::Pass,
            Err(Problem::Failed(failure)) => Self::Fail(failure),
            Err(Problem::NotRun(reason)) => Self::Error { reason },
        }
    }
}

impl Verdict {
    /// In capitals, as reports name it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Fail(_) => "FAIL",
            Self::Skip { .. } => "SKIP",
            Self::Error { .. } => "ERROR",
        }
    }
}

/// A check and its result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckResult {
    /// Id of the check.
    pub check: &'static str,
    /// Its title.
    pub title: &'static str,
    /// Its rule.
    pub rule: &'static str,
    /// The page that says more.
    pub page: String,
    /// What was found.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// How long it took.
    #[serde(rename = "milliseconds", serialize_with = "milliseconds")]
    pub took: Duration,
}

fn milliseconds<S: Serializer>(took: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u64(u64::try_from(took.as_millis()).unwrap_or(u64::MAX))
}

impl CheckResult {
    pub(crate) fn new(about: About, verdict: Verdict, took: Duration) -> Self {
        let About { id, title, rule, .. } = about;
        let page = format!("{}#{}", crate::reference::PAGE, crate::reference::anchor(id));
        Self { check: id, title, rule, page, verdict, took }
    }
}

/// What a run of the checks found. All checks of the level are listed, whatever became of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Name of the plugin; that of the file when the plugin does not load.
    pub plugin: String,
    /// Its version, when it loads.
    pub version: Option<String>,
    /// SHA-256 of the component.
    pub sha256: String,
    /// How thorough the run was.
    pub level: Level,
    /// Whether nothing failed, everything could be found out, and at least one check was for this plugin.
    pub passed: bool,
    /// One entry per check, in order.
    pub results: Vec<CheckResult>,
}

impl Report {
    pub(crate) fn new(
        file: &str,
        digest: Digest,
        description: Option<&Description>,
        level: Level,
        results: Vec<CheckResult>,
    ) -> Self {
        let kept = |result: &CheckResult| result.verdict == Verdict::Pass;
        let harmless = |result: &CheckResult| kept(result) || matches!(result.verdict, Verdict::Skip { .. });
        Self {
            plugin: description.map_or_else(|| file.to_owned(), |d| d.name.clone()),
            version: description.map(|d| d.version.clone()),
            sha256: digest.to_string(),
            level,
            passed: results.iter().all(harmless) && results.iter().any(kept),
            results,
        }
    }

    /// Ids of the checks with a failure.
    pub fn failed(&self) -> Vec<&'static str> {
        let failed = |result: &&CheckResult| matches!(result.verdict, Verdict::Fail(_));
        self.results.iter().filter(failed).map(|result| result.check).collect()
    }

    /// As JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::to_value(self).expect("strings and numbers under string keys: no error path")
    }

    /// As JUnit XML.
    pub fn junit(&self) -> String {
        junit::write(self)
    }

    /// For people.
    pub fn text(&self) -> String {
        text::write(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABOUT: About = About {
        id: "group.name",
        title: "A title",
        rule: "A rule.",
        level: Level::Smoke,
        applies: "to every plugin of the kind",
        mend: "",
    };

    fn report(verdicts: &[Verdict]) -> Report {
        let results = verdicts.iter().map(|v| CheckResult::new(ABOUT, v.clone(), Duration::from_millis(12)));
        Report::new("file", Digest::of(b"x"), None, Level::Full, results.collect())
    }

    fn all_kinds() -> [Verdict; 4] {
        let failure =
            Failure { expected: "2 <points>".to_owned(), found: "1".to_owned(), case: "1 series".to_owned() };
        [
            Verdict::Pass,
            Verdict::Fail(failure),
            Verdict::Skip { reason: "applies to others".to_owned() },
            Verdict::Error { reason: "no time".to_owned() },
        ]
    }

    #[test]
    fn a_run_passes_when_nothing_failed_and_something_was_kept() {
        let [pass, fail, skip, error] = all_kinds();
        assert!(report(&[pass.clone(), skip.clone()]).passed);
        assert!(!report(&[pass.clone(), fail]).passed);
        assert!(!report(&[pass, error]).passed);
        assert!(!report(&[skip]).passed, "a run without applicable checks proves nothing");
        assert!(!report(&[]).passed);
    }

    #[test]
    fn json_names_everything() {
        let json = report(&all_kinds()).json();
        assert_eq!(json["passed"], false);
        assert_eq!(json["results"][0]["outcome"], "pass");
        assert_eq!(json["results"][0]["milliseconds"], 12);
        assert_eq!(json["results"][1]["expected"], "2 <points>");
        assert_eq!(json["results"][2]["reason"], "applies to others");
        assert_eq!(json["results"][3]["page"], "docs/plugins/conformance.md#groupname");
    }

    #[test]
    fn junit_tells_failures_skips_and_errors_apart() {
        let xml = report(&all_kinds()).junit();
        assert!(xml.contains(r#"tests="4" skipped="1" errors="1" failures="1""#), "{xml}");
        assert!(xml.contains("2 &lt;points&gt;"), "{xml}");
    }

    #[test]
    fn people_read_one_line_per_check_and_the_case_of_a_failure() {
        let text = report(&all_kinds()).text();
        assert!(text.contains("PASS   group.name"), "{text}");
        assert!(
            text.contains("       expected  2 <points>\n       found     1\n       case      1 series"),
            "{text}"
        );
        assert!(text.ends_with("1 passed, 1 failed, 1 skipped, 1 not run.\n"), "{text}");
    }
}
