//! What words mean: one vector per English word, made by `meanings/make.py`, which says how.

use std::sync::LazyLock;

/// Numbers of a vector.
pub(crate) const DIMENSIONS: usize = 96;

/// The words in order, one a line.
static WORDS: LazyLock<Vec<&str>> = LazyLock::new(|| include_str!("../meanings/words.txt").lines().collect());

/// Per word the largest number of its vector, and every number as a share of it in 127 steps.
static VECTORS: &[u8] = include_bytes!("../meanings/vectors.bin");

const BYTES: usize = size_of::<f32>() + DIMENSIONS;

/// Endings that leave a word with much the same meaning.
const ENDINGS: [&str; 6] = ["s", "es", "d", "ed", "ing", "ly"];

/// Adds the meaning of a word, so many times, to a sum; a word that is not known adds nothing.
pub(crate) fn add(word: &str, times: f32, sum: &mut [f32; DIMENSIONS]) {
    let Some(at) = find(word) else { return };
    let (largest, steps) = VECTORS[at * BYTES..(at + 1) * BYTES].split_at(size_of::<f32>());
    // Split off with exactly this length.
    let largest = f32::from_le_bytes(largest.try_into().expect("four bytes are a number"));
    for (number, step) in sum.iter_mut().zip(steps) {
        *number += times * largest * f32::from(step.cast_signed()) / 127.0;
    }
}

/// Whether the meaning of a word is known.
pub(crate) fn knows(word: &str) -> bool {
    find(word).is_some()
}

fn find(word: &str) -> Option<usize> {
    let known = |word: &str| WORDS.binary_search(&word).ok();
    known(word).or_else(|| {
        ENDINGS
            .iter()
            .filter_map(|ending| word.strip_suffix(ending))
            .filter(|stem| stem.len() > 2)
            .find_map(known)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn similarity(a: &str, b: &str) -> f32 {
        let meaning = |word| {
            let mut sum = [0.0; DIMENSIONS];
            add(word, 1.0, &mut sum);
            sum
        };
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>();
        let (a, b) = (meaning(a), meaning(b));
        dot(&a, &b) / (dot(&a, &a) * dot(&b, &b)).sqrt()
    }

    #[test]
    fn words_and_vectors_belong_together() {
        assert_eq!(WORDS.len() * BYTES, VECTORS.len());
        assert!(WORDS.is_sorted());
    }

    #[test]
    fn near_words_are_near() {
        for (a, near, far) in
            [("shop", "store", "river"), ("price", "cost", "winter"), ("error", "mistake", "garden")]
        {
            assert!(similarity(a, near) > similarity(a, far) + 0.2, "{a}: {near} and {far}");
        }
    }

    #[test]
    fn endings_are_taken_off_and_strange_words_have_no_meaning() {
        assert!(WORDS.binary_search(&"backtests").is_err());
        assert_eq!(find("prices").is_some(), find("price").is_some());
        assert_eq!(find("xyzzyq"), None);
        assert_eq!(find(""), None);
    }
}
