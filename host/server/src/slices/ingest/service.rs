//! Writes what was sent: one transaction, whatever its form.

use std::fs::File;
use std::time::{Duration, Instant};

use retailcast_core::config_schema::FieldError;
use sqlx::{PgConnection, PgPool};

use super::deadline::Deadline;
use super::records::{Record, RejectionCode, read_json};
use super::table::{self, TableRows, Unreadable};
use super::upload::Upload;

/// What bulk loads need to know of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IngestSettings {
    /// Rows per statement of a JSON request.
    pub batch_size: usize,
    /// Deadline of one request.
    pub timeout: Duration,
    /// Largest CSV or Parquet body, in bytes, unzipped.
    pub most_bytes: u64,
}

/// Most rejected rows that a report shows. Their number is told in any case.
pub(super) const MOST_REPORTED: usize = 10_000;

/// A rejected row in the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rejected<K> {
    /// Its position in the input, from 0.
    pub(super) row: usize,
    /// What addresses it.
    pub(super) key: K,
    /// Why.
    pub(super) code: RejectionCode,
    /// For people.
    pub(super) message: String,
}

/// What became of the rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outcome<K> {
    /// All of them.
    pub(super) received: usize,
    /// Those that were left out.
    pub(super) rejected: usize,
    /// The first [`MOST_REPORTED`] of these, in input order.
    pub(super) report: Vec<Rejected<K>>,
}

impl<K> Outcome<K> {
    fn new() -> Self {
        Self { received: 0, rejected: 0, report: Vec::new() }
    }

    /// Writes further rows and counts them.
    async fn add<R: Record<Key = K>>(
        &mut self,
        connection: &mut PgConnection,
        rows: &[R],
        batch: usize,
    ) -> sqlx::Result<()> {
        let rejected = R::write(connection, rows, batch).await?;
        let room = MOST_REPORTED - self.report.len();
        self.rejected += rejected.len();
        self.report.extend(rejected.into_iter().take(room).map(|rejection| Rejected {
            row: self.received + rejection.row,
            key: rows[rejection.row].key(),
            code: rejection.code,
            message: rejection.message,
        }));
        self.received += rows.len();
        Ok(())
    }
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// The input does not fit.
    #[error("the input does not fit")]
    Refused {
        /// What is wrong with it.
        errors: Vec<FieldError>,
        /// Reading stopped there, and more may be wrong.
        more: bool,
    },
    /// The deadline passed; everything was rolled back.
    #[error("the rows were not written within {} s (`ingest.timeout_seconds`); nothing was kept", .0.as_secs())]
    Timeout(Duration),
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    /// This machine is at fault: the spooled body cannot be read, or a thread ended.
    #[error("the body was lost: {0}")]
    Internal(String),
}

impl From<Vec<FieldError>> for IngestError {
    fn from(errors: Vec<FieldError>) -> Self {
        Self::Refused { errors, more: false }
    }
}

impl From<Unreadable> for IngestError {
    fn from(unreadable: Unreadable) -> Self {
        match unreadable {
            Unreadable::Refused { errors, more } => Self::Refused { errors, more },
            Unreadable::Internal(reason) => Self::Internal(reason),
        }
    }
}

const RETRIES: u32 = 3;

/// The database chose this transaction to end a deadlock.
const DEADLOCK: &str = "40P01";
/// Something was deleted after it was looked up; looked up again, its rows are rejected.
const FOREIGN_KEY: &str = "23503";

/// Whether the same load may go through when it is tried again. Nothing of the failed try is there.
fn passes(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| [DEADLOCK, FOREIGN_KEY].contains(&code.as_ref()))
}

/// Bulk loads.
#[derive(Debug, Clone)]
pub struct Ingest {
    pool: PgPool,
    settings: IngestSettings,
}

impl Ingest {
    /// On this database.
    pub fn new(pool: PgPool, settings: IngestSettings) -> Self {
        Self { pool, settings }
    }

    /// Largest CSV or Parquet body, in bytes, unzipped.
    pub(super) fn most_bytes(&self) -> u64 {
        self.settings.most_bytes
    }

    /// When a request that began now has to be answered.
    pub(super) fn deadline(&self) -> Deadline {
        Deadline { at: Instant::now() + self.settings.timeout, limit: self.settings.timeout }
    }

    /// Writes the rows whose references exist, in one transaction.
    pub(super) async fn load<R: Record>(
        &self,
        upload: Upload,
        deadline: Deadline,
    ) -> Result<Outcome<R::Key>, IngestError> {
        let source = match upload {
            Upload::Records(body) => {
                // Ten thousand rows take some milliseconds of thinking.
                let read = tokio::task::spawn_blocking(move || read_json::<R>(&body)).await;
                Source::Rows(read.map_err(|e| IngestError::Internal(e.to_string()))??)
            }
            Upload::Table(file) => Source::Table(file),
        };
        let mut tries = 0;
        loop {
            match self.attempt(&source, deadline).await {
                Err(IngestError::Database(e)) if tries < RETRIES && passes(&e) => tries += 1,
                done => return done,
            }
        }
    }

    async fn attempt<R: Record>(
        &self,
        source: &Source<R>,
        deadline: Deadline,
    ) -> Result<Outcome<R::Key>, IngestError> {
        let work = async {
            let mut transaction =
                self.pool.begin_with(deadline.begin()).await.map_err(|e| deadline.explain(e))?;
            let outcome = self.write(&mut transaction, source, deadline).await?;
            Ok::<_, IngestError>((transaction, outcome))
        };
        let (transaction, outcome) = deadline.apply(work).await??;
        // Past this point the answer is the database's: a deadline could not tell whether it has committed.
        transaction.commit().await?;
        Ok(outcome)
    }

    async fn write<R: Record>(
        &self,
        connection: &mut PgConnection,
        source: &Source<R>,
        deadline: Deadline,
    ) -> Result<Outcome<R::Key>, IngestError> {
        let mut outcome = Outcome::new();
        match source {
            Source::Rows(rows) => {
                outcome
                    .add(connection, rows, self.settings.batch_size)
                    .await
                    .map_err(|e| deadline.explain(e))?;
            }
            Source::Table(file) => {
                let mut table = TableRows::<R>::of(file)?;
                while let Some(rows) = table.next().await {
                    outcome.add(connection, &rows, table::BATCH).await.map_err(|e| deadline.explain(e))?;
                }
                table.finish().await?;
            }
        }
        Ok(outcome)
    }
}

/// Rows to write, and to write again when the database asks for it.
enum Source<R> {
    /// In memory.
    Rows(Vec<R>),
    /// In a file.
    Table(File),
}
