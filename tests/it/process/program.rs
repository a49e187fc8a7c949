//! Runs the program in a folder of its own.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::support::database::{folder_for_database, workspace};

/// A folder with an embedded database of its own; stops what is left in it.
pub(super) struct Home {
    pub(super) folder: PathBuf,
}

impl Home {
    pub(super) fn new(name: &str) -> Self {
        // Whoever was first has installed it: TLS of the HTTP client that talks to the programs.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self { folder: folder_for_database(name) }
    }

    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command.current_dir(&self.folder).args(arguments).stdin(Stdio::null());
        command
            .env("LOG_FORMAT", "json")
            .env("PLUGINS_CACHE_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("plugin-code"));
        let installed = workspace().join(".retailcast/postgres/bin");
        if installed.is_dir() {
            command.env("DATABASE_EMBEDDED_BIN_DIR", installed);
        }
        command
    }

    pub(super) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs it and expects success; what it printed.
    #[track_caller]
    pub(super) fn succeed(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs it and expects a refusal; what it said.
    #[track_caller]
    pub(super) fn refuse(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {errors}");
        errors
    }

    /// What can be seen of the embedded server: its file, its process, the end of its log.
    pub(super) fn postgres_told(&self) -> String {
        let read = |path: PathBuf| std::fs::read_to_string(path).unwrap_or_else(|e| e.to_string());
        let pid = read(self.folder.join(".retailcast/data/postmaster.pid"));
        let process = Path::new("/proc").join(pid.lines().next().unwrap_or_default()).join("status");
        let log = read(self.folder.join(".retailcast/postgres.log"));
        let log: Vec<&str> = log.lines().rev().take(20).collect();
        format!("{pid}\n{}\n{}", read(process), log.join("\n"))
    }

    /// The process of the embedded server, if it runs.
    pub(super) fn postgres(&self) -> Option<u32> {
        let pid = std::fs::read_to_string(self.folder.join(".retailcast/data/postmaster.pid")).ok()?;
        let pid: u32 = pid.lines().next()?.parse().ok()?;
        // One that has ended and that nobody has asked for yet has no command line.
        std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| !line.is_empty()).then_some(pid)
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if let Some(pid) = self.postgres() {
            kill(pid, "QUIT");
            wait_until(|| self.postgres().is_none());
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The folder that this test was built in.
pub(super) fn target_folder() -> PathBuf {
    // target/PROFILE/deps/it-… → target
    std::env::current_exe().unwrap().ancestors().nth(3).unwrap().to_owned()
}

fn binary() -> PathBuf {
    // target/PROFILE/deps/it-… → target/PROFILE/retailcast
    let test = std::env::current_exe().unwrap();
    let binary = test.ancestors().nth(2).unwrap().join("retailcast");
    assert!(binary.is_file(), "{} is missing: run `cargo build -p retailcast` first", binary.display());
    binary
}

pub(super) fn kill(pid: u32, signal: &str) {
    let status = Command::new("kill").args(["-s", signal, &pid.to_string()]).status().unwrap();
    assert!(status.success());
}

#[track_caller]
pub(super) fn wait_until(done: impl Fn() -> bool) {
    wait_until_or_tell(done, String::new);
}

/// The same; what is told helps to see why nothing came.
#[track_caller]
pub(super) fn wait_until_or_tell(done: impl Fn() -> bool, tell: impl Fn() -> String) {
    let end = Instant::now() + Duration::from_mins(1);
    while !done() {
        assert!(Instant::now() < end, "waited for a minute {}", tell());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A running `retailcast serve`.
pub(super) struct Server {
    pub(super) child: Child,
    pub(super) url: String,
    log: std::thread::JoinHandle<Vec<String>>,
}

impl Server {
    pub(super) fn start(home: &Home) -> Self {
        Self::start_with(home, &[])
    }

    pub(super) fn start_with(home: &Home, variables: &[(&str, &str)]) -> Self {
        let mut command = home.command(&["serve", "--port", "0"]);
        let mut child = command.envs(variables.iter().copied()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut seen = Vec::new();
        let url = loop {
            let Some(line) = lines.next() else { panic!("the server ended: {seen:#?}") };
            let line = line.unwrap();
            let json: serde_json::Value =
                serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line}"));
            if let Some(url) = json["url"].as_str() {
                break url.to_owned();
            }
            seen.push(line);
        };
        // The rest is read, or the server would wait for room in the pipe.
        let log = std::thread::spawn(move || lines.map_while(Result::ok).collect());
        Self { child, url, log }
    }

    /// Asks it to stop and waits for its end; exit code and log.
    pub(super) fn stop(mut self) -> (Option<i32>, Vec<String>) {
        kill(self.child.id(), "TERM");
        let status = self.child.wait().unwrap();
        (status.code(), self.log.join().unwrap())
    }

    /// Ends it without a warning.
    pub(super) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}
