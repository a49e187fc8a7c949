//! The store of fitted models: whole files or none, and no way out of it.

use super::{Bundle, BundleError, Object, Storage, StorageError};

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

/// Why there is no model.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The path is no model file's.
    #[error(transparent)]
    Path(#[from] ResolveError),
    /// The file cannot be decoded.
    #[error("the model file {0}")]
    Bundle(#[from] BundleError),
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Model files below a root.
#[derive(Debug, Clone)]
pub struct ModelStore {
    storage: Storage,
}

impl ModelStore {
    /// In this storage.
    pub fn new(storage: Storage) -> Self {
        Self { storage }
    }

    /// Writes an encoded model under a new name and returns its path as clients hand it back. The file appears whole
    /// or not at all.
    pub async fn write(&self, bytes: Vec<u8>) -> Result<String, StorageError> {
        loop {
            let id = uuid::Uuid::new_v4().simple().to_string();
            let name = format!("{PREFIX}{}.{EXTENSION}", &id[..12]);
            match self.storage.create(&self.storage.object(&name).await?, bytes.clone()).await {
                Ok(()) => return Ok(self.storage.client_path(&name)),
                Err(StorageError::Exists(_)) => {}
                Err(e) => return Err(e),
            }
        }
    }

    /// The path of the model file of a training, as [`write`](Self::write) answers it.
    pub fn path_of_run(&self, run_id: &str) -> String {
        self.storage.client_path(&format!("{PREFIX}{run_id}.{EXTENSION}"))
    }

    /// The model that a client names, checked in the contract's order: extension, inside the folder (links resolved),
    /// existing.
    pub async fn read(&self, model_path: &str) -> Result<Bundle, ModelError> {
        let object = self.resolve(model_path).await?;
        match self.storage.read(&object, Bundle::decode).await {
            Ok(bundle) => Ok(bundle?),
            Err(StorageError::Missing(_)) => Err(ResolveError::Missing(model_path.to_owned()).into()),
            Err(e) => Err(e.into()),
        }
    }

    /// The bytes of the model that a client names, after the same checks; a damaged file is refused.
    pub async fn read_file(&self, model_path: &str) -> Result<Vec<u8>, ModelError> {
        let object = self.resolve(model_path).await?;
        match self.storage.read(&object, |bytes| Bundle::decode(bytes).map(|_| bytes.to_vec())).await {
            Ok(bytes) => Ok(bytes?),
            Err(StorageError::Missing(_)) => Err(ResolveError::Missing(model_path.to_owned()).into()),
            Err(e) => Err(e.into()),
        }
    }

    async fn resolve(&self, model_path: &str) -> Result<Object, ModelError> {
        let target = self.storage.target(model_path).await?;
        if !target.file_name.strip_suffix(EXTENSION).is_some_and(|stem| stem.len() > 1 && stem.ends_with('.'))
        {
            return Err(ResolveError::Extension(model_path.to_owned()).into());
        }
        Ok(target.object.ok_or_else(|| ResolveError::Outside(model_path.to_owned()))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn tricks_with_paths_are_refused_in_the_contract_s_order() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("models");
        std::fs::create_dir(&folder).unwrap();
        let store = ModelStore::new(Storage::open(&folder.clone().into()).unwrap());
        std::fs::write(root.path().join("secret.rcm"), "x").unwrap();
        std::fs::write(folder.join("good.rcm"), "x").unwrap();
        std::fs::create_dir(folder.join("folder.rcm")).unwrap();
        std::os::unix::fs::symlink(root.path().join("secret.rcm"), folder.join("link.rcm")).unwrap();
        std::os::unix::fs::symlink(folder.join("good.rcm"), root.path().join("inward.rcm")).unwrap();

        let outcome = async |path: &str| match store.read(path).await {
            // The files hold no models, but they are found and read.
            Err(ModelError::Bundle(BundleError::Format)) => "found",
            Err(ModelError::Path(ResolveError::Extension(_))) => "extension",
            Err(ModelError::Path(ResolveError::Outside(_))) => "outside",
            Err(ModelError::Path(ResolveError::Missing(_))) => "missing",
            other => panic!("{path}: {other:?}"),
        };
        let (inside, above) = (folder.to_str().unwrap(), root.path().to_str().unwrap());
        for (path, expected) in [
            (format!("{inside}/good.rcm"), "found"),
            (format!("{inside}/../models/good.rcm"), "found"),
            (format!("{above}/inward.rcm"), "found"),
            (format!("{inside}/good.pkl"), "extension"),
            (format!("{inside}/rcm"), "extension"),
            (format!("{inside}/.rcm"), "extension"),
            (format!("{inside}/../secret.rcm"), "outside"),
            (format!("{inside}/link.rcm"), "outside"),
            (format!("{inside}/gone/../../elsewhere/x.rcm"), "outside"),
            ("/etc/passwd".to_owned(), "extension"),
            ("s3://bucket/x.rcm".to_owned(), "outside"),
            (format!("{inside}/gone.rcm"), "missing"),
            (format!("{inside}/folder.rcm"), "missing"),
            (format!("{inside}/good.rcm/x.rcm"), "missing"),
            (String::new(), "extension"),
            ("nul\0.rcm".to_owned(), "outside"),
        ] {
            assert_eq!(outcome(&path).await, expected, "{path:?}");
        }
    }

    #[test]
    fn the_id_of_a_training_stands_in_the_name_of_its_file() {
        let store =
            ModelStore::new(Storage::open(&std::path::PathBuf::from("./artifacts/models").into()).unwrap());
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

    #[tokio::test]
    async fn what_was_written_lies_in_the_folder_whole_and_under_the_name_that_clients_get() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("not/yet there ~ #1%/models");
        let store = ModelStore::new(Storage::open(&folder.clone().into()).unwrap());
        let path = store.write(b"no model".to_vec()).await.unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"no model");
        assert!(matches!(store.read(&path).await, Err(ModelError::Bundle(BundleError::Format))));
        let names: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).collect();
        assert_eq!(names, [std::path::PathBuf::from(path)]);
    }
}
