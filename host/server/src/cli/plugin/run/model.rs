//! A forecast model: one fit and one forecast.

use std::sync::Arc;

use comfy_table::Table;
use retailcast_core::Day;
use retailcast_runtime::panel::{self, Ahead, History};
use retailcast_runtime::{Call, CancelToken, ForecastModel, Forecasts, Input, PluginError};

use super::show::{self, right};
use crate::cli::CliError;

/// Forecasts the days after the history, when nothing changes.
pub(super) fn run(
    model: &dyn ForecastModel,
    call: &Call,
    config: &str,
    history: &History,
    horizon: usize,
) -> Result<Table, CliError> {
    let config = configuration(model, config)?;
    let forecasts = forecast(model, call, &config, history, horizon).map_err(|e| CliError::refused(&e))?;
    if let Some(failure) = forecasts.failures.first() {
        return Err(CliError::Refused(format!("the series has no forecast: {failure}")));
    }
    Ok(table(&forecasts, super::last_day(history)))
}

/// The model's configuration with its defaults, as JSON.
pub(super) fn configuration(model: &dyn ForecastModel, given: &str) -> Result<String, CliError> {
    let config = serde_json::from_str(given)
        .map_err(|e| CliError::Refused(format!("--model-config is not a JSON object: {e}")))?;
    let config = model.config_schema().normalise(&config, "config").map_err(|errors| {
        let errors: Vec<String> = errors.iter().map(|e| format!("{} {}", e.field, e.message)).collect();
        CliError::Refused(format!("--model-config: {}", errors.join("; ")))
    })?;
    Ok(config.json())
}

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

fn table(forecasts: &Forecasts, origin: Day) -> Table {
    let mut header = vec!["date".to_owned(), "forecast".to_owned()];
    for level in &forecasts.levels {
        header.extend([format!("lower {:.0} %", level * 100.0), format!("upper {:.0} %", level * 100.0)]);
    }
    let mut table = show::table(header);
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
