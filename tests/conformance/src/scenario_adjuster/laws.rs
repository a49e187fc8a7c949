//! What holds between scenarios.

use retailcast_runtime::PluginError;
use retailcast_runtime::scenario::{Adjusted, Assumptions, Baseline, LifeCycleStage, PromotionKind, Window};

use super::subject::{
    DAYS, START, Subject, days, everything, holidays, ordinary, price, promotion, stage, usual,
};
use crate::any_kind::later;
use crate::check::{Applies, Check, Failure, Level, Outcome, Problem};

pub(super) const CHECKS: &[Check<Subject>] = &[
    Check {
        id: "scenario.identity",
        title: "Without assumptions nothing changes",
        rule: "Without assumptions every factor is 1, and points and bounds are those of the baseline.",
        level: Level::Smoke,
        applies: Applies::ALWAYS,
        mend: "A planner compares with the baseline: what nobody assumed must not be in the difference.",
        body: identity,
    },
    Check {
        id: "scenario.window",
        title: "Outside its window nothing changes",
        rule: "A price, a promotion and a holiday leave the days alone that they do not cover.",
        level: Level::Smoke,
        applies: Applies::ALWAYS,
        mend: "Windows include their first and their last day.",
        body: window,
    },
    Check {
        id: "scenario.purity",
        title: "The same assumptions give the same forecast",
        rule: "Two instances at different times and with different seeds give the same numbers.",
        level: Level::Smoke,
        applies: Applies::ALWAYS,
        mend: "Take nothing from the clock and nothing at random.",
        body: purity,
    },
    Check {
        id: "scenario.holidays",
        title: "Holidays have no order",
        rule: "Holidays in another order, or named twice, give the same numbers.",
        level: Level::Full,
        applies: Applies::ALWAYS,
        mend: "Ask whether a day is among them; do not walk along them.",
        body: order,
    },
    Check {
        id: "scenario.price",
        title: "Dearer does not sell more",
        rule: "With a higher price no day sells more than with a lower one.",
        level: Level::Full,
        applies: Applies::ALWAYS,
        mend: "The change is a fraction of the price: -0.15 is 15 % cheaper.",
        body: dearer,
    },
    Check {
        id: "scenario.extremes",
        title: "It survives the edges",
        rule: "The largest price changes, windows that end before the horizon, span years or lie on one day, horizons of 1 and 365 days, and baselines that are zero, negative or huge give a forecast.",
        level: Level::Full,
        applies: Applies::ALWAYS,
        mend: "Points may be negative in a baseline: cut at 0. Days are signed numbers.",
        body: extremes,
    },
];

/// Fails at the first day that differs, as bits.
fn same(expected: &Adjusted, found: &Adjusted, words: &str, case: &str) -> Outcome {
    let columns = |adjusted: &Adjusted| {
        let bounds = adjusted.intervals.iter().flat_map(|level| [level.lower.clone(), level.upper.clone()]);
        [vec![adjusted.factors.clone(), adjusted.points.clone()], bounds.collect()].concat()
    };
    for (i, (before, after)) in columns(expected).iter().zip(columns(found)).enumerate() {
        if let Some(day) = before.iter().zip(&after).position(|(a, b)| a.to_bits() != b.to_bits()) {
            let what = ["factor", "point"].get(i).copied().unwrap_or("bound");
            return Failure::outcome(
                format!("{words}: {what} {} on day {day}", before[day]),
                after[day].to_string(),
                case,
            );
        }
    }
    Ok(())
}

/// What an adjuster says that changes nothing.
fn unchanged(baseline: &Baseline) -> Adjusted {
    Adjusted {
        factors: vec![1.0; baseline.points.len()],
        points: baseline.points.clone(),
        intervals: baseline.intervals.clone(),
    }
}

fn identity(subject: &Subject) -> Outcome {
    subject.ready()?;
    let baseline = ordinary(DAYS, true);
    let case = "no assumption; 28 days with intervals";
    let adjusted = subject.answer(&Assumptions::default(), &baseline, case)?;
    same(&unchanged(&baseline), &adjusted, "the baseline", case)
}

