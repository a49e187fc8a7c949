//! An adjuster, a baseline, and what planners assume.

use std::cell::OnceCell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use retailcast_runtime::scenario::{
    Adjusted, Assumptions, Baseline, IntervalBounds, LifeCycleStage, PriceChange, Promotion, PromotionKind,
    Window,
};
use retailcast_runtime::{Call, PluginError, ScenarioAdjuster};

use crate::any_kind::{Trouble, call_at};
use crate::check::{Outcome, Problem};

/// First day of every baseline; 2024-03-16.
pub(super) const START: i32 = 19_798;
/// Days of the ordinary baseline.
pub(super) const DAYS: usize = 28;

/// A loaded adjuster.
pub(crate) struct Subject {
    pub(super) adjuster: Arc<dyn ScenarioAdjuster>,
    until: Option<Instant>,
    trouble: OnceCell<Option<Trouble>>,
}

impl Subject {
    pub(super) fn new(adjuster: Arc<dyn ScenarioAdjuster>, until: Option<Instant>) -> Self {
        Self { adjuster, until, trouble: OnceCell::new() }
    }

    /// The circumstances of a call: the present is the day before the baseline.
    pub(super) fn call(&self) -> Call {
        call_at(Duration::from_hours(24) * (START - 1).unsigned_abs(), self.until)
    }

    /// An error when ordinary assumptions are not applied: then nothing else is worth saying.
    pub(super) fn ready(&self) -> Outcome {
        Trouble::none(self.trouble())
    }

    /// The body of a check that ordinary assumptions must pass: fails when their trouble is its own.
    pub(super) fn judge(&self, own: &str, expected: &str) -> Outcome {
        Trouble::judge(self.trouble(), own, expected)
    }

    fn trouble(&self) -> Option<&Trouble> {
        let find = || {
            let cases = usual().into_iter().flat_map(|(words, assumptions)| {
                [false, true].map(|intervals| (words, assumptions.clone(), intervals))
            });
            cases.into_iter().find_map(|(words, assumptions, intervals)| {
                let error = self.adjust(&assumptions, &ordinary(DAYS, intervals)).err()?;
                let with = if intervals { "with" } else { "without" };
                let owner = owner(&error);
                Some(Trouble {
                    case: format!("{words}; 28 days {with} intervals"),
                    error: Arc::new(error),
                    owner,
                })
            })
        };
        self.trouble.get_or_init(find).as_ref()
    }

    /// Adjusts in a fresh instance.
    pub(super) fn adjust(
        &self,
        assumptions: &Assumptions,
        baseline: &Baseline,
    ) -> Result<Adjusted, PluginError> {
        self.adjuster.adjust(assumptions, baseline, &self.call())
    }

    /// The same, where an answer is due.
    pub(super) fn answer(
        &self,
        assumptions: &Assumptions,
        baseline: &Baseline,
        case: &str,
    ) -> Result<Adjusted, Problem> {
        self.adjust(assumptions, baseline).map_err(|e| Problem::of(&e, "a forecast", case))
    }
}

/// A week over a level, with bounds of two levels or none.
pub(super) fn ordinary(days: usize, intervals: bool) -> Baseline {
    let points: Vec<f64> =
        (0..days).map(|day| 20.0 + [0.0, 2.0, 1.0, 3.0, 6.0, 9.0, -4.0][day % 7]).collect();
    let around = |level: f64, width: f64| IntervalBounds {
        level,
        lower: points.iter().map(|point| point * (1.0 - width)).collect(),
        upper: points.iter().map(|point| point * (1.0 + width)).collect(),
    };
    let intervals = if intervals { vec![around(0.8, 0.2), around(0.95, 0.4)] } else { Vec::new() };
    Baseline { start: START, points, intervals }
}

/// Days of the baseline, counted from 0, both included.
pub(super) fn days(first: i32, last: i32) -> Window {
    Window { first: START + first, last: START + last }
}

/// Another price on these days.
pub(super) fn price(change: f64, during: Window) -> Assumptions {
    Assumptions { price: Some(PriceChange { change, during }), ..Assumptions::default() }
}

/// A promotion on these days.
pub(super) fn promotion(kind: PromotionKind, during: Window) -> Assumptions {
    Assumptions { promotion: Some(Promotion { kind, during }), ..Assumptions::default() }
}

/// These days are holidays.
pub(super) fn holidays(days: &[i32]) -> Assumptions {
    Assumptions { holidays: days.iter().map(|day| START + day).collect(), ..Assumptions::default() }
}

/// A stage of the product's life.
pub(super) fn stage(stage: LifeCycleStage) -> Assumptions {
    Assumptions { stage: Some(stage), ..Assumptions::default() }
}

/// Everything at once.
pub(super) fn everything() -> Assumptions {
    Assumptions {
        price: price(-0.15, days(3, 16)).price,
        promotion: promotion(PromotionKind::PctOff, days(7, 13)).promotion,
        holidays: holidays(&[10, 24]).holidays,
        stage: Some(LifeCycleStage::Growth),
    }
}

/// What planners usually assume, with words for it.
pub(super) fn usual() -> Vec<(&'static str, Assumptions)> {
    use LifeCycleStage::{Decline, Growth, Launch, Maturity};
    use PromotionKind::{Bogo, Bundle, Markdown, PctOff};
    let mut usual = vec![
        ("no assumption", Assumptions::default()),
        ("15 % cheaper on days 3 to 16", price(-0.15, days(3, 16))),
        ("20 % dearer on all days", price(0.2, days(0, 27))),
        ("holidays on days 10 and 24", holidays(&[10, 24])),
        ("everything at once", everything()),
    ];
    usual.extend(
        [PctOff, Bogo, Bundle, Markdown]
            .map(|kind| ("a promotion on days 7 to 13", promotion(kind, days(7, 13)))),
    );
    usual.extend([Launch, Growth, Maturity, Decline].map(|of_life| ("a stage of life", stage(of_life))));
    usual
}

/// The check that an error on ordinary assumptions belongs to.
fn owner(error: &PluginError) -> &'static str {
    match error {
        PluginError::BadResult { expected, check, .. } => match *check {
            "ordered bounds" => "scenario.bounds",
            _ if expected.starts_with("finite") => "scenario.finite",
            _ => "scenario.shape",
        },
        PluginError::Timeout { .. } => "scenario.time",
        PluginError::MemoryLimit { .. } => "scenario.memory",
        PluginError::PayloadLimit { .. } => "scenario.payload",
        _ => "scenario.adjusts",
    }
}
