//! Durable jobs: a queue in PostgreSQL, and the workers that empty it.
//!
//! A job is a row of `job`, which the API shows, and the tasks in `job_task` that are left to do for it. [`service`]
//! submits, shows and cancels jobs; [`worker`] leases tasks, runs them ([`work`]) and records what came of them. A
//! worker holds a lease that it renews every second or so; when it is gone, its lease runs out and another worker begins
//! the task again. Whoever ends a task shows the lease's number, so that a worker that had only stalled cannot end what is
//! no longer its own (a fencing token).
//!
//! `docs/decisions/job-queue.md` says why this is not a library.

mod bell;
mod failure;
mod job;
mod params;
mod service;
mod store;
mod work;
mod worker;

pub use bell::{Bell, SETTINGS_CHANNEL};
pub use failure::Failure;
pub use job::{Job, JobStatus, JobType};
pub use service::{CancelError, Jobs, Listing, NewJob, Order};
pub use store::chunks::SeriesResult;
pub use work::{Runner, RunnerSettings};
pub use worker::{Worker, WorkerSettings};
