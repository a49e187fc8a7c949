//! Explanations.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use retailcast_core::{Day, MissingDays, Series};
use retailcast_runtime::explain::{Explainer, Explanation, Subject};
use retailcast_runtime::{Catalogue, ComputePool, Lane};
use serde_json::{Map, Value};
use sqlx::PgPool;

use super::error::ExplainError;
use super::{artifact, store, wire};
use crate::artifacts::Bundle;
use crate::compute;
use crate::http::fields;
use crate::jobs::{Job, Jobs};
use crate::slices::forecasting::error::ForecastError;
use crate::slices::forecasting::fitted::{FitRequest, Fitted};
use crate::slices::forecasting::predict::missing_days;
use crate::slices::forecasting::service::Forecasting;
use crate::slices::registry::{Registry, Run};

/// A hundred years: filled days cost memory, and a mistyped year asks for millions of them.
const LONGEST_SPAN: i64 = 36_525;

/// What to explain: the forecast of the day after `as_of`.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The series.
    pub store_id: i32,
    /// The series.
    pub product_id: i32,
    /// Model type.
    pub model_type: String,
    /// Its configuration, as far as it is known.
    pub config: Map<String, Value>,
    /// Cutoff: nothing later may have a part in it.
    pub as_of: NaiveDate,
}

/// An explanation and what it is about.
#[derive(Debug, Clone, PartialEq)]
pub struct Explained {
    /// The series.
    pub store_id: i32,
    /// The series.
    pub product_id: i32,
    /// Model type.
    pub model_type: String,
    /// The cutoff.
    pub as_of: NaiveDate,
    /// What the explainer said.
    pub said: Explanation,
    /// When.
    pub generated_at: DateTime<Utc>,
}

/// A row of the trail.
pub(super) struct Kept<'a> {
    pub(super) explained: &'a Explained,
    pub(super) run_id: Option<&'a str>,
    pub(super) job_id: Option<&'a str>,
    pub(super) drivers: Value,
    pub(super) reason_codes: Value,
}

/// What was explained beside a series.
#[derive(Debug, Clone, Copy, Default)]
struct Origin<'a> {
    run_id: Option<&'a str>,
    job_id: Option<&'a str>,
}

/// The plugin that explains a model type, and the fitted model when it wants one.
struct Explaining {
    explainer: Arc<dyn Explainer>,
    fitted: Option<Fitted>,
}

/// Explains forecasts.
#[derive(Debug, Clone)]
pub struct Explanations {
    pool: PgPool,
    catalogue: Arc<Catalogue>,
    compute: Arc<ComputePool>,
    pub(super) forecasting: Forecasting,
    pub(super) registry: Registry,
    jobs: Jobs,
}

impl Explanations {
    /// Puts the parts together.
    pub fn new(
        pool: PgPool,
        catalogue: Arc<Catalogue>,
        compute: Arc<ComputePool>,
        forecasting: Forecasting,
        registry: Registry,
        jobs: Jobs,
    ) -> Self {
        Self { pool, catalogue, compute, forecasting, registry, jobs }
    }

    /// The plugins.
    pub(super) fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// Explains what a model would forecast. One that has to be fitted for it is so with its default configuration.
    pub async fn forecast(&self, request: Request, request_id: &str) -> Result<Explained, ExplainError> {
        let policy = self.forecasting.settings().missing_days;
        let (explainer, needs_fitted) = self.explainer(&request.model_type)?;
        let fitted =
            if needs_fitted { Some(self.fit(&request, Map::new(), None, request_id).await?) } else { None };
        self.explain(request, Explaining { explainer, fitted }, policy, Origin::default(), request_id).await
    }

    /// Explains the forecast of a registered run, in whatever state it is.
    pub async fn run(&self, run_id: &str, request_id: &str) -> Result<Explained, ExplainError> {
        let run = self.registry.run(run_id).await?;
        let run = run.ok_or_else(|| ExplainError::UnknownRun(run_id.to_owned()))?;
        let request = Request {
            store_id: run.store_id,
            product_id: run.product_id,
            model_type: run.model_type.clone(),
            config: lengths(run.model_config.clone()),
            as_of: run.data_window_end,
        };
        let policy = self.forecasting.settings().missing_days;
        let (explainer, needs_fitted) = self.explainer(&request.model_type)?;
        let fitted =
            if needs_fitted { Some(self.fitted_of_run(&run, &request, request_id).await?) } else { None };
        let origin = Origin { run_id: Some(&run.run_id), job_id: None };
        self.explain(request, Explaining { explainer, fitted }, policy, origin, request_id).await
    }

