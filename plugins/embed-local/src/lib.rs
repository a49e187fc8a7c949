//! `embed_local`: vectors from the words of a text, without network and key.
//!
//! A text's features are the stems of its words and the runs of four characters in them, so that words of one family
//! meet, and misspelled ones too. Each is hashed to a place of the vector and a sign (Weinberger et al. 2009). Beside them
//! stands what the words mean, from a table of English words, so that other words for the same thing meet as well. What
//! was tried, and what it found: `docs/rag.md`.

mod meanings;
mod words;

use std::collections::BTreeMap;

use retailcast_sdk::embedding::{EmbeddingProvider, Failure, Limits, Purpose};
use retailcast_sdk::{Error, Info};
use schemars::JsonSchema;
use serde::Deserialize;
use xxhash_rust::xxh3::xxh3_64;

use words::{runs, stem, words};

/// How long vectors are.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Config {
    /// Length of a vector; below a few hundred, different words meet in one place.
    #[schemars(range(min = 2))]
    pub dimension: u32,
}

/// The provider.
pub struct EmbedLocal;

impl EmbeddingProvider for EmbedLocal {
    type Config = Config;
    const INFO: Info = Info {
        name: "embed_local",
        version: env!("CARGO_PKG_VERSION"),
        licence: "Apache-2.0",
        summary: "Vectors of texts from the words in them, without network and key.",
    };

    fn limits(config: &Config) -> Result<Limits, Error> {
        if config.dimension < 2 {
            return Err(Error::invalid_config(format!(
                "`dimension` must be at least 2, got {}",
                config.dimension
            )));
        }
        Ok(Limits { max_batch: 64, max_tokens: None, remote: false })
    }

    fn embed(config: &Config, _: Purpose, texts: &[String]) -> Result<Vec<f32>, Failure> {
        let dimension = config.dimension as usize;
        Ok(texts.iter().flat_map(|text| vector(text, dimension)).collect())
    }
}

/// Squared length of the part that all vectors have in common, beside 1 for the part of their words. With c the cosine
/// of two texts' words, the similarity of their vectors is (5 + 3c) / 8: texts that have little in common (c = 0.2) are
/// at 0.7, the threshold that searches have when they name none. The order of results is that of c.
const COMMON: f32 = 5.0 / 3.0;

/// How much of c is what the words mean; the rest is how they are written.
const MEANING: f32 = 0.35;

/// How much the runs of a word count together, beside its stem: they stand for words that nobody knows, for names and
/// mistakes.
const RUNS: f32 = 0.5;

/// The same of a word whose meaning counts too: others that are written alike mostly mean something else.
const RUNS_OF_KNOWN: f32 = 0.1;

/// Shorter vectors have no room for meanings: too many written features would share each place that is left.
const WITH_MEANINGS: usize = 256;

/// The vector of a text, of length 1; all zeros for a text without words.
fn vector(text: &str, dimension: usize) -> Vec<f32> {
    let mut vector = vec![0.0; dimension];
    let Some((common, rest)) = vector.split_first_mut() else { return vector };
    let words = words(text);
    let meant = if dimension < WITH_MEANINGS { 0 } else { meanings::DIMENSIONS };
    let (meaning, written) = rest.split_at_mut(meant);
    for (feature, weight) in features(&words, meant > 0) {
        let hash = xxh3_64(feature.as_bytes());
        // A feature that counts for many words counts less than their sum.
        let weight = weight.sqrt();
        written[(hash >> 1) as usize % written.len()] += if hash & 1 == 0 { weight } else { -weight };
    }
    if !meaning.is_empty() {
        meaning.copy_from_slice(&meaning_of(&words));
    }
    scale(meaning, MEANING.sqrt());
    scale(written, (1.0 - MEANING).sqrt());
    if scale(rest, 1.0 / (1.0 + COMMON).sqrt()) {
        *common = (COMMON / (1.0 + COMMON)).sqrt();
    }
    vector
}

/// Gives numbers this length; whether they had any.
fn scale(numbers: &mut [f32], length: f32) -> bool {
    let found = numbers.iter().map(|x| x * x).sum::<f32>().sqrt();
    if found > 0.0 {
        for number in numbers {
            *number *= length / found;
        }
    }
    found > 0.0
}

/// The second time that a word stands in a text says less than the first.
fn weight(count: u32) -> f32 {
    1.0 + (count as f32).ln()
}

fn meaning_of(words: &BTreeMap<String, u32>) -> [f32; meanings::DIMENSIONS] {
    let mut sum = [0.0; meanings::DIMENSIONS];
    for (word, count) in words {
        meanings::add(word, weight(*count), &mut sum);
    }
    sum
}

/// Stems and runs of characters with their weights; `meant` when meanings count beside them. A word's runs together weigh
/// more, the longer it is, but not as much as they are many.
fn features(words: &BTreeMap<String, u32>, meant: bool) -> BTreeMap<String, f32> {
    let mut features = BTreeMap::new();
    for (word, count) in words {
        let weight = weight(*count);
        *features.entry(format!("stem {}", stem(word))).or_insert(0.0) += weight;
        let runs = runs(word);
        let share = if meant && meanings::knows(word) { RUNS_OF_KNOWN } else { RUNS };
        let each = share * weight / (runs.len() as f32).sqrt();
        for run in runs {
            *features.entry(run).or_insert(0.0) += each;
        }
    }
    features
}

retailcast_sdk::export!(EmbedLocal as EmbeddingProvider);

#[cfg(test)]
mod tests {
    use super::*;

    fn similarity(a: &str, b: &str) -> f32 {
        let (a, b) = (vector(a, 1536), vector(b, 1536));
        a.iter().zip(&b).map(|(x, y)| x * y).sum()
    }

    #[test]
    fn vectors_have_length_one() {
        for dimension in [2, 3, 64, 256, 384, 1536] {
            let length: f32 = vector("how long can goods be returned", dimension).iter().map(|x| x * x).sum();
            assert!((length - 1.0).abs() < 1e-5, "{dimension}: {length}");
        }
        assert!(vector(" ?! ", 64).iter().all(|x| *x == 0.0));
    }

    #[test]
    fn what_has_words_in_common_passes_the_default_threshold() {
        let returns = "Customers may return goods within 30 days. Returned goods must be unused.";
        assert!((similarity(returns, returns) - 1.0).abs() < 1e-5);
        assert!(similarity("how long can goods be returned", returns) > 0.75);
        assert!(similarity("retruning of a customers good", returns) > 0.7);
        assert!(similarity("tomorrow's weather in Lisbon", returns) < 0.7);
    }

    #[test]
    fn vectors_follow_each_other_in_the_order_of_texts() {
        let texts = ["one thing".to_owned(), "another".to_owned()];
        let config = Config { dimension: 8 };
        let both = EmbedLocal::embed(&config, Purpose::Document, &texts).unwrap();
        assert_eq!(both, [vector(&texts[0], 8), vector(&texts[1], 8)].concat());
        assert!(EmbedLocal::limits(&Config { dimension: 1 }).is_err());
    }
}
