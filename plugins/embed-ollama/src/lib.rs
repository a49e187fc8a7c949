//! `embed_ollama`: vectors from an Ollama server, through the part of its API that speaks OpenAI's protocol.

use retailcast_sdk::embedding::{EmbeddingProvider, Failure, Limits, Purpose, Remedy, openai};
use retailcast_sdk::http::{self, Response, SendError};
use retailcast_sdk::{Error, Info};
use schemars::JsonSchema;
use serde::Deserialize;

/// Where to ask for what.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Config {
    /// Address of the server, without a path.
    pub base_url: String,
    /// A model that was pulled there.
    pub model: String,
    /// Length of a vector.
    #[schemars(range(min = 1))]
    pub dimension: u32,
}

/// The provider.
pub struct EmbedOllama;

impl EmbeddingProvider for EmbedOllama {
    type Config = Config;
    const INFO: Info = Info {
        name: "embed_ollama",
        version: env!("CARGO_PKG_VERSION"),
        licence: "Apache-2.0",
        summary: "Vectors of texts from an Ollama server.",
    };

    fn limits(_: &Config) -> Result<Limits, Error> {
        Ok(Limits { max_batch: 2_048, max_tokens: None, remote: true })
    }

    fn embed(config: &Config, _: Purpose, texts: &[String]) -> Result<Vec<f32>, Failure> {
        let body = openai::request(&config.model, config.dimension, texts);
        let answer = http::post_json(&format!("{}/v1/embeddings", config.base_url), &body);
        vectors(answer, config, texts.len())
    }
}

/// Ollama answers 5xx while it loads a model: that is worth another try.
fn vectors(answer: Result<Response, SendError>, config: &Config, texts: usize) -> Result<Vec<f32>, Failure> {
    let response = answer.map_err(|SendError(reason)| Failure::upstream(reason))?;
    let failure = || Failure::upstream(openai::reason(&response));
    match response.status {
        200 => openai::vectors(&response.body, texts, config.dimension),
        401 | 403 => Err(failure().helped_by(Remedy::OtherKey)),
        404 => Err(Failure::upstream(format!(
            "the server has no model `{0}`; `ollama pull {0}` there gets it ({1})",
            config.model,
            openai::reason(&response)
        ))),
        500.. => Err(failure().helped_by(Remedy::Pause(openai::pause(&response)))),
        _ => Err(failure()),
    }
}

retailcast_sdk::export!(EmbedOllama as EmbeddingProvider);

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(status: u16) -> Failure {
        let config = Config { base_url: "http://a".to_owned(), model: "nomic".to_owned(), dimension: 1 };
        vectors(Ok(Response { status, ..Response::default() }), &config, 1).unwrap_err()
    }

    #[test]
    fn what_may_help() {
        assert_eq!(failure(500).remedy, Remedy::Pause(None));
        assert_eq!(failure(503).remedy, Remedy::Pause(None));
        assert_eq!(failure(403).remedy, Remedy::OtherKey);
        for status in [400, 404, 429] {
            assert_eq!(failure(status).remedy, Remedy::None, "{status}");
        }
        assert!(failure(404).error.to_string().contains("ollama pull nomic"));
    }
}
