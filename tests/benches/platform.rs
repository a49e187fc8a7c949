//! The table of what the data platform has to reach, measured on the program as a process with its embedded database:
//! `cargo bench -p retailcast-tests --bench platform` after `cargo build --release -p retailcast`. With the argument
//! `large` also 20 million rows, which takes some minutes. Results stand in `docs/performance.md`.

#[allow(dead_code, reason = "each bench uses its part")]
mod support;

use std::time::{Duration, Instant};

use polars::prelude::{DataFrame, DataType, NamedFrom, ParquetWriter, Series};
use retailcast_core::Day;
use serde_json::json;

use self::support::Bench;

/// 2024-01-01.
const START: Day = Day(19_723);
const CONNECTIONS: usize = 8;

fn main() {
    let large = std::env::args().any(|argument| argument == "large");
    println!("{:<58} {:>18} {:>18}", "", "asked", "measured");
    year_of_a_chain();
    bulk_loads(large);
}

/// The data set of the earlier service's measurement.
fn year_of_a_chain() {
    let bench = Bench::start();
    let order = json!({"scenario": "retail_standard", "seed": 42, "stores": 10, "products": 50,
                       "start_date": "2024-01-01", "end_date": "2024-12-31", "sparsity": 0});
    let started = Instant::now();
    let made = bench.post("/seeder/generate", "application/json", order.to_string().into_bytes());
    tell(
        "seeding 10 stores, 50 products, 366 days",
        "3 s",
        &format!("{:.2} s", started.elapsed().as_secs_f64()),
    );
    println!("  {} sales", made["records_created"]["sales"]);
    settle(5);
    let year = "start_date=2024-01-01&end_date=2024-12-31";
    for (what, asked, path) in [
        ("GET /dimensions/stores", "1 ms", "/dimensions/stores".to_owned()),
        ("GET /analytics/kpis, a year", "4 ms", format!("/analytics/kpis?{year}")),
        (
            "GET /analytics/drilldowns by product, a year",
            "8 ms",
            format!("/analytics/drilldowns?dimension=product&{year}"),
        ),
    ] {
        tell(what, asked, &milliseconds(median(&bench, &path)));
    }
    let rate = throughput(&bench, "/dimensions/stores?page=1");
    tell("8 connections, GET /dimensions/stores?page=1", "5,000 req/s", &format!("{rate:.0} req/s"));
}

fn bulk_loads(large: bool) {
    let bench = Bench::start();
    let csv = |path: &str, text: String| bench.post(path, "text/csv", text.into_bytes());
    let numbered = |head: &str, letter: char, n: usize| {
        (0..n)
            .map(|i| format!("{letter}{i:03},{letter}{i}\n"))
            .fold(head.to_owned(), |text, line| text + &line)
    };
    csv("/ingest/stores", numbered("code,name\n", 'S', 200));
    csv("/ingest/products", numbered("sku,name\n", 'P', 275));
    let days: Vec<String> = (0..4000).map(|i| (START + i).to_string()).collect();
    csv("/ingest/calendar", format!("date\n{}\n", days.join("\n")));

    // 60,000 rows before the others.
    let batches: Vec<Vec<u8>> = (0..60).map(|i| batch(i * 1000)).collect();
    let started = Instant::now();
    for body in batches {
        bench.post("/ingest/sales-daily", "application/json", body);
    }
    tell("ingest, batches of 1,000 JSON rows", "60,000 rows/s", &rows_per_second(60_000, started.elapsed()));

    let before = bench.memory("VmRSS");
    for (what, kind, rows) in [
        ("ingest, one CSV body of 1 million rows", "text/csv", table(20, 100, 100, 500)),
        ("the same, rows that are there already", "text/csv", table(20, 100, 100, 500)),
    ] {
        let started = Instant::now();
        bench.post("/ingest/sales-daily", kind, csv_text(&rows));
        tell(what, "120,000 rows/s", &rows_per_second(rows.len(), started.elapsed()));
    }
    let rows = table(20, 100, 700, 500);
    let body = parquet(&rows);
    let started = Instant::now();
    bench.post("/ingest/sales-daily", "application/vnd.apache.parquet", body);
    let rate = rows_per_second(rows.len(), started.elapsed());
    tell("ingest, one Parquet body of 1 million rows", "120,000 rows/s", &rate);
    println!("  memory of the server: {before} MiB before, {} MiB at most", bench.memory("VmHWM"));
    tell("memory while these three are loaded", "300 MiB", &format!("{} MiB", bench.memory("VmHWM")));
    if !large {
        return;
    }
    // All within one year: 55,000 series.
    let (started, mut rows) = (Instant::now(), 0);
    for first in (0..365).step_by(18) {
        let part = table(200, 275, 2000 + first, 18.min(365 - first));
        rows += part.len();
        bench.post("/ingest/sales-daily", "text/csv", csv_text(&part));
    }
    println!("  {rows} rows as CSV bodies: {}", rows_per_second(rows, started.elapsed()));
    settle(30);
    let year = format!("/analytics/kpis?start_date={}&end_date={}", START + 2000, START + 2364);
    tell("KPIs of a year over 20 million rows", "60 ms", &milliseconds(median(&bench, &year)));
}

