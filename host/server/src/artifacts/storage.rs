//! Objects below a root, the same for a folder and a bucket: whole objects or none, never overwritten, and no way out
//! of the root. Nothing is cached: what one process has written every other one reads.

use std::error::Error;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt;
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::{BackoffConfig, ObjectStore, ObjectStoreExt, PutMode, RetryConfig};
use sha2::{Digest, Sha256};
use url::Url;

use super::ArtifactRoot;

/// A bucket that does not answer within this time is given up: a request waits for it.
const GIVE_UP: Duration = Duration::from_secs(15);
/// Tries after the first one.
const RETRIES: usize = 3;
/// Bytes hashed at a time.
const CHUNK: usize = 256 << 10;

/// Why an object is not read or written.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// There is none.
    #[error("there is no {0}")]
    Missing(String),
    /// There is one already.
    #[error("{0} exists already and is never overwritten")]
    Exists(String),
    /// The file system, the network or the provider failed.
    #[error("cannot {what} {name}: {source}{}", root_cause(.source))]
    Failed {
        /// `read`, `write` or `resolve`.
        what: &'static str,
        /// The object, as people know it.
        name: String,
        /// How.
        source: object_store::Error,
    },
}

/// Where the text of a client leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Last part of the path, links and `..` resolved.
    pub file_name: String,
    /// The object; none when it would lie outside the root.
    pub object: Option<Object>,
}

/// An object below the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    key: Key,
    /// In a folder: where it lies. There it is read without a detour, which saves a forecast a change of threads.
    file: Option<PathBuf>,
    /// For messages.
    name: String,
}

/// What the hash of an object says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    /// SHA-256, lower-case hex.
    pub sha256: String,
    /// Bytes.
    pub size: u64,
}

/// The objects below a root.
#[derive(Debug, Clone)]
pub struct Storage {
    place: Place,
    objects: Arc<dyn ObjectStore>,
}

#[derive(Debug, Clone)]
enum Place {
    Folder(PathBuf),
    /// With a slash at its end.
    Bucket {
        url: String,
        prefix: Key,
    },
}

impl Storage {
    /// Opens a root. A folder is made when the first object is written; a bucket is not asked yet. The error says
    /// what is missing in the provider's variables.
    pub fn open(root: &ArtifactRoot) -> Result<Self, object_store::Error> {
        match root {
            ArtifactRoot::Folder(folder) => {
                Ok(Self { place: Place::Folder(folder.clone()), objects: Arc::new(LocalFileSystem::new()) })
            }
            ArtifactRoot::Bucket(url) => {
                let prefix = Key::from_url_path(url.path())?;
                let bucket = format!("{}://{}/", url.scheme(), url.host_str().unwrap_or_default());
                let url_text = if prefix.as_ref().is_empty() { bucket } else { format!("{bucket}{prefix}/") };
                Ok(Self { place: Place::Bucket { url: url_text, prefix }, objects: bucket_of(url)? })
            }
        }
    }

    /// How clients name the object `name` of the root: a path without a leading `./`, or a URL.
    pub fn client_path(&self, name: &str) -> String {
        match &self.place {
            Place::Folder(folder) => client_path(&folder.join(name)),
            Place::Bucket { url, .. } => format!("{url}{name}"),
        }
    }

    /// Where a path leads that a client names as [`Self::client_path`] does.
    pub async fn target(&self, path: &str) -> Result<Target, StorageError> {
        match &self.place {
            Place::Folder(folder) => folder_target(folder.clone(), path.into(), path.to_owned()).await,
            Place::Bucket { url, prefix } => Ok(match path.strip_prefix(url.as_str()) {
                Some(rest) => bucket_target(prefix, rest, path),
                None => Target { file_name: last_part(path), object: None },
            }),
        }
    }

