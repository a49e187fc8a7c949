//! `embed_openai`: vectors from OpenAI, or whoever speaks its protocol.

use retailcast_sdk::embedding::{EmbeddingProvider, Failure, Limits, Purpose, Remedy, openai};
use retailcast_sdk::http::{self, Response, SendError};
use retailcast_sdk::{Error, Info};
use schemars::JsonSchema;
use serde::Deserialize;

/// Where to ask for what.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Config {
    /// Address of the service, `/v1` included.
    pub base_url: String,
    /// Its model.
    pub model: String,
    /// Length of a vector.
    #[schemars(range(min = 1))]
    pub dimension: u32,
}

/// The provider.
pub struct EmbedOpenai;

impl EmbeddingProvider for EmbedOpenai {
    type Config = Config;
    const INFO: Info = Info {
        name: "embed_openai",
        version: env!("CARGO_PKG_VERSION"),
        licence: "Apache-2.0",
        summary: "Vectors of texts from OpenAI, or whoever speaks its protocol.",
    };

    fn limits(_: &Config) -> Result<Limits, Error> {
        // What OpenAI's API takes.
        Ok(Limits { max_batch: 2_048, max_tokens: Some(8_191), remote: true })
    }

    fn embed(config: &Config, _: Purpose, texts: &[String]) -> Result<Vec<f32>, Failure> {
        let body = openai::request(&config.model, config.dimension, texts);
        let answer = http::post_json(&format!("{}/embeddings", config.base_url), &body);
        vectors(answer, texts.len(), config.dimension)
    }
}

/// Only a rate limit is worth another try.
fn vectors(answer: Result<Response, SendError>, texts: usize, dimension: u32) -> Result<Vec<f32>, Failure> {
    let response = answer.map_err(|SendError(reason)| Failure::upstream(reason))?;
    let failure = || Failure::upstream(openai::reason(&response));
    match response.status {
        200 => openai::vectors(&response.body, texts, dimension),
        401 | 403 => Err(failure().helped_by(Remedy::OtherKey)),
        429 => Err(failure().helped_by(Remedy::Pause(openai::pause(&response)))),
        _ => Err(failure()),
    }
}

retailcast_sdk::export!(EmbedOpenai as EmbeddingProvider);

#[cfg(test)]
mod tests {
    use super::*;

    fn remedy(status: u16) -> Remedy {
        let response =
            Response { status, headers: vec![("retry-after".to_owned(), "2".to_owned())], body: vec![] };
        vectors(Ok(response), 1, 1).unwrap_err().remedy
    }

    #[test]
    fn what_may_help() {
        assert_eq!(remedy(401), Remedy::OtherKey);
        assert_eq!(remedy(403), Remedy::OtherKey);
        assert_eq!(remedy(429), Remedy::Pause(Some(2_000)));
        for status in [301, 400, 404, 500, 503] {
            assert_eq!(remedy(status), Remedy::None, "{status}");
        }
        let lost = vectors(Err(SendError("no connection in time".to_owned())), 1, 1).unwrap_err();
        assert_eq!((lost.remedy, lost.error.to_string()), (Remedy::None, "no connection in time".to_owned()));
    }

    #[test]
    fn a_success_gives_vectors() {
        let body = br#"{"data": [{"index": 0, "embedding": [0.5]}]}"#.to_vec();
        assert_eq!(vectors(Ok(Response { status: 200, headers: vec![], body }), 1, 1).unwrap(), [0.5]);
    }
}