fn tell(what: &str, asked: &str, measured: &str) {
    println!("{what:<58} {asked:>18} {measured:>18}");
}

fn milliseconds(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1000.0)
}

fn rows_per_second(rows: usize, time: Duration) -> String {
    format!("{:.0} rows/s", rows as f64 / time.as_secs_f64())
}

/// Store, product, day, quantity.
type Row = (usize, usize, Day, usize);

/// So many days of all series, from this day on.
fn table(stores: usize, products: usize, from: i32, days: i32) -> Vec<Row> {
    let days = (0..days).map(|d| START + from + d);
    let grain = days.flat_map(|day| (0..stores).flat_map(move |s| (0..products).map(move |p| (s, p, day))));
    grain.enumerate().map(|(i, (s, p, day))| (s, p, day, i % 40)).collect()
}

fn cents(quantity: usize) -> usize {
    quantity * 349
}

fn batch(from: usize) -> Vec<u8> {
    let record = |i: usize| {
        let (s, p, day) = (i % 20, i / 20 % 100, START + (i / 2000) as i32);
        let cents = cents(i % 40);
        json!({"date": day.to_string(), "store_code": format!("S{s:03}"), "sku": format!("P{p:03}"), "quantity": i % 40,
               "unit_price": "3.49", "total_amount": format!("{}.{:02}", cents / 100, cents % 100)})
    };
    json!({"records": (from..from + 1000).map(record).collect::<Vec<_>>()}).to_string().into_bytes()
}

fn csv_text(rows: &[Row]) -> Vec<u8> {
    use std::io::Write;
    let mut text = b"date,store_code,sku,quantity,unit_price,total_amount\n".to_vec();
    for (s, p, day, quantity) in rows {
        let cents = cents(*quantity);
        // Writing to memory does not fail.
        let _ = writeln!(text, "{day},S{s:03},P{p:03},{quantity},3.49,{}.{:02}", cents / 100, cents % 100);
    }
    text
}

fn parquet(rows: &[Row]) -> Vec<u8> {
    let texts = |cell: fn(&Row) -> String| rows.iter().map(cell).collect::<Vec<String>>();
    let days: Vec<i32> = rows.iter().map(|row| row.2.0).collect();
    let quantities: Vec<i64> = rows.iter().map(|row| row.3 as i64).collect();
    let amounts: Vec<f64> = rows.iter().map(|row| cents(row.3) as f64 / 100.0).collect();
    let mut frame = DataFrame::new(
        rows.len(),
        vec![
            Series::new("date".into(), days).cast(&DataType::Date).unwrap().into(),
            Series::new("store_code".into(), texts(|row| format!("S{:03}", row.0))).into(),
            Series::new("sku".into(), texts(|row| format!("P{:03}", row.1))).into(),
            Series::new("quantity".into(), quantities).into(),
            Series::new("unit_price".into(), vec![3.49; rows.len()]).into(),
            Series::new("total_amount".into(), amounts).into(),
        ],
    )
    .unwrap();
    let mut bytes = Vec::new();
    ParquetWriter::new(&mut bytes).finish(&mut frame).unwrap();
    bytes
}

/// Waits until days are summed up, which the server does by itself: until then they are read from the sales.
fn settle(seconds: u64) {
    std::thread::sleep(Duration::from_secs(seconds));
}

/// Median of 60 requests over one connection.
fn median(bench: &Bench, path: &str) -> Duration {
    let url = format!("{}{path}", bench.url);
    let mut times: Vec<Duration> = (0..60)
        .map(|_| {
            let started = Instant::now();
            bench.runtime.block_on(get(&bench.client, &url));
            started.elapsed()
        })
        .collect();
    times.sort();
    times[times.len() / 2]
}

/// Requests per second over several connections, for five seconds.
fn throughput(bench: &Bench, path: &str) -> f64 {
    let end = Instant::now() + Duration::from_secs(5);
    bench.runtime.block_on(async {
        let workers: Vec<_> = (0..CONNECTIONS)
            .map(|_| {
                let (client, url) = (reqwest::Client::new(), format!("{}{path}", bench.url));
                tokio::spawn(async move {
                    let mut count = 0;
                    while Instant::now() < end {
                        get(&client, &url).await;
                        count += 1;
                    }
                    count
                })
            })
            .collect();
        let mut all = 0;
        for worker in workers {
            all += worker.await.unwrap();
        }
        f64::from(all) / 5.0
    })
}

async fn get(client: &reqwest::Client, url: &str) {
    let response = client.get(url).send().await.unwrap();
    assert_eq!(response.status().as_u16(), 200);
    response.bytes().await.unwrap();
}
