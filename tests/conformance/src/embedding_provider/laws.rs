//! What holds between vectors.

use retailcast_runtime::GuestErrorCode;
use retailcast_runtime::PluginError;
use retailcast_runtime::embedding::Purpose;

use super::subject::{COMPUTES, ORDINARY, Subject, same};
use crate::any_kind::{is_refusal, later};
use crate::check::{Check, Failure, Level, Outcome, Problem};

pub(super) const CHECKS: &[Check<Subject>] = &[
    Check {
        id: "embedder.purity",
        title: "The same text has the same vector",
        rule: "Two instances at different times and with different seeds give the same vectors, bit for bit.",
        level: Level::Smoke,
        applies: COMPUTES,
        mend: "A hash map with random keys adds up in another order every time.",
        body: purity,
    },
    Check {
        id: "embedder.batch",
        title: "Texts do not see each other",
        rule: "A text has the same vector alone, among others, and in another order, up to 1e-4 of its length.",
        level: Level::Smoke,
        applies: COMPUTES,
        mend: "Padding must not count, and nothing may be taken from the other texts of the call.",
        body: batch,
    },
    Check {
        id: "embedder.words",
        title: "Texts with words have vectors",
        rule: "No ordinary text has a vector of zeros.",
        level: Level::Smoke,
        applies: COMPUTES,
        mend: "Zeros are for texts without anything to compare.",
        body: words,
    },
    Check {
        id: "embedder.meaning",
        title: "What belongs together is near",
        rule: "A question is nearer to the text that answers it than to texts about something else.",
        level: Level::Smoke,
        applies: COMPUTES,
        mend: "The cosine of question and document decides. Look whether questions and documents are made by one model.",
        body: meaning,
    },
    Check {
        id: "embedder.hard",
        title: "It survives hard texts",
        rule: "Empty, blank, very long, foreign and broken texts get vectors or a failure, and no crash.",
        level: Level::Full,
        applies: COMPUTES,
        mend: "Cut long texts where `max-tokens` says, and index by characters, not by bytes.",
        body: hard,
    },
    Check {
        id: "embedder.most",
        title: "It takes as many texts as it says",
        rule: "A call with `max-batch` texts (256 are tried at most) gives a vector for each.",
        level: Level::Full,
        applies: COMPUTES,
        mend: "Lower `max-batch`, or raise the limits that the message names.",
        body: most,
    },
    Check {
        id: "embedder.dimensions",
        title: "It gives every length or says no",
        rule: "Every length from 1 to 2000 that `limits-of` takes is the length of the vectors; others are refused with `invalid-config`.",
        level: Level::Full,
        applies: COMPUTES,
        mend: "Refuse in `limits-of` what the model cannot do.",
        body: dimensions,
    },
];

fn purity(subject: &Subject) -> Outcome {
    subject.ready()?;
    let case = "6 ordinary texts";
    let first = subject.vectors(Purpose::Document, &ORDINARY, case)?;
    let again = subject.vectors_in(Purpose::Document, &ORDINARY, &later(&subject.call()), case)?;
    same(&first, &again, "at another time", case)
}

fn length(vector: &[f32]) -> f32 {
    vector.iter().map(|x| x * x).sum::<f32>().sqrt()
}

fn batch(subject: &Subject) -> Outcome {
    subject.ready()?;
    let together = subject.vectors(Purpose::Document, &ORDINARY, "6 ordinary texts")?;
    let mut reversed = ORDINARY;
    reversed.reverse();
    let mut other_order =
        subject.vectors(Purpose::Document, &reversed, "6 ordinary texts, the last one first")?;
    other_order.reverse();
    for (i, text) in ORDINARY.iter().enumerate() {
        let alone = subject.vectors(Purpose::Document, &[text], text)?;
        for (words, vector) in [("alone", &alone[0]), ("in another order", &other_order[i])] {
            let difference: Vec<f32> = together[i].iter().zip(vector).map(|(a, b)| a - b).collect();
            let apart = length(&difference);
            if apart > 1e-4 * length(&together[i]) {
                return Failure::outcome(
                    format!("the vector that it has among 5 others, {words}"),
                    format!("one that is {apart} away"),
                    *text,
                );
            }
        }
    }
    Ok(())
}

