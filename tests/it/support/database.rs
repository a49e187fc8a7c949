//! One PostgreSQL for all tests of a run, a database of its own for every test.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use retailcast::config::{Config, EmbeddedConfig};
use retailcast::db::{Embedded, MIGRATIONS};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, PgPool};
use tokio::sync::OnceCell;

struct Server {
    options: PgConnectOptions,
    // Held for the whole run: it says that the server is in use.
    _embedded: Embedded,
}

static SERVER: OnceCell<Server> = OnceCell::const_new();
static COUNT: AtomicU32 = AtomicU32::new(0);

/// A folder for the embedded server that its unprivileged user may enter.
pub(crate) fn folder_for_database(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("retailcast-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

/// The programs of PostgreSQL that `scripts/setup.sh` installed.
pub(crate) fn programs() -> PathBuf {
    let own = workspace().join(".retailcast/postgres/bin");
    if own.is_dir() { own } else { "/var/lib/retailcast/postgres/bin".into() }
}

/// The configuration of the embedded server in this folder, with the programs that `scripts/setup.sh` installed.
pub(crate) fn embedded_in(folder: &Path) -> EmbeddedConfig {
    let installed = workspace().join(".retailcast/postgres/bin");
    EmbeddedConfig {
        dir: folder.to_owned(),
        bin_dir: installed.is_dir().then_some(installed),
        ..Config::defaults().database.embedded
    }
}

pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

async fn start() -> Server {
    let folder = folder_for_database("tests");
    let embedded = Embedded::start(&embedded_in(&folder)).await.unwrap();
    stop_after_this_process(&folder);
    let mut connection = embedded.options().connect().await.unwrap();
    sqlx::query("create database template_retailcast").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let template = PgPool::connect_with(embedded.options().database("template_retailcast")).await.unwrap();
    MIGRATIONS.run(&template).await.unwrap();
    template.close().await;
    Server { options: embedded.options(), _embedded: embedded }
}

/// Statics are never dropped, and a failing test ends the process anywhere: a shell waits for its end.
#[expect(clippy::zombie_processes, reason = "it outlives this process")]
fn stop_after_this_process(folder: &Path) {
    let script = "while kill -0 \"$1\" 2>/dev/null; do sleep 0.2; done
                  kill -INT \"$(head -1 \"$2/data/postmaster.pid\")\"
                  while [ -e \"$2/data/postmaster.pid\" ]; do sleep 0.1; done
                  rm -rf \"$2\"";
    Command::new("sh")
        .args(["-c", script, "sh", &std::process::id().to_string()])
        .arg(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
}

/// A migrated, empty database.
pub(crate) async fn fresh() -> PgPool {
    like("template_retailcast").await
}

/// A database with nothing in it, not even the schema.
pub(crate) async fn bare() -> PgPool {
    like("template0").await
}

async fn like(template: &str) -> PgPool {
    let server = SERVER.get_or_init(start).await;
    let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
    let mut connection = server.options.clone().connect().await.unwrap();
    let create = format!("create database {name} template {template}");
    // Both names are ours.
    sqlx::query(sqlx::AssertSqlSafe(create)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    PgPoolOptions::new()
        .max_connections(4)
        .connect_with(server.options.clone().database(&name))
        .await
        .unwrap()
}
