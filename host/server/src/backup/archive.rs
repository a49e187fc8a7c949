//! The file itself: a gzipped tar archive whose members are counted and hashed as they pass.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Component, Path, PathBuf};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

use super::manifest::{FORMAT, Manifest, Member};
use super::{BackupError, MANIFEST};

/// Passes bytes on, and knows their number and hash.
struct Counted<R> {
    inner: R,
    bytes: u64,
    hash: Sha256,
}

impl<R> Counted<R> {
    fn new(inner: R) -> Self {
        Self { inner, bytes: 0, hash: Sha256::new() }
    }

    fn member(self, path: &str, rows: Option<u64>) -> Member {
        let sha256 = hex::encode(self.hash.finalize());
        Member { path: path.to_owned(), bytes: self.bytes, sha256, rows }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buf)?;
        self.bytes += read as u64;
        self.hash.update(&buf[..read]);
        Ok(read)
    }
}

/// An archive that is being written, under a name of its own until it is whole.
pub(super) struct Writer {
    tar: tar::Builder<GzEncoder<BufWriter<tempfile::NamedTempFile>>>,
    members: Vec<Member>,
}

impl Writer {
    /// Beside the file that it will become.
    pub(super) fn beside(file: &Path) -> io::Result<Self> {
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let file = BufWriter::new(tempfile::NamedTempFile::new_in(folder)?);
        Ok(Self { tar: tar::Builder::new(GzEncoder::new(file, Compression::fast())), members: Vec::new() })
    }

    /// Adds a member of this many bytes.
    pub(super) fn add(
        &mut self,
        path: &str,
        from: impl Read,
        size: u64,
        rows: Option<u64>,
    ) -> io::Result<()> {
        let mut from = Counted::new(from.take(size));
        self.append(path, &mut from, size)?;
        if from.bytes != size {
            return Err(io::Error::other(format!("{path} became shorter while it was read")));
        }
        self.members.push(from.member(path, rows));
        Ok(())
    }

    fn append(&mut self, path: &str, from: impl Read, size: u64) -> io::Result<()> {
        let mut header = tar::Header::new_gnu();
        header.set_size(size);
        header.set_mode(0o600);
        self.tar.append_data(&mut header, path, from)
    }

    /// Ends the archive with its manifest and gives it its name. It is there whole or not at all.
    pub(super) fn finish(mut self, mut manifest: Manifest, file: &Path) -> io::Result<Manifest> {
        manifest.members = std::mem::take(&mut self.members);
        let text = serde_json::to_vec_pretty(&manifest)?;
        self.append(MANIFEST, text.as_slice(), text.len() as u64)?;
        let written =
            self.tar.into_inner()?.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
        written.as_file().sync_all()?;
        written.persist(file).map_err(|e| e.error)?;
        Ok(manifest)
    }
}

/// Unpacks a whole archive into a folder and checks every member against the manifest.
pub(super) fn unpack(file: &Path, into: &Path) -> Result<Manifest, BackupError> {
    let broken = |why: String| BackupError::Archive { file: file.to_owned(), why };
    let opened = File::open(file).map_err(BackupError::file(file))?;
    let mut tar = tar::Archive::new(GzDecoder::new(BufReader::new(opened)));
    let mut found = Vec::new();
    let mut manifest = None;
    for entry in tar.entries().map_err(|e| broken(format!("it is no backup: {e}")))? {
        let mut entry = entry.map_err(|e| broken(format!("it is no backup, or not whole: {e}")))?;
        let path = entry.path().map_err(|e| broken(e.to_string()))?.into_owned();
        let name =
            plain(&path).ok_or_else(|| broken(format!("the member {} is no plain path", path.display())))?;
        if name == MANIFEST {
            let mut text = String::new();
            entry.read_to_string(&mut text).map_err(|e| broken(e.to_string()))?;
            manifest = Some(
                serde_json::from_str::<Manifest>(&text).map_err(|e| broken(format!("{MANIFEST}: {e}")))?,
            );
            continue;
        }
        let target = into.join(&name);
        let mut from = Counted::new(&mut entry);
        copy_to(&mut from, &target).map_err(|e| broken(format!("{name}: {e}")))?;
        found.push(from.member(&name, None));
    }
    let manifest = manifest.ok_or_else(|| broken(format!("it ends before its {MANIFEST}")))?;
    if manifest.format != FORMAT {
        return Err(broken(format!("its form is {}, this program reads {FORMAT}", manifest.format)));
    }
    check(&manifest, &found).map_err(broken)?;
    Ok(manifest)
}

/// A path without `..` and without a root, with `/` between its parts.
fn plain(path: &Path) -> Option<String> {
    let parts = path.components().map(|part| match part {
        Component::Normal(part) => part.to_str(),
        _ => None,
    });
    parts.collect::<Option<Vec<_>>>().map(|parts| parts.join("/"))
}

fn copy_to(from: &mut impl Read, target: &PathBuf) -> io::Result<()> {
    if let Some(folder) = target.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut to = BufWriter::new(File::create_new(target)?);
    io::copy(from, &mut to)?;
    to.flush()
}

fn check(manifest: &Manifest, found: &[Member]) -> Result<(), String> {
    for (expected, found) in manifest.members.iter().zip(found) {
        if expected.path != found.path {
            return Err(format!("it has {} where {} should stand", found.path, expected.path));
        }
        if (expected.bytes, &expected.sha256) != (found.bytes, &found.sha256) {
            return Err(format!(
                "{} is damaged: its SHA-256 is {}, written was {}",
                found.path, found.sha256, expected.sha256
            ));
        }
    }
    if manifest.members.len() == found.len() {
        return Ok(());
    }
    Err(format!("it has {} files, written were {}", found.len(), manifest.members.len()))
}
