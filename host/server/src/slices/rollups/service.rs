//! Brings the sums up to date, in the background and never at a reader's or writer's cost.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::NaiveDate;
use sqlx::{PgConnection, PgPool};
use tokio::sync::Mutex;

use super::store::{self, Span};

/// Most days of one transaction: a year is one scan of it, and what waits behind a lock waits seconds at most.
const CHUNK: usize = 366;
/// Days that the API can name.
const FIRST_DAY: NaiveDate = NaiveDate::from_ymd_opt(1, 1, 1).unwrap(); // a constant: checked by the compiler
const LAST_DAY: NaiveDate = NaiveDate::from_ymd_opt(9999, 12, 31).unwrap(); // a constant: checked by the compiler
/// How often a server looks whether there is work.
const LOOK: Duration = Duration::from_secs(1);
/// A pause is this many times as long as the work before it, so that a load of many hours gives a tenth of one
/// processor to sums that the next statement makes stale again.
const PAUSE: u32 = 9;

/// Keeps the sums.
#[derive(Debug, Clone)]
pub struct Rollups {
    pool: PgPool,
    /// Held while this process works; when it may work again.
    not_before: Arc<Mutex<Instant>>,
}

impl Rollups {
    /// On this database.
    pub fn new(pool: PgPool) -> Self {
        Self { pool, not_before: Arc::new(Mutex::new(Instant::now())) }
    }

    /// Sums up all stale days. Another process that does the same is left to it.
    pub async fn refresh(&self) -> sqlx::Result<()> {
        loop {
            match refresh_some(&self.pool).await {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                // Somebody else has summed up these days between our look and our work.
                Err(sqlx::Error::Database(e)) if e.code().as_deref() == Some("40001") => return Ok(()),
                Err(e) => return Err(e),
            }
        }
    }

    /// Starts a refresh that nobody waits for, unless one runs or has just run.
    pub fn refresh_soon(&self) {
        let Ok(mut not_before) = Arc::clone(&self.not_before).try_lock_owned() else { return };
        if Instant::now() < *not_before {
            return;
        }
        let rollups = self.clone();
        tokio::spawn(async move {
            let started = Instant::now();
            match rollups.refresh().await {
                Ok(()) => {}
                // The server stops.
                Err(sqlx::Error::PoolClosed) => return,
                // Nothing is lost: the days stay marked, and readers take them from the sales.
                Err(cause) => tracing::warn!(%cause, "sums of sales stay behind"),
            }
            *not_before = Instant::now() + started.elapsed() * PAUSE;
        });
    }

    /// Looks for stale days until the pool closes.
    pub async fn keep_fresh(self) {
        while !self.pool.is_closed() {
            self.refresh_soon();
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// The days from `first` to `last` whose sums are not those of `connection`'s snapshot.
pub async fn stale_days(
    connection: &mut PgConnection,
    first: NaiveDate,
    last: NaiveDate,
) -> sqlx::Result<Vec<NaiveDate>> {
    let spans = store::stale(connection, first, last).await?;
    Ok(spans.into_iter().flat_map(days).collect())
}

/// Sums up at most [`CHUNK`] stale days; whether there may be more to do.
async fn refresh_some(pool: &PgPool) -> sqlx::Result<bool> {
    // One snapshot for marks and sales: a mark that is deleted belongs to sales that are summed up. A writer who
    // commits meanwhile leaves a mark that this snapshot does not see, and so does not delete.
    let mut transaction = pool.begin_with("begin isolation level repeatable read").await?;
    if !store::try_lock(&mut transaction).await? {
        return Ok(false);
    }
    let spans = store::stale(&mut transaction, FIRST_DAY, LAST_DAY).await?;
    let (now, later) = split(spans);
    if now.is_empty() {
        return Ok(false);
    }
    store::replace_marks(&mut transaction, &later).await?;
    store::sum_up(&mut transaction, &now).await?;
    transaction.commit().await?;
    Ok(!later.is_empty())
}

/// The first [`CHUNK`] days, and what comes after them.
fn split(spans: Vec<Span>) -> (Vec<NaiveDate>, Vec<Span>) {
    let (mut now, mut later) = (Vec::new(), Vec::new());
    for span in spans {
        let mut rest = days(span);
        now.extend(rest.by_ref().take(CHUNK - now.len()));
        if let Some(first) = rest.next() {
            later.push(Span { first, last: span.last });
        }
    }
    (now, later)
}

fn days(span: Span) -> impl Iterator<Item = NaiveDate> {
    span.first.iter_days().take_while(move |day| *day <= span.last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_ends_within_a_span() {
        let day = |i| NaiveDate::from_ymd_opt(2024, 1, 1).unwrap() + chrono::Days::new(i);
        let span = |first, last| Span { first: day(first), last: day(last) };
        let (now, later) = split(vec![span(0, 9), span(20, 999), span(2_000, 2_000)]);
        assert_eq!((now.len(), now[9], now[10]), (CHUNK, day(9), day(20)));
        assert_eq!(later, [span(20 + CHUNK as u64 - 10, 999), span(2_000, 2_000)]);
        assert_eq!(split(vec![span(3, 3)]), (vec![day(3)], vec![]));
    }
}