fn window(subject: &Subject) -> Outcome {
    subject.ready()?;
    let baseline = ordinary(DAYS, true);
    let cases: [(&str, Assumptions, &[usize]); 3] = [
        ("30 % cheaper on days 8 to 12", price(-0.3, days(8, 12)), &[8, 9, 10, 11, 12]),
        ("a promotion on days 8 to 12", promotion(PromotionKind::Bogo, days(8, 12)), &[8, 9, 10, 11, 12]),
        ("holidays on days 8 and 12", holidays(&[8, 12]), &[8, 12]),
    ];
    for (case, assumptions, covered) in cases {
        let factors = subject.answer(&assumptions, &baseline, case)?.factors;
        let changed = |day: &usize| !covered.contains(day) && factors[*day].to_bits() != 1.0_f64.to_bits();
        if let Some(day) = (0..DAYS).find(changed) {
            return Failure::outcome(format!("factor 1 on day {day}"), factors[day].to_string(), case);
        }
    }
    Ok(())
}

fn purity(subject: &Subject) -> Outcome {
    subject.ready()?;
    let baseline = ordinary(DAYS, true);
    for (case, assumptions) in usual() {
        let first = subject.answer(&assumptions, &baseline, case)?;
        let again = subject
            .adjuster
            .adjust(&assumptions, &baseline, &later(&subject.call()))
            .map_err(|e| Problem::of(&e, "a forecast", case))?;
        same(&first, &again, "at another time", case)?;
    }
    Ok(())
}

fn order(subject: &Subject) -> Outcome {
    subject.ready()?;
    let baseline = ordinary(DAYS, true);
    let case = "holidays on days 24, 10, 10 and 3";
    let first = subject.answer(&holidays(&[3, 10, 24]), &baseline, case)?;
    let again = subject.answer(&holidays(&[24, 10, 10, 3]), &baseline, case)?;
    same(&first, &again, "as for days 3, 10 and 24", case)
}

fn dearer(subject: &Subject) -> Outcome {
    subject.ready()?;
    let baseline = ordinary(DAYS, false);
    let mut before: Option<(f64, Adjusted)> = None;
    for change in [-0.9, -0.5, -0.15, -0.01, 0.0, 0.01, 0.2, 1.0, 5.0] {
        let case = format!("price changes by {change} on all days");
        let adjusted = subject.answer(&price(change, days(0, 27)), &baseline, &case)?;
        if let Some((lower, cheaper)) = &before
            && let Some(day) = (0..DAYS).find(|day| adjusted.points[*day] > cheaper.points[*day])
        {
            return Failure::outcome(
                format!("at most the {} of a change by {lower} on day {day}", cheaper.points[day]),
                adjusted.points[day].to_string(),
                case,
            );
        }
        before = Some((change, adjusted));
    }
    Ok(())
}

fn extremes(subject: &Subject) -> Outcome {
    subject.ready()?;
    let years = Window { first: START - 4_000, last: START + 4_000 };
    let values = |value: f64| Baseline { start: START, points: vec![value; DAYS], intervals: Vec::new() };
    let cases: [(&str, Assumptions, Baseline); 12] = [
        ("90 % cheaper", price(-0.9, days(0, 27)), ordinary(DAYS, true)),
        ("six times the price", price(5.0, days(0, 27)), ordinary(DAYS, true)),
        ("a price on one day", price(-0.2, days(4, 4)), ordinary(DAYS, true)),
        ("a price before the horizon", price(-0.2, days(-60, -30)), ordinary(DAYS, true)),
        ("a price over years", price(-0.2, years), ordinary(DAYS, true)),
        ("a promotion over years", promotion(PromotionKind::Markdown, years), ordinary(DAYS, true)),
        ("holidays outside the horizon", holidays(&[-400, 4_000]), ordinary(DAYS, true)),
        ("everything at once, 1 day", everything(), ordinary(1, true)),
        ("everything at once, 365 days", everything(), ordinary(365, true)),
        ("everything at once, a baseline of 0", everything(), values(0.0)),
        ("everything at once, a baseline of -3", everything(), values(-3.0)),
        ("a launch, a baseline of 1e12", stage(LifeCycleStage::Launch), values(1e12)),
    ];
    for (case, assumptions, baseline) in cases {
        let adjusted: Result<Adjusted, PluginError> = subject.adjust(&assumptions, &baseline);
        adjusted.map_err(|e| Problem::of(&e, "a forecast", case))?;
    }
    Ok(())
}
