//! One model on all folds of a series: fit, forecast, score.

use std::ops::Range;
use std::sync::Arc;

use retailcast_core::backtest::{Fold, FoldScore, Summary};
use retailcast_core::config_schema::NormalisedConfig;
use retailcast_core::frame::{Feature, RowInputs, tail, training_frame};
use retailcast_runtime::{
    Call, FeatureTable, ForecastModel, ForecastSession, Input, Phase, PluginError, Requirements, TrainingSet,
};

use crate::slices::forecasting::panel::{self, Ahead, History};

/// A model with its configuration, ready to run.
pub(super) struct Candidate {
    /// Model type.
    pub(super) model_type: String,
    /// Its configuration.
    pub(super) config: NormalisedConfig,
    /// The plugin.
    pub(super) model: Arc<dyn ForecastModel>,
    /// What it needs under this configuration.
    pub(super) requirements: Requirements,
}

/// One model on all folds.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelResult {
    /// Model type.
    pub model_type: String,
    /// Schema hash of its configuration.
    pub config_hash: String,
    /// Whether it reads feature columns beside the series.
    pub feature_aware: bool,
    /// Fold by fold, in order of time.
    pub folds: Vec<FoldResult>,
    /// All folds together.
    pub summary: Summary,
}

/// One model on one fold.
#[derive(Debug, Clone, PartialEq)]
pub struct FoldResult {
    /// One forecast per test row.
    pub predictions: Vec<f64>,
    /// How good they were.
    pub score: FoldScore,
    /// The method that really answered, when the model says that it used another one.
    pub fallback: Option<String>,
}

/// A model that did not get through.
#[derive(Debug)]
pub(super) struct Failure {
    /// The fold, from 0; none when it failed before the first.
    pub(super) fold: Option<usize>,
    /// How.
    pub(super) error: PluginError,
}

impl From<PluginError> for Failure {
    fn from(error: PluginError) -> Self {
        Self { fold: None, error }
    }
}

impl Candidate {
    /// Whether it reads feature columns beside the series.
    pub(super) fn feature_aware(&self) -> bool {
        matches!(self.requirements.input, Input::Table { .. })
    }

    /// Runs all folds in one instance of the plugin, one after the other. Even a model that learns across series sees
    /// one fold at a time: a panel of folds would show it the days that the earlier ones are tested with.
    pub(super) fn run(
        &self,
        history: &History,
        folds: &[Fold],
        call: &Call,
        each: &dyn Fn(),
    ) -> Result<ModelResult, Failure> {
        let matrix = match &self.requirements.input {
            Input::Series => Matrix::default(),
            Input::Table { features, .. } => Matrix::build(features, history, call)?,
        };
        let mut session = self.model.session(call)?;
        let mut results = Vec::with_capacity(folds.len());
        for (i, fold) in folds.iter().enumerate() {
            let result = self.run_fold(&mut *session, history, &matrix, fold);
            results.push(result.map_err(|error| Failure { fold: Some(i), error })?);
            each();
        }
        let scores: Vec<FoldScore> = results.iter().map(|result| result.score.clone()).collect();
        Ok(ModelResult {
            model_type: self.model_type.clone(),
            config_hash: self.config.hash(),
            feature_aware: self.feature_aware(),
            folds: results,
            summary: Summary::of(&scores),
        })
    }

    fn run_fold(
        &self,
        session: &mut dyn ForecastSession,
        history: &History,
        matrix: &Matrix,
        fold: &Fold,
    ) -> Result<FoldResult, PluginError> {
        let Fold { train, test } = fold;
        let series = &history.series;
        let data = TrainingSet::one(
            series.days[train.clone()].iter().map(|day| day.0).collect(),
            series.quantity[train.clone()].to_vec(),
            matrix.rows(train),
        );
        let fitted = session.fit(&self.config.json(), Arc::new(data))?;
        let ahead = ahead(&self.requirements.input, history, fold);
        let forecasts = panel::predict(session, fitted, &self.requirements.input, &[ahead], test.len())?;
        session.release(fitted)?;
        if let Some(failure) = forecasts.failures.into_iter().next() {
            return Err(PluginError::Guest(failure));
        }
        let score =
            FoldScore::of(&series.days[test.clone()], &series.quantity[test.clone()], &forecasts.points);
        let fallback = forecasts.fallbacks.into_iter().next().map(|(_, method)| method);
        Ok(FoldResult { predictions: forecasts.points, score, fallback })
    }
}

/// The historical feature matrix over all rows of the series, column after column. Folds train on slices of it, so the
/// first rows of a sliding window still see lags from before the window.
#[derive(Default)]
struct Matrix {
    names: Vec<String>,
    rows: usize,
    values: Vec<f64>,
}

