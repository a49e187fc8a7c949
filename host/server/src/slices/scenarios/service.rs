//! Scenarios.

use std::sync::Arc;

use chrono::{Days, Utc};
use retailcast_core::Day;
use retailcast_runtime::scenario::{Baseline, IntervalBounds};
use retailcast_runtime::{Catalogue, ComputePool, Lane};
use sqlx::PgPool;

use super::assumptions::Assumptions;
use super::comparison::{Comparison, Method, Point, Stock, Subject, adjusted_points, asked_points};
use super::error::ScenarioError;
use super::plan::{NewPlan, Plan, PlanSummary, Provenance};
use super::proposal::Proposed;
use super::ranking::{RankBy, Ranking};
use super::store;
use crate::artifacts::is_run_id;
use crate::compute;
use crate::slices::forecasting::predict;
use crate::slices::forecasting::service::Forecasting;

/// What to simulate.
#[derive(Debug, Clone, PartialEq)]
pub struct SimulateRequest {
    /// Key of the baseline model's artifact, as a train job reports it.
    pub run_id: String,
    /// Days.
    pub horizon: usize,
    /// What is assumed.
    pub assumptions: Assumptions,
}

/// Which plans, and which part of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// Most plans.
    pub limit: i64,
    /// Plans to skip.
    pub offset: i64,
    /// Tags that a plan must have, all of them.
    pub tags: Vec<String>,
}

/// Simulates, and keeps plans.
#[derive(Debug, Clone)]
pub struct Scenarios {
    pool: PgPool,
    forecasting: Forecasting,
    catalogue: Arc<Catalogue>,
    compute: Arc<ComputePool>,
    adjuster: String,
}

impl Scenarios {
    /// Puts the parts together. `adjuster` is the name of the plugin for models that cannot be asked.
    pub fn new(
        pool: PgPool,
        forecasting: Forecasting,
        catalogue: Arc<Catalogue>,
        compute: Arc<ComputePool>,
        adjuster: String,
    ) -> Self {
        Self { pool, forecasting, catalogue, compute, adjuster }
    }

    /// Longest horizon, in days.
    pub fn max_horizon(&self) -> usize {
        self.forecasting.settings().max_horizon
    }

    /// Computes a scenario and stores nothing.
    pub async fn simulate(
        &self,
        request: &SimulateRequest,
        request_id: &str,
    ) -> Result<Comparison, ScenarioError> {
        let SimulateRequest { run_id, horizon, assumptions } = request;
        // Before the store of models sees it.
        if !is_run_id(run_id) {
            return Err(ScenarioError::Key(run_id.clone()));
        }
        let found = self
            .forecasting
            .what_if(run_id, *horizon, assumptions.changes(), request_id)
            .await
            .map_err(|error| ScenarioError::of_artifact(run_id, error))?;
        let (method, points) = match found.changed {
            Some(changed) => (Method::ModelExogenous, asked_points(&found.baseline, &changed)),
            None => (Method::Heuristic, self.adjust(found.baseline, assumptions, request_id).await?),
        };
        let (store_id, product_id) = (found.store_id, found.product_id);
        let unit_price = store::newest_price(&self.pool, store_id, product_id).await?.unwrap_or_else(|| {
            tracing::warn!(
                store_id,
                product_id,
                "no sale tells the unit price; revenue is counted at 1.0 a unit"
            );
            1.0
        });
        let on_hand = assumptions.inventory.map(|inventory| inventory.on_hand_units);
        let subject = Subject { store_id, product_id, model_type: found.model_type };
        Ok(Comparison::new(subject, method, points, Stock { unit_price, on_hand }, Utc::now()))
    }

    async fn adjust(
        &self,
        forecast: Vec<predict::Point>,
        assumptions: &Assumptions,
        request_id: &str,
    ) -> Result<Vec<Point>, ScenarioError> {
        let failed = |error| ScenarioError::Adjuster { name: self.adjuster.clone(), error };
        let adjuster = self.catalogue.adjuster(&self.adjuster).map_err(failed)?;
        let (assumptions, baseline) = (assumptions.for_adjuster(), baseline(&forecast));
        let call = self.forecasting.call(request_id, Day(baseline.start) + -1);
        let lane = Lane::plugin(&self.adjuster);
        let applied = compute::run(&self.compute, &lane, &call.clone(), move || {
            adjuster.adjust(&assumptions, &baseline, &call)
        })
        .await?
        .map_err(failed)?;
        Ok(adjusted_points(forecast, &applied))
    }

