//! Cutting up a section that is too long for one chunk: paragraphs, then sentences.

use super::tokens::{Growing, more_than};

/// The pieces of a text, each of at most `size` tokens unless a single sentence is longer. Nothing is repeated.
pub(super) fn pieces(text: &str, size: usize) -> Vec<String> {
    let mut packed = Packing { size, done: Vec::new(), open: Growing::default() };
    for paragraph in text.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty()) {
        if more_than(paragraph, size) {
            packed.flush();
            for sentence in sentences(paragraph) {
                packed.add(sentence, " ");
            }
            packed.flush();
        } else {
            packed.add(paragraph, "\n\n");
        }
    }
    packed.flush();
    packed.done
}

struct Packing {
    size: usize,
    done: Vec<String>,
    open: Growing,
}

impl Packing {
    fn add(&mut self, text: &str, between: &str) {
        if !self.open.text().is_empty() {
            if self.open.add_within(&format!("{between}{text}"), self.size) {
                return;
            }
            self.flush();
        }
        self.open.add(text);
    }

    fn flush(&mut self) {
        let open = std::mem::take(&mut self.open);
        if !open.text().is_empty() {
            self.done.push(open.text().to_owned());
        }
    }
}

/// Sentences end with `.`, `!` or `?` before white space.
fn sentences(paragraph: &str) -> impl Iterator<Item = &str> {
    let mut rest = paragraph.trim();
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let ends = rest.char_indices().zip(rest.chars().skip(1));
        let end = ends
            .filter(|((_, mark), next)| matches!(mark, '.' | '!' | '?') && next.is_whitespace())
            .map(|((at, mark), _)| at + mark.len_utf8())
            .next()
            .unwrap_or(rest.len());
        let (sentence, after) = rest.split_at(end);
        rest = after.trim_start();
        Some(sentence)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chunking::count_tokens;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_piece_of_short_sentences_is_too_long(text in "[a-c .!?\n\u{e9}#`-]{0,400}", size in 4_usize..40) {
            for piece in pieces(&text, size) {
                let one_sentence = sentences(&piece).count() == 1;
                prop_assert!(count_tokens(&piece) <= size || one_sentence, "{:?}", piece);
            }
        }
    }

    #[test]
    fn sentences_end_at_marks_before_white_space() {
        let found: Vec<&str> = sentences("One 1.5 is. Two!  Three?\nFour... five.Six. ").collect();
        assert_eq!(found, ["One 1.5 is.", "Two!", "Three?", "Four...", "five.Six."]);
    }

    #[test]
    fn paragraphs_are_packed_and_joined_by_a_blank_line() {
        assert_eq!(pieces("a b\n\n\n\n c d \n\ne f\n", 5), ["a b\n\nc d", "e f"]);
        assert_eq!(pieces("a\n\nb", 100), ["a\n\nb"]);
        assert_eq!(pieces(" \n\n ", 5), Vec::<String>::new());
    }

    #[test]
    fn a_long_paragraph_becomes_sentences_that_no_paragraph_joins() {
        let text = "a\n\nOne two three. Four five six. Seven eight nine.\n\nb";
        assert_eq!(pieces(text, 8), ["a", "One two three. Four five six.", "Seven eight nine.", "b"]);
    }

    #[test]
    fn a_long_sentence_stays_whole() {
        let long = "one two three four five six seven eight nine ten.";
        assert_eq!(pieces(&format!("A b. {long} C d."), 5), ["A b.", long, "C d."]);
    }
}
