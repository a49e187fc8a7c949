//! Bodies, query and answers of `/scenarios`.

use retailcast_core::config_schema::FieldError;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use super::assumptions::{self, Assumptions};
use super::comparison::{Comparison, CoverageVerdict, Method};
use super::plan::{NewPlan, Plan, PlanSummary, Provenance};
use super::ranking::{RankBy, RankedPlan, Ranking};
use super::service::{Listing, SimulateRequest};
use crate::http::fields::{self, Fields};
use crate::http::query::{self, Query};
use crate::http::{Problem, Timestamp};

/// What to simulate.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes the body, which is read field by field")]
#[schema(as = SimulateScenarioRequest, example = json!({"run_id": "0a1b2c3d4e5f", "horizon": 4, "assumptions": {
    "price": {"change_pct": -0.15, "start_date": "2026-07-01", "end_date": "2026-07-03"}}}))]
pub(super) struct SimulateBody {
    /// Key of the baseline model's artifact: the `run_id` that a train job reports, not that of a registered run.
    #[schema(min_length = 1, max_length = 64)]
    run_id: String,
    /// Days, at most `forecast.max_horizon`.
    #[schema(minimum = 1, maximum = 90)]
    horizon: i32,
    /// Nothing changes when absent.
    #[schema(required = false)]
    assumptions: Assumptions,
    /// A label of the client's; it is not used.
    #[schema(max_length = 200)]
    name: Option<String>,
}

/// The three members that every scenario has; `assumptions` come later in the order of members.
fn run_id<'v>(fields: &mut Fields<'v>) -> Option<&'v str> {
    fields.required("run_id", fields::text(1, 64))
}

fn horizon(fields: &mut Fields<'_>, most: usize) -> Option<usize> {
    let horizon = fields.required("horizon", fields::strict_int(1, most as i64))?;
    usize::try_from(horizon).ok()
}

fn assumed(fields: &mut Fields<'_>) -> Assumptions {
    let read = |value| assumptions::read(value, "assumptions");
    fields.optional_nested("assumptions", read).unwrap_or_default()
}

/// Reads the body of simulate.
pub(super) fn read_simulate(
    body: &Map<String, Value>,
    max_horizon: usize,
) -> Result<SimulateRequest, Vec<FieldError>> {
    let mut fields = Fields::of(body);
    let run_id = run_id(&mut fields);
    let horizon = horizon(&mut fields, max_horizon);
    let assumptions = assumed(&mut fields);
    // Read for its bounds alone.
    fields.nullable("name", fields::text(0, 200));
    let request = (|| Some(SimulateRequest { run_id: run_id?.to_owned(), horizon: horizon?, assumptions }))();
    fields.finish(request)
}

/// A plan to save.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes the body, which is read field by field")]
#[schema(as = CreateScenarioRequest, example = json!({"name": "July push", "run_id": "0a1b2c3d4e5f", "horizon": 4,
    "assumptions": {"price": {"change_pct": -0.15, "start_date": "2026-07-01", "end_date": "2026-07-03"}},
    "tags": ["q3", "promo"]}))]
pub(super) struct CreateBody {
    /// Need not be unique.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// Key of the baseline model's artifact: the `run_id` that a train job reports, not that of a registered run.
    #[schema(min_length = 1, max_length = 64)]
    run_id: String,
    /// Days, at most `forecast.max_horizon`.
    #[schema(minimum = 1, maximum = 90)]
    horizon: i32,
    /// Nothing changes when absent.
    #[schema(required = false)]
    assumptions: Assumptions,
    /// Kept as given.
    #[schema(required = false, max_items = 20)]
    tags: Vec<String>,
    /// `scenario_id` of the plan that this one was copied from; need not exist.
    #[schema(max_length = 32)]
    cloned_from: Option<String>,
}

