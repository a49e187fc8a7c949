//! The reader's text out of a JSON object that is still being written: one member of the outermost object, decoded as it
//! arrives. It looks at every character once and keeps no text.

/// Follows an object and gives the text of one of its members.
#[derive(Debug)]
pub(super) struct MemberStream {
    member: &'static str,
    place: Place,
    /// Objects and lists that are open.
    depth: usize,
    /// Whether the next text of the outermost object is a name.
    name_next: bool,
    name: String,
    /// Whether the member has been there; a second one of this name is not wanted.
    taken: bool,
    high_surrogate: Option<u16>,
}

#[derive(Debug)]
enum Place {
    /// Before the object: white space, or a Markdown fence.
    Before(String),
    Between,
    Text(Role),
    Escape(Role),
    /// Hex digits of a `\u`.
    Unicode(Role, String),
    /// No object, or its end.
    Done,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Role {
    Name,
    Wanted,
    Other,
}

impl MemberStream {
    pub(super) fn of(member: &'static str) -> Self {
        Self {
            member,
            place: Place::Before(String::new()),
            depth: 0,
            name_next: false,
            name: String::new(),
            taken: false,
            high_surrogate: None,
        }
    }

    /// Takes a piece of the object; what it adds to the member's text.
    pub(super) fn push(&mut self, piece: &str) -> String {
        let mut text = String::new();
        for c in piece.chars() {
            let place = std::mem::replace(&mut self.place, Place::Done);
            self.place = self.step(place, c, &mut text);
        }
        text
    }

    fn step(&mut self, place: Place, c: char, text: &mut String) -> Place {
        match place {
            Place::Done => Place::Done,
            Place::Before(_) if c == '{' => {
                (self.depth, self.name_next) = (1, true);
                Place::Between
            }
            Place::Before(mut fence) => {
                fence.push(c);
                if "```json".starts_with(fence.trim()) { Place::Before(fence) } else { Place::Done }
            }
            Place::Between => self.between(c),
            Place::Text(role) => match c {
                '"' => self.end_of(role),
                '\\' => Place::Escape(role),
                c => {
                    self.say(role, c, text);
                    Place::Text(role)
                }
            },
            Place::Escape(role) => {
                let c = match c {
                    'u' => return Place::Unicode(role, String::new()),
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    'b' => '\u{8}',
                    'f' => '\u{c}',
                    other => other,
                };
                self.say(role, c, text);
                Place::Text(role)
            }
            Place::Unicode(role, mut digits) => {
                digits.push(c);
                if digits.len() < 4 {
                    return Place::Unicode(role, digits);
                }
                if let Some(c) = self.unicode(&digits) {
                    self.say(role, c, text);
                }
                Place::Text(role)
            }
        }
    }

    fn between(&mut self, c: char) -> Place {
        match c {
            '"' if self.depth == 1 && self.name_next => {
                self.name.clear();
                return Place::Text(Role::Name);
            }
            '"' if self.depth == 1 && self.name == self.member && !self.taken => {
                return Place::Text(Role::Wanted);
            }
            '"' => return Place::Text(Role::Other),
            '{' | '[' => self.depth += 1,
            '}' | ']' => self.depth -= 1,
            ',' if self.depth == 1 => self.name_next = true,
            ':' if self.depth == 1 => self.name_next = false,
            _ => {}
        }
        if self.depth == 0 { Place::Done } else { Place::Between }
    }

    fn end_of(&mut self, role: Role) -> Place {
        self.taken |= role == Role::Wanted;
        Place::Between
    }

    fn say(&mut self, role: Role, c: char, text: &mut String) {
        match role {
            Role::Name => self.name.push(c),
            // Left out of the final text, too.
            Role::Wanted if c != '\0' => text.push(c),
            Role::Wanted | Role::Other => {}
        }
    }

    /// A character, or half of one.
    fn unicode(&mut self, digits: &str) -> Option<char> {
        let unit = u16::from_str_radix(digits, 16).ok()?;
        let units: Vec<u16> = self.high_surrogate.take().into_iter().chain([unit]).collect();
        match char::decode_utf16(units).next()? {
            Ok(c) => Some(c),
            Err(_) => {
                self.high_surrogate = Some(unit);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn read(pieces: &[&str]) -> String {
        let mut stream = MemberStream::of("answer");
        pieces.iter().map(|piece| stream.push(piece)).collect()
    }

    #[test]
    fn only_the_member_of_the_outermost_object_counts() {
        for (json, text) in [
            (r#"{"answer": "a"}"#, "a"),
            (r#"{"x": {"answer": "no"}, "y": ["answer"], "z": "answer", "answer": "yes"}"#, "yes"),
            (r#"{"answer": "one", "answer": "two"}"#, "one"),
            ("```json\n{\"answer\": \"a\"}\n``` {\"answer\": \"b\"}", "a"),
            ("Let me see: {\"answer\": \"a\"}", ""),
            (r#"["answer", "a"]"#, ""),
            (r#"{"answer": 5}"#, ""),
            ("{\"answer\": \"\\ud83d\\ude00 \\n\\\"\\u00e9\"}", "😀 \n\"é"),
        ] {
            assert_eq!(read(&[json]), text, "{json}");
        }
    }

    proptest! {
        #[test]
        fn pieces_of_any_size_give_the_whole_text(text in "[^\0]{0,40}", other in "\\PC{0,10}", cuts in proptest::collection::vec(1_usize..9, 0..60), ascii: bool) {
            let mut json = json!({"sources": [{"answer": other}], "answer": text, "tail": other}).to_string();
            if ascii {
                json = json.chars().fold(String::new(), |text, c| if c.is_ascii() { text + c.encode_utf8(&mut [0; 4]) } else {
                    c.encode_utf16(&mut [0; 2]).iter().fold(text, |text, unit| text + &format!("\\u{unit:04x}"))
                });
            }
            let characters: Vec<char> = json.chars().collect();
            let (mut pieces, mut at) = (Vec::new(), 0_usize);
            for cut in cuts.into_iter().chain([usize::MAX]) {
                let end = at.saturating_add(cut).min(characters.len());
                pieces.push(characters[at..end].iter().collect::<String>());
                at = end;
            }
            let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
            prop_assert_eq!(read(&pieces), text);
        }
    }
}
