//! `adjust_heuristic`: fixed factors for a planner's assumptions (contract: `scenarios.md`, §5).
//!
//! The numbers are rules of thumb, the same for every product: read the direction of a change, not its size.

use retailcast_sdk::scenario::{
    Adjusted, Assumptions, Baseline, LifeCycleStage, PriceChange, PromotionKind, ScenarioAdjuster, multiply,
};
use retailcast_sdk::{Error, Info};

/// Demand over price in constant-elasticity form: q = p^elasticity.
const PRICE_ELASTICITY: f64 = -1.2;
/// Demand on a holiday.
const HOLIDAY_UPLIFT: f64 = 1.30;
/// No factor, and no product of factors, is below this ...
const LOWEST_FACTOR: f64 = 0.1;
/// ... or above this.
const HIGHEST_FACTOR: f64 = 5.0;

/// The adjuster.
pub struct AdjustHeuristic;

impl ScenarioAdjuster for AdjustHeuristic {
    const INFO: Info = Info {
        name: "adjust_heuristic",
        version: env!("CARGO_PKG_VERSION"),
        licence: "Apache-2.0",
        summary: "Fixed factors for price, promotion, holidays and life cycle.",
    };

    fn adjust(assumptions: &Assumptions, baseline: &Baseline) -> Result<Adjusted, Error> {
        let days = (baseline.start..).take(baseline.points.len());
        Ok(multiply(baseline, days.map(|day| day_factor(assumptions, day)).collect()))
    }
}

/// The factor of one day. The order of the multiplications is part of the contract.
fn day_factor(assumptions: &Assumptions, day: i32) -> f64 {
    let price = assumptions.price.filter(|price| price.during.covers(day)).map_or(1.0, price_factor);
    let promotion = assumptions
        .promotion
        .filter(|promotion| promotion.during.covers(day))
        .map_or(1.0, |promotion| promotion_uplift(promotion.kind));
    let holiday = if assumptions.holidays.contains(&day) { HOLIDAY_UPLIFT } else { 1.0 };
    let life_cycle = assumptions.stage.map_or(1.0, life_cycle_factor);
    within_band(1.0 * price * promotion * holiday * life_cycle)
}

fn price_factor(price: PriceChange) -> f64 {
    let ratio = 1.0 + price.change;
    // A price of nothing has no finite power; demand is taken to be as high as it gets.
    if ratio <= 0.0 { HIGHEST_FACTOR } else { within_band(ratio.powf(PRICE_ELASTICITY)) }
}

fn promotion_uplift(kind: PromotionKind) -> f64 {
    match kind {
        PromotionKind::PctOff => 1.25,
        PromotionKind::Bogo => 1.40,
        PromotionKind::Bundle => 1.15,
        PromotionKind::Markdown => 1.30,
    }
}

fn life_cycle_factor(stage: LifeCycleStage) -> f64 {
    match stage {
        LifeCycleStage::Launch => 1.2,
        LifeCycleStage::Growth => 1.1,
        LifeCycleStage::Maturity => 1.0,
        LifeCycleStage::Decline => 0.85,
    }
}

fn within_band(factor: f64) -> f64 {
    factor.clamp(LOWEST_FACTOR, HIGHEST_FACTOR)
}

retailcast_sdk::export!(AdjustHeuristic as ScenarioAdjuster);

#[cfg(test)]
mod tests;
