//! Query strings and path values (contract `README.md` §5 and §7): every value is text, read with the types of
//! [`fields`](super::fields); unknown names are ignored, of a name that comes twice the last one counts unless the
//! endpoint reads [`every`](QueryFields::every) one.

use std::borrow::Cow;
use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt::Write as _;

use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use percent_encoding::percent_decode_str;
use retailcast_core::config_schema::FieldError;
use serde_json::Value;

use super::Problem;
use super::fields::{self, Reading};

/// The values of a query string by name, in their order; `None` for one that is no UTF-8.
#[derive(Debug, Default)]
pub struct Query(HashMap<String, Vec<Option<Value>>>);

impl Query {
    /// Takes a raw query string apart.
    pub fn parse(raw: &str) -> Self {
        let pairs = raw.split('&').filter(|pair| !pair.is_empty()).filter_map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            // A name that is no UTF-8 is none of ours, and those are ignored.
            Some((decode(name)?, decode(value).map(Value::String)))
        });
        let mut values: HashMap<String, Vec<Option<Value>>> = HashMap::new();
        for (name, value) in pairs {
            values.entry(name).or_default().push(value);
        }
        Self(values)
    }

    fn last(&self, name: &str) -> Option<&Option<Value>> {
        self.0.get(name)?.last()
    }

    /// Starts reading.
    pub fn fields(&self) -> QueryFields<'_> {
        QueryFields { query: self, errors: Vec::new() }
    }
}

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::parse(parts.uri.query().unwrap_or_default()))
    }
}

/// `%41` and `+` as what they stand for; a `%` without two hex digits stands for itself, as in browsers.
fn decode(text: &str) -> Option<String> {
    let text = if text.contains('+') { Cow::from(text.replace('+', " ")) } else { Cow::from(text) };
    percent_decode_str(&text).decode_utf8().ok().map(Cow::into_owned)
}

/// Reads values, and collects what is wrong with them in the order of reading.
#[derive(Debug)]
pub struct QueryFields<'a> {
    query: &'a Query,
    errors: Vec<FieldError>,
}

impl<'a> QueryFields<'a> {
    /// A value that must be there.
    pub fn required<T>(&mut self, name: &str, read: impl FnOnce(&'a Value) -> Reading<T>) -> Option<T> {
        let read = match self.query.last(name) {
            Some(value) => read_one(value.as_ref(), read),
            None => Err(("missing", "is required".to_owned())),
        };
        self.take(name, read)
    }

    /// A value that may be absent. The outer `None` says that there is one and it does not fit.
    pub fn optional<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&'a Value) -> Reading<T>,
    ) -> Option<Option<T>> {
        match self.query.last(name) {
            Some(value) => {
                let read = read_one(value.as_ref(), read);
                self.take(name, read).map(Some)
            }
            None => Some(None),
        }
    }

