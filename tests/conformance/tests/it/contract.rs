//! The contract's folders: what is released stays, and the reference page says what the files say.

use std::fs;
use std::path::{Path, PathBuf};

use retailcast_runtime::Digest;

/// SHA-256 over the files of each released folder. `v0.1` still grows until RetailCast 0.1 is released: paste the new
/// value. Afterwards a change belongs into a new folder (docs/plugins/versioning.md).
const RELEASED: &[(&str, &str)] =
    &[("v0.1", "29b04839a0221b22b09d9b8c374f42383bd17e6ec10cd7f55487381123a5fae8")];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The files of a folder of the contract, by name.
fn files(version: &str) -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = fs::read_dir(root().join("wit").join(version))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(path).unwrap())
        })
        .collect();
    files.sort();
    files
}

#[test]
fn wit_folders_are_as_released() {
    for (version, digest) in RELEASED {
        let parts: Vec<String> = files(version).into_iter().flat_map(|(name, text)| [name, text]).collect();
        let text = parts.join("\0") + "\0";
        assert_eq!(Digest::of(text.as_bytes()).to_string(), *digest, "wit/{version} has changed");
    }
    let folders = fs::read_dir(root().join("wit")).unwrap().count();
    assert_eq!(folders, RELEASED.len(), "every folder of wit/ has its digest here");
}

#[test]
fn the_reference_page_is_current() {
    let path = root().join("docs/plugins/reference.md");
    let page = reference("v0.1");
    if std::env::var_os("RETAILCAST_WRITE_DOCS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == page,
        "docs/plugins/reference.md is not what wit/v0.1 says; RETAILCAST_WRITE_DOCS=1 cargo test -p retailcast-conformance"
    );
}

/// A page of the contract: interfaces and worlds as sections, what stands in them as entries.
fn reference(version: &str) -> String {
    let mut page = format!(
        "# The contract, {version}\n\nWhat stands in `wit/{version}`, and is written from it. The SDK wraps all of this; \
         read it to write a plugin in another language, or to know exactly.\n"
    );
    for (name, text) in files(version) {
        page += &format!("\n# {name}\n");
        let mut docs = Vec::new();
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            let depth = (line.len() - line.trim_start().len()) / 4;
            let line = line.trim();
            if let Some(doc) = line.strip_prefix("///") {
                docs.push(doc.trim().to_owned());
                continue;
            }
            let opens = line.ends_with('{');
            let block = opens && ["interface", "world", "resource"].iter().any(|word| line.starts_with(word));
            let entry = depth > 0 && (opens || line.ends_with(';')) && !line.starts_with("use ");
            if block {
                let heading = "#".repeat(depth + 2);
                page += &format!("\n{heading} {}\n", line.trim_end_matches('{').trim());
            } else if entry || line.starts_with("package") {
                let mut code = vec![line.to_owned()];
                // Records, variants and enums with all that stands in them.
                while opens && code.last().is_some_and(|last| last != "}") {
                    let Some(next) = lines.next() else { break };
                    let inner = next.strip_prefix(&"    ".repeat(depth)).unwrap_or(next);
                    code.push(inner.to_owned());
                }
                page += &format!("\n```wit\n{}\n```\n", code.join("\n"));
            }
            if (block || entry || line.starts_with("package")) && !docs.is_empty() {
                page += &format!("\n{}\n", docs.join("\n"));
            }
            docs.clear();
        }
    }
    page
}