impl Matrix {
    /// Built column by column, so that a client who goes away is noticed in between: long windows over a century of
    /// days take their time.
    fn build(features: &[Feature], history: &History, call: &Call) -> Result<Self, PluginError> {
        let rows = history.series.len();
        let mut values = Vec::with_capacity(features.len() * rows);
        for feature in features {
            if call.cancel.is_cancelled() {
                return Err(PluginError::Cancelled { phase: Phase::Fit });
            }
            let column = training_frame(std::slice::from_ref(feature), &history.series, &history.exogenous);
            values.extend(column.values);
        }
        Ok(Self { names: features.iter().map(Feature::name).collect(), rows, values })
    }

    fn rows(&self, rows: &Range<usize>) -> FeatureTable {
        let columns = (0..self.names.len()).map(|column| column * self.rows);
        FeatureTable {
            names: self.names.clone(),
            rows: if self.names.is_empty() { 0 } else { rows.len() },
            values: columns.flat_map(|at| &self.values[at + rows.start..at + rows.end]).copied().collect(),
        }
    }
}

/// The rows after the training window as a model may see them: made anew from its last row, never slices of the
/// historical matrix, whose lags know the test days. Prices, promotions and holidays are the recorded ones. For models
/// that read the series alone a gap does not shift the forecast: step 1 after training meets the first test row.
fn ahead(input: &Input, history: &History, fold: &Fold) -> Ahead {
    let Fold { train, test } = fold;
    let series = &history.series;
    match input {
        Input::Series => Ahead::bare(series.days[train.end - 1] + 1),
        Input::Table { features, .. } => Ahead {
            start: series.days[test.start],
            tail: tail(features, &series.quantity[..train.end]).to_vec(),
            gap: test.start - train.end,
            rows: (train.end..test.end).map(|i| RowInputs::recorded(series, &history.exogenous, i)).collect(),
            statics: history.exogenous.statics,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use retailcast_core::frame::{Exogenous, LeakClass};
    use retailcast_core::{Day, MissingDays, Observation, Series, Statics};
    use retailcast_runtime::ShortLags;

    fn history(quantity: impl Fn(i32) -> f64) -> History {
        let row = |i: i32| Observation {
            day: Day(i),
            quantity: quantity(i),
            unit_price: if i % 10 == 0 { 8.0 } else { 10.0 },
        };
        let rows: Vec<Observation> = (0..60).map(row).collect();
        let exogenous = Exogenous {
            promotions: vec![(Day(34), Day(35))],
            holidays: vec![Day(33)],
            statics: Statics { launch: Some(Day(-5)), ..Statics::of(3, 4, Some("dairy")) },
        };
        History { series: Series::build(&rows, Day(59), MissingDays::Zero).unwrap(), exogenous }
    }

    const FEATURES: [Feature; 5] =
        [Feature::Lag(1), Feature::Lag(7), Feature::PriceFactor, Feature::PromoActive, Feature::IsHoliday];

    fn table() -> Input {
        Input::Table { features: FEATURES.to_vec(), short_lags: ShortLags::Direct }
    }

    #[test]
    fn training_rows_are_slices_that_see_lags_from_before_the_window() {
        let matrix = Matrix::build(&FEATURES, &history(f64::from), &Call::default()).unwrap();
        let rows = matrix.rows(&(20..50));
        assert_eq!((rows.rows, rows.values.len()), (30, 150));
        assert_eq!(rows.column(0).unwrap()[0].to_bits(), 19.0_f64.to_bits());
        assert_eq!(rows.column(1).unwrap()[29].to_bits(), 42.0_f64.to_bits());
        assert_eq!(rows.column(2).unwrap()[..2], [0.8, 1.0]);
        let series_alone = Matrix::default().rows(&(20..50));
        assert_eq!(series_alone, FeatureTable::default());
    }

    #[test]
    fn test_rows_have_the_recorded_plan_and_no_quantity_after_the_training() {
        let fold = Fold { train: 0..30, test: 32..46 };
        let seen = ahead(&table(), &history(f64::from), &fold);
        assert_eq!((seen.start, seen.gap, seen.rows.len()), (Day(32), 2, 16));
        assert_eq!(seen.tail.last(), Some(&29.0));
        assert!(seen.rows[3].is_holiday && seen.rows[4].promo_active && !seen.rows[6].promo_active);
        assert_eq!(seen.rows[10].price_factor.to_bits(), 0.8_f64.to_bits());
        let changed = history(|i| if i < 30 { f64::from(i) } else { 1e6 });
        assert_eq!(ahead(&table(), &changed, &fold), seen);
        assert_eq!(FEATURES[0].leak_class(), LeakClass::SafeUpToOrigin);
    }

    #[test]
    fn a_gap_does_not_shift_models_that_read_the_series_alone() {
        let bare = ahead(&Input::Series, &history(f64::from), &Fold { train: 0..30, test: 32..46 });
        assert_eq!(bare, Ahead::bare(Day(30)));
    }

    #[test]
    fn nothing_is_built_for_a_client_that_is_gone() {
        let call = Call::default();
        call.cancel.cancel();
        let built = Matrix::build(&FEATURES, &history(f64::from), &call);
        assert!(matches!(built, Err(PluginError::Cancelled { .. })));
    }
}
