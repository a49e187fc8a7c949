//! Scenario adjusters: a baseline forecast in, the forecast under a planner's assumptions out.

use crate::{Error, Info};

pub use crate::scenario_bindings::exports::retailcast::plugin::adjuster::{
    Adjusted, Assumptions, Baseline, Interval, LifeCycleStage, PriceChange, Promotion, PromotionKind, Window,
};

impl Window {
    /// Whether it covers the day.
    pub fn covers(&self, day: i32) -> bool {
        (self.first..=self.last).contains(&day)
    }
}

impl Default for Assumptions {
    /// Nothing changes.
    fn default() -> Self {
        Self { price: None, promotion: None, holidays: Vec::new(), stage: None }
    }
}

/// A scenario adjuster, the general case.
pub trait ScenarioAdjuster: 'static {
    /// Name, version, licence.
    const INFO: Info;

    /// The forecast under the assumptions. The same call must give the same numbers again.
    fn adjust(assumptions: &Assumptions, baseline: &Baseline) -> Result<Adjusted, Error>;
}

/// The baseline with every day, and the bounds of its intervals, multiplied by a factor and cut at 0: what an adjuster
/// does that knows a factor per day. There must be as many factors as days, each at least 0.
pub fn multiply(baseline: &Baseline, factors: Vec<f64>) -> Adjusted {
    let scaled = |values: &[f64]| -> Vec<f64> {
        values.iter().zip(&factors).map(|(value, factor)| (value * factor).max(0.0)).collect()
    };
    let interval = |interval: &Interval| Interval {
        level: interval.level,
        lower: scaled(&interval.lower),
        upper: scaled(&interval.upper),
    };
    let (points, intervals) = (scaled(&baseline.points), baseline.intervals.iter().map(interval).collect());
    Adjusted { factors, points, intervals }
}

/// What [`export!`](crate::export) asks of a type.
#[doc(hidden)]
pub fn is_a_scenario_adjuster<A: ScenarioAdjuster>() {}

/// Exports a [`ScenarioAdjuster`] as a component. One per crate.
#[doc(hidden)]
#[macro_export]
macro_rules! __export_scenario_adjuster {
    ($adjuster:ty) => {
        // Also natively, where there are no exports: what is wrong is said by the first `cargo check`.
        const _: fn() = $crate::scenario::is_a_scenario_adjuster::<$adjuster>;

        // Only a component has exports; natively the adjuster is tested through its trait.
        #[cfg(target_arch = "wasm32")]
        #[allow(unsafe_code, missing_docs, clippy::all)]
        mod component_exports {
            use super::*;

            struct Component;

            impl $crate::description_bindings::exports::retailcast::plugin::plugin::Guest for Component {
                fn describe() -> $crate::component::WitDescription {
                    $crate::component::describe_unconfigured(
                        &<$adjuster as $crate::scenario::ScenarioAdjuster>::INFO,
                        $crate::component::WitKind::ScenarioAdjuster,
                    )
                }
            }

            impl $crate::scenario_bindings::exports::retailcast::plugin::adjuster::Guest for Component {
                fn adjust(
                    assumptions: $crate::scenario::Assumptions,
                    baseline: $crate::scenario::Baseline,
                ) -> Result<$crate::scenario::Adjusted, $crate::component::WitError> {
                    <$adjuster as $crate::scenario::ScenarioAdjuster>::adjust(&assumptions, &baseline)
                        .map_err(Into::into)
                }
            }

            $crate::description_bindings::export_description!(Component with_types_in $crate::description_bindings);
            $crate::scenario_bindings::export_adjuster!(Component with_types_in $crate::scenario_bindings);
        }
    };
}
