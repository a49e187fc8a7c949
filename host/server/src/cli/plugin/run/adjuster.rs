//! A scenario adjuster: one baseline adjusted.

use comfy_table::Table;
use retailcast_core::Day;
use retailcast_runtime::panel::History;
use retailcast_runtime::scenario::{Assumptions, Baseline, PriceChange, Window};
use retailcast_runtime::{Call, ScenarioAdjuster};

use super::show::{self, right};
use crate::cli::CliError;
use crate::slices::scenarios;

/// Adjusts a baseline that repeats the last week of the history.
pub(super) fn run(
    adjuster: &dyn ScenarioAdjuster,
    call: &Call,
    assumptions: Option<&str>,
    history: &History,
    horizon: usize,
) -> Result<Table, CliError> {
    let baseline = baseline(history, horizon);
    let assumptions = match assumptions {
        Some(json) => read(json)?,
        None => cheaper(&baseline),
    };
    let scenario = adjuster.adjust(&assumptions, &baseline, call).map_err(|e| CliError::refused(&e))?;
    let mut table = show::table(["date", "baseline", "factor", "scenario"]);
    for (step, point) in baseline.points.iter().enumerate() {
        table.add_row([
            Day(baseline.start + step as i32).to_string(),
            format!("{point:.4}"),
            format!("{:.4}", scenario.factors[step]),
            format!("{:.4}", scenario.points[step]),
        ]);
    }
    right(&mut table, 1);
    Ok(table)
}

fn baseline(history: &History, horizon: usize) -> Baseline {
    let sold = &history.series.quantity;
    let week = &sold[sold.len().saturating_sub(7)..];
    let points = week.iter().copied().cycle().take(horizon).collect();
    Baseline { start: super::last_day(history).0 + 1, points, intervals: Vec::new() }
}

/// 15 % cheaper from the third day on.
fn cheaper(baseline: &Baseline) -> Assumptions {
    let during = Window { first: baseline.start + 2, last: i32::MAX };
    Assumptions { price: Some(PriceChange { change: -0.15, during }), ..Assumptions::default() }
}

fn read(json: &str) -> Result<Assumptions, CliError> {
    let value = serde_json::from_str(json)
        .map_err(|e| CliError::Refused(format!("--assumptions is not JSON: {e}")))?;
    scenarios::read_for_adjuster(&value).map_err(|errors| {
        let errors: Vec<String> = errors.iter().map(|e| format!("{} {}", e.field, e.message)).collect();
        CliError::Refused(format!("--assumptions: {}", errors.join("; ")))
    })
}
