//! A file as a table of text cells: nothing is guessed, so that codes keep their zeros and decimals their digits.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use csv::StringRecord;
use polars::prelude::{AnyValue, ParquetReader, SerReader};

use super::{Progress, Source};

/// Rows of a Parquet file that are in memory at a time.
const SLICE: usize = 100_000;

/// Why a file is no table that can be imported.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// It cannot be opened or read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// It is damaged.
    #[error("{path} is damaged: {reason}")]
    Damaged {
        /// The file.
        path: String,
        /// Where and how.
        reason: String,
    },
    /// A column that is needed is not there.
    #[error(
        "{path} has no column `{column}`; its columns are: {found}. Name the right one with --column {wanted}=NAME"
    )]
    NoColumn {
        /// The file.
        path: String,
        /// The name that was looked for.
        column: String,
        /// Our name for it.
        wanted: String,
        /// What there is.
        found: String,
    },
    /// A column stands twice.
    #[error("{path} has the column `{column}` more than once")]
    TwiceColumn {
        /// The file.
        path: String,
        /// The name.
        column: String,
    },
}

/// Our name of a column → the file's name, where the two differ.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Columns(pub BTreeMap<String, String>);

/// The columns of a file.
#[derive(Debug, Clone)]
pub(super) struct Header {
    path: PathBuf,
    names: Vec<String>,
    renamed: Columns,
}

impl Header {
    fn new(source: &Source, names: Vec<String>) -> Result<Self, TableError> {
        for (i, name) in names.iter().enumerate() {
            if names[..i].contains(name) {
                return Err(TableError::TwiceColumn { path: text(&source.file), column: name.clone() });
            }
        }
        Ok(Self { path: source.file.clone(), names, renamed: source.columns.clone() })
    }

    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// Position of a column under one of our names for it; the first is the proper one.
    pub(super) fn optional(&self, ours: &[&str]) -> Option<usize> {
        let position = |name: &str| self.names.iter().position(|found| found.eq_ignore_ascii_case(name));
        match ours.iter().find_map(|name| self.renamed.0.get(*name)) {
            Some(theirs) => position(theirs),
            None => ours.iter().find_map(|name| position(name)),
        }
    }

    /// The same of a column that must be there.
    pub(super) fn required(&self, ours: &[&str]) -> Result<usize, TableError> {
        self.optional(ours).ok_or_else(|| TableError::NoColumn {
            path: text(&self.path),
            column: self.renamed.0.get(ours[0]).cloned().unwrap_or_else(|| ours.join("` or `")),
            wanted: ours[0].to_owned(),
            found: self.names.join(", "),
        })
    }

    /// The columns that nobody asked for.
    pub(super) fn unused(&self, used: &[usize]) -> Vec<String> {
        self.names
            .iter()
            .enumerate()
            .filter(|(i, _)| !used.contains(i))
            .map(|(_, name)| name.clone())
            .collect()
    }
}

/// A file, row by row.
pub(super) struct Table {
    pub(super) header: Header,
    rows: Rows,
    progress: Progress,
    position: Arc<AtomicU64>,
    size: u64,
    path: PathBuf,
}

enum Rows {
    Csv(csv::Reader<Box<dyn Read + Send>>),
    Parquet(ParquetRows),
}

impl Table {
    pub(super) fn open(source: &Source) -> Result<Self, TableError> {
        let read_error = |error| TableError::Read { path: text(&source.file), source: error };
        let file = File::open(&source.file).map_err(read_error)?;
        let size = file.metadata().map_err(read_error)?.len();
        let position = Arc::new(AtomicU64::new(0));
        let mut reader =
            BufReader::with_capacity(1 << 16, Counting { file, position: Arc::clone(&position) });
        let start = reader.fill_buf().map_err(read_error)?;
        let (rows, names, size) = if start.starts_with(b"PAR1") {
            let (rows, names) = ParquetRows::open(&source.file)?;
            let size = rows.rows as u64;
            (Rows::Parquet(rows), names, size)
        } else {
            let plain: Box<dyn Read + Send> = if start.starts_with(&[0x1f, 0x8b]) {
                Box::new(flate2::bufread::MultiGzDecoder::new(reader))
            } else {
                Box::new(reader)
            };
            let mut csv =
                csv::ReaderBuilder::new().delimiter(source.delimiter).trim(csv::Trim::All).from_reader(plain);
            let names = csv.headers().map_err(|e| csv_error(&source.file, e))?;
            // Spreadsheet programs put a byte order mark before the first name.
            let names = names.iter().map(|name| name.trim_start_matches('\u{feff}').to_owned()).collect();
            (Rows::Csv(csv), names, size)
        };
        let header = Header::new(source, names)?;
        Ok(Self {
            header,
            rows,
            progress: source.progress.clone(),
            position,
            size,
            path: source.file.clone(),
        })
    }

