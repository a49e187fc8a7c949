//! `[plugins]`: which plugins there are and what each may do.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use retailcast_runtime::{
    CatalogueSettings, GrantedFolder, HttpPattern, Limits, PluginSettings, settings_table,
};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::sections::{flag, within};

/// `[plugins]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PluginsConfig {
    /// Further plugins.
    pub dir: PathBuf,
    /// Compiled code.
    pub cache_dir: PathBuf,
    /// Pooling allocation.
    #[serde(deserialize_with = "flag")]
    pub pooling: bool,
    /// Whether files must be pinned.
    #[serde(deserialize_with = "flag")]
    pub strict: bool,
    /// Limits of every plugin.
    pub limits: LimitsConfig,
    /// What no limit may exceed.
    pub caps: LimitsConfig,
    /// Settings by plugin.
    #[serde(default)]
    pub settings: BTreeMap<String, PluginConfig>,
}

/// What an operator may grant.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grant {
    /// LightGBM in the host.
    GradientBoosting,
    /// Outgoing HTTP to these hosts.
    #[serde(deserialize_with = "hosts")]
    Http(Vec<HttpPattern>),
    /// Reading this folder.
    Folder(PathBuf),
}

/// `[plugins.settings.NAME]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PluginConfig {
    /// Whether it is loaded; `true` when unset.
    pub enabled: Option<bool>,
    /// The only file that is accepted.
    pub sha256: Option<String>,
    /// Capabilities.
    pub grants: Vec<Grant>,
    /// Where the grants stand, for messages: `retailcast.toml, line 7`.
    #[serde(skip)]
    pub granted_in: String,
    /// Limits of its own.
    pub limits: LimitsConfig,
    /// Defaults of its configuration, over those of its schema.
    pub defaults: Map<String, Value>,
}

/// Limits; what is unset is inherited.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsConfig {
    /// Linear memory of one instance.
    pub memory_mib: Option<usize>,
    /// One fit.
    pub fit_seconds: Option<f64>,
    /// One call for vectors.
    pub embed_seconds: Option<f64>,
    /// Every other call.
    pub predict_seconds: Option<f64>,
    /// What it may hand over in one call.
    pub payload_mib: Option<usize>,
}

fn hosts<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<HttpPattern>, D::Error> {
    let hosts = Vec::<String>::deserialize(d)?;
    if hosts.is_empty() {
        return Err(serde::de::Error::custom(
            "a grant of http without hosts grants nothing; write it like http = [\"https://api.example.com\"]",
        ));
    }
    hosts.iter().map(|host| host.parse().map_err(serde::de::Error::custom)).collect()
}

impl PluginsConfig {
    /// Bounds and rules between keys.
    pub(super) fn check(&self) -> Result<(), String> {
        self.caps.check("plugins.caps")?;
        self.limits.check("plugins.limits")?;
        self.limits.check_caps("plugins.limits", &self.caps)?;
        for (name, plugin) in &self.settings {
            let table = settings_table(name);
            plugin.limits.check(&format!("{table}.limits"))?;
            plugin.limits.check_caps(&format!("{table}.limits"), &self.caps)?;
            check_digest(&table, plugin.sha256.as_deref())?;
            if plugin.grants.iter().filter_map(Grant::folder).count() > 1 {
                return Err(format!(
                    "`{table}.grants`: a plugin reads one folder, and more than one is granted"
                ));
            }
        }
        Ok(())
    }

    /// What the plugin host needs to know.
    pub fn catalogue(&self) -> CatalogueSettings {
        let limits = self.limits.over(&Limits::default());
        let settings = |plugin: &PluginConfig| PluginSettings {
            enabled: plugin.enabled.unwrap_or(true),
            sha256: plugin.sha256.clone(),
            gradient_boosting: plugin.grants.contains(&Grant::GradientBoosting),
            http: plugin.grants.iter().flat_map(Grant::hosts).cloned().collect(),
            folder: plugin.folder(),
            limits: plugin.limits.over(&limits),
            defaults: plugin.defaults.clone(),
        };
        CatalogueSettings {
            folder: Some(self.dir.clone()),
            cache: Some(self.cache_dir.clone()),
            strict: self.strict,
            defaults: PluginSettings { limits: limits.clone(), ..PluginSettings::default() },
            plugins: self.settings.iter().map(|(name, plugin)| (name.clone(), settings(plugin))).collect(),
        }
    }
}

