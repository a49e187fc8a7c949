//! Which plugins there are: those that come with the program and those of the operator's folder, each with its
//! digest, and for those that were refused, why.

mod change;
mod watch;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use serde_json::{Map, Value};

pub use self::change::{Change, ChangeKind};
pub use self::watch::Watch;
use crate::engine::Engine;
use crate::measured::measured;
use crate::open::{Plugin, open};
use crate::serving::{ServedModel, toml_key};
use crate::stats::Stats;
use crate::{
    CodeCache, Description, Digest, EmbeddingProvider, Explainer, ForecastModel, HttpPattern, Kind, Limits,
    PluginError, ScenarioAdjuster,
};

/// Where a plugin came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// It is part of the program.
    Bundled,
    /// A file of the plugin folder.
    File(PathBuf),
}

/// What became of a plugin.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "there is one per plugin, and most are the large one")]
pub enum State {
    /// It serves requests.
    Loaded(Description),
    /// The operator switched it off.
    Disabled,
    /// It was refused, with its code and reason.
    Refused(Arc<PluginError>),
}

/// One plugin that was found.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Name of its settings table: the plugin's name for bundled ones, the file's stem (with `_` for `-`) for others.
    pub key: String,
    /// Where it came from.
    pub origin: Origin,
    /// SHA-256 of the file, when it could be read.
    pub digest: Option<Digest>,
    /// What the operator set for it.
    pub settings: PluginSettings,
    /// What became of it.
    pub state: State,
    /// Its calls since it was loaded; none when it is not.
    pub stats: Option<Arc<Stats>>,
}

/// Settings of one plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginSettings {
    /// Whether it is loaded.
    pub enabled: bool,
    /// The digest that the file must have, as 64 hex digits.
    pub sha256: Option<String>,
    /// May use LightGBM.
    pub gradient_boosting: bool,
    /// Hosts that it may reach, besides those that a call allows; only embedding providers reach any.
    pub http: Vec<HttpPattern>,
    /// The folder that it may read; only embedding providers read any.
    pub folder: Option<GrantedFolder>,
    /// How much it may take.
    pub limits: Limits,
    /// Defaults of its configuration, over those that its schema declares.
    pub defaults: Map<String, Value>,
}

/// A folder that a plugin may read, and nothing beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantedFolder {
    /// Where it is.
    pub path: PathBuf,
    /// Where the grant stands, for messages: `retailcast.toml, line 7`.
    pub granted_in: String,
}

impl std::fmt::Display for GrantedFolder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the folder {} (granted in {})", self.path.display(), self.granted_in)
    }
}

impl Default for PluginSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            sha256: None,
            gradient_boosting: false,
            http: Vec::new(),
            folder: None,
            limits: Limits::default(),
            defaults: Map::new(),
        }
    }
}

/// Settings of the catalogue.
#[derive(Debug, Clone, Default)]
pub struct CatalogueSettings {
    /// Folder of further plugins (`*.wasm`); `None` for bundled ones only.
    pub folder: Option<PathBuf>,
    /// Folder of compiled code; `None` compiles at every start.
    pub cache: Option<PathBuf>,
    /// Whether files of the folder must be pinned.
    pub strict: bool,
    /// Settings of plugins that have none of their own.
    pub defaults: PluginSettings,
    /// Settings by key.
    pub plugins: BTreeMap<String, PluginSettings>,
}

/// The configuration table of a plugin's settings, as messages name it: what stands in the brackets can be pasted.
pub fn settings_table(key: &str) -> String {
    // A file may be called anything.
    format!("plugins.settings.{}", toml_key(key))
}

/// The key of a file's settings: its stem with `_` for `-`.
pub fn settings_key(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().replace('-', "_")
}

/// A plugin that serves requests, and under which settings.
struct Serving {
    key: String,
    settings: PluginSettings,
    plugin: Plugin,
    /// Counted are the calls of forecast models.
    stats: Arc<Stats>,
}

/// By name. All kinds share the names.
type Loaded = HashMap<String, Serving>;