/// Reads the body of create; also the input of an agent that saves a plan.
pub fn read_create(body: &Map<String, Value>, max_horizon: usize) -> Result<NewPlan, Vec<FieldError>> {
    let mut fields = Fields::of(body);
    let name = fields.required("name", fields::text(1, 200));
    let run_id = run_id(&mut fields);
    let horizon = horizon(&mut fields, max_horizon);
    let assumptions = assumed(&mut fields);
    let tags = fields.items_within("tags", (0, 20), fields::text(0, usize::MAX)).unwrap_or_default();
    let cloned_from = fields.nullable("cloned_from", fields::text(0, 32));
    let plan = (|| {
        Some(NewPlan {
            name: name?.to_owned(),
            run_id: run_id?.to_owned(),
            horizon: horizon?,
            assumptions,
            tags: tags.into_iter().map(str::to_owned).collect(),
            cloned_from: cloned_from.map(str::to_owned),
        })
    })();
    fields.finish(plan)
}

/// Which plans.
#[derive(Debug, IntoParams)]
#[allow(dead_code, reason = "describes the query string, which is read value by value")]
#[into_params(parameter_in = Query)]
pub(super) struct PlansQuery {
    /// Most plans.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i64>,
    /// Plans to skip.
    #[param(minimum = 0, default = 0)]
    offset: Option<i64>,
    /// Tags that a plan must have, all of them: `?tags=a&tags=b`. Exact.
    #[param(explode)]
    tags: Option<Vec<String>>,
}

/// Reads the query of plans.
pub(super) fn read_plans(query: &Query) -> Result<Listing, Problem> {
    let mut fields = query.fields();
    let limit = fields.or("limit", 20, query::int(1, 100));
    let offset = fields.or("offset", 0, query::int(0, i64::MAX));
    let tags = fields.every("tags", fields::text(0, usize::MAX));
    let listing = (|| {
        Some(Listing { limit: limit?, offset: offset?, tags: tags?.into_iter().map(str::to_owned).collect() })
    })();
    fields.finish(listing)
}

/// Where a plan comes from.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ScenarioProvenance)]
struct ProvenanceBody {
    /// `user`, or `agent` for plans that an agent saved.
    #[schema(pattern = "^(user|agent)$")]
    source: &'static str,
    #[schema(required)]
    agent_session_id: Option<String>,
    #[schema(required)]
    approved_by: Option<String>,
    #[schema(required)]
    approved_at: Option<Timestamp>,
    /// `approved` or `rejected`.
    #[schema(required)]
    approval_decision: Option<String>,
}

impl From<Provenance> for ProvenanceBody {
    fn from(from: Provenance) -> Self {
        Self {
            source: from.source.name(),
            agent_session_id: from.agent_session_id,
            approved_by: from.approved_by,
            approved_at: from.approved_at.map(Timestamp),
            approval_decision: from.approval_decision,
        }
    }
}

/// A saved plan.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ScenarioPlanResponse)]
pub struct PlanBody {
    /// 32 hex digits.
    scenario_id: String,
    name: String,
    store_id: i32,
    product_id: i32,
    /// Key of the baseline model's artifact.
    run_id: String,
    horizon: usize,
    #[schema(inline)]
    method: Method,
    created_at: Timestamp,
    /// As they came, all members, null where nothing was assumed.
    assumptions: Assumptions,
    /// As it was computed when the plan was saved.
    comparison: Comparison,
    tags: Vec<String>,
    #[schema(required)]
    cloned_from: Option<String>,
    #[serde(flatten)]
    provenance: ProvenanceBody,
}

impl From<Plan> for PlanBody {
    fn from(plan: Plan) -> Self {
        Self {
            scenario_id: plan.scenario_id,
            name: plan.name,
            store_id: plan.comparison.store_id,
            product_id: plan.comparison.product_id,
            run_id: plan.run_id,
            horizon: plan.comparison.horizon,
            method: plan.comparison.method,
            created_at: plan.created_at.into(),
            assumptions: plan.assumptions,
            comparison: plan.comparison,
            tags: plan.tags,
            cloned_from: plan.cloned_from,
            provenance: plan.provenance.into(),
        }
    }
}

/// A plan in a list.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ScenarioListItem)]
pub(super) struct PlanItem {
    scenario_id: String,
    name: String,
    store_id: i32,
    product_id: i32,
    horizon: i32,
    units_delta: f64,
    revenue_delta: f64,
    created_at: Timestamp,
    tags: Vec<String>,
    #[serde(flatten)]
    provenance: ProvenanceBody,
}

