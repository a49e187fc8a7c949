//! A model, and another one for when it fails.

use std::sync::Arc;

use super::client::Client;
use super::endpoint::Endpoint;
use super::error::{ChatError, Failure};
use super::message::{ChatRequest, Reply};
use super::openai::OpenAi;
use super::{ChatModel, Listener};
use crate::ai::{AiSettings, ModelId};

/// The first model has no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the model {model} needs a key of {provider}, and none is configured; PATCH /config/ai or the variable {variable} \
     sets it, or agent_default_model names another model",
    provider = model.provider.name(),
)]
pub struct NoKey {
    /// The model.
    pub model: ModelId,
    /// Where its key would come from.
    pub variable: &'static str,
}

/// The model and its substitute.
#[derive(Debug, Clone)]
pub struct Models(Vec<Arc<dyn ChatModel>>);

impl Models {
    /// Those of the settings. A substitute that is the same model or has no key is none.
    pub fn of(settings: &AiSettings, client: &Client) -> Result<Self, NoKey> {
        let first = &settings.agent.default_model;
        if !settings.providers.usable(first.provider) {
            return Err(NoKey { model: first.clone(), variable: variable(first) });
        }
        let second = settings.agent.fallback_model.as_ref();
        let second = second.filter(|id| *id != first && settings.providers.usable(id.provider));
        let model = |id: &ModelId| -> Arc<dyn ChatModel> {
            Arc::new(OpenAi::new(client.clone(), id.clone(), Endpoint::of(&settings.providers, id.provider)))
        };
        Ok(Self([first].into_iter().chain(second).map(model).collect()))
    }

    /// Asks the first model, and the second one when it fails, unless some of what the first one said has been forwarded
    /// already. When none answers, the failures come in the order of asking.
    pub async fn ask(
        &self,
        request: &ChatRequest<'_>,
        mut listener: Option<&mut dyn Listener>,
    ) -> Result<Reply, Vec<Failure>> {
        let mut failures = Vec::new();
        for model in &self.0 {
            let asked = match &mut listener {
                Some(listener) => {
                    listener.begin();
                    model.ask(request, Some(&mut **listener)).await
                }
                None => model.ask(request, None).await,
            };
            match asked {
                Ok(reply) => return Ok(reply),
                Err(error) => failures.push(failed(model.id(), error)),
            }
            if listener.as_ref().is_some_and(|listener| listener.has_forwarded()) {
                break;
            }
        }
        Err(failures)
    }
}

fn failed(model: &ModelId, error: ChatError) -> Failure {
    tracing::warn!(%model, status = error.status, reason = error.reason.name(), detail = error.detail, "a model failed");
    Failure::new(model, error)
}

fn variable(model: &ModelId) -> &'static str {
    use crate::ai::Provider;
    match model.provider {
        Provider::Anthropic => "ANTHROPIC_API_KEY",
        Provider::OpenAi => "OPENAI_API_KEY",
        Provider::GoogleGla | Provider::GoogleVertex => "GOOGLE_API_KEY",
        Provider::Ollama => "OLLAMA_BASE_URL",
    }
}
