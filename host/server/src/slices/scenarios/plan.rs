//! Saved plans.

use chrono::{DateTime, Utc};

use super::assumptions::Assumptions;
use super::comparison::Comparison;

/// A plan to save.
#[derive(Debug, Clone, PartialEq)]
pub struct NewPlan {
    /// 1 to 200 characters.
    pub name: String,
    /// Key of the baseline model's artifact, 1 to 64 characters.
    pub run_id: String,
    /// Days.
    pub horizon: usize,
    /// What is assumed.
    pub assumptions: Assumptions,
    /// At most 20.
    pub tags: Vec<String>,
    /// The plan that it was copied from, at most 32 characters.
    pub cloned_from: Option<String>,
}

/// Who saved a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Source {
    /// Somebody who called the API.
    User,
    /// An agent, after a person had approved.
    Agent,
}

impl Source {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Agent => "agent",
        }
    }
}

/// Where a plan comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// Who saved it.
    pub source: Source,
    /// The session of the agent.
    pub agent_session_id: Option<String>,
    /// Who approved it.
    pub approved_by: Option<String>,
    /// When.
    pub approved_at: Option<DateTime<Utc>>,
    /// `approved` or `rejected`.
    pub approval_decision: Option<String>,
}

impl Provenance {
    /// Saved through the API.
    pub fn user() -> Self {
        Self {
            source: Source::User,
            agent_session_id: None,
            approved_by: None,
            approved_at: None,
            approval_decision: None,
        }
    }

    /// Saved by an agent in this session, approved by the operator at this moment.
    pub fn approved_agent(session_id: &str, approved_at: DateTime<Utc>) -> Self {
        Self {
            source: Source::Agent,
            agent_session_id: Some(session_id.to_owned()),
            approved_by: Some("operator".to_owned()),
            approved_at: Some(approved_at),
            approval_decision: Some("approved".to_owned()),
        }
    }
}

/// A saved plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// 32 hex digits.
    pub scenario_id: String,
    /// Need not be unique.
    pub name: String,
    /// Key of the baseline model's artifact.
    pub run_id: String,
    /// When it was saved.
    pub created_at: DateTime<Utc>,
    /// As they came.
    pub assumptions: Assumptions,
    /// As it was computed then.
    pub comparison: Comparison,
    /// As given.
    pub tags: Vec<String>,
    /// The plan that it was copied from, which may be gone.
    pub cloned_from: Option<String>,
    /// Where it comes from.
    pub provenance: Provenance,
}

/// A plan as lists show it.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanSummary {
    /// 32 hex digits.
    pub scenario_id: String,
    /// Need not be unique.
    pub name: String,
    /// The series.
    pub store_id: i32,
    /// The series.
    pub product_id: i32,
    /// Days.
    pub horizon: i32,
    /// From the comparison.
    pub units_delta: f64,
    /// From the comparison.
    pub revenue_delta: f64,
    /// When it was saved.
    pub created_at: DateTime<Utc>,
    /// As given.
    pub tags: Vec<String>,
    /// Where it comes from.
    pub provenance: Provenance,
}
