//! The same input gives the same bytes, and nothing leaks from one call into another.

use std::time::Duration;

use retailcast_runtime::{Call, Forecasts, GuestErrorCode, PluginError};

use super::history::ordinary;
use super::subject::{Subject, THREE, Variant, same};
use crate::any_kind::{is_refusal, later};
use crate::check::{Applies, Check, Failure, Level, Outcome, Problem};

pub(super) const CHECKS: &[Check<Subject>] = &[
    Check {
        id: "purity.needs",
        title: "Its needs are a function of the configuration",
        rule: "`needs` gives the same answer to the same configuration, in every instance and whatever the time.",
        level: Level::Full,
        applies: Applies::ALWAYS,
        mend: "Compute requirements from the configuration alone.",
        body: needs,
    },
    Check {
        id: "purity.clock",
        title: "The time of day does not matter",
        rule: "Two instances at different times give the same forecasts and the same state from the same data and seed.",
        level: Level::Smoke,
        applies: Applies::ALWAYS,
        mend: "Take nothing from the clock, and randomness from the seed of the training data only.",
        body: clock,
    },
    Check {
        id: "purity.refit",
        title: "A fit leaves nothing behind",
        rule: "Fitting the same data again in one instance, after other data was fitted, gives the same forecasts and state.",
        level: Level::Full,
        applies: Applies::ALWAYS,
        mend: "Keep what a fit learns in the fitted model and not in statics or thread-locals.",
        body: refit,
    },
    Check {
        id: "purity.predict",
        title: "Forecasting changes nothing",
        rule: "The same `predict` call gives the same forecasts again, and the state afterwards is that before.",
        level: Level::Smoke,
        applies: Applies::ALWAYS,
        mend: "`predict` takes the fitted model as it is: no counters, no caches that change results.",
        body: predict,
    },
    Check {
        id: "purity.reload",
        title: "A saved model forecasts as before",
        rule: "After `save` and `load` in another instance the forecasts are the same bit for bit, and so are the bytes of another `save`.",
        level: Level::Smoke,
        applies: Applies::ALWAYS,
        mend: "Save numbers with all their bits (not as rounded text), and everything that `predict` reads.",
        body: reload,
    },
    Check {
        id: "purity.strangers",
        title: "It refuses bytes that it did not write",
        rule: "`load` refuses empty, foreign, cut and lengthened bytes with `artifact-mismatch`.",
        level: Level::Smoke,
        applies: Applies::ALWAYS,
        mend: "Begin the state with a mark of the plugin, and demand that all of it is read. `retailcast_sdk::state` does both.",
        body: strangers,
    },
];

fn needs(subject: &Subject) -> Outcome {
    let later = later(&subject.call());
    for variant in subject.ready()? {
        let case = format!("needs, asked at another time; configuration {}", variant.config);
        let again = subject
            .needs(&variant.config, &later)
            .map_err(|e| Problem::of(&e, "the same requirements again", &case))?;
        if again != variant.needs {
            return Failure::outcome(format!("{:?}", variant.needs), format!("{again:?}"), case);
        }
    }
    Ok(())
}

/// Forecasts and state of three ordinary series.
fn outcome(subject: &Subject, variant: &Variant, call: &Call) -> Result<(Forecasts, Vec<u8>), PluginError> {
    let panel = variant.three();
    let mut run = subject.open_with(variant, call)?;
    let fitted = run.fit(&panel)?;
    Ok((run.predict(fitted, &panel, 14)?, run.session.save(fitted)?))
}

fn same_state(expected: &[u8], found: &[u8], words: &str, case: &str) -> Outcome {
    if expected == found {
        return Ok(());
    }
    let at = expected.iter().zip(found).position(|(a, b)| a != b).unwrap_or(expected.len().min(found.len()));
    Failure::outcome(
        format!("{words}: the same state ({} bytes)", expected.len()),
        format!("{} bytes that differ from byte {at} on", found.len()),
        case,
    )
}

fn clock(subject: &Subject) -> Outcome {
    for variant in subject.ready()? {
        let case = variant.case(THREE, 14);
        let failed = |e: PluginError| Problem::of(&e, "a forecast", &case);
        let (now, then) = (subject.call(), Call { now: Duration::from_hours(24), ..subject.call() });
        let (first, state) = outcome(subject, variant, &now).map_err(failed)?;
        let (second, other_state) = outcome(subject, variant, &then).map_err(failed)?;
        same(&first, &second, "at another time", &case)?;
        same_state(&state, &other_state, "at another time", &case)?;
    }
    Ok(())
}

