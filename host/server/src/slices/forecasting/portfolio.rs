//! Many series at once: load a selection, fit a model on each and forecast, in parallel, with a status per series.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use retailcast_core::config_schema::NormalisedConfig;
use retailcast_core::frame::Exogenous;
use retailcast_core::{Day, MissingDays, Observation, Series, Statics};
use retailcast_runtime::{
    Call, CancelToken, ForecastModel, Input, Lane, PluginError, Requirements, Scope, TrainingSet,
};

use super::error::ForecastError;
use super::panel::{self, Ahead, History};
use super::service::Forecasting;
use super::store::{self, Pair};
use crate::compute;

pub use super::store::{Selection, SeriesKey};

/// A loaded selection.
#[derive(Debug, Clone, Default)]
pub struct Portfolio {
    /// The series, by store code and SKU.
    pub series: Vec<PortfolioSeries>,
    /// Last day that has any sale.
    pub last_day: Option<Day>,
}

/// One series of a selection.
#[derive(Debug, Clone)]
pub struct PortfolioSeries {
    /// Who it is.
    pub key: SeriesKey,
    /// Recorded rows, by day.
    pub rows: Vec<Observation>,
    /// Promotions, holidays, what does not change: the whole calendar, also ahead.
    pub exogenous: Exogenous,
}

/// What to forecast with one model.
#[derive(Debug, Clone)]
pub struct PortfolioRun {
    /// Model type.
    pub model_type: String,
    /// Its configuration.
    pub config: NormalisedConfig,
    /// From where to forecast, in order of time; the model is fitted anew for each.
    pub origins: Vec<Origin>,
    /// Days to forecast.
    pub horizon: usize,
    /// What models that read prices and promotions see of the days to forecast.
    pub plan: Plan,
}

/// The end of what a model may learn from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// First day of the training data; none: whatever there is.
    pub train_start: Option<Day>,
    /// Its last day.
    pub day: Day,
}

/// What is known of prices and promotions on the days to forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    /// Nothing changes: recorded promotions and holidays, the baseline price.
    Unchanged,
    /// What was recorded of those days, as if it had been planned.
    Recorded,
}

/// What became of one series.
pub type Outcome = Result<SeriesForecast, String>;

/// The forecast of one series.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesForecast {
    /// One number per day.
    pub points: Vec<f64>,
    /// The method that really answered, when the model says that it used another one.
    pub fallback: Option<String>,
}

/// One model's forecasts of a selection.
#[derive(Debug, Clone)]
pub struct PortfolioForecast {
    /// Per series: its forecast, or why there is none.
    pub series: Vec<Outcome>,
    /// Wall time of fitting and forecasting.
    pub elapsed: Duration,
}

/// Fits of table models per batch: at 0.1 s each well below a plugin's limit of 30 s, and others wait for a thread no
/// longer than a second or two.
const TABLE_FITS: usize = 16;
/// Series of target-only models per batch. Most take microseconds each, but `ets` 0.05 s and more.
const SERIES_BATCH: usize = 64;

impl Forecasting {
    /// Reads a selection with everything that is known beside it.
    pub async fn load_portfolio(
        &self,
        selection: &Selection,
        until: Option<Day>,
    ) -> Result<Portfolio, ForecastError> {
        let keys = self.series_of(selection).await?;
        self.portfolio_of(keys, until).await
    }

    /// The selected series that have sales, by store code and SKU.
    pub async fn series_of(&self, selection: &Selection) -> Result<Vec<SeriesKey>, ForecastError> {
        Ok(store::series_keys(&self.pool, selection).await?)
    }

    /// The last day on which any of these series has sales.
    pub async fn last_day_of(&self, keys: &[SeriesKey]) -> Result<Option<Day>, ForecastError> {
        Ok(store::last_day(&self.pool, keys).await?)
    }

    /// Reads these series, given as store and product; those without sales up to `until` are left out.
    pub async fn load_pairs(
        &self,
        pairs: &[(i32, i32)],
        until: Option<Day>,
    ) -> Result<Portfolio, ForecastError> {
        let (stores, products): (Vec<i32>, Vec<i32>) = pairs.iter().copied().unzip();
        let keys = store::keys_of(&self.pool, &stores, &products).await?;
        self.portfolio_of(keys, until).await
    }

