//! What-if plans: a model's forecast, and the same under a planner's assumptions. Contract: `scenarios.md`.

mod assumptions;
mod comparison;
mod error;
mod plan;
mod proposal;
mod ranking;
mod routes;
mod service;
mod store;
mod wire;

pub use assumptions::{Assumptions, read_for_adjuster};
pub use comparison::{Comparison, Method};
pub use error::ScenarioError;
pub use plan::{NewPlan, Plan, Provenance, Source};
pub use proposal::{MissingPair, Proposal, Proposed};
pub use ranking::{RankBy, Ranking};
pub use routes::{problem, routes};
pub use service::{Listing, Scenarios, SimulateRequest};
pub use wire::{PlanBody, read_create};
