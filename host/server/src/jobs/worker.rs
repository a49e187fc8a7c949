//! Takes tasks, runs them, records what came of them.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::Utc;
use futures::FutureExt;
use sqlx::PgPool;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tracing::Instrument;

use super::bell::Bell;
use super::failure::Failure;
use super::store::chunks;
use super::store::queue::{self, Task};
use super::work::{Done, Runner};
use crate::db::is_transient;

/// How a worker works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerSettings {
    /// Who it is, in the database and in the log.
    pub name: String,
    /// Tasks at once.
    pub slots: usize,
    /// How long a task stays this worker's own without a sign of life.
    pub lease: Duration,
    /// How often it looks for work by itself; it hears of most at once.
    pub poll: Duration,
    /// Tries of a task.
    pub max_attempts: i32,
    /// How long running tasks may take to end when the worker is stopped.
    pub grace: Duration,
}

/// A worker.
#[derive(Debug, Clone)]
pub struct Worker {
    pool: PgPool,
    bell: Arc<Bell>,
    runner: Arc<Runner>,
    settings: Arc<WorkerSettings>,
    running: Arc<Running>,
}

/// Why a task is to stop before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// Nobody wants the job any more.
    Cancelled,
    /// Another worker has the task.
    LeaseLost,
    /// The worker stops.
    Shutdown,
}

/// How the run of a task ended.
enum Ended {
    Done(Done),
    Failed(Failure),
    Stopped(Stop),
}

/// The tasks that this worker has.
#[derive(Debug, Default)]
struct Running(Mutex<ByLease>);

/// By lease: the job, and how to stop the task.
type ByLease = HashMap<i64, (i32, watch::Sender<Option<Stop>>)>;

/// First wait before a task is tried again; doubled with every try.
const FIRST_RETRY: Duration = Duration::from_secs(1);
/// Longest wait before a task is tried again.
const LONGEST_RETRY: Duration = Duration::from_mins(1);
/// How long to wait before asking a database again that failed.
const AGAIN: Duration = Duration::from_millis(250);
/// Signs of life per lease.
const BEATS: u32 = 5;

impl Worker {
    /// Puts the parts together.
    pub fn new(pool: PgPool, bell: Arc<Bell>, runner: Arc<Runner>, settings: WorkerSettings) -> Self {
        Self { pool, bell, runner, settings: Arc::new(settings), running: Arc::default() }
    }