    async fn portfolio_of(
        &self,
        keys: Vec<SeriesKey>,
        until: Option<Day>,
    ) -> Result<Portfolio, ForecastError> {
        let rows = store::panel_observations(&self.pool, &keys, until).await?;
        let mut products: Vec<i32> = keys.iter().map(|key| key.product_id).collect();
        products.sort_unstable();
        products.dedup();
        let promotions = store::promotions_of(&self.pool, &products).await?;
        let calendar = store::calendar(&self.pool, FIRST_DAY, LAST_DAY).await?;
        let last_day = rows.iter().map(|(_, row)| row.day).max();

        let mut by_pair: HashMap<Pair, Vec<Observation>> = HashMap::with_capacity(keys.len());
        for (pair, row) in rows {
            by_pair.entry(pair).or_default().push(row);
        }
        let mut promotions_of: HashMap<i32, Vec<&store::Promotion>> = HashMap::new();
        for promotion in &promotions {
            promotions_of.entry(promotion.product_id).or_default().push(promotion);
        }
        let series = keys
            .into_iter()
            .filter_map(|key| {
                let rows = by_pair.remove(&Pair { store_id: key.store_id, product_id: key.product_id })?;
                let covers = |p: &&&store::Promotion| p.store_id.is_none_or(|store| store == key.store_id);
                let exogenous = Exogenous {
                    promotions: promotions_of
                        .get(&key.product_id)
                        .map(|all| all.iter().filter(covers).map(|p| p.span).collect())
                        .unwrap_or_default(),
                    holidays: calendar.holidays.clone(),
                    statics: Statics {
                        launch: key.launch,
                        ..Statics::of(key.store_id, key.product_id, key.category.as_deref())
                    },
                };
                Some(PortfolioSeries { key, rows, exogenous })
            })
            .collect();
        Ok(Portfolio { series, last_day })
    }

    /// Fits one model on every series up to one origin and forecasts. `progress` hears how many series are done.
    pub async fn forecast_portfolio(
        &self,
        portfolio: &Arc<Portfolio>,
        run: &PortfolioRun,
        progress: impl Fn(usize),
    ) -> Result<PortfolioForecast, ForecastError> {
        let started = Instant::now();
        let mut series: Vec<Outcome> = vec![Err(String::new()); portfolio.series.len()];
        let each = |range: Range<usize>, outcomes: Vec<Vec<Outcome>>| {
            progress(range.len());
            for (slot, mut of_series) in series[range].iter_mut().zip(outcomes) {
                *slot = of_series.remove(0);
            }
        };
        self.run_portfolio(portfolio, run, each).await?;
        Ok(PortfolioForecast { series, elapsed: started.elapsed() })
    }

    /// Fits one model on every series for every origin and forecasts, on all compute threads. `each` hears what became
    /// of some series, as they are done: per series one outcome per origin. What it does not keep is gone, so that
    /// memory does not grow with the selection.
    pub async fn run_portfolio(
        &self,
        portfolio: &Arc<Portfolio>,
        run: &PortfolioRun,
        mut each: impl FnMut(Range<usize>, Vec<Vec<Outcome>>),
    ) -> Result<(), ForecastError> {
        self.check_enabled(&run.model_type)?;
        let model = self.model(&run.model_type)?;
        let call = Call {
            id: format!("portfolio-{}", run.model_type),
            deadline: None,
            cancel: CancelToken::default(),
            seed: self.settings.random_seed,
            ..Call::default()
        };
        let requirements = self.requirements(&model, &run.config, &call).await?;

        let batches =
            batches(portfolio.series.len(), run.origins.len(), &requirements, self.compute.threads());
        let lane = Lane::plugin(&model.description().name);
        let work = futures::stream::iter(batches).map(|range| {
            // A token per batch: the guard of a finished batch must not touch the others.
            let own = Call {
                cancel: CancelToken::default(),
                threads: self.boosting_threads(&requirements),
                ..call.clone()
            };
            let batch = Batch {
                model: Arc::clone(&model),
                portfolio: Arc::clone(portfolio),
                range: range.clone(),
                run: run.clone(),
                requirements: requirements.clone(),
                missing_days: self.settings.missing_days,
                call: own.clone(),
            };
            let lane = lane.clone();
            async move { (range, compute::run(&self.compute, &lane, &own, move || batch.forecast()).await) }
        });
        // One more than threads, so that none waits for the next batch; the rest of the queue is for others.
        let mut work = work.buffer_unordered(self.compute.threads() + 1);
        while let Some((range, result)) = work.next().await {
            each(range, result?);
        }
        Ok(())
    }
}

/// The span of days that PostgreSQL and ISO text share without surprises.
const FIRST_DAY: Day = Day(-719_162);
const LAST_DAY: Day = Day(2_932_896);

fn batches(series: usize, origins: usize, requirements: &Requirements, threads: usize) -> Vec<Range<usize>> {
    let most = match (requirements.scope, &requirements.input) {
        (Scope::Global, _) => series,
        (Scope::Local, Input::Table { .. }) => TABLE_FITS / origins.max(1),
        (Scope::Local, Input::Series) => SERIES_BATCH,
    };
    // A few batches per thread, so that all threads end at about the same time.
    let size =
        if requirements.scope == Scope::Global { most } else { series.div_ceil(threads * 4).min(most) };
    let size = size.max(1);
    (0..series).step_by(size).map(|from| from..(from + size).min(series)).collect()
}

