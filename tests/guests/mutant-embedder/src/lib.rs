//! A good embedding provider with one fault: words, each hashed to one place. The good form `remote` asks a service that
//! it cannot reach, and says so.
//!
//! The exports are written out and not made by the SDK's macro, whose description is a constant: one fault changes it.

#![allow(missing_docs, reason = "exports of a component have no readers")]

use retailcast_guest_fault::{clock, fault, has, overdo};
use retailcast_sdk::embedding::{Failure, Limits, Purpose};
use retailcast_sdk::{Error, ErrorCode, Info};
use schemars::JsonSchema;
use serde::Deserialize;

pub const INFO: Info = Info {
    name: "mutant_embedder",
    version: "7.7.7",
    licence: "LicenseRef-Mutant",
    summary: "Vectors of words, with one fault.",
};

pub struct Component;

#[derive(Deserialize, JsonSchema)]
pub struct Config {
    pub dimension: usize,
}

fn parse(config: &str) -> Result<Config, Error> {
    serde_json::from_str(config).map_err(|e| Error::invalid_config(e.to_string()))
}

pub fn limits_of(config: &str) -> Result<Limits, Error> {
    parse(config)?;
    if has("takes-nothing") {
        return Err(Error::invalid_config("no length is right"));
    }
    let max_batch = match fault() {
        "limits-by-clock" => 1 + (clock() % 86_400) as u32,
        _ => 200,
    };
    Ok(Limits { max_batch, max_tokens: None, remote: has("remote") || has("remote-zeros") })
}

/// FNV-1a, 32 bits.
fn hash(word: &str) -> u32 {
    word.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

fn vector(text: &str, purpose: Purpose, dimension: usize) -> Vec<f32> {
    assert!(!(has("panic-on-empty") && text.is_empty()), "nothing to embed");
    let mut vector = vec![0.0_f32; dimension];
    if has("no-coffee") && text.contains("coffee") {
        return vector;
    }
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 3);
    for word in words {
        vector[hash(&word.to_lowercase()) as usize % dimension] += 1.0;
    }
    if has("opposite") && purpose == Purpose::Query {
        for number in &mut vector {
            *number = -*number;
        }
    }
    if has("by-clock") {
        vector[0] += (clock() % 86_400) as f32;
    }
    vector
}

pub fn embed(config: &str, purpose: Purpose, texts: &[String]) -> Result<Vec<f32>, Failure> {
    let Config { dimension } = parse(config)?;
    overdo();
    assert!(!has("panic"), "out of words");
    if has("remote") {
        return Err(Failure::upstream("the service is not there"));
    }
    if has("remote-zeros") {
        return Ok(vec![0.0; dimension * texts.len()]);
    }
    if has("few-texts") && texts.len() > 100 || has("long-vectors") && dimension < 300 {
        return Err(Error::new(ErrorCode::Other, "that does not fit").into());
    }
    let mut vectors: Vec<f32> = texts.iter().flat_map(|text| vector(text, purpose, dimension)).collect();
    match fault() {
        "short" => {
            vectors.pop();
        }
        "nan" => vectors[0] = f32::NAN,
        "huge" => vectors = vec![0.0; 1 << 20],
        "neighbours" => {
            let first = vectors[0];
            vectors[dimension * (texts.len() - 1)] += first + texts.len() as f32;
        }
        _ => {}
    }
    Ok(vectors)
}

#[cfg(target_arch = "wasm32")]
#[allow(unsafe_code, clippy::all)]
mod component_exports {
    use retailcast_guest_fault::described;
    use retailcast_sdk::component::{WitDescription, WitError, WitKind, describe_configured};

    use retailcast_sdk::embedding_bindings::exports::retailcast::plugin::embedder as wit;

    use super::*;

    impl retailcast_sdk::description_bindings::exports::retailcast::plugin::plugin::Guest for Component {
        fn describe() -> WitDescription {
            described(describe_configured::<Config>(&INFO, WitKind::EmbeddingProvider))
        }
    }

    impl wit::Guest for Component {
        fn limits_of(config: String) -> Result<Limits, WitError> {
            super::limits_of(&config).map_err(Into::into)
        }
        fn embed(config: String, purpose: Purpose, texts: Vec<String>) -> Result<Vec<f32>, wit::Failure> {
            super::embed(&config, purpose, &texts)
                .map_err(|failure| wit::Failure { error: failure.error.into(), remedy: failure.remedy })
        }
    }

    retailcast_sdk::description_bindings::export_description!(Component with_types_in retailcast_sdk::description_bindings);
    retailcast_sdk::embedding_bindings::export_embedder!(Component with_types_in retailcast_sdk::embedding_bindings);
}
