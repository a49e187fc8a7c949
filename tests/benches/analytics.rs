//! What dashboards wait for: aggregates of a year of 10 stores and 50 products (183,000 rows) and lists of stores, over
//! real connections. `cargo bench -p retailcast-tests --bench analytics`; results stand in
//! `docs/decisions/analytics-rollups.md`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use retailcast::config::Config;
use retailcast::db::Database;
use retailcast::slices::rollups::Rollups;
use retailcast::{app, http};
use sqlx::PgPool;

const KPIS: &str = "/analytics/kpis?start_date=2024-01-01&end_date=2024-12-31";
const PRODUCTS: &str = "/analytics/drilldowns?dimension=product&start_date=2024-01-01&end_date=2024-12-31";
const WEEKS: &str = "/analytics/timeseries?granularity=week&start_date=2024-01-01&end_date=2024-12-31";
const STORES: &str = "/dimensions/stores";
const INVENTORY: &str = "/analytics/inventory-status";

struct Bench {
    runtime: tokio::runtime::Runtime,
    client: reqwest::Client,
    url: String,
    database: Option<Database>,
    _folder: tempfile::TempDir,
}

impl Bench {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::defaults();
        config.database.embedded.dir = folder.path().join("home");
        config.plugins.cache_dir = folder.path().join("code");
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let (database, url) = runtime.block_on(async {
            let database = Database::open(&config).await.unwrap();
            fill(&database.pool).await;
            let catalogue = Arc::new(app::catalogue(&config).unwrap());
            let router = http::router(app::assemble(&config, database.pool.clone(), catalogue).unwrap());
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            tokio::spawn(async { axum::serve(listener, router).await.unwrap() });
            (database, url)
        });
        Self { runtime, client: reqwest::Client::new(), url, database: Some(database), _folder: folder }
    }

    fn pool(&self) -> &PgPool {
        &self.database.as_ref().unwrap().pool
    }

    fn get(&self, path: &str) {
        self.runtime.block_on(get(self.client.clone(), format!("{}{path}", self.url)));
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        if let Some(database) = self.database.take() {
            self.runtime.block_on(database.close()).unwrap();
        }
    }
}

async fn get(client: reqwest::Client, url: String) {
    let response = client.get(url).send().await.unwrap();
    assert_eq!(response.status().as_u16(), 200);
    response.bytes().await.unwrap();
}

async fn fill(pool: &PgPool) {
    for statement in [
        "insert into store (code, name, region) select 'S' || i, 'Store ' || i, 'R' || i % 4 from generate_series(1, 10) as i",
        "insert into product (sku, name, category) select 'P' || i, 'P' || i, 'C' || i % 7 from generate_series(1, 50) as i",
        "insert into calendar (date, day_of_week, month, quarter, year)
         select day, extract(isodow from day)::int - 1, extract(month from day)::int,
                extract(quarter from day)::int, extract(year from day)::int
         from generate_series('2023-01-01'::date, '2026-12-31', '1 day') as day",
        "insert into sales_daily (store_id, product_id, date, quantity, unit_price, total_amount)
         select s, p, '2024-01-01'::date + d, (s * p + d) % 50, 3.49, (s * p + d) % 50 * 3.49
         from generate_series(0, 365) as d, generate_series(1, 10) as s, generate_series(1, 50) as p",
        "insert into inventory_snapshot_daily (store_id, product_id, date, on_hand_qty)
         select store_id, product_id, date, quantity from sales_daily",
        "vacuum analyze",
    ] {
        sqlx::query(statement).execute(pool).await.unwrap();
    }
}

fn latencies(c: &mut Criterion, bench: &Bench) {
    c.bench_function("stores", |b| b.iter(|| bench.get(STORES)));
    c.bench_function("kpis_year_of_183000_rows_not_summed_up", |b| {
        b.iter_custom(|iterations| {
            let started = Instant::now();
            let mut elapsed = Duration::ZERO;
            for _ in 0..iterations {
                // A write to every day; what it takes is not counted.
                let all = "insert into sales_stale_days values ('{[2024-01-01,2025-01-01)}')";
                bench.runtime.block_on(sqlx::query(all).execute(bench.pool())).unwrap();
                let request = Instant::now();
                bench.get(KPIS);
                elapsed += request.elapsed();
            }
            assert!(elapsed <= started.elapsed());
            elapsed
        });
    });
    let started = Instant::now();
    bench.runtime.block_on(Rollups::new(bench.pool().clone()).refresh()).unwrap();
    println!("183,000 rows are summed up in {:?}", started.elapsed());
    bench.runtime.block_on(sqlx::query("vacuum analyze").execute(bench.pool())).unwrap();
    for (name, path) in [
        ("kpis_year_of_183000_rows", KPIS),
        ("drilldown_product_year_of_183000_rows", PRODUCTS),
        ("timeseries_week_year_of_183000_rows", WEEKS),
        ("inventory_of_500_pairs", INVENTORY),
    ] {
        c.bench_function(name, |b| b.iter(|| bench.get(path)));
    }
}

fn throughput(c: &mut Criterion, bench: &Bench) {
    const CONNECTIONS: u64 = 8;
    let mut group = c.benchmark_group("eight_connections");
    group.throughput(Throughput::Elements(CONNECTIONS));
    for (name, path) in [("stores", STORES), ("kpis", KPIS)] {
        group.bench_function(name, |b| {
            b.iter_custom(|iterations| {
                bench.runtime.block_on(async {
                    let started = Instant::now();
                    let workers: Vec<_> = (0..CONNECTIONS)
                        .map(|_| {
                            let (client, url) = (bench.client.clone(), format!("{}{path}", bench.url));
                            tokio::spawn(async move {
                                for _ in 0..iterations {
                                    get(client.clone(), url.clone()).await;
                                }
                            })
                        })
                        .collect();
                    for worker in workers {
                        worker.await.unwrap();
                    }
                    started.elapsed()
                })
            });
        });
    }
    group.finish();
}

fn all(c: &mut Criterion) {
    let bench = Bench::start();
    latencies(c, &bench);
    throughput(c, &bench);
}

criterion_group!(benches, all);
criterion_main!(benches);
