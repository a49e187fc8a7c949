//! What an explanation must be.

use retailcast_runtime::explain::Driver;

use super::subject::{EXPLAINS, ORDINARY, Subject, busy, quiet};
use crate::any_kind::{later, same_description, traced, within_log_budget};
use crate::check::{Applies, Check, Failure, Level, Outcome, Problem};

pub(super) const CHECKS: &[Check<Subject>] = &[
    Check {
        id: "explainer.describe",
        title: "It says the same of itself every time",
        rule: "`describe` gives the same answer in every instance, whatever the time.",
        level: Level::Smoke,
        applies: Applies::ALWAYS,
        mend: "Describe with constants.",
        body: |subject| {
            let again = subject.explainer.describe(&later(&subject.call()));
            same_description(subject.explainer.description(), again)
        },
    },
    Check {
        id: "explainer.models",
        title: "It names the models that it explains",
        rule: "`models` lists model types as plugins name them, each once.",
        level: Level::Smoke,
        applies: Applies::ALWAYS,
        mend: "A model type is `[a-z][a-z0-9_]*` with at most 50 characters.",
        body: models,
    },
    Check {
        id: "explainer.explains",
        title: "It explains ordinary forecasts",
        rule: "Forecasts of an ordinary series are explained without a crash and without a refusal, with and without signals.",
        level: Level::Smoke,
        applies: EXPLAINS,
        mend: "The message is the crash or the refusal. A configuration of `{}` means all defaults of the model.",
        body: |subject| subject.judge("explainer.explains", "an explanation"),
    },
    Check {
        id: "explainer.finite",
        title: "Its numbers are numbers",
        rule: "The forecast and every value and contribution are finite.",
        level: Level::Smoke,
        applies: EXPLAINS,
        mend: "Look for divisions by a mean or a spread of zero.",
        body: |subject| subject.judge("explainer.finite", "finite numbers"),
    },
    Check {
        id: "explainer.drivers",
        title: "Its drivers can be told apart",
        rule: "There is at least one driver, and each has a name of its own (`[a-z][a-z0-9_]*`) and a description.",
        level: Level::Smoke,
        applies: EXPLAINS,
        mend: "Programs find a driver by its name, people read its description.",
        body: drivers,
    },
    Check {
        id: "explainer.sum",
        title: "Its contributions add up to the forecast",
        rule: "The contributions of the drivers add up to the forecast, within 1e-9 of it.",
        level: Level::Smoke,
        applies: EXPLAINS,
        mend: "What starts all forecasts (the base, the mean) is a driver too; what is shown for context contributes 0.",
        body: |subject| subject.judge("explainer.sum", "contributions that add up to the forecast"),
    },
    Check {
        id: "explainer.directions",
        title: "Its directions have the signs of its contributions",
        rule: "A driver that adds units is `positive`, and one that takes units away is `negative`.",
        level: Level::Smoke,
        applies: EXPLAINS,
        mend: "Only a driver that contributes 0 may point elsewhere: it is shown for context. `Direction::of` reads the sign.",
        body: directions,
    },
    Check {
        id: "explainer.reasons",
        title: "It gives every reason once",
        rule: "No reason code appears twice, and each has a detail for people.",
        level: Level::Smoke,
        applies: EXPLAINS,
        mend: "Put what there is to say about one signal into one detail.",
        body: reasons,
    },
    Check {
        id: "explainer.words",
        title: "It can be read",
        rule: "The summary is 1 to 2000 characters long, and no caveat is empty.",
        level: Level::Smoke,
        applies: EXPLAINS,
        mend: "The summary is one paragraph; what the numbers do not say stands in the caveats.",
        body: words,
    },
    Check {
        id: "explainer.time",
        title: "It is done in time",
        rule: "An ordinary forecast is explained within the plugin's time limit.",
        level: Level::Smoke,
        applies: EXPLAINS,
        mend: "A loop does not end, or the explanation is too slow for its limit.",
        body: |subject| subject.judge("explainer.time", "an answer within the limits"),
    },
    Check {
        id: "explainer.memory",
        title: "It keeps its memory limit",
        rule: "An ordinary forecast is explained within the plugin's memory limit.",
        level: Level::Smoke,
        applies: EXPLAINS,
        mend: "A few hundred values and a model's state need little.",
        body: |subject| subject.judge("explainer.memory", "an answer within the limits"),
    },
    Check {
        id: "explainer.payload",
        title: "It does not hand over too much",
        rule: "The explanation of an ordinary forecast is within the payload limit.",
        level: Level::Smoke,
        applies: EXPLAINS,
        mend: "An explanation is for people: a handful of drivers.",
        body: |subject| subject.judge("explainer.payload", "an answer within the limits"),
    },
    Check {
        id: "explainer.log",
        title: "It writes no more than its log takes",
        rule: "One explanation writes at most 64 KiB to the log.",
        level: Level::Full,
        applies: EXPLAINS,
        mend: "What is beyond the budget is dropped, so the line that matters may be among it.",
        body: log,
    },
];

