//! What a client waits for: requests over a real connection to a real server on the embedded database.
//! `cargo bench -p retailcast-tests`; results stand in `docs/performance.md`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use retailcast::config::Config;
use retailcast::db::Database;
use retailcast::{app, http};
use serde_json::{Value, json};

struct Bench {
    runtime: tokio::runtime::Runtime,
    client: reqwest::Client,
    url: String,
    database: Option<Database>,
    _folder: tempfile::TempDir,
}

const STORES: i32 = 12;
const PRODUCTS: i32 = 60;

impl Bench {
    fn start() -> Self {
        // TLS of the HTTP client.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::defaults();
        config.database.embedded.dir = folder.path().join("home");
        config.database.embedded.bin_dir = programs();
        config.plugins.cache_dir = folder.path().join("code");
        config.forecast.model_artifacts_dir = folder.path().join("models").into();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let (database, url) = runtime.block_on(async {
            let database = Database::open(&config).await.unwrap();
            fill(&database).await;
            let catalogue = Arc::new(app::catalogue(&config).unwrap());
            let router = http::router(app::assemble(&config, database.pool.clone(), catalogue).unwrap());
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            tokio::spawn(async { axum::serve(listener, router).await.unwrap() });
            (database, url)
        });
        Self { runtime, client: reqwest::Client::new(), url, database: Some(database), _folder: folder }
    }

    fn post(&self, path: &str, body: &str) -> Value {
        self.runtime.block_on(async {
            let request =
                self.client.post(format!("{}{path}", self.url)).header("content-type", "application/json");
            let response = request.body(body.to_owned()).send().await.unwrap();
            assert_eq!(response.status().as_u16(), 200);
            response.json().await.unwrap()
        })
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        if let Some(database) = self.database.take() {
            self.runtime.block_on(database.close()).unwrap();
        }
    }
}

fn programs() -> Option<std::path::PathBuf> {
    let installed =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent()?.join(".retailcast/postgres/bin");
    installed.is_dir().then_some(installed)
}

async fn fill(database: &Database) {
    for statement in [
        "insert into store (code, name) select 'S' || i, 'S' || i from generate_series(1, 12) as i",
        "insert into product (sku, name) select 'P' || i, 'P' || i from generate_series(1, 60) as i",
        "insert into calendar (date, day_of_week, month, quarter, year)
         select day, extract(isodow from day)::int - 1, extract(month from day)::int,
                extract(quarter from day)::int, extract(year from day)::int
         from generate_series('2015-01-01'::date, '2030-12-31', '1 day') as day",
        "insert into sales_daily (store_id, product_id, date, quantity, unit_price, total_amount)
         select 1, 1, '2024-01-01'::date + i, 20 + 3 * (i % 7), 2.50, 50 from generate_series(0, 364) as i",
        "insert into inventory_snapshot_daily (store_id, product_id, date, on_hand_qty, is_stockout)
         select 1, 1, '2024-01-01'::date + i, i % 9, i % 9 = 0 from generate_series(0, 364) as i",
        "insert into replenishment_event (date, store_id, product_id, lead_time_days, ordered_qty, received_qty)
         select '2024-01-01'::date + 3 * i, 1, 1, 2, 100, 100 from generate_series(0, 120) as i",
    ] {
        sqlx::query(statement).execute(&database.pool).await.unwrap();
    }
}

fn forecasting(c: &mut Criterion, bench: &Bench) {
    for model in ["naive", "regression", "lightgbm"] {
        let train = json!({"store_id": 1, "product_id": 1, "train_start_date": "2024-01-01",
                           "train_end_date": "2024-12-30", "config": {"model_type": model}})
        .to_string();
        let trained = bench.post("/forecasting/train", &train);
        c.bench_function(&format!("train_{model}_365_days"), |b| {
            b.iter(|| bench.post("/forecasting/train", &train));
        });
        let predict =
            json!({"store_id": 1, "product_id": 1, "horizon": 28, "model_path": trained["model_path"]})
                .to_string();
        c.bench_function(&format!("predict_{model}_28_days"), |b| {
            b.iter(|| bench.post("/forecasting/predict", &predict));
        });
    }
}