    /// All values of a name, in their order; `None` says that one does not fit.
    pub fn every<T>(&mut self, name: &str, read: impl Fn(&'a Value) -> Reading<T>) -> Option<Vec<T>> {
        let values = self.query.0.get(name).map(Vec::as_slice).unwrap_or_default();
        let read: Vec<_> =
            values.iter().map(|value| self.take(name, read_one(value.as_ref(), &read))).collect();
        read.into_iter().collect()
    }

    /// A value with a default.
    pub fn or<T>(&mut self, name: &str, default: T, read: impl FnOnce(&'a Value) -> Reading<T>) -> Option<T> {
        self.optional(name, read).map(|value| value.unwrap_or(default))
    }

    fn take<T>(&mut self, name: &str, read: Reading<T>) -> Option<T> {
        read.map_err(|(kind, message)| {
            self.errors.push(FieldError::new(format!("query.{name}"), kind, message));
        })
        .ok()
    }

    /// What was made of the values; a problem with all errors when there are any.
    pub fn finish<T>(self, made: Option<T>) -> Result<T, Problem> {
        match made {
            Some(made) if self.errors.is_empty() => Ok(made),
            _ => Err(Problem::validation(self.errors)),
        }
    }
}

fn read_one<'a, T>(value: Option<&'a Value>, read: impl FnOnce(&'a Value) -> Reading<T>) -> Reading<T> {
    match value {
        Some(value) => read(value),
        None => Err(("value_error", "is not UTF-8 after percent-decoding".to_owned())),
    }
}

/// A whole number between two bounds. More digits than 64 bits hold break a bound like any other large number.
pub fn int(least: i64, most: i64) -> impl Fn(&Value) -> Reading<i64> {
    move |value| match value.as_str().and_then(beyond_64_bits) {
        Some(true) => Err(("less_than_equal", format!("must be at most {most}"))),
        Some(false) => Err(("greater_than_equal", format!("must be at least {least}"))),
        None => fields::lax_int(least, most)(value),
    }
}

/// A database key.
pub fn key(value: &Value) -> Reading<i32> {
    let key = int(1, i64::from(i32::MAX))(value)?;
    // The bound stands above.
    i32::try_from(key).map_err(|_| ("less_than_equal", format!("must be at most {}", i32::MAX)))
}

/// Whether digits that do not fit into 64 bits are positive; `None` for everything else.
fn beyond_64_bits(text: &str) -> Option<bool> {
    let text = text.trim();
    let (positive, digits) = match text.strip_prefix('-') {
        Some(digits) => (false, digits),
        None => (true, text.strip_prefix('+').unwrap_or(text)),
    };
    let whole = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    (whole && text.parse::<i64>().is_err()).then_some(positive)
}

/// One of some words, exactly.
pub fn one_of<T: Copy>(kind: &'static str, words: &[(&str, T)]) -> impl Fn(&Value) -> Reading<T> {
    move |value| {
        let found = value.as_str().and_then(|text| words.iter().find(|(word, _)| *word == text));
        found.map(|(_, meaning)| *meaning).ok_or_else(|| {
            let mut message = "must be ".to_owned();
            for (i, (word, _)) in words.iter().enumerate() {
                let joint = match i {
                    0 => "",
                    _ if i + 1 == words.len() => " or ",
                    _ => ", ",
                };
                // Writing into a string cannot fail.
                let _ = write!(message, "{joint}{word}");
            }
            (kind, format!("{message}, got {}", fields::short(value)))
        })
    }
}

/// Which page of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paging {
    /// From 1.
    pub page: i64,
    /// 1 to 100.
    pub page_size: i64,
}

impl Paging {
    /// Reads `page` and `page_size`.
    pub fn read(fields: &mut QueryFields<'_>) -> Option<Self> {
        let page = fields.or("page", 1, int(1, i64::MAX));
        let page_size = fields.or("page_size", 20, int(1, 100));
        Some(Self { page: page?, page_size: page_size? })
    }

    /// Rows before this page; a page that no list reaches stays one that no list reaches.
    pub fn offset(self) -> i64 {
        (self.page - 1).saturating_mul(self.page_size)
    }
}

/// In which order: a column of an endpoint's allow-list, or none for its default order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sorting<C> {
    /// The column.
    pub by: Option<C>,
    /// Largest first.
    pub descending: bool,
}

impl<C: Copy> Sorting<C> {
    /// Reads `sort_by`, where any other word means no column, and `sort_order`.
    pub fn read(fields: &mut QueryFields<'_>, columns: &[(&str, C)]) -> Option<Self> {
        let by = fields.optional("sort_by", |value| {
            Ok(columns.iter().find(|(name, _)| value == name).map(|(_, column)| *column))
        });
        let words = [("asc", false), ("desc", true)];
        let descending = fields.or("sort_order", false, one_of("string_pattern_mismatch", &words));
        Some(Self { by: by?.flatten(), descending: descending? })
    }
}

/// A database key from a path: `None` for a number that no key can have, which finds nothing.
pub fn path_key(name: &str, segment: Result<Path<String>, PathRejection>) -> Result<Option<i32>, Problem> {
    let invalid =
        |kind, message| Problem::validation(vec![FieldError::new(format!("path.{name}"), kind, message)]);
    // Refused is only a segment that is no UTF-8.
    let Ok(Path(text)) = segment else {
        return Err(invalid("int_parsing", "is not a whole number".to_owned()));
    };
    if beyond_64_bits(&text).is_some() {
        return Ok(None);
    }
    match fields::lax_int(i64::MIN, i64::MAX)(&Value::String(text)) {
        Ok(number) => Ok(i32::try_from(number).ok()),
        Err((kind, message)) => Err(invalid(kind, message)),
    }
}