    /// Where a path leads that is relative to the root.
    pub async fn target_below(&self, uri: &str) -> Result<Target, StorageError> {
        match &self.place {
            Place::Folder(folder) => folder_target(folder.clone(), folder.join(uri), uri.to_owned()).await,
            Place::Bucket { url, .. } if uri.starts_with(url.as_str()) => self.target(uri).await,
            Place::Bucket { .. } if uri.starts_with('/') => {
                Ok(Target { file_name: last_part(uri), object: None })
            }
            Place::Bucket { prefix, .. } => Ok(bucket_target(prefix, uri, uri)),
        }
    }

    /// Names of everything directly below the root, sorted; none when the root is not there yet.
    pub async fn names(&self) -> Result<Vec<String>, StorageError> {
        let mut names = match &self.place {
            Place::Folder(folder) => {
                let path = folder.clone();
                let listed = blocking(move || list_folder(&path).map_err(|e| unreadable(&path, e))).await;
                let failed =
                    |source| StorageError::Failed { what: "list", name: client_path(folder), source };
                listed.map_err(failed)?
            }
            Place::Bucket { url, prefix } => {
                let failed = |source| StorageError::Failed { what: "list", name: url.clone(), source };
                let listed = self.objects.list_with_delimiter(Some(prefix)).await.map_err(failed)?;
                let name = |meta: object_store::ObjectMeta| meta.location.filename().map(str::to_owned);
                listed.objects.into_iter().filter_map(name).collect()
            }
        };
        names.sort();
        Ok(names)
    }

    /// The object of a plain name directly below the root.
    pub async fn object(&self, name: &str) -> Result<Object, StorageError> {
        let (target, name) = (self.target_below(name).await?, self.client_path(name));
        let object = target.object.ok_or_else(|| StorageError::Missing(name.clone()))?;
        Ok(Object { name, ..object })
    }

    /// Writes a new object. It appears whole or not at all.
    pub async fn create(&self, object: &Object, bytes: Vec<u8>) -> Result<(), StorageError> {
        let written = self.objects.put_opts(&object.key, bytes.into(), PutMode::Create.into()).await;
        written.map(drop).map_err(|source| object.failed("write", source))
    }

    /// A whole object, and what is made of its bytes. `make` runs where it may take its time.
    pub async fn read<T: Send + 'static>(
        &self,
        object: &Object,
        make: impl FnOnce(&[u8]) -> T + Send + 'static,
    ) -> Result<T, StorageError> {
        let failed = |source| object.failed("read", source);
        match &object.file {
            Some(path) => {
                let path = path.clone();
                let read =
                    move || std::fs::read(&path).map(|bytes| make(&bytes)).map_err(|e| unreadable(&path, e));
                blocking(read).await.map_err(failed)
            }
            None => {
                let found = self.objects.get(&object.key).await.map_err(failed)?;
                let chunks: Vec<_> = found.into_stream().try_collect().await.map_err(failed)?;
                blocking(move || Ok(make(&chunks.concat()))).await.map_err(failed)
            }
        }
    }

    /// Hash and size of an object, which is never whole in memory.
    pub async fn fingerprint(&self, object: &Object) -> Result<Fingerprint, StorageError> {
        let failed = |source| object.failed("read", source);
        let (hash, size) = match &object.file {
            Some(path) => {
                let path = path.clone();
                blocking(move || hash_file(&path).map_err(|e| unreadable(&path, e))).await.map_err(failed)?
            }
            None => {
                let hash = |(mut hash, size): (Sha256, u64), chunk: axum::body::Bytes| async move {
                    hash.update(&chunk);
                    Ok((hash, size + chunk.len() as u64))
                };
                let found = self.objects.get(&object.key).await.map_err(failed)?;
                found.into_stream().try_fold((Sha256::new(), 0), hash).await.map_err(failed)?
            }
        };
        Ok(Fingerprint { sha256: hex::encode(hash.finalize()), size })
    }
}