    /// Computes a scenario and keeps it as a plan of somebody who called the API.
    pub async fn create(&self, plan: NewPlan, request_id: &str) -> Result<Plan, ScenarioError> {
        self.keep(plan, Provenance::user(), request_id).await
    }

    /// The same as a plan of an agent, which the operator has just approved. `session_id` is the server's own word for the
    /// session, never the agent's.
    pub async fn save(
        &self,
        plan: NewPlan,
        session_id: &str,
        request_id: &str,
    ) -> Result<Plan, ScenarioError> {
        self.keep(plan, Provenance::approved_agent(session_id, Utc::now()), request_id).await
    }

    async fn keep(
        &self,
        plan: NewPlan,
        provenance: Provenance,
        request_id: &str,
    ) -> Result<Plan, ScenarioError> {
        let request = SimulateRequest {
            run_id: plan.run_id.clone(),
            horizon: plan.horizon,
            assumptions: plan.assumptions.clone(),
        };
        let comparison = self.simulate(&request, request_id).await?;
        let plan = Plan {
            scenario_id: uuid::Uuid::new_v4().simple().to_string(),
            name: plan.name,
            run_id: plan.run_id,
            created_at: comparison.generated_at.0,
            assumptions: plan.assumptions,
            comparison,
            tags: plan.tags,
            cloned_from: plan.cloned_from,
            provenance,
        };
        store::insert(&self.pool, &plan).await?;
        self.plan(&plan.scenario_id).await
    }

    /// A saved plan.
    pub async fn plan(&self, scenario_id: &str) -> Result<Plan, ScenarioError> {
        let found = store::plans(&self.pool, &[scenario_id.to_owned()]).await?;
        found.into_iter().next().ok_or_else(|| ScenarioError::UnknownPlans(vec![scenario_id.to_owned()]))
    }

    /// Plans, newest first, and how many have the tags.
    pub async fn plans(&self, listing: &Listing) -> Result<(Vec<PlanSummary>, i64), ScenarioError> {
        Ok(store::page(&self.pool, listing).await?)
    }

    /// Deletes a plan for good.
    pub async fn delete(&self, scenario_id: &str) -> Result<(), ScenarioError> {
        if store::delete(&self.pool, scenario_id).await? {
            Ok(())
        } else {
            Err(ScenarioError::UnknownPlans(vec![scenario_id.to_owned()]))
        }
    }

    /// Ranks saved plans; one that is named twice has two rows.
    pub async fn compare(&self, scenario_ids: &[String], rank_by: RankBy) -> Result<Ranking, ScenarioError> {
        let found = store::plans(&self.pool, scenario_ids).await?;
        let plan = |id: &String| found.iter().find(|plan| plan.scenario_id == *id);
        let mut missing: Vec<String> = Vec::new();
        for id in scenario_ids.iter().filter(|id| plan(id).is_none()) {
            if !missing.contains(id) {
                missing.push(id.clone());
            }
        }
        let plans: Vec<&Plan> = scenario_ids.iter().filter_map(plan).collect();
        match plans.first() {
            Some(first) if missing.is_empty() => Ok(Ranking::new(first, &plans, rank_by)),
            _ => Err(ScenarioError::UnknownPlans(missing)),
        }
    }

    /// What to try for an objective in a person's words, over the days from tomorrow (UTC). Writes nothing.
    pub async fn propose(
        &self,
        store_id: i32,
        product_id: i32,
        horizon: usize,
        objective: &str,
    ) -> Result<Proposed, ScenarioError> {
        let facts = store::pair_facts(&self.pool, store_id, product_id).await?;
        let tomorrow = Utc::now().date_naive() + Days::new(1);
        Ok(Proposed::new((store_id, product_id), horizon, objective, tomorrow, facts))
    }
}

/// The forecast as an adjuster takes it. All days have the same levels, in the same order.
fn baseline(forecast: &[predict::Point]) -> Baseline {
    let levels = forecast.first().map_or(0, |point| point.intervals.len());
    let bounds = |at: usize| IntervalBounds {
        level: forecast[0].intervals[at].level / 100.0,
        lower: forecast.iter().map(|point| point.intervals[at].lower).collect(),
        upper: forecast.iter().map(|point| point.intervals[at].upper).collect(),
    };
    Baseline {
        start: forecast.first().map_or(0, |point| point.day.0),
        points: forecast.iter().map(|point| point.forecast).collect(),
        intervals: (0..levels).map(bounds).collect(),
    }
}
