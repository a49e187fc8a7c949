//! `retailcast backtest`.

use std::path::{Path, PathBuf};
use std::time::Instant;

use comfy_table::presets::UTF8_BORDERS_ONLY;
use comfy_table::{CellAlignment, Table};
use indicatif::{ProgressBar, ProgressStyle};
use retailcast_core::Day;
use retailcast_core::backtest::{HorizonBucket, Tally, WindowConfig};

use super::forecast::{error, nothing_selected, parse_model};
use super::output::{Format, extension, write_whole};
use super::stdout::say;
use super::{CliError, with_database};
use crate::app;
use crate::config::Config;
use crate::slices::backtesting::portfolio::export;
use crate::slices::backtesting::portfolio::service::{Progress, Scored};
use crate::slices::backtesting::portfolio::{
    Entry, PortfolioBacktest, PortfolioError, PortfolioOrder, PortfolioResult,
};
use crate::slices::forecasting::portfolio::Selection;

/// Options.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    retailcast backtest --model seasonal_naive --model lightgbm\n  \
    retailcast backtest --model regression --category Tea --windows 6 --horizon 28 --by store --output folds.parquet")]
pub(super) struct Args {
    /// A model type, with its configuration if it is to differ from the defaults; may be repeated
    #[arg(long = "model", value_name = "TYPE[,KEY=VALUE...]", default_values = ["naive", "seasonal_naive"])]
    models: Vec<String>,
    /// Only these store codes
    #[arg(long = "store", value_name = "CODE")]
    stores: Vec<String>,
    /// Only these SKUs
    #[arg(long = "sku", value_name = "SKU")]
    skus: Vec<String>,
    /// Only products of these categories
    #[arg(long = "category", value_name = "NAME")]
    categories: Vec<String>,
    /// Test windows
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=100))]
    windows: u32,
    /// Days of each
    #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(u32).range(1..=90))]
    horizon: u32,
    /// Days from one window to the next [default: the horizon, so that they do not overlap]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=365))]
    step: Option<u32>,
    /// Days that models learn from before each window [default: all there are]
    #[arg(long, value_parser = clap::value_parser!(u32).range(7..=3653))]
    train_days: Option<u32>,
    /// Last day of the last window [default: the last day with any sale]
    #[arg(long, value_name = "YYYY-MM-DD")]
    end: Option<Day>,
    /// Prediction intervals whose coverage is measured, in percent; may be repeated
    #[arg(long = "level", value_name = "PERCENT", default_values_t = [80.0, 95.0], value_parser = percent)]
    levels: Vec<f64>,
    /// A second table
    #[arg(long, value_enum)]
    by: Option<By>,
    /// Write every forecast beside what was sold to this file (.csv or .parquet)
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write the whole result, as the API answers it, to this file (JSON)
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum By {
    Store,
    Category,
    Horizon,
}

fn percent(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(level) if (1.0..=99.9).contains(&level) => Ok(level),
        _ => Err("must be a number from 1 to 99.9".to_owned()),
    }
}

pub(super) async fn run(config: &Config, args: Args) -> Result<(), CliError> {
    if let Some(path) = &args.output {
        extension(path)?;
    }
    with_database(config, async |pool| {
        let backtesting = app::backtesting(config, pool.clone())?;
        let entry = |text: &String| {
            let (model_type, config) = parse_model(text, backtesting.catalogue())?;
            Ok(Entry { label: text.clone(), model_type, config })
        };
        let horizon = args.horizon as usize;
        let order = PortfolioOrder {
            selection: Selection { stores: args.stores, skus: args.skus, categories: args.categories },
            models: args.models.iter().map(entry).collect::<Result<_, CliError>>()?,
            windows: WindowConfig {
                n_windows: args.windows as usize,
                horizon,
                step: args.step.map_or(horizon, |step| step as usize),
                train_days: args.train_days.map(|days| days as usize),
            },
            end: args.end,
            levels: args.levels.iter().map(|level| level / 100.0).collect(),
            keep_forecasts: args.output.is_some(),
        };
        let bar = ProgressBar::hidden();
        let started = Instant::now();
        let backtest = backtesting.portfolio(order, |progress| show(&bar, progress)).await;
        bar.finish_and_clear();
        let backtest = backtest.map_err(refused)?;
        say!("{}", windows_line(&backtest));
        say!("{}", leaderboard(&backtest));
        match args.by {
            Some(By::Store) => say!("{}", groups("store", &backtest, |m| by_key(&m.scores.by_store))),
            Some(By::Category) => {
                say!("{}", groups("category", &backtest, |m| by_key(&m.scores.by_category)));
            }
            Some(By::Horizon) => say!("{}", groups("days ahead", &backtest, by_horizon)),
            None => {}
        }
        report_failures(&backtest);
        if let Some(path) = &args.report {
            let result = PortfolioResult::new(&backtest, true, started.elapsed());
            let text = serde_json::to_string_pretty(&result).map_err(|e| CliError::failed(&e))?;
            write_whole(path, |file| file.write_all(text.as_bytes()).map_err(|e| CliError::failed(&e)))?;
        }
        args.output.as_deref().map_or(Ok(()), |path| write(&backtest, path))
    })
    .await
}

fn refused(e: PortfolioError) -> CliError {
    match e {
        PortfolioError::NothingSelected => nothing_selected(),
        PortfolioError::TooMuch { .. } | PortfolioError::NothingForecast(_) => {
            CliError::Refused(e.to_string())
        }
        PortfolioError::Forecast(e) => error(&e),
    }
}

