//! A private PostgreSQL: started by the first program that needs it, stopped by the last one that leaves.
//!
//! Several programs may share it (`serve` and an `import` beside it). Each holds a shared lock while it works; who
//! leaves last gets the exclusive lock and stops the server. After a `kill -9` the lock is free and the server still
//! runs: the next program finds it answering and goes on, or finds its data and lets it recover. When the server itself
//! dies, whoever uses it starts it again.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection};
use tokio::task::AbortHandle;

use super::home::{Home, HomeError};
use crate::config::EmbeddedConfig;

/// Role and database of the embedded server.
const NAME: &str = "retailcast";
/// Recovery after a crash replays at most a few checkpoints; a minute is plenty.
const START_LIMIT: Duration = Duration::from_mins(1);
const STOP_LIMIT: Duration = Duration::from_mins(1);
/// Parents ask within a second or so; beyond this PostgreSQL says what is wrong.
const BURIAL_LIMIT: Duration = Duration::from_secs(10);
/// How often a running server is looked at.
const WATCH: Duration = Duration::from_millis(500);
/// How often a starting or stopping server is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// Why the embedded server does not run.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// There is no place for it.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// A lock, the log or a program cannot be used.
    #[error("cannot {what} {path}: {source}")]
    File {
        /// What was tried.
        what: &'static str,
        /// On which file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The place of the data holds something else.
    #[error("{0} is not empty and no PostgreSQL data folder; `database.embedded.dir` names another place")]
    NotOurs(String),
    /// `initdb` failed.
    #[error("cannot make the embedded database: {0}")]
    Init(String),
    /// It ended instead of serving.
    #[error("the embedded PostgreSQL does not start; the end of {log}:\n{tail}")]
    Start {
        /// Its log file.
        log: String,
        /// The last lines.
        tail: String,
    },
    /// It does not answer, or does not stop, in time.
    #[error("the embedded PostgreSQL did not {0} within 60 s")]
    Slow(&'static str),
    /// Its database cannot be made.
    #[error("the embedded PostgreSQL: {0}")]
    Database(#[from] sqlx::Error),
}

/// The running server, for as long as this program uses it.
#[derive(Debug)]
pub struct Embedded {
    home: Home,
    in_use: File,
    own: Arc<Mutex<Own>>,
    /// Starts the server again when it has ended by itself.
    guard: AbortHandle,
}

/// What this program has to do with the server's process.
#[derive(Debug, Default)]
struct Own {
    /// The process, when this program started it.
    child: Option<Child>,
    /// This program leaves the server: what happens to it now is nobody's accident.
    leaving: bool,
}

impl Embedded {
    /// Starts it, or joins the one that runs.
    pub async fn start(config: &EmbeddedConfig) -> Result<Self, EmbeddedError> {
        let config = config.clone();
        let (home, in_use, child) = on_thread(move || {
            let home = Home::prepare(&config)?;
            let _starting = lock(&home.start_lock)?;
            let in_use = open(&home.users_lock)?;
            in_use.lock_shared().map_err(file_error("lock", &home.users_lock))?;
            initialise(&home)?;
            let child = if running(&home.data).is_none() { Some(launch(&home)?) } else { None };
            Ok((home, in_use, child))
        })
        .await?;
        let own = Arc::new(Mutex::new(Own { child, leaving: false }));
        let guard = tokio::spawn(keep_up(home.clone(), Arc::clone(&own))).abort_handle();
        let embedded = Self { home, in_use, own, guard };
        embedded.wait_until_ready().await?;
        embedded.create_database().await?;
        Ok(embedded)
    }

    /// How to connect to its database.
    pub fn options(&self) -> PgConnectOptions {
        self.server_options().database(NAME)
    }

    fn server_options(&self) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .socket(&self.home.socket)
            .port(5432)
            .username(NAME)
            .database("postgres")
            .log_statements(tracing::log::LevelFilter::Trace)
    }

    async fn wait_until_ready(&self) -> Result<(), EmbeddedError> {
        let end = Instant::now() + START_LIMIT;
        loop {
            match self.server_options().connect().await {
                Ok(connection) => {
                    // The answer was all that was wanted.
                    let _ = connection.close().await;
                    return Ok(());
                }
                Err(_) if self.has_ended() => {
                    return Err(EmbeddedError::Start {
                        log: self.home.log.display().to_string(),
                        tail: tail(&self.home.log),
                    });
                }
                Err(_) if Instant::now() > end => return Err(EmbeddedError::Slow("answer")),
                Err(_) => tokio::time::sleep(LOOK).await,
            }
        }
    }

    fn has_ended(&self) -> bool {
        match &mut hold(&self.own).child {
            Some(child) => child.try_wait().is_ok_and(|status| status.is_some()),
            None => running(&self.home.data).is_none(),
        }
    }

    async fn create_database(&self) -> Result<(), EmbeddedError> {
        let mut connection = self.server_options().connect().await?;
        let exists =
            sqlx::query_scalar::<_, bool>("select exists (select from pg_database where datname = $1)")
                .bind(NAME)
                .fetch_one(&mut connection)
                .await?;
        if !exists {
            match sqlx::query("create database retailcast").execute(&mut connection).await {
                // Another program was quicker.
                Err(sqlx::Error::Database(e)) if e.code().as_deref() == Some("42P04") => {}
                Err(other) => return Err(other.into()),
                Ok(_) => {}
            }
        }
        connection.close().await?;
        Ok(())
    }

    /// Leaves it, and stops it when no other program uses it.
    pub async fn stop(self) -> Result<(), EmbeddedError> {
        self.guard.abort();
        on_thread(move || {
            let mut own = hold(&self.own);
            own.leaving = true;
            let _stopping = lock(&self.home.start_lock)?;
            self.in_use.unlock().map_err(file_error("unlock", &self.home.users_lock))?;
            match self.in_use.try_lock() {
                Ok(()) => {
                    shut_down(&self.home)?;
                    if let Some(child) = &mut own.child {
                        child.wait().map_err(file_error("wait for", &self.home.bin.join("postgres")))?;
                    }
                    Ok(())
                }
                Err(std::fs::TryLockError::WouldBlock) => Ok(()),
                Err(std::fs::TryLockError::Error(e)) => Err(file_error("lock", &self.home.users_lock)(e)),
            }
        })
        .await
    }
}

/// Looks after the server for as long as this program uses it.
async fn keep_up(home: Home, own: Arc<Mutex<Own>>) {
    loop {
        tokio::time::sleep(WATCH).await;
        let (home, own) = (home.clone(), Arc::clone(&own));
        if let Err(error) = on_thread(move || revive(&home, &own)).await {
            tracing::error!(%error, "the embedded PostgreSQL has ended and cannot be started again");
        }
    }
}

/// Starts the server again when it has ended without anybody having asked it to. Only its parent can bury the old
/// process, and PostgreSQL does not start beside an unburied one: others try until that is done.
fn revive(home: &Home, own: &Mutex<Own>) -> Result<(), EmbeddedError> {
    let mut own = hold(own);
    if let Some(status) = own.child.as_mut().and_then(|child| child.try_wait().ok().flatten()) {
        tracing::warn!(%status, "the embedded PostgreSQL has ended");
        own.child = None;
    }
    if own.leaving || running(&home.data).is_some() {
        return Ok(());
    }
    let _starting = lock(&home.start_lock)?;
    if running(&home.data).is_none() {
        tracing::warn!("starting the embedded PostgreSQL again");
        own.child = Some(launch(home)?);
    }
    Ok(())
}

fn hold(own: &Mutex<Own>) -> MutexGuard<'_, Own> {
    // What a panic leaves behind is a process or none, both of which are looked at again.
    own.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn on_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, EmbeddedError> + Send + 'static,
) -> Result<T, EmbeddedError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(std::io::Error::other)
        .map_err(file_error("wait for", Path::new("a thread")))?
}

