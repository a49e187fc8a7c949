//! The form of the answer.

use super::subject::{Subject, ordinary_data};
use crate::check::{Applies, Check, Level};

pub(super) const CHECKS: &[Check<Subject>] = &[
    Check {
        id: "shape.length",
        title: "It forecasts every day of every series",
        rule: "There are series times horizon points, and levels times series times horizon lower and upper bounds.",
        level: Level::Smoke,
        applies: Applies::ALWAYS,
        mend: "Start with `Forecasts::new(series, horizon)` and push one series after the other. The horizon is that of the future data, not of the configuration.",
        body: |subject| ordinary_data(subject, "shape.length", "one number per series and day"),
    },
    Check {
        id: "shape.finite",
        title: "Its points are numbers",
        rule: "Every point is finite, except those of series that are listed as failed.",
        level: Level::Smoke,
        applies: Applies::ALWAYS,
        mend: "Look for divisions by zero and for NaN features (short lags). A series without a finite forecast is a failure: `push(Err(...))`.",
        body: |subject| ordinary_data(subject, "shape.finite", "finite points"),
    },
    Check {
        id: "shape.positions",
        title: "It names series that exist",
        rule: "Failures and fallbacks name positions of series of this call.",
        level: Level::Smoke,
        applies: Applies::ALWAYS,
        mend: "Positions count from 0, in the order of the data.",
        body: |subject| ordinary_data(subject, "shape.positions", "positions of series of this call"),
    },
];
