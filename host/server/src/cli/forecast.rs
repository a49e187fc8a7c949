//! `retailcast forecast`.

use super::stdout::say;
use std::path::PathBuf;
use std::sync::Arc;

use indicatif::{ProgressBar, ProgressStyle};
use retailcast_core::Day;
use retailcast_core::config_schema::NormalisedConfig;
use retailcast_runtime::Catalogue;
use serde_json::{Map, Value};

use super::output::{self, Forecasted, Rows};
use super::{CliError, with_database};
use crate::app;
use crate::config::Config;
use crate::slices::forecasting::error::ForecastError;
use crate::slices::forecasting::portfolio::{
    Origin, Plan, Portfolio, PortfolioForecast, PortfolioRun, Selection, SeriesForecast,
};
use crate::slices::forecasting::read_config;
use crate::slices::forecasting::service::Forecasting;

/// Options.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    retailcast forecast --model seasonal_naive\n  \
    retailcast forecast --model lightgbm,n_estimators=200 --model naive --store B02 --horizon 28 --output forecasts.parquet")]
pub(super) struct Args {
    /// A model type, with its configuration if it is to differ from the defaults; may be repeated
    #[arg(long = "model", value_name = "TYPE[,KEY=VALUE...]", default_value = "seasonal_naive")]
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
    /// Days to forecast [default: forecast.default_horizon]
    #[arg(long)]
    horizon: Option<usize>,
    /// Last day that models learn from [default: the last day with any sale]
    #[arg(long, value_name = "YYYY-MM-DD")]
    origin: Option<Day>,
    /// Write the forecasts to this file (.csv or .parquet) instead of printing a table
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) async fn run(config: &Config, args: Args) -> Result<(), CliError> {
    let horizon = args.horizon.unwrap_or(config.forecast.usual_horizon());
    let most = config.forecast.longest_horizon();
    if !(1..=most).contains(&horizon) {
        return Err(CliError::Refused(format!(
            "--horizon {horizon}: must be 1 to {most} (forecast.max_horizon)"
        )));
    }
    if let Some(path) = &args.output {
        output::extension(path)?;
    }
    with_database(config, async |pool| {
        let forecasting = app::forecasting(config, pool.clone())?;
        let models: Vec<(String, NormalisedConfig)> = args
            .models
            .iter()
            .map(|text| parse_model(text, forecasting.catalogue()))
            .collect::<Result<_, _>>()?;
        let selection = Selection { stores: args.stores, skus: args.skus, categories: args.categories };
        let portfolio = load(&forecasting, &selection, args.origin).await?;
        let origin = args.origin.or(portfolio.last_day).ok_or_else(nothing_selected)?;
        let mut forecasts = Vec::new();
        for (model_type, config) in models {
            let run = PortfolioRun {
                model_type: model_type.clone(),
                config,
                origins: vec![Origin { train_start: None, day: origin }],
                horizon,
                plan: Plan::Unchanged,
            };
            forecasts.push((model_type, forecast(&forecasting, &portfolio, &run).await?));
        }
        let series =
            forecasts.iter().flat_map(|(model, forecast)| forecasted(&portfolio, model, forecast)).collect();
        let rows = Rows { start: origin + 1, series };
        match &args.output {
            Some(path) => {
                rows.write(path)?;
                eprintln!("{}: {} forecasts of {horizon} days", path.display(), rows.series.len());
            }
            None => say!("{}", rows.table()),
        }
        report_fallbacks(&portfolio, &forecasts);
        report_failures(&portfolio, &forecasts);
        if rows.series.is_empty() {
            return Err(CliError::Refused("no series has a forecast".to_owned()));
        }
        Ok(())
    })
    .await
}

pub(super) fn nothing_selected() -> CliError {
    CliError::Refused("no series with sales is selected; `retailcast import` loads some".to_owned())
}