/// A pattern for SQL's `like` that finds `term` anywhere, every character of it standing for itself.
pub fn contains_pattern(term: &str) -> String {
    let mut pattern = String::with_capacity(term.len() + 2);
    pattern.push('%');
    for character in term.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text_of(raw: &str, name: &str) -> Option<String> {
        Query::parse(raw).fields().optional(name, fields::text(0, 99)).flatten().map(str::to_owned)
    }

    #[test]
    fn values_are_decoded_and_the_last_one_counts() {
        for (raw, expected) in [
            ("a=1", Some("1")),
            ("a=1&a=2", Some("2")),
            ("a", Some("")),
            ("a=", Some("")),
            ("a=b=c", Some("b=c")),
            ("a=x+y%2Bz", Some("x y+z")),
            ("%61=caf%C3%A9", Some("café")),
            ("a=100%", Some("100%")),
            ("a=%zz%4", Some("%zz%4")),
            ("&&b=1&a=2&", Some("2")),
            ("b=1", None),
            ("", None),
            ("%ff=1&a=2", Some("2")),
        ] {
            assert_eq!(text_of(raw, "a").as_deref(), expected, "{raw}");
        }
    }

    #[test]
    fn errors_come_in_order_of_reading() {
        let query = Query::parse("size=0&name=%ff&id=x&order=up&page=99999999999999999999");
        let mut fields = query.fields();
        let made = (
            fields.required("day", fields::date),
            fields.or("page", 1, int(1, 10)),
            fields.or("size", 20, int(1, 100)),
            fields.optional("name", fields::text(1, 9)),
            fields.optional("id", key),
            fields.or("order", 1, one_of("enum", &[("asc", 1), ("desc", 2), ("none", 3)])),
        );
        assert_eq!(made, (None, None, None, None, None, None));
        let found: Vec<(&str, &str)> = fields.errors.iter().map(|e| (e.field.as_str(), e.kind)).collect();
        assert_eq!(
            found,
            [
                ("query.day", "missing"),
                ("query.page", "less_than_equal"),
                ("query.size", "greater_than_equal"),
                ("query.name", "value_error"),
                ("query.id", "int_parsing"),
                ("query.order", "enum"),
            ]
        );
        assert!(fields.errors[5].message.contains("asc, desc or none"), "{}", fields.errors[5].message);
        assert!(fields.finish(Some(())).is_err());
    }

    #[test]
    fn integers_of_any_length() {
        for (text, expected) in [
            ("5", Ok(5)),
            (" 5 ", Ok(5)),
            ("5.0", Ok(5)),
            ("10", Ok(10)),
            ("11", Err("less_than_equal")),
            ("-99999999999999999999", Err("greater_than_equal")),
            ("99999999999999999999", Err("less_than_equal")),
            ("5.5", Err("int_parsing")),
            ("true", Err("int_parsing")),
            ("", Err("int_parsing")),
            ("1e3", Err("int_parsing")),
        ] {
            let read = int(0, 10)(&Value::from(text)).map_err(|(kind, _)| kind);
            assert_eq!(read, expected, "{text}");
        }
        assert_eq!(key(&Value::from("2147483647")), Ok(i32::MAX));
        assert_eq!(key(&Value::from("2147483648")).unwrap_err().0, "less_than_equal");
        assert_eq!(key(&Value::from("0")).unwrap_err().0, "greater_than_equal");
    }

    #[test]
    fn pages() {
        let read = |raw: &str| Paging::read(&mut Query::parse(raw).fields());
        assert_eq!(read("").map(|p| (p.page, p.page_size, p.offset())), Some((1, 20, 0)));
        assert_eq!(read("page=3&page_size=100").map(Paging::offset), Some(200));
        assert_eq!(read(&format!("page={}", i64::MAX)).map(Paging::offset), Some(i64::MAX));
        for raw in ["page=0", "page_size=0", "page_size=101", "page=x"] {
            assert_eq!(read(raw), None, "{raw}");
        }
    }

    #[test]
    fn path_keys() {
        let read = |text: &str| path_key("store_id", Ok(Path(text.to_owned()))).ok();
        assert_eq!(read("7"), Some(Some(7)));
        assert_eq!(read("7.0"), Some(Some(7)));
        for beyond in ["2147483648", "99999999999999999999", "-99999999999999999999"] {
            assert_eq!(read(beyond), Some(None), "{beyond}");
        }
        for text in ["", "x", "7.5", "0x7"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_encoded_is_decoded(text in "\\PC{0,12}") {
            let encoded = percent_encoding::utf8_percent_encode(&text, percent_encoding::NON_ALPHANUMERIC);
            prop_assert_eq!(text_of(&format!("a={encoded}"), "a"), Some(text));
        }
    }
}
