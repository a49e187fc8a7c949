//! When a load has to be answered, and how the database keeps to it.

use std::time::{Duration, Instant};

use sqlx::SqlSafeStr;

use super::service::IngestError;

/// `query_canceled`: the statement's time was over.
const CANCELLED: &str = "57014";

/// When a request has to be answered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline {
    pub(super) at: Instant,
    pub(super) limit: Duration,
}

impl Deadline {
    /// Waits for the work no longer than this.
    pub(super) async fn apply<T>(&self, work: impl Future<Output = T>) -> Result<T, IngestError> {
        tokio::time::timeout_at(self.at.into(), work).await.map_err(|_| IngestError::Timeout(self.limit))
    }

    /// The database ends a statement at the same moment as we stop waiting; either may be first.
    pub(super) fn explain(&self, error: sqlx::Error) -> IngestError {
        match &error {
            sqlx::Error::Database(e) if e.code().as_deref() == Some(CANCELLED) => {
                IngestError::Timeout(self.limit)
            }
            _ => error.into(),
        }
    }

    /// Begins a transaction whose statements end with the deadline too: a client that waits no longer must not leave
    /// a statement behind that waits for a lock and keeps its connection.
    pub(super) fn begin(&self) -> sqlx::SqlStr {
        let left = self.at.saturating_duration_since(Instant::now()).as_millis().max(1);
        sqlx::AssertSqlSafe(format!("begin; set local statement_timeout = {left}")).into_sql_str()
    }
}
