//! CSV, gzipped CSV and Parquet as tables of text cells: nothing is guessed, so that codes keep their zeros and
//! decimals their digits.

mod parquet;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use csv::{StringRecord, Trim};

use parquet::ParquetRows;

/// Why something is no table.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// It cannot be opened or read.
    #[error("cannot read {name}: {source}")]
    Read {
        /// What was read: a file's path, or what a person would call it.
        name: String,
        /// Why.
        source: std::io::Error,
    },
    /// It is damaged.
    #[error("{name} is damaged: {reason}")]
    Damaged {
        /// What was read.
        name: String,
        /// Where and how.
        reason: String,
    },
    /// A column that is needed is not there.
    #[error(
        "{name} has no column `{column}`; its columns are: {found}. Name the right one with --column {wanted}=NAME"
    )]
    NoColumn {
        /// What was read.
        name: String,
        /// The name that was looked for.
        column: String,
        /// Our name for it.
        wanted: String,
        /// What there is.
        found: String,
    },
    /// A column stands twice.
    #[error("{name} has the column `{column}` more than once")]
    TwiceColumn {
        /// What was read.
        name: String,
        /// The column.
        column: String,
    },
}

/// Our name of a column → the table's name, where the two differ.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Columns(pub BTreeMap<String, String>);

/// How a table is written.
#[derive(Debug, Clone)]
pub struct Format {
    /// Which column of it is which of ours.
    pub columns: Columns,
    /// Between CSV cells.
    pub delimiter: u8,
    /// Whether white space around CSV cells belongs to nobody.
    pub trim: bool,
}

impl Default for Format {
    /// Commas, and white space is not counted: files that people keep.
    fn default() -> Self {
        Self { columns: Columns::default(), delimiter: b',', trim: true }
    }
}

/// The columns of a table.
#[derive(Debug, Clone)]
pub(crate) struct Header {
    table: String,
    names: Vec<String>,
    renamed: Columns,
}

impl Header {
    fn new(table: &str, names: Vec<String>, renamed: &Columns) -> Result<Self, TableError> {
        for (i, name) in names.iter().enumerate() {
            if names[..i].contains(name) {
                return Err(TableError::TwiceColumn { name: table.to_owned(), column: name.clone() });
            }
        }
        Ok(Self { table: table.to_owned(), names, renamed: renamed.clone() })
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// Position of a column under one of our names for it; the first is the proper one.
    pub(crate) fn optional(&self, ours: &[&str]) -> Option<usize> {
        let position = |name: &str| self.names.iter().position(|found| found.eq_ignore_ascii_case(name));
        match ours.iter().find_map(|name| self.renamed.0.get(*name)) {
            Some(theirs) => position(theirs),
            None => ours.iter().find_map(|name| position(name)),
        }
    }

    /// The same of a column that must be there.
    pub(crate) fn required(&self, ours: &[&str]) -> Result<usize, TableError> {
        self.optional(ours).ok_or_else(|| TableError::NoColumn {
            name: self.table.clone(),
            column: self.renamed.0.get(ours[0]).cloned().unwrap_or_else(|| ours.join("` or `")),
            wanted: ours[0].to_owned(),
            found: self.names.join(", "),
        })
    }

    /// The columns that nobody asked for.
    pub(crate) fn unused(&self, used: &[usize]) -> Vec<String> {
        self.names
            .iter()
            .enumerate()
            .filter(|(i, _)| !used.contains(i))
            .map(|(_, name)| name.clone())
            .collect()
    }
}

/// A table, row by row.
pub(crate) struct Table {
    pub(crate) header: Header,
    name: String,
    rows: Rows,
}

enum Rows {
    Csv { csv: csv::Reader<Box<dyn Read + Send>>, read: Arc<AtomicU64>, size: u64 },
    Parquet(ParquetRows),
}

impl Table {
    /// Opens a file; what it is is told by its content.
    pub(crate) fn open(path: &Path, format: &Format) -> Result<Self, TableError> {
        let name = path.display().to_string();
        let file = File::open(path).map_err(|source| TableError::Read { name: name.clone(), source })?;
        Self::of_file(name, file, format)
    }

