//! Files into the database: stores, products, calendar and sales as CSV, CSV.gz or Parquet.
//!
//! A file is one transaction: it is there whole, without its rejected rows, or not at all. What is untidy in it is
//! mended as the options say, and the summary counts every mending; rows that cannot be used go to a rejects file
//! with the reason.

mod calendar;
mod dimensions;
mod rejects;
mod sales;
mod store;
mod summary;

pub use calendar::{HolidayRule, import_calendar};
pub use dimensions::{import_products, import_stores};
pub use sales::{
    FractionalQuantity, MissingPrice, PromoFlag, SalesOptions, TooManyDecimals, UnknownDays, UnknownKeys,
    import_sales,
};
pub use summary::Summary;

use std::path::PathBuf;

use crate::tabular::{Format, Table, TableError};

/// A file and how to read it.
#[derive(Debug, Clone)]
pub struct Source {
    /// The file; CSV, gzipped CSV or Parquet is told by its content.
    pub file: PathBuf,
    /// How it is written.
    pub format: Format,
    /// Where rejected rows go.
    pub rejects: PathBuf,
    /// Hears how far reading has come.
    pub progress: Progress,
}

/// Hears (done, all), in bytes for CSV, in rows for Parquet.
#[derive(Clone)]
pub struct Progress(std::sync::Arc<dyn Fn(u64, u64) + Send + Sync>);

impl Progress {
    /// Calls this.
    pub fn new(heard: impl Fn(u64, u64) + Send + Sync + 'static) -> Self {
        Self(std::sync::Arc::new(heard))
    }

    /// Nobody listens.
    pub fn silent() -> Self {
        Self::new(|_, _| {})
    }

    fn tell(&self, table: &Table) {
        let (done, all) = table.position();
        (self.0)(done, all);
    }
}

impl std::fmt::Debug for Progress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Progress")
    }
}

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file cannot be read as a table.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The rejects file cannot be written.
    #[error("cannot write the rejects file {path}: {source}")]
    Rejects {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// Not one row could be used.
    #[error(
        "all {rows} rows of {file} were rejected, nothing was imported; {rejects} has the reasons, the first is: {first}"
    )]
    NothingUsable {
        /// The file.
        file: String,
        /// How many.
        rows: usize,
        /// Where the reasons are.
        rejects: String,
        /// The first reason.
        first: String,
    },
    /// The database failed; nothing was kept.
    #[error("the database failed, nothing was imported: {0}")]
    Database(#[from] sqlx::Error),
}

impl ImportError {
    /// Whether the input is at fault, and not the machine.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Table(_) | Self::NothingUsable { .. })
    }
}
