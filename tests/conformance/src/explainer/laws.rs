//! What holds between explanations.

use retailcast_runtime::PluginError;

use super::subject::{Case, EXPLAINS, ORDINARY, Subject, busy, is_honest_refusal, quiet};
use crate::any_kind::later;
use crate::check::{Applies, Check, Failure, Level, Outcome, Problem};

pub(super) const CHECKS: &[Check<Subject>] = &[
    Check {
        id: "explainer.purity",
        title: "The same question has the same answer",
        rule: "Two instances at different times and with different seeds give the same explanation.",
        level: Level::Smoke,
        applies: EXPLAINS,
        mend: "Take nothing from the clock, and give no order to what comes from a hash map.",
        body: purity,
    },
    Check {
        id: "explainer.forecast",
        title: "It explains the forecast that the model makes",
        rule: "The forecast of the explanation is what the model itself forecasts from the same history, within 1e-9 of it.",
        level: Level::Full,
        applies: Applies {
            when: "to explainers whose model is loaded beside them",
            to: |subject| subject.ready().is_ok_and(|cases| cases.iter().any(|case| case.forecast.is_some())),
        },
        mend: "Do the model's arithmetic with the model's configuration, defaults included.",
        body: forecast,
    },
    Check {
        id: "explainer.signals",
        title: "Signals change reasons, not the forecast",
        rule: "The forecast is the same whatever stock, promotions, launch and holiday say.",
        level: Level::Smoke,
        applies: EXPLAINS,
        mend: "The forecast is the model's: what the model does not know cannot have made it.",
        body: signals,
    },
    Check {
        id: "explainer.hard",
        title: "It survives hard data",
        rule: "Histories that are constant, zero, negative, huge or tiny are explained, or refused with `not-enough-history` or `numeric`.",
        level: Level::Full,
        applies: EXPLAINS,
        mend: "Ratios to a mean of zero are the usual reason.",
        body: hard,
    },
];

fn purity(subject: &Subject) -> Outcome {
    for case in subject.ready()? {
        let words = case.words(ORDINARY);
        let failed = |e: PluginError| Problem::of(&e, "an explanation", &words);
        let first = subject.explain(case, &busy()).map_err(failed)?;
        let again = subject.explain_in(case, &busy(), &later(&subject.call())).map_err(failed)?;
        if first != again {
            return Failure::outcome(format!("{first:?}"), format!("{again:?}"), words);
        }
    }
    Ok(())
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * b.abs().max(1.0)
}

fn forecast(subject: &Subject) -> Outcome {
    for case in subject.ready()? {
        let Some(expected) = case.forecast else { continue };
        let words = case.words(ORDINARY);
        let found =
            subject.explain(case, &quiet()).map_err(|e| Problem::of(&e, "an explanation", &words))?.forecast;
        if !near(found, expected) {
            return Failure::outcome(expected.to_string(), found.to_string(), words);
        }
    }
    Ok(())
}

fn signals(subject: &Subject) -> Outcome {
    for case in subject.ready()? {
        let words = case.words(&format!("{ORDINARY}; without and with every signal"));
        let failed = |e: PluginError| Problem::of(&e, "an explanation", &words);
        let without = subject.explain(case, &quiet()).map_err(failed)?.forecast;
        let with = subject.explain(case, &busy()).map_err(failed)?.forecast;
        if without.to_bits() != with.to_bits() {
            return Failure::outcome(without.to_string(), with.to_string(), words);
        }
    }
    Ok(())
}

fn hard(subject: &Subject) -> Outcome {
    let value = |i: usize| 10.0 + (i % 7) as f64;
    let histories: [(&str, Vec<f64>); 5] = [
        ("400 days of 5", vec![5.0; 400]),
        ("400 days of 0", vec![0.0; 400]),
        ("400 negative days", (0..400).map(|i| -value(i)).collect()),
        ("400 days around 1e12", (0..400).map(|i| value(i) * 1e11).collect()),
        ("400 days around 1e-9", (0..400).map(|i| value(i) * 1e-10).collect()),
    ];
    // With a fitted model, the forecast was made from another history.
    for case in subject.ready()?.iter().filter(|case| case.fitted.is_none()) {
        for (words, history) in &histories {
            let hard = Case { history: history.clone(), ..case.clone() };
            match subject.explain(&hard, &busy()) {
                Err(e) if !is_honest_refusal(&e) => {
                    return Err(Problem::of(&e, "an explanation", &case.words(words)));
                }
                _ => {}
            }
        }
    }
    Ok(())
}
