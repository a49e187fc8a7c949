//! A good scenario adjuster with one fault. The good form `prints` writes a line to standard error with every answer.
//!
//! The exports are written out and not made by the SDK's macro, whose description is a constant: one fault changes it.

#![allow(missing_docs, reason = "exports of a component have no readers")]

use retailcast_guest_fault::{clock, fault, has, overdo};
use retailcast_sdk::scenario::{Adjusted, Assumptions, Baseline, LifeCycleStage, Window, multiply};
use retailcast_sdk::{Error, Info};

pub const INFO: Info = Info {
    name: "mutant_adjuster",
    version: "7.7.7",
    licence: "LicenseRef-Mutant",
    summary: "Factors of a planner's assumptions, with one fault.",
};

pub struct Component;

/// Whether a window covers a day; one day too many with the fault `leaks`.
fn covers(during: Window, day: i32) -> bool {
    during.covers(day) || (has("leaks") && day == during.last + 1)
}

fn price_factor(change: f64) -> f64 {
    let factor = (1.0 / (1.0 + change)).clamp(0.1, 5.0);
    if has("dearer-sells-more") { 1.0 / factor } else { factor }
}

fn factor(assumptions: &Assumptions, day: i32) -> f64 {
    let price =
        assumptions.price.filter(|price| covers(price.during, day)).map_or(1.0, |p| price_factor(p.change));
    let promoted = assumptions.promotion.is_some_and(|promotion| covers(promotion.during, day));
    let holiday = match fault() {
        "first-holiday" => assumptions.holidays.first() == Some(&day),
        _ => assumptions.holidays.contains(&day),
    };
    let stage = match assumptions.stage {
        Some(LifeCycleStage::Launch | LifeCycleStage::Growth) => 1.1,
        Some(LifeCycleStage::Decline) => 0.9,
        _ => 1.0,
    };
    let base = match fault() {
        "optimist" => 1.01,
        "by-clock" => 1.0 + (clock() % 86_400) as f64 / 1e6,
        _ => 1.0,
    };
    base * price * if promoted { 1.2 } else { 1.0 } * if holiday { 1.1 } else { 1.0 } * stage
}

pub fn adjust(assumptions: &Assumptions, baseline: &Baseline) -> Result<Adjusted, Error> {
    overdo();
    if has("prints") {
        eprintln!("{} days", baseline.points.len());
    }
    assert!(!(has("panic-on-promotion") && assumptions.promotion.is_some()), "no promotion, please");
    if let Some(price) = assumptions.price
        && has("panic-on-past")
    {
        assert!(price.during.last >= baseline.start, "the window is over");
    }
    let days = (baseline.start..).take(baseline.points.len());
    let mut adjusted = multiply(baseline, days.map(|day| factor(assumptions, day)).collect());
    match fault() {
        "short" => {
            adjusted.points.pop();
        }
        "negative" => adjusted.points[0] = -1.0,
        "crossing" => {
            for level in &mut adjusted.intervals {
                std::mem::swap(&mut level.lower, &mut level.upper);
            }
        }
        "huge" => adjusted.factors = vec![1.0; 1 << 20],
        _ => {}
    }
    Ok(adjusted)
}

#[cfg(target_arch = "wasm32")]
#[allow(unsafe_code, clippy::all)]
mod component_exports {
    use retailcast_guest_fault::described;
    use retailcast_sdk::component::{WitDescription, WitError, WitKind, describe_unconfigured};

    use super::*;

    impl retailcast_sdk::description_bindings::exports::retailcast::plugin::plugin::Guest for Component {
        fn describe() -> WitDescription {
            described(describe_unconfigured(&INFO, WitKind::ScenarioAdjuster))
        }
    }

    impl retailcast_sdk::scenario_bindings::exports::retailcast::plugin::adjuster::Guest for Component {
        fn adjust(assumptions: Assumptions, baseline: Baseline) -> Result<Adjusted, WitError> {
            super::adjust(&assumptions, &baseline).map_err(Into::into)
        }
    }

    retailcast_sdk::description_bindings::export_description!(Component with_types_in retailcast_sdk::description_bindings);
    retailcast_sdk::scenario_bindings::export_adjuster!(Component with_types_in retailcast_sdk::scenario_bindings);
}
