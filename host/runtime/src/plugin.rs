//! From the bytes of a file to something that can be instantiated: digest, kind of file, imports against grants,
//! contract version. Nothing of the plugin runs here.

use sha2::{Digest as _, Sha256};
use wasmtime::component::Component;

use crate::engine::Engine;
use crate::sandbox::{Outside, WASI_OFFERED};
use crate::{CodeCache, Kind, PluginError, PluginSettings, v0_1};

/// SHA-256 of a component; what identifies it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

/// What the operator grants beyond computing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Grants {
    /// LightGBM at native speed.
    pub(crate) gradient_boosting: bool,
    /// Asking services.
    pub(crate) http: bool,
    /// Reading a folder.
    pub(crate) folder: bool,
}

impl Grants {
    /// Everything that can be granted.
    pub(crate) const ALL: Self = Self { gradient_boosting: true, http: true, folder: true };

    fn of(settings: &PluginSettings) -> Self {
        Self {
            gradient_boosting: settings.gradient_boosting,
            http: !settings.http.is_empty(),
            folder: settings.folder.is_some(),
        }
    }
}

/// Largest file that is compiled, in bytes: a Python plugin has 20 MB.
const MAX_FILE: usize = 64 << 20;

/// A component that may be instantiated.
pub(crate) struct Checked {
    pub(crate) component: Component,
    pub(crate) digest: Digest,
    /// By what it exports.
    pub(crate) kind: Kind,
    /// What it may reach of the world outside.
    pub(crate) outside: Outside,
}

/// Checks and compiles a component. `settings_key` is the table of its settings, for messages
/// (`plugins.settings.croston`).
pub(crate) fn compile(
    engine: &Engine,
    cache: Option<&CodeCache>,
    bytes: &[u8],
    digest: Digest,
    settings: &PluginSettings,
    settings_key: &str,
) -> Result<Checked, PluginError> {
    let component = if let Some(component) = cache.and_then(|cache| cache.load(engine, digest)) {
        component
    } else {
        let component = parse(engine, bytes)?;
        if let Some(cache) = cache {
            cache.store(engine, digest, &component);
        }
        component
    };
    let kind = kind_of(engine, &component);
    check_imports(engine, &component, Grants::of(settings), settings_key)?;
    Ok(Checked { component, digest, kind: kind?, outside: Outside::of(settings) })
}

/// Compiles a component, whatever it imports and exports.
pub(crate) fn parse(engine: &Engine, bytes: &[u8]) -> Result<Component, PluginError> {
    check_file(bytes)?;
    Component::new(engine.wasmtime(), bytes).map_err(|e| PluginError::Compile { reason: format!("{e:#}") })
}

fn check_file(bytes: &[u8]) -> Result<(), PluginError> {
    let refuse = |reason: String| Err(PluginError::NotAComponent { reason });
    if bytes.len() > MAX_FILE {
        return refuse(format!("the file has {} bytes, at most {MAX_FILE} are compiled", bytes.len()));
    }
    // A component starts with the magic number, version 13 and layer 1; a core module with version 1, layer 0.
    match bytes {
        [b'\0', b'a', b's', b'm', 0x0d, 0, 1, 0, ..] => Ok(()),
        [b'\0', b'a', b's', b'm', 1, 0, 0, 0, ..] => refuse(
            "it is a core WebAssembly module, not a component; build it for the target wasm32-wasip2"
                .to_owned(),
        ),
        [b'\0', b'a', b's', b'm', version @ ..] => {
            refuse(format!("its version bytes {:02x?} are unknown", &version[..version.len().min(4)]))
        }
        // Precompiled code is native code: executing it is trusting it. Only the host's own cache is.
        [0x7f, b'E', b'L', b'F', ..] => {
            refuse("it is native or precompiled code; give the .wasm component itself".to_owned())
        }
        _ => refuse(format!("the file ({} bytes) does not start like WebAssembly", bytes.len())),
    }
}

/// An interface name with its version: `wasi:io/error@0.2.6` → (`wasi:io/error`, `0.2.6`).
fn split_version(name: &str) -> (&str, &str) {
    name.split_once('@').unwrap_or((name, ""))
}

