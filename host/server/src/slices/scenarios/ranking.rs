//! Saved plans against each other, from their comparisons alone.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde_json::{Map, Value};

use super::comparison::CoverageVerdict;
use super::plan::Plan;

/// What plans are ranked by; more is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RankBy {
    /// Revenue less that of the baseline.
    #[default]
    RevenueDelta,
    /// Units less those of the baseline.
    UnitsDelta,
}

impl RankBy {
    /// All of them, by name.
    pub const NAMES: [(&str, Self); 2] =
        [("revenue_delta", Self::RevenueDelta), ("units_delta", Self::UnitsDelta)];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::RevenueDelta => "revenue_delta",
            Self::UnitsDelta => "units_delta",
        }
    }

    fn of(self, plan: &Plan) -> f64 {
        match self {
            Self::RevenueDelta => plan.comparison.revenue_delta,
            Self::UnitsDelta => plan.comparison.units_delta,
        }
    }
}

/// One plan and its place.
#[derive(Debug, Clone, PartialEq)]
pub struct RankedPlan {
    /// The plan.
    pub scenario_id: String,
    /// Its name.
    pub name: String,
    /// Units less those of its baseline.
    pub units_delta: f64,
    /// Revenue less that of its baseline.
    pub revenue_delta: f64,
    /// Whether its stock lasts.
    pub coverage_verdict: CoverageVerdict,
    /// From 1; nobody shares one.
    pub rank: usize,
}

/// Plans, best first.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranking {
    /// Of the plan that was named first.
    pub baseline_total_units: f64,
    /// Of the plan that was named first.
    pub baseline_revenue: f64,
    /// What they were ranked by.
    pub rank_by: RankBy,
    /// Best first.
    pub plans: Vec<RankedPlan>,
    /// One object per date, ascending: `date`, `baseline` (of the plan that was named first), and the scenario of every
    /// plan under its id; what has no value on that date is left out.
    pub chart: Vec<Map<String, Value>>,
}

impl Ranking {
    /// `plans` as requested; the first one, whose baseline is shown, is `first`.
    pub(super) fn new(first: &Plan, plans: &[&Plan], rank_by: RankBy) -> Self {
        let mut sorted: Vec<&Plan> = plans.to_vec();
        // Stable: equal plans stay in the order of the request.
        sorted.sort_by(|a, b| rank_by.of(b).total_cmp(&rank_by.of(a)));
        let row = |(i, plan): (usize, &&Plan)| RankedPlan {
            scenario_id: plan.scenario_id.clone(),
            name: plan.name.clone(),
            units_delta: plan.comparison.units_delta,
            revenue_delta: plan.comparison.revenue_delta,
            coverage_verdict: plan.comparison.coverage_verdict,
            rank: i + 1,
        };
        Self {
            baseline_total_units: first.comparison.baseline_total_units,
            baseline_revenue: first.comparison.baseline_revenue,
            rank_by,
            plans: sorted.iter().enumerate().map(row).collect(),
            chart: chart(first, plans),
        }
    }
}

fn chart(first: &Plan, plans: &[&Plan]) -> Vec<Map<String, Value>> {
    let mut dates: BTreeMap<NaiveDate, Map<String, Value>> = BTreeMap::new();
    let mut set = |date: NaiveDate, name: &str, value: f64| {
        let entry = dates
            .entry(date)
            .or_insert_with(|| Map::from_iter([("date".to_owned(), Value::from(date.to_string()))]));
        entry.insert(name.to_owned(), Value::from(value));
    };
    for point in &first.comparison.points {
        set(point.date, "baseline", point.baseline);
    }
    for plan in plans {
        for point in &plan.comparison.points {
            set(point.date, &plan.scenario_id, point.scenario);
        }
    }
    dates.into_values().collect()
}
