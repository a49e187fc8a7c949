//! One line per check; under a failure, what was expected and found.

use super::{Report, Verdict};

pub(super) fn write(report: &Report) -> String {
    let mut text = String::new();
    let mut counts = [0_usize; 4];
    for result in &report.results {
        text += &format!("{:<6} {:<26} {}\n", result.verdict.name(), result.check, result.title);
        match &result.verdict {
            Verdict::Pass => counts[0] += 1,
            Verdict::Fail(failure) => {
                counts[1] += 1;
                for (label, what) in [
                    ("rule", result.rule),
                    ("expected", &failure.expected),
                    ("found", &failure.found),
                    ("case", &failure.case),
                    ("see", &result.page),
                ] {
                    text += &format!("       {label:<9} {}\n", what.replace('\n', "\n                 "));
                }
            }
            Verdict::Skip { reason } => {
                counts[2] += 1;
                text += &format!("       {reason}\n");
            }
            Verdict::Error { reason } => {
                counts[3] += 1;
                text += &format!("       {reason}\n");
            }
        }
    }
    let [passed, failed, skipped, not_run] = counts;
    let version = report.version.as_deref().unwrap_or("(does not load)");
    let word = if report.passed { "conforms" } else { "does not conform" };
    text + &format!(
        "\n{} {version} {word} (level {}): {passed} passed, {failed} failed, {skipped} skipped, {not_run} not run.\n",
        report.plugin,
        report.level.name()
    )
}
