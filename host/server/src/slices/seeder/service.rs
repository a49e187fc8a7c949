//! The operations. Each that writes is one transaction, and only one of them runs at a time in a database.

use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, NaiveDate, Utc};
use indexmap::IndexMap;
use retailcast_core::Day;
use retailcast_core::seeder::{Parameters, Rejected, Window, dimensions};
use retailcast_runtime::ComputePool;
use sqlx::{PgConnection, PgPool, Postgres, Transaction};

use super::checks::{self, Check};
use super::facts::{Facts, Progress};
use super::store;
use crate::compute::ComputeError;

/// What seeding needs to know of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeederSettings {
    /// Whether writing is refused, as in production.
    pub blocked: bool,
    /// Rows handed to the database at a time.
    pub batch_size: usize,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// Production.
    #[error(
        "synthetic data is neither written nor deleted in production; `seeder.allow_production = true` (SEEDER_ALLOW_PRODUCTION) allows it"
    )]
    Blocked,
    /// Another one is at it.
    #[error("another seeding of this database is under way; try again when it has ended")]
    Running,
    /// There is nothing that data could be made for.
    #[error("there are no stores or no products; generate makes them")]
    NothingThere,
    /// Parameters that cannot be worked with.
    #[error(transparent)]
    Rejected(#[from] Rejected),
    /// No compute thread did the work.
    #[error(transparent)]
    Compute(#[from] ComputeError),
    /// The database refused or failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// What to generate.
#[derive(Debug, Clone, PartialEq)]
pub struct SeedOrder {
    /// Seed.
    pub seed: u64,
    /// Everything else, resolved.
    pub parameters: Parameters,
    /// Only report.
    pub dry_run: bool,
}

/// Rows by kind: of a run those that the generators made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Counts {
    pub stores: i64,
    pub products: i64,
    pub calendar: i64,
    pub sales: i64,
    pub inventory: i64,
    pub price_history: i64,
    pub promotions: i64,
    pub exogenous_signals: i64,
    pub sales_returns: i64,
    pub replenishment_events: i64,
}

/// What a run made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Created {
    /// Rows.
    pub counts: Counts,
    /// Seconds it took; 0 when nothing was written.
    pub seconds: f64,
    /// The seed.
    pub seed: u64,
    /// Whether it only reports.
    pub dry_run: bool,
}

/// What is there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Status {
    /// Rows.
    pub counts: Counts,
    /// First and last day with sales.
    pub sales: Option<(NaiveDate, NaiveDate)>,
    /// Newest change of a sales row.
    pub last_updated: Option<DateTime<Utc>>,
}

/// What to delete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Facts and dimensions.
    All,
    /// Facts.
    Facts,
    /// Dimensions, and with them the facts, which depend on them.
    Dimensions,
}

impl Scope {
    /// Names on the wire and on the command line.
    pub const NAMES: [&'static str; 3] = ["all", "facts", "dimensions"];

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "all" => Some(Self::All),
            "facts" => Some(Self::Facts),
            "dimensions" => Some(Self::Dimensions),
            _ => None,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Facts => "facts",
            Self::Dimensions => "dimensions",
        }
    }
}

/// What was deleted, or would be.
#[derive(Debug, Clone, PartialEq)]
pub struct Deleted {
    /// Rows by table, in order of deletion.
    pub rows: IndexMap<&'static str, i64>,
    /// What was asked for.
    pub scope: Scope,
    /// Whether it only reports.
    pub dry_run: bool,
}

/// Makes synthetic data.
#[derive(Debug, Clone)]
pub struct Seeder {
    pool: PgPool,
    compute: Arc<ComputePool>,
    settings: SeederSettings,
}

impl Seeder {
    /// On this database, computing on these threads.
    pub fn new(pool: PgPool, compute: Arc<ComputePool>, settings: SeederSettings) -> Self {
        Self { pool, compute, settings }
    }

    /// Refuses in production.
    pub fn check_allowed(&self) -> Result<(), SeedError> {
        if self.settings.blocked { Err(SeedError::Blocked) } else { Ok(()) }
    }

    /// What is there.
    pub async fn status(&self) -> Result<Status, SeedError> {
        let mut connection = self.pool.acquire().await?;
        Ok(store::status(&mut connection).await?)
    }

    /// Rows of a signal, of a store and of the chain when a store is given, of all otherwise; at most `most` of them.
    pub async fn signals(
        &self,
        name: &str,
        window: (NaiveDate, NaiveDate),
        store_id: Option<i32>,
        most: i64,
    ) -> Result<Vec<store::Signal>, SeedError> {
        let mut connection = self.pool.acquire().await?;
        Ok(store::signals(&mut connection, name, window, store_id, most).await?)
    }