    /// Reads the next row into `record`; its number (the first row after the header is 1), or `None` at the end.
    pub(super) fn next(&mut self, record: &mut StringRecord) -> Result<Option<u64>, TableError> {
        match &mut self.rows {
            Rows::Csv(csv) => {
                if !csv.read_record(record).map_err(|e| csv_error(&self.path, e))? {
                    return Ok(None);
                }
                // The record's own position counts the header.
                Ok(Some(record.position().map_or(0, csv::Position::record)))
            }
            Rows::Parquet(rows) => {
                let row = rows.next(record)?;
                self.position.store(rows.done as u64, Ordering::Relaxed);
                Ok(row)
            }
        }
    }

    /// Tells the listener how far reading has come.
    pub(super) fn tell(&self) {
        self.progress.tell(self.position.load(Ordering::Relaxed).min(self.size), self.size);
    }
}

/// Counts what was read of a file, before it is unzipped.
struct Counting {
    file: File,
    position: Arc<AtomicU64>,
}

impl Read for Counting {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.position.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

fn csv_error(path: &Path, error: csv::Error) -> TableError {
    let path = text(path);
    let reason = error.to_string();
    match error.into_kind() {
        csv::ErrorKind::Io(source) if source.kind() != std::io::ErrorKind::InvalidInput => {
            // A gzip stream that ends early or does not match its checksum is damage, not a failing disk.
            match source.kind() {
                std::io::ErrorKind::UnexpectedEof | std::io::ErrorKind::InvalidData => {
                    TableError::Damaged { path, reason: source.to_string() }
                }
                _ => TableError::Read { path, source },
            }
        }
        _ => TableError::Damaged { path, reason },
    }
}

/// A Parquet file, a slice at a time.
struct ParquetRows {
    path: PathBuf,
    rows: usize,
    done: usize,
    slice: polars::prelude::DataFrame,
    at: usize,
}

impl ParquetRows {
    fn open(path: &Path) -> Result<(Self, Vec<String>), TableError> {
        let mut reader = ParquetReader::new(open(path)?);
        let names =
            reader.schema().map_err(|e| damaged(path, &e))?.iter_names().map(ToString::to_string).collect();
        let rows = reader.num_rows().map_err(|e| damaged(path, &e))?;
        let slice = polars::prelude::DataFrame::empty();
        Ok((Self { path: path.to_owned(), rows, done: 0, slice, at: 0 }, names))
    }

