//! The SQL of jobs: what the API shows ([`jobs`]), what workers take and end ([`queue`]), what the chunks of portfolio jobs
//! gave ([`chunks`]).
//!
//! Locks are taken in one order, so that nothing waits in a circle: tasks first (several by id), then their job.

pub(super) mod chunks;
pub(super) mod jobs;
pub(super) mod queue;
