//! Documents of the installation's folder. Nothing outside of it is read, however a path is spelled.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use super::error::RagError;

/// Largest file that is indexed, in bytes: that of a request's body.
const LARGEST: u64 = crate::http::body::LIMIT as u64;

/// Longest path of a source, in characters.
pub(super) const LONGEST_PATH: usize = 500;

/// Which documents of the installation are indexed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectDocs {
    /// `docs/**/*.md`
    pub docs: bool,
    /// `PRPs/**/*.md`
    pub prps: bool,
    /// `README.md`, `AGENTS.md` and `CHANGELOG.md`
    pub root: bool,
    /// Only what lies below this folder of `docs`; the others are not touched by it.
    pub path_prefix: Option<String>,
}

/// A document that was found, and its text or why it has none.
#[derive(Debug)]
pub(super) struct ProjectFile {
    /// Relative to the root, with `/`.
    pub(super) path: String,
    /// What it is listed under.
    pub(super) category: &'static str,
    pub(super) text: Result<String, String>,
}

/// The text of one file, by a path relative to the root or an absolute one inside of it.
pub(super) fn read(root: &Path, path: &str) -> Result<String, RagError> {
    let missing = || RagError::NoFile(path.to_owned());
    let root = root.canonicalize().map_err(|_| missing())?;
    let file = root.join(path).canonicalize().map_err(|_| missing())?;
    if !file.starts_with(&root) || !file.is_file() {
        return Err(missing());
    }
    match text(&file) {
        Ok(text) => Ok(text),
        Err(Unreadable::Content(reason)) => Err(RagError::NotText { path: path.to_owned(), reason }),
        Err(Unreadable::File(source)) if source.kind() == io::ErrorKind::NotFound => Err(missing()),
        Err(Unreadable::File(source)) => Err(RagError::Io { context: format!("cannot read {path}"), source }),
    }
}

/// All documents of the installation that are asked for, in the order of their absolute paths.
pub(super) fn project(root: &Path, wanted: &ProjectDocs) -> Result<Vec<ProjectFile>, RagError> {
    let root = root.canonicalize().map_err(|source| RagError::Io {
        context: "cannot open the folder of documents".to_owned(),
        source,
    })?;
    let mut found: Vec<(PathBuf, &str)> = Vec::new();
    if wanted.docs {
        let folder = below(&root, &root.join("docs"), wanted.path_prefix.as_deref().unwrap_or_default())?;
        let files = folder.map(|folder| markdown(&root, &folder)).unwrap_or_default();
        found.extend(files.into_iter().map(|file| (file, "docs")));
    }
    if wanted.prps {
        found.extend(markdown(&root, &root.join("PRPs")).into_iter().map(|file| (file, "prp")));
    }
    if wanted.root {
        let files = ["README.md", "AGENTS.md", "CHANGELOG.md"].map(|name| root.join(name));
        found.extend(files.into_iter().filter(|file| file.is_file()).map(|file| (file, "root")));
    }
    found.sort_by(|(a, _), (b, _)| a.as_os_str().as_bytes().cmp(b.as_os_str().as_bytes()));
    Ok(found.into_iter().map(|(file, category)| project_file(&root, &file, category)).collect())
}

/// The folder that a prefix leads to; `None` when there is none, an error when it lies elsewhere.
fn below(root: &Path, docs: &Path, prefix: &str) -> Result<Option<PathBuf>, RagError> {
    let outside = || RagError::Prefix(prefix.to_owned());
    let plain = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    if !Path::new(prefix).components().all(plain) {
        return Err(outside());
    }
    let (Ok(docs), Ok(folder)) = (docs.canonicalize(), docs.join(prefix).canonicalize()) else {
        return Ok(None);
    };
    if !docs.starts_with(root) || !folder.starts_with(&docs) {
        return Err(outside());
    }
    Ok(Some(folder))
}

/// All Markdown files below a folder; what cannot be listed contributes nothing. Links to folders are not followed:
/// they may lead out, or in circles.
fn markdown(root: &Path, folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders: Vec<PathBuf> =
        folder.canonicalize().into_iter().filter(|folder| folder.starts_with(root)).collect();
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let (path, kind) = (entry.path(), entry.file_type());
            if kind.is_ok_and(|kind| kind.is_dir()) {
                folders.push(path);
            } else if path.extension() == Some(OsStr::new("md")) && !path.is_dir() {
                files.push(path);
            }
        }
    }
    files
}

fn project_file(root: &Path, file: &Path, category: &'static str) -> ProjectFile {
    let relative = file.strip_prefix(root).unwrap_or(file);
    ProjectFile {
        path: relative.to_string_lossy().into_owned(),
        category,
        text: project_text(root, file, relative),
    }
}

fn project_text(root: &Path, file: &Path, relative: &Path) -> Result<String, String> {
    let path = relative.to_str().ok_or("its name is not UTF-8")?;
    let characters = path.chars().count();
    if characters > LONGEST_PATH {
        return Err(format!("its path has {characters} characters, at most {LONGEST_PATH} are kept"));
    }
    let target = file.canonicalize().map_err(|e| unreadable(&e))?;
    if !target.starts_with(root) {
        return Err("it is a link that leads out of the folder".to_owned());
    }
    text(&target).map_err(|e| match e {
        Unreadable::Content(reason) => reason,
        Unreadable::File(e) => unreadable(&e),
    })
}

fn unreadable(error: &io::Error) -> String {
    // Without the path, which is a matter of the machine.
    format!("it cannot be read: {}", error.kind())
}

/// Why a file has no text for us.
enum Unreadable {
    Content(String),
    File(io::Error),
}