    fn next(&mut self, record: &mut StringRecord) -> Result<Option<u64>, TableError> {
        if self.done == self.rows {
            return Ok(None);
        }
        if self.at == self.slice.height() {
            let reader = ParquetReader::new(open(&self.path)?).with_slice(Some((self.done, SLICE)));
            self.slice = reader.finish().map_err(|e| damaged(&self.path, &e))?;
            self.at = 0;
        }
        record.clear();
        for column in self.slice.columns() {
            let value = column.get(self.at).map_err(|e| damaged(&self.path, &e))?;
            record.push_field(&cell(&value));
        }
        self.at += 1;
        self.done += 1;
        Ok(Some(self.done as u64))
    }
}

fn open(path: &Path) -> Result<File, TableError> {
    File::open(path).map_err(|source| TableError::Read { path: text(path), source })
}

fn damaged(path: &Path, error: &polars::error::PolarsError) -> TableError {
    TableError::Damaged { path: text(path), reason: error.to_string() }
}

/// A value as a CSV would have it; empty when it is missing.
fn cell(value: &AnyValue<'_>) -> String {
    match value {
        AnyValue::Null => String::new(),
        AnyValue::String(text) => (*text).to_owned(),
        AnyValue::StringOwned(text) => text.to_string(),
        AnyValue::Float64(float) if float.is_nan() => String::new(),
        AnyValue::Float32(float) if float.is_nan() => String::new(),
        // Shortest text that reads back as the same number; polars' own display rounds.
        AnyValue::Float64(float) => float.to_string(),
        AnyValue::Float32(float) => float.to_string(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn source(file: &Path) -> Source {
        Source {
            file: file.to_owned(),
            columns: Columns::default(),
            delimiter: b',',
            rejects: PathBuf::new(),
            progress: Progress::silent(),
        }
    }

    fn read(file: &Path) -> Result<(Vec<String>, Vec<Vec<String>>), TableError> {
        let mut table = Table::open(&source(file))?;
        let (mut record, mut rows) = (StringRecord::new(), Vec::new());
        while let Some(number) = table.next(&mut record)? {
            assert_eq!(number as usize, rows.len() + 1);
            rows.push(record.iter().map(str::to_owned).collect());
        }
        Ok((table.header.names().to_vec(), rows))
    }

    const CSV: &str = "\u{feff}code, name\n007,\"a, b\"\n8,c\n";

    fn expected() -> (Vec<String>, Vec<Vec<String>>) {
        let row = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>();
        (row(&["code", "name"]), vec![row(&["007", "a, b"]), row(&["8", "c"])])
    }

    #[test]
    fn csv_and_gzip_are_told_by_their_content() {
        let folder = tempfile::tempdir().unwrap();
        let (plain, zipped) = (folder.path().join("x.gz"), folder.path().join("x.csv"));
        std::fs::write(&plain, CSV).unwrap();
        let mut gz =
            flate2::write::GzEncoder::new(File::create(&zipped).unwrap(), flate2::Compression::fast());
        gz.write_all(CSV.as_bytes()).unwrap();
        gz.finish().unwrap();
        assert_eq!(read(&plain).unwrap(), expected());
        assert_eq!(read(&zipped).unwrap(), expected());

        let bytes = std::fs::read(&zipped).unwrap();
        std::fs::write(&zipped, &bytes[..bytes.len() - 12]).unwrap();
        assert!(matches!(read(&zipped), Err(TableError::Damaged { .. })));
        std::fs::write(&plain, "a,b\n1\n").unwrap();
        assert!(matches!(read(&plain), Err(TableError::Damaged { .. })));
        std::fs::write(&plain, "a,a\n1,2\n").unwrap();
        assert!(matches!(read(&plain), Err(TableError::TwiceColumn { .. })));
        assert!(matches!(read(Path::new("/no/such/file")), Err(TableError::Read { .. })));
    }

    #[test]
    fn parquet_gives_the_same_cells() {
        use polars::prelude::{DataFrame, NamedFrom, ParquetWriter, Series};
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x");
        let days =
            Series::new("date".into(), [19_723_i32, 19_724]).cast(&polars::prelude::DataType::Date).unwrap();
        let mut frame = DataFrame::new(
            2,
            vec![
                Series::new("code".into(), ["007", "8"]).into(),
                days.into(),
                Series::new("price".into(), [Some(10.13_f64), None]).into(),
                Series::new("n".into(), [5_i64, -6]).into(),
            ],
        )
        .unwrap();
        ParquetWriter::new(File::create(&file).unwrap()).finish(&mut frame).unwrap();
        let (names, rows) = read(&file).unwrap();
        assert_eq!(names, ["code", "date", "price", "n"]);
        assert_eq!(rows[0], ["007", "2024-01-01", "10.13", "5"]);
        assert_eq!(rows[1], ["8", "2024-01-02", "", "-6"]);
    }

    #[test]
    fn columns_may_have_other_names() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.csv");
        std::fs::write(&file, "Shop,SKU\n1,2\n").unwrap();
        let mut source = source(&file);
        source.columns.0.insert("store_code".to_owned(), "shop".to_owned());
        let header = Table::open(&source).unwrap().header;
        assert_eq!(header.required(&["store_code"]).unwrap(), 0);
        assert_eq!(header.optional(&["sku"]), Some(1));
        assert_eq!(header.unused(&[0]), ["SKU"]);
        let error = header.required(&["quantity"]).unwrap_err().to_string();
        assert!(
            error.contains("`quantity`")
                && error.contains("Shop, SKU")
                && error.contains("--column quantity=")
        );
    }
}
