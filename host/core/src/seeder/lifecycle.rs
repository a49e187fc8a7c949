//! Stages of a product's life (`seeder.md` §7.2).

use super::Product;
use crate::Day;

/// A stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Just launched.
    Intro,
    /// Wanted more and more.
    Growth,
    /// At its level.
    Maturity,
    /// Wanted less and less.
    Decline,
    /// Not on the shelf: no longer, or not yet.
    Discontinued,
}

/// Ages in days at which intro, growth and maturity end.
const INTRO: i32 = 30;
const GROWTH: i32 = 90;
const MATURITY: i32 = 270;
/// Demand on the day of launch.
const INTRO_FLOOR: f64 = 0.1;
/// Days after which 1/e of the demand is left.
const DECLINE_DAYS: f64 = 90.0;
/// What demand declines to.
const DECLINE_FLOOR: f64 = 0.0;

/// Stage and demand factor of a product on a day.
pub fn stage(product: &Product, day: Day) -> (Stage, f64) {
    let Some(launch) = product.launch else { return (Stage::Maturity, 1.0) };
    let age = day - launch;
    if age < 0 || product.discontinue.is_some_and(|end| day >= end) {
        return (Stage::Discontinued, 0.0);
    }
    match age {
        ..INTRO => (Stage::Intro, INTRO_FLOOR + (1.0 - INTRO_FLOOR) * f64::from(age) / f64::from(INTRO)),
        INTRO..GROWTH => (Stage::Growth, 1.0),
        GROWTH..MATURITY => (Stage::Maturity, 1.0),
        _ => {
            let fading = (-f64::from(age - MATURITY) / DECLINE_DAYS).exp();
            (Stage::Decline, DECLINE_FLOOR + (1.0 - DECLINE_FLOOR) * fading)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn product(launch: Option<i32>, discontinue: Option<i32>) -> Product {
        Product { id: 1, base_price: None, launch: launch.map(Day), discontinue: discontinue.map(Day) }
    }

    #[test]
    fn the_table_of_the_contract() {
        let living = product(Some(0), Some(400));
        for (day, expected, factor) in [
            (-1, Stage::Discontinued, 0.0),
            (0, Stage::Intro, 0.1),
            (15, Stage::Intro, 0.55),
            (29, Stage::Intro, 0.97),
            (30, Stage::Growth, 1.0),
            (89, Stage::Growth, 1.0),
            (90, Stage::Maturity, 1.0),
            (269, Stage::Maturity, 1.0),
            (270, Stage::Decline, 1.0),
            (360, Stage::Decline, (-1.0_f64).exp()),
            (400, Stage::Discontinued, 0.0),
            (401, Stage::Discontinued, 0.0),
        ] {
            let (found, value) = stage(&living, Day(day));
            assert_eq!(found, expected, "day {day}");
            assert!((value - factor).abs() < 1e-12, "day {day}: {value}");
        }
        assert_eq!(stage(&product(None, Some(0)), Day(5)), (Stage::Maturity, 1.0));
    }

    proptest! {
        #[test]
        fn demand_rises_then_falls_and_stays_a_share(age in 0..2_000_i32) {
            let living = product(Some(0), None);
            let ((_, today), (_, tomorrow)) = (stage(&living, Day(age)), stage(&living, Day(age + 1)));
            prop_assert!((0.0..=1.0).contains(&today));
            if age < 269 { prop_assert!(tomorrow >= today) } else { prop_assert!(tomorrow <= today) }
        }
    }
}
