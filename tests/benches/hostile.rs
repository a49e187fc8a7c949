//! Good calls beside hostile ones: `cargo bench -p retailcast-tests --bench hostile` after
//! `cargo build --release -p retailcast`. 10,000 good calls over 8 connections: alone; with 1,000 hostile ones mixed in, where
//! a connection waits for the hostile call that it has sent; and while 8 further connections send nothing but hostile ones,
//! so that the good ones lose no rate. Results stand in `docs/performance.md`.

#[allow(dead_code, reason = "each bench uses its part")]
mod support;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use self::support::Bench;

const CONNECTIONS: usize = 8;
const GOOD: usize = 10_000;
const HOSTILE: usize = 1_000;
/// What a hostile call does. The last one is a model file that somebody damaged.
const FAULTS: [&str; 11] = [
    "loop-in-fit",
    "loop-in-needs",
    "loop-in-predict",
    "memory-bomb",
    "panic",
    "nan",
    "log-flood",
    "stderr-flood",
    "huge-result",
    "deep-recursion",
    "forged",
];
/// A tenth of a second, so that 270 endless loops, one after another, end within half a minute.
const SETTINGS: &str = "\
[plugins]
dir = \"plugins\"
[plugins.settings.hostile.limits]
fit_seconds = 0.1
predict_seconds = 0.1
memory_mib = 128
payload_mib = 4
";

fn main() {
    let bench = Bench::start_in(|folder| {
        let plugins = folder.join("plugins");
        std::fs::create_dir(&plugins).unwrap();
        std::fs::write(plugins.join("hostile.wasm"), retailcast_test_guests::HOSTILE).unwrap();
        std::fs::write(folder.join("retailcast.toml"), SETTINGS).unwrap();
    });
    let calls = Arc::new(Calls::prepare(&bench));
    // What the program keeps once it has done everything: code, connections, arenas of the allocator.
    drive(&bench, &calls, GOOD / 10, HOSTILE / 10);
    let alone = drive(&bench, &calls, GOOD, 0);
    let before = settled(&bench);
    let mixed = drive(&bench, &calls, GOOD, HOSTILE);
    let besieged = besieged(&bench, &calls);
    let after = settled(&bench);
    println!(
        "{:<34} {:>10} {:>14} {:>16}",
        "10,000 good calls", "alone", "1,000 mixed in", "8 hostile beside"
    );
    for (what, share) in [("median", 0.5), ("p99", 0.99), ("longest", 1.0)] {
        let ms = |outcome: &Outcome| outcome.quantile(share).as_secs_f64() * 1e3;
        let ratio = |outcome: &Outcome| format!("{:.2} ms x{:.2}", ms(outcome), ms(outcome) / ms(&alone));
        println!("{what:<34} {:>7.2} ms {:>14} {:>16}", ms(&alone), ratio(&mixed), ratio(&besieged));
    }
    println!("{:<34} {:>10} {:>14} {:>16}", "failed", alone.failed, mixed.failed, besieged.failed);
    println!(
        "{:<34} {:>10} {:>14} {:>16}",
        "hostile calls that were answered", "", mixed.hostile, besieged.hostile
    );
    println!("{:<34} {:>10.1} {:>14.1} {:>16.1}", "seconds", alone.seconds, mixed.seconds, besieged.seconds);
    let ratio = after as f64 / before as f64;
    println!("resident memory: {before} MiB before, {after} MiB after, x{ratio:.2}");
    assert_eq!((alone.failed, mixed.failed, besieged.failed, mixed.hostile), (0, 0, 0, HOSTILE));
}

/// The good calls at full rate while as many other connections send hostile ones without a pause.
fn besieged(bench: &Bench, calls: &Arc<Calls>) -> Outcome {
    let siege = Arc::new(AtomicBool::new(true));
    let enemies: Vec<_> = (0..CONNECTIONS)
        .map(|connection| {
            let (calls, url, siege) = (Arc::clone(calls), bench.url.clone(), Arc::clone(&siege));
            bench.runtime.spawn(async move {
                let (client, mut sent) = (reqwest::Client::new(), 0);
                while siege.load(Ordering::Relaxed) {
                    attack(&client, &url, &calls, sent * CONNECTIONS + connection).await;
                    sent += 1;
                }
                sent
            })
        })
        .collect();
    let outcome = drive(bench, calls, GOOD, 0);
    siege.store(false, Ordering::Relaxed);
    let hostile = bench.runtime.block_on(futures::future::join_all(enemies));
    Outcome { hostile: hostile.into_iter().map(|sent| sent.unwrap()).sum(), ..outcome }
}

/// Sends a hostile call, which must get a clear answer: a log flood is cut short and the call goes on.
async fn attack(client: &reqwest::Client, url: &str, calls: &Calls, number: usize) {
    let (status, body) = post(client, url, &calls.hostile[number % calls.hostile.len()]).await;
    assert!(status == 200 || body["code"].is_string(), "{status} {body}");
}

/// The server's memory when it has been left alone for a while.
fn settled(bench: &Bench) -> u64 {
    std::thread::sleep(Duration::from_secs(3));
    bench.memory("VmRSS")
}

/// One request.
struct Call {
    path: &'static str,
    body: Value,
}

struct Calls {
    good: Vec<Call>,
    hostile: Vec<Call>,
}

const SERIES: &str = "2024-01-01";

fn train(model: &Value) -> Call {
    let body = json!({"store_id": 1, "product_id": 1, "train_start_date": SERIES, "train_end_date": "2024-12-30",
                      "config": model});
    Call { path: "/forecasting/train", body }
}