    /// The same of a file that is open, at its beginning.
    pub(crate) fn of_file(name: String, file: File, format: &Format) -> Result<Self, TableError> {
        let read_error = |source| TableError::Read { name: name.clone(), source };
        let size = file.metadata().map_err(read_error)?.len();
        let read = Arc::new(AtomicU64::new(0));
        let counting = Counting { file: file.try_clone().map_err(read_error)?, read: Arc::clone(&read) };
        let mut reader = BufReader::with_capacity(1 << 16, counting);
        let start = reader.fill_buf().map_err(read_error)?;
        if start.starts_with(b"PAR1") {
            let (rows, names) = ParquetRows::open(&name, file)?;
            let header = Header::new(&name, names, &format.columns)?;
            return Ok(Self { header, name, rows: Rows::Parquet(rows) });
        }
        let plain: Box<dyn Read + Send> = if start.starts_with(&GZIP) {
            Box::new(flate2::bufread::MultiGzDecoder::new(reader))
        } else {
            Box::new(reader)
        };
        let trim = if format.trim { Trim::All } else { Trim::Headers };
        let mut csv = csv::ReaderBuilder::new().delimiter(format.delimiter).trim(trim).from_reader(plain);
        let names = csv.headers().map_err(|e| csv_error(&name, e))?;
        // Spreadsheet programs put a byte order mark before the first name.
        let names = names.iter().map(|name| name.trim_start_matches('\u{feff}').to_owned()).collect();
        let header = Header::new(&name, names, &format.columns)?;
        Ok(Self { header, name, rows: Rows::Csv { csv, read, size } })
    }

    /// Reads the next row into `record`; its number (the first row after the header is 1), or `None` at the end.
    pub(crate) fn next(&mut self, record: &mut StringRecord) -> Result<Option<u64>, TableError> {
        match &mut self.rows {
            Rows::Csv { csv, .. } => {
                if !csv.read_record(record).map_err(|e| csv_error(&self.name, e))? {
                    return Ok(None);
                }
                // The record's own position counts the header.
                Ok(Some(record.position().map_or(0, csv::Position::record)))
            }
            Rows::Parquet(rows) => rows.next(record),
        }
    }

    /// How far reading has come, and how far it goes: bytes of a CSV, rows of a Parquet file.
    pub(crate) fn position(&self) -> (u64, u64) {
        match &self.rows {
            Rows::Csv { read, size, .. } => (read.load(Ordering::Relaxed).min(*size), *size),
            Rows::Parquet(rows) => rows.position(),
        }
    }
}

/// How every gzip stream begins.
pub(crate) const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Counts what was read of a file, before it is unzipped.
struct Counting {
    file: File,
    read: Arc<AtomicU64>,
}

impl Read for Counting {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

fn csv_error(name: &str, error: csv::Error) -> TableError {
    let name = name.to_owned();
    let reason = error.to_string();
    match error.into_kind() {
        csv::ErrorKind::Io(source) if source.kind() != std::io::ErrorKind::InvalidInput => {
            // A gzip stream that ends early or does not match its checksum is damage, not a failing disk.
            match source.kind() {
                std::io::ErrorKind::UnexpectedEof | std::io::ErrorKind::InvalidData => {
                    TableError::Damaged { name, reason: source.to_string() }
                }
                _ => TableError::Read { name, source },
            }
        }
        _ => TableError::Damaged { name, reason },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn read(file: &Path) -> Result<(Vec<String>, Vec<Vec<String>>), TableError> {
        let mut table = Table::open(file, &Format::default())?;
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
        let mut format = Format::default();
        format.columns.0.insert("store_code".to_owned(), "shop".to_owned());
        let header = Table::open(&file, &format).unwrap().header;
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
