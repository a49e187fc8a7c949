//! Portfolio jobs: cut into chunks, and gathered.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::PgPool;
use sqlx::types::Json;

use super::super::bell::WORK;
use super::jobs::notify;
use super::queue::{Task, drop_task};

/// What a chunk says of one series.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeriesResult {
    /// Database key.
    pub store_id: i32,
    /// Database key.
    pub product_id: i32,
    /// Natural key.
    pub store_code: String,
    /// Natural key.
    pub sku: String,
    /// Per origin: why there is no forecast, or none.
    pub failures: Vec<Option<String>>,
    /// The method that really answered, when the model says that it used another one.
    pub fallback: Option<String>,
}

/// What a chunk gave.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::jobs) struct ChunkResult {
    /// What else the plan said of the chunk: its model, its origin.
    pub of: Value,
    /// The series, in order.
    pub series: Vec<SeriesResult>,
    /// Forecasts: per series, per origin without a failure, `horizon` numbers.
    pub points: Vec<f64>,
    /// Time of fitting and forecasting, in seconds.
    pub seconds: f64,
}

/// As it is kept.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    of: Value,
    seconds: f64,
    series: Vec<SeriesResult>,
}

/// Ends the task that cuts a job: one task per chunk follows. False: the lease was lost, and nothing was changed.
pub(in crate::jobs) async fn fan_out(pool: &PgPool, task: &Task, chunks: &[Value]) -> sqlx::Result<bool> {
    let mut tx = pool.begin().await?;
    if !drop_task(&mut tx, task).await? {
        return Ok(false);
    }
    let counted = sqlx::query!(
        "update job set chunks_total = $2, progress_message = $3, attempts = greatest(attempts, $4), updated_at = now()
         where id = $1 and status = 'running' and cancel_requested_at is null",
        task.job,
        i32::try_from(chunks.len()).unwrap_or(i32::MAX),
        format!("0 of {} chunks done", chunks.len()),
        task.attempts,
    )
    .execute(&mut *tx)
    .await?;
    if counted.rows_affected() == 0 {
        super::queue::settle_cancelled(&mut tx, task.job).await?;
    } else {
        sqlx::query!(
            "insert into job_task (job, step, chunk, work, priority, queued_at)
             select j.id, 'chunk', chunk.at - 1, chunk.work, j.priority, j.created_at
             from job j, unnest($2::jsonb[]) with ordinality as chunk (work, at) where j.id = $1 order by chunk.at",
            task.job,
            chunks,
        )
        .execute(&mut *tx)
        .await?;
    }
    announce(&mut tx, task.job).await?;
    tx.commit().await?;
    Ok(true)
}

/// Ends a chunk and keeps what it gave; the last one is followed by the task that gathers. False: the lease was lost,
/// and nothing was changed.
pub(in crate::jobs) async fn complete(
    pool: &PgPool,
    task: &Task,
    result: &ChunkResult,
) -> sqlx::Result<bool> {
    let mut tx = pool.begin().await?;
    if !drop_task(&mut tx, task).await? {
        return Ok(false);
    }
    // Counted under the lock of the job's row: of all chunks that end at the same time one is the last.
    let counted = sqlx::query!(
        r#"update job set chunks_done = chunks_done + 1,
               progress = 0.99 * (chunks_done + 1) / chunks_total,
               progress_message = format('%s of %s chunks done', chunks_done + 1, chunks_total),
               attempts = greatest(attempts, $2), updated_at = now()
           where id = $1 and status = 'running' and cancel_requested_at is null
           returning chunks_done = chunks_total as "last!""#,
        task.job,
        task.attempts,
    )
    .fetch_optional(&mut *tx)
    .await?;
    match counted {
        // Cancelled meanwhile.
        None => super::queue::settle_cancelled(&mut tx, task.job).await?,
        Some(counted) => {
            let kept = Kept { of: result.of.clone(), seconds: result.seconds, series: result.series.clone() };
            let points: Vec<u8> = result.points.iter().flat_map(|point| point.to_le_bytes()).collect();
            sqlx::query!(
                "insert into job_chunk (job, chunk, result, points) values ($1, $2, $3, $4)",
                task.job,
                task.chunk,
                Json(kept) as _,
                points,
            )
            .execute(&mut *tx)
            .await?;
            if counted.last {
                sqlx::query!(
                    "insert into job_task (job, step, priority, queued_at)
                     select id, 'gather', priority, created_at from job where id = $1",
                    task.job
                )
                .execute(&mut *tx)
                .await?;
            }
        }
    }
    announce(&mut tx, task.job).await?;
    tx.commit().await?;
    Ok(true)
}

async fn announce(tx: &mut sqlx::PgConnection, job: i32) -> sqlx::Result<()> {
    notify(&mut *tx, job).await?;
    sqlx::query("select pg_notify($1, '')").bind(WORK).execute(tx).await?;
    Ok(())
}

/// What the chunks of a job gave, from one number on, in order.
pub(in crate::jobs) async fn read(
    pool: &PgPool,
    job: i32,
    from: i32,
    most: i64,
) -> sqlx::Result<Vec<(i32, ChunkResult)>> {
    let rows = sqlx::query!(
        r#"select chunk, result as "result: Json<Kept>", points from job_chunk
           where job = $1 and chunk >= $2 order by chunk limit $3"#,
        job,
        from,
        most,
    )
    .fetch_all(pool)
    .await?;
    let chunk = |points: Vec<u8>, kept: Kept| ChunkResult {
        of: kept.of,
        series: kept.series,
        // A multiple of eight bytes: written above.
        points: points.as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect(),
        seconds: kept.seconds,
    };
    Ok(rows.into_iter().map(|row| (row.chunk, chunk(row.points, row.result.0))).collect())
}