fn models(subject: &Subject) -> Outcome {
    let models = subject.explainer.models();
    for (i, model) in models.iter().enumerate() {
        let name = &model.model_type;
        if !is_name(name) || name.len() > 50 {
            return Failure::outcome(
                "`[a-z][a-z0-9_]*`, at most 50 characters",
                format!("`{name}`"),
                "models",
            );
        }
        if models[..i].iter().any(|earlier| earlier.model_type == *name) {
            return Failure::outcome("each once", format!("`{name}` again"), "models");
        }
    }
    Ok(())
}

fn is_name(name: &str) -> bool {
    let rest = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(rest)
}

/// Looks at every driver of every ordinary explanation.
fn each_driver(subject: &Subject, look: fn(&[Driver], usize, &str) -> Outcome) -> Outcome {
    for case in subject.ready()? {
        for signals in [quiet(), busy()] {
            let words = case.words(ORDINARY);
            let explanation =
                subject.explain(case, &signals).map_err(|e| Problem::of(&e, "an explanation", &words))?;
            for i in 0..explanation.drivers.len() {
                look(&explanation.drivers, i, &words)?;
            }
        }
    }
    Ok(())
}

fn drivers(subject: &Subject) -> Outcome {
    subject.judge("explainer.drivers", "at least one driver")?;
    each_driver(subject, |drivers, i, case| {
        let Driver { name, description, .. } = &drivers[i];
        if !is_name(name) {
            return Failure::outcome("names like `[a-z][a-z0-9_]*`", format!("`{name}`"), case);
        }
        if drivers[..i].iter().any(|earlier| earlier.name == *name) {
            return Failure::outcome("a name for each driver", format!("`{name}` again"), case);
        }
        if description.trim().is_empty() {
            return Failure::outcome("a description", format!("none of `{name}`"), case);
        }
        Ok(())
    })
}

fn directions(subject: &Subject) -> Outcome {
    use retailcast_runtime::explain::Direction;
    each_driver(subject, |drivers, i, case| {
        let Driver { name, contribution, direction, .. } = &drivers[i];
        let expected = match contribution {
            units if *units > 0.0 => Direction::Positive,
            units if *units < 0.0 => Direction::Negative,
            _ => return Ok(()),
        };
        if *direction == expected {
            return Ok(());
        }
        let found = format!("`{name}` contributes {contribution} and is {}", direction.name());
        Failure::outcome(expected.name(), found, case)
    })
}

fn reasons(subject: &Subject) -> Outcome {
    subject.judge("explainer.reasons", "each reason once")?;
    for case in subject.ready()? {
        let words = case.words(&format!("{ORDINARY}; every signal"));
        let explanation =
            subject.explain(case, &busy()).map_err(|e| Problem::of(&e, "an explanation", &words))?;
        if let Some(mute) = explanation.reason_codes.iter().find(|reason| reason.detail.trim().is_empty()) {
            return Failure::outcome("a detail", format!("none of {}", mute.code.name()), words);
        }
    }
    Ok(())
}

fn words(subject: &Subject) -> Outcome {
    subject.judge("explainer.words", "a summary of at most 2000 characters")?;
    for case in subject.ready()? {
        let words = case.words(ORDINARY);
        let explanation =
            subject.explain(case, &quiet()).map_err(|e| Problem::of(&e, "an explanation", &words))?;
        let texts = std::iter::once(&explanation.summary).chain(&explanation.caveats);
        if texts.into_iter().any(|text| text.trim().is_empty()) {
            return Failure::outcome("a summary, and caveats with words", "an empty one", words);
        }
    }
    Ok(())
}

fn log(subject: &Subject) -> Outcome {
    for case in subject.ready()? {
        let words = case.words(ORDINARY);
        let (call, trace) = traced(&subject.call());
        subject.explain_in(case, &busy(), &call).map_err(|e| Problem::of(&e, "an explanation", &words))?;
        within_log_budget(&trace, &words)?;
    }
    Ok(())
}
