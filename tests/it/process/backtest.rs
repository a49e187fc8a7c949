//! Backtests of a running server: a client that dies takes its computation along; what the log says.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::program::{Home, Server};
use super::serve::{post, shop};

/// Backtests of one series and of all, whose model would not end before its limit of 30 s a fit.
fn endless_backtests() -> [(&'static str, Value); 2] {
    let model = json!({"model_type": "hostile", "fault": "loop-in-fit"});
    let one = json!({"store_id": 1, "product_id": 1, "start_date": "2024-01-01", "end_date": "2024-03-04",
                     "config": {"model_config_main": model}});
    [
        ("/backtesting/run", one),
        ("/backtesting/portfolio", json!({"models": [model], "windows": {"horizon": 7}})),
    ]
}

/// A client in a process of its own.
fn client(url: &str, body: &Value) -> Child {
    let send = "import sys, urllib.request as r
r.urlopen(r.Request(sys.argv[1], sys.argv[2].encode(), {'Content-Type': 'application/json'}))";
    Command::new("python3")
        .args(["-c", send, url, &body.to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Another client, who needs the same compute thread: the one of the same plugin.
struct Other {
    runtime: tokio::runtime::Runtime,
    client: reqwest::Client,
    url: String,
}

impl Other {
    fn of(server: &Server) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        Self { runtime, client: reqwest::Client::new(), url: format!("{}/forecasting/train", server.url) }
    }

    /// The status of a training, if it is answered in time.
    fn train(&self, patience: Duration) -> Option<u16> {
        let body = json!({"store_id": 1, "product_id": 1, "train_start_date": "2024-01-01",
                          "train_end_date": "2024-03-04", "config": {"model_type": "hostile", "fault": "none"}});
        let answer = self.client.post(&self.url).json(&body).timeout(patience);
        self.runtime.block_on(async { answer.send().await.ok().map(|answer| answer.status().as_u16()) })
    }
}

#[test]
fn the_thread_of_a_killed_client_is_free_within_200_ms() {
    let home = Home::new("cancel");
    shop(&home);
    let plugins = home.folder.join("plugins");
    std::fs::create_dir(&plugins).unwrap();
    std::fs::write(plugins.join("hostile.wasm"), retailcast_test_guests::HOSTILE).unwrap();
    let server = Server::start_with(&home, &[("PLUGINS_DIR", "plugins"), ("COMPUTE_THREADS", "1")]);
    let other = Other::of(&server);
    for (path, body) in endless_backtests() {
        free_within_200_ms(&other, &format!("{}{path}", server.url), &body);
    }
    assert_eq!(server.stop().0, Some(0));
}

fn free_within_200_ms(other: &Other, url: &str, body: &Value) {
    let waits: Vec<Duration> = (0..3)
        .map(|_| {
            let mut client = client(url, body);
            // Once the backtest has the plugin's only thread, nobody else is answered.
            let end = Instant::now() + Duration::from_secs(20);
            while other.train(Duration::from_millis(500)).is_some() {
                assert!(client.try_wait().unwrap().is_none(), "the backtest ended");
                assert!(Instant::now() < end, "the backtest never began");
            }
            client.kill().unwrap();
            let killed = Instant::now();
            client.wait().unwrap();
            assert_eq!(other.train(Duration::from_secs(25)), Some(200));
            killed.elapsed()
        })
        .collect();
    // The machine may be busy with other tests: the quickest counts, and none may wait for the plugin's limit.
    assert!(waits.iter().min() < Some(&Duration::from_millis(200)), "{waits:?}");
    assert!(waits.iter().max() < Some(&Duration::from_secs(5)), "{waits:?}");
    println!("{url}: free after {waits:?}");
}

#[test]
fn few_rows_and_a_missing_baseline_are_warnings_in_the_log() {
    let home = Home::new("backtest-log");
    shop(&home);
    let toml = "[plugins.settings.seasonal_naive]\nenabled = false\n";
    std::fs::write(home.folder.join("retailcast.toml"), toml).unwrap();
    let server = Server::start(&home);
    let body = json!({"store_id": 1, "product_id": 1, "start_date": "2024-01-01", "end_date": "2024-03-04",
                      "config": {"split_config": {"min_train_size": 7}, "model_config_main": {"model_type": "naive"}}});
    let (status, answer) = post(&format!("{}/backtesting/run", server.url), &body);
    assert_eq!((status, answer["baseline_results"].as_array().map(Vec::len)), (200, Some(1)), "{answer}");
    let (_, log) = server.stop();
    let lines: Vec<Value> = log.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    for (message, member, value) in [
        ("a backtest trains on few rows", "min_train_size", json!(7)),
        ("a baseline cannot run and is left out of the backtest", "baseline", json!("seasonal_naive")),
    ] {
        let line = lines.iter().find(|line| line["message"] == message);
        let line = line.unwrap_or_else(|| panic!("{message}: {lines:#?}"));
        assert_eq!((&line["level"], &line[member]), (&json!("WARN"), &value), "{line}");
        assert!(line["request_id"].is_string(), "{line}");
    }
}