/// A part of the list of plans.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ScenarioListResponse)]
pub(super) struct PlanPage {
    scenarios: Vec<PlanItem>,
    /// Plans with the tags, on whichever page.
    total: i64,
}

impl PlanPage {
    pub(super) fn new((plans, total): (Vec<PlanSummary>, i64)) -> Self {
        let item = |plan: PlanSummary| PlanItem {
            scenario_id: plan.scenario_id,
            name: plan.name,
            store_id: plan.store_id,
            product_id: plan.product_id,
            horizon: plan.horizon,
            units_delta: plan.units_delta,
            revenue_delta: plan.revenue_delta,
            created_at: plan.created_at.into(),
            tags: plan.tags,
            provenance: plan.provenance.into(),
        };
        Self { scenarios: plans.into_iter().map(item).collect(), total }
    }
}

/// Plans to compare.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes the body, which is read field by field")]
#[schema(as = CompareScenariosRequest,
    example = json!({"scenario_ids": ["9f0c1d2e3f4a4b5c8d9e0f1a2b3c4d5e", "7be0c1d2f3a44e5f8a9b0c1d2e3f4a5b"]}))]
pub(super) struct CompareBody {
    /// One that is named twice has two rows.
    #[schema(min_items = 2, max_items = 5)]
    scenario_ids: Vec<String>,
    /// `revenue_delta` or `units_delta`.
    #[schema(default = "revenue_delta", pattern = "^(revenue_delta|units_delta)$")]
    rank_by: Option<String>,
}

/// Reads the body of compare.
pub(super) fn read_compare(body: &Map<String, Value>) -> Result<(Vec<String>, RankBy), Vec<FieldError>> {
    let mut fields = Fields::of(body);
    let ids = fields.required_items("scenario_ids", (2, 5), fields::text(0, usize::MAX));
    let rank_by = fields.optional("rank_by", fields::choice(&RankBy::NAMES)).unwrap_or_default();
    fields.finish(ids.map(|ids| (ids.into_iter().map(str::to_owned).collect(), rank_by)))
}

/// Plans, best first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MultiScenarioComparison, example = json!({"baseline_total_units": 40.0, "baseline_revenue": 180.0,
    "rank_by": "revenue_delta", "scenarios": [{"scenario_id": "7be0c1d2f3a44e5f8a9b0c1d2e3f4a5b", "name": "July push",
        "units_delta": 6.72, "revenue_delta": 30.25, "coverage_verdict": "at_risk", "rank": 1}],
    "chart_series": [{"date": "2026-07-01", "baseline": 10.0, "7be0c1d2f3a44e5f8a9b0c1d2e3f4a5b": 10.33}]}))]
pub(super) struct RankingBody {
    /// Of the plan that was named first.
    baseline_total_units: f64,
    /// Of the plan that was named first.
    baseline_revenue: f64,
    rank_by: &'static str,
    scenarios: Vec<RankedRow>,
    /// One object per date, ascending: `date`, `baseline` (of the plan that was named first), and for every plan with
    /// that date its scenario under its `scenario_id`.
    #[schema(value_type = Vec<Object>)]
    chart_series: Vec<Map<String, Value>>,
}

/// One plan and its place.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ScenarioComparisonRow)]
struct RankedRow {
    scenario_id: String,
    name: String,
    units_delta: f64,
    revenue_delta: f64,
    #[schema(inline)]
    coverage_verdict: CoverageVerdict,
    /// From 1; nobody shares one.
    rank: usize,
}

impl From<Ranking> for RankingBody {
    fn from(ranking: Ranking) -> Self {
        let row = |plan: RankedPlan| RankedRow {
            scenario_id: plan.scenario_id,
            name: plan.name,
            units_delta: plan.units_delta,
            revenue_delta: plan.revenue_delta,
            coverage_verdict: plan.coverage_verdict,
            rank: plan.rank,
        };
        Self {
            baseline_total_units: ranking.baseline_total_units,
            baseline_revenue: ranking.baseline_revenue,
            rank_by: ranking.rank_by.name(),
            scenarios: ranking.plans.into_iter().map(row).collect(),
            chart_series: ranking.chart,
        }
    }
}
