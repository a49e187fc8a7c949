//! Embedding through plugins: the configured provider, in batches, again after a pause where that may help.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::{self, StreamExt, TryStreamExt};
use retailcast_core::chunking::first_tokens;
use retailcast_runtime::embedding::{self, EmbeddingFailure, EmbeddingLimits, Remedy};
use retailcast_runtime::{
    Call, Catalogue, ComputePool, EmbeddingProvider as Plugin, Entry, GrantedFolder, HttpAccess, Lane,
    PluginError, State, settings_table,
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::embedding::{Embedder, EmbeddingError, Purpose};
use crate::ai::{AiSettings, EmbeddingProvider};
use crate::compute;

/// Pauses before further tries, where the provider names none.
const PAUSES: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];

/// Longest pause that a provider may ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The plugins that embed.
#[derive(Debug)]
pub struct Providers {
    catalogue: Arc<Catalogue>,
    compute: Arc<ComputePool>,
    batch_size: usize,
}

impl Providers {
    /// Those of this catalogue, with so many texts per call at most.
    pub fn new(catalogue: Arc<Catalogue>, compute: Arc<ComputePool>, batch_size: usize) -> Self {
        Self { catalogue, compute, batch_size }
    }
}

impl Embedder for Providers {
    fn embed<'a>(
        &'a self,
        settings: &'a AiSettings,
        purpose: Purpose,
        texts: Vec<String>,
        request_id: &'a str,
    ) -> BoxFuture<'a, Result<Vec<Vec<f32>>, EmbeddingError>> {
        Box::pin(async move {
            if texts.is_empty() {
                return Ok(Vec::new());
            }
            let provider = Provider::configured(&self.catalogue, settings)?;
            self.all(Arc::new(provider), purpose, texts, request_id).await
        })
    }
}

/// A plugin with what it is asked.
struct Provider {
    plugin: Arc<dyn Plugin>,
    name: &'static str,
    lane: Lane,
    config: String,
    dimension: usize,
    access: Option<Arc<HttpAccess>>,
    /// What it reads.
    folder: Option<GrantedFolder>,
}

/// Why a plugin serves nobody, and what would make it.
fn not_loaded(plugin: &str, entry: Option<&Entry>) -> String {
    match entry.map(|entry| &entry.state) {
        Some(State::Disabled) => format!(
            "the plugin `{plugin}` is switched off. To switch it on:\n[{}]\nenabled = true",
            settings_table(plugin)
        ),
        Some(State::Refused(e)) => format!("the plugin `{plugin}` was refused: {}: {e}", e.code()),
        Some(State::Loaded(_)) | None => {
            format!("the plugin `{plugin}` is not loaded; `retailcast plugin list` says why")
        }
    }
}

impl Provider {
    fn configured(catalogue: &Catalogue, settings: &AiSettings) -> Result<Self, EmbeddingError> {
        let (embedding, addresses) = (&settings.embedding, &settings.providers);
        let name = embedding.provider.name();
        let failed = |reason: String| EmbeddingError::Failed { provider: name, reason };
        let access = |url: &str, key: Option<&str>| {
            HttpAccess::new(url, key).map(|access| Some(Arc::new(access))).map_err(|e| failed(e.to_string()))
        };
        let config = |url: &str, model: &str| json!({"base_url": url, "model": model, "dimension": embedding.dimension});
        let (plugin, config, access): (&str, Value, _) = match embedding.provider {
            EmbeddingProvider::OpenAi => {
                let (url, key) = (&addresses.openai_base_url, addresses.openai_api_key.expose_secret());
                if key.is_empty() {
                    let reason = "there is no key; set OPENAI_API_KEY, or RAG_EMBEDDING_PROVIDER to `ollama` or \
                                  `local`, which need none";
                    return Err(failed(reason.to_owned()));
                }
                ("embed_openai", config(url, &embedding.model), access(url, Some(key))?)
            }
            EmbeddingProvider::Ollama => {
                let url = &addresses.ollama_base_url;
                ("embed_ollama", config(url, &embedding.ollama_model), access(url, None)?)
            }
            EmbeddingProvider::Local => {
                (embedding.local_plugin.as_str(), json!({"dimension": embedding.dimension}), None)
            }
            EmbeddingProvider::MiniLm => ("embed_minilm", json!({"dimension": embedding.dimension}), None),
        };
        let entries = catalogue.entries();
        let entry = entries.iter().find(|entry| entry.key == plugin);
        Ok(Self {
            plugin: catalogue.embedder(plugin).map_err(|_| failed(not_loaded(plugin, entry)))?,
            folder: entry.and_then(|entry| entry.settings.folder.clone()),
            name,
            lane: Lane::plugin(plugin),
            config: config.to_string(),
            dimension: embedding.dimension as usize,
            access,
        })
    }

