//! What a plugin answers is checked before anybody sees it.

use crate::{Forecasts, Phase, PluginError};

/// Checks forecasts of `series` series and `horizon` steps against the contract, and blanks those of failed series.
/// `intervals` is what the requirements promised, when somebody asked.
pub(super) fn forecasts(
    f: &mut Forecasts,
    series: usize,
    horizon: usize,
    intervals: Option<bool>,
) -> Result<(), PluginError> {
    length("number of points", f.points.len(), series * horizon)?;
    length("number of lower bounds", f.lower.len(), f.levels.len() * series * horizon)?;
    length("number of upper bounds", f.upper.len(), f.levels.len() * series * horizon)?;
    levels(&f.levels)?;
    fallbacks(f, series)?;
    let failed = failed_series(f, series)?;
    // Where nothing is forecast, there is nothing to put an interval around.
    if !failed.iter().all(|failed| *failed) {
        promise(&f.levels, intervals)?;
    }
    for series in (0..series).filter(|series| !failed[*series]) {
        for (step, point) in f.series(series).iter().enumerate() {
            if !point.is_finite() {
                return Err(broken(
                    "finite points",
                    "a finite number for every series that is not listed as failed",
                    format!("{point} at series {series}, step {}", step + 1),
                ));
            }
        }
        nested(f, failed.len(), series)?;
    }
    blank(f, &failed);
    Ok(())
}

/// Whatever stands there for a failed series, nobody can take it for a forecast.
fn blank(f: &mut Forecasts, failed: &[bool]) {
    let Forecasts { horizon, points, lower, upper, .. } = f;
    for column in [points, lower, upper] {
        let rows = column.chunks_mut((*horizon).max(1)).zip(failed.iter().cycle());
        rows.filter(|(_, failed)| **failed).for_each(|(row, _)| row.fill(f64::NAN));
    }
}

fn broken(check: &'static str, expected: impl Into<String>, found: impl Into<String>) -> PluginError {
    PluginError::BadResult { phase: Phase::Predict, check, expected: expected.into(), found: found.into() }
}

fn length(check: &'static str, found: usize, expected: usize) -> Result<(), PluginError> {
    if found == expected { Ok(()) } else { Err(broken(check, expected.to_string(), found.to_string())) }
}

fn promise(levels: &[f64], intervals: Option<bool>) -> Result<(), PluginError> {
    match intervals {
        Some(true) if levels.is_empty() => {
            Err(broken("promised intervals", "at least one: the requirements say `intervals: true`", "none"))
        }
        Some(false) if !levels.is_empty() => Err(broken(
            "promised intervals",
            "none: the requirements say `intervals: false`",
            format!("{levels:?}"),
        )),
        _ => Ok(()),
    }
}

fn levels(levels: &[f64]) -> Result<(), PluginError> {
    let ordered = levels.windows(2).all(|pair| pair[0] < pair[1]);
    if ordered && levels.iter().all(|level| *level > 0.0 && *level < 1.0) {
        return Ok(());
    }
    Err(broken("interval levels", "ascending numbers between 0 and 1", format!("{levels:?}")))
}

fn position(series: usize) -> String {
    format!("the position of a series, 0 to {}", series.saturating_sub(1))
}

fn fallbacks(f: &Forecasts, series: usize) -> Result<(), PluginError> {
    match f.fallbacks.iter().find(|(at, _)| *at as usize >= series) {
        None => Ok(()),
        Some((at, method)) => Err(broken("fallbacks", position(series), format!("{at} (`{method}`)"))),
    }
}

fn failed_series(f: &Forecasts, series: usize) -> Result<Vec<bool>, PluginError> {
    let mut failed = vec![false; series];
    for failure in &f.failures {
        let Some(entry) = failure.series.and_then(|at| failed.get_mut(at as usize)) else {
            let found = failure.series.map_or_else(|| "none".to_owned(), |at| at.to_string());
            return Err(broken("failures", position(series), found));
        };
        *entry = true;
    }
    Ok(failed)
}

/// Every level contains the point and the level before it.
fn nested(f: &Forecasts, count: usize, series: usize) -> Result<(), PluginError> {
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

    fn without_intervals() -> Forecasts {
        Forecasts { levels: Vec::new(), lower: Vec::new(), upper: Vec::new(), ..good() }
    }

    fn check_of(f: &Forecasts) -> &'static str {
        check_as_promised(f, None)
    }

    fn check_as_promised(f: &Forecasts, intervals: Option<bool>) -> &'static str {
        match forecasts(&mut f.clone(), 2, 2, intervals) {
            Err(PluginError::BadResult { check, .. }) => check,
            other => panic!("expected a refusal, got {other:?}"),
        }
    }

    #[test]
    fn a_good_result_passes() {
        assert!(forecasts(&mut good(), 2, 2, None).is_ok());
        assert!(forecasts(&mut good(), 2, 2, Some(true)).is_ok());
        assert!(forecasts(&mut without_intervals(), 2, 2, Some(false)).is_ok());
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
        assert_eq!(check_of(&Forecasts { fallbacks: vec![(2, "naive".to_owned())], ..good() }), "fallbacks");
    }

    #[test]
    fn intervals_are_given_when_they_were_promised_and_only_then() {
        assert_eq!(check_as_promised(&good(), Some(false)), "promised intervals");
        assert_eq!(check_as_promised(&without_intervals(), Some(true)), "promised intervals");
        assert!(forecasts(&mut without_intervals(), 2, 2, None).is_ok());
    }

    #[test]
    fn a_failed_series_must_exist_and_has_no_forecast() {
        let failure = |series| GuestError {
            code: GuestErrorCode::Numeric,
            message: "overflow".to_owned(),
            series: Some(series),
            details: Vec::new(),
        };
        let mut failed = good();
        failed.failures = vec![failure(1)];
        failed.points[2] = f64::INFINITY;
        forecasts(&mut failed, 2, 2, None).unwrap();
        assert_eq!(failed.series(0), [1.0, 2.0]);
        assert!(failed.series(1).iter().all(|point| point.is_nan()));
        let nan = |bounds: &[f64]| bounds.iter().map(|bound| bound.is_nan()).collect::<Vec<_>>();
        let second = [false, false, true, true, false, false, true, true];
        assert_eq!((nan(&failed.lower), nan(&failed.upper)), (second.to_vec(), second.to_vec()));
        failed.failures = vec![failure(7)];
        assert_eq!(check_of(&failed), "failures");
    }
}
