//! Tokens of the encoding `cl100k_base`. Text that looks like a special token is ordinary text.

/// Most tokens of a chunk: the input limit of the embedding providers.
pub const HARD_CAP: usize = 8_191;

/// Tokens of a text.
pub fn count(text: &str) -> usize {
    bpe_openai::cl100k_base().count(text)
}

/// Whether a text has more tokens than this. Reads no more of it than that takes.
pub(super) fn more_than(text: &str, limit: usize) -> bool {
    let tokenizer = bpe_openai::cl100k_base();
    tokenizer.count_till_limit(&tokenizer.normalize(text), limit).is_none()
}

/// A text that grows up to a number of tokens. Counting the whole of it for every piece that is added would take a time
/// that grows with the square of the number of pieces; so it is counted only when the sum of the pieces exceeds the size,
/// which the whole may still not do: where pieces meet, tokens become one. For pieces that begin with white space or a
/// heading the whole never has more tokens than the sum: the encoding cuts there.
#[derive(Debug, Default)]
pub(super) struct Growing {
    text: String,
    /// The text has no more tokens than this.
    at_most: usize,
}

impl Growing {
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Adds a piece if the whole then has at most `size` tokens; whether it has.
    pub(super) fn add_within(&mut self, piece: &str, size: usize) -> bool {
        let at_most = self.at_most + count(piece);
        if at_most <= size {
            self.text += piece;
            self.at_most = at_most;
            return true;
        }
        let before = self.text.len();
        self.text += piece;
        let exactly = count(&self.text);
        if exactly > size {
            self.text.truncate(before);
            return false;
        }
        self.at_most = exactly;
        true
    }

    /// Adds a piece, however long it becomes.
    pub(super) fn add(&mut self, piece: &str) {
        self.text += piece;
        self.at_most += count(piece);
    }
}

/// The text of the first tokens; a character that would be cut stays out.
pub fn first(text: &str, limit: usize) -> &str {
    // A token has at least one byte.
    if text.len() <= limit || !more_than(text, limit) {
        return text;
    }
    let mut end = bytes(&encode(text)[..limit]);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// The text of the last tokens; a character that would be cut stays out.
pub(super) fn last(text: &str, limit: usize) -> &str {
    let tokens = encode(text);
    let mut start = bytes(&tokens[..tokens.len().saturating_sub(limit)]);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    &text[start..]
}

fn encode(text: &str) -> Vec<u32> {
    bpe_openai::cl100k_base().encode(text)
}

/// How many bytes of text these tokens are.
fn bytes(tokens: &[u32]) -> usize {
    let bpe = &bpe_openai::cl100k_base().bpe;
    tokens.iter().map(|token| bpe.token_len(*token)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Vectors of OpenAI's cookbook ("How to count tokens with tiktoken") and of the contract's example.
    #[test]
    fn counts_of_cl100k_base() {
        for (text, tokens) in [
            ("", 0),
            ("tiktoken is great!", 6),
            ("antidisestablishmentarianism", 6),
            ("2 + 2 = 4", 7),
            ("お誕生日おめでとう", 9),
            ("# Returns\n\nCustomers may return goods within 30 days.", 12),
        ] {
            assert_eq!(count(text), tokens, "{text}");
        }
    }

    #[test]
    fn special_tokens_are_ordinary_text() {
        assert!(count("<|endoftext|>") > 1);
        assert!(count("a <|fim_prefix|> b <|endofprompt|>") > 6);
    }

    #[test]
    fn first_and_last_keep_whole_characters() {
        let text = "お誕生日おめでとう";
        assert_eq!((first(text, 9), last(text, 9)), (text, text));
        assert_eq!((first(text, 0), last(text, 0)), ("", ""));
        assert_eq!(first("one two three", 2), "one two");
        assert_eq!(last("one two three", 2), " two three");
    }

    proptest! {
        #[test]
        fn first_and_last_are_parts_within_the_limit(text in "\\PC{0,60}", limit in 0_usize..30) {
            let (head, tail) = (first(&text, limit), last(&text, limit));
            prop_assert!(text.starts_with(head) && text.ends_with(tail));
            prop_assert_eq!(more_than(&text, limit), count(&text) > limit);
            if count(&text) <= limit {
                prop_assert_eq!((head, tail), (text.as_str(), text.as_str()));
            }
        }
    }
}