/// All imports against the grants. `settings_key` as in [`compile`].
pub(crate) fn check_imports(
    engine: &Engine,
    component: &Component,
    grants: Grants,
    settings_key: &str,
) -> Result<(), PluginError> {
    let kind = kind_of(engine, component).ok();
    let component = component.component_type();
    let mut imports = component.imports(engine.wasmtime());
    imports.try_for_each(|(import, _)| check_import(import, kind, grants, settings_key))
}

/// One import of a plugin of this kind against the grants.
pub(crate) fn check_import(
    import: &str,
    kind: Option<Kind>,
    grants: Grants,
    settings_key: &str,
) -> Result<(), PluginError> {
    let (interface, version) = split_version(import);
    let denied = |reason: &str, hint: String| {
        Err(PluginError::Denied { import: import.to_owned(), reason: reason.to_owned(), hint })
    };
    match interface {
        "retailcast:plugin/types" | "retailcast:plugin/log" | "retailcast:plugin/data"
            if v0_1::speaks(version) => {}
        "retailcast:plugin/gradient-boosting" if v0_1::speaks(version) => {
            if !grants.gradient_boosting {
                return denied(
                    "is not granted",
                    format!("To grant it:\n[{settings_key}]\ngrants = [\"gradient-boosting\"]"),
                );
            }
        }
        _ if interface.starts_with("retailcast:plugin/") => {
            return Err(PluginError::Contract {
                needed: format!("`{import}`"),
                offered: format!("contract {}", v0_1::VERSION),
            });
        }
        _ if WASI_OFFERED.contains(&interface) => {}
        "wasi:filesystem/types" | "wasi:filesystem/preopens" if kind == Some(Kind::EmbeddingProvider) => {
            if !grants.folder {
                return denied(
                    "is not granted",
                    format!(
                        "To grant it, name the one folder to be read:\n[{settings_key}]\ngrants = [{{ folder = \"models/all-MiniLM-L6-v2\" }}]"
                    ),
                );
            }
        }
        _ if interface.starts_with("wasi:filesystem/") => {
            return denied("is never given to a plugin", "Plugins have no files.".to_owned());
        }
        "wasi:http/types" | "wasi:http/outgoing-handler" if kind == Some(Kind::EmbeddingProvider) => {
            if !grants.http {
                return denied(
                    "is not granted",
                    format!(
                        "To grant it, name the hosts:\n[{settings_key}]\ngrants = [{{ http = [\"https://api.example.com\"] }}]"
                    ),
                );
            }
        }
        _ if interface.starts_with("wasi:sockets/") || interface.starts_with("wasi:http/") => {
            return denied("is never given to a forecast model", "Models have no network.".to_owned());
        }
        _ => {
            return denied(
                "does not exist here",
                format!(
                    "Offered are the interfaces of contract {} and of WASI cli, clocks, io and random.",
                    v0_1::VERSION
                ),
            );
        }
    }
    Ok(())
}

/// What each kind exports beside its description.
const EXPORTS: [(&str, Kind); 4] = [
    ("retailcast:plugin/forecaster", Kind::ForecastModel),
    ("retailcast:plugin/explanation", Kind::Explainer),
    ("retailcast:plugin/adjuster", Kind::ScenarioAdjuster),
    ("retailcast:plugin/embedder", Kind::EmbeddingProvider),
];

/// The kind, by the world, and the version of the contract.
pub(crate) fn kind_of(engine: &Engine, component: &Component) -> Result<Kind, PluginError> {
    let component = component.component_type();
    let exports: Vec<&str> = component.exports(engine.wasmtime()).map(|(name, _)| name).collect();
    let ours = exports.iter().map(|name| split_version(name)).find_map(|(interface, version)| {
        EXPORTS.iter().find(|(name, _)| *name == interface).map(|(_, kind)| (*kind, version))
    });
    let offered = |kinds: String| format!("contract {} with the world {kinds}", v0_1::VERSION);
    match ours {
        Some((kind, version)) if v0_1::speaks(version) => Ok(kind),
        Some((kind, version)) => Err(PluginError::Contract {
            needed: format!("contract {version}"),
            offered: offered(kind.to_string()),
        }),
        None => Err(PluginError::Contract {
            needed: format!(
                "a world that exports {}",
                if exports.is_empty() { "nothing".to_owned() } else { exports.join(", ") }
            ),
            offered: offered(EXPORTS.map(|(_, kind)| kind.to_string()).join(", ")),
        }),
    }
}