fn show(bar: &ProgressBar, progress: Progress) {
    if progress.done == 0 {
        let style = ProgressStyle::with_template("{msg:28} {bar:40} {pos}/{len} series  {elapsed}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_draw_target(indicatif::ProgressDrawTarget::stderr());
        bar.reset();
        bar.set_style(style);
        bar.set_length(progress.series as u64);
        bar.set_message(progress.label);
    }
    bar.set_position(progress.done as u64);
}

fn windows_line(backtest: &PortfolioBacktest) -> String {
    let span = backtest.windows.first().zip(backtest.windows.last());
    let span = span.map(|(first, last)| format!("{} to {}", first.test_start(), last.test_end));
    format!(
        "{} series, {} test windows from {}",
        backtest.portfolio.series.len(),
        backtest.windows.len(),
        span.unwrap_or_default()
    )
}

/// Numbers to the right.
fn table(header: Vec<String>, words: usize) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_BORDERS_ONLY);
    table.set_header(header);
    for column in table.column_iter_mut().skip(words) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn leaderboard(backtest: &PortfolioBacktest) -> Table {
    let fixed = ["model", "WAPE %", "MASE", "RMSSE", "MAE", "bias"].map(str::to_owned);
    let levels: Vec<String> = backtest
        .models
        .iter()
        .take(1)
        .flat_map(|model| &model.scores.coverage)
        .map(|(level, _)| format!("in {} %", (level * 1e6).round() / 1e4))
        .collect();
    let last = ["seconds", "incomplete"].map(str::to_owned);
    let mut table = table(fixed.into_iter().chain(levels).chain(last).collect(), 1);
    for model in &backtest.models {
        let scores = &model.scores;
        let incomplete = scores.series.iter().filter(|s| s.scored < backtest.windows.len()).count();
        let covered = scores.coverage.iter().map(|(_, coverage)| number(100.0 * coverage.share(), 1));
        let row = std::iter::once(model.entry.label.clone())
            .chain(errors(&scores.overall))
            .chain(covered)
            .chain([format!("{:.2}", scores.elapsed.as_secs_f64()), incomplete.to_string()]);
        table.add_row(row);
    }
    table
}

fn errors(tally: &Tally) -> [String; 5] {
    let metrics = tally.metrics();
    [
        number(metrics.wape, 2),
        number(tally.mase(), 3),
        number(tally.rmsse(), 3),
        number(metrics.mae, 3),
        number(metrics.bias, 3),
    ]
}

fn number(value: f64, places: usize) -> String {
    if value.is_finite() { format!("{value:.places$}") } else { "–".to_owned() }
}

type Keyed<'a> = Vec<(&'a str, &'a Tally)>;

fn by_key(tallies: &std::collections::BTreeMap<String, Tally>) -> Keyed<'_> {
    tallies.iter().map(|(key, tally)| (key.as_str(), tally)).collect()
}

fn by_horizon(model: &Scored) -> Keyed<'_> {
    let buckets = HorizonBucket::ALL.into_iter().map(HorizonBucket::name);
    buckets.zip(&model.scores.by_horizon).filter(|(_, tally)| !tally.is_empty()).collect()
}

fn groups<'a>(what: &str, backtest: &'a PortfolioBacktest, of: impl Fn(&'a Scored) -> Keyed<'a>) -> Table {
    let header = [what, "model", "WAPE %", "MASE", "RMSSE", "MAE", "bias"].map(str::to_owned);
    let mut table = table(header.to_vec(), 2);
    let mut rows: Vec<(&str, &str, &Tally)> = backtest
        .models
        .iter()
        .flat_map(|model| of(model).into_iter().map(|(key, tally)| (key, model.entry.label.as_str(), tally)))
        .collect();
    // Stable: within a key the models stay in the order of the leaderboard.
    rows.sort_by_key(|(key, _, _)| *key);
    for (key, model, tally) in rows {
        table.add_row([key.to_owned(), model.to_owned()].into_iter().chain(errors(tally)));
    }
    table
}

/// Series without a forecast in some window, on standard error.
fn report_failures(backtest: &PortfolioBacktest) {
    const SHOWN: usize = 10;
    let of = |model: &Scored| -> Vec<String> {
        let series = backtest.portfolio.series.iter().zip(&model.scores.series);
        series
            .filter_map(|(series, score)| {
                let reason = score.reason.as_ref()?;
                Some(format!(
                    "  {} {} {}: {reason}",
                    series.key.store_code, series.key.sku, model.entry.label
                ))
            })
            .collect()
    };
    let failures: Vec<String> = backtest.models.iter().flat_map(of).collect();
    if failures.is_empty() {
        return;
    }
    eprintln!("{} without a forecast in some window:", failures.len());
    failures.iter().take(SHOWN).for_each(|failure| eprintln!("{failure}"));
    if failures.len() > SHOWN {
        eprintln!("  … and {} more", failures.len() - SHOWN);
    }
}

fn write(backtest: &PortfolioBacktest, path: &Path) -> Result<(), CliError> {
    let failed = |e: &dyn std::fmt::Display| CliError::Failed(format!("cannot write the forecasts: {e}"));
    let format = extension(path)?;
    write_whole(path, |file| match format {
        Format::Csv => export::csv(backtest, file).map_err(|e| failed(&e)),
        Format::Parquet => export::parquet(backtest, file).map_err(|e| failed(&e)),
    })?;
    eprintln!("{} holds all forecasts", path.display());
    Ok(())
}