/// Who looks at a plugin of the folder before it serves, and at the models that are loaded before it, by type; bundled
/// ones were looked at when the program was made.
pub type Admission = Box<dyn Fn(&Plugin, Models<'_>) -> Result<(), PluginError> + Send + Sync>;

/// Loaded forecast models, by type.
pub type Models<'a> = &'a dyn Fn(&str) -> Option<Arc<dyn ForecastModel>>;

/// The plugins of a running program. Requests hold an `Arc` of what they use, so that a reload never replaces a
/// plugin under a running call.
pub struct Catalogue {
    engine: Engine,
    settings: RwLock<Arc<CatalogueSettings>>,
    bundled: Vec<(&'static str, &'static [u8])>,
    cache: Option<CodeCache>,
    admission: Admission,
    current: RwLock<(Arc<Loaded>, Arc<[Entry]>)>,
    reloading: Mutex<()>,
}

impl std::fmt::Debug for Catalogue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Catalogue").field("entries", &self.entries()).finish_non_exhaustive()
    }
}

impl Catalogue {
    /// Loads everything. A plugin that is refused is listed with its reason and keeps nothing else from loading.
    pub fn load(
        engine: Engine,
        settings: CatalogueSettings,
        bundled: impl IntoIterator<Item = (&'static str, &'static [u8])>,
    ) -> Result<Self, PluginError> {
        Self::load_admitting(engine, settings, bundled, Box::new(|_, _| Ok(())))
    }

    /// The same; a file of the folder serves only when `admission` takes it.
    pub fn load_admitting(
        engine: Engine,
        settings: CatalogueSettings,
        bundled: impl IntoIterator<Item = (&'static str, &'static [u8])>,
        admission: Admission,
    ) -> Result<Self, PluginError> {
        let cache = settings.cache.as_deref().map(CodeCache::open).transpose()?;
        let catalogue = Self {
            engine,
            settings: RwLock::new(Arc::new(settings)),
            bundled: bundled.into_iter().collect(),
            cache,
            admission,
            current: RwLock::default(),
            reloading: Mutex::default(),
        };
        catalogue.reload();
        Ok(catalogue)
    }

    /// Settings for the next [`Catalogue::reload`]; the folder of compiled code stays the one of the start.
    pub fn configure(&self, settings: CatalogueSettings) {
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
    }

