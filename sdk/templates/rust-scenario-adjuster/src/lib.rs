//! `my_model`: one elasticity for the price, one factor for promotions and holidays. Make it yours.

use retailcast_sdk::scenario::{Adjusted, Assumptions, Baseline, ScenarioAdjuster, multiply};
use retailcast_sdk::{Error, Info};

/// Demand rises by about this many per cent when the price falls by one.
const ELASTICITY: f64 = 1.5;
/// Demand in a promotion, and on a holiday.
const PROMOTION: f64 = 1.3;
const HOLIDAY: f64 = 1.2;

/// The adjuster.
pub struct MyModel;

impl ScenarioAdjuster for MyModel {
    const INFO: Info = Info {
        name: "my_model",
        version: env!("CARGO_PKG_VERSION"),
        licence: "Apache-2.0",
        summary: "One elasticity for the price, one factor for promotions and holidays.",
    };

    fn adjust(assumptions: &Assumptions, baseline: &Baseline) -> Result<Adjusted, Error> {
        let days = (baseline.start..).take(baseline.points.len());
        Ok(multiply(baseline, days.map(|day| factor(assumptions, day)).collect()))
    }
}

/// What a day is multiplied by; 1 when nothing is assumed of it.
fn factor(assumptions: &Assumptions, day: i32) -> f64 {
    let mut factor = 1.0;
    if let Some(price) = assumptions.price.filter(|price| price.during.covers(day)) {
        factor *= (1.0 + price.change).powf(-ELASTICITY);
    }
    if assumptions.promotion.is_some_and(|promotion| promotion.during.covers(day)) {
        factor *= PROMOTION;
    }
    if assumptions.holidays.contains(&day) {
        factor *= HOLIDAY;
    }
    factor
}

retailcast_sdk::export!(MyModel as ScenarioAdjuster);

#[cfg(test)]
mod tests {
    use super::*;
    use retailcast_sdk::scenario::{PriceChange, Window};
    use retailcast_sdk::testing::baseline;

    #[test]
    fn half_the_price_sells_more_while_it_lasts() {
        let baseline = baseline(&[10.0, 10.0, 10.0]);
        let during = Window { first: baseline.start + 1, last: baseline.start + 1 };
        let price = Some(PriceChange { change: -0.5, during });
        let adjusted = MyModel::adjust(&Assumptions { price, ..Assumptions::default() }, &baseline).unwrap();
        assert_eq!(adjusted.points[0], 10.0);
        assert!(adjusted.points[1] > 20.0 && adjusted.points[2] == 10.0);
    }
}
