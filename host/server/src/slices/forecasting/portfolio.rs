//! Many series at once: load a selection, fit a model on each and forecast, in parallel, with a status per series.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use retailcast_core::config_schema::NormalisedConfig;
use retailcast_core::frame::Exogenous;
use retailcast_core::{Day, Observation, Series};
use retailcast_runtime::{Call, CancelToken, ForecastModel, Input, PluginError, Requirements, Scope};

use super::panel::{self, Ahead, History};
use super::service::{ForecastError, Forecasting};
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
    /// Promotions, holidays, launch: the whole calendar, also ahead.
    pub exogenous: Exogenous,
}

/// What to forecast with one model.
#[derive(Debug, Clone)]
pub struct PortfolioRun {
    /// Model type.
    pub model_type: String,
    /// Its configuration.
    pub config: NormalisedConfig,
    /// Last day of the training data.
    pub origin: Day,
    /// Days to forecast.
    pub horizon: usize,
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

/// Series of table models per call: at 0.1 s each well below a plugin's limit of 30 s.
const TABLE_BATCH: usize = 16;
/// Series of target-only models per call. Most take microseconds each, but `ets` 0.05 s and more.
const SERIES_BATCH: usize = 64;

impl Forecasting {
    /// Reads a selection with everything that is known beside it.
    pub async fn load_portfolio(
        &self,
        selection: &Selection,
        until: Option<Day>,
    ) -> Result<Portfolio, ForecastError> {
        let keys = store::series_keys(&self.pool, selection).await?;
        let rows = store::panel_observations(&self.pool, &keys, until).await?;
        let promotions = store::all_promotions(&self.pool).await?;
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
                    launch: key.launch,
                };
                Some(PortfolioSeries { key, rows, exogenous })
            })
            .collect();
        Ok(Portfolio { series, last_day })
    }

    /// Fits one model on every series up to the origin and forecasts, on all compute threads. `progress` hears how
    /// many series are done.
    pub async fn forecast_portfolio(
        &self,
        portfolio: &Arc<Portfolio>,
        run: &PortfolioRun,
        progress: impl Fn(usize),
    ) -> Result<PortfolioForecast, ForecastError> {
        self.check_enabled(&run.model_type)?;
        let fail = |error| ForecastError::Plugin { model_type: run.model_type.clone(), error };
        let model = self.catalogue().model(&run.model_type).map_err(fail)?;
        let started = Instant::now();
        let call = Call {
            id: format!("portfolio-{}", run.model_type),
            deadline: None,
            cancel: CancelToken::default(),
            seed: self.settings.random_seed,
            now: super::service::present(run.origin),
        };
        let (asked, config, asking) = (Arc::clone(&model), run.config.json(), call.clone());
        let requirements =
            compute::run(&self.compute, &call, move || asked.session(&asking)?.requirements(&config))
                .await?
                .map_err(fail)?;

        let batches = batches(portfolio.series.len(), &requirements, self.compute.threads());
        let work = futures::stream::iter(batches).map(|range| {
            // A token per batch: the guard of a finished batch must not touch the others.
            let own = Call { cancel: CancelToken::default(), ..call.clone() };
            let batch = Batch {
                model: Arc::clone(&model),
                portfolio: Arc::clone(portfolio),
                range: range.clone(),
                run: run.clone(),
                requirements: requirements.clone(),
                missing_days: self.settings.missing_days,
                call: own.clone(),
            };
            async move { (range, compute::run(&self.compute, &own, move || batch.forecast()).await) }
        });
        // One more than threads, so that none waits for the next batch; the rest of the queue is for others.
        let mut work = work.buffer_unordered(self.compute.threads() + 1);
        let mut series: Vec<Outcome> = vec![Err(String::new()); portfolio.series.len()];
        while let Some((range, result)) = work.next().await {
            progress(range.len());
            for (slot, outcome) in series[range].iter_mut().zip(result?) {
                *slot = outcome;
            }
        }
        Ok(PortfolioForecast { series, elapsed: started.elapsed() })
    }
}

/// The span of days that PostgreSQL and ISO text share without surprises.
const FIRST_DAY: Day = Day(-719_162);
const LAST_DAY: Day = Day(2_932_896);

