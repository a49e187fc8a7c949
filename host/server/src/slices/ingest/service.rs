//! Resolving natural keys and writing what resolves.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use chrono::NaiveDate;
use rust_decimal::Decimal;
use sqlx::{PgConnection, PgPool, SqlSafeStr};

use super::store;

/// What bulk loads need to know of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IngestSettings {
    /// Rows per statement.
    pub batch_size: usize,
    /// Deadline of one request.
    pub timeout: Duration,
}

/// One day of one product in one store, by natural keys.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SaleRow<'a> {
    /// Sales day.
    pub date: NaiveDate,
    /// `store.code`.
    pub store_code: &'a str,
    /// `product.sku`.
    pub sku: &'a str,
    /// Units sold.
    pub quantity: i32,
    /// Price per unit.
    pub unit_price: Decimal,
    /// Amount.
    pub total_amount: Decimal,
}

/// Why a row was rejected: the first check that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RejectionCode {
    /// No store has the code.
    UnknownStore,
    /// No product has the SKU.
    UnknownProduct,
    /// The calendar does not have the day.
    UnknownDate,
}

impl RejectionCode {
    /// The machine code.
    pub fn name(self) -> &'static str {
        match self {
            Self::UnknownStore => "UNKNOWN_STORE",
            Self::UnknownProduct => "UNKNOWN_PRODUCT",
            Self::UnknownDate => "UNKNOWN_DATE",
        }
    }

    /// For people; names the value.
    pub fn message(self, row: &SaleRow<'_>) -> String {
        match self {
            Self::UnknownStore => format!("no store with code {}", row.store_code),
            Self::UnknownProduct => format!("no product with SKU {}", row.sku),
            Self::UnknownDate => format!("the calendar does not have {}", row.date),
        }
    }
}

/// A rejected row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rejection {
    /// Its position in the input.
    pub row: usize,
    /// Why.
    pub code: RejectionCode,
}

/// What became of the rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Rows inserted or updated; a row that a later one of the same grain replaced counts too.
    pub processed: usize,
    /// The others, in input order.
    pub rejected: Vec<Rejection>,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// The deadline passed; everything was rolled back.
    #[error("the rows were not written within {} s (`ingest.timeout_seconds`); nothing was kept", .0.as_secs())]
    Timeout(Duration),
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

const DEADLOCK: &str = "40P01";
const RETRIES: u32 = 3;
/// `query_canceled`: the statement's time was over.
const CANCELLED: &str = "57014";

/// When a request has to be answered.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    at: Instant,
    limit: Duration,
}

impl Deadline {
    /// Waits for the work no longer than this.
    pub async fn apply<T>(&self, work: impl Future<Output = T>) -> Result<T, IngestError> {
        tokio::time::timeout_at(self.at.into(), work).await.map_err(|_| IngestError::Timeout(self.limit))
    }

    /// The database ends a statement at the same moment as we stop waiting; either may be first.
    fn explain(&self, error: sqlx::Error) -> IngestError {
        match &error {
            sqlx::Error::Database(e) if e.code().as_deref() == Some(CANCELLED) => {
                IngestError::Timeout(self.limit)
            }
            _ => error.into(),
        }
    }

    /// Begins a transaction whose statements end with the deadline too: a client that waits no longer must not leave
    /// a statement behind that waits for a lock and keeps its connection.
    fn begin(&self) -> sqlx::SqlStr {
        let left = self.at.saturating_duration_since(Instant::now()).as_millis().max(1);
        sqlx::AssertSqlSafe(format!("begin; set local statement_timeout = {left}")).into_sql_str()
    }
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

    /// When a request that began now has to be answered.
    pub fn deadline(&self) -> Deadline {
        Deadline { at: Instant::now() + self.settings.timeout, limit: self.settings.timeout }
    }