    /// Makes stores, products, a calendar and facts. What exists stays as it is.
    pub async fn generate(&self, order: SeedOrder, progress: &Progress) -> Result<Created, SeedError> {
        self.check_allowed()?;
        let SeedOrder { seed, parameters, dry_run } = order;
        if dry_run {
            let counts = Counts {
                stores: parameters.stores as i64,
                products: parameters.products as i64,
                calendar: parameters.window.days() as i64,
                ..Counts::default()
            };
            return Ok(Created { counts, seconds: 0.0, seed, dry_run });
        }
        let started = Instant::now();
        let mut transaction = self.begin().await?;
        let made = async {
            let stores = dimensions::stores(seed, &parameters);
            let products = dimensions::products(seed, &parameters);
            store::insert_stores(&mut transaction, &stores).await?;
            store::insert_products(&mut transaction, &products).await?;
            self.facts(&mut transaction, seed, parameters, false, progress).await
        }
        .await;
        let counts = end(transaction, made).await?;
        Ok(Created { counts, seconds: started.elapsed().as_secs_f64(), seed, dry_run })
    }

    /// Makes a calendar and facts of further days for the stores and products that exist.
    pub async fn append(&self, seed: u64, window: Window, progress: &Progress) -> Result<Created, SeedError> {
        self.check_allowed()?;
        let started = Instant::now();
        let mut transaction = self.begin().await?;
        let parameters = Parameters::base(window);
        let made = self.facts(&mut transaction, seed, parameters, true, progress).await;
        let mut counts = end(transaction, made).await?;
        (counts.stores, counts.products) = (0, 0);
        Ok(Created { counts, seconds: started.elapsed().as_secs_f64(), seed, dry_run: false })
    }

    /// Deletes what any seeding could have made, and everything else in those tables.
    pub async fn delete(&self, scope: Scope, dry_run: bool) -> Result<Deleted, SeedError> {
        self.check_allowed()?;
        let tables = match scope {
            Scope::Facts => &store::TABLES[..store::FACTS],
            Scope::All | Scope::Dimensions => &store::TABLES[..],
        };
        let counts = if dry_run {
            let mut connection = self.pool.acquire().await?;
            store::count(&mut connection).await?
        } else {
            let mut transaction = self.begin().await?;
            store::lock_tables(&mut transaction).await?;
            let counts = store::count(&mut transaction).await?;
            match scope {
                Scope::Facts => store::delete_facts(&mut transaction).await?,
                Scope::All | Scope::Dimensions => store::delete_all(&mut transaction).await?,
            }
            transaction.commit().await?;
            counts
        };
        let rows = tables.iter().map(|(table, rows)| (*table, rows(&counts))).collect();
        Ok(Deleted { rows, scope, dry_run })
    }

    /// Looks for what cannot be.
    pub async fn verify(&self) -> Result<Vec<Check>, SeedError> {
        // One snapshot for all checks.
        let mut transaction =
            self.pool.begin_with("begin isolation level repeatable read, read only").await?;
        let findings = store::findings(&mut transaction).await?;
        let counts = store::count(&mut transaction).await?;
        let days = store::calendar_span(&mut transaction).await?;
        Ok(checks::all(&findings, &counts, days))
    }

    /// A transaction that keeps every other one of ours out until it ends, in whatever process.
    async fn begin(&self) -> Result<Transaction<'static, Postgres>, SeedError> {
        let mut transaction = self.pool.begin().await?;
        if store::try_lock(&mut transaction).await? { Ok(transaction) } else { Err(SeedError::Running) }
    }

    async fn facts(
        &self,
        connection: &mut PgConnection,
        seed: u64,
        parameters: Parameters,
        append: bool,
        progress: &Progress,
    ) -> Result<Counts, SeedError> {
        let shop = store::shop(connection).await?;
        if shop.pairs() == 0 {
            return Err(SeedError::NothingThere);
        }
        Facts { connection, compute: &self.compute, batch: self.settings.batch_size, progress, append }
            .write(seed, parameters, shop)
            .await
    }
}

/// Keeps what was made, or undoes it before the answer: a transaction that is only dropped is rolled back some time later,
/// and keeps others out until then.
async fn end<T>(
    transaction: Transaction<'static, Postgres>,
    made: Result<T, SeedError>,
) -> Result<T, SeedError> {
    match made {
        Ok(made) => transaction.commit().await.map(|()| made).map_err(SeedError::from),
        Err(error) => {
            if let Err(e) = transaction.rollback().await {
                tracing::warn!("a failed seeding was not rolled back, its connection is closed: {e}");
            }
            Err(error)
        }
    }
}

/// A day for the database.
pub(super) fn date(day: Day) -> NaiveDate {
    day.date()
}
