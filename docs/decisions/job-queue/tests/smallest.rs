//! What `docs/decisions/job-queue.md` says of apalis-postgres, as tests that fail:
//! `EMBEDDED_URL=postgres://… CONTRIB_URL=postgres://… cargo test`, each URL up to the name of the database.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use apalis::prelude::*;
use apalis_postgres::{Config, PostgresStorage};
use sqlx::{AssertSqlSafe, PgPool};
use tokio::time::sleep;

/// PostgreSQL 16 as RetailCast installs it: `plpgsql` and `vector`, no contrib.
const EMBEDDED: &str = "EMBEDDED_URL";
/// Debian's PostgreSQL 15 with contrib, for what comes after `setup`.
const WITH_CONTRIB: &str = "CONTRIB_URL";

/// `server` is the variable that holds the server's URL up to the database's name.
async fn database(server: &str, name: &str) -> PgPool {
    let server = std::env::var(server).unwrap();
    let admin = PgPool::connect(&format!("{server}postgres")).await.unwrap();
    for sql in [
        format!("drop database if exists {name} with (force)"),
        format!("create database {name}"),
    ] {
        sqlx::query(AssertSqlSafe(sql))
            .execute(&admin)
            .await
            .unwrap();
    }
    PgPool::connect(&format!("{server}{name}")).await.unwrap()
}

/// A queue of `u64` (milliseconds) with a heartbeat of 1 s and a lease of 2 s.
async fn queue(name: &str) -> (PgPool, PostgresStorage<u64>) {
    let pool = database(WITH_CONTRIB, name).await;
    PostgresStorage::setup(&pool).await.unwrap();
    let mut config = Config::default().queue("q").batch_size(1);
    config.heartbeat_interval = Duration::from_secs(1);
    config.missed_heartbeats = 2;
    let storage = PostgresStorage::new(&pool).with_config(config);
    (pool, storage)
}

async fn number(pool: &PgPool, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(pool).await.unwrap()
}

#[tokio::test]
async fn its_tables_can_be_made_on_our_server() {
    let pool = database(EMBEDDED, "s1").await;
    PostgresStorage::setup(&pool).await.unwrap();
}

#[tokio::test]
async fn retry_after_waits_and_max_attempts_counts() {
    let (_pool, mut storage) = queue("s3").await;
    storage
        .push_task(TaskBuilder::new(1).max_attempts(3).build())
        .await
        .unwrap();
    let runs = Arc::new(AtomicUsize::new(0));
    let seen = runs.clone();
    let task = move |_: u64| {
        seen.fetch_add(1, SeqCst);
        async {
            Err::<(), BoxDynError>(RetryAfterError::new("busy", Duration::from_secs(60)).into())
        }
    };
    let worker = tokio::spawn(
        WorkerBuilder::new("A")
            .backend(storage.with_pubsub())
            .build(task)
            .run(),
    );
    sleep(Duration::from_secs(3)).await;
    worker.abort();
    assert_eq!(
        runs.load(SeqCst),
        1,
        "runs within 3 s of a task that asked to be tried again after 60 s"
    );
}

#[tokio::test]
async fn a_task_that_kills_its_worker_has_two_tries() {
    let (pool, mut storage) = queue("s4").await;
    storage
        .push_task(TaskBuilder::new(60_000).max_attempts(2).build())
        .await
        .unwrap();
    let runs = Arc::new(AtomicUsize::new(0));
    for name in ["A", "B", "C", "D"] {
        let seen = runs.clone();
        let task = move |millis: u64| {
            seen.fetch_add(1, SeqCst);
            sleep(Duration::from_millis(millis))
        };
        let backend = storage.clone().with_pubsub();
        let worker = tokio::spawn(WorkerBuilder::new(name).backend(backend).build(task).run());
        sleep(Duration::from_millis(1500)).await;
        worker.abort();
        sleep(Duration::from_millis(2500)).await;
    }
    let attempts = number(&pool, "select attempts::bigint from apalis.jobs").await;
    assert_eq!(runs.load(SeqCst), 2, "runs; attempts {attempts} of 2");
}

/// The worker goes silent for longer than its lease, another one puts its task back, and the first gets it again: the
/// result of try 1 is then taken for the one of try 2, which still runs (the result is matched by task and worker
/// alone).
#[tokio::test]
async fn the_result_of_try_1_does_not_end_try_2() {
    use apalis_core::backend::TaskResult;
    use apalis_core::task::status::Status;
    use apalis_postgres::queries::{fetch_next, handle_results};
    let (pool, mut storage) = queue("s5").await;
    storage.push(1).await.unwrap();
    sleep(Duration::from_secs(1)).await;
    let a = WorkerContext::new("A");
    sqlx::query("insert into apalis.workers values ('A', 'q', 'test', '', now())")
        .execute(&pool)
        .await
        .unwrap();
    let mut connection = pool.acquire().await.unwrap();
    let try_1 = fetch_next(&mut *connection, storage.config(), &a)
        .await
        .unwrap()
        .remove(0);
    // The lease ends: the update of `reenqueue_orphaned`, through its own query.
    sqlx::query("update apalis.workers set last_seen = now() - interval '3 s'")
        .execute(&pool)
        .await
        .unwrap();
    assert_eq!(
        apalis_postgres::queries::reenqueue_orphaned(&mut *connection, "q", 2)
            .await
            .unwrap(),
        1
    );
    let try_2 = fetch_next(&mut *connection, storage.config(), &a)
        .await
        .unwrap()
        .remove(0);
    assert_eq!((try_1.attempt(), try_2.attempt()), (0, 1));
    let late = TaskResult {
        task_id: try_1.task_id().unwrap().clone(),
        attempt: 1,
        result: Ok(serde_json::Value::Null),
        status: Status::Done,
    };
    let accepted = handle_results(&mut *connection, &[&late], "A")
        .await
        .unwrap();
    assert_eq!(
        accepted, 0,
        "try 2 holds the lease, yet the late result of try 1 was accepted"
    );
}
