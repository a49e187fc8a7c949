//! Rows that cannot be used, with the reason, in a file that can be mended and imported again.

use std::io::BufWriter;
use std::path::{Path, PathBuf};

use csv::StringRecord;
use tempfile::NamedTempFile;

use super::ImportError;

/// What a rejects file begins with: the names of its first two columns.
const MARK: &str = "rejected_row,rejected_because,";

/// The rejects file in the making; it appears whole, when the import is done.
pub(super) struct Rejects {
    path: PathBuf,
    columns: Vec<String>,
    writer: Option<csv::Writer<BufWriter<NamedTempFile>>>,
    count: usize,
    first: Option<String>,
}

impl Rejects {
    pub(super) fn new(path: &Path, columns: &[String]) -> Self {
        Self { path: path.to_owned(), columns: columns.to_vec(), writer: None, count: 0, first: None }
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    pub(super) fn first(&self) -> Option<&str> {
        self.first.as_deref()
    }

    /// Adds a row.
    pub(super) fn add(&mut self, row: u64, record: &StringRecord, reason: &str) -> Result<(), ImportError> {
        let path = self.path.clone();
        let failed =
            |e: csv::Error| ImportError::Rejects { path: path.display().to_string(), source: e.into() };
        self.count += 1;
        self.first.get_or_insert_with(|| format!("row {row}: {reason}"));
        let number = row.to_string();
        let writer = match &mut self.writer {
            Some(writer) => writer,
            None => {
                let writer = self.create().map_err(|e| failed(e.into()))?;
                let writer = self.writer.insert(writer);
                let names = ["rejected_row", "rejected_because"]
                    .into_iter()
                    .chain(self.columns.iter().map(String::as_str));
                writer.write_record(names).map_err(&failed)?;
                writer
            }
        };
        writer.write_record([number.as_str(), reason].into_iter().chain(record)).map_err(failed)
    }

    fn create(&self) -> std::io::Result<csv::Writer<BufWriter<NamedTempFile>>> {
        let folder =
            self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Ok(csv::Writer::from_writer(BufWriter::new(NamedTempFile::new_in(folder)?)))
    }

    /// Puts the file in its place. Without rejects that of an earlier import goes away: its rows are mended.
    pub(super) fn finish(self) -> Result<Option<PathBuf>, ImportError> {
        let failed = |source| ImportError::Rejects { path: self.path.display().to_string(), source };
        match self.writer {
            Some(writer) => {
                let buffer = writer.into_inner().map_err(|e| failed(e.into_error()))?;
                let file = buffer.into_inner().map_err(|e| failed(e.into_error()))?;
                file.persist(&self.path).map_err(|e| failed(e.error))?;
                Ok(Some(self.path))
            }
            None => {
                if is_rejects_file(&self.path) {
                    std::fs::remove_file(&self.path).map_err(failed)?;
                }
                Ok(None)
            }
        }
    }
}

/// Nothing else is ever removed.
fn is_rejects_file(path: &Path) -> bool {
    std::fs::read(path).is_ok_and(|bytes| bytes.starts_with(MARK.as_bytes()))
}
