//! A Markdown document as sections, each with the path of headings that leads to it.

/// A heading with what stands below it, up to the next heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Section {
    /// The heading's line and the lines below it, each with a newline at its end.
    pub(super) text: String,
    /// Headings from the outermost to this section's own; empty before the first heading.
    pub(super) path: Vec<String>,
}

/// All sections that are not blank. CRLF counts as LF.
pub(super) fn sections(document: &str) -> Vec<Section> {
    let mut found = vec![Section { text: String::new(), path: Vec::new() }];
    let mut path: Vec<String> = Vec::new();
    let mut fence = Fence::default();
    for line in document.lines() {
        if !fence.covers(line)
            && let Some((level, heading)) = heading(line)
        {
            // A skipped level leaves no gap.
            path.truncate(level - 1);
            path.push(heading.to_owned());
            found.push(Section { text: String::new(), path: path.clone() });
        }
        // There is one from the start.
        if let Some(section) = found.last_mut() {
            section.text += line;
            section.text.push('\n');
        }
    }
    found.retain(|section| !section.text.trim().is_empty());
    found
}

/// Level and text of a heading: one to six `#`, white space, text.
fn heading(line: &str) -> Option<(usize, &str)> {
    let text = line.trim_start_matches('#');
    let level = line.len() - text.len();
    let fits = (1..=6).contains(&level) && text.starts_with(char::is_whitespace);
    let text = text.trim();
    (fits && !text.is_empty()).then_some((level, text))
}

/// Whether lines are code: between a line of three or more `` ` `` or `~` and the next line of as many or more of
/// the same character (CommonMark 0.31 §4.5). A fence that is never closed reaches to the end.
#[derive(Default)]
struct Fence {
    open: Option<(char, usize)>,
}

impl Fence {
    /// Whether this line, which follows those asked before, belongs to fenced code.
    fn covers(&mut self, line: &str) -> bool {
        match (self.open, fence(line)) {
            (None, None) => return false,
            // The info string after backticks has none itself: such a line is a code span.
            (None, Some((mark, _, rest))) if mark == '`' && rest.contains('`') => return false,
            (None, Some((mark, length, _))) => self.open = Some((mark, length)),
            (Some((mark, length)), Some((found, found_length, rest)))
                if found == mark && found_length >= length && rest.trim().is_empty() =>
            {
                self.open = None;
            }
            (Some(_), _) => {}
        }
        true
    }
}

/// Character, length and rest of a line that may open or close fenced code.
fn fence(line: &str) -> Option<(char, usize, &str)> {
    let text = line.trim_start_matches(' ');
    let mark = text.chars().next().filter(|mark| matches!(mark, '`' | '~'))?;
    let rest = text.trim_start_matches(mark);
    let length = text.len() - rest.len();
    // Four spaces make a block of code of another kind.
    (length >= 3 && line.len() - text.len() <= 3).then_some((mark, length, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(document: &str) -> Vec<String> {
        sections(document).iter().map(|section| section.path.join(" > ")).collect()
    }

    #[test]
    fn headings_make_sections_with_paths() {
        let document = "intro\n\n# A\na\n## B\nb\n### C\nc\n## D\nd\n# E\n";
        assert_eq!(paths(document), ["", "A", "A > B", "A > B > C", "A > D", "E"]);
        assert_eq!(sections(document)[2].text, "## B\nb\n");
    }

    #[test]
    fn a_skipped_level_leaves_no_gap() {
        assert_eq!(paths("# A\n### C\n## B\n#### D\n"), ["A", "A > C", "A > B", "A > B > D"]);
        assert_eq!(paths("### C\n# A\n"), ["C", "A"]);
        // Cut to two entries: there is one.
        assert_eq!(paths("### C\n### D\n"), ["C", "C > D"]);
    }

    #[test]
    fn what_is_a_heading() {
        for line in ["# A", "#\tA", "###### A", "#   A  "] {
            assert_eq!(heading(line).map(|(_, text)| text), Some("A"), "{line:?}");
        }
        for line in ["#A", "#", "#  ", "####### A", " # A", "A # B", ""] {
            assert_eq!(heading(line), None, "{line:?}");
        }
        assert_eq!(heading("## A ##"), Some((2, "A ##")));
    }

    #[test]
    fn fenced_code_has_no_headings() {
        assert_eq!(paths("# A\n```sh\n# comment\n```\n# B\n"), ["A", "B"]);
        assert_eq!(paths("# A\n~~~\n```\n# no\n```\n~~~\n# B\n"), ["A", "B"]);
        assert_eq!(paths("# A\n````\n```\n# no\n````\n# B\n"), ["A", "B"]);
        assert_eq!(paths("# A\n```\n``` not the end\n# no\n"), ["A"]);
        assert_eq!(paths("# A\n```code``` span\n# B\n"), ["A", "B"]);
        assert_eq!(paths("# A\n   ```\n# no\n  ```\n# B\n"), ["A", "B"]);
    }

    #[test]
    fn carriage_returns_and_blank_sections() {
        assert_eq!(sections("# A\r\na\r\n"), sections("# A\na\n"));
        assert_eq!(sections("\n \n# A\n"), sections("# A\n"));
        assert_eq!(sections(" \n\n"), []);
        assert_eq!(sections(""), []);
    }
}
