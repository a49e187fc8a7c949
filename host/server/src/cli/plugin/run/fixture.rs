//! Data to run a plugin on.

use std::path::Path;

use retailcast_conformance::forecast_model::history;
use retailcast_core::frame::Exogenous;
use retailcast_core::{Day, MissingDays, Observation, Series};
use retailcast_runtime::panel::History;
use serde::Deserialize;

use crate::cli::CliError;

/// A row of a CSV file.
#[derive(Deserialize)]
struct Row {
    date: String,
    quantity: f64,
    unit_price: Option<f64>,
}

/// Data by name, or from a file. Days without a row are zero sales.
pub(super) fn fixture(name: &str) -> Result<History, CliError> {
    let days = 240;
    Ok(match name {
        "ordinary" => history::ordinary(1, days),
        "constant" => history::of_values(1, &vec![5.0; days]),
        "intermittent" => {
            let sold = |i| f64::from(u8::from(i % 17 == 3));
            history::of_values(1, &(0..days).map(sold).collect::<Vec<_>>())
        }
        "gaps" => history::with_gaps(1, days),
        "unknown" => history::unknown(days),
        path if Path::new(path).extension().is_some_and(|extension| extension == "csv") => {
            read(Path::new(path))?
        }
        other => {
            return Err(CliError::Refused(format!(
                "--fixture {other}: must be ordinary, constant, intermittent, gaps, unknown, or a file that ends with .csv"
            )));
        }
    })
}

fn read(path: &Path) -> Result<History, CliError> {
    let refused = |e: &dyn std::fmt::Display| CliError::Refused(format!("{}: {e}", path.display()));
    let mut reader = csv::Reader::from_path(path).map_err(|e| refused(&e))?;
    let rows = reader.deserialize().map(|row| {
        let Row { date, quantity, unit_price } = row.map_err(|e| refused(&e))?;
        let day: Day = date.parse().map_err(|e| refused(&e))?;
        if !quantity.is_finite() {
            return Err(refused(&format_args!("{date}: the quantity {quantity} is not a finite number")));
        }
        Ok(Observation { day, quantity, unit_price: unit_price.unwrap_or(1.0) })
    });
    let rows = rows.collect::<Result<Vec<_>, CliError>>()?;
    let last = rows.last().map_or(Day(0), |row| row.day);
    let series = Series::build(&rows, last, MissingDays::Zero).map_err(|e| refused(&e))?;
    Ok(History { series, exogenous: Exogenous::default() })
}