    /// Works until `stop` says true: then takes nothing more, gives running tasks their time and puts back the rest.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        tracing::info!(worker = self.settings.name, slots = self.settings.slots, "worker begins");
        let heart = tokio::spawn(self.clone().beat());
        let slots = Arc::new(Semaphore::new(self.settings.slots));
        let mut work = self.bell.work();
        let mut tasks = JoinSet::new();
        loop {
            let permit = tokio::select! {
                permit = Arc::clone(&slots).acquire_owned() => permit,
                () = stopped(&mut stop) => break,
            };
            // Nobody closes the semaphore.
            let Ok(permit) = permit else { break };
            // What rings from here on is seen below.
            work.borrow_and_update();
            let begun = self.begin(permit, &slots, &mut tasks).await;
            while tasks.try_join_next().is_some() {}
            if begun {
                continue;
            }
            tokio::select! {
                _ = work.changed() => {}
                () = tokio::time::sleep(self.settings.poll) => {}
                () = stopped(&mut stop) => break,
            }
        }
        self.finish(tasks).await;
        heart.abort();
        tracing::info!(worker = self.settings.name, "worker ends");
    }

    /// Takes as many tasks as there are free slots and begins them. Whether there were any.
    async fn begin(
        &self,
        permit: OwnedSemaphorePermit,
        slots: &Arc<Semaphore>,
        running: &mut JoinSet<()>,
    ) -> bool {
        let mut permits = vec![permit];
        while let Ok(permit) = Arc::clone(slots).try_acquire_owned() {
            permits.push(permit);
        }
        let WorkerSettings { lease, name, .. } = &*self.settings;
        let tasks = match queue::claim(&self.pool, permits.len(), *lease, name).await {
            Ok(tasks) => tasks,
            Err(error) => {
                tracing::warn!(%error, "cannot ask for work; trying again");
                tokio::time::sleep(AGAIN).await;
                return false;
            }
        };
        let begun = !tasks.is_empty();
        for (task, permit) in tasks.into_iter().zip(permits) {
            let stop = self.running.add(&task);
            let span =
                tracing::error_span!("job", job_id = task.job_id, step = task.step, chunk = task.chunk);
            let worker = self.clone();
            let one = async move {
                worker.one(&task, stop).await;
                worker.running.remove(&task);
                drop(permit);
            };
            running.spawn(one.instrument(span));
        }
        begun
    }

    async fn one(&self, task: &Task, mut stop: watch::Receiver<Option<Stop>>) {
        let waited = (Utc::now() - task.queued_at).as_seconds_f64().max(0.0);
        if task.attempts == 1 && task.step != "chunk" && task.step != "gather" {
            metrics::histogram!("job_queue_seconds", "job_type" => task.job_type.clone()).record(waited);
        }
        tracing::info!(
            worker = self.settings.name,
            task = task.id,
            attempt = task.attempts,
            lease = task.lease,
            waited,
            "task begins"
        );
        let started = Instant::now();
        let ended = if !task.wanted {
            Ended::Stopped(Stop::Cancelled)
        } else if task.attempts > self.settings.max_attempts {
            Ended::Failed(Failure::interrupted(self.settings.max_attempts))
        } else {
            tokio::select! {
                biased;
                reason = told(&mut stop) => Ended::Stopped(reason),
                () = passed(task) => Ended::Failed(too_late(task)),
                ended = self.guarded(task) => ended,
            }
        };
        let outcome = self.record(task, &ended, &mut stop).await;
        let seconds = started.elapsed().as_secs_f64();
        let labels = [
            ("job_type", task.job_type.clone()),
            ("step", task.step.clone()),
            ("outcome", outcome.to_owned()),
        ];
        metrics::histogram!("job_task_seconds", &labels).record(seconds);
        tracing::info!(
            worker = self.settings.name,
            task = task.id,
            lease = task.lease,
            outcome,
            seconds,
            "task ends"
        );
    }

    /// Runs the task; a panic is a failure like others, and its text is in the log.
    async fn guarded(&self, task: &Task) -> Ended {
        match AssertUnwindSafe(self.runner.run(task)).catch_unwind().await {
            Ok(Ok(done)) => Ended::Done(done),
            Ok(Err(failure)) => Ended::Failed(failure),
            Err(_) => Ended::Failed(Failure::internal("the program failed")),
        }
    }

    /// Writes down what came of a task, for as long as it is this worker's own. What became of it, in one word.
    async fn record(
        &self,
        task: &Task,
        ended: &Ended,
        stop: &mut watch::Receiver<Option<Stop>>,
    ) -> &'static str {
        loop {
            let error = match self.write(task, ended).await {
                Ok((true, outcome)) => return outcome,
                Ok((false, _)) => {
                    tracing::warn!(
                        lease = task.lease,
                        "the task is somebody else's by now: its late result is discarded"
                    );
                    return "discarded";
                }
                Err(error) => error,
            };
            if !is_transient(&error) {
                tracing::error!(%error, "what came of a task cannot be written");
                // Something in it that the database does not take: that is told instead.
                let failure = Failure::internal("its result cannot be stored");
                return match queue::fail(&self.pool, task, &failure).await {
                    Ok(_) => "failed",
                    // The lease runs out, and the task is tried again.
                    Err(_) => "lost",
                };
            }
            tracing::warn!(%error, "what came of a task cannot be written yet; trying again");
            if *stop.borrow_and_update() == Some(Stop::LeaseLost) || *stop.borrow() == Some(Stop::Shutdown) {
                return "lost";
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    async fn write(&self, task: &Task, ended: &Ended) -> sqlx::Result<(bool, &'static str)> {
        let pool = &self.pool;
        Ok(match ended {
            Ended::Done(Done::Result { result, run_id }) => {
                (queue::complete(pool, task, result, run_id.as_deref()).await?, "completed")
            }
            Ended::Done(Done::FanOut(work)) => (chunks::fan_out(pool, task, work).await?, "completed"),
            Ended::Done(Done::Chunk(result)) => (chunks::complete(pool, task, result).await?, "completed"),
            Ended::Failed(failure) if failure.may_heal && task.attempts < self.settings.max_attempts => {
                let delay = backoff(task.attempts);
                let why = format!("try {} failed: {}; trying again", task.attempts, failure.message);
                tracing::warn!(error_type = failure.error_type, "{why}");
                (queue::retry(pool, task, delay, &why).await?, "retried")
            }
            Ended::Failed(failure) => {
                tracing::info!(error_type = failure.error_type, "job failed: {}", failure.message);
                (queue::fail(pool, task, failure).await?, "failed")
            }
            Ended::Stopped(Stop::Cancelled) => (queue::abandon(pool, task).await?, "cancelled"),
            Ended::Stopped(Stop::Shutdown) => (queue::release(pool, task).await?, "released"),
            Ended::Stopped(Stop::LeaseLost) => (false, "discarded"),
        })
    }

    /// Gives running tasks their time, then puts back those that still run.
    async fn finish(&self, mut tasks: JoinSet<()>) {
        let all = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(self.settings.grace, all).await.is_err() {
            tracing::warn!("tasks still run; they are put back");
            self.running.tell(|_, _| true, Stop::Shutdown);
            while tasks.join_next().await.is_some() {}
        }
    }

    /// Tells the database from time to time, and when a job was cancelled, that this worker is alive.
    async fn beat(self) {
        let every = self.settings.lease / BEATS;
        let mut changes = self.bell.changes();
        loop {
            tokio::select! {
                () = tokio::time::sleep(every) => {}
                () = changes.next(|job| self.running.has_job(job)) => {}
            }
            let leases = self.running.leases();
            if leases.is_empty() {
                continue;
            }
            match queue::renew(&self.pool, &leases, self.settings.lease).await {
                Ok(held) => {
                    let lost = |lease: i64| leases.contains(&lease) && held.iter().all(|h| h.lease != lease);
                    self.running.tell(|lease, _| lost(lease), Stop::LeaseLost);
                    let cancelled = |lease: i64| held.iter().any(|h| h.lease == lease && h.cancel);
                    self.running.tell(|lease, _| cancelled(lease), Stop::Cancelled);
                }
                Err(error) => tracing::warn!(%error, "cannot hold tasks for longer; trying again"),
            }
        }
    }
}

impl Running {
    fn lock(&self) -> MutexGuard<'_, ByLease> {
        // Nothing that holds the lock panics.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, task: &Task) -> watch::Receiver<Option<Stop>> {
        let (sender, receiver) = watch::channel(None);
        self.lock().insert(task.lease, (task.job, sender));
        receiver
    }

    fn remove(&self, task: &Task) {
        self.lock().remove(&task.lease);
    }

    fn leases(&self) -> Vec<i64> {
        self.lock().keys().copied().collect()
    }

    fn has_job(&self, job: i32) -> bool {
        self.lock().values().any(|(of, _)| *of == job)
    }

    fn tell(&self, which: impl Fn(i64, i32) -> bool, stop: Stop) {
        for (lease, (job, sender)) in self.lock().iter() {
            if which(*lease, *job) {
                // Told once: the first reason holds.
                sender.send_if_modified(|told| told.is_none() && told.replace(stop).is_none());
            }
        }
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error says that whoever could stop it is gone: then it is stopped, too.
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn told(stop: &mut watch::Receiver<Option<Stop>>) -> Stop {
    let told = stop.wait_for(Option::is_some).await.ok().and_then(|told| *told);
    match told {
        Some(told) => told,
        // The sender lives as long as the task runs.
        None => std::future::pending().await,
    }
}

/// Waits for the deadline of a task's job; forever without one.
async fn passed(task: &Task) {
    match task.deadline_at {
        Some(deadline) => tokio::time::sleep((deadline - Utc::now()).to_std().unwrap_or_default()).await,
        None => std::future::pending().await,
    }
}

fn too_late(task: &Task) -> Failure {
    let deadline = task.deadline_at.map(|deadline| crate::http::Timestamp(deadline).text());
    Failure::late(&deadline.unwrap_or_default())
}

fn backoff(attempts: i32) -> Duration {
    let doubled = 1_u32.checked_shl(u32::try_from(attempts - 1).unwrap_or(0)).unwrap_or(u32::MAX);
    FIRST_RETRY.saturating_mul(doubled).min(LONGEST_RETRY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_minute() {
        let seconds: Vec<u64> = (1..9).map(|attempt| backoff(attempt).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(backoff(100), LONGEST_RETRY);
    }
}
