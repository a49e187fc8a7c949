//! Prediction intervals of models that promise them.

use super::subject::{Subject, ordinary_data};
use crate::check::{Applies, Check, Level};

/// Models that promise intervals.
const PROMISED: Applies<Subject> = Applies {
    when: "when the requirements say `intervals: true`",
    to: |subject| subject.declares(|needs| needs.intervals),
};

pub(super) const CHECKS: &[Check<Subject>] = &[
    Check {
        id: "intervals.levels",
        title: "Its levels are ascending",
        rule: "Interval levels are ascending numbers between 0 and 1, the same in every call.",
        level: Level::Smoke,
        applies: PROMISED,
        mend: "A level is a share, 0.8 for 80 %; the narrowest comes first.",
        body: |subject| ordinary_data(subject, "intervals.levels", "ascending levels between 0 and 1"),
    },
    Check {
        id: "intervals.nested",
        title: "Its intervals contain the point and each other",
        rule: "Every interval contains the point and the interval of the level before it.",
        level: Level::Smoke,
        applies: PROMISED,
        mend: "Quantiles that are fitted apart can cross: sort them, and widen them to the point.",
        body: |subject| ordinary_data(subject, "intervals.nested", "nested intervals around the point"),
    },
];
