//! What the tasks of a job do. A task may be run twice (its worker was lost, its result could not be written): so nothing
//! here counts or appends, and what it gives is recorded once, by whoever holds the lease.

mod portfolio_backtest;
mod portfolio_forecast;
mod series;

use std::time::Instant;

use retailcast_core::Day;
use serde_json::Value;
use sqlx::PgPool;

use super::failure::Failure;
use super::job::JobType;
use super::store::chunks::{self, ChunkResult, SeriesResult};
use super::store::queue::Task;
use crate::slices::backtesting::Backtesting;
use crate::slices::forecasting::portfolio::{Outcome, Portfolio, SeriesForecast};
use crate::slices::forecasting::service::Forecasting;

/// What running jobs needs to know of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunnerSettings {
    /// Series of one chunk.
    pub chunk_series: usize,
}

/// Runs tasks.
#[derive(Debug, Clone)]
pub struct Runner {
    forecasting: Forecasting,
    backtesting: Backtesting,
    pool: PgPool,
    settings: RunnerSettings,
}

/// What a task gave.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Done {
    /// The job's result.
    Result {
        result: Value,
        /// Of a training: id of the model file.
        run_id: Option<String>,
    },
    /// What each chunk covers.
    FanOut(Vec<Value>),
    /// What a chunk gave.
    Chunk(ChunkResult),
}

impl Runner {
    /// Puts the parts together.
    pub fn new(
        forecasting: Forecasting,
        backtesting: Backtesting,
        pool: PgPool,
        settings: RunnerSettings,
    ) -> Self {
        Self { forecasting, backtesting, pool, settings }
    }

    /// Runs a task. When the caller goes away, the work stops.
    pub(super) async fn run(&self, task: &Task) -> Result<Done, Failure> {
        let unknown = || Failure::internal(format!("job type {} has no step {}", task.job_type, task.step));
        let Value::Object(params) = &task.params else { return Err(unknown()) };
        let kind = JobType::named(&task.job_type).ok_or_else(unknown)?;
        match (kind, task.step.as_str()) {
            (JobType::Train, "whole") => self.train(task, params).await,
            (JobType::Predict, "whole") => self.predict(task, params).await,
            (JobType::Backtest, "whole") => self.backtest(task, params).await,
            (JobType::PortfolioForecast, step) => match step {
                "plan" => self.plan_forecast(task, params).await,
                "chunk" => self.forecast_chunk(task, params).await,
                "gather" => self.gather_forecast(task, params).await,
                _ => Err(unknown()),
            },
            (JobType::PortfolioBacktest, step) => match step {
                "plan" => self.plan_backtest(params).await,
                "chunk" => self.backtest_chunk(task, params).await,
                "gather" => self.gather_backtest(task, params).await,
                _ => Err(unknown()),
            },
            _ => Err(unknown()),
        }
    }

    /// Cuts series into chunks, all of about the same size.
    fn cut<'a, T>(&self, series: &'a [T], in_one: bool) -> impl Iterator<Item = &'a [T]> {
        let most = if in_one { series.len() } else { self.settings.chunk_series }.max(1);
        let chunks = series.len().div_ceil(most).max(1);
        series.chunks(series.len().div_ceil(chunks).max(1))
    }

    /// All chunks of a job.
    async fn chunks(&self, task: &Task) -> Result<Vec<(i32, ChunkResult)>, Failure> {
        Ok(chunks::read(&self.pool, task.job, 0, i64::MAX).await?)
    }
}

/// A member of what a chunk covers. The plan wrote it, so that one which does not fit is a defect.
fn covered<T: serde::de::DeserializeOwned>(work: Option<&Value>, name: &str) -> Result<T, Failure> {
    let value = work.and_then(|work| work.get(name)).cloned().unwrap_or_default();
    serde_json::from_value(value).map_err(|e| Failure::internal(format!("the chunk's {name}: {e}")))
}

/// A day of what a chunk covers.
fn covered_day(work: Option<&Value>, name: &str) -> Result<Day, Failure> {
    let text: String = covered(work, name)?;
    text.parse().map_err(|e| Failure::internal(format!("the chunk's {name}: {e}")))
}

