//! What a plugin answers is checked before anybody sees it.

use crate::{Forecasts, Phase, PluginError};

/// Checks forecasts of `series` series and `horizon` steps against the contract.
pub(super) fn forecasts(f: &Forecasts, series: usize, horizon: usize) -> Result<(), PluginError> {
    length("number of points", f.points.len(), series * horizon)?;
    length("number of lower bounds", f.lower.len(), f.levels.len() * series * horizon)?;
    length("number of upper bounds", f.upper.len(), f.levels.len() * series * horizon)?;
    levels(&f.levels)?;
    let failed = failed_series(f, series)?;
    for (series, _) in failed.iter().enumerate().filter(|(_, failed)| !**failed) {
        for (step, point) in f.series(series).iter().enumerate() {
            if !point.is_finite() {
                return Err(broken(
                    "finite points",
                    "a finite number for every series that is not listed as failed",
                    format!("{point} at series {series}, step {}", step + 1),
                ));
            }
        }
        intervals(f, failed.len(), series)?;
    }
    Ok(())
}

fn broken(check: &'static str, expected: impl Into<String>, found: impl Into<String>) -> PluginError {
    PluginError::BadResult { phase: Phase::Predict, check, expected: expected.into(), found: found.into() }
}

fn length(check: &'static str, found: usize, expected: usize) -> Result<(), PluginError> {
    if found == expected { Ok(()) } else { Err(broken(check, expected.to_string(), found.to_string())) }
}

fn levels(levels: &[f64]) -> Result<(), PluginError> {
    let ordered = levels.windows(2).all(|pair| pair[0] < pair[1]);
    if ordered && levels.iter().all(|level| *level > 0.0 && *level < 1.0) {
        return Ok(());
    }
    Err(broken("interval levels", "ascending numbers between 0 and 1", format!("{levels:?}")))
}

fn failed_series(f: &Forecasts, series: usize) -> Result<Vec<bool>, PluginError> {
    let mut failed = vec![false; series];
    for failure in &f.failures {
        match failure.series.and_then(|i| failed.get_mut(i as usize)) {
            Some(entry) => *entry = true,
            None => {
                return Err(broken(
                    "failures",
                    format!("the position of a series, 0 to {}", series.saturating_sub(1)),
                    format!("{:?}", failure.series),
                ));
            }
        }
    }
    Ok(failed)
}

/// Every level contains the point and the level before it.
fn intervals(f: &Forecasts, count: usize, series: usize) -> Result<(), PluginError> {
    for step in 0..f.horizon {
        let point = f.points[series * f.horizon + step];
        let (mut inner_low, mut inner_high) = (point, point);
        for (i, level) in f.levels.iter().enumerate() {
            let at = (i * count + series) * f.horizon + step;
            let (low, high) = (f.lower[at], f.upper[at]);
            // Written so that NaN fails.
            let nested = low <= inner_low && inner_high <= high && low.is_finite() && high.is_finite();
            if !nested {
                return Err(broken(
                    "nested intervals",
                    format!("level {level} around {inner_low} .. {inner_high}"),
                    format!("{low} .. {high} at series {series}, step {}", step + 1),
                ));
            }
            (inner_low, inner_high) = (low, high);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{GuestError, GuestErrorCode};

    fn good() -> Forecasts {
        Forecasts {
            horizon: 2,
            points: vec![1.0, 2.0, 3.0, 4.0],
            levels: vec![0.8, 0.95],
            lower: vec![0.5, 1.5, 2.5, 3.5, 0.0, 1.0, 2.0, 3.0],
            upper: vec![1.5, 2.5, 3.5, 4.5, 2.0, 3.0, 4.0, 5.0],
            ..Forecasts::default()
        }
    }

    fn check_of(f: &Forecasts) -> &'static str {
        match forecasts(f, 2, 2) {
            Err(PluginError::BadResult { check, .. }) => check,
            other => panic!("expected a refusal, got {other:?}"),
        }
    }

    #[test]
    fn a_good_result_passes() {
        assert!(forecasts(&good(), 2, 2).is_ok());
    }

    #[test]
    fn every_broken_promise_is_named() {
        assert_eq!(check_of(&Forecasts { points: vec![1.0; 3], ..good() }), "number of points");
        assert_eq!(check_of(&Forecasts { points: vec![1.0, f64::NAN, 3.0, 4.0], ..good() }), "finite points");
        assert_eq!(check_of(&Forecasts { levels: vec![0.95, 0.8], ..good() }), "interval levels");
        assert_eq!(check_of(&Forecasts { lower: vec![0.0; 7], ..good() }), "number of lower bounds");
        let mut crossing = good();
        crossing.upper[4] = 1.2;
        assert_eq!(check_of(&crossing), "nested intervals");
    }

    #[test]
    fn a_failed_series_may_be_nan_and_must_exist() {
        let failure = |series| GuestError {
            code: GuestErrorCode::Numeric,
            message: "overflow".to_owned(),
            series: Some(series),
            details: Vec::new(),
        };
        let mut failed = good();
        failed.points[2..].fill(f64::NAN);
        failed.failures = vec![failure(1)];
        assert!(forecasts(&failed, 2, 2).is_ok());
        failed.failures = vec![failure(7)];
        assert_eq!(check_of(&failed), "failures");
    }
}