fn words(subject: &Subject) -> Outcome {
    subject.ready()?;
    let vectors = subject.vectors(Purpose::Document, &ORDINARY, "6 ordinary texts")?;
    match vectors.iter().position(|vector| length(vector) == 0.0) {
        Some(text) => Failure::outcome("a vector with a direction", "zeros", ORDINARY[text]),
        None => Ok(()),
    }
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot: f32 = a.iter().zip(b).map(|(a, b)| a * b).sum();
    dot / (length(a) * length(b)).max(f32::MIN_POSITIVE)
}

/// Question, the text that answers it, and texts about something else.
const TRIPLES: [(&str, &str, [&str; 2]); 2] = [
    (
        "How are the weekly sales of a store forecast?",
        "Weekly sales of every store are forecast from its past sales.",
        ["Onion soup is cooked for an hour.", "The train leaves at noon from platform four."],
    ),
    (
        "What does a lower price do to demand?",
        "When the price is lower, demand for the product rises.",
        ["Birds fly south in autumn.", "Her bicycle has a red bell."],
    ),
];

fn meaning(subject: &Subject) -> Outcome {
    subject.ready()?;
    for (question, answer, others) in TRIPLES {
        let asked = subject.vectors(Purpose::Query, &[question], question)?;
        let texts = subject.vectors(Purpose::Document, &[answer, others[0], others[1]], answer)?;
        let near: Vec<f32> = texts.iter().map(|text| cosine(&asked[0], text)).collect();
        for (other, cosine) in others.iter().zip(&near[1..]) {
            if *cosine >= near[0] {
                return Failure::outcome(
                    format!("nearer to `{answer}` (cosine {})", near[0]),
                    format!("nearer to `{other}` ({cosine})"),
                    question,
                );
            }
        }
    }
    Ok(())
}

fn hard(subject: &Subject) -> Outcome {
    let settled = subject.ready()?;
    let texts = [
        ("an empty text", String::new()),
        ("a blank text", " \t\r\n\u{a0}".to_owned()),
        ("200,000 characters", "sales of tea ".repeat(15_385)),
        ("one word of 100,000 characters", "x".repeat(100_000)),
        ("punctuation", "?!... ---".to_owned()),
        ("Japanese", "来週の売上はどのくらいですか".to_owned()),
        ("Arabic", "كم بعنا من الشاي؟".to_owned()),
        ("emoji", "🍵📈👩‍👩‍👧‍👦".to_owned()),
        ("a letter with ten accents", format!("a{}", "\u{301}".repeat(10))),
        ("control characters", "a\u{0}b\u{7}c\u{fffd}".to_owned()),
    ];
    for (case, text) in texts {
        let answer = subject.embed(settled, Purpose::Document, &[&text], &subject.call());
        answer.map_err(|e| Problem::of(&e, "a vector or a failure", case))?.ok();
    }
    Ok(())
}

fn most(subject: &Subject) -> Outcome {
    let settled = subject.ready()?;
    let count = settled.limits.max_batch.min(256);
    let texts: Vec<&str> = ORDINARY.into_iter().cycle().take(count).collect();
    subject.vectors(Purpose::Document, &texts, &format!("{count} ordinary texts")).map(|_| ())
}

fn dimensions(subject: &Subject) -> Outcome {
    subject.ready()?;
    for dimension in [1, 2, 3, 64, 384, 1000, 1536, 2000] {
        let config = super::subject::config(dimension);
        let case = format!("1 ordinary text; configuration {config}");
        let call = subject.call();
        let refused = |e: &PluginError| is_refusal(e, GuestErrorCode::InvalidConfig);
        match subject.provider.limits(&config, &call) {
            Ok(_) => {}
            Err(e) if refused(&e) => continue,
            Err(e) => return Err(Problem::of(&e, "limits, or a refusal with `invalid-config`", &case)),
        }
        let texts = [ORDINARY[0].to_owned()];
        match subject.provider.embed(&config, Purpose::Document, &texts, dimension, &call) {
            Ok(Ok(_)) => {}
            Ok(Err(failure)) => {
                let found = format!("`{}`: {}", failure.error.code.name(), failure.error.message);
                return Failure::outcome("a vector, or a refusal by `limits-of`", found, case);
            }
            Err(e) => return Err(Problem::of(&e, "a vector of this length", &case)),
        }
    }
    Ok(())
}
