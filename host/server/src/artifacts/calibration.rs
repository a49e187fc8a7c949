//! Prediction intervals as a model file keeps them.

use retailcast_core::conformal::interval;
use serde::{Deserialize, Serialize};

/// How far intervals reach around the forecasts of a model, by level and step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// In percent, ascending.
    pub levels: Vec<f64>,
    /// `radii[level][step]`, in units; the same steps for every level, at least one.
    pub radii: Vec<Vec<f64>>,
    /// Past errors per step that they rest on.
    pub errors_per_step: usize,
}

impl Calibration {
    /// Level, lower and upper bound of every interval around the forecast of a step (from 0), narrowest first. A step
    /// beyond the last one has the radius of that.
    pub fn intervals(&self, step: usize, forecast: f64) -> impl Iterator<Item = (f64, f64, f64)> {
        self.levels.iter().zip(&self.radii).filter_map(move |(level, radii)| {
            let radius = radii.get(step).or(radii.last())?;
            let (lower, upper) = interval(forecast, *radius);
            Some((*level, lower, upper))
        })
    }

    /// What is wrong with it, if anything.
    pub(super) fn fault(&self) -> Option<&'static str> {
        let steps = self.radii.first().map_or(0, Vec::len);
        let ascending = |numbers: &[f64]| numbers.windows(2).all(|pair| pair[0] < pair[1]);
        if steps == 0 || self.levels.len() != self.radii.len() || self.radii.iter().any(|r| r.len() != steps)
        {
            return Some("its calibration has not one radius per level and step");
        }
        if !ascending(&self.levels)
            || self.radii.iter().flatten().any(|radius| !(0.0..f64::MAX).contains(radius))
        {
            return Some("its calibration has levels out of order or a radius that is none");
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn calibration() -> Calibration {
        Calibration {
            levels: vec![80.0, 95.0],
            radii: vec![vec![1.0, 2.0], vec![1.5, 4.0]],
            errors_per_step: 60,
        }
    }

    #[test]
    fn beyond_the_last_step_its_radius_holds() {
        let at = |step| calibration().intervals(step, 10.0).collect::<Vec<_>>();
        assert_eq!(at(0), [(80.0, 9.0, 11.0), (95.0, 8.5, 11.5)]);
        assert_eq!(at(1), [(80.0, 8.0, 12.0), (95.0, 6.0, 14.0)]);
        assert_eq!(at(89), at(1));
    }

    #[test]
    fn nonsense_is_found() {
        assert_eq!(calibration().fault(), None);
        let with = |change: fn(&mut Calibration)| {
            let mut changed = calibration();
            change(&mut changed);
            changed.fault()
        };
        for change in [
            (|c| c.radii.clear()) as fn(&mut Calibration),
            |c| c.radii.truncate(1),
            |c| c.radii[1].truncate(1),
            |c| c.levels.reverse(),
            |c| c.radii[0][0] = -1.0,
            |c| c.radii[0][0] = f64::NAN,
            |c| c.radii[0][0] = f64::INFINITY,
        ] {
            assert!(with(change).is_some());
        }
    }

    proptest! {
        #[test]
        fn intervals_are_nested_and_hold_the_forecast(
            narrow in proptest::collection::vec(0.0..100.0_f64, 1..20), forecast in -5.0..100.0_f64, step in 0_usize..90,
        ) {
            let wide = narrow.iter().map(|radius| radius * 1.5).collect();
            let calibration = Calibration { levels: vec![50.0, 90.0], radii: vec![narrow, wide], errors_per_step: 30 };
            let found: Vec<_> = calibration.intervals(step, forecast).collect();
            prop_assert!(found[1].1 <= found[0].1 && found[0].2 <= found[1].2);
            for (_, lower, upper) in found {
                prop_assert!(lower <= forecast && forecast <= upper);
                prop_assert!(lower >= 0.0 || lower >= forecast);
            }
        }
    }
}
