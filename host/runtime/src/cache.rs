//! Compiled code on disk, so that a start does not compile again.
//!
//! A cached file is native code: loading it is executing it. So every file carries a keyed digest (HMAC-SHA-256)
//! over engine fingerprint, component digest and code, with a key that this installation made and only its user
//! can read. What does not verify is a miss: the component is compiled again and the file replaced.

use std::fs;
use std::hash::{Hash, Hasher};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use wasmtime::component::Component;

use crate::engine::Engine;
use crate::{Digest, PluginError};

const TAG: usize = 32;
const KEY_FILE: &str = "key";

/// Makes a folder that only this user can read; those above it are ordinary ones.
fn make_private(folder: &Path) -> std::io::Result<()> {
    if let Some(parent) = folder.parent() {
        fs::create_dir_all(parent)?;
    }
    match fs::DirBuilder::new().mode(0o700).create(folder) {
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        made => made,
    }
}

/// A folder of compiled components.
#[derive(Debug)]
pub struct CodeCache {
    folder: PathBuf,
    key: Vec<u8>,
}

impl CodeCache {
    /// Opens the folder, making it (readable by this user alone) and its key when they do not exist.
    pub fn open(folder: &Path) -> Result<Self, PluginError> {
        let fail = |what: &str, e: &std::io::Error| PluginError::Host {
            context: format!("{what} of the code cache {}", folder.display()),
            reason: e.to_string(),
        };
        make_private(folder).map_err(|e| fail("cannot make the folder", &e))?;
        let key = read_or_make_key(folder).map_err(|e| fail("cannot read or make the key", &e))?;
        Ok(Self { folder: folder.to_owned(), key })
    }

    /// The compiled component, if this installation compiled it with this engine.
    pub(crate) fn load(&self, engine: &Engine, digest: Digest) -> Option<Component> {
        let bytes = fs::read(self.path(engine, digest)).ok()?;
        let (tag, code) = bytes.split_at_checked(TAG)?;
        if self.mac(engine, digest, code).verify_slice(tag).is_err() {
            tracing::warn!(%digest, "a file of the plugin code cache does not verify; compiling again");
            return None;
        }
        // SAFETY: `deserialize` needs bytes that `serialize` wrote, unchanged. The keyed digest just proved that
        // this installation wrote these bytes for this component and this engine fingerprint.
        #[allow(unsafe_code)]
        let component = unsafe { Component::deserialize(engine.wasmtime(), code) };
        component
            .inspect_err(
                |e| tracing::warn!(%digest, "cached plugin code is not usable; compiling again: {e:#}"),
            )
            .ok()
    }

    /// Keeps a compiled component. Failing to is a slower next start, so it is logged and no error.
    pub(crate) fn store(&self, engine: &Engine, digest: Digest, component: &Component) {
        let result = component.serialize().map_err(std::io::Error::other).and_then(|code| {
            let tag = self.mac(engine, digest, &code).finalize().into_bytes();
            let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
            file.write_all(&tag)?;
            file.write_all(&code)?;
            file.persist(self.path(engine, digest))?;
            Ok(())
        });
        if let Err(e) = result {
            tracing::warn!(%digest, "cannot keep compiled plugin code: {e}");
        }
    }

    fn path(&self, engine: &Engine, digest: Digest) -> PathBuf {
        self.folder.join(format!("{digest}-{:016x}.code", fingerprint(engine)))
    }

    fn mac(&self, engine: &Engine, digest: Digest, code: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes keys of any length");
        mac.update(&fingerprint(engine).to_le_bytes());
        mac.update(digest.as_bytes());
        mac.update(code);
        mac
    }
}

/// wasmtime's own statement of which engines can exchange compiled code, and its version.
fn fingerprint(engine: &Engine) -> u64 {
    // The fixed-key hasher of the standard library: it only has to differ between builds.
    #[allow(deprecated)]
    let mut hasher = std::hash::SipHasher::new();
    engine.wasmtime().precompile_compatibility_hash().hash(&mut hasher);
    hasher.finish()
}

fn read_or_make_key(folder: &Path) -> std::io::Result<Vec<u8>> {
    let path = folder.join(KEY_FILE);
    match fs::read(&path) {
        Ok(key) if key.len() == 32 => return Ok(key),
        Ok(_) => fs::remove_file(&path)?,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
        Err(e) => return Err(e),
    }
    let mut key = vec![0; 32];
    getrandom::fill(&mut key).map_err(std::io::Error::other)?;
    let made = tempfile::Builder::new()
        .make_in(folder, |path| fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path))?;
    made.as_file().write_all(&key)?;
    match made.persist_noclobber(&path) {
        Ok(_) => Ok(key),
        // Another process was quicker: its key counts.
        Err(e) if e.error.kind() == std::io::ErrorKind::AlreadyExists => fs::read(&path),
        Err(e) => Err(e.error),
    }
}
