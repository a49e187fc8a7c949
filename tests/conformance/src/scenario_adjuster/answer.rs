//! What an adjusted forecast must be.

use super::subject::{DAYS, Subject, everything, ordinary};
use crate::any_kind::{later, same_description, traced, within_log_budget};
use crate::check::{Applies, Check, Level, Outcome, Problem};

pub(super) const CHECKS: &[Check<Subject>] = &[
    Check {
        id: "scenario.describe",
        title: "It says the same of itself every time",
        rule: "`describe` gives the same answer in every instance, whatever the time.",
        level: Level::Smoke,
        applies: Applies::ALWAYS,
        mend: "Describe with constants.",
        body: |subject| {
            let again = subject.adjuster.describe(&later(&subject.call()));
            same_description(subject.adjuster.description(), again)
        },
    },
    Check {
        id: "scenario.adjusts",
        title: "It applies what planners assume",
        rule: "Prices, promotions of every kind, holidays and stages of life are applied to an ordinary forecast without a crash and without a refusal, each alone and all at once.",
        level: Level::Smoke,
        applies: Applies::ALWAYS,
        mend: "An assumption that the adjuster knows nothing about changes nothing: its factor is 1.",
        body: |subject| subject.judge("scenario.adjusts", "a forecast"),
    },
    Check {
        id: "scenario.shape",
        title: "It answers for every day and level",
        rule: "There is a factor and a point for every day, and bounds for every level of the baseline, in its order.",
        level: Level::Smoke,
        applies: Applies::ALWAYS,
        mend: "`retailcast_sdk::scenario::multiply` makes the answer of one factor per day.",
        body: |subject| subject.judge("scenario.shape", "one number per day, and the levels of the baseline"),
    },
    Check {
        id: "scenario.finite",
        title: "Nothing sells less than nothing",
        rule: "Factors, points and bounds are finite and at least 0.",
        level: Level::Smoke,
        applies: Applies::ALWAYS,
        mend: "Cut at 0, and look for powers and divisions that overflow.",
        body: |subject| subject.judge("scenario.finite", "finite numbers of at least 0"),
    },
    Check {
        id: "scenario.bounds",
        title: "Its lower bounds are below",
        rule: "No lower bound is above its upper bound.",
        level: Level::Smoke,
        applies: Applies::ALWAYS,
        mend: "Both bounds of a day get the same factor.",
        body: |subject| subject.judge("scenario.bounds", "lower bounds not above upper ones"),
    },
    Check {
        id: "scenario.time",
        title: "It is done in time",
        rule: "28 days are adjusted within the plugin's time limit.",
        level: Level::Smoke,
        applies: Applies::ALWAYS,
        mend: "A loop does not end: an open window, or a day that is never reached.",
        body: |subject| subject.judge("scenario.time", "an answer within the limits"),
    },
    Check {
        id: "scenario.memory",
        title: "It keeps its memory limit",
        rule: "28 days are adjusted within the plugin's memory limit.",
        level: Level::Smoke,
        applies: Applies::ALWAYS,
        mend: "A factor per day needs little.",
        body: |subject| subject.judge("scenario.memory", "an answer within the limits"),
    },
    Check {
        id: "scenario.payload",
        title: "It does not hand over too much",
        rule: "The answer for 28 days is within the payload limit.",
        level: Level::Smoke,
        applies: Applies::ALWAYS,
        mend: "Give one number per day and bound.",
        body: |subject| subject.judge("scenario.payload", "an answer within the limits"),
    },
    Check {
        id: "scenario.log",
        title: "It writes no more than its log takes",
        rule: "One call writes at most 64 KiB to the log.",
        level: Level::Full,
        applies: Applies::ALWAYS,
        mend: "What is beyond the budget is dropped, so the line that matters may be among it.",
        body: log,
    },
];

fn log(subject: &Subject) -> Outcome {
    subject.ready()?;
    let case = "everything at once; 28 days with intervals";
    let (call, trace) = traced(&subject.call());
    subject
        .adjuster
        .adjust(&everything(), &ordinary(DAYS, true), &call)
        .map_err(|e| Problem::of(&e, "a forecast", case))?;
    within_log_budget(&trace, case)
}