    fn settings(&self) -> Arc<CatalogueSettings> {
        Arc::clone(&self.settings.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Looks at the folder again, loads what is new or changed, and tells what that is. Calls that run go on with what
    /// they hold.
    pub fn reload(&self) -> Vec<Change> {
        // One at a time: compiling takes both cores.
        let _one = self.reloading.lock().unwrap_or_else(PoisonError::into_inner);
        let settings = self.settings();
        let mut loaded = Loaded::new();
        let mut entries = Vec::new();
        for (key, bytes) in &self.bundled {
            let entry =
                self.admit(&settings, key, Origin::Bundled, Ok(Cow::Borrowed(*bytes)), &entries, &mut loaded);
            entries.push(entry);
        }
        for path in files(&settings, &mut entries) {
            let key = settings_key(&path);
            let bytes = std::fs::read(&path).map(Cow::Owned).map_err(|e| PluginError::Host {
                context: format!("cannot read {}", path.display()),
                reason: e.to_string(),
            });
            let entry = self.admit(&settings, &key, Origin::File(path), bytes, &entries, &mut loaded);
            entries.push(entry);
        }
        for entry in &entries {
            if let State::Refused(e) = &entry.state {
                tracing::warn!(plugin = entry.key, code = e.code(), "plugin refused: {e}");
            }
        }
        for key in settings.plugins.keys().filter(|key| !entries.iter().any(|entry| entry.key == **key)) {
            tracing::warn!(
                "[{}] is the table of no plugin and has no effect; keys are names of built-in plugins and of files, \
                 without .wasm and with _ for -",
                settings_table(key)
            );
        }
        let changes = change::between(&self.entries(), &entries);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = (Arc::new(loaded), entries.into());
        changes
    }

    fn admit(
        &self,
        settings: &CatalogueSettings,
        key: &str,
        origin: Origin,
        bytes: Result<Cow<'_, [u8]>, PluginError>,
        before: &[Entry],
        loaded: &mut Loaded,
    ) -> Entry {
        let own = settings.plugins.get(key).unwrap_or(&settings.defaults).clone();
        let digest = bytes.as_ref().ok().map(|bytes| Digest::of(bytes));
        let must_be_pinned = settings.strict && origin != Origin::Bundled;
        let mut counters = None;
        let state = if let Some(owner) = before.iter().find(|entry| entry.key == key) {
            State::Refused(Arc::new(key_taken(key, &owner.origin)))
        } else if own.enabled {
            let opened =
                bytes.and_then(|bytes| self.open(key, &origin, &bytes, &own, must_be_pinned, loaded));
            let plugin = opened.and_then(|(plugin, stats)| {
                counters = Some(Arc::clone(&stats));
                insert(loaded, key, &own, plugin, stats)
            });
            match plugin {
                Ok(description) => State::Loaded(description),
                Err(e) => State::Refused(Arc::new(e)),
            }
        } else {
            State::Disabled
        };
        if !matches!(state, State::Loaded(_)) {
            counters = None;
        }
        Entry { key: key.to_owned(), origin, digest, settings: own, state, stats: counters }
    }

    fn open(
        &self,
        key: &str,
        origin: &Origin,
        bytes: &[u8],
        settings: &PluginSettings,
        must_be_pinned: bool,
        before: &Loaded,
    ) -> Result<(Plugin, Arc<Stats>), PluginError> {
        let digest = Digest::of(bytes);
        let table = settings_table(key);
        check_pin(digest, settings.sha256.as_deref(), must_be_pinned, format!("{table}.sha256"))?;
        // The same bytes stay loaded: a reload does not compile or restart them. Under another key or other settings
        // they are judged anew.
        let same = |serving: &&Serving| {
            serving.key == key
                && serving.plugin.description().digest == digest
                && serving.settings == *settings
        };
        if let Some(serving) = self.loaded().values().find(same) {
            return Ok((serving.plugin.clone(), Arc::clone(&serving.stats)));
        }
        let plugin = open(&self.engine, self.cache.as_ref(), key, bytes, settings)?;
        if matches!(origin, Origin::File(_)) {
            (self.admission)(&plugin, &|model_type| model_of(before, model_type))?;
        }
        Ok(match plugin {
            Plugin::ForecastModel(model) => {
                let served = ServedModel::new(model, &settings.defaults, &table)?;
                let stats = Arc::clone(served.stats());
                (Plugin::ForecastModel(Arc::new(served)), stats)
            }
            other => measured(other, &settings.defaults, &table)?,
        })
    }

    fn loaded(&self) -> Arc<Loaded> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner).0)
    }

    /// Everything that was found, loaded or not.
    pub fn entries(&self) -> Arc<[Entry]> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner).1)
    }

    /// The model of this type.
    pub fn model(&self, name: &str) -> Result<Arc<dyn ForecastModel>, PluginError> {
        model_of(&self.loaded(), name).ok_or_else(|| self.unknown(Kind::ForecastModel, name))
    }

    /// All loaded model types, sorted.
    pub fn model_types(&self) -> Vec<String> {
        self.names(Kind::ForecastModel)
    }

    /// The scenario adjuster of this name.
    pub fn adjuster(&self, name: &str) -> Result<Arc<dyn ScenarioAdjuster>, PluginError> {
        match self.loaded().get(name).map(|serving| &serving.plugin) {
            Some(Plugin::ScenarioAdjuster(adjuster)) => Ok(Arc::clone(adjuster)),
            _ => Err(self.unknown(Kind::ScenarioAdjuster, name)),
        }
    }

    /// The embedding provider of this name.
    pub fn embedder(&self, name: &str) -> Result<Arc<dyn EmbeddingProvider>, PluginError> {
        match self.loaded().get(name).map(|serving| &serving.plugin) {
            Some(Plugin::EmbeddingProvider(provider)) => Ok(Arc::clone(provider)),
            _ => Err(self.unknown(Kind::EmbeddingProvider, name)),
        }
    }

    /// What explains forecasts of this model type: the first by name, when several do. None when nothing does.
    pub fn explainer_of(&self, model_type: &str) -> Option<Arc<dyn Explainer>> {
        let loaded = self.loaded();
        let explainers = loaded.values().filter_map(|serving| match &serving.plugin {
            Plugin::Explainer(explainer) => Some(explainer),
            _ => None,
        });
        explainers
            .filter(|explainer| explainer.models().iter().any(|model| model.model_type == model_type))
            .min_by(|a, b| a.description().name.cmp(&b.description().name))
            .cloned()
    }

    /// All model types that a loaded explainer covers, sorted.
    pub fn explained_models(&self) -> Vec<String> {
        let loaded = self.loaded();
        let explainers = loaded.values().filter_map(|serving| match &serving.plugin {
            Plugin::Explainer(explainer) => Some(explainer),
            _ => None,
        });
        let mut models: Vec<String> = explainers
            .flat_map(|explainer| explainer.models())
            .map(|model| model.model_type.clone())
            .collect();
        models.sort();
        models.dedup();
        models
    }

    fn unknown(&self, kind: Kind, name: &str) -> PluginError {
        PluginError::Unknown { kind, name: name.to_owned(), loaded: self.names(kind) }
    }

    /// Names of the loaded plugins of a kind, sorted.
    fn names(&self, kind: Kind) -> Vec<String> {
        let loaded = self.loaded();
        let of_kind = loaded.values().map(|serving| serving.plugin.description());
        let mut names: Vec<String> =
            of_kind.filter(|said| said.kind == kind).map(|said| said.name.clone()).collect();
        names.sort();
        names
    }
}