    /// Writes the rows whose store, product and day exist, in one transaction.
    pub async fn sales(&self, rows: &[SaleRow<'_>], deadline: Deadline) -> Result<Outcome, IngestError> {
        let mut tries = 0;
        loop {
            match self.try_sales(rows, deadline).await {
                // The database chose this transaction to end a deadlock. Nothing of it is there, so it is tried again.
                Err(IngestError::Database(sqlx::Error::Database(e)))
                    if e.code().as_deref() == Some(DEADLOCK) && tries < RETRIES =>
                {
                    tries += 1;
                }
                done => return done,
            }
        }
    }

    async fn try_sales(&self, rows: &[SaleRow<'_>], deadline: Deadline) -> Result<Outcome, IngestError> {
        let work = async {
            let mut transaction = self.pool.begin_with(deadline.begin()).await?;
            let outcome = self.write(&mut transaction, rows).await?;
            Ok::<_, sqlx::Error>((transaction, outcome))
        };
        let (transaction, outcome) = deadline.apply(work).await?.map_err(|e| deadline.explain(e))?;
        // Past this point the answer is the database's: a deadline could not tell whether it has committed.
        transaction.commit().await?;
        Ok(outcome)
    }

    async fn write(
        &self,
        connection: &mut PgConnection,
        rows: &[SaleRow<'_>],
    ) -> Result<Outcome, sqlx::Error> {
        let keys = Keys::look_up(connection, rows).await?;
        let mut outcome = Outcome::default();
        let mut resolved = Vec::with_capacity(rows.len());
        for (i, row) in rows.iter().enumerate() {
            match keys.resolve(row) {
                Ok(row) => resolved.push(row),
                Err(code) => outcome.rejected.push(Rejection { row: i, code }),
            }
        }
        outcome.processed = resolved.len();
        store::upsert_sales(connection, last_of_each_grain(resolved), self.settings.batch_size).await?;
        Ok(outcome)
    }
}

/// The natural keys of some rows that exist.
struct Keys {
    stores: HashMap<String, i32>,
    products: HashMap<String, i32>,
    days: HashSet<NaiveDate>,
}

impl Keys {
    async fn look_up(connection: &mut PgConnection, rows: &[SaleRow<'_>]) -> Result<Self, sqlx::Error> {
        let codes: HashSet<&str> = rows.iter().map(|row| row.store_code).collect();
        let skus: HashSet<&str> = rows.iter().map(|row| row.sku).collect();
        let days: HashSet<NaiveDate> = rows.iter().map(|row| row.date).collect();
        Ok(Self {
            stores: store::store_ids(connection, &codes.into_iter().collect::<Vec<_>>()).await?,
            products: store::product_ids(connection, &skus.into_iter().collect::<Vec<_>>()).await?,
            days: store::known_days(connection, &days.into_iter().collect::<Vec<_>>()).await?,
        })
    }

    fn resolve(&self, row: &SaleRow<'_>) -> Result<store::Sale, RejectionCode> {
        let store_id = *self.stores.get(row.store_code).ok_or(RejectionCode::UnknownStore)?;
        let product_id = *self.products.get(row.sku).ok_or(RejectionCode::UnknownProduct)?;
        if !self.days.contains(&row.date) {
            return Err(RejectionCode::UnknownDate);
        }
        Ok(store::Sale {
            store_id,
            product_id,
            date: row.date,
            quantity: row.quantity,
            unit_price: row.unit_price,
            total_amount: row.total_amount,
        })
    }
}

/// In order of the primary key, so that two requests with the same rows wait for each other instead of deadlocking;
/// of equal grains the last in input order stays.
pub(crate) fn last_of_each_grain(mut rows: Vec<store::Sale>) -> Vec<store::Sale> {
    // Stable: equal grains keep their order.
    rows.sort_by_key(store::Sale::grain);
    rows.reverse();
    rows.dedup_by_key(|row| row.grain());
    rows.reverse();
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sale(store_id: i32, day: u32, quantity: i32) -> store::Sale {
        store::Sale {
            store_id,
            product_id: 1,
            date: NaiveDate::from_ymd_opt(2024, 1, day).unwrap(),
            quantity,
            unit_price: Decimal::ONE,
            total_amount: Decimal::ONE,
        }
    }

    #[test]
    fn the_last_row_of_a_grain_wins() {
        let rows = last_of_each_grain(vec![
            sale(2, 1, 10),
            sale(1, 2, 20),
            sale(2, 1, 30),
            sale(1, 1, 40),
            sale(2, 1, 50),
        ]);
        let found: Vec<(i32, i32)> = rows.iter().map(|row| (row.store_id, row.quantity)).collect();
        assert_eq!(found, [(1, 40), (1, 20), (2, 50)]);
    }
}