/// Some series of a portfolio, on their way through one model.
struct Batch {
    model: Arc<dyn ForecastModel>,
    portfolio: Arc<Portfolio>,
    range: Range<usize>,
    run: PortfolioRun,
    requirements: Requirements,
    missing_days: MissingDays,
    call: Call,
}

/// A series as far as a model may see it from one origin.
struct Known<'a> {
    training: Training<'a>,
    ahead: Ahead,
}

/// What a model learns from.
enum Training<'a> {
    /// For models that read the series alone: rows of a series.
    Rows(&'a Series, Range<usize>),
    /// For models that read feature columns.
    History(History),
}

impl Batch {
    /// Per series one outcome per origin.
    fn forecast(&self) -> Vec<Vec<Outcome>> {
        let series = &self.portfolio.series[self.range.clone()];
        let whole: Vec<Result<Series, String>> = series.iter().map(|s| self.whole(s)).collect();
        let mut outcomes: Vec<Vec<Outcome>> = vec![Vec::with_capacity(self.run.origins.len()); series.len()];
        for origin in &self.run.origins {
            let known: Vec<Result<Known<'_>, String>> = series
                .iter()
                .zip(&whole)
                .map(|(series, whole)| self.known(series, whole.as_ref().map_err(String::clone)?, *origin))
                .collect();
            for (of_series, outcome) in outcomes.iter_mut().zip(self.outcomes_from(*origin, &known)) {
                of_series.push(outcome);
            }
        }
        outcomes
    }

    /// Nobody waits for the rest when the caller has gone away; what is answered then is read by nobody.
    fn still_wanted(&self) -> Result<(), String> {
        if self.call.cancel.is_cancelled() { Err("cancelled".to_owned()) } else { Ok(()) }
    }

    /// What is on record of a series, up to the last day that anything here may know.
    fn whole(&self, series: &PortfolioSeries) -> Result<Series, String> {
        self.still_wanted()?;
        let last = self.run.origins.last().map_or(LAST_DAY, |origin| origin.day);
        let last = match self.run.plan {
            Plan::Unchanged => last,
            Plan::Recorded => last + self.run.horizon as i32,
        };
        let rows = &series.rows[..series.rows.partition_point(|row| row.day <= last)];
        Series::build(rows, last, self.missing_days).map_err(|e| e.to_string())
    }