fn model_of(loaded: &Loaded, model_type: &str) -> Option<Arc<dyn ForecastModel>> {
    match loaded.get(model_type).map(|serving| &serving.plugin) {
        Some(Plugin::ForecastModel(model)) => Some(Arc::clone(model)),
        _ => None,
    }
}

/// `key` is where the pin stands, or would.
fn check_pin(
    digest: Digest,
    pinned: Option<&str>,
    must_be_pinned: bool,
    key: String,
) -> Result<(), PluginError> {
    let found = digest.to_string();
    match pinned {
        Some(pinned) if pinned.eq_ignore_ascii_case(&found) => Ok(()),
        Some(pinned) => Err(PluginError::Digest { found, pinned: pinned.to_owned(), key }),
        None if must_be_pinned => Err(PluginError::Unpinned { found, key }),
        None => Ok(()),
    }
}

/// A settings table belongs to one plugin, and a bundled one keeps its own even when it is switched off: a file that
/// took the name `lightgbm.wasm` would inherit the grant that the operator gave to the bundled plugin.
fn key_taken(key: &str, owner: &Origin) -> PluginError {
    let owner = match owner {
        Origin::Bundled => format!("the bundled plugin `{key}`"),
        Origin::File(path) => format!("the file {}", path.display()),
    };
    let table = settings_table(key);
    PluginError::Description {
        reason: format!(
            "the file's name is taken: its settings table [{table}] belongs to {owner}; rename the file"
        ),
    }
}

/// A name belongs to the first plugin that has it: a file cannot take the place of a bundled plugin unseen.
fn insert(
    loaded: &mut Loaded,
    key: &str,
    settings: &PluginSettings,
    plugin: Plugin,
    stats: Arc<Stats>,
) -> Result<Description, PluginError> {
    let description = plugin.description().clone();
    if let Some(first) = loaded.get(&description.name) {
        return Err(PluginError::Description {
            reason: format!(
                "the name `{}` is taken by the plugin with SHA-256 {}; to use this one, switch the other off:\n[{}]\nenabled = false",
                description.name,
                first.plugin.description().digest,
                settings_table(&first.key),
            ),
        });
    }
    let serving = Serving { key: key.to_owned(), settings: settings.clone(), plugin, stats };
    loaded.insert(description.name.clone(), serving);
    Ok(description)
}

fn files(settings: &CatalogueSettings, entries: &mut Vec<Entry>) -> Vec<PathBuf> {
    let Some(folder) = &settings.folder else { return Vec::new() };
    match list_components(folder) {
        Ok(files) => files,
        // No folder is the usual case: nobody has put a plugin there yet.
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(e) => {
            let error = PluginError::Host {
                context: format!("cannot list the plugin folder {}", folder.display()),
                reason: e.to_string(),
            };
            entries.push(Entry {
                key: "plugins.dir".to_owned(),
                origin: Origin::File(folder.clone()),
                digest: None,
                settings: settings.defaults.clone(),
                state: State::Refused(Arc::new(error)),
                stats: None,
            });
            Vec::new()
        }
    }
}

fn list_components(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "wasm") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