impl Object {
    fn failed(&self, what: &'static str, source: object_store::Error) -> StorageError {
        match source {
            source if names_nothing(&source) => StorageError::Missing(self.name.clone()),
            object_store::Error::AlreadyExists { .. } => StorageError::Exists(self.name.clone()),
            source => StorageError::Failed { what, name: self.name.clone(), source },
        }
    }
}

/// The last cause, where the error does not tell it itself: `connection refused` of a client that cannot send.
fn root_cause(error: &object_store::Error) -> String {
    let last = causes(error).last().map(ToString::to_string).unwrap_or_default();
    if error.to_string().contains(&last) { String::new() } else { format!(": {last}") }
}

/// The error, its cause, the cause of that, and so on.
fn causes<'e>(error: &'e object_store::Error) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error as &'e (dyn Error + 'static)), |error| (*error).source())
}

/// Whether there cannot be such an object: also below a file, or with a name that the file system does not take.
fn names_nothing(error: &object_store::Error) -> bool {
    if matches!(error, object_store::Error::NotFound { .. }) {
        return true;
    }
    causes(error).filter_map(|error| error.downcast_ref::<std::io::Error>()).any(|error| {
        use ErrorKind::{InvalidFilename, IsADirectory, NotADirectory, NotFound};
        matches!(error.kind(), NotFound | NotADirectory | IsADirectory | InvalidFilename)
    })
}

/// The client of a bucket. Endpoint, region and credentials come from the provider's usual variables.
fn bucket_of(url: &Url) -> Result<Arc<dyn ObjectStore>, object_store::Error> {
    let retries =
        RetryConfig { max_retries: RETRIES, retry_timeout: GIVE_UP, backoff: BackoffConfig::default() };
    Ok(match url.scheme() {
        "gs" => Arc::new(
            GoogleCloudStorageBuilder::from_env().with_url(url.as_str()).with_retry(retries).build()?,
        ),
        "az" => {
            Arc::new(MicrosoftAzureBuilder::from_env().with_url(url.as_str()).with_retry(retries).build()?)
        }
        _ => Arc::new(AmazonS3Builder::from_env().with_url(url.as_str()).with_retry(retries).build()?),
    })
}

/// Runs what blocks where it may.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, object_store::Error> + Send + 'static,
) -> Result<T, object_store::Error> {
    tokio::task::spawn_blocking(work).await?
}

fn unreadable(path: &Path, source: std::io::Error) -> object_store::Error {
    let told = std::io::Error::new(source.kind(), format!("{}: {source}", path.display()));
    object_store::Error::Generic { store: "folder", source: Box::new(told) }
}

