//! Rows of a table, read ahead on a thread of their own.

use std::fs::File;
use std::io::{Seek, SeekFrom};

use csv::StringRecord;
use retailcast_core::config_schema::FieldError;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::records::{Record, read_row};
use crate::http::fields::Fields;
use crate::tabular::{Format, Table, TableError};

/// Rows that are written at a time, in one statement: the more rows, the less it costs, and these are a few MB.
pub(super) const BATCH: usize = 10_000;
/// Batches that wait for the connection.
const AHEAD: usize = 2;
/// After so many errors reading stops.
const MOST_ERRORS: usize = 1000;

/// Why a table cannot be read.
#[derive(Debug)]
pub(super) enum Unreadable {
    /// The table is at fault.
    Refused {
        /// What is wrong with it.
        errors: Vec<FieldError>,
        /// Reading stopped there, and more may be wrong.
        more: bool,
    },
    /// This machine is at fault.
    Internal(String),
}

impl From<TableError> for Unreadable {
    fn from(error: TableError) -> Self {
        let (field, kind) = match &error {
            TableError::Read { .. } => return Self::Internal(error.to_string()),
            TableError::Damaged { .. } => ("", "value_error"),
            TableError::NoColumn { column, .. } => (column.as_str(), "missing"),
            TableError::TwiceColumn { column, .. } => (column.as_str(), "value_error"),
        };
        Self::Refused { errors: vec![FieldError::new(field, kind, error.to_string())], more: false }
    }
}

/// The rows of a table, a batch at a time.
pub(super) struct TableRows<R> {
    batches: mpsc::Receiver<Vec<R>>,
    reader: JoinHandle<Result<(), Unreadable>>,
}

impl<R: Record> TableRows<R> {
    /// Begins to read the file from its start. When this is dropped, reading ends.
    pub(super) fn of(file: &File) -> Result<Self, Unreadable> {
        let failed = |e: std::io::Error| Unreadable::Internal(e.to_string());
        let mut file = file.try_clone().map_err(failed)?;
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        let (sender, batches) = mpsc::channel(AHEAD);
        let reader = tokio::task::spawn_blocking(move || read(file, &sender));
        Ok(Self { batches, reader })
    }

    /// The next rows; `None` at the end, or where reading failed.
    pub(super) async fn next(&mut self) -> Option<Vec<R>> {
        self.batches.recv().await
    }

    /// Whether everything was read and fits.
    pub(super) async fn finish(self) -> Result<(), Unreadable> {
        self.reader.await.map_err(|e| Unreadable::Internal(e.to_string()))?
    }
}

fn read<R: Record>(file: File, batches: &mpsc::Sender<Vec<R>>) -> Result<(), Unreadable> {
    let format = Format { trim: false, ..Format::default() };
    let mut table = Table::of_file("the body".to_owned(), file, &format)?;
    let names = table.header.names().to_vec();
    let missing = missing_columns::<R>(&names);
    if !missing.is_empty() {
        return Err(Unreadable::Refused { errors: missing, more: false });
    }
    let mut cells = vec![Value::Null; names.len()];
    let mut record = StringRecord::new();
    let (mut row, mut rows, mut errors) = (0, Vec::with_capacity(BATCH), Vec::new());
    while errors.len() < MOST_ERRORS && table.next(&mut record)?.is_some() {
        for (cell, text) in cells.iter_mut().zip(&record) {
            set(cell, text);
        }
        match read_row(row, Fields::of_row(&names, &cells)) {
            Ok(read) if errors.is_empty() => rows.push(read),
            // Nothing will be written any more.
            Ok(_) => {}
            Err(found) => errors.extend(found),
        }
        row += 1;
        if rows.len() == BATCH {
            let full = std::mem::replace(&mut rows, Vec::with_capacity(BATCH));
            // Nobody waits for the rows: the deadline passed, or the database failed and that error is the one to tell.
            if batches.blocking_send(full).is_err() {
                return Ok(());
            }
        }
    }
    if row == 0 {
        errors.push(FieldError::new(
            "records",
            "too_short",
            "must have at least 1 row below the header, has 0",
        ));
    }
    if !errors.is_empty() {
        let more = errors.len() >= MOST_ERRORS;
        return Err(Unreadable::Refused { errors, more });
    }
    // The same: an error here is not ours to tell.
    if !rows.is_empty() {
        let _ = batches.blocking_send(rows);
    }
    Ok(())
}

fn missing_columns<R: Record>(names: &[String]) -> Vec<FieldError> {
    let missing = R::REQUIRED.iter().filter(|column| !names.iter().any(|name| name == *column));
    missing
        .map(|column| {
            let found = names.join(", ");
            FieldError::new(
                *column,
                "missing",
                format!("the table has no such column; its columns are: {found}"),
            )
        })
        .collect()
}

/// Puts a text into a cell, in the memory that the cell has already. An empty one is a missing value.
fn set(cell: &mut Value, text: &str) {
    match cell {
        _ if text.is_empty() => *cell = Value::Null,
        Value::String(old) => {
            old.clear();
            old.push_str(text);
        }
        _ => *cell = text.into(),
    }
}
