//! Where the embedded server keeps its files, and as whom it runs.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::config::EmbeddedConfig;

/// Where root's databases lie when their user may not enter the configured folder, and where `scripts/setup.sh` puts
/// PostgreSQL for root.
const SHARED: &str = "/var/lib/retailcast";

/// Longest path of a Unix socket, `sun_path` less its end mark.
const SOCKET_PATH: usize = 107;

/// Why there is no place for the embedded server.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// A folder cannot be made.
    #[error("cannot prepare the folder {path} of the embedded database: {source}")]
    Folder {
        /// The folder.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// Somebody else has made it.
    #[error("{0} is no folder of ours; remove it, or let `database.embedded.dir` name another place")]
    Taken(String),
    /// The user is unknown.
    #[error(
        "`database.embedded.user`: there is no user `{0}` in /etc/passwd; PostgreSQL refuses to run as root"
    )]
    User(String),
    /// PostgreSQL is not installed.
    #[error(
        "PostgreSQL's programs are not found in {}. Run scripts/setup.sh, or set `database.embedded.bin_dir` to a \
         folder with initdb and postgres 15 or later with pgvector, or `database.url` to a running server",
        .0.join(", ")
    )]
    Programs(Vec<String>),
}

/// An unprivileged user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

/// The files of one embedded server.
#[derive(Debug, Clone)]
pub struct Home {
    /// PostgreSQL's data.
    pub data: PathBuf,
    /// What it says.
    pub log: PathBuf,
    /// The folder of its socket.
    pub socket: PathBuf,
    /// PostgreSQL's programs.
    pub bin: PathBuf,
    /// Held while a program uses the server.
    pub(super) users_lock: PathBuf,
    /// Held while a program starts or stops it.
    pub(super) start_lock: PathBuf,
    /// Who runs it, when it is not us.
    pub(super) owner: Option<Owner>,
}

impl Home {
    /// Finds or makes the folders.
    pub fn prepare(config: &EmbeddedConfig) -> Result<Self, HomeError> {
        let owner = if rustix::process::geteuid().is_root() { Some(user(&config.user)?) } else { None };
        let wanted = absolute(&config.dir)?;
        make(&wanted)?;
        let dir = match owner {
            Some(owner) if !may_enter(&wanted, owner) => {
                let dir = Path::new(SHARED).join(short_name(&wanted));
                tracing::info!(
                    wanted = %wanted.display(), used = %dir.display(), user = config.user,
                    "the embedded database runs as a user who may not enter the configured folder"
                );
                make(&dir)?;
                dir
            }
            _ => wanted,
        };
        let socket = socket_folder(&dir, owner);
        make(&socket)?;
        give(&socket, owner)?;
        Ok(Self {
            data: dir.join("data"),
            log: dir.join("postgres.log"),
            users_lock: dir.join("users.lock"),
            start_lock: dir.join("start.lock"),
            bin: programs(config)?,
            socket,
            owner,
        })
    }
}

impl Home {
    /// Hands a folder to who runs the server.
    pub(super) fn give(&self, folder: &Path) -> Result<(), HomeError> {
        give(folder, self.owner)
    }
}

fn folder_error(path: &Path) -> impl FnOnce(std::io::Error) -> HomeError {
    let path = path.display().to_string();
    move |source| HomeError::Folder { path, source }
}

fn absolute(path: &Path) -> Result<PathBuf, HomeError> {
    std::path::absolute(path).map_err(folder_error(path))
}

fn make(path: &Path) -> Result<(), HomeError> {
    std::fs::create_dir_all(path).map_err(folder_error(path))
}

/// Only its owner looks inside: PostgreSQL demands it of the data folder, and the socket has no password.
fn give(path: &Path, owner: Option<Owner>) -> Result<(), HomeError> {
    // A folder with a name that others can guess may be theirs, or a link to somewhere else.
    let found = path.symlink_metadata().map_err(folder_error(path))?;
    let ours = [rustix::process::geteuid().as_raw(), owner.map_or(0, |owner| owner.uid)];
    if !found.is_dir() || !ours.contains(&found.uid()) {
        return Err(HomeError::Taken(path.display().to_string()));
    }
    if let Some(owner) = owner {
        std::os::unix::fs::chown(path, Some(owner.uid), Some(owner.gid)).map_err(folder_error(path))?;
    }
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)).map_err(folder_error(path))
}

