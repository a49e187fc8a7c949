//! Time, memory, words.

use retailcast_runtime::PluginError;

use super::history::ordinary;
use super::subject::{Subject, THREE, ordinary_data};
use crate::any_kind::within_log_budget;
use crate::check::{Applies, Check, Failure, Level, Outcome, Problem};

pub(super) const CHECKS: &[Check<Subject>] = &[
    Check {
        id: "resources.time",
        title: "It is done in time",
        rule: "Three ordinary series are fitted and forecast within the plugin's time limits.",
        level: Level::Smoke,
        applies: Applies::ALWAYS,
        mend: "A loop does not end, or the model is too slow for its limits: `retailcast plugin run FILE --trace` shows where the time goes.",
        body: |subject| ordinary_data(subject, "resources.time", "an answer within the limits"),
    },
    Check {
        id: "resources.memory",
        title: "It keeps its memory limit",
        rule: "Three ordinary series are fitted and forecast within the plugin's memory limit.",
        level: Level::Smoke,
        applies: Applies::ALWAYS,
        mend: "Read columns one by one, and let go of them.",
        body: |subject| ordinary_data(subject, "resources.memory", "an answer within the limits"),
    },
    Check {
        id: "resources.payload",
        title: "It does not hand over too much",
        rule: "State and forecasts of ordinary series are within the payload limit.",
        level: Level::Smoke,
        applies: Applies::ALWAYS,
        mend: "Save what `predict` needs, and not the history.",
        body: |subject| ordinary_data(subject, "resources.payload", "an answer within the limits"),
    },
    Check {
        id: "resources.growth",
        title: "It does not grow",
        rule: "An instance that fits, forecasts and lets go 40 times needs no more memory than after 10 times (1 MiB is allowed).",
        level: Level::Full,
        applies: Applies::ALWAYS,
        mend: "Something keeps what each fit made: statics, leaked boxes, caches without a bound.",
        body: growth,
    },
    Check {
        id: "resources.log",
        title: "It writes no more than its log takes",
        rule: "Fitting and forecasting three ordinary series writes at most 64 KiB to the log.",
        level: Level::Full,
        applies: Applies::ALWAYS,
        mend: "What is beyond the budget is dropped, so the line that matters may be among it. Do not log per row.",
        body: log,
    },
];

const GROWTH: usize = 1 << 20;

fn growth(subject: &Subject) -> Outcome {
    let variants = subject.ready()?;
    for variant in &variants[..1] {
        let case = variant.case("1 ordinary series, 40 times in one instance", 14);
        let failed = |e: PluginError| Problem::of(&e, "a forecast", &case);
        let panel = [ordinary(1, variant.rows())];
        let mut run = subject.open(variant).map_err(failed)?;
        let mut early = 0;
        for turn in 0..40 {
            let fitted = run.fit(&panel).map_err(failed)?;
            run.predict(fitted, &panel, 14).map_err(failed)?;
            run.session.release(fitted).map_err(failed)?;
            if turn == 9 {
                early = run.session.peak_memory();
            }
        }
        let late = run.session.peak_memory();
        if late > early + GROWTH {
            return Failure::outcome(
                format!("at most {early} bytes and 1 MiB"),
                format!("{late} bytes"),
                case,
            );
        }
    }
    Ok(())
}

fn log(subject: &Subject) -> Outcome {
    for variant in subject.ready()? {
        let case = variant.case(THREE, 14);
        let trace = subject
            .traced(variant, &variant.three(), 14)
            .map_err(|e| Problem::of(&e, "a forecast", &case))?;
        within_log_budget(&trace, &case)?;
    }
    Ok(())
}
