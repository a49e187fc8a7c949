//! Chunks of Markdown: whole sections packed up to a size, with the path of headings as metadata.

use serde_json::{Map, Value, json};

use super::pieces::pieces;
use super::sections::{Section, sections};
use super::tokens::{Growing, HARD_CAP, count, last, more_than};
use super::{Chunk, ChunkLimits};

/// Chunks in document order; none for a blank document.
pub fn chunk_markdown(document: &str, limits: ChunkLimits) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    let mut buffer = Buffer::default();
    for section in sections(document) {
        if more_than(&section.text, limits.size) {
            chunks.extend(std::mem::take(&mut buffer).chunk());
            let pieces = pieces(&section.text, limits.size);
            chunks.extend(pieces.iter().filter_map(|piece| Chunk::of(piece, metadata(&section.path))));
        } else if !buffer.add_within(&section, limits.size) {
            let carried = last(buffer.whole.text(), limits.overlap).to_owned();
            chunks.extend(std::mem::take(&mut buffer).chunk());
            buffer = Buffer::after(&carried, &section);
        }
    }
    finish(&mut chunks, buffer, limits.least);
    chunks
}

/// What is packed and not yet a chunk.
#[derive(Default)]
struct Buffer {
    /// What is repeated from the chunk before, and sections.
    whole: Growing,
    /// Where the sections begin in it.
    carried: usize,
    /// The path of the last of them.
    path: Vec<String>,
}

impl Buffer {
    /// A new one, which repeats something.
    fn after(carried: &str, section: &Section) -> Self {
        let mut whole = Growing::default();
        whole.add(carried);
        whole.add(&section.text);
        Self { whole, carried: carried.len(), path: section.path.clone() }
    }

    fn add_within(&mut self, section: &Section, size: usize) -> bool {
        let added = self.whole.add_within(&section.text, size);
        if added {
            self.path.clone_from(&section.path);
        }
        added
    }

    /// Its sections alone.
    fn own(&self) -> &str {
        &self.whole.text()[self.carried..]
    }

    fn chunk(self) -> Option<Chunk> {
        Chunk::of(self.whole.text(), metadata(&self.path))
    }
}

/// The last buffer: a chunk, or when it is short the end of the chunk before, without what it repeats of it.
fn finish(chunks: &mut Vec<Chunk>, buffer: Buffer, least: usize) {
    let own = buffer.own().trim().to_owned();
    let Some(tail) = buffer.chunk() else { return };
    if tail.token_count < least
        && let Some(before) = chunks.last_mut()
    {
        let content = format!("{}\n{own}", before.content);
        let token_count = count(&content);
        // No text is lost, and no chunk becomes too long to be embedded.
        if token_count <= HARD_CAP {
            *before = Chunk { content, token_count, metadata: tail.metadata };
            return;
        }
    }
    chunks.push(tail);
}