fn user(name: &str) -> Result<Owner, HomeError> {
    let passwd = std::fs::read_to_string("/etc/passwd").map_err(folder_error(Path::new("/etc/passwd")))?;
    passwd
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .find(|fields| fields.first() == Some(&name))
        .and_then(|fields| {
            Some(Owner { uid: fields.get(2)?.parse().ok()?, gid: fields.get(3)?.parse().ok()? })
        })
        .filter(|owner| owner.uid != 0)
        .ok_or_else(|| HomeError::User(name.to_owned()))
}

/// Whether a user may pass through every folder on the way.
fn may_enter(path: &Path, owner: Owner) -> bool {
    path.ancestors().all(|folder| {
        folder.metadata().is_ok_and(|meta| {
            let execute = match meta.uid() == owner.uid {
                true => 0o100,
                false if meta.gid() == owner.gid => 0o010,
                false => 0o001,
            };
            meta.mode() & execute != 0
        })
    })
}

/// Names a folder after the path that it stands for.
fn short_name(path: &Path) -> String {
    hex::encode(&Sha256::digest(path.as_os_str().as_encoded_bytes())[..6])
}

fn socket_folder(dir: &Path, owner: Option<Owner>) -> PathBuf {
    let inside = dir.join("run");
    // PostgreSQL's socket is called .s.PGSQL.5432.
    if inside.as_os_str().len() + "/.s.PGSQL.5432".len() <= SOCKET_PATH {
        return inside;
    }
    let elsewhere = if owner.is_some() { PathBuf::from(SHARED) } else { std::env::temp_dir() };
    elsewhere.join(format!("retailcast-{}", short_name(dir)))
}

fn programs(config: &EmbeddedConfig) -> Result<PathBuf, HomeError> {
    let candidates = match &config.bin_dir {
        Some(dir) => vec![dir.clone()],
        None => {
            let installed = [config.dir.join("postgres/bin"), Path::new(SHARED).join("postgres/bin")];
            installed.into_iter().chain(pg_config()).collect()
        }
    };
    let complete = |dir: &PathBuf| ["initdb", "postgres"].iter().all(|program| dir.join(program).is_file());
    candidates
        .iter()
        .find(|dir| complete(dir))
        // PostgreSQL finds its libraries relative to the real place of its programs.
        .and_then(|dir| dir.canonicalize().ok())
        .ok_or_else(|| HomeError::Programs(candidates.iter().map(|dir| dir.display().to_string()).collect()))
}

/// Where the system's PostgreSQL is, if there is one.
fn pg_config() -> Option<PathBuf> {
    let output = std::process::Command::new("pg_config").arg("--bindir").output().ok()?;
    let dir = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| PathBuf::from(dir.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_enters_only_where_every_folder_lets_him() {
        let root = tempfile::tempdir().unwrap();
        let inner = root.path().join("a/b");
        std::fs::create_dir_all(&inner).unwrap();
        let stranger = Owner { uid: 64_321, gid: 64_321 };
        std::fs::set_permissions(root.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        assert!(may_enter(&inner, stranger));
        std::fs::set_permissions(root.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
        assert!(!may_enter(&inner, stranger));
    }

    #[test]
    fn deep_folders_get_a_short_socket() {
        assert_eq!(socket_folder(Path::new("/srv/shop"), None), Path::new("/srv/shop/run"));
        let deep = PathBuf::from(format!("/{}", "x".repeat(100)));
        assert!(socket_folder(&deep, None).as_os_str().len() < 60);
    }

    #[test]
    fn root_is_no_unprivileged_user() {
        assert!(user("nobody").is_ok());
        assert!(matches!(user("root"), Err(HomeError::User(_))));
        assert!(matches!(user("no-such-user"), Err(HomeError::User(_))));
    }
}