fn batches(series: usize, requirements: &Requirements, threads: usize) -> Vec<std::ops::Range<usize>> {
    let most = match (requirements.scope, &requirements.input) {
        (Scope::Global, _) => series,
        (Scope::Local, Input::Table { .. }) => TABLE_BATCH,
        (Scope::Local, Input::Series) => SERIES_BATCH,
    };
    // A few batches per thread, so that all threads end at about the same time.
    let size =
        if requirements.scope == Scope::Global { most } else { series.div_ceil(threads * 4).min(most) };
    let size = size.max(1);
    (0..series).step_by(size).map(|from| from..(from + size).min(series)).collect()
}

/// Some series of a portfolio, on their way through one plugin instance.
struct Batch {
    model: Arc<dyn ForecastModel>,
    portfolio: Arc<Portfolio>,
    range: std::ops::Range<usize>,
    run: PortfolioRun,
    requirements: Requirements,
    missing_days: retailcast_core::MissingDays,
    call: Call,
}

impl Batch {
    fn forecast(&self) -> Vec<Outcome> {
        let series = &self.portfolio.series[self.range.clone()];
        let histories: Vec<Result<History, String>> = series.iter().map(|s| self.history(s)).collect();
        let ready: Vec<&History> = histories.iter().filter_map(|h| h.as_ref().ok()).collect();
        let together = self.fit_predict(&ready);
        let mut outcomes = match together {
            Ok(outcomes) => outcomes,
            // One bad series must not cost the others their forecast: each once more, alone.
            Err(_) if ready.len() > 1 && self.requirements.scope == Scope::Local => ready
                .iter()
                .map(|history| match self.fit_predict(&[history]) {
                    Ok(mut one) => one.remove(0),
                    Err(e) => Err(format!("{}: {e}", e.code())),
                })
                .collect(),
            Err(e) => vec![Err(format!("{}: {e}", e.code())); ready.len()],
        }
        .into_iter();
        histories
            .iter()
            .map(|history| match history {
                Ok(_) => outcomes.next().unwrap_or_else(|| Err("the model gave no result".to_owned())),
                Err(reason) => Err(reason.clone()),
            })
            .collect()
    }

    /// The training part of a series, or why the model cannot use it.
    fn history(&self, series: &PortfolioSeries) -> Result<History, String> {
        let known = series.rows.partition_point(|row| row.day <= self.run.origin);
        let built = Series::build(&series.rows[..known], self.run.origin, self.missing_days)
            .map_err(|e| e.to_string())?;
        if built.len() < self.requirements.min_history {
            return Err(format!(
                "{} needs at least {} observations, found {}",
                self.run.model_type,
                self.requirements.min_history,
                built.len()
            ));
        }
        Ok(History { series: built, exogenous: series.exogenous.clone() })
    }

    fn fit_predict(&self, panel: &[&History]) -> Result<Vec<Outcome>, PluginError> {
        if panel.is_empty() {
            return Ok(Vec::new());
        }
        let input = &self.requirements.input;
        let start = self.run.origin + 1;
        let owned: Vec<History> = panel.iter().map(|history| (*history).clone()).collect();
        let ahead: Vec<Ahead> = owned
            .iter()
            .map(|history| match input {
                Input::Series => Ahead::bare(start),
                Input::Table { features, .. } => Ahead::unchanged(
                    features,
                    &history.series.quantity,
                    start,
                    self.run.horizon,
                    &history.exogenous,
                ),
            })
            .collect();
        let mut session = self.model.session(&self.call)?;
        let data = Arc::new(panel::training_set(input, &owned));
        let fitted = session.fit(&self.run.config.json(), data)?;
        let forecasts = panel::predict(&mut *session, fitted, input, &ahead, self.run.horizon)?;
        Ok((0..panel.len())
            .map(|i| match forecasts.failures.iter().find(|f| f.series == Some(i as u32)) {
                Some(failure) => Err(failure.message.clone()),
                None => Ok(SeriesForecast {
                    points: forecasts.series(i).to_vec(),
                    fallback: forecasts.fallbacks.iter().find(|f| f.0 == i as u32).map(|f| f.1.clone()),
                }),
            })
            .collect())
    }
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
                let ranges = batches(series, &requirements(scope, Input::Series), threads);
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
