//! From series to what a model reads, and from a model to forecasts: one way for one series and for many.

use std::sync::Arc;

use retailcast_core::frame::{
    Exogenous, Feature, Frame, RowInputs, future_frame, next_row, tail, training_frame,
};
use retailcast_core::{Day, Series, Statics};

use crate::explain::FittedModel;
use crate::{
    Call, CancelToken, FeatureTable, FittedId, ForecastModel, ForecastSession, Forecasts, FutureSet, Input,
    Phase, PluginError, ShortLags, TrainingSet,
};

/// The history of one series and what is known beside it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct History {
    /// The values.
    pub series: Series,
    /// Promotions, holidays, what does not change.
    pub exogenous: Exogenous,
}

/// What is known of the days to forecast of one series.
#[derive(Debug, Clone, PartialEq)]
pub struct Ahead {
    /// First day to forecast.
    pub start: Day,
    /// The end of the history, oldest first; empty for models that read the series alone.
    pub tail: Vec<f64>,
    /// Rows between the history and the first one to forecast; 0 outside backtests.
    pub gap: usize,
    /// One entry per row after the history, those of the gap first; empty for models that read the series alone.
    pub rows: Vec<RowInputs>,
    /// What does not change about the series.
    pub statics: Statics,
}

impl Ahead {
    /// For a model that reads the series alone.
    pub fn bare(start: Day) -> Self {
        Self { start, tail: Vec::new(), gap: 0, rows: Vec::new(), statics: Statics::default() }
    }

    /// The assumption that nothing changes: recorded promotions and holidays, the baseline price.
    pub fn unchanged(
        features: &[Feature],
        quantity: &[f64],
        start: Day,
        horizon: usize,
        known: &Exogenous,
    ) -> Self {
        let row = |day| RowInputs {
            day,
            price_factor: 1.0,
            promo_active: known.promo_active(day),
            is_holiday: known.is_holiday(day),
        };
        Self {
            start,
            tail: tail(features, quantity).to_vec(),
            gap: 0,
            rows: (0..horizon as i32).map(|j| row(start + j)).collect(),
            statics: known.statics,
        }
    }
}

/// What a model is fitted on. A caller who goes away is noticed between two series: the frames of many take seconds.
pub fn training_set(
    input: &Input,
    panel: &[&History],
    cancel: &CancelToken,
) -> Result<TrainingSet, PluginError> {
    let mut set = targets(panel.iter().map(|h| (&h.series.days[..], &h.series.quantity[..])));
    if let Input::Table { features, .. } = input {
        let left = panel.iter().take_while(|_| !cancel.is_cancelled());
        let frames = left.map(|h| training_frame(features, &h.series, &h.exogenous));
        set.features = table(features, set.target.len(), frames);
    }
    if cancel.is_cancelled() {
        return Err(PluginError::Cancelled { phase: Phase::Fit });
    }
    Ok(set)
}

/// What a model is fitted on that reads the series alone: days and quantities of each.
pub fn targets<'a>(panel: impl Iterator<Item = (&'a [Day], &'a [f64])>) -> TrainingSet {
    let mut set = TrainingSet { offsets: vec![0], ..TrainingSet::default() };
    for (days, quantity) in panel {
        set.days.extend(days.iter().map(|day| day.0));
        set.target.extend_from_slice(quantity);
        set.offsets.push(set.target.len() as u32);
    }
    set
}

/// Frames of several series below each other, `rows` together. One frame at a time is in memory beside the table.
fn table(features: &[Feature], rows: usize, frames: impl Iterator<Item = Frame>) -> FeatureTable {
    let mut values = vec![f64::NAN; rows * features.len()];
    let mut from = 0;
    for frame in frames {
        for column in 0..features.len() {
            let at = column * rows + from;
            values[at..at + frame.rows].copy_from_slice(frame.column(column));
        }
        from += frame.rows;
    }
    FeatureTable { names: features.iter().map(Feature::name).collect(), rows, values }
}

/// Forecasts `horizon` days of every series.
pub fn predict(
    session: &mut dyn ForecastSession,
    fitted: FittedId,
    input: &Input,
    panel: &[Ahead],
    horizon: usize,
) -> Result<Forecasts, PluginError> {
    let starts = || panel.iter().map(|ahead| ahead.start.0).collect();
    match input {
        Input::Series => session.predict(
            fitted,
            Arc::new(FutureSet { starts: starts(), horizon, features: FeatureTable::default() }),
        ),
        Input::Table { features, short_lags: ShortLags::Direct } => {
            let frames = panel.iter().map(|ahead| {
                let rows = &ahead.rows[ahead.gap..ahead.gap + horizon];
                future_frame(features, &ahead.tail, ahead.gap, rows, &ahead.statics)
            });
            let features = table(features, panel.len() * horizon, frames);
            session.predict(fitted, Arc::new(FutureSet { starts: starts(), horizon, features }))
        }
        Input::Table { features, short_lags: ShortLags::Recursive } => {
            recursive(session, fitted, features, panel, horizon)
        }
    }
}

