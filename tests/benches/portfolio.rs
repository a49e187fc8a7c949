//! Backtests of many series whose data is in memory: `cargo bench -p retailcast-tests --bench portfolio`. With
//! `DATA=FOLDER` (files as in `tests/data/bakery`) also on real series. Results stand in `docs/performance.md`.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use retailcast::app;
use retailcast::config::Config;
use retailcast::slices::backtesting::Backtesting;
use retailcast::slices::backtesting::portfolio::{Entry, PortfolioOrder};
use retailcast::slices::forecasting::portfolio::{Portfolio, PortfolioSeries, Selection, SeriesKey};
use retailcast::slices::forecasting::read_config;
use retailcast_core::backtest::WindowConfig;
use retailcast_core::frame::Exogenous;
use retailcast_core::{Day, Observation};
use serde_json::json;

/// 2016-01-01.
const START: Day = Day(16_801);
const LEVELS: [f64; 2] = [0.8, 0.95];

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::defaults();
    config.plugins.cache_dir = folder.path().join("code");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _inside = runtime.enter();
    // Everything is in memory: the pool never connects.
    let pool = sqlx::PgPool::connect_lazy("postgresql://nowhere/none").unwrap();
    let backtesting = app::backtesting(&config, pool).unwrap();

    if let Ok(data) = std::env::var("DATA") {
        let portfolio = Arc::new(read(Path::new(&data)));
        println!("{data}: {} series", portfolio.series.len());
        for _ in 0..5 {
            run(&runtime, &backtesting, &portfolio, &["seasonal_naive"], 5, 14, &[]);
        }
        println!("with the coverage of intervals:");
        run(&runtime, &backtesting, &portfolio, &["seasonal_naive"], 5, 14, &LEVELS);
    }
    let portfolio = Arc::new(synthetic(720, 1455));
    for _ in 0..5 {
        run(&runtime, &backtesting, &portfolio, &["seasonal_naive"], 5, 14, &[]);
    }
    drop(portfolio);
    // The size of the M5 competition.
    let portfolio = Arc::new(synthetic(30_490, 1941));
    println!("{} MiB with the data loaded", memory());
    run(&runtime, &backtesting, &portfolio, &["seasonal_naive", "moving_average"], 3, 28, &LEVELS);
    println!("{} MiB at most", memory());
}

fn run(
    runtime: &tokio::runtime::Runtime,
    backtesting: &Backtesting,
    portfolio: &Arc<Portfolio>,
    models: &[&str],
    n_windows: usize,
    horizon: usize,
    levels: &[f64],
) {
    let entry = |name: &&str| {
        let (model_type, config) =
            read_config(&json!({"model_type": name}), "config", backtesting.catalogue()).unwrap();
        Entry { label: model_type.clone(), model_type, config }
    };
    let order = PortfolioOrder {
        selection: Selection::default(),
        models: models.iter().map(entry).collect(),
        windows: WindowConfig { n_windows, horizon, step: horizon, train_days: None },
        end: None,
        levels: levels.to_vec(),
        keep_forecasts: false,
    };
    let started = Instant::now();
    let work = backtesting.portfolio_in_memory(Arc::clone(portfolio), order, |_| {});
    let backtest = runtime.block_on(work).unwrap();
    let elapsed = started.elapsed();
    let wape = backtest.models[0].scores.overall.metrics().wape;
    println!(
        "{} series, {n_windows} windows of {horizon} days, {}: {:.3} s (best WAPE {wape:.2} %)",
        portfolio.series.len(),
        models.join(" and "),
        elapsed.as_secs_f64()
    );
}

fn synthetic(series: usize, days: i32) -> Portfolio {
    let one = |i: usize| PortfolioSeries {
        key: key(&format!("S{}", i % 10), &format!("P{}", i / 10)),
        rows: (0..days)
            .map(|d| {
                let noise = (i as i32 * 31 + d * 17) % 11;
                Observation { day: START + d, quantity: f64::from((d % 7) + noise), unit_price: 2.5 }
            })
            .collect(),
        exogenous: Exogenous::default(),
    };
    Portfolio { series: (0..series).map(one).collect(), last_day: Some(START + (days - 1)) }
}

fn key(store: &str, sku: &str) -> SeriesKey {
    SeriesKey {
        store_id: 1,
        product_id: 1,
        store_code: store.to_owned(),
        sku: sku.to_owned(),
        category: None,
        launch: None,
    }
}

/// The sales of a folder, sorted by store, product and day.
fn read(folder: &Path) -> Portfolio {
    let file = std::fs::File::open(folder.join("sales_daily.csv.gz")).unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
    let mut portfolio = Portfolio::default();
    for line in text.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let number = |at: usize| cells[at].parse().unwrap_or(0.0);
        let row = Observation { day: cells[0].parse().unwrap(), quantity: number(3), unit_price: number(4) };
        portfolio.last_day = portfolio.last_day.max(Some(row.day));
        match portfolio.series.last_mut() {
            Some(last) if last.key.store_code == cells[1] && last.key.sku == cells[2] => last.rows.push(row),
            _ => portfolio.series.push(PortfolioSeries {
                key: key(cells[1], cells[2]),
                rows: vec![row],
                exogenous: Exogenous::default(),
            }),
        }
    }
    portfolio
}

/// Most memory so far, in MiB.
fn memory() -> u64 {
    let report = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = report.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() >> 10
}
