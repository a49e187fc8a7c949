//! Rings when the database says that there is work, or that a job or a setting has changed, so that nobody has to keep asking.
//!
//! A ring is a hint and carries no promise: whoever waits for one also looks by itself from time to time.

use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::PgListener;
use tokio::sync::{broadcast, watch};

/// Channel: there is a task that nobody has.
pub(super) const WORK: &str = "retailcast_work";
/// Channel: a job has changed; the payload is its key.
pub(super) const JOB: &str = "retailcast_job";
/// Channel: settings were changed.
pub const SETTINGS_CHANNEL: &str = "retailcast_settings";

/// How long to wait before connecting again.
const AGAIN: Duration = Duration::from_millis(500);
/// Changes that a slow listener may lag behind before it is told that it missed some.
const BACKLOG: usize = 1024;

/// The process's ear on the database.
#[derive(Debug)]
pub struct Bell {
    work: watch::Sender<u64>,
    jobs: broadcast::Sender<Option<i32>>,
    settings: watch::Sender<u64>,
}

impl Default for Bell {
    fn default() -> Self {
        Self {
            work: watch::Sender::new(0),
            jobs: broadcast::Sender::new(BACKLOG),
            settings: watch::Sender::new(0),
        }
    }
}

impl Bell {
    /// Listens until the pool is closed; connects again whenever the connection is lost.
    pub async fn listen(&self, pool: PgPool) {
        while !pool.is_closed() {
            if let Err(error) = self.listen_once(&pool).await
                && !pool.is_closed()
            {
                tracing::warn!(%error, "cannot hear of new jobs; looking for them once in a while instead");
                tokio::time::sleep(AGAIN).await;
            }
        }
    }

    async fn listen_once(&self, pool: &PgPool) -> sqlx::Result<()> {
        let mut listener = PgListener::connect_with(pool).await?;
        listener.listen_all([WORK, JOB, SETTINGS_CHANNEL]).await?;
        // Whatever was said while nobody listened.
        self.ring_everything();
        loop {
            match listener.try_recv().await? {
                Some(notification) if notification.channel() == WORK => ring(&self.work),
                Some(notification) if notification.channel() == SETTINGS_CHANNEL => ring(&self.settings),
                Some(notification) => {
                    // Without a listener nobody is there to be told.
                    let _ = self.jobs.send(notification.payload().parse().ok());
                }
                // The connection was lost and is there again.
                None => self.ring_everything(),
            }
        }
    }

    fn ring_everything(&self) {
        ring(&self.work);
        ring(&self.settings);
        let _ = self.jobs.send(None);
    }

    /// Changes when there is work.
    pub(super) fn work(&self) -> watch::Receiver<u64> {
        self.work.subscribe()
    }

    /// Changes when settings have changed.
    pub fn settings(&self) -> watch::Receiver<u64> {
        self.settings.subscribe()
    }

    /// Hears of changed jobs.
    pub fn changes(&self) -> Changes {
        Changes(self.jobs.subscribe())
    }
}

fn ring(bell: &watch::Sender<u64>) {
    bell.send_modify(|rings| *rings = rings.wrapping_add(1));
}

/// Hears of changed jobs.
#[derive(Debug)]
pub struct Changes(broadcast::Receiver<Option<i32>>);

impl Changes {
    /// Waits until a job may have changed: one of those that are `wanted`, or any when notices were missed.
    pub async fn next(&mut self, wanted: impl Fn(i32) -> bool) {
        loop {
            match self.0.recv().await {
                Ok(Some(job)) if !wanted(job) => {}
                Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => return,
                // The bell is gone with the program.
                Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_waiter_hears_of_its_own_job_and_of_missed_notices() {
        let bell = Bell::default();
        let mut changes = bell.changes();
        bell.jobs.send(Some(1)).unwrap();
        bell.jobs.send(Some(2)).unwrap();
        changes.next(|job| job == 2).await;
        let silent = tokio::time::timeout(Duration::from_millis(20), changes.next(|_| true));
        assert!(silent.await.is_err());
        bell.ring_everything();
        changes.next(|job| job == 7).await;
        for _ in 0..=BACKLOG {
            bell.jobs.send(Some(1)).unwrap();
        }
        changes.next(|job| job == 7).await;
    }

    #[tokio::test]
    async fn a_ring_before_the_wait_is_not_lost() {
        let bell = Bell::default();
        let mut work = bell.work();
        ring(&bell.work);
        work.changed().await.unwrap();
    }
}