/// What models gave, as a chunk keeps it: per series one outcome per origin.
fn chunk_result(
    task: &Task,
    portfolio: &Portfolio,
    outcomes: &[Vec<Outcome>],
    started: Instant,
) -> ChunkResult {
    let mut points = Vec::new();
    let mut series = Vec::with_capacity(outcomes.len());
    for (of, outcomes) in portfolio.series.iter().zip(outcomes) {
        let forecasts = outcomes.iter().filter_map(|outcome| outcome.as_ref().ok());
        points.extend(forecasts.clone().flat_map(|forecast| &forecast.points));
        series.push(SeriesResult {
            store_id: of.key.store_id,
            product_id: of.key.product_id,
            store_code: of.key.store_code.clone(),
            sku: of.key.sku.clone(),
            // NUL is the one character that the database cannot hold.
            failures: outcomes.iter().map(|o| o.as_ref().err().map(|why| why.replace('\0', ""))).collect(),
            fallback: forecasts.clone().find_map(|forecast| forecast.fallback.clone()),
        });
    }
    let mut of = task.work.clone().unwrap_or_default();
    if let Some(work) = of.as_object_mut() {
        // They stand in `series`, with their names.
        work.remove("series");
    }
    ChunkResult { of, series, points, seconds: started.elapsed().as_secs_f64() }
}

/// The outcomes that [`chunk_result`] kept.
fn outcomes(chunk: &ChunkResult, horizon: usize) -> Result<Vec<Vec<Outcome>>, Failure> {
    let mut points = chunk.points.chunks(horizon.max(1));
    let of_series = |series: &SeriesResult| {
        let outcome = |failure: &Option<String>| match failure {
            Some(why) => Ok(Err(why.clone())),
            None => match points.next().filter(|points| points.len() == horizon) {
                Some(points) => {
                    Ok(Ok(SeriesForecast { points: points.to_vec(), fallback: series.fallback.clone() }))
                }
                None => Err(Failure::internal("a chunk has fewer forecasts than it says")),
            },
        };
        series.failures.iter().map(outcome).collect()
    };
    chunk.series.iter().map(of_series).collect()
}

/// Seconds since the job was begun.
fn elapsed(task: &Task) -> std::time::Duration {
    let begun = task.started_at.unwrap_or(task.queued_at);
    (chrono::Utc::now() - begun).to_std().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slices::forecasting::portfolio::{PortfolioSeries, SeriesKey};
    use proptest::prelude::*;
    use retailcast_core::frame::Exogenous;

    fn portfolio(series: usize) -> Portfolio {
        let one = |i: usize| PortfolioSeries {
            key: SeriesKey {
                store_id: i as i32,
                product_id: 1,
                store_code: format!("S{i}"),
                sku: "P".to_owned(),
                category: None,
                launch: None,
            },
            rows: Vec::new(),
            exogenous: Exogenous::default(),
        };
        Portfolio { series: (0..series).map(one).collect(), last_day: None }
    }

    fn task() -> Task {
        Task {
            id: 1,
            job: 1,
            job_id: "a".to_owned(),
            job_type: "portfolio_forecast".to_owned(),
            params: Value::Null,
            step: "chunk".to_owned(),
            chunk: Some(0),
            work: Some(serde_json::json!({"origin": "2024-01-31", "series": [[0, 1]]})),
            attempts: 1,
            lease: 1,
            deadline_at: None,
            queued_at: chrono::DateTime::UNIX_EPOCH,
            started_at: None,
            wanted: true,
        }
    }

    proptest! {
        #[test]
        fn what_a_chunk_keeps_is_what_the_models_gave(
            horizon in 1_usize..5,
            failed in proptest::collection::vec(proptest::collection::vec(any::<bool>(), 3), 0..6),
        ) {
            let mut next = 0.0;
            let mut outcome = |failed: &bool| if *failed { Err("too short".to_owned()) } else {
                next += 0.1;
                Ok(SeriesForecast { points: vec![next; horizon], fallback: None })
            };
            let given: Vec<Vec<Outcome>> =
                failed.iter().map(|windows| windows.iter().map(&mut outcome).collect()).collect();
            let kept = chunk_result(&task(), &portfolio(given.len()), &given, Instant::now());
            prop_assert_eq!(outcomes(&kept, horizon).unwrap(), given);
            prop_assert_eq!(&kept.of, &serde_json::json!({"origin": "2024-01-31"}));
        }
    }

    #[test]
    fn a_chunk_that_lost_numbers_is_noticed() {
        let given = vec![vec![Ok(SeriesForecast { points: vec![1.0, 2.0], fallback: None })]];
        let mut kept = chunk_result(&task(), &portfolio(1), &given, Instant::now());
        kept.points.pop();
        assert_eq!(outcomes(&kept, 2).unwrap_err().error_type, "InternalError");
    }
}
