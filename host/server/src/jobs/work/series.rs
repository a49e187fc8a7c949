//! Jobs on one series: train, predict, backtest.

use std::time::{Duration, Instant};

use retailcast_core::backtest::improvement;
use retailcast_core::config_schema::FieldError;
use retailcast_core::metrics::{Metric, Metrics};
use serde_json::{Map, Value, json};
use tokio::sync::watch;

use super::super::failure::Failure;
use super::super::params::Params;
use super::super::store::queue::{self, Task};
use super::{Done, Runner};
use crate::artifacts;
use crate::slices::backtesting::{self, Backtest, BacktestRequest};
use crate::slices::forecasting::error::ForecastError;
use crate::slices::forecasting::service::TrainRequest;

impl Runner {
    pub(super) async fn train(&self, task: &Task, params: &Map<String, Value>) -> Result<Done, Failure> {
        let started = Instant::now();
        let params = Params(params);
        let window = params.window()?;
        let (model_type, config) = params.model(self.forecasting.catalogue())?;
        let request = TrainRequest { window, model_type, config, calibration: None };
        let trained = self.forecasting.train(request.clone(), &task.job_id).await?;
        let run_id = artifacts::run_id(&trained.model_path)
            .ok_or_else(|| Failure::internal("the model file has no id in its name"))?;
        Ok(Done::Result {
            result: json!({
                "run_id": run_id,
                "model_type": request.model_type,
                "model_path": trained.model_path,
                "config_hash": trained.config_hash,
                "n_observations": trained.n_observations,
                "train_start_date": window.start.to_string(),
                "train_end_date": window.end.to_string(),
                "store_id": window.store_id,
                "product_id": window.product_id,
                "duration_ms": milliseconds(started),
            }),
            run_id: Some(run_id.to_owned()),
        })
    }

    pub(super) async fn predict(&self, task: &Task, params: &Map<String, Value>) -> Result<Done, Failure> {
        let started = Instant::now();
        let params = Params(params);
        let run_id = params.run_id()?;
        let settings = self.forecasting.settings();
        let horizon = params.horizon(14.min(settings.max_horizon), settings.max_horizon)?;
        if !artifacts::is_run_id(run_id) {
            return Err(Failure::not_found(run_id));
        }
        let predicted = self.forecasting.predict_run(run_id, horizon, &task.job_id).await;
        let (store_id, product_id, predicted) = predicted.map_err(|error| match error {
            ForecastError::Path(_) => Failure::not_found(run_id),
            error => error.into(),
        })?;
        let point = |point: &crate::slices::forecasting::predict::Point| {
            json!({
                "date": point.day.to_string(),
                "forecast": point.forecast,
                "lower_bound": point.bounds.map(|(lower, _)| lower),
                "upper_bound": point.bounds.map(|(_, upper)| upper),
            })
        };
        Ok(Done::Result {
            result: json!({
                "store_id": store_id,
                "product_id": product_id,
                "model_type": predicted.model_type,
                "horizon": horizon,
                "forecasts": predicted.points.iter().map(point).collect::<Vec<_>>(),
                "duration_ms": milliseconds(started),
            }),
            run_id: None,
        })
    }

    pub(super) async fn backtest(&self, task: &Task, params: &Map<String, Value>) -> Result<Done, Failure> {
        let started = Instant::now();
        let given = Params(params);
        let window = given.window()?;
        let (model_type, config) = given.model(self.forecasting.catalogue())?;
        let request =
            BacktestRequest { window, split: split(params)?, model_type, config, include_baselines: true };
        let (sender, receiver) = watch::channel((0, 1));
        let each = move |done, of| {
            sender.send_replace((done, of));
        };
        let backtest = tokio::select! {
            backtest = self.backtesting.run_told(request, &task.job_id, each) => backtest?,
            () = self.tell(task, receiver) => return Err(Failure::internal("nobody waits for the backtest")),
        };
        Ok(Done::Result { result: backtest_result(&backtest, milliseconds(started)), run_id: None })
    }
}

