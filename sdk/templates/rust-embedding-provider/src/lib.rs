//! `my_model`: vectors of the runs of three characters in a text. Make it yours.

use retailcast_sdk::embedding::{EmbeddingProvider, Failure, Limits, Purpose};
use retailcast_sdk::{Error, Info};
use schemars::JsonSchema;
use serde::Deserialize;

/// The provider.
pub struct MyModel;

/// What the server asks for.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Config {
    /// Length of a vector.
    #[schemars(range(min = 1))]
    pub dimension: u32,
}

impl EmbeddingProvider for MyModel {
    type Config = Config;
    const INFO: Info = Info {
        name: "my_model",
        version: env!("CARGO_PKG_VERSION"),
        licence: "Apache-2.0",
        summary: "Vectors of the runs of three characters in a text.",
    };

    fn limits(config: &Config) -> Result<Limits, Error> {
        if config.dimension == 0 {
            return Err(Error::invalid_config("`dimension` must be at least 1"));
        }
        Ok(Limits { max_batch: 64, max_tokens: None, remote: false })
    }

    fn embed(config: &Config, _: Purpose, texts: &[String]) -> Result<Vec<f32>, Failure> {
        Ok(texts.iter().flat_map(|text| vector(text, config.dimension as usize)).collect())
    }
}

/// How often each run stands in the text, hashed to a place of the vector.
fn vector(text: &str, dimension: usize) -> Vec<f32> {
    let mut vector = vec![0.0; dimension];
    let characters: Vec<char> = text.to_lowercase().chars().collect();
    for run in characters.windows(3) {
        vector[hash(run) as usize % dimension] += 1.0;
    }
    vector
}

/// FNV-1a: the same in every run and on every machine, unlike the hashes of Rust's maps.
fn hash(run: &[char]) -> u64 {
    run.iter().fold(0xcbf2_9ce4_8422_2325, |hash, c| (hash ^ u64::from(*c)).wrapping_mul(0x0100_0000_01b3))
}

retailcast_sdk::export!(MyModel as EmbeddingProvider);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn like_texts_are_near() {
        let similarity =
            |a: &str, b: &str| -> f32 { vector(a, 512).iter().zip(vector(b, 512)).map(|(x, y)| x * y).sum() };
        let near = similarity("weekly sales of tea", "tea: sales per week");
        assert!(near > similarity("weekly sales of tea", "a red bicycle"));
    }
}
