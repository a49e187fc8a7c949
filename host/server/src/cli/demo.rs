//! `retailcast demo`: the main job on real data, for somebody who sees the program for the first time.

use super::stdout;
use super::stdout::say;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use comfy_table::presets::UTF8_BORDERS_ONLY;
use comfy_table::{CellAlignment, Table};
use retailcast_core::Day;
use retailcast_core::metrics::Sums;
use sqlx::PgPool;

use super::forecast::{forecast, load, parse_model};
use super::picture::Picture;
use super::{CliError, import, with_database};
use crate::app;
use crate::config::Config;
use crate::import::{
    HolidayRule, Progress, SalesOptions, Source, import_calendar, import_products, import_sales,
    import_stores,
};
use crate::slices::demo::{self, DemoRequest};
use crate::slices::forecasting::portfolio::{
    Origin, Plan, Portfolio, PortfolioForecast, PortfolioRun, Selection, SeriesForecast, actuals,
};
use crate::tabular::Format;

/// Options.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder with stores.csv, products.csv, calendar.csv.gz and sales_daily.csv.gz
    #[arg(long, default_value = "tests/data/bakery")]
    data: PathBuf,
    /// The picture of one series
    #[arg(long, default_value = "demo-forecast.svg")]
    svg: PathBuf,
}

/// Days that are held out and forecast.
const HORIZON: usize = 14;
/// Days before them that the picture shows.
const SHOWN: i32 = 56;

pub(super) async fn run(config: &Config, args: Args) -> Result<(), CliError> {
    say!("Importing {} into the {} database …", args.data.display(), database(config));
    with_database(config, async |pool| {
        import_bakery(pool, &args.data).await?;
        let forecasting = app::forecasting(config, pool.clone())?;
        let portfolio = load(&forecasting, &bakery(&args.data)?, None).await?;
        let last = portfolio.last_day.ok_or_else(|| CliError::Refused("there are no sales".to_owned()))?;
        let origin = last + -(HORIZON as i32);
        say!("\nTraining on {} series up to {origin}, forecasting {HORIZON} days …", portfolio.series.len());
        let mut results: Vec<(String, PortfolioForecast)> = Vec::new();
        for name in forecasting.catalogue().model_types() {
            let (model_type, config) = match parse_model(&name, forecasting.catalogue()) {
                Ok(_) if name == "lightgbm" && !config.forecast.enable_lightgbm => {
                    say!("lightgbm is left out: forecast.enable_lightgbm = false");
                    continue;
                }
                Ok(parsed) => parsed,
                Err(reason) => {
                    say!("{name} is left out: {reason}");
                    continue;
                }
            };
            let run = PortfolioRun {
                model_type,
                config,
                origins: vec![Origin { train_start: None, day: origin }],
                horizon: HORIZON,
                plan: Plan::Unchanged,
            };
            results.push((name, forecast(&forecasting, &portfolio, &run).await?));
        }
        let mut scored: Vec<Scored> =
            results.iter().map(|(name, f)| Scored::new(name, f, &portfolio, origin)).collect();
        scored.sort_by(|a, b| a.sums.metrics().wape.total_cmp(&b.sums.metrics().wape));
        say!("{}", table(&scored));
        draw(&portfolio, &scored, origin, &args.svg)?;
        showcase(config, pool).await
    })
    .await?;
    say!("{}", what_next(config, &args.svg));
    Ok(())
}

/// The pipeline of `POST /demo/run` on the data that is there.
async fn showcase(config: &Config, pool: &PgPool) -> Result<(), CliError> {
    say!("\nThe whole product in eleven steps, as POST /demo/run does it …");
    let catalogue = app::catalogue(config).map_err(|e| CliError::failed(&e))?;
    let app = app::assemble(config, pool.clone(), Arc::new(catalogue))?;
    let request = DemoRequest { seed: 42, reset: false, skip_seed: true };
    let passed =
        demo::tell(&app, request, |step, status, detail| say!("  {status:<4}  {step:<9} {detail}")).await;
    // Nobody else is in this process.
    if passed == Some(true) { Ok(()) } else { Err(CliError::Failed("the demo did not pass".to_owned())) }
}

fn database(config: &Config) -> &'static str {
    if config.database.url.is_some() { "configured" } else { "embedded" }
}

