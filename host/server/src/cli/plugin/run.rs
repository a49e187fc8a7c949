//! `retailcast plugin run`: one fit and one forecast, on made-up data or a file, without server and database.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use comfy_table::presets::UTF8_BORDERS_ONLY;
use comfy_table::{CellAlignment, Table};
use retailcast_conformance::forecast_model::history;
use retailcast_core::frame::Exogenous;
use retailcast_core::{Day, MissingDays, Observation, Series};
use retailcast_runtime::panel::{self, Ahead, History};
use retailcast_runtime::{
    Call, CancelToken, Crossing, Direction, Engine, EngineSettings, ForecastModel, Forecasts, Input,
    PluginError, Trace, open_forecast_model,
};
use serde::Deserialize;

use super::file::{GrantArg, OneFile};
use crate::cli::CliError;
use crate::cli::stdout::say;
use crate::config::Config;

/// Options.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    retailcast plugin run drift.wasm --trace\n  \
    retailcast plugin run drift.wasm --fixture sales.csv --model-config '{\"window\": 14}' --horizon 28")]
pub(in crate::cli) struct Args {
    /// The component
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Data: ordinary, constant, intermittent, gaps, unknown, or a CSV file with the columns date, quantity and, if there is one, unit_price
    #[arg(long, default_value = "ordinary", value_name = "NAME|FILE.csv")]
    fixture: String,
    /// The model's configuration; defaults are filled in
    #[arg(long, default_value = "{}", value_name = "JSON")]
    model_config: String,
    /// Days to forecast
    #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(u32).range(1..=365))]
    horizon: u32,
    /// Print every call between host and plugin, with sizes and times
    #[arg(long)]
    trace: bool,
    /// Grant a capability, beside those of the configuration
    #[arg(long = "grant", value_enum, value_name = "CAPABILITY")]
    grants: Vec<GrantArg>,
}

pub(super) fn run(config: &Config, args: &Args) -> Result<(), CliError> {
    let file = OneFile::read(config, &args.file, &args.grants)?;
    let history = fixture(&args.fixture)?;
    let engine = Engine::new(EngineSettings::default()).map_err(|e| CliError::failed(&e))?;
    let model = open_forecast_model(&engine, None, &file.key, &file.bytes, &file.settings)
        .map_err(|e| CliError::refused(&e))?;
    let model_config = serde_json::from_str(&args.model_config)
        .map_err(|e| CliError::Refused(format!("--model-config is not a JSON object: {e}")))?;
    let model_config = model.config_schema().normalise(&model_config, "config").map_err(|errors| {
        let errors: Vec<String> = errors.iter().map(|e| format!("{} {}", e.field, e.message)).collect();
        CliError::Refused(format!("--model-config: {}", errors.join("; ")))
    })?;

    let trace = Trace::default();
    let origin = history.series.days.last().copied().unwrap_or(Day(0));
    let call = Call {
        id: "plugin-run".to_owned(),
        seed: config.forecast.random_seed,
        now: std::time::Duration::from_hours(24) * origin.0.unsigned_abs(),
        trace: args.trace.then(|| trace.clone()),
        ..Call::default()
    };
    let outcome = forecast(&*model, &call, &model_config.json(), &history, args.horizon as usize);
    // Also of a run that failed: that is when it is wanted.
    if args.trace {
        say!("{}", calls(&trace.crossings()));
    }
    let forecasts = outcome.map_err(|e| CliError::refused(&e))?;
    if let Some(failure) = forecasts.failures.first() {
        return Err(CliError::Refused(format!("the series has no forecast: {failure}")));
    }
    say!("{}", table(&forecasts, origin));
    Ok(())
}

/// One fit and one forecast of the days after the history, when nothing changes.
fn forecast(
    model: &dyn ForecastModel,
    call: &Call,
    config: &str,
    history: &History,
    horizon: usize,
) -> Result<Forecasts, PluginError> {
    let mut session = model.session(call)?;
    let input = session.requirements(config)?.input;
    let data = panel::training_set(&input, &[history], &CancelToken::default())?;
    let fitted = session.fit(config, Arc::new(data))?;
    let start = history.series.days.last().copied().unwrap_or(Day(0)) + 1;
    let ahead = match &input {
        Input::Series => Ahead::bare(start),
        Input::Table { features, .. } => {
            Ahead::unchanged(features, &history.series.quantity, start, horizon, &history.exogenous)
        }
    };
    panel::predict(&mut *session, fitted, &input, &[ahead], horizon)
}

/// A row of a CSV file.
#[derive(Deserialize)]
struct Row {
    date: String,
    quantity: f64,
    unit_price: Option<f64>,
}

/// Data by name, or from a file. Days without a row are zero sales.
fn fixture(name: &str) -> Result<History, CliError> {
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

fn table(forecasts: &Forecasts, origin: Day) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_BORDERS_ONLY);
    let mut header = vec!["date".to_owned(), "forecast".to_owned()];
    for level in &forecasts.levels {
        header.extend([format!("lower {:.0} %", level * 100.0), format!("upper {:.0} %", level * 100.0)]);
    }
    table.set_header(header);
    for (step, point) in forecasts.points.iter().enumerate() {
        let mut row = vec![(origin + 1 + step as i32).to_string(), format!("{point:.4}")];
        for level in 0..forecasts.levels.len() {
            let at = level * forecasts.horizon + step;
            row.extend([format!("{:.4}", forecasts.lower[at]), format!("{:.4}", forecasts.upper[at])]);
        }
        table.add_row(row);
    }
    right(&mut table, 1);
    table
}

/// Calls in the order in which they ended; those that the plugin made are indented, and stand before the call of the
/// plugin during which it made them.
fn calls(crossings: &[Crossing]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_BORDERS_ONLY).set_header(["call", "bytes in", "bytes out", "microseconds"]);
    for crossing in crossings {
        let call = match crossing.direction {
            Direction::IntoPlugin => crossing.function.to_owned(),
            Direction::IntoHost => format!("  < {}", crossing.function),
        };
        let micros = crossing.took.as_micros().to_string();
        table.add_row([call, crossing.bytes_in.to_string(), crossing.bytes_out.to_string(), micros]);
    }
    right(&mut table, 1);
    table
}

/// Numbers stand at the right.
fn right(table: &mut Table, from: usize) {
    for column in table.column_iter_mut().skip(from) {
        column.set_cell_alignment(CellAlignment::Right);
    }
}