impl Runner {
    /// Tells how far a backtest is, not more often than anybody could read it. Does not end.
    async fn tell(&self, task: &Task, mut folds: watch::Receiver<(usize, usize)>) {
        while folds.changed().await.is_ok() {
            let (done, of) = *folds.borrow_and_update();
            let message = format!("{done} of {of} fits done");
            let share = 0.99 * done as f64 / of as f64;
            if let Err(error) = queue::progress(&self.pool, task, share, &message).await {
                tracing::debug!(%error, "progress is not told");
            }
            tokio::time::sleep(TELL).await;
        }
        // The work has ended, and its result is awaited beside this.
        std::future::pending::<()>().await;
    }
}

/// Shortest time between two notes of progress.
const TELL: Duration = Duration::from_millis(500);

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

/// The names that a job has for what a split calls otherwise.
const SPLIT: [(&str, &str); 3] = [("n_splits", "n_splits"), ("test_size", "horizon"), ("gap", "gap")];

fn split(params: &Map<String, Value>) -> Result<retailcast_core::backtest::SplitConfig, Failure> {
    let member = |(own, theirs): &(&str, &str)| Some(((*theirs).to_owned(), params.get(*own)?.clone()));
    let members: Map<String, Value> = SPLIT.iter().filter_map(member).collect();
    backtesting::read_split(&Value::Object(members)).map_err(|errors| {
        let renamed = |error: FieldError| {
            let name = error.field.rsplit('.').next().unwrap_or_default();
            let own = SPLIT.iter().find(|(_, theirs)| *theirs == name).map_or(name, |(own, _)| own);
            FieldError { field: own.to_owned(), ..error }
        };
        Failure::invalid(&errors.into_iter().map(renamed).collect::<Vec<_>>())
    })
}

/// The contract's summary. What is not a number is 0.0 in it, not null.
fn backtest_result(backtest: &Backtest, duration_ms: f64) -> Value {
    let main = &backtest.main;
    let mean = &main.summary.mean;
    let folds = main.folds.iter().zip(1..).map(|(fold, number)| {
        let Metrics { mae, smape, wape, bias, .. } = fold.score.metrics;
        json!({"fold": number, "mae": finite(mae), "smape": finite(smape), "wape": finite(wape), "bias": finite(bias)})
    });
    let mut result = json!({
        "backtest_id": backtest.id,
        "model_type": main.model_type,
        "n_splits": main.folds.len(),
        "aggregated_metrics": {
            "mae_mean": finite(mean.mae),
            "smape_mean": finite(mean.smape),
            "wape_mean": finite(mean.wape),
            "bias_mean": finite(mean.bias),
            "stability_index": finite(main.summary.stability.wape),
        },
        "fold_metrics": folds.collect::<Vec<_>>(),
    });
    let baselines = backtest.baselines.as_deref().unwrap_or_default();
    if !baselines.is_empty() {
        let compared = baselines.iter().map(|baseline| {
            let mae = baseline.summary.mean.mae;
            let better = improvement(Metric::Mae, mean.mae, mae).unwrap_or(0.0);
            let row = json!({"mae": finite(mae), "improvement_pct": finite(better)});
            (baseline.model_type.clone(), row)
        });
        result["baseline_comparison"] = Value::Object(compared.collect());
    }
    result["duration_ms"] = json!(duration_ms);
    result
}

fn finite(number: f64) -> f64 {
    if number.is_finite() { number } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_split_is_refused_under_the_names_of_the_job() {
        let read = |params: Value| split(params.as_object().unwrap());
        let fitting = read(json!({"n_splits": 2, "test_size": 7, "gap": 1, "season_length": 0})).unwrap();
        assert_eq!((fitting.n_splits, fitting.horizon, fitting.gap, fitting.min_train_size), (2, 7, 1, 30));
        let usual = read(json!({})).unwrap();
        assert_eq!((usual.n_splits, usual.horizon, usual.gap), (5, 14, 0));
        for (params, name) in [
            (json!({"test_size": 0}), "test_size"),
            (json!({"test_size": "many"}), "test_size"),
            (json!({"n_splits": 1}), "n_splits"),
            (json!({"gap": null}), "gap"),
            (json!({"test_size": 3, "gap": 3}), "test_size"),
        ] {
            let failure = read(params.clone()).unwrap_err();
            assert_eq!(failure.error_type, "ValidationError", "{params}");
            assert!(failure.message.starts_with(name), "{failure:?}");
        }
    }
}
