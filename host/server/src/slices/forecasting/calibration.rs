//! Prediction intervals for any model: it is fitted anew at past origins of the training window, and what it was wrong
//! by on the days behind them says how far off it is to be expected. Method and limits: `docs/intervals.md`.

use std::sync::Arc;

use retailcast_core::Day;
use retailcast_core::config_schema::NormalisedConfig;
use retailcast_core::conformal::{self, Coverage, OriginConfig, Trial, errors_needed};
use retailcast_core::frame::{RowInputs, tail};
use retailcast_runtime::{Call, ForecastModel, ForecastSession, Input, PluginError, Requirements};

use super::error::{ForecastError, plugin_error};
use super::panel::{self, Ahead, History};
use super::service::present;
use crate::artifacts::Calibration;

/// Most origins of a model that reads a table: a fit takes it about 0.1 s, and 95 % needs 19 errors. Models that read the
/// series alone are fitted in a few µs, at every origin.
const TABLE_ORIGINS: usize = 20;

/// Which intervals a model is to be trained with.
#[derive(Debug, Clone, PartialEq)]
pub struct CalibrationRequest {
    /// In percent, ascending, each once.
    pub levels: Vec<f64>,
    /// Steps ahead that get a radius of their own.
    pub horizon: usize,
    /// Past windows wanted, one a row; a short history gives fewer.
    pub n_windows: usize,
}

/// The intervals of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibrated {
    /// Steps ahead.
    pub horizon: usize,
    /// Past errors per step.
    pub errors_per_step: usize,
    /// Level by level, narrowest first.
    pub levels: Vec<CalibratedLevel>,
    /// What to know before relying on them.
    pub warning: Option<String>,
}

/// The intervals of one level.
#[derive(Debug, Clone, PartialEq)]
pub struct CalibratedLevel {
    /// In percent.
    pub level: f64,
    /// How far they reach around the forecast of each step, in units.
    pub radii: Vec<f64>,
    /// How they did at past origins that were left out of them, see [`conformal::held_out`].
    pub held_out: Coverage,
}

impl Calibrated {
    /// What a forecast needs of it.
    pub(super) fn to_keep(&self) -> Calibration {
        Calibration {
            levels: self.levels.iter().map(|level| level.level).collect(),
            radii: self.levels.iter().map(|level| level.radii.clone()).collect(),
            errors_per_step: self.errors_per_step,
        }
    }
}

impl CalibrationRequest {
    /// How to go about it with this many rows of history.
    pub(super) fn trial(
        &self,
        model_type: &str,
        requirements: &Requirements,
        rows: usize,
    ) -> Result<Trials, ForecastError> {
        let most = match requirements.input {
            Input::Series => self.n_windows,
            Input::Table { .. } => TABLE_ORIGINS,
        };
        let config = OriginConfig {
            min_history: requirements.min_history.max(1),
            horizon: self.horizon,
            n_windows: self.n_windows,
            most,
        };
        let origins = conformal::origins(rows, &config);
        if origins.is_empty() {
            return Err(ForecastError::ShortCalibration {
                model_type: model_type.to_owned(),
                min_history: config.min_history,
                wanted: self.clone(),
                found: rows,
            });
        }
        Ok(Trials { wanted: self.clone(), config, origins })
    }
}

/// Why there is no window to calibrate on, and what would give one.
pub(super) fn too_short(
    model_type: &str,
    min_history: usize,
    wanted: &CalibrationRequest,
    found: usize,
) -> String {
    let CalibrationRequest { horizon, n_windows, .. } = wanted;
    let one = min_history + horizon;
    let mut text = format!(
        "calibration needs {min_history} observations for {model_type} and {horizon} behind them for its horizon: \
         {one} for one window ({} for all {n_windows}), found {found}",
        one + n_windows - 1,
    );
    match found.saturating_sub(min_history) {
        0 => text += "; no horizon is short enough, more history is needed",
        most => text += &format!("; it would fit with horizon at most {most}"),
    }
    text
}

/// The past origins to forecast from. There is one at least.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Trials {
    wanted: CalibrationRequest,
    config: OriginConfig,
    origins: Vec<usize>,
}

