//! A local model fits every series for itself.

use retailcast_runtime::{Forecasts, PluginError};

use super::subject::{Subject, THREE, same};
use crate::check::{Applies, Check, Level, Outcome, Problem};

/// Models whose series do not know each other.
pub(super) const LOCAL: Applies<Subject> = Applies {
    when: "when the requirements say `scope: local`",
    to: |subject| subject.declares(|needs| needs.scope == retailcast_runtime::Scope::Local),
};

pub(super) const CHECKS: &[Check<Subject>] = &[
    Check {
        id: "panel.alone",
        title: "A series alone is forecast as among others",
        rule: "The forecast of a series does not depend, in any bit, on the series that share its batch.",
        level: Level::Smoke,
        applies: LOCAL,
        mend: "Compute nothing over the whole panel; or declare `scope: global`.",
        body: alone,
    },
    Check {
        id: "panel.order",
        title: "The order of the series does not matter",
        rule: "The same series in another order have the same forecasts, in that order.",
        level: Level::Full,
        applies: LOCAL,
        mend: "Results stand in the order of the data: row `series * horizon + step`.",
        body: order,
    },
];

/// The forecasts of one series of a panel, as those of a panel of one.
fn of_series(all: &Forecasts, series: usize, count: usize) -> Forecasts {
    let rows = |column: &[f64]| -> Vec<f64> {
        let blocks = column.chunks(all.horizon).skip(series).step_by(count.max(1));
        blocks.flatten().copied().collect()
    };
    Forecasts {
        horizon: all.horizon,
        points: rows(&all.points),
        levels: all.levels.clone(),
        lower: rows(&all.lower),
        upper: rows(&all.upper),
        ..Forecasts::default()
    }
}

fn alone(subject: &Subject) -> Outcome {
    for variant in subject.ready()?.iter().filter(|v| v.is_local()) {
        let panel = variant.three();
        let case = variant.case(THREE, 14);
        let failed = |e: PluginError| Problem::of(&e, "a forecast", &case);
        let together = subject.forecast(variant, &panel, 14).map_err(failed)?;
        for (i, series) in panel.iter().enumerate() {
            let one = subject.forecast(variant, std::slice::from_ref(series), 14).map_err(failed)?;
            let words = format!("series {i} among the others, and alone");
            same(&of_series(&together, i, panel.len()), &one, &words, &case)?;
        }
    }
    Ok(())
}

fn order(subject: &Subject) -> Outcome {
    for variant in subject.ready()?.iter().filter(|v| v.is_local()) {
        let mut panel = variant.three();
        let case = variant.case("3 ordinary series and the same in reverse", 14);
        let failed = |e: PluginError| Problem::of(&e, "a forecast", &case);
        let forward = subject.forecast(variant, &panel, 14).map_err(failed)?;
        panel.reverse();
        let backward = subject.forecast(variant, &panel, 14).map_err(failed)?;
        for i in 0..panel.len() {
            let words = format!("series {i}, and where it stands in reverse");
            let turned = of_series(&backward, panel.len() - 1 - i, panel.len());
            same(&of_series(&forward, i, panel.len()), &turned, &words, &case)?;
        }
    }
    Ok(())
}
