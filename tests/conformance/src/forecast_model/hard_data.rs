//! Series of a kind that breaks formulas. Each is answered with numbers or refused with a reason; nothing crashes.

use retailcast_runtime::panel::History;
use retailcast_runtime::{Input, PluginError};

use super::history::{of_values, ordinary, unknown, with_gaps};
use super::subject::{Subject, Variant};
use crate::check::{Applies, Check, Level, Outcome, Problem};

macro_rules! hard {
    ($id:literal, $title:literal, $what:literal, $mend:literal, $applies:expr, $panel:expr, $horizon:expr) => {
        Check {
            id: $id,
            title: $title,
            rule: concat!($what, " get finite forecasts, or a refusal with a reason."),
            level: Level::Full,
            applies: $applies,
            mend: $mend,
            body: |subject| survives(subject, $what, $panel, $horizon),
        }
    };
}

/// Models that read columns.
const TABLE: Applies<Subject> = Applies {
    when: "when the requirements say `input: table`",
    to: |subject| subject.declares(|needs| matches!(needs.input, Input::Table { .. })),
};

pub(super) const CHECKS: &[Check<Subject>] = &[
    hard!(
        "hard.constant",
        "The same every day",
        "Series of one value",
        "The variance is 0: look for divisions by it.",
        Applies::ALWAYS,
        |v| vec![of_values(1, &vec![5.0; v.rows()])],
        14
    ),
    hard!(
        "hard.zeros",
        "Nothing was sold",
        "Series of zeros",
        "Level and variance are 0; logarithms and ratios are not defined.",
        Applies::ALWAYS,
        |v| vec![of_values(1, &vec![0.0; v.rows()])],
        14
    ),
    hard!(
        "hard.intermittent",
        "Hardly anything was sold",
        "Series with a sale on every 17th day",
        "Most weeks are empty: seasonal indices and demand intervals need a floor.",
        Applies::ALWAYS,
        |v| vec![of_values(1, &(0..v.rows()).map(|i| f64::from(u8::from(i % 17 == 3))).collect::<Vec<_>>())],
        14
    ),
    hard!(
        "hard.spike",
        "One day like no other",
        "Series of zeros with a million on one day",
        "One value dominates every sum.",
        Applies::ALWAYS,
        |v| vec![of_values(1, &(0..v.rows()).map(|i| if i == 50 { 1e6 } else { 0.0 }).collect::<Vec<_>>())],
        14
    ),
    hard!(
        "hard.large",
        "Very large numbers",
        "Series around 1e12",
        "Squares reach 1e24: centre and scale before you multiply.",
        Applies::ALWAYS,
        |v| vec![scaled(v, 1e11)],
        14
    ),
    hard!(
        "hard.small",
        "Very small numbers",
        "Series around 1e-9",
        "Tolerances must be relative.",
        Applies::ALWAYS,
        |v| vec![scaled(v, 1e-10)],
        14
    ),
    hard!(
        "hard.negative",
        "Returns",
        "Series with negative days",
        "More came back than was sold: logarithms and square roots are not defined.",
        Applies::ALWAYS,
        |v| vec![of_values(1, &(0..v.rows()).map(|i| (i % 9) as f64 - 3.0).collect::<Vec<_>>())],
        14
    ),
    hard!(
        "hard.gaps",
        "Days are missing",
        "Series whose days are not consecutive",
        "Rows stand next to each other, whatever lies between: count rows, or read `days`.",
        Applies::ALWAYS,
        |v| vec![with_gaps(1, v.rows())],
        14
    ),
    hard!(
        "hard.unknown",
        "Nothing is known of the product",
        "Series without launch date, codes, promotions and holidays",
        "Such columns are NaN or constant throughout.",
        TABLE,
        |v| vec![unknown(v.rows())],
        14
    ),
    hard!(
        "hard.horizon",
        "A season ahead",
        "Forecasts of 90 days",
        "The horizon is the caller's: size nothing by a constant.",
        Applies::ALWAYS,
        |v| vec![ordinary(1, v.rows())],
        90
    ),
    hard!(
        "hard.many",
        "Many series at once",
        "Panels of 60 series",
        "The number of series is the caller's: size nothing by a constant.",
        Applies::ALWAYS,
        |v| (1..=60).map(|who| ordinary(who, v.rows())).collect(),
        7
    ),
];

fn scaled(variant: &Variant, factor: f64) -> History {
    let mut history = ordinary(1, variant.rows());
    history.series.quantity.iter_mut().for_each(|value| *value *= factor);
    history
}

fn survives(subject: &Subject, what: &str, panel: fn(&Variant) -> Vec<History>, horizon: usize) -> Outcome {
    for variant in subject.ready()? {
        let panel = panel(variant);
        let case = variant
            .case(&format!("{what} ({} series of {} rows)", panel.len(), panel[0].series.len()), horizon);
        match subject.forecast(variant, &panel, horizon) {
            // Of a panel, a single series fails alone.
            Err(PluginError::Guest(_)) if panel.len() == 1 => {}
            Err(e) => return Err(Problem::of(&e, "finite forecasts, or a refusal", &case)),
            Ok(_) => {}
        }
    }
    Ok(())
}
