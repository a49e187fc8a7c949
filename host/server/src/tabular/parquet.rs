//! Rows of a Parquet file as text cells, a slice at a time.

use std::fs::File;

use csv::StringRecord;
use polars::prelude::{AnyValue, DataFrame, ParquetReader, SerReader};

use super::TableError;

/// Rows that are in memory at a time.
const SLICE: usize = 50_000;

/// A Parquet file and how far it is read.
pub(super) struct ParquetRows {
    name: String,
    file: File,
    rows: usize,
    done: usize,
    slice: DataFrame,
    at: usize,
}

impl ParquetRows {
    /// The rows, and the names of the columns.
    pub(super) fn open(name: &str, file: File) -> Result<(Self, Vec<String>), TableError> {
        let mut reader = ParquetReader::new(again(name, &file)?);
        let names =
            reader.schema().map_err(|e| damaged(name, &e))?.iter_names().map(ToString::to_string).collect();
        let rows = reader.num_rows().map_err(|e| damaged(name, &e))?;
        let slice = DataFrame::empty();
        Ok((Self { name: name.to_owned(), file, rows, done: 0, slice, at: 0 }, names))
    }

    /// Rows read, rows there are.
    pub(super) fn position(&self) -> (u64, u64) {
        (self.done as u64, self.rows as u64)
    }

    /// See [`super::Table::next`].
    pub(super) fn next(&mut self, record: &mut StringRecord) -> Result<Option<u64>, TableError> {
        if self.done == self.rows {
            return Ok(None);
        }
        if self.at == self.slice.height() {
            let reader =
                ParquetReader::new(again(&self.name, &self.file)?).with_slice(Some((self.done, SLICE)));
            self.slice = reader.finish().map_err(|e| damaged(&self.name, &e))?;
            if self.slice.height() == 0 {
                let reason = format!("it announces {} rows and has {}", self.rows, self.done);
                return Err(TableError::Damaged { name: self.name.clone(), reason });
            }
            self.at = 0;
        }
        record.clear();
        for column in self.slice.columns() {
            let value = column.get(self.at).map_err(|e| damaged(&self.name, &e))?;
            push(record, &value);
        }
        self.at += 1;
        self.done += 1;
        Ok(Some(self.done as u64))
    }
}

/// Another handle on the same file; readers seek before they read.
fn again(name: &str, file: &File) -> Result<File, TableError> {
    file.try_clone().map_err(|source| TableError::Read { name: name.to_owned(), source })
}

fn damaged(name: &str, error: &polars::error::PolarsError) -> TableError {
    TableError::Damaged { name: name.to_owned(), reason: error.to_string() }
}

/// Adds a value as a CSV would have it; empty when it is missing.
fn push(record: &mut StringRecord, value: &AnyValue<'_>) {
    match value {
        AnyValue::Null => record.push_field(""),
        AnyValue::String(text) => record.push_field(text),
        AnyValue::StringOwned(text) => record.push_field(text),
        AnyValue::Float64(float) if float.is_nan() => record.push_field(""),
        AnyValue::Float32(float) if float.is_nan() => record.push_field(""),
        // Shortest text that reads back as the same number; polars' own display rounds.
        AnyValue::Float64(float) => record.push_field(&float.to_string()),
        AnyValue::Float32(float) => record.push_field(&float.to_string()),
        other => record.push_field(&other.to_string()),
    }
}
