//! What a provider says of itself, and what vectors must be.

use retailcast_runtime::embedding::Purpose;

use super::subject::{ASKS, COMPUTES, ORDINARY, Subject};
use crate::any_kind::{later, same_description, traced, within_log_budget};
use crate::check::{Applies, Check, Failure, Level, Outcome, Problem};

pub(super) const CHECKS: &[Check<Subject>] = &[
    Check {
        id: "embedder.describe",
        title: "It says the same of itself every time",
        rule: "`describe` gives the same answer in every instance, whatever the time.",
        level: Level::Smoke,
        applies: Applies::ALWAYS,
        mend: "Describe with constants. A schema built from a hash map has its fields in another order every time.",
        body: |subject| {
            let again = subject.provider.describe(&later(&subject.call()));
            same_description(subject.provider.description(), again)
        },
    },
    Check {
        id: "embedder.configuration",
        title: "It takes the configuration of the host",
        rule: "`limits-of` takes a configuration of `base_url`, `model` and `dimension`, at least with one of the lengths 1536, 384, 768, 1024 and 3072, and allows at least 1 text per call.",
        level: Level::Smoke,
        applies: Applies::ALWAYS,
        mend: "The host writes the configuration: a field of your own must have a default. A length that the model does not have is refused with `invalid-config`.",
        body: Subject::configured,
    },
    Check {
        id: "embedder.limits",
        title: "Its limits stay the same",
        rule: "`limits-of` gives the same answer to the same configuration, in every instance and whatever the time.",
        level: Level::Smoke,
        applies: Applies::ALWAYS,
        mend: "Limits are constants of the model.",
        body: limits,
    },
    Check {
        id: "embedder.embeds",
        title: "It embeds ordinary texts",
        rule: "English sentences get vectors without a crash and without a refusal, as documents and as questions, one and several at once.",
        level: Level::Smoke,
        applies: COMPUTES,
        mend: "The message is the crash or the refusal.",
        body: |subject| subject.judge("embedder.embeds", "vectors"),
    },
    Check {
        id: "embedder.length",
        title: "Its vectors have the length that was asked for",
        rule: "There is one vector per text, each with as many numbers as `dimension` says.",
        level: Level::Smoke,
        applies: COMPUTES,
        mend: "The result is one list: vector after vector, in the order of the texts.",
        body: |subject| subject.judge("embedder.length", "one vector of this length per text"),
    },
    Check {
        id: "embedder.finite",
        title: "Its vectors are numbers",
        rule: "Every number is finite.",
        level: Level::Smoke,
        applies: COMPUTES,
        mend: "A text without anything to compare has length 0: do not divide by it.",
        body: |subject| subject.judge("embedder.finite", "finite numbers"),
    },
    Check {
        id: "embedder.time",
        title: "It is done in time",
        rule: "Ordinary texts are embedded within the plugin's time limit.",
        level: Level::Smoke,
        applies: COMPUTES,
        mend: "A loop does not end, or the model is too large for its limit.",
        body: |subject| subject.judge("embedder.time", "an answer within the limits"),
    },
    Check {
        id: "embedder.memory",
        title: "It keeps its memory limit",
        rule: "Ordinary texts are embedded within the plugin's memory limit.",
        level: Level::Smoke,
        applies: COMPUTES,
        mend: "Embed a batch text by text, or lower `max-batch`.",
        body: |subject| subject.judge("embedder.memory", "an answer within the limits"),
    },
    Check {
        id: "embedder.payload",
        title: "It does not hand over too much",
        rule: "Vectors of ordinary texts are within the payload limit.",
        level: Level::Smoke,
        applies: COMPUTES,
        mend: "Give the numbers of the vectors and nothing else.",
        body: |subject| subject.judge("embedder.payload", "an answer within the limits"),
    },
    Check {
        id: "embedder.log",
        title: "It writes no more than its log takes",
        rule: "Embedding six ordinary texts writes at most 64 KiB to the log.",
        level: Level::Full,
        applies: COMPUTES,
        mend: "What is beyond the budget is dropped, so the line that matters may be among it.",
        body: log,
    },
    Check {
        id: "embedder.offline",
        title: "It says when its service is not there",
        rule: "When no address may be reached, texts get a failure with `upstream`, and not vectors.",
        level: Level::Smoke,
        applies: ASKS,
        mend: "`Failure::upstream` says it. Vectors of a provider that could not ask would be found by no question.",
        body: offline,
    },
];

fn limits(subject: &Subject) -> Outcome {
    let settled = subject.settled()?;
    let case = format!("limits-of, asked at another time; configuration {}", settled.config);
    let again = subject
        .provider
        .limits(&settled.config, &later(&subject.call()))
        .map_err(|e| Problem::of(&e, "the limits of the first time", &case))?;
    if again == settled.limits {
        return Ok(());
    }
    Failure::outcome(format!("{:?}", settled.limits), format!("{again:?}"), case)
}

fn log(subject: &Subject) -> Outcome {
    subject.ready()?;
    let case = "6 ordinary texts";
    let (call, trace) = traced(&subject.call());
    subject.vectors_in(Purpose::Document, &ORDINARY, &call, case)?;
    within_log_budget(&trace, case)
}

fn offline(subject: &Subject) -> Outcome {
    use retailcast_runtime::GuestErrorCode::Upstream;
    let settled = subject.settled()?;
    let case = format!("1 ordinary text, no service; configuration {}", settled.config);
    let expected = "a failure with `upstream`";
    match subject.embed(settled, Purpose::Document, &ORDINARY[..1], &subject.call()) {
        Ok(Err(failure)) if failure.error.code == Upstream => Ok(()),
        Ok(Err(failure)) => {
            let found = format!("`{}`: {}", failure.error.code.name(), failure.error.message);
            Failure::outcome(expected, found, case)
        }
        Ok(Ok(_)) => Failure::outcome(expected, "vectors", case),
        Err(e) => Err(Problem::of(&e, expected, &case)),
    }
}