    /// The model of the run's artifact; one that has none yet is fitted as the run says.
    async fn fitted_of_run(
        &self,
        run: &Run,
        request: &Request,
        request_id: &str,
    ) -> Result<Fitted, ExplainError> {
        let Some(uri) = &run.artifact_uri else {
            let start = Some(run.data_window_start);
            return self.fit(request, run.model_config.clone(), start, request_id).await;
        };
        let bundle = self.artifact(uri, run.artifact_hash.as_deref()).await?;
        artifact::check(&bundle, request)?;
        Ok(self.forecasting.fitted(bundle, request_id).await?)
    }

    /// Fits the model on the days up to the cutoff. No days are too few days.
    async fn fit(
        &self,
        request: &Request,
        config: Map<String, Value>,
        start: Option<NaiveDate>,
        request_id: &str,
    ) -> Result<Fitted, ExplainError> {
        let fit = FitRequest {
            store_id: request.store_id,
            product_id: request.product_id,
            model_type: request.model_type.clone(),
            config,
            start,
            end: request.as_of,
        };
        Ok(self.forecasting.fit_unkept(fit, request_id).await?)
    }

    /// Explains the first forecast of a completed predict job.
    pub async fn job(&self, job_id: &str, request_id: &str) -> Result<Explained, ExplainError> {
        let job = self.jobs.get(job_id).await?.ok_or_else(|| ExplainError::UnknownJob(job_id.to_owned()))?;
        let (Some(Value::Object(result)), "predict", "completed") =
            (&job.result, job.job_type.as_str(), job.status.as_str())
        else {
            return Err(ExplainError::OtherJob { job_type: job.job_type, status: job.status });
        };
        let bundle = self.bundle_of_job(&job).await?;
        let config = bundle.as_ref().map(|bundle| lengths(bundle.config.clone())).unwrap_or_default();
        let request = of_result(result, config)?;
        let trained = bundle.as_ref().map(missing_days).transpose().map_err(ForecastError::from)?;
        let told = result.get("missing_days").and_then(Value::as_str).and_then(|name| name.parse().ok());
        let policy = trained.or(told).unwrap_or(self.forecasting.settings().missing_days);
        let (explainer, needs_fitted) = self.explainer(&request.model_type)?;
        let fitted = match bundle {
            _ if !needs_fitted => None,
            None => return Err(ExplainError::ModelGone { model_type: request.model_type }),
            Some(bundle) => {
                artifact::check(&bundle, &request)?;
                Some(self.forecasting.fitted(bundle, request_id).await?)
            }
        };
        let origin = Origin { run_id: None, job_id: Some(&job.job_id) };
        self.explain(request, Explaining { explainer, fitted }, policy, origin, request_id).await
    }

    /// The model file that a job forecast from, if it is still there.
    async fn bundle_of_job(&self, job: &Job) -> Result<Option<Bundle>, ExplainError> {
        match job.params.get("run_id").and_then(Value::as_str) {
            Some(run_id) => Ok(self.forecasting.trained(run_id).await?),
            None => Ok(None),
        }
    }

    async fn explain(
        &self,
        request: Request,
        Explaining { explainer, fitted }: Explaining,
        policy: MissingDays,
        origin: Origin<'_>,
        request_id: &str,
    ) -> Result<Explained, ExplainError> {
        let pair = (request.store_id, request.product_id);
        let history = self.history(pair, request.as_of, policy).await?;
        let signals = store::signals(&self.pool, pair, request.as_of).await?;
        let (model, config) = match fitted {
            Some(fitted) => (Some(fitted.model), fitted.config),
            None => (None, Value::Object(request.config).to_string()),
        };
        let subject = Subject {
            store_id: request.store_id,
            product_id: request.product_id,
            model_type: request.model_type.clone(),
            config,
            as_of: Day::from_date(request.as_of).0,
        };
        let call = self.forecasting.call(request_id, Day(subject.as_of));
        let name = explainer.description().name.clone();
        let said = compute::run(&self.compute, &Lane::plugin(&name), &call.clone(), move || {
            explainer.explain(&subject, &history, &signals, model.as_ref(), &call)
        })
        .await?
        .map_err(|error| ExplainError::Explainer { name, error })?;
        let answer = Explained {
            store_id: pair.0,
            product_id: pair.1,
            model_type: request.model_type,
            as_of: request.as_of,
            said,
            generated_at: Utc::now(),
        };
        let kept = Kept {
            explained: &answer,
            run_id: origin.run_id,
            job_id: origin.job_id,
            drivers: wire::drivers_json(&answer.said),
            reason_codes: wire::reasons_json(&answer.said),
        };
        store::insert(&self.pool, &kept).await?;
        Ok(answer)
    }