/// Fits a model on a history and asks it for the next day, when nothing changes: what an explainer is shown.
pub fn fitted(
    model: &dyn ForecastModel,
    config: &str,
    history: &History,
    call: &Call,
) -> Result<FittedModel, PluginError> {
    let mut session = model.session(call)?;
    let input = session.requirements(config)?.input;
    let data = training_set(&input, &[history], &call.cancel)?;
    let fitted = session.fit(config, Arc::new(data))?;
    let start = history.series.days.last().copied().unwrap_or(Day(0)) + 1;
    let ahead = match &input {
        Input::Series => Ahead::bare(start),
        Input::Table { features, .. } => {
            Ahead::unchanged(features, &history.series.quantity, start, 1, &history.exogenous)
        }
    };
    let mut forecasts = predict(&mut *session, fitted, &input, std::slice::from_ref(&ahead), 1)?;
    if let Some(failure) = forecasts.failures.pop() {
        return Err(PluginError::Guest(failure));
    }
    let FeatureTable { names, values, .. } = first_row(&input, &ahead);
    let state = session.save(fitted)?;
    Ok(FittedModel { state, feature_names: names, features: values, forecast: forecasts.points[0] })
}

/// What a model reads for the first day to forecast; no columns for models that read the series alone.
pub fn first_row(input: &Input, ahead: &Ahead) -> FeatureTable {
    match input {
        Input::Series => FeatureTable::default(),
        Input::Table { features, short_lags } => {
            let frame = match short_lags {
                ShortLags::Direct => {
                    let rows = &ahead.rows[ahead.gap..=ahead.gap];
                    future_frame(features, &ahead.tail, ahead.gap, rows, &ahead.statics)
                }
                ShortLags::Recursive => next_row(features, &ahead.tail, ahead.rows[0], &ahead.statics),
            };
            table(features, 1, std::iter::once(frame))
        }
    }
}

/// One step per call; every prediction joins the history of the next step. Those of a gap are fed back too, and not
/// given out. All series have the same gap.
fn recursive(
    session: &mut dyn ForecastSession,
    fitted: FittedId,
    features: &[Feature],
    panel: &[Ahead],
    horizon: usize,
) -> Result<Forecasts, PluginError> {
    let gap = panel.first().map_or(0, |ahead| ahead.gap);
    let mut known: Vec<Vec<f64>> = panel.iter().map(|ahead| ahead.tail.clone()).collect();
    let mut steps = Vec::with_capacity(gap + horizon);
    for step in 0..gap + horizon {
        let frames = panel
            .iter()
            .zip(&known)
            .map(|(ahead, known)| next_row(features, known, ahead.rows[step], &ahead.statics));
        let starts = panel.iter().map(|ahead| ahead.rows[step].day.0).collect();
        let set = FutureSet { starts, horizon: 1, features: table(features, panel.len(), frames) };
        let forecast = session.predict(fitted, Arc::new(set))?;
        for (known, point) in known.iter_mut().zip(&forecast.points) {
            known.push(*point);
        }
        steps.push(forecast);
    }
    let levels = |step: &Forecasts| step.levels.clone();
    if let Some(other) = steps.iter().find(|step| levels(step) != levels(&steps[0])) {
        return Err(PluginError::BadResult {
            phase: Phase::Predict,
            check: "interval levels",
            expected: format!("{:?}, as for the first step", steps[0].levels),
            found: format!("{:?}", other.levels),
        });
    }
    Ok(join(steps, gap, panel.len()))
}