fn file_error(what: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> EmbeddedError {
    let path = path.display().to_string();
    move |source| EmbeddedError::File { what, path, source }
}

fn open(path: &Path) -> Result<File, EmbeddedError> {
    File::options()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(path)
        .map_err(file_error("open", path))
}

fn lock(path: &Path) -> Result<File, EmbeddedError> {
    let file = open(path)?;
    file.lock().map_err(file_error("lock", path))?;
    Ok(file)
}

/// A program of PostgreSQL, as the user who owns the data.
fn program(home: &Home, name: &str) -> Command {
    let mut command = Command::new(home.bin.join(name));
    // Its own working folder may be one that the user cannot read.
    command.current_dir("/").stdin(Stdio::null()).env_remove("PGDATA");
    if let Some(owner) = home.owner {
        command.uid(owner.uid).gid(owner.gid);
    }
    command
}

/// Makes the data beside its place and moves it there: what is in the place is whole. Nothing that is there already is
/// ever removed.
fn initialise(home: &Home) -> Result<(), EmbeddedError> {
    if home.data.join("PG_VERSION").exists() {
        return Ok(());
    }
    let is_empty = |folder: &Path| std::fs::read_dir(folder).map(|mut entries| entries.next().is_none());
    if home.data.exists() && !is_empty(&home.data).map_err(file_error("read", &home.data))? {
        return Err(EmbeddedError::NotOurs(home.data.display().to_string()));
    }
    tracing::info!(folder = %home.data.display(), "making the embedded database");
    let half = tempfile::Builder::new()
        .prefix(".data-in-the-making-")
        .tempdir_in(home.data.parent().unwrap_or(Path::new("/")))
        .map_err(file_error("make a folder beside", &home.data))?;
    home.give(half.path())?;
    let output = program(home, "initdb")
        .arg("--pgdata")
        .arg(half.path())
        // Code-point order everywhere, and upper and lower case beyond ASCII for searches.
        .args([
            "--username",
            NAME,
            "--auth",
            "trust",
            "--encoding",
            "UTF8",
            "--locale",
            "C.UTF-8",
            "--no-instructions",
        ])
        .output()
        .map_err(file_error("run", &home.bin.join("initdb")))?;
    if !output.status.success() {
        return Err(EmbeddedError::Init(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    // Replaces the empty folder, if there is one.
    std::fs::rename(half.keep(), &home.data).map_err(file_error("move the new database to", &home.data))
}

/// The process that serves this data folder.
fn running(data: &Path) -> Option<Pid> {
    let pid = last_known(data)?;
    // A stale file may name a process that is somebody else's by now: PostgreSQL itself checks on start; here it is
    // enough that its command line names the folder.
    let command = std::fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).ok()?;
    let ours = String::from_utf8_lossy(&command).contains(&*data.to_string_lossy());
    (ours && test_kill_process(pid).is_ok()).then_some(pid)
}

/// The process that the data was last used by.
fn last_known(data: &Path) -> Option<Pid> {
    let text = std::fs::read_to_string(data.join("postmaster.pid")).ok()?;
    Pid::from_raw(text.lines().next()?.trim().parse().ok()?)
}

/// Waits until a server that has died is gone for the system, too: as long as its parent has not asked for its end,
/// PostgreSQL takes it for alive and does not start.
fn wait_for_burial(data: &Path) {
    let end = Instant::now() + BURIAL_LIMIT;
    let unburied = |pid: Pid| {
        let status =
            std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
        // The state stands behind the name, which stands in parentheses.
        status.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z'))
    };
    while last_known(data).is_some_and(unburied) && Instant::now() < end {
        std::thread::sleep(LOOK);
    }
}

fn launch(home: &Home) -> Result<Child, EmbeddedError> {
    wait_for_burial(&home.data);
    let log =
        File::options().create(true).append(true).open(&home.log).map_err(file_error("open", &home.log))?;
    let errors = log.try_clone().map_err(file_error("open", &home.log))?;
    program(home, "postgres")
        .arg("-D")
        .arg(&home.data)
        .args(["-p", "5432", "-c", "listen_addresses=", "-c"])
        .arg(format!("unix_socket_directories={}", home.socket.display()))
        .args([
            // Our statements are short; compiling them costs more than it saves.
            "-c",
            "jit=off",
            "-c",
            "max_connections=200",
            // A quarter GiB holds the working set of a few million rows and starts on any machine.
            "-c",
            "shared_buffers=256MB",
            "-c",
            "max_wal_size=2GB",
            // Nobody replicates a private server.
            "-c",
            "wal_level=minimal",
            "-c",
            "max_wal_senders=0",
        ])
        .stdout(log)
        .stderr(errors)
        // A Ctrl-C in the terminal is for RetailCast, which then stops the server itself.
        .process_group(0)
        .spawn()
        .map_err(file_error("run", &home.bin.join("postgres")))
}

/// Fast shutdown: connections are closed, everything is written.
fn shut_down(home: &Home) -> Result<(), EmbeddedError> {
    let Some(pid) = running(&home.data) else { return Ok(()) };
    kill_process(pid, Signal::INT)
        .map_err(|e| file_error("stop the process of", &home.data.join("postmaster.pid"))(e.into()))?;
    let end = Instant::now() + STOP_LIMIT;
    // The file goes last.
    while home.data.join("postmaster.pid").exists() {
        if Instant::now() > end {
            return Err(EmbeddedError::Slow("stop"));
        }
        std::thread::sleep(LOOK);
    }
    Ok(())
}

/// The last lines of a log file.
fn tail(log: &Path) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(10)..].join("\n")
}
