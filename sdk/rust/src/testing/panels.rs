//! Panels for property-based tests (feature `proptest`), and a law to hold them against.
//!
//! ```toml
//! [dev-dependencies]
//! proptest = "1"
//! retailcast-sdk = { path = "vendor/retailcast/sdk/rust", features = ["proptest"] }
//! ```

use std::ops::RangeInclusive;

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, prop_oneof};

use super::{Panel, fit_predict};
use crate::ForecastModel;

/// Panels of so many series with so many days: steady ones, intermittent ones, constants, zeros, huge and negative values.
pub fn panels(series: RangeInclusive<usize>, days: RangeInclusive<usize>) -> impl Strategy<Value = Panel> {
    vec(one(days), series).prop_map(|panel| {
        let series: Vec<&[f64]> = panel.iter().map(Vec::as_slice).collect();
        Panel::of(&series)
    })
}

fn one(days: RangeInclusive<usize>) -> impl Strategy<Value = Vec<f64>> {
    let count = || (0_u32..500).prop_map(f64::from);
    let rare = prop_oneof![9 => Just(0.0), 1 => count()];
    prop_oneof![
        4 => vec(count(), days.clone()),
        2 => vec(rare, days.clone()),
        1 => (count(), days.clone()).prop_map(|(value, days)| vec![value; days]),
        1 => vec(-1e12..1e12, days),
    ]
}

/// Demands of a local model that every series alone is forecast as in the panel, bit for bit, and that a series which
/// has no forecast there has none alone.
///
/// # Panics
/// When the law does not hold.
pub fn assert_alone_as_together<M: ForecastModel>(config: &str, panel: &Panel, horizon: usize) {
    use crate::TrainingData;
    let together = fit_predict::<M>(config, panel, &panel.future(horizon)).expect("a panel is fitted");
    for series in 0..panel.series_count() {
        let own = panel.only(series);
        let points = match fit_predict::<M>(config, &own, &own.future(horizon)) {
            Ok(alone) => alone.points,
            Err(_) => vec![f64::NAN; horizon],
        };
        let bits = |points: &[f64]| points.iter().map(|point| point.to_bits()).collect::<Vec<_>>();
        let among = &together.points[series * horizon..(series + 1) * horizon];
        let both_failed = points.iter().chain(among).all(|point| point.is_nan());
        assert!(
            both_failed || bits(&points) == bits(among),
            "series {series}: {points:?} alone, {among:?} among others"
        );
    }
}