fn predict(model_path: &str) -> Call {
    let body = json!({"store_id": 1, "product_id": 1, "horizon": 28, "model_path": model_path});
    Call { path: "/forecasting/predict", body }
}

impl Calls {
    /// Makes a year of sales, and the models that calls forecast from.
    fn prepare(bench: &Bench) -> Self {
        for (path, text) in [
            ("/ingest/stores", "code,name\nS1,One\n".to_owned()),
            ("/ingest/products", "sku,name\nP1,One\n".to_owned()),
            ("/ingest/calendar", days(|day, _| day.to_string(), "date")),
            ("/ingest/sales-daily", days(sold, "date,store_code,sku,quantity,unit_price,total_amount")),
        ] {
            bench.post(path, "text/csv", text.into_bytes());
        }
        let model = |model: Value| {
            let call = train(&model);
            let trained = bench.post(call.path, "application/json", call.body.to_string().into_bytes());
            trained["model_path"].as_str().unwrap().to_owned()
        };
        let bad = |fault: &str| model(json!({"model_type": "hostile", "fault": fault}));
        let naive = model(json!({"model_type": "naive"}));
        let good = vec![
            train(&json!({"model_type": "naive"})),
            predict(&naive),
            predict(&model(json!({"model_type": "seasonal_naive"}))),
            predict(&model(json!({"model_type": "regression"}))),
            train(&json!({"model_type": "moving_average"})),
        ];
        let forged = forge(bench.folder.path(), &naive);
        let hostile = FAULTS.iter().map(|fault| match *fault {
            "forged" => predict(&forged),
            "nan" | "huge-result" | "loop-in-predict" => predict(&bad(fault)),
            fault => train(&json!({"model_type": "hostile", "fault": fault})),
        });
        let hostile = hostile.collect();
        Self { good, hostile }
    }
}

fn days(row: fn(retailcast_core::Day, i32) -> String, head: &str) -> String {
    let first: retailcast_core::Day = SERIES.parse().unwrap();
    (0..365).fold(format!("{head}\n"), |text, i| text + &row(first + i, i) + "\n")
}

fn sold(day: retailcast_core::Day, i: i32) -> String {
    let quantity = 20 + 3 * (i % 7);
    format!("{day},S1,P1,{quantity},2.50,{:.2}", f64::from(quantity) * 2.5)
}

/// A copy of a model file whose plugin state was changed, with a checksum that fits, beside it.
fn forge(folder: &Path, model_path: &str) -> String {
    let forged = model_path.replace("model_", "model_forged");
    assert_ne!(forged, model_path);
    let mut bytes = std::fs::read(folder.join(model_path)).unwrap();
    // The state stands before the checksum.
    let body = bytes.len() - Sha256::output_size();
    bytes[body - 4..body].copy_from_slice(&[0xff; 4]);
    let checksum = Sha256::digest(&bytes[..body]);
    bytes[body..].copy_from_slice(&checksum);
    std::fs::write(folder.join(&forged), bytes).unwrap();
    forged
}

struct Outcome {
    /// Of the good calls, sorted.
    times: Vec<Duration>,
    failed: usize,
    hostile: usize,
    seconds: f64,
}

impl Outcome {
    fn quantile(&self, share: f64) -> Duration {
        self.times[((self.times.len() - 1) as f64 * share).round() as usize]
    }
}

/// Sends the calls, evenly mixed, each connection its share, one after another.
fn drive(bench: &Bench, calls: &Arc<Calls>, good: usize, hostile: usize) -> Outcome {
    let started = Instant::now();
    let mut outcome = Outcome { times: Vec::new(), failed: 0, hostile: 0, seconds: 0.0 };
    bench.runtime.block_on(async {
        let connections: Vec<_> = (0..CONNECTIONS)
            .map(|connection| {
                let (calls, url) = (Arc::clone(calls), bench.url.clone());
                tokio::spawn(connect(calls, url, connection, good, hostile))
            })
            .collect();
        for connection in connections {
            let (times, failed, answered) = connection.await.unwrap();
            outcome.times.extend(times);
            outcome.failed += failed;
            outcome.hostile += answered;
        }
    });
    outcome.times.sort();
    outcome.seconds = started.elapsed().as_secs_f64();
    outcome
}

async fn connect(
    calls: Arc<Calls>,
    url: String,
    connection: usize,
    good: usize,
    hostile: usize,
) -> (Vec<Duration>, usize, usize) {
    let client = reqwest::Client::new();
    let (mut times, mut failed, mut sent) = (Vec::new(), 0, 0);
    for i in (connection..good).step_by(CONNECTIONS) {
        // As many hostile ones as are due by now, over all connections.
        while sent * good < (i + 1) * hostile / CONNECTIONS && sent < hostile / CONNECTIONS {
            attack(&client, &url, &calls, sent * CONNECTIONS + connection).await;
            sent += 1;
        }
        let started = Instant::now();
        let (status, body) = post(&client, &url, &calls.good[i % calls.good.len()]).await;
        times.push(started.elapsed());
        if status != 200 {
            failed += 1;
            eprintln!("a good call failed: {status} {body}");
        }
    }
    (times, failed, sent)
}

async fn post(client: &reqwest::Client, url: &str, call: &Call) -> (u16, Value) {
    let response = client.post(format!("{url}{}", call.path)).json(&call.body).send().await.unwrap();
    let status = response.status().as_u16();
    (status, response.json().await.unwrap())
}