fn list_folder(path: &Path) -> std::io::Result<Vec<String>> {
    let entries = match std::fs::read_dir(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    Ok(names)
}

fn hash_file(path: &Path) -> std::io::Result<(Sha256, u64)> {
    let mut file = File::open(path)?;
    let (mut hash, mut size, mut chunk) = (Sha256::new(), 0, vec![0; CHUNK]);
    loop {
        match file.read(&mut chunk) {
            Ok(0) => return Ok((hash, size)),
            Ok(read) => {
                hash.update(&chunk[..read]);
                size += read as u64;
            }
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
}

async fn folder_target(folder: PathBuf, path: PathBuf, name: String) -> Result<Target, StorageError> {
    let shown = name.clone();
    let resolve = move || {
        let path = real_path(&path);
        let file_name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let inside = path.starts_with(real_path(&folder));
        // A path that is no text names nothing that could be stored.
        let key = inside.then(|| Key::from_absolute_path(&path).ok()).flatten();
        Target { file_name, object: key.map(|key| Object { key, file: Some(path), name }) }
    };
    let lost =
        |e: tokio::task::JoinError| StorageError::Failed { what: "resolve", name: shown, source: e.into() };
    tokio::task::spawn_blocking(resolve).await.map_err(lost)
}

/// `..` as in a folder: up, but not out of the prefix.
fn bucket_target(prefix: &Key, rest: &str, name: &str) -> Target {
    let mut parts: Vec<&str> = Vec::new();
    let mut inside = true;
    for part in rest.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part == ".." {
            inside &= parts.pop().is_some();
        } else {
            parts.push(part);
        }
    }
    let file_name = parts.last().map(|part| (*part).to_owned()).unwrap_or_default();
    let key = inside.then(|| Key::parse(format!("{prefix}/{}", parts.join("/"))).ok()).flatten();
    Target { file_name, object: key.map(|key| Object { key, file: None, name: name.to_owned() }) }
}

fn last_part(path: &str) -> String {
    path.rsplit('/').next().unwrap_or_default().to_owned()
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
    fn clients_see_plain_relative_paths() {
        assert_eq!(client_path(Path::new("./artifacts/models/model_1.rcm")), "artifacts/models/model_1.rcm");
        assert_eq!(client_path(Path::new("/srv/models/model_1.rcm")), "/srv/models/model_1.rcm");
    }

    #[test]
    fn names_in_a_bucket_do_not_leave_its_prefix() {
        let prefix = Key::from("shop/models");
        let key = |rest: &str| bucket_target(&prefix, rest, rest).object.map(|object| object.key.to_string());
        let inside = |name: &str| Some(format!("shop/models/{name}"));
        assert_eq!(key("a.rcm"), inside("a.rcm"));
        assert_eq!(key("x/../a.rcm"), inside("a.rcm"));
        assert_eq!(key("x//./a.rcm"), inside("x/a.rcm"));
        assert_eq!(key("100% of 1.rcm"), inside("100% of 1.rcm"));
        for outside in ["../a.rcm", "x/../../models/a.rcm", "../models-2/a.rcm"] {
            assert_eq!(key(outside), None, "{outside}");
        }
    }

    #[tokio::test]
    async fn a_bucket_knows_its_own_urls() {
        let url = "gs://shop/models".parse::<Url>().unwrap();
        let place = Place::Bucket { url: "gs://shop/models/".to_owned(), prefix: Key::from("models") };
        let objects = bucket_of(&"s3://shop/models".parse().unwrap()).unwrap();
        let storage = Storage { place, objects };
        assert_eq!(storage.client_path("a.rcm"), format!("{url}/a.rcm"));
        for (path, inside) in [
            ("gs://shop/models/a.rcm", true),
            ("gs://shop/models/../a.rcm", false),
            ("gs://shop/models-2/a.rcm", false),
            ("gs://other/models/a.rcm", false),
            ("s3://shop/models/a.rcm", false),
            ("models/a.rcm", false),
            ("/etc/a.rcm", false),
        ] {
            let target = storage.target(path).await.unwrap();
            assert_eq!((target.object.is_some(), target.file_name.as_str()), (inside, "a.rcm"), "{path}");
        }
        for (uri, inside) in
            [("x/a.rcm", true), ("gs://shop/models/a.rcm", true), ("/a.rcm", false), ("../a.rcm", false)]
        {
            assert_eq!(storage.target_below(uri).await.unwrap().object.is_some(), inside, "{uri}");
        }
    }

    #[tokio::test]
    async fn nothing_is_overwritten_and_the_hash_is_that_of_the_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let storage = Storage::open(&folder.path().into()).unwrap();
        let object = storage.object("deep/er/abc").await.unwrap();
        assert!(matches!(storage.fingerprint(&object).await, Err(StorageError::Missing(_))));
        storage.create(&object, b"abc".to_vec()).await.unwrap();
        assert!(matches!(storage.create(&object, b"xyz".to_vec()).await, Err(StorageError::Exists(_))));
        assert_eq!(storage.read(&object, <[u8]>::to_vec).await.unwrap(), b"abc");
        let found = storage.fingerprint(&object).await.unwrap();
        assert_eq!(found.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(found.size, 3);
    }
}
