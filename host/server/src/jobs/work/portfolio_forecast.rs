//! Job `portfolio_forecast`: fits a model on every series of a selection and forecasts. The forecasts stay in the chunks,
//! where `GET /jobs/{job_id}/forecasts` reads them; the job's result is their summary.

use std::sync::Arc;
use std::time::Instant;

use retailcast_core::Day;
use retailcast_core::config_schema::{FieldError, NormalisedConfig};
use retailcast_runtime::Scope;
use serde_json::{Map, Value, json};

use super::super::failure::Failure;
use super::super::store::queue::Task;
use super::{Done, Runner, chunk_result, covered, covered_day};
use crate::http::fields::{self, Fields};
use crate::slices::backtesting::portfolio::{PortfolioError, read_selection};
use crate::slices::forecasting::portfolio::{Origin, Plan, PortfolioRun, Selection};
use crate::slices::forecasting::read_config;

/// Failed series that the summary names.
const NAMED: usize = 100;

/// What to forecast.
struct Order {
    selection: Selection,
    model_type: String,
    config: NormalisedConfig,
    horizon: usize,
    /// The forecast origin; none: the last day with any selected sale.
    end: Option<Day>,
}

impl Runner {
    fn forecast_order(&self, params: &Map<String, Value>) -> Result<Order, Failure> {
        let settings = self.forecasting.settings();
        let mut fields = Fields::of(params);
        let selection = read_selection(&mut fields);
        let config =
            fields.nested("config", |value| read_config(value, "config", self.forecasting.catalogue()));
        let horizon = fields.nullable("horizon", fields::lax_int(1, settings.max_horizon as i64));
        let end = fields.nullable("end_date", fields::date);
        fields.forbid_others(&["stores", "skus", "categories", "config", "horizon", "end_date"]);
        let order = config.map(|(model_type, config)| Order {
            selection,
            model_type,
            config,
            horizon: horizon.map_or(settings.default_horizon, |days| days as usize),
            end: end.map(Day::from_date),
        });
        fields.finish(order).map_err(|errors: Vec<FieldError>| Failure::invalid(&errors))
    }

    pub(super) async fn plan_forecast(
        &self,
        task: &Task,
        params: &Map<String, Value>,
    ) -> Result<Done, Failure> {
        let order = self.forecast_order(params)?;
        self.forecasting.check_enabled(&order.model_type)?;
        let keys = self.forecasting.series_of(&order.selection).await?;
        let last = match order.end {
            Some(end) => Some(end),
            None => self.forecasting.last_day_of(&keys).await?,
        };
        let origin = last.ok_or(PortfolioError::NothingSelected)?;
        let model = self.forecasting.model(&order.model_type)?;
        let call = self.forecasting.call(&task.job_id, origin);
        let requirements = self.forecasting.requirements(&model, &order.config, &call).await?;
        let pairs: Vec<(i32, i32)> = keys.iter().map(|key| (key.store_id, key.product_id)).collect();
        let chunk = |pairs: &[(i32, i32)]| json!({"origin": origin.to_string(), "series": pairs});
        // A model that learns across series needs them all.
        Ok(Done::FanOut(self.cut(&pairs, requirements.scope == Scope::Global).map(chunk).collect()))
    }

    pub(super) async fn forecast_chunk(
        &self,
        task: &Task,
        params: &Map<String, Value>,
    ) -> Result<Done, Failure> {
        let started = Instant::now();
        let order = self.forecast_order(params)?;
        let work = task.work.as_ref();
        let (origin, pairs) = (covered_day(work, "origin")?, covered::<Vec<(i32, i32)>>(work, "series")?);
        let portfolio = Arc::new(self.forecasting.load_pairs(&pairs, Some(origin)).await?);
        let run = PortfolioRun {
            model_type: order.model_type,
            config: order.config,
            origins: vec![Origin { train_start: None, day: origin }],
            horizon: order.horizon,
            plan: Plan::Unchanged,
        };
        let forecast = self.forecasting.forecast_portfolio(&portfolio, &run, |_| {}).await?;
        let outcomes: Vec<_> = forecast.series.into_iter().map(|outcome| vec![outcome]).collect();
        Ok(Done::Chunk(chunk_result(task, &portfolio, &outcomes, started)))
    }

    pub(super) async fn gather_forecast(
        &self,
        task: &Task,
        params: &Map<String, Value>,
    ) -> Result<Done, Failure> {
        let order = self.forecast_order(params)?;
        let chunks = self.chunks(task).await?;
        let origin = covered_day(chunks.first().map(|(_, chunk)| &chunk.of), "origin")?;
        let series: Vec<_> = chunks.iter().flat_map(|(_, chunk)| &chunk.series).collect();
        let failed = || series.iter().filter_map(|s| Some((s, s.failures.iter().flatten().next()?)));
        let failures: Vec<_> = failed()
            .take(NAMED)
            .map(|(s, why)| json!({"store_code": s.store_code, "sku": s.sku, "reason": why}))
            .collect();
        let count = failed().count();
        if series.is_empty() {
            return Err(PortfolioError::NothingSelected.into());
        }
        if count == series.len() {
            let first = failed().next().map(|(_, why)| why.clone()).unwrap_or_default();
            return Err(Failure::value(format!("no series could be forecast; the first reason: {first}")));
        }
        Ok(Done::Result {
            result: json!({
                "model_type": order.model_type,
                "config_hash": order.config.hash(),
                "missing_days": self.forecasting.settings().missing_days.name(),
                "origin": origin.to_string(),
                "horizon": order.horizon,
                "series_count": series.len(),
                "series_forecast": series.len() - count,
                "series_failed": count,
                "failures": failures,
                "forecasts": format!("/jobs/{}/forecasts", task.job_id),
                "chunks": chunks.len(),
                "compute_seconds": chunks.iter().map(|(_, chunk)| chunk.seconds).sum::<f64>(),
                "duration_ms": super::elapsed(task).as_secs_f64() * 1e3,
            }),
            run_id: None,
        })
    }
}
