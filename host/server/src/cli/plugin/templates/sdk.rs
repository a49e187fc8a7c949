//! The SDK and the contract, vendored into new projects: see docs/decisions/vendored-sdk.md.

use std::path::Path;

use include_dir::{Dir, include_dir};
use toml::{Table, Value};

use super::{Files, texts};

static SOURCES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../sdk/rust/src");
static CONTRACT: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../wit");
static PYTHON: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../sdk/python/retailcast_sdk");
const PYTHON_FILES: [(&str, &str); 3] = [
    ("README.md", include_str!("../../../../../../sdk/python/README.md")),
    ("pyproject.toml", include_str!("../../../../../../sdk/python/pyproject.toml")),
    ("setup.py", include_str!("../../../../../../sdk/python/setup.py")),
];
const MANIFEST: &str = include_str!("../../../../../../sdk/rust/Cargo.toml");
const WORKSPACE: &str = include_str!("../../../../../../Cargo.toml");

/// Where they stand in a project: next to each other as in RetailCast's sources, because one finds the other by path.
const VENDOR: &str = "vendor/retailcast";

/// What a Rust project needs.
pub(super) fn rust() -> Files {
    let manifest = (Path::new(VENDOR).join("sdk/rust/Cargo.toml"), standalone(MANIFEST, WORKSPACE));
    [under("sdk/rust/src", texts(&SOURCES)), under("wit", texts(&CONTRACT)), vec![manifest]].concat()
}

/// What a Python project needs: a package that pip installs.
pub(super) fn python() -> Files {
    let package = PYTHON_FILES.map(|(name, text)| (name.into(), text.to_owned())).to_vec();
    let files = [
        under("sdk/python", package),
        under("sdk/python/retailcast_sdk", texts(&PYTHON)),
        under("wit", texts(&CONTRACT)),
    ];
    files.concat()
}

fn under(folder: &str, files: Files) -> Files {
    let root = Path::new(VENDOR).join(folder);
    files.into_iter().map(|(path, text)| (root.join(path), text)).collect()
}

/// A manifest of the workspace as one that stands alone: what it inherits is written out.
fn standalone(manifest: &str, workspace: &str) -> String {
    let parse = |text: &str| text.parse::<Table>().expect("cargo reads the same file");
    let (mut own, root) = (parse(manifest), parse(workspace));
    own.remove("lints");
    own.remove("dev-dependencies");
    for (section, shared) in [("package", "package"), ("dependencies", "dependencies")] {
        let inherited = &root["workspace"][shared];
        for (key, value) in own.get_mut(section).and_then(Value::as_table_mut).into_iter().flatten() {
            if value.get("workspace").is_some() {
                *value = written_out(value, &inherited[key.as_str()]);
            }
        }
    }
    own.to_string()
}

/// What the workspace says, and beside it what the member adds.
fn written_out(member: &Value, shared: &Value) -> Value {
    let added = member.as_table().into_iter().flatten().filter(|(key, _)| *key != "workspace");
    let added: Table = added.map(|(key, value)| (key.clone(), value.clone())).collect();
    match shared {
        _ if added.is_empty() => shared.clone(),
        Value::Table(table) => Value::Table(table.clone().into_iter().chain(added).collect()),
        version => {
            let version = ("version".to_owned(), version.clone());
            Value::Table(std::iter::once(version).chain(added).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_the_vendored_manifest_points_outside() {
        let text = standalone(MANIFEST, WORKSPACE);
        assert!(!text.contains("workspace"), "{text}");
        let manifest: Table = text.parse().unwrap();
        assert_eq!(manifest["package"]["edition"].as_str(), Some("2024"));
        assert!(manifest["dependencies"]["wit-bindgen"]["version"].is_str(), "{text}");
    }

    #[test]
    fn what_a_member_adds_stays() {
        let text = standalone(
            "[dependencies]\na = { workspace = true, optional = true }\n",
            "[workspace.package]\n[workspace.dependencies]\na = \"1\"\n",
        );
        let manifest: Table = text.parse().unwrap();
        assert_eq!(manifest["dependencies"]["a"]["version"].as_str(), Some("1"));
        assert_eq!(manifest["dependencies"]["a"]["optional"].as_bool(), Some(true));
    }
}