/// The selected series, at least one.
pub(super) async fn load(
    forecasting: &Forecasting,
    selection: &Selection,
    until: Option<Day>,
) -> Result<Arc<Portfolio>, CliError> {
    let portfolio = forecasting.load_portfolio(selection, until).await.map_err(|e| error(&e))?;
    if portfolio.series.is_empty() {
        return Err(nothing_selected());
    }
    Ok(Arc::new(portfolio))
}

/// One model on all series, with a progress bar.
pub(super) async fn forecast(
    forecasting: &Forecasting,
    portfolio: &Arc<Portfolio>,
    run: &PortfolioRun,
) -> Result<PortfolioForecast, CliError> {
    let style = ProgressStyle::with_template("{msg:16} {bar:40} {pos}/{len} series  {elapsed}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(portfolio.series.len() as u64)
        .with_style(style)
        .with_message(run.model_type.clone());
    let forecast = forecasting.forecast_portfolio(portfolio, run, |done| bar.inc(done as u64)).await;
    bar.finish_and_clear();
    forecast.map_err(|e| error(&e))
}

/// What is the machine's fault, and what is not.
pub(super) fn error(error: &ForecastError) -> CliError {
    let mut text = error.to_string();
    match error {
        ForecastError::Database(cause) => {
            text += &format!(": {cause}");
            CliError::Failed(text)
        }
        ForecastError::Disabled => CliError::Refused(text),
        _ => CliError::Failed(text),
    }
}

/// `lightgbm,n_estimators=200` as a validated configuration.
pub(super) fn parse_model(text: &str, catalogue: &Catalogue) -> Result<(String, NormalisedConfig), CliError> {
    let mut parts = text.split(',');
    let mut config = Map::new();
    config.insert("model_type".to_owned(), parts.next().unwrap_or_default().into());
    for part in parts {
        let (key, value) = part
            .split_once('=')
            .ok_or_else(|| CliError::Refused(format!("--model {text}: `{part}` is not KEY=VALUE")))?;
        // Numbers and null as such; what is no JSON is text.
        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
        config.insert(key.to_owned(), value);
    }
    read_config(&Value::Object(config), "config", catalogue).map_err(|errors| {
        let lines: Vec<String> = errors.iter().map(|e| format!("{}: {}", e.field, e.message)).collect();
        CliError::Refused(format!("--model {text}: {}", lines.join("; ")))
    })
}

fn forecasted<'a>(
    portfolio: &'a Portfolio,
    model: &'a str,
    forecast: &'a PortfolioForecast,
) -> impl Iterator<Item = Forecasted<'a>> {
    portfolio.series.iter().zip(&forecast.series).filter_map(move |(series, outcome)| {
        outcome.as_ref().ok().map(|f| Forecasted { key: &series.key, model, points: &f.points })
    })
}

/// Series that another method answered than the one asked for, on standard error.
fn report_fallbacks(portfolio: &Portfolio, forecasts: &[(String, PortfolioForecast)]) {
    for (model, forecast) in forecasts {
        for (series, outcome) in portfolio.series.iter().zip(&forecast.series) {
            if let Ok(SeriesForecast { fallback: Some(method), .. }) = outcome {
                eprintln!("{} {} {model}: answered by {method}", series.key.store_code, series.key.sku);
            }
        }
    }
}

/// Series without a forecast, on standard error.
fn report_failures(portfolio: &Portfolio, forecasts: &[(String, PortfolioForecast)]) {
    const SHOWN: usize = 10;
    let failures: Vec<String> = forecasts
        .iter()
        .flat_map(|(model, forecast)| {
            portfolio.series.iter().zip(&forecast.series).filter_map(move |(series, outcome)| {
                let reason = outcome.as_ref().err()?;
                Some(format!("  {} {} {model}: {reason}", series.key.store_code, series.key.sku))
            })
        })
        .collect();
    if failures.is_empty() {
        return;
    }
    eprintln!("{} without a forecast:", failures.len());
    for failure in failures.iter().take(SHOWN) {
        eprintln!("{failure}");
    }
    if failures.len() > SHOWN {
        eprintln!("  … and {} more", failures.len() - SHOWN);
    }
}
