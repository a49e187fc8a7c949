//! How it says no.

use retailcast_runtime::GuestErrorCode;
use retailcast_runtime::explain::FittedModel;

use super::subject::{Case, EXPLAINS, Subject, asked, quiet};
use crate::any_kind::{answered_or_refused, refused};
use crate::check::{Applies, Check, Level, Outcome};

const FITTED: Applies<Subject> = Applies {
    when: "to explainers that need the fitted model",
    to: |subject| subject.explainer.models().iter().any(|model| model.needs_fitted),
};

pub(super) const CHECKS: &[Check<Subject>] = &[
    Check {
        id: "explainer.strangers",
        title: "It refuses models that it does not explain",
        rule: "A model type that is not among `models` is refused with `unsupported`.",
        level: Level::Smoke,
        applies: Applies::ALWAYS,
        mend: "Look at `model-type` first.",
        body: strangers,
    },
    Check {
        id: "explainer.short",
        title: "It says when there is too little to explain",
        rule: "An empty history and one of a single day are explained, or refused with `not-enough-history`.",
        level: Level::Smoke,
        applies: EXPLAINS,
        mend: "Compare the length of the history with what the model needs before reading its end.",
        body: short,
    },
    Check {
        id: "explainer.configuration",
        title: "It survives a configuration that makes no sense",
        rule: "A configuration that is no JSON object is ignored or refused with `invalid-config`.",
        level: Level::Full,
        applies: EXPLAINS,
        mend: "Parse it with a typed error, not with `unwrap`.",
        body: configuration,
    },
    Check {
        id: "explainer.states",
        title: "It refuses states that it cannot read",
        rule: "Without a fitted model, and with a foreign or cut state, it answers with `artifact-mismatch` or `unsupported`.",
        level: Level::Smoke,
        applies: FITTED,
        mend: "Check the mark at the beginning of the state, and demand that all of it is read.",
        body: states,
    },
];

fn strangers(subject: &Subject) -> Outcome {
    let stranger = Case {
        asked: asked("a_model_that_nobody_has", "{}".to_owned()),
        history: vec![1.0; 400],
        fitted: None,
        forecast: None,
    };
    let answer = subject.explain(&stranger, &quiet());
    refused(answer, &[GuestErrorCode::Unsupported], &stranger.words("400 days of 1"))
}

fn short(subject: &Subject) -> Outcome {
    for case in subject.ready()? {
        for (words, history) in [("no history", vec![]), ("1 day of history", vec![3.0])] {
            let short = Case { history, ..case.clone() };
            let answer = subject.explain(&short, &quiet());
            answered_or_refused(answer, &[GuestErrorCode::NotEnoughHistory], &case.words(words))?;
        }
    }
    Ok(())
}

fn configuration(subject: &Subject) -> Outcome {
    for case in subject.ready()? {
        for config in ["", "[]", "{\"", "\"seven\""] {
            let mut odd = case.clone();
            config.clone_into(&mut odd.asked.config);
            let answer = subject.explain(&odd, &quiet());
            answered_or_refused(answer, &[GuestErrorCode::InvalidConfig], &odd.words("an ordinary series"))?;
        }
    }
    Ok(())
}

fn states(subject: &Subject) -> Outcome {
    let foreign: Vec<u8> = (0..64_u8).map(|i| i.wrapping_mul(37) ^ 0x5a).collect();
    let model = |state: Vec<u8>| FittedModel {
        state,
        feature_names: vec!["lag_1".to_owned()],
        features: vec![1.0],
        forecast: 1.0,
    };
    let given = [
        ("no fitted model", None),
        ("an empty state", Some(model(Vec::new()))),
        ("a foreign state", Some(model(foreign))),
        ("a JSON text", Some(model(b"{\"model\": \"somebody else's\"}".to_vec()))),
    ];
    for explained in subject.explainer.models().iter().filter(|model| model.needs_fitted) {
        for (words, fitted) in &given {
            let case = Case {
                asked: asked(&explained.model_type, "{}".to_owned()),
                history: vec![1.0; 400],
                fitted: fitted.clone(),
                forecast: None,
            };
            let codes = [GuestErrorCode::ArtifactMismatch, GuestErrorCode::Unsupported];
            refused(subject.explain(&case, &quiet()), &codes, &case.words(words))?;
        }
    }
    Ok(())
}
