//! Jobs with real processes: workers that are killed, stopped and joined by others; a database that dies.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::program::{Home, Server, kill, wait_until, wait_until_or_tell};

fn client() -> (tokio::runtime::Runtime, reqwest::Client) {
    (tokio::runtime::Runtime::new().unwrap(), reqwest::Client::new())
}

fn get(url: &str) -> Value {
    let (runtime, client) = client();
    runtime.block_on(async { client.get(url).send().await.unwrap().json().await.unwrap() })
}

fn submit(server: &Server, job_type: &str, params: &Value) -> String {
    let (runtime, client) = client();
    let body = json!({"job_type": job_type, "params": params});
    let answer = runtime.block_on(async {
        let answer = client.post(format!("{}/jobs", server.url)).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), 202);
        answer.json::<Value>().await.unwrap()
    });
    answer["job_id"].as_str().unwrap().to_owned()
}

/// A running `retailcast worker`, and what it logs.
struct Worker {
    child: Child,
    log: std::thread::JoinHandle<Vec<Value>>,
}

impl Worker {
    fn start(home: &Home, variables: &[(&str, &str)]) -> Self {
        let mut command = home.command(&["worker", "--slots", "1"]);
        let mut child = command.envs(variables.iter().copied()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let read = |line: String| serde_json::from_str(&line).unwrap_or(Value::String(line));
        let log = std::thread::spawn(move || lines.map_while(Result::ok).map(read).collect());
        Self { child, log }
    }

    /// Sends a signal; after a deadly one its log.
    fn signal(&self, signal: &str) {
        kill(self.child.id(), signal);
    }

    fn end(mut self, signal: &str) -> Vec<Value> {
        self.signal(signal);
        self.child.wait().unwrap();
        self.log.join().unwrap()
    }
}

/// `serve` without workers of its own over 720 series, and so many workers.
struct Shop {
    home: Home,
    server: Server,
    workers: Vec<Worker>,
}

impl Drop for Shop {
    /// Nothing is left behind by a test that fails.
    fn drop(&mut self) {
        for child in self.workers.iter_mut().map(|worker| &mut worker.child).chain([&mut self.server.child]) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

const SERIES: usize = 720;
const VARIABLES: [(&str, &str); 2] = [("JOBS_WORKERS", "0"), ("JOBS_CHUNK_SERIES", "24")];

impl Shop {
    fn new(name: &str, workers: usize) -> Self {
        let home = Home::new(name);
        home.succeed(&[
            "seed",
            "generate",
            "--stores",
            "24",
            "--products",
            "30",
            "--start-date",
            "2024-01-01",
            "--end-date",
            "2024-09-30",
        ]);
        let server = Server::start_with(&home, &VARIABLES);
        let workers = (0..workers).map(|_| Worker::start(&home, &VARIABLES)).collect();
        Self { home, server, workers }
    }

    fn job(&self, job_id: &str) -> Value {
        get(&format!("{}/jobs/{job_id}", self.server.url))
    }

    /// A job of some seconds: a table model on every series.
    fn portfolio(&self) -> String {
        self.portfolio_of(60)
    }

    fn portfolio_of(&self, max_iter: u32) -> String {
        let config = json!({"model_type": "regression", "max_iter": max_iter});
        submit(&self.server, "portfolio_forecast", &json!({"config": config, "horizon": 14}))
    }

    fn wait_for_progress(&self, job_id: &str, share: f64) {
        wait_until(|| self.job(job_id)["progress"].as_f64() >= Some(share));
    }

    fn wait_for_end(&self, job_id: &str) -> Value {
        wait_until(|| !["pending", "running"].contains(&self.job(job_id)["status"].as_str().unwrap()));
        self.job(job_id)
    }

    /// The forecasts of a finished job by series; every series once.
    #[track_caller]
    fn forecasts(&self, job: &Value) -> HashMap<(String, String), Value> {
        assert_eq!(job["status"], "completed", "{job}");
        assert_eq!(job["result"]["series_count"], SERIES);
        let mut all = HashMap::new();
        for page in 1..=SERIES.div_ceil(100) {
            let path = job["result"]["forecasts"].as_str().unwrap();
            let page = get(&format!("{}{path}?page_size=100&page={page}", self.server.url));
            for series in page["forecasts"].as_array().unwrap() {
                let text = |name: &str| series[name].as_str().unwrap().to_owned();
                let earlier = all.insert((text("store_code"), text("sku")), series["points"].clone());
                assert!(earlier.is_none(), "{series} is there twice");
            }
        }
        assert_eq!(all.len(), SERIES);
        all
    }
}

/// One run of a task, as a worker logged it.
#[derive(Debug)]
struct Run {
    task: i64,
    begin: String,
    end: String,
    outcome: String,
}

/// The runs that ended, from the logs of workers.
fn runs(logs: &[Vec<Value>]) -> Vec<Run> {
    let mut found = Vec::new();
    for log in logs {
        let mut begun: HashMap<i64, String> = HashMap::new();
        for line in log {
            let time = || line["timestamp"].as_str().unwrap_or_default().to_owned();
            let lease = line["lease"].as_i64();
            match (line["message"].as_str(), lease) {
                (Some("task begins"), Some(lease)) => drop(begun.insert(lease, time())),
                (Some("task ends"), Some(lease)) => found.push(Run {
                    task: line["task"].as_i64().unwrap(),
                    begin: begun.remove(&lease).unwrap(),
                    end: time(),
                    outcome: line["outcome"].as_str().unwrap().to_owned(),
                }),
                _ => {}
            }
        }
    }
    found
}

#[test]
fn a_portfolio_survives_the_death_of_a_worker_and_of_the_server() {
    let mut shop = Shop::new("jobs-worker", 3);
    let started = Instant::now();
    // Longer than the lease that the death of a worker costs.
    let undisturbed = shop.portfolio_of(400);
    let expected = shop.forecasts(&shop.wait_for_end(&undisturbed));
    let usual = started.elapsed();

    // One of three workers dies in the middle.
    let started = Instant::now();
    let job_id = shop.portfolio_of(400);
    shop.wait_for_progress(&job_id, 0.2);
    let dead = shop.workers.pop().unwrap().end("KILL");
    let job = shop.wait_for_end(&job_id);
    let took = started.elapsed();
    assert_eq!(shop.forecasts(&job), expected);
    assert!(took < 2 * usual, "{took:?} instead of {usual:?}");
    println!("undisturbed {usual:?}, with a worker killed {took:?}");

    // The server that took the job dies: the workers go on, and the next server shows the result.
    let job_id = shop.portfolio_of(400);
    shop.wait_for_progress(&job_id, 0.2);
    let next = Server::start_with(&shop.home, &VARIABLES);
    std::mem::replace(&mut shop.server, next).kill();
    let job = shop.wait_for_end(&job_id);
    assert_eq!(shop.forecasts(&job), expected);

    // Nowhere did two workers run a task at the same time, and what was begun again is what the dead one had.
    let mut logs: Vec<Vec<Value>> = shop.workers.drain(..).map(|worker| worker.end("TERM")).collect();
    logs.push(dead);
    let runs = runs(&logs);
    assert!(runs.len() >= 3 * SERIES / 24, "{}", runs.len());
    for (i, run) in runs.iter().enumerate() {
        assert_eq!(run.outcome, "completed");
        assert!(run.begin <= run.end);
        let again = runs[i + 1..].iter().find(|other| other.task == run.task);
        assert!(again.is_none(), "{run:?} was completed again by {again:?}");
    }
}

#[test]
fn a_portfolio_survives_the_death_of_the_database() {
    let mut shop = Shop::new("jobs-database", 2);
    let job_id = shop.portfolio();
    shop.wait_for_progress(&job_id, 0.2);
    let dead = shop.home.postgres().unwrap();
    kill(dead, "KILL");
    // Whoever uses the embedded database starts it again.
    let home = &shop.home;
    wait_until_or_tell(|| home.postgres().is_some_and(|alive| alive != dead), || home.postgres_told());
    let job = shop.wait_for_end(&job_id);
    shop.forecasts(&job);
    let logs: Vec<_> = shop.workers.drain(..).map(|worker| worker.end("TERM")).collect();
    let completed = runs(&logs).iter().filter(|run| run.outcome == "completed").count();
    // One task cuts the job, one gathers it.
    assert_eq!(completed, SERIES / 24 + 2);
}

#[test]
fn a_worker_that_stalls_loses_its_tasks_and_its_late_result() {
    let mut shop = Shop::new("jobs-stall", 1);
    let job_id = shop.portfolio();
    shop.wait_for_progress(&job_id, 0.1);
    let stalled = shop.workers.pop().unwrap();
    stalled.signal("STOP");
    // After its lease another worker begins what it had, and ends the job.
    shop.workers.push(Worker::start(&shop.home, &VARIABLES));
    let job = shop.wait_for_end(&job_id);
    let expected = shop.forecasts(&job);
    stalled.signal("CONT");
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(shop.forecasts(&shop.job(&job_id)), expected);
    let late = runs(&[stalled.end("TERM")]);
    let outcomes: Vec<&str> = late.iter().map(|run| run.outcome.as_str()).collect();
    assert_eq!(outcomes.last(), Some(&"discarded"), "{outcomes:?}");
}

#[test]
fn a_task_that_kills_its_workers_is_given_up() {
    let mut shop = Shop::new("jobs-poison", 0);
    let poison = [("JOBS_MAX_ATTEMPTS", "2"), ("JOBS_LEASE_SECONDS", "0.5"), ("JOBS_CHUNK_SERIES", "720")];
    // One chunk of half a minute, which no worker lives to end.
    let config = json!({"model_type": "regression", "max_iter": 1000});
    let job_id = submit(&shop.server, "portfolio_forecast", &json!({"config": config}));
    for _ in 1..=2 {
        let worker = Worker::start(&shop.home, &poison);
        wait_until(|| shop.job(&job_id)["progress_message"].is_string());
        std::thread::sleep(Duration::from_millis(1_500));
        worker.end("KILL");
    }
    shop.workers.push(Worker::start(&shop.home, &poison));
    let job = shop.wait_for_end(&job_id);
    assert_eq!((&job["status"], &job["error_type"]), (&json!("failed"), &json!("Interrupted")), "{job}");
}

#[test]
fn two_thousand_jobs_from_sixteen_connections() {
    const JOBS: usize = 2_000;
    let mut shop = Shop::new("jobs-many", 0);
    let (runtime, client) = client();
    let body = json!({"job_type": "predict", "params": {"run_id": "0123456789ab"}});
    let url = format!("{}/jobs", shop.server.url);
    runtime.block_on(async {
        let senders = (0..16).map(|_| {
            let (client, url, body) = (client.clone(), url.clone(), body.clone());
            tokio::spawn(async move {
                for _ in 0..JOBS / 16 {
                    assert_eq!(client.post(&url).json(&body).send().await.unwrap().status(), 202);
                }
            })
        });
        for sender in senders.collect::<Vec<_>>() {
            sender.await.unwrap();
        }
    });
    let started = Instant::now();
    for _ in 0..3 {
        shop.workers.push(Worker::start(&shop.home, &VARIABLES));
    }
    wait_until(|| get(&format!("{url}?status=failed&page_size=1"))["total"] == JOBS);
    println!("{JOBS} jobs in {:?}, starts of the workers included", started.elapsed());
    assert_eq!(get(&format!("{url}?page_size=1"))["total"], JOBS);
    let logs: Vec<_> = shop.workers.drain(..).map(|worker| worker.end("TERM")).collect();
    let mut tasks: Vec<i64> = runs(&logs).iter().map(|run| run.task).collect();
    tasks.sort_unstable();
    tasks.dedup();
    assert_eq!((tasks.len(), runs(&logs).len()), (JOBS, JOBS), "none was lost, none ran twice");
    let metrics = runtime.block_on(async {
        client.get(format!("{}/metrics", shop.server.url)).send().await.unwrap().text().await.unwrap()
    });
    assert!(metrics.contains("job_tasks_waiting 0"), "{metrics}");
}