/// Forecasts of one step each, put side by side, without those of the gap.
fn join(steps: Vec<Forecasts>, gap: usize, series: usize) -> Forecasts {
    let column = |pick: fn(&Forecasts) -> &Vec<f64>, count: usize| -> Vec<f64> {
        let given = &steps[gap..];
        (0..count).flat_map(|i| given.iter().filter_map(move |step| pick(step).get(i))).copied().collect()
    };
    let levels = steps.first().map(|step| step.levels.clone()).unwrap_or_default();
    let bounds = levels.len() * series;
    let mut joined = Forecasts {
        horizon: steps.len() - gap,
        points: column(|step| &step.points, series),
        lower: column(|step| &step.lower, bounds),
        upper: column(|step| &step.upper, bounds),
        levels,
        ..Forecasts::default()
    };
    // A series that fails at any step has no forecast; its first reason and first fallback are told.
    for step in steps {
        for failure in step.failures {
            if !joined.failures.iter().any(|known| known.series == failure.series) {
                joined.failures.push(failure);
            }
        }
        for fallback in step.fallbacks {
            if !joined.fallbacks.iter().any(|known| known.0 == fallback.0) {
                joined.fallbacks.push(fallback);
            }
        }
    }
    for failure in &joined.failures {
        if let Some(series) = failure.series {
            let from = series as usize * joined.horizon;
            joined.points[from..from + joined.horizon].fill(f64::NAN);
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Requirements;
    use retailcast_core::{CalendarField, MissingDays, Observation};

    /// Predicts lag 1 plus one: recursion counts up, direct prediction knows the first step only.
    struct PlusOne;

    impl ForecastSession for PlusOne {
        fn requirements(&mut self, _: &str) -> Result<Requirements, PluginError> {
            unreachable!("not asked here")
        }
        fn fit(&mut self, _: &str, _: Arc<TrainingSet>) -> Result<FittedId, PluginError> {
            unreachable!("not asked here")
        }
        fn load(&mut self, _: &[u8]) -> Result<FittedId, PluginError> {
            unreachable!("not asked here")
        }
        fn save(&mut self, _: FittedId) -> Result<Vec<u8>, PluginError> {
            unreachable!("not asked here")
        }
        fn predict(&mut self, _: FittedId, ahead: Arc<FutureSet>) -> Result<Forecasts, PluginError> {
            let lag = ahead.features.column(0).unwrap();
            Ok(Forecasts {
                horizon: ahead.horizon,
                points: lag.iter().map(|lag| lag + 1.0).collect(),
                ..Forecasts::default()
            })
        }
        fn release(&mut self, _: FittedId) -> Result<(), PluginError> {
            Ok(())
        }
        fn peak_memory(&self) -> usize {
            0
        }
    }

    fn ahead(features: &[Feature], last: f64) -> Ahead {
        Ahead::unchanged(features, &[1.0, last], Day(10), 3, &Exogenous::default())
    }

    #[test]
    fn recursion_feeds_predictions_back_series_by_series() {
        let features = vec![Feature::Lag(1)];
        let panel = [ahead(&features, 5.0), ahead(&features, 50.0)];
        let input = |short_lags| Input::Table { features: features.clone(), short_lags };
        let fitted = FittedId(0);
        let forecasts = predict(&mut PlusOne, fitted, &input(ShortLags::Recursive), &panel, 3).unwrap();
        assert_eq!(forecasts.points, [6.0, 7.0, 8.0, 51.0, 52.0, 53.0]);
        let direct = predict(&mut PlusOne, fitted, &input(ShortLags::Direct), &panel, 3).unwrap();
        assert_eq!(direct.points[0].to_bits(), 6.0_f64.to_bits());
        assert!(direct.points[1].is_nan());
    }

    #[test]
    fn a_gap_is_forecast_by_recursion_and_unknown_directly() {
        let features = vec![Feature::Lag(1), Feature::Lag(4)];
        let gapped = |last: f64| Ahead { gap: 2, ..ahead(&features, last) };
        let input = |short_lags| Input::Table { features: features.clone(), short_lags };
        let panel = [gapped(5.0), gapped(50.0)];
        let recursive = predict(&mut PlusOne, FittedId(0), &input(ShortLags::Recursive), &panel, 1).unwrap();
        assert_eq!((recursive.horizon, recursive.points), (1, vec![8.0, 53.0]));
        let direct = predict(&mut PlusOne, FittedId(0), &input(ShortLags::Direct), &panel, 1).unwrap();
        assert!(direct.points.iter().all(|point| point.is_nan()));
    }

    #[test]
    fn a_panel_is_its_series_below_each_other() {
        let history = |quantity: f64| History {
            series: Series::build(
                &[Observation { day: Day(0), quantity, unit_price: 2.0 }],
                Day(1),
                MissingDays::Zero,
            )
            .unwrap(),
            exogenous: Exogenous::default(),
        };
        let features = vec![Feature::Calendar(CalendarField::DayOfWeek), Feature::Lag(1)];
        let input = Input::Table { features, short_lags: ShortLags::Direct };
        let panel = [history(3.0), history(4.0)];
        let set = training_set(&input, &[&panel[0], &panel[1]], &CancelToken::default()).unwrap();
        assert_eq!(set.offsets, [0, 2, 4]);
        assert_eq!(set.target, [3.0, 0.0, 4.0, 0.0]);
        assert_eq!(set.features.column(0).unwrap(), [3.0, 4.0, 3.0, 4.0]);
        assert_eq!(set.features.column(1).unwrap()[3].to_bits(), 4.0_f64.to_bits());
    }
}
