//! Reads and changes the settings in effect.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use sqlx::PgPool;
use tokio::sync::Mutex;

use super::error::ConfigError;
use super::overrides::{self, Allowed, Change};
use super::store;
use crate::ai::{AiSettings, LiveSettings, host_of};
use crate::http::Problem;
use crate::jobs::Bell;
use crate::llm::{Ollama, OllamaError, OllamaModel};
use crate::slices::rag;

/// Settings, and what was changed of them at run time.
#[derive(Debug, Clone)]
pub struct AiConfig(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    pool: PgPool,
    /// As configured.
    base: AiSettings,
    live: LiveSettings,
    allowed: Allowed,
    ollama: Ollama,
    /// What is stored, as this process last saw it. Held while it is read and put into effect, so that an older state
    /// never replaces a newer one.
    stored: Mutex<BTreeMap<String, Value>>,
}

/// How often the stored settings are looked at without being told to.
const LOOK: Duration = Duration::from_secs(5);

impl AiConfig {
    /// Begins with the settings in effect, which are those configured. `hosts` may be named by `ollama_base_url`, besides this machine and the
    /// configured one.
    pub fn new(pool: PgPool, live: LiveSettings, hosts: &[String], ollama: Ollama) -> Self {
        let base = (*live.current()).clone();
        let allowed =
            Allowed(hosts.iter().cloned().chain(host_of(&base.providers.ollama_base_url)).collect());
        let stored = Mutex::default();
        Self(Arc::new(Inner { pool, base, live, allowed, ollama, stored }))
    }

    /// The settings in effect.
    pub fn current(&self) -> Arc<AiSettings> {
        self.0.live.current()
    }

    /// Reads a body of changes.
    pub fn read(&self, body: &Map<String, Value>) -> Result<Change, Problem> {
        Change::read(body, &self.0.allowed, &self.current()).map_err(Problem::validation)
    }

    /// Stores changes and puts them into effect, all or none.
    pub async fn change(&self, change: &Change) -> Result<Arc<AiSettings>, ConfigError> {
        if change.values.is_empty() {
            return Err(ConfigError::NoChange);
        }
        let Inner { pool, base, live, allowed, .. } = &*self.0;
        let mut stored = self.0.stored.lock().await;
        let mut transaction = pool.begin().await?;
        store::lock(&mut transaction).await?;
        let mut next = store::read(&mut transaction).await?;
        let present = overrides::apply(base, &next, allowed).embedding.dimension;
        if let Some(wanted) = change.dimension().filter(|wanted| *wanted != present) {
            let chunks = rag::hold_chunks(&mut transaction).await?;
            if chunks > 0 && !change.force {
                return Err(ConfigError::Dimension { chunks, present, wanted });
            }
            rag::resize(&mut transaction, wanted).await?;
        }
        store::write(&mut transaction, &change.values).await?;
        transaction.commit().await?;
        next.extend(change.values.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        live.replace(overrides::apply(base, &next, allowed));
        *stored = next;
        let names: Vec<_> = change.values.keys().copied().collect();
        tracing::info!(settings = names.join(", "), force = change.force, "settings were changed");
        Ok(live.current())
    }

    /// Takes over what is stored now.
    pub async fn refresh(&self) -> sqlx::Result<()> {
        let Inner { pool, base, live, allowed, .. } = &*self.0;
        let mut stored = self.0.stored.lock().await;
        let now = store::read_now(pool).await?;
        if now != *stored {
            live.replace(overrides::apply(base, &now, allowed));
            *stored = now;
            tracing::info!(settings = live.current().overridden.join(", "), "stored settings are in effect");
        }
        Ok(())
    }

    /// Takes over what was stored before this process began; without a readable table the configuration stands.
    pub async fn load(&self) {
        if let Err(error) = self.refresh().await {
            tracing::warn!(%error, "the stored settings cannot be read; the configuration stands");
        }
    }

    /// Follows changes that other processes make, until the pool is closed.
    pub async fn follow(self, bell: Arc<Bell>) {
        let mut changes = bell.settings();
        while !self.0.pool.is_closed() {
            // Either is a reason to look.
            let _ = tokio::time::timeout(LOOK, changes.changed()).await;
            if let Err(error) = self.refresh().await
                && !self.0.pool.is_closed()
            {
                tracing::warn!(%error, "the stored settings cannot be read; those in effect stay");
            }
        }
    }

    /// Models of the Ollama server that these settings name.
    pub async fn ollama_models(&self, settings: &AiSettings) -> Result<Vec<OllamaModel>, OllamaError> {
        self.0.ollama.models(&settings.providers.ollama_base_url).await
    }
}
