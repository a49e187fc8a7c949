//! A PostgreSQL of the operator's that stops and starts again while requests come.

use std::os::unix::fs::chown;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::program::{Home, Server, wait_until};
use super::serve::get;
use crate::support::database::{folder_for_database, programs};

/// A server of its own, for the user `nobody` where the tests run as root.
struct Postgres {
    folder: PathBuf,
    bin: PathBuf,
}

impl Postgres {
    fn start_new(name: &str) -> Self {
        let folder = folder_for_database(name);
        let postgres = Self { bin: programs(), folder };
        if rustix::process::geteuid().is_root() {
            chown(&postgres.folder, Some(65_534), Some(65_534)).unwrap();
        }
        postgres.run("initdb", &["-U", "retailcast", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"]);
        postgres.start();
        postgres
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let data = self.folder.join("data");
        let mut command = if rustix::process::geteuid().is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(self.bin.join(program));
            command
        } else {
            Command::new(self.bin.join(program))
        };
        let output = command.arg("-D").arg(&data).args(arguments).output().unwrap();
        assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn start(&self) {
        let folder = self.folder.display();
        let options = format!("-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off");
        self.run("pg_ctl", &["-w", "-l", &format!("{folder}/log"), "-o", &options, "start"]);
    }

    fn stop(&self, mode: &str) {
        self.run("pg_ctl", &["-w", "-m", mode, "stop"]);
    }

    fn url(&self) -> String {
        format!("postgresql://retailcast@localhost/postgres?host={}", self.folder.display())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if self.folder.join("data/postmaster.pid").exists() {
            self.stop("immediate");
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[test]
fn a_database_that_stops_and_starts_again_is_found_again() {
    let postgres = Postgres::start_new("stops");
    let home = Home::new("database-stops");
    let url = postgres.url();
    let server =
        Server::start_with(&home, &[("DATABASE_URL", url.as_str()), ("DATABASE_MAX_CONNECTIONS", "5")]);
    let (stores, ready) =
        (format!("{}/dimensions/stores", server.url), format!("{}/health/ready", server.url));
    assert_eq!((get(&stores).0, get(&ready).0), (200, 200));

    // Two clients ask all the time: status, `Retry-After`, and how long it took.
    let (go_on, seen) = (Arc::new(AtomicBool::new(true)), Arc::new(Mutex::new(Vec::new())));
    let clients: Vec<_> = (0..2)
        .map(|_| {
            let (go_on, seen, stores) = (Arc::clone(&go_on), Arc::clone(&seen), stores.clone());
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Runtime::new().unwrap();
                let client = reqwest::Client::new();
                while go_on.load(Ordering::Relaxed) {
                    let asked = Instant::now();
                    let answer = runtime.block_on(client.get(&stores).send()).unwrap();
                    let retry = answer.headers().contains_key("retry-after");
                    seen.lock().unwrap().push((answer.status().as_u16(), retry, asked.elapsed()));
                    std::thread::sleep(Duration::from_millis(10));
                }
            })
        })
        .collect();

    for mode in ["fast", "immediate"] {
        postgres.stop(mode);
        let (status, body) = get(&ready);
        assert_eq!(status, 503, "{body}");
        assert_eq!(get(&stores).0, 503);
        assert_eq!(get(&format!("{}/health", server.url)).0, 200);
        postgres.start();
        let started = Instant::now();
        wait_until(|| get(&ready).0 == 200 && get(&stores).0 == 200);
        assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
        eprintln!("served again {:?} after the start ({mode})", started.elapsed());
    }
    go_on.store(false, Ordering::Relaxed);
    for client in clients {
        client.join().unwrap();
    }
    let seen = seen.lock().unwrap();
    let odd: Vec<_> =
        seen.iter().filter(|(status, retry, _)| *status != 200 && (*status, *retry) != (503, true)).collect();
    assert!(odd.is_empty(), "{odd:?}");
    assert!(seen.iter().any(|(status, ..)| *status == 503), "nobody asked while it was away");
    let longest = seen.iter().map(|(_, _, took)| *took).max().unwrap();
    // A connection is waited for 5 seconds; the rest is for a busy machine.
    assert!(longest < Duration::from_secs(20), "{longest:?}");
    assert_eq!(server.stop().0, Some(0));
}