fn text(file: &Path) -> Result<String, Unreadable> {
    let mut bytes = Vec::new();
    File::open(file)
        .and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes))
        .map_err(Unreadable::File)?;
    if bytes.len() as u64 > LARGEST {
        return Err(Unreadable::Content(format!("it has more than {} MiB", LARGEST >> 20)));
    }
    let text = String::from_utf8(bytes).map_err(|e| {
        Unreadable::Content(format!("invalid UTF-8 at byte {}", e.utf8_error().valid_up_to()))
    })?;
    match text.find('\0') {
        // PostgreSQL's text cannot hold it.
        Some(at) => Err(Unreadable::Content(format!("the character NUL at byte {at}"))),
        None => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    const ALL: ProjectDocs = ProjectDocs { docs: true, prps: true, root: true, path_prefix: None };

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, format!("# {file}\n")).unwrap();
        }
        folder
    }

    fn listed(root: &Path, wanted: &ProjectDocs) -> Vec<(String, &'static str)> {
        project(root, wanted).unwrap().into_iter().map(|file| (file.path, file.category)).collect()
    }

    #[test]
    fn files_are_found_in_the_order_of_their_paths() {
        let root = folder(&[
            "docs/b.md",
            "docs/a/z.md",
            "docs/.hidden/h.md",
            "docs/a.txt",
            "docs/B.MD",
            "PRPs/p.md",
            "README.md",
            "AGENTS.md",
            "OTHER.md",
            "src/x.md",
        ]);
        fs::create_dir(root.path().join("docs/folder.md")).unwrap();
        fs::create_dir(root.path().join("CHANGELOG.md")).unwrap();
        let expected = [
            ("AGENTS.md", "root"),
            ("PRPs/p.md", "prp"),
            ("README.md", "root"),
            ("docs/.hidden/h.md", "docs"),
            ("docs/a/z.md", "docs"),
            ("docs/b.md", "docs"),
        ];
        let expected: Vec<_> = expected.map(|(path, category)| (path.to_owned(), category)).into();
        assert_eq!(listed(root.path(), &ALL), expected);
        let none = ProjectDocs { docs: false, prps: false, root: false, path_prefix: None };
        assert_eq!(listed(root.path(), &none), []);
        assert_eq!(listed(tempfile::tempdir().unwrap().path(), &ALL), []);
    }

    #[test]
    fn a_prefix_restricts_docs_alone_and_cannot_leave_it() {
        let root = folder(&["docs/a/x.md", "docs/b/y.md", "README.md", "secret/s.md"]);
        symlink(root.path().join("secret"), root.path().join("docs/link")).unwrap();
        let with = |prefix: &str| ProjectDocs { path_prefix: Some(prefix.to_owned()), ..ALL };
        let expected = [("README.md".to_owned(), "root"), ("docs/a/x.md".to_owned(), "docs")];
        assert_eq!(listed(root.path(), &with("a")), expected);
        assert_eq!(listed(root.path(), &with("a/./")), expected);
        assert_eq!(listed(root.path(), &with("none")), expected[..1]);
        assert_eq!(listed(root.path(), &with("")).len(), 3);
        for prefix in ["..", "a/../..", "a/../b", "/etc", "link"] {
            let error = project(root.path(), &with(prefix)).unwrap_err();
            assert!(matches!(error, RagError::Prefix(_)), "{prefix}: {error}");
        }
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        let root = folder(&["docs/ok.md"]);
        let docs = root.path().join("docs");
        fs::write(docs.join("bytes.md"), b"abc\xff").unwrap();
        fs::write(docs.join("nul.md"), "a\0").unwrap();
        symlink("/etc/hostname", docs.join("out.md")).unwrap();
        symlink("ok.md", docs.join("in.md")).unwrap();
        symlink("nowhere", docs.join("dangling.md")).unwrap();
        let found: Vec<(String, Result<(), String>)> =
            project(root.path(), &ALL).unwrap().into_iter().map(|f| (f.path, f.text.map(drop))).collect();
        for (path, words) in [
            ("docs/bytes.md", Some("invalid UTF-8 at byte 3")),
            ("docs/nul.md", Some("NUL at byte 1")),
            ("docs/out.md", Some("leads out")),
            ("docs/dangling.md", Some("cannot be read")),
            ("docs/in.md", None),
            ("docs/ok.md", None),
        ] {
            let (_, text) = found.iter().find(|(found, _)| found == path).unwrap();
            match words {
                Some(words) => assert!(text.as_ref().unwrap_err().contains(words), "{path}: {text:?}"),
                None => assert_eq!(*text, Ok(())),
            }
        }
        assert_eq!(found.len(), 6);
    }

    #[test]
    fn one_file_is_read_only_inside_the_root() {
        let root = folder(&["a/x.md", "y.md"]);
        let outside = folder(&["z.md"]);
        symlink(outside.path().join("z.md"), root.path().join("out.md")).unwrap();
        fs::write(root.path().join("bytes"), b"\xff").unwrap();
        let absolute = root.path().join("y.md");
        for path in ["a/x.md", "a/../y.md", "./y.md", absolute.to_str().unwrap()] {
            assert!(read(root.path(), path).is_ok(), "{path}");
        }
        let elsewhere = outside.path().join("z.md");
        for path in
            ["none.md", "a", "..", "../z.md", "/etc/hostname", "out.md", elsewhere.to_str().unwrap(), "."]
        {
            assert!(matches!(read(root.path(), path), Err(RagError::NoFile(_))), "{path}");
        }
        assert!(matches!(read(root.path(), "bytes"), Err(RagError::NotText { .. })));
    }
}
