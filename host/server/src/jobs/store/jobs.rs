//! Jobs as the API shows them.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{FromRow, PgPool, Postgres, QueryBuilder, Row};

use super::super::bell::{JOB, WORK};
use super::super::job::{Job, JobStatus, JobType};
use super::super::service::{Listing, NewJob, Order};

/// Adds a job and its first task, and says so.
pub(in crate::jobs) async fn insert(pool: &PgPool, job_id: &str, new: &NewJob) -> sqlx::Result<Job> {
    let step = if new.job_type.fans_out() { "plan" } else { "whole" };
    sqlx::query_as!(
        Job,
        r#"with new as (
               insert into job (job_id, job_type, params, priority, deadline_at)
               values ($1, $2, $3, $4, now() + make_interval(secs => $5))
               returning *
           ), task as (
               insert into job_task (job, step, priority, queued_at)
               select id, $6, priority, created_at from new
           )
           select id as "id!", job_id as "job_id!", job_type as "job_type!", status as "status!", params as "params!: Value",
                  result as "result: Value", error_message, error_type, run_id, started_at, completed_at,
                  created_at as "created_at!", updated_at as "updated_at!", priority as "priority!", deadline_at,
                  cancel_requested_at, attempts as "attempts!", progress as "progress!", progress_message
           from new cross join pg_notify($7, '')"#,
        job_id,
        new.job_type.name(),
        new.params,
        new.priority,
        new.deadline_seconds.map(f64::from),
        step,
        WORK,
    )
    .fetch_one(pool)
    .await
}

/// One job.
pub(in crate::jobs) async fn get(pool: &PgPool, job_id: &str) -> sqlx::Result<Option<Job>> {
    sqlx::query_as!(
        Job,
        r#"select id, job_id, job_type, status, params as "params: Value", result as "result: Value", error_message,
                  error_type, run_id, started_at, completed_at, created_at, updated_at, priority, deadline_at,
                  cancel_requested_at, attempts, progress, progress_message
           from job where job_id = $1"#,
        job_id
    )
    .fetch_optional(pool)
    .await
}

const COLUMNS: &str = "id, job_id, job_type, status, params, result, error_message, error_type, run_id, started_at, \
    completed_at, created_at, updated_at, priority, deadline_at, cancel_requested_at, attempts, progress, progress_message";

/// A page and the number of all jobs that fit, in one statement: both are of the same moment.
pub(in crate::jobs) async fn page(pool: &PgPool, listing: &Listing) -> sqlx::Result<(Vec<Job>, i64)> {
    let mut query = QueryBuilder::new("with fitting as (select * from job where true");
    filter(&mut query, listing);
    query.push("), page as (select ").push(COLUMNS).push(" from fitting order by ");
    order(&mut query, listing);
    query.push(" limit ").push_bind(listing.paging.page_size);
    query.push(" offset ").push_bind(listing.paging.offset());
    query.push(") select page.*, counted.total from (select count(*) as total from fitting) counted left join page on true order by ");
    order(&mut query, listing);
    let rows = query.build().fetch_all(pool).await?;
    let total = rows.first().map(|row| row.try_get("total")).transpose()?.unwrap_or(0);
    let mut jobs = Vec::with_capacity(rows.len());
    for row in &rows {
        // Past the end one row is there that carries the number alone.
        if row.try_get::<Option<i32>, _>("id")?.is_some() {
            jobs.push(Job::from_row(row)?);
        }
    }
    Ok((jobs, total))
}

fn filter(query: &mut QueryBuilder<Postgres>, listing: &Listing) {
    if let Some(job_type) = listing.job_type {
        query.push(" and job_type = ").push_bind(JobType::name(job_type));
    }
    if let Some(status) = listing.status {
        query.push(" and status = ").push_bind(JobStatus::name(status));
    }
}

fn order(query: &mut QueryBuilder<Postgres>, listing: &Listing) {
    if let Some(Order(column)) = listing.sorting.by {
        // Nulls are the largest value, which is PostgreSQL's default in both directions.
        let direction = if listing.sorting.descending { "desc" } else { "asc" };
        query.push(format!("{column} {direction}, "));
    }
    query.push(r#"created_at desc, job_id collate "C""#);
}

/// What became of a wish to cancel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::jobs) enum Cancelled {
    /// There is no such job.
    Unknown,
    /// It had this status, which is final.
    Final(String),
    /// It is cancelled, or will be as soon as its worker has stopped.
    Done,
}

/// Cancels a pending job at once, and a running one as soon as no worker has any of its tasks.
pub(in crate::jobs) async fn cancel(pool: &PgPool, job_id: &str) -> sqlx::Result<Cancelled> {
    let mut tx = pool.begin().await?;
    // Tasks that a worker has, or is just taking, stay its own.
    sqlx::query!(
        "delete from job_task where id in (
             select t.id from job_task t join job j on j.id = t.job
             where j.job_id = $1 and (t.lease is null or t.lease_until < now())
             order by t.id for update of t skip locked)",
        job_id
    )
    .execute(&mut *tx)
    .await?;
    let job = sqlx::query!("select id, status from job where job_id = $1 for update", job_id)
        .fetch_optional(&mut *tx)
        .await?;
    let Some(job) = job else { return Ok(Cancelled::Unknown) };
    if !["pending", "running"].contains(&job.status.as_str()) {
        return Ok(Cancelled::Final(job.status));
    }
    sqlx::query!(
        "update job set cancel_requested_at = coalesce(cancel_requested_at, now()), updated_at = now() where id = $1",
        job.id
    )
    .execute(&mut *tx)
    .await?;
    if job.status == "pending" {
        sqlx::query!("update job set status = 'cancelled', completed_at = now() where id = $1", job.id)
            .execute(&mut *tx)
            .await?;
    } else {
        super::queue::settle_cancelled(&mut tx, job.id).await?;
    }
    notify(&mut tx, job.id).await?;
    tx.commit().await?;
    Ok(Cancelled::Done)
}

/// Says that a job has changed, once the transaction is committed.
pub(super) async fn notify(tx: &mut sqlx::PgConnection, job: i32) -> sqlx::Result<()> {
    sqlx::query("select pg_notify($1, $2)").bind(JOB).bind(job.to_string()).execute(tx).await?;
    Ok(())
}

/// How many jobs wait, and since when the oldest one does.
pub(in crate::jobs) async fn backlog(pool: &PgPool) -> sqlx::Result<(i64, Option<DateTime<Utc>>)> {
    let row = sqlx::query!(
        r#"select count(*) as "waiting!", min(queued_at) as oldest from job_task where lease is null"#
    )
    .fetch_one(pool)
    .await?;
    Ok((row.waiting, row.oldest))
}