fn metadata(path: &[String]) -> Option<Map<String, Value>> {
    let heading = path.last()?;
    Some(Map::from_iter([("heading".to_owned(), json!(heading)), ("section_path".to_owned(), json!(path))]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMITS: ChunkLimits = ChunkLimits { size: 20, overlap: 0, least: 0 };

    fn contents(document: &str, limits: ChunkLimits) -> Vec<String> {
        chunk_markdown(document, limits).into_iter().map(|chunk| chunk.content).collect()
    }

    fn paths(document: &str, limits: ChunkLimits) -> Vec<Value> {
        let path = |chunk: Chunk| chunk.metadata.map_or(Value::Null, |m| m["section_path"].clone());
        chunk_markdown(document, limits).into_iter().map(path).collect()
    }

    /// A section of about this many tokens: a word each, and a few for heading and newlines.
    fn section(heading: &str, words: usize) -> String {
        format!("# {heading}\n{}\n", vec!["word"; words].join(" "))
    }

    #[test]
    fn the_contract_s_example() {
        let limits = ChunkLimits { size: 512, overlap: 50, least: 100 };
        let chunks = chunk_markdown("# Returns\n\nCustomers may return goods within 30 days.\n", limits);
        assert_eq!(chunks.len(), 1);
        assert_eq!(chunks[0].content, "# Returns\n\nCustomers may return goods within 30 days.");
        assert_eq!(chunks[0].token_count, 12);
        assert_eq!(
            serde_json::to_string(&chunks[0].metadata).unwrap(),
            r#"{"heading":"Returns","section_path":["Returns"]}"#
        );
    }

    #[test]
    fn nothing_gives_nothing() {
        assert_eq!(chunk_markdown("", LIMITS), []);
        assert_eq!(chunk_markdown(" \n\n", LIMITS), []);
    }

    #[test]
    fn a_text_without_headings_has_no_metadata() {
        let chunks = chunk_markdown("plain text", LIMITS);
        assert_eq!((chunks[0].content.as_str(), &chunks[0].metadata), ("plain text", &None));
    }

    #[test]
    fn sections_are_packed_and_keep_the_path_of_the_last_one() {
        let document = format!("{}{}{}", section("A", 4), section("B", 4), section("C", 10));
        let chunks = contents(&document, LIMITS);
        assert_eq!(chunks, ["# A\nword word word word\n# B\nword word word word", section("C", 10).trim()]);
        assert_eq!(paths(&document, LIMITS), [json!(["B"]), json!(["C"])]);
    }

    #[test]
    fn the_overlap_is_the_end_of_the_buffer_before() {
        let document = format!("{}{}", section("A", 12), section("B", 12));
        let limits = ChunkLimits { overlap: 4, ..LIMITS };
        let chunks = contents(&document, limits);
        assert_eq!(chunks[1], format!("word word word\n{}", section("B", 12).trim()));
        // All of a short buffer.
        let chunks = contents(
            &format!("{}{}", section("A", 2), section("B", 14)),
            ChunkLimits { overlap: 9, ..LIMITS },
        );
        assert_eq!(chunks[1], format!("{}{}", section("A", 2), section("B", 14).trim()));
    }

    #[test]
    fn nothing_is_carried_across_a_long_section() {
        let document = format!("{}{}{}", section("A", 4), section("B", 30), section("C", 4));
        let chunks = contents(&document, ChunkLimits { overlap: 5, ..LIMITS });
        assert_eq!(chunks.len(), 3);
        assert_eq!(chunks[0], "# A\nword word word word");
        assert!(chunks[1].starts_with("# B\nword"));
        assert_eq!(chunks[2], "# C\nword word word word");
    }

    #[test]
    fn pieces_of_a_long_section_carry_its_path() {
        let document = "# A\n## B\nOne two three four five six seven.\n\nEight nine ten eleven twelve thirteen.\n\n\
                        Fourteen fifteen sixteen seventeen.\n";
        let paths = paths(document, ChunkLimits { size: 14, ..LIMITS });
        assert_eq!(paths[0], json!(["A"]));
        assert!(paths.len() >= 3 && paths[1..].iter().all(|path| *path == json!(["A", "B"])), "{paths:?}");
        let contents = contents(document, ChunkLimits { size: 14, ..LIMITS });
        assert_eq!(contents.iter().filter(|text| text.contains("## B")).count(), 1);
    }

    #[test]
    fn a_short_end_joins_the_chunk_before_without_the_overlap() {
        let document = format!("{}{}", section("A", 14), section("B", 3));
        let limits = ChunkLimits { size: 20, overlap: 2, least: 10 };
        let chunks = chunk_markdown(&document, limits);
        assert_eq!(chunks.len(), 1);
        assert_eq!(chunks[0].content, format!("{}\n# B\nword word word", section("A", 14).trim()));
        assert_eq!(chunks[0].token_count, count(&chunks[0].content));
        assert_eq!(chunks[0].metadata.as_ref().unwrap()["heading"], "B");
        // With its overlap it is long enough.
        let limits = ChunkLimits { overlap: 6, ..limits };
        assert_eq!(chunk_markdown(&document, limits).len(), 2);
        // Alone it stays, however short.
        assert_eq!(contents("# A\n", limits), ["# A"]);
    }

    #[test]
    fn a_short_end_joins_the_last_piece_of_a_long_section() {
        let document = format!("{}{}", section("A", 40), section("B", 2));
        let chunks = contents(&document, ChunkLimits { least: 15, ..LIMITS });
        assert_eq!(chunks.len(), 1);
        assert!(chunks[0].ends_with("\n# B\nword word"));
    }

    #[test]
    fn a_short_last_piece_of_a_long_section_is_no_tail() {
        let document = format!("# A\n{}.\n\nshort\n", vec!["word"; 30].join(" "));
        assert_eq!(contents(&document, ChunkLimits { least: 15, ..LIMITS }).last().unwrap(), "short");
    }

    #[test]
    fn a_sentence_beyond_the_cap_is_cut_to_it() {
        let document = vec!["word"; HARD_CAP + 500].join(" ");
        let chunks = chunk_markdown(&document, ChunkLimits { size: 512, overlap: 50, least: 100 });
        assert_eq!(chunks.len(), 1);
        assert_eq!(chunks[0].token_count, HARD_CAP);
        // A short end does not make it longer than it may be.
        let chunks = chunk_markdown(
            &format!("{document}\n# B\nend\n"),
            ChunkLimits { size: 512, overlap: 50, least: 100 },
        );
        assert_eq!(
            chunks.iter().map(|chunk| chunk.token_count <= HARD_CAP).collect::<Vec<_>>(),
            [true, true]
        );
    }

    fn documents() -> impl Strategy<Value = String> {
        let line = prop_oneof![
            "#{1,4} [a-z]{1,8}",
            "[a-z]{1,9}( [a-z]{1,9}){0,12}[.!?]",
            Just(String::new()),
            Just("```".to_owned()),
        ];
        prop::collection::vec(line, 0..40).prop_map(|lines| lines.join("\n"))
    }

    proptest! {
        #[test]
        fn no_word_is_lost_and_without_overlap_none_is_repeated(
            document in documents(), size in 5_usize..60, overlap in 0_usize..10, least in 0_usize..20,
        ) {
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            let plain = chunk_markdown(&document, ChunkLimits { size, overlap: 0, least });
            let joined: Vec<String> = plain.iter().flat_map(|chunk| words(&chunk.content)).collect();
            prop_assert_eq!(&joined, &words(&document));
            for chunk in plain.iter().chain(&chunk_markdown(&document, ChunkLimits { size, overlap, least })) {
                prop_assert_eq!(chunk.token_count, count(&chunk.content));
                prop_assert_eq!(chunk.content.trim(), chunk.content.as_str());
                prop_assert!(!chunk.content.is_empty());
            }
        }
    }
}
