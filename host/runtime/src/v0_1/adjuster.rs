//! A scenario adjuster of contract 0.1 behind the host's trait.

use wasmtime::Store;
use wasmtime::component::InstancePre;

use super::bindings::retailcast::plugin::types as wit_types;
use super::instance::{Adapter, World, guest};
use super::scenario_bindings::exports::retailcast::plugin::adjuster as wit;
use super::scenario_bindings::{ScenarioAdjuster as Exports, ScenarioAdjusterPre};
use crate::sandbox::SandboxState;
use crate::scenario::{
    Adjusted, Assumptions, Baseline, IntervalBounds, LifeCycleStage, PromotionKind, ScenarioAdjuster, Window,
};
use crate::trace::traced;
use crate::{Call, Description, Kind, Phase, PluginError};

impl World for Exports {
    const KIND: Kind = Kind::ScenarioAdjuster;
    type Pre = ScenarioAdjusterPre<SandboxState>;

    fn prepare(linked: InstancePre<SandboxState>) -> wasmtime::Result<Self::Pre> {
        ScenarioAdjusterPre::new(linked)
    }

    fn instantiate(pre: &Self::Pre, store: &mut Store<SandboxState>) -> wasmtime::Result<Self> {
        pre.instantiate(store)
    }

    fn describe(&self, store: &mut Store<SandboxState>) -> wasmtime::Result<wit_types::Description> {
        self.retailcast_plugin_plugin().call_describe(store)
    }
}

/// A loaded plugin of kind scenario adjuster.
pub(crate) type Adjuster = Adapter<Exports>;

impl ScenarioAdjuster for Adjuster {
    fn description(&self) -> &Description {
        self.description()
    }

    fn describe(&self, call: &Call) -> Result<Description, PluginError> {
        self.describe(call)
    }

    fn adjust(
        &self,
        assumptions: &Assumptions,
        baseline: &Baseline,
        call: &Call,
    ) -> Result<Adjusted, PluginError> {
        let (given, without) = (to_wit(assumptions), baseline_to_wit(baseline));
        let numbers = |days: usize, levels: usize| (days + 2 * days * levels) * size_of::<f64>();
        let bytes = numbers(baseline.points.len(), baseline.intervals.len());
        let mut instance = self.open(call)?;
        let ask = || {
            instance.run(Phase::Adjust, |store, world| {
                world.retailcast_plugin_adjuster().call_adjust(store, &given, &without)
            })
        };
        let weight = |answer: &Result<wit::Adjusted, _>| {
            answer.as_ref().map_or(0, |a| numbers(a.factors.len() + a.points.len(), a.intervals.len()))
        };
        let answer = traced(call.trace.as_ref(), "adjust", bytes, ask, weight)?;
        let adjusted = from_wit(answer.map_err(guest)?);
        check(&adjusted, baseline)?;
        Ok(adjusted)
    }
}

fn to_wit(assumptions: &Assumptions) -> wit::Assumptions {
    let window = |w: Window| wit::Window { first: w.first, last: w.last };
    wit::Assumptions {
        price: assumptions.price.map(|p| wit::PriceChange { change: p.change, during: window(p.during) }),
        promotion: assumptions.promotion.map(|p| wit::Promotion {
            kind: match p.kind {
                PromotionKind::PctOff => wit::PromotionKind::PctOff,
                PromotionKind::Bogo => wit::PromotionKind::Bogo,
                PromotionKind::Bundle => wit::PromotionKind::Bundle,
                PromotionKind::Markdown => wit::PromotionKind::Markdown,
            },
            during: window(p.during),
        }),
        holidays: assumptions.holidays.clone(),
        stage: assumptions.stage.map(|stage| match stage {
            LifeCycleStage::Launch => wit::LifeCycleStage::Launch,
            LifeCycleStage::Growth => wit::LifeCycleStage::Growth,
            LifeCycleStage::Maturity => wit::LifeCycleStage::Maturity,
            LifeCycleStage::Decline => wit::LifeCycleStage::Decline,
        }),
    }
}

