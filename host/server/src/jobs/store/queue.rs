//! Tasks: taken, held, ended.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{PgConnection, PgPool};

use super::super::bell::{JOB, WORK};
use super::super::failure::Failure;
use super::jobs::notify;

/// A task that this worker holds.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::jobs) struct Task {
    pub id: i64,
    /// Key of the job.
    pub job: i32,
    pub job_id: String,
    pub job_type: String,
    pub params: Value,
    pub step: String,
    pub chunk: Option<i32>,
    pub work: Option<Value>,
    /// This try, from 1.
    pub attempts: i32,
    /// What must be shown to end the task.
    pub lease: i64,
    pub deadline_at: Option<DateTime<Utc>>,
    /// When the job was submitted.
    pub queued_at: DateTime<Utc>,
    /// When its first task was begun; none for that one itself.
    pub started_at: Option<DateTime<Utc>>,
    /// Whether the job still wants it: false when it was cancelled in the moment that the task was taken.
    pub wanted: bool,
}

/// Takes up to `most` tasks that nobody has, in the order of work. The first task of a job starts the job.
pub(in crate::jobs) async fn claim(
    pool: &PgPool,
    most: usize,
    lease: Duration,
    worker: &str,
) -> sqlx::Result<Vec<Task>> {
    sqlx::query_as!(
        Task,
        r#"with next as (
               select id from job_task
               where run_after <= now() and (lease is null or lease_until < now())
               order by priority desc, queued_at, id
               limit $1 for update skip locked
           ), leased as (
               update job_task t
               set lease = nextval('job_lease'), lease_until = now() + make_interval(secs => $2), worker = $3,
                   attempts = t.attempts + 1
               from next where t.id = next.id
               returning t.*
           ), started as (
               update job j set status = 'running', started_at = clock_timestamp(), updated_at = clock_timestamp()
               from leased where j.id = leased.job and j.status = 'pending'
               returning j.id
           )
           select t.id as "id!", t.job as "job!", j.job_id as "job_id!", j.job_type as "job_type!",
                  j.params as "params!: Value", t.step as "step!", t.chunk, t.work as "work: Value",
                  t.attempts as "attempts!", t.lease as "lease!", j.deadline_at, t.queued_at as "queued_at!", j.started_at,
                  (j.status = 'running' or exists (select from started s where s.id = j.id)) as "wanted!"
           from leased t join job j on j.id = t.job
           order by t.priority desc, t.queued_at, t.id"#,
        most as i64,
        lease.as_secs_f64(),
        worker,
    )
    .fetch_all(pool)
    .await
}

/// A task that is still held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::jobs) struct Held {
    pub lease: i64,
    /// Whether the job was asked to stop.
    pub cancel: bool,
}

/// Holds tasks for longer. Those that are missing in the answer belong to somebody else now, or to nobody.
pub(in crate::jobs) async fn renew(
    pool: &PgPool,
    leases: &[i64],
    lease: Duration,
) -> sqlx::Result<Vec<Held>> {
    sqlx::query_as!(
        Held,
        r#"with held as (select id from job_task where lease = any($1) order by id for update)
           update job_task t set lease_until = now() + make_interval(secs => $2)
           from held, job j where t.id = held.id and j.id = t.job
           returning t.lease as "lease!", j.cancel_requested_at is not null as "cancel!""#,
        leases,
        lease.as_secs_f64(),
    )
    .fetch_all(pool)
    .await
}

/// Ends the last task of a job with its result. False: the lease was lost, and nothing was changed.
pub(in crate::jobs) async fn complete(
    pool: &PgPool,
    task: &Task,
    result: &Value,
    run_id: Option<&str>,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        r#"with ended as (delete from job_task where id = $1 and lease = $2 returning job, attempts),
           done as (
               update job j set status = 'completed', result = $3, run_id = $4, progress = 1, progress_message = null,
                   attempts = greatest(j.attempts, ended.attempts),
                   completed_at = clock_timestamp(), updated_at = clock_timestamp()
               from ended where j.id = ended.job and j.status = 'running'
               returning j.id
           )
           select id as "id!" from done cross join lateral pg_notify($5, done.id::text)"#,
        task.id,
        task.lease,
        result,
        run_id,
        JOB,
    )
    .fetch_optional(pool)
    .await?;
    Ok(done.is_some())
}

