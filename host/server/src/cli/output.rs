//! Forecasts of many series as a table, CSV or Parquet.

use std::io::Write;
use std::path::Path;

use comfy_table::Table;
use comfy_table::presets::UTF8_BORDERS_ONLY;
use polars::prelude::{Column, DataFrame, DataType, ParquetWriter};
use retailcast_core::Day;
use tempfile::NamedTempFile;

use super::CliError;
use crate::slices::forecasting::portfolio::SeriesKey;

/// Results of one model on one series.
#[derive(Debug)]
pub(super) struct Forecasted<'a> {
    pub(super) key: &'a SeriesKey,
    pub(super) model: &'a str,
    pub(super) points: &'a [f64],
}

/// One line per series, model and day.
#[derive(Debug)]
pub(super) struct Rows<'a> {
    pub(super) start: Day,
    pub(super) series: Vec<Forecasted<'a>>,
}

/// Columns of CSV and Parquet.
const COLUMNS: [&str; 5] = ["store_code", "sku", "model_type", "date", "forecast"];

impl<'a> Rows<'a> {
    fn each<'s>(
        &'s self,
        mut line: impl FnMut(&'s Forecasted<'a>, Day, f64) -> Result<(), CliError>,
    ) -> Result<(), CliError> {
        for series in &self.series {
            for (j, point) in series.points.iter().enumerate() {
                line(series, self.start + j as i32, *point)?;
            }
        }
        Ok(())
    }

    /// For people.
    pub(super) fn table(&self) -> Table {
        let mut table = Table::new();
        table.load_style(UTF8_BORDERS_ONLY);
        table.set_header(COLUMNS);
        for series in &self.series {
            for (j, point) in series.points.iter().enumerate() {
                let day = (self.start + j as i32).to_string();
                let key = series.key;
                table.add_row([&key.store_code, &key.sku, series.model, &day, &format!("{point:.2}")]);
            }
        }
        table
    }

    /// As CSV.
    pub(super) fn csv(&self, to: impl Write) -> Result<(), CliError> {
        let failed = |e: csv::Error| CliError::Failed(format!("cannot write the forecasts: {e}"));
        let mut writer = csv::Writer::from_writer(to);
        writer.write_record(COLUMNS).map_err(failed)?;
        self.each(|series, day, point| {
            let key = series.key;
            let (day, point) = (day.to_string(), point.to_string());
            writer.write_record([&key.store_code, &key.sku, series.model, &day, &point]).map_err(failed)
        })?;
        writer.flush().map_err(|e| failed(e.into()))
    }

    /// As Parquet, dates as dates.
    pub(super) fn parquet(&self, to: impl Write) -> Result<(), CliError> {
        let failed =
            |e: polars::error::PolarsError| CliError::Failed(format!("cannot write the forecasts: {e}"));
        let (mut stores, mut skus, mut models) = (Vec::new(), Vec::new(), Vec::new());
        let (mut days, mut points) = (Vec::new(), Vec::new());
        self.each(|series, day, point| {
            stores.push(series.key.store_code.as_str());
            skus.push(series.key.sku.as_str());
            models.push(series.model);
            days.push(day.0);
            points.push(point);
            Ok(())
        })?;
        let days = Column::new(COLUMNS[3].into(), days).cast(&DataType::Date).map_err(failed)?;
        let columns = vec![
            Column::new(COLUMNS[0].into(), stores),
            Column::new(COLUMNS[1].into(), skus),
            Column::new(COLUMNS[2].into(), models),
            days,
            Column::new(COLUMNS[4].into(), points),
        ];
        let rows = columns[4].len();
        let mut frame = DataFrame::new(rows, columns).map_err(failed)?;
        ParquetWriter::new(to).finish(&mut frame).map_err(failed)?;
        Ok(())
    }

    /// Into a file, by its extension; it appears whole or not at all.
    pub(super) fn write(&self, path: &Path) -> Result<(), CliError> {
        let format = extension(path)?;
        write_whole(path, |file| match format {
            Format::Csv => self.csv(file),
            Format::Parquet => self.parquet(file),
        })
    }
}

/// Writes a file, which appears whole or not at all.
pub(super) fn write_whole(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<(), CliError>,
) -> Result<(), CliError> {
    let failed = |e: std::io::Error| CliError::Failed(format!("cannot write {}: {e}", path.display()));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = std::io::BufWriter::new(NamedTempFile::new_in(folder).map_err(failed)?);
    write(&mut file)?;
    let file = file.into_inner().map_err(|e| failed(e.into_error()))?;
    file.persist(path).map_err(|e| failed(e.error))?;
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Csv,
    Parquet,
}

/// The format that a file's name asks for.
pub(super) fn extension(path: &Path) -> Result<Format, CliError> {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("csv") => Ok(Format::Csv),
        Some("parquet") => Ok(Format::Parquet),
        _ => Err(CliError::Refused(format!("--output {}: must end with .csv or .parquet", path.display()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use polars::prelude::{ParquetReader, SerReader};

    #[test]
    fn the_same_rows_in_both_formats() {
        let key = SeriesKey {
            store_id: 1,
            product_id: 2,
            store_code: "B02".to_owned(),
            sku: "P,1".to_owned(),
            category: None,
            launch: None,
        };
        let rows = Rows {
            start: "2024-01-01".parse().unwrap(),
            series: vec![Forecasted { key: &key, model: "naive", points: &[1.5, 2.0] }],
        };
        let mut csv = Vec::new();
        rows.csv(&mut csv).unwrap();
        let expected = "store_code,sku,model_type,date,forecast\nB02,\"P,1\",naive,2024-01-01,1.5\nB02,\"P,1\",naive,2024-01-02,2\n";
        assert_eq!(String::from_utf8(csv).unwrap(), expected);

        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("f.parquet");
        rows.write(&file).unwrap();
        let frame = ParquetReader::new(std::fs::File::open(&file).unwrap()).finish().unwrap();
        assert_eq!(frame.height(), 2);
        assert_eq!(frame.column("date").unwrap().dtype(), &DataType::Date);
        assert_eq!(frame.column("forecast").unwrap().get(0).unwrap().to_string(), "1.5");
        assert!(matches!(extension(Path::new("x.xlsx")), Err(CliError::Refused(_))));
    }
}
