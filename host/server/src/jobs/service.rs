//! Submits, shows and cancels jobs.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use sqlx::PgPool;

use super::bell::Bell;
use super::job::{Job, JobStatus, JobType};
use super::store::chunks::{self, SeriesResult};
use super::store::jobs::{self, Cancelled};
use crate::http::query::{Paging, Sorting};

/// Jobs, as everybody but the workers sees them.
#[derive(Debug, Clone)]
pub struct Jobs {
    pool: PgPool,
    bell: Arc<Bell>,
}

/// A job to submit.
#[derive(Debug, Clone, PartialEq)]
pub struct NewJob {
    /// What it does.
    pub job_type: JobType,
    /// With what; checked when it runs.
    pub params: Value,
    /// Larger first.
    pub priority: i16,
    /// Seconds from now; not finished by then: failed.
    pub deadline_seconds: Option<i32>,
}

/// Something to order by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order(pub(super) &'static str);

impl Order {
    /// By what jobs may be ordered; text by code point.
    pub const ALL: [(&'static str, Self); 4] = [
        ("created_at", Self("created_at")),
        ("completed_at", Self("completed_at")),
        ("job_type", Self(r#"job_type collate "C""#)),
        ("status", Self(r#"status collate "C""#)),
    ];
}

/// Which jobs, and in which order.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing {
    /// Of this type.
    pub job_type: Option<JobType>,
    /// In this state.
    pub status: Option<JobStatus>,
    /// Which page.
    pub paging: Paging,
    /// In which order; newest first without one.
    pub sorting: Sorting<Order>,
}

/// Why a job is not cancelled.
#[derive(Debug, thiserror::Error)]
pub enum CancelError {
    /// There is no such job.
    #[error("there is no job `{0}`")]
    Unknown(String),
    /// It has ended.
    #[error("job `{job_id}` is {status}; only a pending or a running job can be cancelled")]
    Final {
        /// The job.
        job_id: String,
        /// Its status.
        status: String,
    },
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

/// How often a waiter looks by itself; it hears of most changes at once.
const LOOK: Duration = Duration::from_millis(500);

impl Jobs {
    /// On this database; `bell` tells of changes if somebody lets it listen.
    pub fn new(pool: PgPool, bell: Arc<Bell>) -> Self {
        Self { pool, bell }
    }

    /// What tells of changes.
    pub fn bell(&self) -> &Arc<Bell> {
        &self.bell
    }

    /// Submits a job.
    pub async fn submit(&self, new: &NewJob) -> sqlx::Result<Job> {
        let job_id = uuid::Uuid::new_v4().simple().to_string();
        jobs::insert(&self.pool, &job_id, new).await
    }

    /// A job.
    pub async fn get(&self, job_id: &str) -> sqlx::Result<Option<Job>> {
        // PostgreSQL's text cannot hold NUL, so no job has it in its id.
        if job_id.contains('\0') {
            return Ok(None);
        }
        jobs::get(&self.pool, job_id).await
    }

    /// A page of jobs and the number of all that fit.
    pub async fn list(&self, listing: &Listing) -> sqlx::Result<(Vec<Job>, i64)> {
        jobs::page(&self.pool, listing).await
    }

    /// Cancels a job: a pending one at once, a running one as soon as its worker has stopped.
    pub async fn cancel(&self, job_id: &str) -> Result<Job, CancelError> {
        let unknown = || CancelError::Unknown(job_id.to_owned());
        if job_id.contains('\0') {
            return Err(unknown());
        }
        match jobs::cancel(&self.pool, job_id).await? {
            Cancelled::Unknown => Err(unknown()),
            Cancelled::Final(status) => Err(CancelError::Final { job_id: job_id.to_owned(), status }),
            Cancelled::Done => self.get(job_id).await?.ok_or_else(unknown),
        }
    }

    /// Waits until a job has ended, or for this long; the job as it is then.
    pub async fn wait(&self, job: Job, most: Duration) -> sqlx::Result<Job> {
        let end = tokio::time::Instant::now() + most;
        let mut changes = self.bell.changes();
        let mut job = job;
        loop {
            // Looked at after listening has begun: no change falls between.
            if let Some(now) = self.get(&job.job_id).await? {
                job = now;
            }
            if job.is_final() || tokio::time::Instant::now() >= end {
                return Ok(job);
            }
            tokio::select! {
                () = changes.next(|changed| changed == job.id) => {}
                () = tokio::time::sleep(LOOK) => {}
                () = tokio::time::sleep_until(end) => {}
            }
        }
    }

    /// Waits until a job is no longer as `seen`, or for this long; the job as it is then.
    pub async fn changed(&self, seen: &Job, most: Duration) -> sqlx::Result<Job> {
        let end = tokio::time::Instant::now() + most;
        let mut changes = self.bell.changes();
        loop {
            match self.get(&seen.job_id).await? {
                Some(now) if now != *seen || tokio::time::Instant::now() >= end => return Ok(now),
                None if tokio::time::Instant::now() >= end => return Ok(seen.clone()),
                _ => {}
            }
            tokio::select! {
                () = changes.next(|changed| changed == seen.id) => {}
                () = tokio::time::sleep(LOOK) => {}
                () = tokio::time::sleep_until(end) => {}
            }
        }
    }

    /// What some chunks of a portfolio job gave, from one number on: number, series, forecasts.
    pub async fn chunks(
        &self,
        job: &Job,
        from: i32,
        most: i64,
    ) -> sqlx::Result<Vec<(i32, Vec<SeriesResult>, Vec<f64>)>> {
        let found = chunks::read(&self.pool, job.id, from, most).await?;
        Ok(found.into_iter().map(|(number, chunk)| (number, chunk.series, chunk.points)).collect())
    }

    /// Tasks that no worker has yet, and seconds that the oldest has waited.
    pub async fn backlog(&self) -> sqlx::Result<(i64, f64)> {
        let (waiting, oldest) = jobs::backlog(&self.pool).await?;
        let waited = oldest.map_or(0.0, |since| (chrono::Utc::now() - since).as_seconds_f64().max(0.0));
        Ok((waiting, waited))
    }
}