/// Gives a job up: its other tasks are taken from whoever has them. False: the lease was lost, and nothing was changed.
pub(in crate::jobs) async fn fail(pool: &PgPool, task: &Task, failure: &Failure) -> sqlx::Result<bool> {
    let mut tx = pool.begin().await?;
    if !drop_task(&mut tx, task).await? {
        return Ok(false);
    }
    delete_tasks(&mut tx, task.job).await?;
    sqlx::query!(
        "update job set status = 'failed', error_type = $2, error_message = $3, progress_message = null,
                attempts = greatest(attempts, $4), completed_at = clock_timestamp(), updated_at = clock_timestamp()
         where id = $1 and status = 'running'",
        task.job,
        failure.error_type,
        failure.message,
        task.attempts,
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!("delete from job_chunk where job = $1", task.job).execute(&mut *tx).await?;
    notify(&mut tx, task.job).await?;
    tx.commit().await?;
    Ok(true)
}

/// Puts a task back, to be tried again after `delay`. False: the lease was lost, and nothing was changed.
pub(in crate::jobs) async fn retry(
    pool: &PgPool,
    task: &Task,
    delay: Duration,
    why: &str,
) -> sqlx::Result<bool> {
    let put_back = sqlx::query!(
        r#"with back as (
               update job_task set lease = null, lease_until = null, worker = null,
                   run_after = now() + make_interval(secs => $3)
               where id = $1 and lease = $2
               returning job, attempts
           ), told as (
               update job j set progress_message = $4, attempts = greatest(j.attempts, back.attempts), updated_at = now()
               from back where j.id = back.job
           )
           select job as "job!" from back cross join lateral pg_notify($5, back.job::text)"#,
        task.id,
        task.lease,
        delay.as_secs_f64(),
        why,
        JOB,
    )
    .fetch_optional(pool)
    .await?;
    Ok(put_back.is_some())
}

/// Puts a task back that was not begun or is to be begun anew elsewhere; the try does not count.
pub(in crate::jobs) async fn release(pool: &PgPool, task: &Task) -> sqlx::Result<bool> {
    let released = sqlx::query!(
        r#"with back as (
               update job_task set lease = null, lease_until = null, worker = null, attempts = attempts - 1
               where id = $1 and lease = $2
               returning job
           )
           select job as "job!" from back cross join lateral pg_notify($3, '')"#,
        task.id,
        task.lease,
        WORK,
    )
    .fetch_optional(pool)
    .await?;
    Ok(released.is_some())
}

/// Ends a task of a job that is no longer wanted. False: the lease was lost, and nothing was changed.
pub(in crate::jobs) async fn abandon(pool: &PgPool, task: &Task) -> sqlx::Result<bool> {
    let mut tx = pool.begin().await?;
    if !drop_task(&mut tx, task).await? {
        return Ok(false);
    }
    settle_cancelled(&mut tx, task.job).await?;
    notify(&mut tx, task.job).await?;
    tx.commit().await?;
    Ok(true)
}

/// Cancels a running job that was asked to stop, once no worker has any of its tasks.
pub(super) async fn settle_cancelled(tx: &mut PgConnection, job: i32) -> sqlx::Result<()> {
    // The row lock makes two workers that stop at the same time see each other's task gone.
    sqlx::query!("select id from job where id = $1 for update", job).fetch_optional(&mut *tx).await?;
    let cancelled = sqlx::query!(
        "update job j set status = 'cancelled', progress_message = null, completed_at = clock_timestamp(),
                updated_at = clock_timestamp()
         where id = $1 and status = 'running' and cancel_requested_at is not null
           and not exists (select from job_task t where t.job = j.id)",
        job
    )
    .execute(&mut *tx)
    .await?;
    if cancelled.rows_affected() > 0 {
        sqlx::query!("delete from job_chunk where job = $1", job).execute(tx).await?;
    }
    Ok(())
}

/// Tells how far a task is, if this worker still has it.
pub(in crate::jobs) async fn progress(
    pool: &PgPool,
    task: &Task,
    progress: f64,
    message: &str,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"with told as (
               update job j set progress = $3, progress_message = $4, updated_at = now()
               from job_task t where t.id = $1 and t.lease = $2 and j.id = t.job and j.status = 'running'
               returning j.id
           )
           select id as "id!" from told cross join lateral pg_notify($5, told.id::text)"#,
        task.id,
        task.lease,
        progress,
        message,
        JOB,
    )
    .fetch_optional(pool)
    .await?;
    Ok(())
}

/// Deletes a task that this worker holds.
pub(super) async fn drop_task(tx: &mut PgConnection, task: &Task) -> sqlx::Result<bool> {
    let dropped = sqlx::query!("delete from job_task where id = $1 and lease = $2", task.id, task.lease)
        .execute(tx)
        .await?;
    Ok(dropped.rows_affected() > 0)
}

async fn delete_tasks(tx: &mut PgConnection, job: i32) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from job_task where id in (select id from job_task where job = $1 order by id for update)",
        job
    )
    .execute(tx)
    .await?;
    Ok(())
}
