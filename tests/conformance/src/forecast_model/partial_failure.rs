//! One bad series never fails the others.

use retailcast_runtime::panel::History;
use retailcast_runtime::{Forecasts, PluginError};

use super::history::of_values;
use super::panel_laws::LOCAL;
use super::subject::{Subject, Variant};
use crate::check::{Check, Failure, Level, Outcome, Problem};

pub(super) const CHECKS: &[Check<Subject>] = &[
    Check {
        id: "partial.poison",
        title: "A bad series fails alone",
        rule: "With a series among them that overflows every sum, the others have the same forecasts as without it.",
        level: Level::Full,
        applies: LOCAL,
        mend: "Push an `Err` for the series and go on. `fit` refuses only when there is a single series.",
        body: poison,
    },
    Check {
        id: "partial.reasons",
        title: "A refusal has a reason",
        rule: "Every failure that the bad series of `partial.poison` bring about has a sentence, and a series has at most one.",
        level: Level::Full,
        applies: LOCAL,
        mend: "Say what was refused, the value found, and what would be right.",
        body: reasons,
    },
];

/// An ordinary series, a poisoned one, an ordinary one.
fn with_poison(variant: &Variant) -> Vec<History> {
    let mut panel = variant.three();
    let poison: Vec<f64> =
        (0..variant.rows()).map(|i| if i % 2 == 0 { f64::MAX / 4.0 } else { f64::MIN / 4.0 }).collect();
    panel[1] = of_values(2, &poison);
    panel
}

const CASE: &str = "2 ordinary series around one that alternates between 4.5e307 and -4.5e307";

fn answer(subject: &Subject, variant: &Variant) -> Result<Forecasts, Problem> {
    subject
        .forecast(variant, &with_poison(variant), 14)
        .map_err(|e: PluginError| Problem::of(&e, "forecasts of the other series", &variant.case(CASE, 14)))
}

fn poison(subject: &Subject) -> Outcome {
    for variant in subject.ready()?.iter().filter(|v| v.is_local()) {
        let case = variant.case(CASE, 14);
        let forecasts = answer(subject, variant)?;
        let panel = with_poison(variant);
        for series in [0, 2] {
            if let Some(failure) = forecasts.failures.iter().find(|f| f.series == Some(series)) {
                return Failure::outcome(format!("a forecast of series {series}"), &failure.message, case);
            }
            let series = series as usize;
            let alone = subject
                .forecast(variant, std::slice::from_ref(&panel[series]), 14)
                .map_err(|e| Problem::of(&e, "a forecast", &case))?;
            if alone.points != forecasts.series(series) {
                return Failure::outcome(
                    format!("series {series} as without the bad one: {:?}", alone.points),
                    format!("{:?}", forecasts.series(series)),
                    case,
                );
            }
        }
    }
    Ok(())
}

fn reasons(subject: &Subject) -> Outcome {
    for variant in subject.ready()?.iter().filter(|v| v.is_local()) {
        let failures = answer(subject, variant)?.failures;
        for (i, failure) in failures.iter().enumerate() {
            let case = variant.case(CASE, 14);
            if failure.message.trim().is_empty() {
                return Failure::outcome("a sentence", format!("{:?} without a word", failure.code), case);
            }
            if failures[..i].iter().any(|other| other.series == failure.series) {
                let found = format!("two for series {:?}", failure.series);
                return Failure::outcome("at most one failure per series", found, case);
            }
        }
    }
    Ok(())
}
