//! Words of a text that say something.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use rust_stemmers::{Algorithm, Stemmer};

/// Words that stand in every text and say nothing about any.
static STOP: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let mut words: Vec<&str> = include_str!("stopwords.txt").split_whitespace().collect();
    words.sort_unstable();
    words
});

/// The words of a text in lower case, with how often they stand in it. Words that say nothing count only when there
/// are no others.
pub(crate) fn words(text: &str) -> BTreeMap<String, u32> {
    let text = text.to_lowercase();
    let mut found = BTreeMap::new();
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        *found.entry(word).or_insert(0) += 1;
    }
    let says_nothing = |word: &str| STOP.binary_search(&word).is_ok();
    let all_say_nothing = found.keys().all(|word| says_nothing(word));
    let kept = found.into_iter().filter(|(word, _)| all_say_nothing || !says_nothing(word));
    kept.map(|(word, count)| (word.to_owned(), count)).collect()
}

/// A word without its endings: `forecasting` and `forecasts` are `forecast`.
pub(crate) fn stem(word: &str) -> String {
    static ENGLISH: LazyLock<Stemmer> = LazyLock::new(|| Stemmer::create(Algorithm::English));
    ENGLISH.stem(word).into_owned()
}

/// All runs of four characters of a word between its ends, which count as characters; a shorter word is one run.
pub(crate) fn runs(word: &str) -> Vec<String> {
    let marked: Vec<char> = std::iter::once('<').chain(word.chars()).chain(std::iter::once('>')).collect();
    marked.windows(4.min(marked.len())).map(|run| run.iter().collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_say_nothing_stay_out() {
        let found = words("How the Forecasts of forecasts are made, in 7 days");
        let found: Vec<(&str, u32)> = found.iter().map(|(word, count)| (word.as_str(), *count)).collect();
        assert_eq!(found, [("7", 1), ("days", 1), ("forecasts", 2)]);
        assert_eq!(words("what is it").len(), 3);
        assert!(words(" \n?!").is_empty());
    }

    #[test]
    fn endings_and_runs() {
        assert_eq!(stem("forecasting"), stem("forecasts"));
        assert_eq!(runs("plan"), ["<pla", "plan", "lan>"]);
        assert_eq!(runs("7"), ["<7>"]);
        assert_eq!(runs("größe")[1], "größ");
    }
}