async fn import_bakery(pool: &PgPool, folder: &Path) -> Result<(), CliError> {
    let source = |name: &str| Source {
        file: folder.join(name),
        format: Format::default(),
        rejects: PathBuf::from(format!("{}.rejects.csv", name.split('.').next().unwrap_or(name))),
        progress: Progress::silent(),
    };
    let failed = |e| import::error(&e);
    stdout::print(format_args!("{}", import_stores(pool, source("stores.csv")).await.map_err(failed)?));
    stdout::print(format_args!("{}", import_products(pool, source("products.csv")).await.map_err(failed)?));
    let calendar = import_calendar(pool, source("calendar.csv.gz"), HolidayRule::default()).await;
    stdout::print(format_args!("{}", calendar.map_err(failed)?));
    let sales = import_sales(pool, source("sales_daily.csv.gz"), SalesOptions::default()).await;
    stdout::print(format_args!("{}", sales.map_err(failed)?));
    Ok(())
}

/// The series of the demo, whatever else is in the database.
fn bakery(folder: &Path) -> Result<Selection, CliError> {
    let column = |file: &str| {
        let failed =
            |e: csv::Error| CliError::Failed(format!("cannot read {}: {e}", folder.join(file).display()));
        let mut reader = csv::Reader::from_path(folder.join(file)).map_err(failed)?;
        let first = |row: csv::Result<csv::StringRecord>| row.map(|row| row[0].to_owned()).map_err(failed);
        reader.records().map(first).collect::<Result<Vec<String>, CliError>>()
    };
    Ok(Selection { stores: column("stores.csv")?, skus: column("products.csv")?, categories: Vec::new() })
}

/// One model's forecasts against what was sold.
struct Scored<'a> {
    name: &'a str,
    forecast: &'a PortfolioForecast,
    sums: Sums,
    failed: usize,
}

impl<'a> Scored<'a> {
    fn new(name: &'a str, forecast: &'a PortfolioForecast, portfolio: &Portfolio, origin: Day) -> Self {
        let (mut sums, mut failed) = (Sums::default(), 0);
        for (series, outcome) in portfolio.series.iter().zip(&forecast.series) {
            let Ok(SeriesForecast { points, .. }) = outcome else {
                failed += 1;
                continue;
            };
            for (actual, point) in actuals(&series.rows, origin, HORIZON).iter().zip(points) {
                sums.add(*actual, *point);
            }
        }
        Self { name, forecast, sums, failed }
    }
}

fn table(scored: &[Scored<'_>]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_BORDERS_ONLY);
    table.set_header(["model", "WAPE %", "MAE", "seconds", "series/s", "failed"]);
    for model in scored {
        let (metrics, seconds) = (model.sums.metrics(), model.forecast.elapsed.as_secs_f64());
        table.add_row([
            model.name.to_owned(),
            format!("{:.2}", metrics.wape),
            format!("{:.2}", metrics.mae),
            format!("{seconds:.3}"),
            format!("{:.0}", model.forecast.series.len() as f64 / seconds.max(1e-9)),
            model.failed.to_string(),
        ]);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// The series that sells most, with all models; the best one in the terminal.
fn draw(portfolio: &Arc<Portfolio>, scored: &[Scored<'_>], origin: Day, svg: &Path) -> Result<(), CliError> {
    let volume = |i: &usize| portfolio.series[*i].rows.iter().map(|row| row.quantity).sum::<f64>();
    let shown = (0..portfolio.series.len()).max_by(|a, b| volume(a).total_cmp(&volume(b)));
    let Some(series) = shown.map(|i| (i, &portfolio.series[i])) else { return Ok(()) };
    let start = origin + -SHOWN + 1;
    let forecasts = scored
        .iter()
        .filter_map(|model| {
            Some((model.name, model.forecast.series[series.0].as_ref().ok()?.points.as_slice()))
        })
        .collect();
    let picture = Picture {
        title: format!("Store {}, product {}", series.1.key.store_code, series.1.key.sku),
        start,
        origin,
        sold: actuals(&series.1.rows, start + -1, SHOWN as usize + HORIZON),
        forecasts,
    };
    say!("{}", picture.terminal());
    picture.svg(svg).map_err(CliError::Failed)
}

fn what_next(config: &Config, svg: &Path) -> String {
    let address = format!("http://{}:{}", config.server.host, config.server.port);
    format!(
        "All models on that series: {svg}

Now start the server and forecast through the API:

  target/release/retailcast serve

  open {address}/ in a browser (the API is at /docs), or train a model of store 1, product 1:

  curl -s {address}/forecasting/train -H 'Content-Type: application/json' -d '{{\"store_id\": 1, \"product_id\": 1,
    \"train_start_date\": \"2016-01-02\", \"train_end_date\": \"2019-02-19\", \"config\": {{\"model_type\": \"lightgbm\"}}}}'

  and forecast two weeks with the model_path that it answers:

  curl -s {address}/forecasting/predict -H 'Content-Type: application/json' -d '{{\"store_id\": 1, \"product_id\": 1,
    \"horizon\": 14, \"model_path\": \"artifacts/models/model_….rcm\"}}'

  Models are plugins: target/release/retailcast plugin list",
        svg = svg.display()
    )
}
