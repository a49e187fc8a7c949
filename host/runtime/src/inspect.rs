//! What can be told of a component without running anything of it.

use wasmtime::component::Component;

use crate::catalogue::settings_table;
use crate::engine::Engine;
use crate::open::adapt;
use crate::plugin::{self, Checked, Digest, Grants};
use crate::sandbox::Outside;
use crate::{Description, Kind, Limits, PluginError};

/// What a component is and wants, read from the file. Its name, version and configuration schema are not in it: the
/// plugin says them itself when it is asked, in the sandbox.
pub struct Inspection {
    /// SHA-256 of the file.
    pub digest: Digest,
    /// Size of the file.
    pub bytes: usize,
    /// Interfaces that it exports, with versions; they decide kind and contract.
    pub exports: Vec<String>,
    /// Interfaces that it wants.
    pub imports: Vec<Import>,
    /// Why it cannot be loaded whatever is granted: another kind, another contract, an import that nobody gets.
    pub refusal: Option<PluginError>,
    engine: Engine,
    component: Component,
    key: String,
}

impl std::fmt::Debug for Inspection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inspection").field("digest", &self.digest).finish_non_exhaustive()
    }
}

/// An interface that a component wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// Its name, with version.
    pub name: String,
    /// Whether it gets it.
    pub access: Access,
}

/// Whether a plugin gets an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Every plugin has it.
    Given,
    /// With a grant.
    Granted,
    /// No plugin has it.
    Never,
}

impl std::fmt::Display for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Given => "given",
            Self::Granted => "needs a grant",
            Self::Never => "never given",
        })
    }
}

impl Inspection {
    /// What it is for, by the world that it exports; none when it speaks none that this host knows.
    pub fn kind(&self) -> Option<Kind> {
        plugin::kind_of(&self.engine, &self.component).ok()
    }

    /// Reads and compiles a component; `key` is the name of its settings table. Nothing of the component runs.
    pub fn of(engine: &Engine, key: &str, bytes: &[u8]) -> Result<Self, PluginError> {
        let component = plugin::parse(engine, bytes)?;
        let table = settings_table(key);
        let kind = plugin::kind_of(engine, &component).ok();
        let interfaces = component.component_type();
        let imports = interfaces
            .imports(engine.wasmtime())
            .map(|(name, _)| Import { name: name.to_owned(), access: access(name, kind, &table) });
        Ok(Self {
            digest: Digest::of(bytes),
            bytes: bytes.len(),
            exports: interfaces.exports(engine.wasmtime()).map(|(name, _)| name.to_owned()).collect(),
            imports: imports.collect(),
            refusal: refusal(engine, &component, &table),
            engine: engine.clone(),
            key: key.to_owned(),
            component: component.clone(),
        })
    }

    /// Asks the plugin what it says of itself: makes one instance in the sandbox, within these limits, and calls
    /// `describe`.
    pub fn describe(&self, limits: &Limits) -> Result<Description, PluginError> {
        let table = settings_table(&self.key);
        let checked = Checked {
            component: self.component.clone(),
            digest: self.digest,
            kind: plugin::kind_of(&self.engine, &self.component)?,
            outside: Outside::default(),
        };
        Ok(adapt(&self.engine, &checked, limits.clone(), &self.key, &table)?.description().clone())
    }

    /// Interfaces that it gets with a grant only.
    pub fn granted_imports(&self) -> impl Iterator<Item = &Import> {
        self.imports.iter().filter(|import| import.access == Access::Granted)
    }
}

fn access(import: &str, kind: Option<Kind>, table: &str) -> Access {
    if plugin::check_import(import, kind, Grants::default(), table).is_ok() {
        Access::Given
    } else if plugin::check_import(import, kind, Grants::ALL, table).is_ok() {
        Access::Granted
    } else {
        Access::Never
    }
}

fn refusal(engine: &Engine, component: &Component, table: &str) -> Option<PluginError> {
    plugin::check_imports(engine, component, Grants::ALL, table)
        .and_then(|()| plugin::kind_of(engine, component))
        .err()
}
