//! The program as a process, with its embedded database, for benches.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// The program, with a database of its own.
pub(crate) struct Bench {
    server: Child,
    /// Where it listens.
    pub(crate) url: String,
    /// What requests run on.
    pub(crate) runtime: tokio::runtime::Runtime,
    /// One connection pool.
    pub(crate) client: reqwest::Client,
    /// Its working directory.
    pub(crate) folder: tempfile::TempDir,
}

impl Bench {
    /// Starts it with the configuration of a newcomer.
    pub(crate) fn start() -> Self {
        Self::start_in(|_| {})
    }

    /// The same, in a folder that was prepared.
    pub(crate) fn start_in(prepare: impl FnOnce(&Path)) -> Self {
        // Whoever came first in this process has chosen already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        prepare(folder.path());
        // The database's unprivileged user has to enter it.
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let mut command = Command::new(program());
        command.args(["serve", "--port", "0"]).current_dir(folder.path()).env("LOG_FORMAT", "json");
        command.env("DATABASE_EMBEDDED_DIR", folder.path().join("home"));
        if let Some(programs) = postgres() {
            command.env("DATABASE_EMBEDDED_BIN_DIR", programs);
        }
        let mut server = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(server.stderr.take().unwrap()).lines().map_while(Result::ok);
        let url = lines
            .find_map(|line| serde_json::from_str::<Value>(&line).ok()?["url"].as_str().map(str::to_owned))
            .expect("the server says where it listens");
        // The rest is read, or the server would wait for room in the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        let runtime = tokio::runtime::Runtime::new().unwrap();
        Self { server, url, runtime, client: reqwest::Client::new(), folder }
    }

    /// Posts a body and expects success.
    pub(crate) fn post(&self, path: &str, kind: &str, body: Vec<u8>) -> Value {
        self.runtime.block_on(async {
            let request = self.client.post(format!("{}{path}", self.url)).header("content-type", kind);
            let response = request.body(body).send().await.unwrap();
            let (status, text) = (response.status(), response.text().await.unwrap());
            assert!(status.is_success(), "{status} {text}");
            serde_json::from_str(&text).unwrap()
        })
    }

    /// A line of the kernel's report on the server, in MiB.
    pub(crate) fn memory(&self, line: &str) -> u64 {
        let report = std::fs::read_to_string(format!("/proc/{}/status", self.server.id())).unwrap();
        let line = report.lines().find(|found| found.starts_with(line)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() >> 10
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let stopped = Command::new("kill").arg(self.server.id().to_string()).status().unwrap();
        assert!(stopped.success());
        self.server.wait().unwrap();
    }
}

/// target/release/deps/BENCH-… → target/release/retailcast
fn program() -> PathBuf {
    let bench = std::env::current_exe().unwrap();
    let program = bench.ancestors().nth(2).unwrap().join("retailcast");
    assert!(
        program.is_file(),
        "{} is missing: run `cargo build --release -p retailcast` first",
        program.display()
    );
    program
}

fn postgres() -> Option<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?;
    let installed = workspace.join(".retailcast/postgres/bin");
    installed.is_dir().then_some(installed)
}
