//! The folder of fitted models: whole files or none, and no way out of it.

use std::io::Write;
use std::path::{Component, Path, PathBuf};

use super::Bundle;

/// What model files end with.
pub const EXTENSION: &str = "rcm";

/// What their names begin with; between the two stands the id of the training.
const PREFIX: &str = "model_";

/// The id of the training that wrote this model file.
pub fn run_id(model_path: &str) -> Option<&str> {
    let name = model_path.rsplit('/').next()?;
    name.strip_prefix(PREFIX)?.strip_suffix(EXTENSION)?.strip_suffix('.')
}

/// Whether a training could have this id: what else comes from clients never becomes part of a path.
pub fn is_run_id(text: &str) -> bool {
    // File names have at most 255 bytes.
    (1..=255 - PREFIX.len() - 1 - EXTENSION.len()).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// Why a path does not lead to a model file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// It ends with something else.
    #[error("model_path `{0}` does not end with .{EXTENSION}")]
    Extension(String),
    /// It leads out of the folder.
    #[error("model_path `{0}` is not inside the folder of model files")]
    Outside(String),
    /// There is no such file.
    #[error("there is no model file `{0}`")]
    Missing(String),
}

/// A folder of model files.
#[derive(Debug, Clone)]
pub struct ModelStore {
    folder: PathBuf,
}

impl ModelStore {
    /// The folder; it is made when the first model is written.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Writes a model under a new name and returns its path as clients hand it back. The file appears whole or not
    /// at all.
    pub fn write(&self, bundle: &Bundle) -> std::io::Result<String> {
        let bytes = bundle.encode().map_err(std::io::Error::other)?;
        std::fs::create_dir_all(&self.folder)?;
        let mut file = tempfile::Builder::new().prefix(".writing-").tempfile_in(&self.folder)?;
        file.write_all(&bytes)?;
        loop {
            let id = uuid::Uuid::new_v4().simple().to_string();
            let path = self.folder.join(format!("{PREFIX}{}.{EXTENSION}", &id[..12]));
            match file.persist_noclobber(&path) {
                Ok(_) => return Ok(client_path(&path)),
                Err(e) if e.error.kind() == std::io::ErrorKind::AlreadyExists => file = e.file,
                Err(e) => return Err(e.error),
            }
        }
    }

    /// The path of the model file of a training, as [`write`](Self::write) answers it.
    pub fn path_of_run(&self, run_id: &str) -> String {
        client_path(&self.folder.join(format!("{PREFIX}{run_id}.{EXTENSION}")))
    }

    /// The real path of a model file that a client names, checked in the contract's order: extension, inside the
    /// folder (links resolved), existing.
    pub fn resolve(&self, model_path: &str) -> Result<PathBuf, ResolveError> {
        let path = real_path(Path::new(model_path));
        if path.extension().is_none_or(|extension| extension != EXTENSION) {
            return Err(ResolveError::Extension(model_path.to_owned()));
        }
        if !path.starts_with(real_path(&self.folder)) {
            return Err(ResolveError::Outside(model_path.to_owned()));
        }
        if path.is_file() { Ok(path) } else { Err(ResolveError::Missing(model_path.to_owned())) }
    }
}

/// Without a leading `./`, with forward slashes.
fn client_path(path: &Path) -> String {
    let parts: Vec<_> = path.components().filter(|part| *part != Component::CurDir).collect();
    parts.iter().collect::<PathBuf>().to_string_lossy().replace('\\', "/")
}

/// Absolute and free of links as far as it exists; what does not exist is resolved by its text.
fn real_path(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut real = PathBuf::new();
    for part in absolute.components() {
        match part {
            Component::ParentDir => {
                real.pop();
            }
            part => real.push(part),
        }
        if let Ok(found) = real.canonicalize() {
            real = found;
        }
    }
    real
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tricks_with_paths_are_refused_in_the_contract_s_order() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("models");
        std::fs::create_dir(&folder).unwrap();
        let store = ModelStore::new(&folder);
        std::fs::write(root.path().join("secret.rcm"), "x").unwrap();
        std::fs::write(folder.join("good.rcm"), "x").unwrap();
        std::os::unix::fs::symlink(root.path().join("secret.rcm"), folder.join("link.rcm")).unwrap();
        std::os::unix::fs::symlink(folder.join("good.rcm"), root.path().join("inward.rcm")).unwrap();

        let resolve = |path: PathBuf| store.resolve(path.to_str().unwrap());
        assert!(resolve(folder.join("good.rcm")).is_ok());
        assert!(resolve(root.path().join("inward.rcm")).is_ok());
        assert!(matches!(resolve(folder.join("good.pkl")), Err(ResolveError::Extension(_))));
        assert!(matches!(resolve(folder.join("../secret.rcm")), Err(ResolveError::Outside(_))));
        assert!(matches!(resolve(folder.join("link.rcm")), Err(ResolveError::Outside(_))));
        assert!(matches!(resolve(folder.join("gone/../../elsewhere/x.rcm")), Err(ResolveError::Outside(_))));
        assert!(matches!(resolve(PathBuf::from("/etc/passwd")), Err(ResolveError::Extension(_))));
        assert!(matches!(resolve(folder.join("gone.rcm")), Err(ResolveError::Missing(_))));
        assert!(matches!(resolve(PathBuf::new()), Err(ResolveError::Extension(_))));
        assert!(matches!(store.resolve("nul\0.rcm"), Err(ResolveError::Outside(_))));
    }

    #[test]
    fn the_id_of_a_training_stands_in_the_name_of_its_file() {
        let store = ModelStore::new("./artifacts/models");
        let path = store.path_of_run("0123456789ab");
        assert_eq!(
            (path.as_str(), run_id(&path)),
            ("artifacts/models/model_0123456789ab.rcm", Some("0123456789ab"))
        );
        assert_eq!((run_id("model_.pkl"), run_id("x/y.rcm")), (None, None));
        for (text, fits) in [
            ("0123456789ab", true),
            ("a-B_9", true),
            ("", false),
            ("../x", false),
            ("a.b", false),
            ("é", false),
        ] {
            assert_eq!(is_run_id(text), fits, "{text}");
        }
        assert!(is_run_id(&"a".repeat(245)) && !is_run_id(&"a".repeat(246)));
    }

    #[test]
    fn clients_see_plain_relative_paths() {
        assert_eq!(client_path(Path::new("./artifacts/models/model_1.rcm")), "artifacts/models/model_1.rcm");
        assert_eq!(client_path(Path::new("/srv/models/model_1.rcm")), "/srv/models/model_1.rcm");
    }
}
