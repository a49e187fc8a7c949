//! JUnit XML, which every CI reads.

use quick_junit::{NonSuccessKind, Report as Junit, TestCase, TestCaseStatus, TestSuite};

use super::{CheckResult, Report, Verdict};

pub(super) fn write(report: &Report) -> String {
    let mut suite = TestSuite::new(report.plugin.as_str());
    suite.add_test_cases(report.results.iter().map(case));
    let mut junit = Junit::new("retailcast plugin check");
    junit.add_test_suite(suite);
    junit.to_string().expect("written into memory, and the writer has no other error")
}

fn case(result: &CheckResult) -> TestCase {
    let status = match &result.verdict {
        Verdict::Pass => TestCaseStatus::success(),
        Verdict::Skip { reason } => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(reason.as_str());
            status
        }
        Verdict::Fail(failure) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(result.rule);
            status.set_description(format!(
                "expected {}\nfound {}\ncase {}\nsee {}",
                failure.expected, failure.found, failure.case, result.page
            ));
            status
        }
        Verdict::Error { reason } => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_message(reason.as_str());
            status
        }
    };
    let mut case = TestCase::new(result.check, status);
    case.set_time(result.took);
    let group = result.check.split('.').next().unwrap_or_default();
    case.set_classname(group);
    case
}
