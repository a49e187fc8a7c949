//! Lists plugins and loads them again, with the operator's settings as they are by then.

use std::sync::Arc;

use retailcast_runtime::{Catalogue, Change, Entry, State};

use crate::config::{Config, ConfigError};

/// The plugins of the running program.
#[derive(Debug, Clone)]
pub struct Plugins {
    catalogue: Arc<Catalogue>,
    config: Arc<Config>,
}

impl Plugins {
    /// Of this catalogue; `config` is where its settings came from.
    pub fn new(catalogue: Arc<Catalogue>, config: Config) -> Self {
        Self { catalogue, config: Arc::new(config) }
    }

    /// Everything that was found, loaded or not.
    pub fn entries(&self) -> Arc<[Entry]> {
        self.catalogue.entries()
    }

    /// The plugin of this name, or of this settings table when it is not loaded.
    pub fn find(&self, name: &str) -> Option<Entry> {
        let entries = self.entries();
        let named = |entry: &&Entry| matches!(&entry.state, State::Loaded(said) if said.name == name);
        entries.iter().find(named).or_else(|| entries.iter().find(|entry| entry.key == name)).cloned()
    }

    /// Reads `[plugins]` and the folder again and tells what changed. Blocks: plugins are compiled. Settings that do not
    /// fit change nothing.
    pub fn reload(&self) -> Result<Vec<Change>, ConfigError> {
        let config = self.config.read_again()?;
        self.catalogue.configure(config.plugins.catalogue());
        let changes = self.catalogue.reload();
        for change in &changes {
            let digest = |digest: Option<retailcast_runtime::Digest>| digest.map(|digest| digest.to_string());
            tracing::info!(
                plugin = change.key,
                before = digest(change.before),
                after = digest(change.after),
                "plugin {}",
                change.kind
            );
        }
        Ok(changes)
    }

    /// The same for whom nobody waits: what went wrong is logged.
    pub fn reload_and_log(&self) {
        match self.reload() {
            Ok(_) => {
                let models = self.catalogue.model_types().join(", ");
                tracing::info!(models, "plugins were loaded again");
            }
            Err(e) => tracing::error!("plugins stay as they are, the configuration does not fit: {e}"),
        }
    }
}