/// Every family over 300 days: 28 columns, six reads.
fn featuresets(c: &mut Criterion, bench: &Bench) {
    let body = json!({"store_id": 1, "product_id": 1, "cutoff_date": "2024-12-30", "lookback_days": 299, "config": {
        "name": "bench", "lag_config": {}, "rolling_config": {}, "calendar_config": {}, "exogenous_config": {},
        "lifecycle_config": {}, "replenishment_config": {}, "promotion_config": {}, "imputation_config": {}}})
    .to_string();
    assert_eq!(bench.post("/featuresets/compute", &body)["row_count"], 300);
    c.bench_function("featureset_every_family_300_days", |b| {
        b.iter(|| bench.post("/featuresets/compute", &body));
    });
}

/// Five folds of 14 days over a year, with both baselines: 15 fits and forecasts.
fn backtesting(c: &mut Criterion, bench: &Bench) {
    let run = json!({"store_id": 1, "product_id": 1, "start_date": "2024-01-01", "end_date": "2024-12-30",
                     "config": {"split_config": {"n_splits": 5, "horizon": 14},
                                "model_config_main": {"model_type": "seasonal_naive"}}})
    .to_string();
    let answer = bench.post("/backtesting/run", &run);
    assert_eq!(answer["main_model_results"]["fold_results"].as_array().map(Vec::len), Some(5));
    assert_eq!(answer["baseline_results"].as_array().map(Vec::len), Some(2));
    c.bench_function("backtest_seasonal_naive_5x14_365_days", |b| {
        b.iter(|| bench.post("/backtesting/run", &run));
    });
}

/// A thousand rows: one product in all stores, day after day. Every batch is new, as in a first load.
fn batch(number: usize) -> String {
    let records: Vec<Value> = (0..1_000)
        .map(|i| {
            let row = number * 1_000 + i;
            let (store, product) = (row % STORES as usize, row / STORES as usize / 5_000 % PRODUCTS as usize);
            let day = chrono_day(row / STORES as usize % 5_000);
            json!({"date": day, "store_code": format!("S{}", store + 1), "sku": format!("P{}", product + 1),
                   "quantity": row % 50, "unit_price": "3.49", "total_amount": "41.88"})
        })
        .collect();
    json!({"records": records}).to_string()
}

/// The `i`-th day after 2015-01-01 as text.
fn chrono_day(i: usize) -> String {
    (retailcast_core::Day(16_436) + i as i32).to_string()
}

fn ingest(c: &mut Criterion, bench: &Bench) {
    let mut group = c.benchmark_group("ingest");
    group.throughput(Throughput::Elements(1_000)).measurement_time(Duration::from_secs(10));
    for (name, clients) in [("one_client", 1), ("two_clients", 2)] {
        // Rows repeat after 3,600 batches; the two benches have half of them each.
        let mut next = (clients - 1) * 1_800 + 1;
        group.bench_function(format!("1000_new_rows_{name}"), |b| {
            b.iter_custom(|iterations| {
                let bodies: Vec<String> = (0..iterations as usize).map(|i| batch(next + i)).collect();
                next += iterations as usize;
                let started = Instant::now();
                std::thread::scope(|scope| {
                    for part in bodies.chunks(bodies.len().div_ceil(clients)) {
                        scope.spawn(move || {
                            for body in part {
                                bench.post("/ingest/sales-daily", body);
                            }
                        });
                    }
                });
                started.elapsed()
            });
        });
    }
    let body = batch(0);
    bench.post("/ingest/sales-daily", &body);
    group.bench_function("1000_known_rows_one_client", |b| {
        b.iter(|| bench.post("/ingest/sales-daily", &body));
    });
    group.finish();
}

fn all(c: &mut Criterion) {
    let bench = Bench::start();
    forecasting(c, &bench);
    featuresets(c, &bench);
    backtesting(c, &bench);
    ingest(c, &bench);
}

criterion_group!(benches, all);
criterion_main!(benches);