impl Trials {
    /// Forecasts from all origins, in one instance of the plugin that is not the one of the model itself.
    pub(super) fn run(
        &self,
        model: &dyn ForecastModel,
        config: &NormalisedConfig,
        input: &Input,
        history: &History,
        call: &Call,
    ) -> Result<Calibrated, ForecastError> {
        let last_known = |origin: usize| history.series.days[origin - 1];
        // Its present is that of the first origin, so that none sees days to come.
        let call = Call { now: present(last_known(self.origins[0])), ..call.clone() };
        let fail = |origin: usize, error| ForecastError::Calibration {
            origin: last_known(origin),
            source: Box::new(plugin_error(&model.description().name, error)),
        };
        let mut session = model.session(&call).map_err(|error| fail(self.origins[0], error))?;
        let config = config.json();
        let mut trials = Vec::with_capacity(self.origins.len());
        for origin in &self.origins {
            let trial = attempt(&mut *session, &config, input, history, *origin, self.wanted.horizon, &call);
            trials.push(trial.map_err(|error| fail(*origin, error))?);
        }
        Ok(self.calibrate(&trials, input))
    }

    fn calibrate(&self, trials: &[Trial], input: &Input) -> Calibrated {
        let levels: Vec<f64> = self.wanted.levels.iter().map(|percent| percent / 100.0).collect();
        let calibration = conformal::residuals(trials)
            .calibrate(&levels)
            .expect("there is an origin, and it has an error for every step");
        let held_out = conformal::held_out(trials, &levels);
        let levels = self.wanted.levels.iter().zip(calibration.radii).zip(held_out);
        Calibrated {
            horizon: self.wanted.horizon,
            errors_per_step: trials.len(),
            levels: levels
                .map(|((level, radii), held_out)| CalibratedLevel { level: *level, radii, held_out })
                .collect(),
            warning: self.warning(input),
        }
    }

    /// Levels that need more errors than there are, and what would give them.
    fn warning(&self, input: &Input) -> Option<String> {
        let found = self.origins.len();
        let needed = |level: &f64| errors_needed(level / 100.0);
        let short: Vec<&f64> = self.wanted.levels.iter().filter(|level| needed(level) > found).collect();
        let widest = short.last()?;
        let names: Vec<String> = short.iter().map(|level| format!("{level} %")).collect();
        let remedy = match input {
            Input::Table { .. } if needed(widest) > TABLE_ORIGINS => {
                format!("models that read feature columns are fitted at {TABLE_ORIGINS} past origins at most")
            }
            _ => {
                let OriginConfig { min_history, horizon, .. } = self.config;
                format!(
                    "{} windows would do, n_windows is {}; they take {} observations",
                    needed(widest),
                    self.wanted.n_windows,
                    min_history + horizon + needed(widest) - 1,
                )
            }
        };
        Some(format!(
            "{} need{} {} errors per step, there are {found}: such intervals are the largest error and hold about \
             {:.1} % of the days; {remedy}",
            names.join(" and "),
            if names.len() == 1 { "s" } else { "" },
            short.iter().map(|level| needed(level).to_string()).collect::<Vec<_>>().join(" and "),
            100.0 * found as f64 / (found + 1) as f64,
        ))
    }
}

/// One forecast from the past.
fn attempt(
    session: &mut dyn ForecastSession,
    config: &str,
    input: &Input,
    history: &History,
    origin: usize,
    horizon: usize,
    call: &Call,
) -> Result<Trial, PluginError> {
    let known = History { series: history.series.first(origin), exogenous: history.exogenous.clone() };
    let fitted = session.fit(config, Arc::new(panel::training_set(input, &[&known], &call.cancel)?))?;
    let ahead = ahead(input, history, origin, horizon);
    let forecasts = panel::predict(session, fitted, input, &[ahead], horizon)?;
    session.release(fitted)?;
    if let Some(failure) = forecasts.failures.into_iter().next() {
        return Err(PluginError::Guest(failure));
    }
    let actual = history.series.quantity[origin..origin + horizon].to_vec();
    Ok(Trial { origin, forecast: forecasts.points, actual })
}