    /// What explains a model type, and whether it wants a fitted model. Asked before anything is read.
    fn explainer(&self, model_type: &str) -> Result<(Arc<dyn Explainer>, bool), ExplainError> {
        let explainer =
            self.catalogue.explainer_of(model_type).ok_or_else(|| ExplainError::NotExplained {
                model_type: model_type.to_owned(),
                explained: self.catalogue.explained_models(),
            })?;
        let needs_fitted =
            explainer.models().iter().any(|model| model.model_type == model_type && model.needs_fitted);
        Ok((explainer, needs_fitted))
    }

    /// Units sold up to the cutoff, oldest first; none for a pair without sales.
    async fn history(
        &self,
        pair: (i32, i32),
        as_of: NaiveDate,
        policy: MissingDays,
    ) -> Result<Vec<f64>, ExplainError> {
        let rows = store::sales(&self.pool, pair, as_of).await?;
        let Some(first) = rows.first() else { return Ok(Vec::new()) };
        let days = (as_of - first.day.date()).num_days() + 1;
        if days > LONGEST_SPAN {
            return Err(ExplainError::TooLong {
                from: first.day.to_string(),
                to: as_of.to_string(),
                days,
                most: LONGEST_SPAN,
            });
        }
        Ok(Series::build(&rows, Day::from_date(as_of), policy)?.quantity)
    }
}

/// A stored configuration: a season or window that is null, 0 or no integer counts as absent.
fn lengths(mut config: Map<String, Value>) -> Map<String, Value> {
    for name in ["season_length", "window_size"] {
        let usable = config.get(name).and_then(Value::as_i64).is_some_and(|length| length != 0);
        if !usable {
            config.remove(name);
        }
    }
    config
}

/// What a predict job forecast.
fn of_result(result: &Map<String, Value>, config: Map<String, Value>) -> Result<Request, ExplainError> {
    let id = |name: &str, missing| {
        let id = result.get(name).and_then(Value::as_i64).and_then(|id| i32::try_from(id).ok());
        id.ok_or(ExplainError::Result(missing))
    };
    let first = result.get("forecasts").and_then(Value::as_array).and_then(|forecasts| forecasts.first());
    let first = first.ok_or(ExplainError::Result("it has no forecasts"))?;
    let store_id = id("store_id", "it names no store")?;
    let product_id = id("product_id", "it names no product")?;
    let model_type = result.get("model_type").and_then(Value::as_str);
    let model_type = model_type.ok_or(ExplainError::Result("it names no model"))?.to_owned();
    let date = first.get("date").and_then(Value::as_str);
    let date = date.and_then(|text| fields::parse_date(text).ok()).and_then(|date| date.pred_opt());
    let as_of = date.ok_or(ExplainError::Result("its first forecast has no usable date"))?;
    Ok(Request { store_id, product_id, model_type, config, as_of })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        let Value::Object(members) = value else { panic!("an object") };
        members
    }

    #[test]
    fn lengths_that_say_nothing_are_left_out() {
        for unusable in [json!(null), json!(0), json!("7"), json!(7.5), json!(true)] {
            assert!(lengths(object(json!({"season_length": unusable}))).is_empty(), "{unusable}");
        }
        // A negative one is refused later.
        let kept = object(json!({"season_length": 14, "window_size": -3, "model_type": "naive"}));
        assert_eq!(lengths(kept.clone()), kept);
    }

    #[test]
    fn a_result_has_to_say_what_was_forecast() {
        let whole = object(json!({"store_id": 3, "product_id": 17, "model_type": "naive",
                                  "forecasts": [{"date": "2026-03-15", "forecast": 12.0}]}));
        let request = of_result(&whole, Map::new()).unwrap();
        assert_eq!(
            (request.store_id, request.product_id, request.as_of.to_string()),
            (3, 17, "2026-03-14".to_owned())
        );
        for missing in ["store_id", "product_id", "model_type", "forecasts"] {
            let mut part = whole.clone();
            part.remove(missing);
            assert!(of_result(&part, Map::new()).is_err(), "{missing}");
        }
        let bad = object(
            json!({"store_id": 3, "product_id": 17, "model_type": "naive", "forecasts": [{"date": "soon"}]}),
        );
        assert!(matches!(of_result(&bad, Map::new()), Err(ExplainError::Result(_))));
    }
}