    /// The part of a series before an origin and what is known of the days after it, or why the model cannot use it.
    fn known<'a>(
        &self,
        series: &PortfolioSeries,
        whole: &'a Series,
        origin: Origin,
    ) -> Result<Known<'a>, String> {
        self.still_wanted()?;
        let from = origin.train_start.map_or(0, |start| whole.days.partition_point(|day| *day < start));
        let rows = from..whole.days.partition_point(|day| *day <= origin.day).max(from);
        if rows.len() < self.requirements.min_history {
            return Err(format!(
                "{} needs at least {} observations, found {} up to {}",
                self.run.model_type,
                self.requirements.min_history,
                rows.len(),
                origin.day,
            ));
        }
        let start = origin.day + 1;
        let Input::Table { features, .. } = &self.requirements.input else {
            return Ok(Known { training: Training::Rows(whole, rows), ahead: Ahead::bare(start) });
        };
        let recorded = |day: Day| series.rows.partition_point(|row| row.day <= day);
        let first = origin.train_start.map_or(0, |start| recorded(start + -1));
        let training = &series.rows[first..recorded(origin.day)];
        let training = Series::build(training, origin.day, self.missing_days).map_err(|e| e.to_string())?;
        let (quantity, horizon, exogenous) = (&training.quantity, self.run.horizon, &series.exogenous);
        let mut ahead = Ahead::unchanged(features, quantity, start, horizon, exogenous);
        if self.run.plan == Plan::Recorded {
            for row in &mut ahead.rows {
                row.price_factor = price_on(whole, row.day) / training.baseline_price;
            }
        }
        let history = History { series: training, exogenous: exogenous.clone() };
        Ok(Known { training: Training::History(history), ahead })
    }

    fn outcomes_from(&self, origin: Origin, known: &[Result<Known<'_>, String>]) -> Vec<Outcome> {
        let ready: Vec<&Known<'_>> = known.iter().filter_map(|known| known.as_ref().ok()).collect();
        let mut outcomes = match self.fit_predict(origin, &ready) {
            Ok(outcomes) => outcomes,
            // One bad series must not cost the others their forecast: each once more, alone.
            Err(_) if self.may_try_alone(&ready) => ready
                .iter()
                .map(|known| match self.fit_predict(origin, &[known]) {
                    Ok(mut one) => one.remove(0),
                    Err(e) => Err(format!("{}: {e}", e.code())),
                })
                .collect(),
            Err(e) => vec![Err(format!("{}: {e}", e.code())); ready.len()],
        }
        .into_iter();
        known
            .iter()
            .map(|known| match known {
                Ok(_) => outcomes.next().unwrap_or_else(|| Err("the model gave no result".to_owned())),
                Err(reason) => Err(reason.clone()),
            })
            .collect()
    }

    fn may_try_alone(&self, panel: &[&Known<'_>]) -> bool {
        panel.len() > 1 && self.requirements.scope == Scope::Local && self.still_wanted().is_ok()
    }

    fn fit_predict(&self, origin: Origin, panel: &[&Known<'_>]) -> Result<Vec<Outcome>, PluginError> {
        if panel.is_empty() {
            return Ok(Vec::new());
        }
        let input = &self.requirements.input;
        // The model's clock stands at the origin, so that nothing hints at days to come.
        let call = Call { now: super::service::present(origin.day), ..self.call.clone() };
        let mut session = self.model.session(&call)?;
        let fitted = session.fit(&self.run.config.json(), Arc::new(self.training_set(panel)?))?;
        let ahead: Vec<Ahead> = panel.iter().map(|known| known.ahead.clone()).collect();
        let forecasts = panel::predict(&mut *session, fitted, input, &ahead, self.run.horizon)?;
        let one = |i| SeriesForecast { points: forecasts.series(i).to_vec(), fallback: None };
        let mut outcomes: Vec<Outcome> = (0..panel.len()).map(|i| Ok(one(i))).collect();
        for (series, method) in &forecasts.fallbacks {
            if let Some(Ok(forecast)) = outcomes.get_mut(*series as usize) {
                forecast.fallback = Some(method.clone());
            }
        }
        for failure in forecasts.failures {
            if let Some(outcome) = failure.series.and_then(|series| outcomes.get_mut(series as usize)) {
                *outcome = Err(failure.message);
            }
        }
        Ok(outcomes)
    }

    fn training_set(&self, panel: &[&Known<'_>]) -> Result<TrainingSet, PluginError> {
        let histories: Vec<&History> = panel.iter().filter_map(|known| known.training.history()).collect();
        if histories.is_empty() {
            return Ok(panel::targets(panel.iter().filter_map(|known| known.training.rows())));
        }
        panel::training_set(&self.requirements.input, &histories, &self.call.cancel)
    }
}

impl Training<'_> {
    fn rows(&self) -> Option<(&[Day], &[f64])> {
        match self {
            Self::Rows(series, rows) => Some((&series.days[rows.clone()], &series.quantity[rows.clone()])),
            Self::History(_) => None,
        }
    }

    fn history(&self) -> Option<&History> {
        match self {
            Self::Rows(..) => None,
            Self::History(history) => Some(history),
        }
    }
}

/// The last recorded price up to a day; the first one before it.
fn price_on(series: &Series, day: Day) -> f64 {
    let at = series.days.partition_point(|known| *known <= day);
    series.unit_price[at.saturating_sub(1)]
}

/// What was sold on the days after the origin; a day without a row is zero.
pub fn actuals(rows: &[Observation], origin: Day, horizon: usize) -> Vec<f64> {
    let mut actuals = vec![0.0; horizon];
    for row in rows {
        if let Ok(step) = usize::try_from(row.day - origin - 1)
            && step < horizon
        {
            actuals[step] = row.quantity;
        }
    }
    actuals
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_cover_every_series_once() {
        let requirements =
            |scope, input| Requirements { min_history: 1, input, scope, intervals: false, exogenous: false };
        for (series, threads) in [(0, 2), (1, 4), (90, 1), (720, 3), (30_490, 2)] {
            for scope in [Scope::Local, Scope::Global] {
                let ranges = batches(series, 5, &requirements(scope, Input::Series), threads);
                let covered: Vec<usize> = ranges.iter().cloned().flatten().collect();
                assert_eq!(covered, (0..series).collect::<Vec<_>>());
                assert!(scope == Scope::Local || ranges.len() <= 1);
            }
        }
    }

    #[test]
    fn actuals_start_the_day_after_the_origin() {
        let row = |day: i32| Observation { day: Day(day), quantity: f64::from(day), unit_price: 1.0 };
        assert_eq!(actuals(&[row(4), row(5), row(7), row(9)], Day(4), 4), [5.0, 0.0, 7.0, 0.0]);
    }
}