impl PluginsConfig {
    /// Finds the lines in which the grants stand. `files`: names and texts, each over those before it.
    pub(super) fn locate_grants(&mut self, files: &[(String, String)]) {
        for (name, plugin) in &mut self.settings {
            // What the last file says holds.
            let found = files.iter().rev().find_map(|(file, text)| Some((file, line_of_grants(text, name)?)));
            if let Some((file, line)) = found {
                plugin.granted_in = format!("{file}, line {line}");
            }
        }
    }
}

fn line_of_grants(toml: &str, plugin: &str) -> Option<usize> {
    let document = toml_edit::Document::parse(toml).ok()?;
    let grants = document.get("plugins")?.get("settings")?.get(plugin)?.get("grants")?;
    Some(1 + toml[..grants.span()?.start].matches('\n').count())
}

impl PluginConfig {
    fn folder(&self) -> Option<GrantedFolder> {
        self.grants
            .iter()
            .find_map(Grant::folder)
            .map(|path| GrantedFolder { path: path.to_owned(), granted_in: self.granted_in.clone() })
    }
}

impl Grant {
    fn hosts(&self) -> &[HttpPattern] {
        match self {
            Self::Http(hosts) => hosts,
            Self::GradientBoosting | Self::Folder(_) => &[],
        }
    }

    fn folder(&self) -> Option<&Path> {
        match self {
            Self::Folder(path) => Some(path),
            Self::GradientBoosting | Self::Http(_) => None,
        }
    }
}

fn check_digest(table: &str, sha256: Option<&str>) -> Result<(), String> {
    match sha256 {
        Some(hex) if hex.len() != 64 || !hex.bytes().all(|b| b.is_ascii_hexdigit()) => {
            Err(format!("`{table}.sha256`: `{hex}` is no SHA-256, which has 64 hex digits"))
        }
        _ => Ok(()),
    }
}

impl LimitsConfig {
    fn check(&self, table: &str) -> Result<(), String> {
        // Linear memories are 32-bit; a pool reserves 2 GiB per instance.
        let mib = [("memory_mib", self.memory_mib), ("payload_mib", self.payload_mib)];
        for (key, value) in mib {
            within(&format!("{table}.{key}"), value.map_or(1, |v| v as u64), 1, 2_048)?;
        }
        for (key, value) in [
            ("fit_seconds", self.fit_seconds),
            ("embed_seconds", self.embed_seconds),
            ("predict_seconds", self.predict_seconds),
        ] {
            let value = value.unwrap_or(1.0);
            if !(0.01..=86_400.0).contains(&value) {
                return Err(format!("`{table}.{key}`: {value} is out of range, allowed is 0.01 to 86400"));
            }
        }
        Ok(())
    }

    /// No limit may be above the cap of its name.
    fn check_caps(&self, table: &str, caps: &Self) -> Result<(), String> {
        for ((key, value), (_, cap)) in self.numbers().into_iter().zip(caps.numbers()) {
            if let (Some(value), Some(cap)) = (value, cap)
                && value > cap
            {
                return Err(format!(
                    "`{table}.{key}`: {value} is above the cap of every plugin, `plugins.caps.{key}` = {cap}. \
                     To allow it:\n[plugins.caps]\n{key} = {value}"
                ));
            }
        }
        Ok(())
    }

    fn numbers(&self) -> [(&'static str, Option<f64>); 5] {
        let mib = |value: Option<usize>| value.map(|mib| mib as f64);
        [
            ("memory_mib", mib(self.memory_mib)),
            ("fit_seconds", self.fit_seconds),
            ("embed_seconds", self.embed_seconds),
            ("predict_seconds", self.predict_seconds),
            ("payload_mib", mib(self.payload_mib)),
        ]
    }

    /// These limits where they are set, `inherited` where not.
    fn over(&self, inherited: &Limits) -> Limits {
        let mib = |value: Option<usize>, inherited: usize| value.map_or(inherited, |mib| mib << 20);
        let seconds =
            |value: Option<f64>, inherited: Duration| value.map_or(inherited, Duration::from_secs_f64);
        Limits {
            memory: mib(self.memory_mib, inherited.memory),
            fit: seconds(self.fit_seconds, inherited.fit),
            embed: seconds(self.embed_seconds, inherited.embed),
            predict: seconds(self.predict_seconds, inherited.predict),
            payload: mib(self.payload_mib, inherited.payload),
        }
    }
}