    fn call(&self, request_id: &str) -> Call {
        Call { id: request_id.to_owned(), http: self.access.clone(), ..Call::default() }
    }

    fn limits(&self, request_id: &str) -> Result<EmbeddingLimits, EmbeddingError> {
        self.plugin.limits(&self.config, &self.call(request_id)).map_err(|e| self.broken(&e))
    }

    fn broken(&self, error: &PluginError) -> EmbeddingError {
        tracing::warn!(provider = self.name, code = error.code(), "an embedding plugin failed: {error}");
        self.failed(match error {
            PluginError::Guest(refusal) => self.located(&refusal.message),
            error => error.to_string(),
        })
    }

    /// A reason of the plugin's with the folder that it reads: what is wrong may be there.
    fn located(&self, reason: &str) -> String {
        match &self.folder {
            Some(folder) => format!("{reason}; it reads {folder}"),
            None => reason.to_owned(),
        }
    }

    fn failed(&self, reason: String) -> EmbeddingError {
        EmbeddingError::Failed { provider: self.name, reason: self.clean(&reason) }
    }

    /// A reason without the key, whoever wrote it into it.
    fn clean(&self, reason: &str) -> String {
        self.access.as_ref().map_or_else(|| reason.to_owned(), |access| access.redact(reason))
    }
}

impl Providers {
    async fn all(
        &self,
        provider: Arc<Provider>,
        purpose: Purpose,
        mut texts: Vec<String>,
        request_id: &str,
    ) -> Result<Vec<Vec<f32>>, EmbeddingError> {
        let (asked, id) = (Arc::clone(&provider), request_id.to_owned());
        let asking = Call { id: id.clone(), ..Call::default() };
        let limits =
            compute::run(&self.compute, &provider.lane, &asking, move || asked.limits(&id)).await??;
        if let Some(most) = limits.max_tokens {
            for text in &mut texts {
                let kept = first_tokens(text, most).len();
                text.truncate(kept);
            }
        }
        let batch = self.batch_size.min(limits.max_batch).max(1);
        let batches: Vec<Arc<[String]>> = texts.chunks(batch).map(Arc::from).collect();
        // A service gets one request after the other; what computes does so on all threads.
        let at_once = if limits.remote { 1 } else { self.compute.threads() };
        let embed = |texts| self.batch(&provider, limits.remote, purpose, texts, request_id);
        stream::iter(batches).map(embed).buffered(at_once).try_concat().await
    }

    /// One batch, with further tries where they may help.
    async fn batch(
        &self,
        provider: &Arc<Provider>,
        remote: bool,
        purpose: Purpose,
        texts: Arc<[String]>,
        request_id: &str,
    ) -> Result<Vec<Vec<f32>>, EmbeddingError> {
        let mut pauses = PAUSES.into_iter();
        loop {
            let call = provider.call(request_id);
            let failure = match self.once(provider, remote, purpose, &texts, call).await? {
                Ok(vectors) => return Ok(vectors),
                Err(failure) => failure,
            };
            let reason = provider.located(&provider.clean(&failure.error.message));
            match (failure.remedy, pauses.next()) {
                (Remedy::OtherKey, _) => return Err(EmbeddingError::Key { provider: provider.name, reason }),
                (Remedy::Pause(asked), Some(usual)) => {
                    let pause = asked.map_or(usual, Duration::from_millis).min(LONGEST_PAUSE);
                    tracing::info!(provider = provider.name, ?pause, "embedding is tried again: {reason}");
                    tokio::time::sleep(pause).await;
                }
                (Remedy::None | Remedy::Pause(_), _) => return Err(provider.failed(reason)),
            }
        }
    }

    /// One call of the plugin. One that waits for a service does so beside the compute threads.
    async fn once(
        &self,
        provider: &Arc<Provider>,
        remote: bool,
        purpose: Purpose,
        texts: &Arc<[String]>,
        call: Call,
    ) -> Result<Result<Vec<Vec<f32>>, EmbeddingFailure>, EmbeddingError> {
        let purpose = match purpose {
            Purpose::Document => embedding::Purpose::Document,
            Purpose::Query => embedding::Purpose::Query,
        };
        let (asked, texts, with) = (Arc::clone(provider), Arc::clone(texts), call.clone());
        let work = move || asked.plugin.embed(&asked.config, purpose, &texts, asked.dimension, &with);
        let done = if remote {
            let guard = call.cancel.cancel_on_drop();
            let span = tracing::Span::current();
            let done = tokio::task::spawn_blocking(move || span.in_scope(work)).await;
            guard.disarm();
            done.map_err(|_| compute::ComputeError::Lost)?
        } else {
            compute::run(&self.compute, &provider.lane, &call, work).await?
        };
        done.map_err(|e| provider.broken(&e))
    }
}