/// The rows behind an origin as a forecast would see them from there: recorded promotions and holidays, the baseline
/// price, no quantity.
fn ahead(input: &Input, history: &History, origin: usize, horizon: usize) -> Ahead {
    let series = &history.series;
    let start: Day = series.days[origin - 1] + 1;
    match input {
        Input::Series => Ahead::bare(start),
        Input::Table { features, .. } => {
            let row =
                |i| RowInputs { price_factor: 1.0, ..RowInputs::recorded(series, &history.exogenous, i) };
            Ahead {
                start: series.days[origin],
                tail: tail(features, &series.quantity[..origin]).to_vec(),
                gap: 0,
                rows: (origin..origin + horizon).map(row).collect(),
                statics: history.exogenous.statics,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use retailcast_core::frame::{Exogenous, Feature};
    use retailcast_core::{MissingDays, Observation, Series};
    use retailcast_runtime::CancelToken;
    use retailcast_runtime::{Scope, ShortLags};

    fn request(levels: &[f64], horizon: usize, n_windows: usize) -> CalibrationRequest {
        CalibrationRequest { levels: levels.to_vec(), horizon, n_windows }
    }

    fn table() -> Input {
        Input::Table { features: vec![Feature::Lag(1), Feature::PriceFactor], short_lags: ShortLags::Direct }
    }

    fn needs(input: Input, min_history: usize) -> Requirements {
        Requirements { min_history, input, scope: Scope::Local, intervals: false, exogenous: false }
    }

    #[test]
    fn too_little_history_says_how_much_would_do() {
        let refusal = |rows| {
            let error = request(&[80.0], 14, 60).trial("regression", &needs(table(), 30), rows).unwrap_err();
            error.to_string()
        };
        assert_eq!(
            refusal(43),
            "calibration needs 30 observations for regression and 14 behind them for its horizon: 44 for one window \
             (103 for all 60), found 43; it would fit with horizon at most 13"
        );
        assert!(refusal(30).ends_with("more history is needed"));
        assert!(request(&[80.0], 13, 60).trial("regression", &needs(table(), 30), 43).is_ok());
    }

    #[test]
    fn models_that_read_a_table_are_fitted_at_some_of_the_origins() {
        let count = |input| {
            let trials = request(&[80.0], 14, 60).trial("x", &needs(input, 30), 400).unwrap();
            trials.origins.len()
        };
        assert_eq!((count(Input::Series), count(table())), (60, TABLE_ORIGINS));
    }

    #[test]
    fn a_level_with_too_few_errors_is_warned_of() {
        let warning = |levels: &[f64], n_windows, input: Input| {
            let trials = request(levels, 14, n_windows).trial("x", &needs(input.clone(), 30), 400).unwrap();
            trials.warning(&input)
        };
        assert_eq!(warning(&[80.0, 95.0], 19, Input::Series), None);
        assert_eq!(warning(&[80.0, 95.0], 60, table()), None);
        assert_eq!(
            warning(&[80.0, 95.0], 18, Input::Series).unwrap(),
            "95 % needs 19 errors per step, there are 18: such intervals are the largest error and hold about 94.7 % \
             of the days; 19 windows would do, n_windows is 18; they take 62 observations"
        );
        let capped = warning(&[80.0, 97.5, 99.0], 60, table()).unwrap();
        assert!(
            capped.starts_with("97.5 % and 99 % need 39 and 99 errors per step, there are 20"),
            "{capped}"
        );
        assert!(capped.ends_with("at 20 past origins at most"), "{capped}");
    }

    #[test]
    fn a_past_forecast_sees_the_plan_and_neither_prices_nor_sales_of_its_days() {
        let history = |changed: bool| {
            let later = |i: i32, value: f64| if changed && i >= 30 { 99.0 } else { value };
            let row = |i: i32| Observation { day: Day(i), quantity: later(i, f64::from(i)), unit_price: 2.0 };
            let rows: Vec<Observation> = (0..50).map(row).collect();
            let series = Series::build(&rows, Day(49), MissingDays::Zero).unwrap();
            let series = Series { unit_price: (0..50).map(|i| later(i, 2.0)).collect(), ..series };
            let exogenous = Exogenous { promotions: vec![(Day(33), Day(33))], ..Exogenous::default() };
            History { series, exogenous }
        };
        let seen = ahead(&table(), &history(false), 30, 14);
        assert_eq!((seen.start, seen.rows.len(), seen.tail.last()), (Day(30), 14, Some(&29.0)));
        assert!(seen.rows[3].promo_active && !seen.rows[4].promo_active);
        assert_eq!(seen, ahead(&table(), &history(true), 30, 14));
        let known = |changed| {
            let history = history(changed);
            let known = History { series: history.series.first(30), ..history };
            panel::training_set(&table(), &[&known], &CancelToken::default()).unwrap()
        };
        assert_eq!(format!("{:?}", known(false)), format!("{:?}", known(true)));
    }
}
