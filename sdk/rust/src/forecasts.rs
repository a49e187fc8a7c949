//! The result of a prediction.

use crate::Error;

/// Forecasts of n series and h steps, flat: `series * h + step`. Start with [`Forecasts::new`] and add one
/// series after the other.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Forecasts {
    horizon: usize,
    /// Point forecasts, n * h.
    pub points: Vec<f64>,
    /// Interval levels, ascending, each between 0 and 1; empty without intervals.
    pub levels: Vec<f64>,
    /// Lower bounds, level after level: `(level * n + series) * h + step`.
    pub lower: Vec<f64>,
    /// Upper bounds, the same layout.
    pub upper: Vec<f64>,
    /// Series without a forecast, each with its position and reason; their points are NaN.
    pub failures: Vec<Error>,
    /// Series answered by another method, with its name.
    pub fallbacks: Vec<(u32, String)>,
}

impl Forecasts {
    /// Room for this many series and steps.
    pub fn new(series: usize, horizon: usize) -> Self {
        Self { horizon, points: Vec::with_capacity(series * horizon), ..Self::default() }
    }

    /// Adds the points of the next series, or why it has none. Points that are not numbers fail their series alone; the
    /// host would refuse the whole answer.
    pub fn push(&mut self, outcome: Result<Vec<f64>, Error>) {
        let series = (self.points.len() / self.horizon.max(1)) as u32;
        match outcome {
            Ok(points) if points.len() == self.horizon => {
                match points.iter().find(|point| !point.is_finite()) {
                    None => self.points.extend(points),
                    Some(point) => self.fail(series, Error::numeric(format!("the forecast is {point}"))),
                }
            }
            Ok(points) => self.fail(
                series,
                Error::new(
                    crate::ErrorCode::Other,
                    format!("the model gave {} points for a horizon of {}", points.len(), self.horizon),
                ),
            ),
            Err(e) => self.fail(series, e),
        }
    }

    fn fail(&mut self, series: u32, error: Error) {
        self.points.extend(std::iter::repeat_n(f64::NAN, self.horizon));
        self.failures.push(error.for_series(series));
    }
}

impl From<Forecasts> for crate::bindings::exports::retailcast::plugin::forecaster::Forecasts {
    fn from(f: Forecasts) -> Self {
        Self {
            points: f.points,
            levels: f.levels,
            lower: f.lower,
            upper: f.upper,
            failures: f.failures.into_iter().map(Into::into).collect(),
            fallbacks: f.fallbacks,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_series_does_not_fail_the_others() {
        let mut forecasts = Forecasts::new(4, 2);
        forecasts.push(Ok(vec![1.0, 2.0]));
        forecasts.push(Err(Error::numeric("overflow")));
        forecasts.push(Ok(vec![3.0]));
        forecasts.push(Ok(vec![3.0, f64::INFINITY]));
        assert_eq!(forecasts.points.len(), 8);
        assert_eq!(forecasts.points[..2], [1.0, 2.0]);
        assert!(forecasts.points[2..].iter().all(|p| p.is_nan()));
        assert_eq!(
            forecasts.failures.iter().map(|f| f.series).collect::<Vec<_>>(),
            [Some(1), Some(2), Some(3)]
        );
    }
}