fn baseline_to_wit(baseline: &Baseline) -> wit::Baseline {
    let interval =
        |i: &IntervalBounds| wit::Interval { level: i.level, lower: i.lower.clone(), upper: i.upper.clone() };
    wit::Baseline {
        start: baseline.start,
        points: baseline.points.clone(),
        intervals: baseline.intervals.iter().map(interval).collect(),
    }
}

fn from_wit(answer: wit::Adjusted) -> Adjusted {
    let interval = |i: wit::Interval| IntervalBounds { level: i.level, lower: i.lower, upper: i.upper };
    Adjusted {
        factors: answer.factors,
        points: answer.points,
        intervals: answer.intervals.into_iter().map(interval).collect(),
    }
}

fn broken(check: &'static str, expected: impl Into<String>, found: impl Into<String>) -> PluginError {
    PluginError::BadResult { phase: Phase::Adjust, check, expected: expected.into(), found: found.into() }
}

fn check(adjusted: &Adjusted, baseline: &Baseline) -> Result<(), PluginError> {
    let days = baseline.points.len();
    column("factors", &adjusted.factors, days)?;
    column("points", &adjusted.points, days)?;
    let levels = |intervals: &[IntervalBounds]| intervals.iter().map(|i| i.level).collect::<Vec<_>>();
    let (expected, found) = (levels(&baseline.intervals), levels(&adjusted.intervals));
    if expected != found {
        return Err(broken("interval levels", format!("{expected:?}"), format!("{found:?}")));
    }
    for interval in &adjusted.intervals {
        column("lower bounds", &interval.lower, days)?;
        column("upper bounds", &interval.upper, days)?;
        if let Some((lower, upper)) = interval.lower.iter().zip(&interval.upper).find(|(l, u)| l > u) {
            return Err(broken(
                "ordered bounds",
                "lower bounds not above upper ones",
                format!("{lower} above {upper}"),
            ));
        }
    }
    Ok(())
}

/// One number per day, each finite and at least 0.
fn column(what: &'static str, values: &[f64], days: usize) -> Result<(), PluginError> {
    if values.len() != days {
        return Err(broken(what, format!("{days} of them"), values.len().to_string()));
    }
    match values.iter().position(|value| !(value.is_finite() && *value >= 0.0)) {
        Some(day) => {
            Err(broken(what, "finite numbers of at least 0", format!("{} on day {}", values[day], day + 1)))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn baseline() -> Baseline {
        let interval = IntervalBounds { level: 0.8, lower: vec![1.0, 2.0], upper: vec![3.0, 4.0] };
        Baseline { start: 0, points: vec![2.0, 3.0], intervals: vec![interval] }
    }

    fn adjusted() -> Adjusted {
        let Baseline { points, intervals, .. } = baseline();
        Adjusted { factors: vec![1.0, 1.0], points, intervals }
    }

    fn refused(change: impl FnOnce(&mut Adjusted)) -> String {
        let mut adjusted = adjusted();
        change(&mut adjusted);
        check(&adjusted, &baseline()).unwrap_err().to_string()
    }

    #[test]
    fn an_answer_within_the_contract_passes() {
        check(&adjusted(), &baseline()).unwrap();
    }

    #[test]
    fn every_break_of_the_contract_is_named() {
        assert!(refused(|a| a.points.truncate(1)).contains("points: expected 2 of them, found 1"));
        assert!(refused(|a| a.points[1] = -1.0).contains("found -1 on day 2"));
        assert!(refused(|a| a.factors[0] = f64::NAN).contains("factors: expected finite"));
        assert!(refused(|a| a.intervals.clear()).contains("expected [0.8], found []"));
        assert!(refused(|a| a.intervals[0].lower[1] = 5.0).contains("found 5 above 4"));
        assert!(refused(|a| a.intervals[0].upper[0] = f64::INFINITY).contains("upper bounds"));
    }
}