fn refit(subject: &Subject) -> Outcome {
    for variant in subject.ready()? {
        let case = variant.case("3 ordinary series, then another one, then the three again", 14);
        let failed = |e: PluginError| Problem::of(&e, "a forecast", &case);
        let panel = variant.three();
        let other = [ordinary(9, variant.rows() + 3)];
        let mut run = subject.open(variant).map_err(failed)?;
        let first = run.fit(&panel).map_err(failed)?;
        let before = run.predict(first, &panel, 14).map_err(failed)?;
        let state = run.session.save(first).map_err(failed)?;
        run.fit(&other).map_err(failed)?;
        same(&before, &run.predict(first, &panel, 14).map_err(failed)?, "after another fit", &case)?;
        let again = run.fit(&panel).map_err(failed)?;
        same(&before, &run.predict(again, &panel, 14).map_err(failed)?, "fitted again", &case)?;
        same_state(&state, &run.session.save(again).map_err(failed)?, "fitted again", &case)?;
    }
    Ok(())
}

fn predict(subject: &Subject) -> Outcome {
    for variant in subject.ready()? {
        let case = variant.case(THREE, 14);
        let failed = |e: PluginError| Problem::of(&e, "a forecast", &case);
        let panel = variant.three();
        let mut run = subject.open(variant).map_err(failed)?;
        let fitted = run.fit(&panel).map_err(failed)?;
        let before = run.session.save(fitted).map_err(failed)?;
        let first = run.predict(fitted, &panel, 14).map_err(failed)?;
        let second = run.predict(fitted, &panel, 14).map_err(failed)?;
        same(&first, &second, "asked again", &case)?;
        same_state(&before, &run.session.save(fitted).map_err(failed)?, "after a forecast", &case)?;
    }
    Ok(())
}

fn reload(subject: &Subject) -> Outcome {
    for variant in subject.ready()? {
        let case = variant.case("3 ordinary series, saved and loaded", 14);
        let failed = |e: PluginError| Problem::of(&e, "a forecast", &case);
        let (before, state) = outcome(subject, variant, &subject.call()).map_err(failed)?;
        let mut run = subject.open(variant).map_err(failed)?;
        let loaded = run.session.load(&state).map_err(failed)?;
        same(&before, &run.predict(loaded, &variant.three(), 14).map_err(failed)?, "after load", &case)?;
        same_state(&state, &run.session.save(loaded).map_err(failed)?, "saved again", &case)?;
    }
    Ok(())
}

fn strangers(subject: &Subject) -> Outcome {
    for variant in subject.ready()? {
        let case = |what: &str| format!("load of {what}; configuration {}", variant.config);
        let failed = |e: PluginError| Problem::of(&e, "a state", &case("nothing yet"));
        let (_, state) = outcome(subject, variant, &subject.call()).map_err(failed)?;
        for (what, bytes) in [
            ("no bytes", Vec::new()),
            ("64 foreign bytes", (0..64_u8).map(|i| i.wrapping_mul(37) ^ 0x5a).collect()),
            ("a JSON text", b"{\"model\": \"somebody else's\"}".to_vec()),
            ("the first half of its state", state[..state.len() / 2].to_vec()),
            ("its state without the last byte", state[..state.len().saturating_sub(1)].to_vec()),
            ("its state and one byte more", [state.clone(), vec![0]].concat()),
        ] {
            // A fresh instance each: a crash ends one.
            let mut run = subject.open(variant).map_err(failed)?;
            let expected = "a refusal with `artifact-mismatch`";
            match run.session.load(&bytes) {
                Err(e) if is_refusal(&e, GuestErrorCode::ArtifactMismatch) => {}
                Err(PluginError::Guest(e)) => {
                    return Failure::outcome(expected, format!("{:?}: {}", e.code, e.message), case(what));
                }
                Err(e) => return Err(Problem::of(&e, expected, &case(what))),
                Ok(_) => return Failure::outcome(expected, "a model", case(what)),
            }
        }
    }
    Ok(())
}
