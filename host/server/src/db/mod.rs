//! The database: the operator's PostgreSQL or an embedded one, its schema, and the pool.

mod embedded;
pub(crate) mod foreign_keys;
mod home;

use std::str::FromStr;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, PgPool};

pub use embedded::{Embedded, EmbeddedError};
pub use home::{Home, HomeError};

use crate::config::Config;

/// The schema, oldest first.
pub static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations");

/// Why there is no database to work with.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The embedded server does not run.
    #[error(transparent)]
    Embedded(#[from] EmbeddedError),
    /// `database.url` is no PostgreSQL URL.
    #[error(
        "`database.url` (DATABASE_URL) is not a PostgreSQL URL like postgresql://user:password@host:5432/name: {0}"
    )]
    Url(sqlx::Error),
    /// Nobody answers there.
    #[error("cannot connect to the database at {place}: {source}")]
    Connect {
        /// Host and name, without the password.
        place: String,
        /// Why.
        source: sqlx::Error,
    },
    /// The schema cannot be brought up to date.
    #[error("cannot migrate the database: {source}{}", migrate_hint(.source))]
    Migrate {
        /// Why.
        #[from]
        source: MigrateError,
    },
}

fn migrate_hint(error: &MigrateError) -> &'static str {
    let text = error.to_string();
    if text.contains("extension") || text.contains("vector") {
        ". RetailCast needs pgvector 0.8 or later; an administrator runs `create extension vector` once in this database"
    } else {
        ""
    }
}

/// Whether the database may do it later: it was not reached, is starting or stopping, has no resources or broke a
/// deadlock (SQLSTATE classes 08, 40, 53, 57 and lock timeouts).
pub(crate) fn is_transient(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            code == "55P03" || ["08", "40", "53", "57"].contains(&&code[..2.min(code.len())])
        }),
        _ => false,
    }
}

/// A connected database with an up-to-date schema.
#[derive(Debug)]
pub struct Database {
    /// Connections.
    pub pool: PgPool,
    embedded: Option<Embedded>,
}

impl Database {
    /// Starts the embedded server if there is no `database.url`, connects and migrates.
    pub async fn open(config: &Config) -> Result<Self, DatabaseError> {
        let (options, embedded) = match config.database.url.as_deref() {
            Some(url) => (PgConnectOptions::from_str(url).map_err(DatabaseError::Url)?, None),
            None => {
                let embedded = Embedded::start(&config.database.embedded).await?;
                (embedded.options(), Some(embedded))
            }
        };
        match ready(options, config).await {
            Ok(pool) => Ok(Self { pool, embedded }),
            Err(error) => {
                if let Some(embedded) = embedded {
                    embedded.stop().await?;
                }
                Err(error)
            }
        }
    }

    /// Closes the connections and, when nobody else uses it, stops the embedded server.
    pub async fn close(self) -> Result<(), EmbeddedError> {
        // A connection that still works is cut: its transaction is rolled back.
        if tokio::time::timeout(Duration::from_secs(5), self.pool.close()).await.is_err() {
            tracing::warn!("some database connections were still busy");
        }
        match self.embedded {
            Some(embedded) => embedded.stop().await,
            None => Ok(()),
        }
    }
}

/// How long a request waits for a connection. Far above what a busy pool needs, and what a client hears of a database
/// that is gone.
const ACQUIRE: Duration = Duration::from_secs(5);

async fn ready(options: PgConnectOptions, config: &Config) -> Result<PgPool, DatabaseError> {
    let pool = connect(options, config).await?;
    MIGRATIONS.run(&pool).await?;
    Ok(pool)
}

async fn connect(options: PgConnectOptions, config: &Config) -> Result<PgPool, DatabaseError> {
    let place = format!(
        "{}:{}/{}",
        options.get_host(),
        options.get_port(),
        options.get_database().unwrap_or_default()
    );
    // The pool tries again until its time is over and then does not say why: one connection asks first.
    match options.connect().await {
        Ok(connection) => drop(connection.close().await),
        Err(source) => return Err(DatabaseError::Connect { place, source }),
    }
    let level =
        if config.app.debug { tracing::log::LevelFilter::Info } else { tracing::log::LevelFilter::Trace };
    let options = options
        .application_name("retailcast")
        .log_statements(level)
        .log_slow_statements(tracing::log::LevelFilter::Warn, Duration::from_secs(5));
    PgPoolOptions::new()
        .max_connections(config.database.max_connections)
        .acquire_timeout(ACQUIRE)
        .connect_with(options)
        .await
        .map_err(|source| DatabaseError::Connect { place, source })
}
