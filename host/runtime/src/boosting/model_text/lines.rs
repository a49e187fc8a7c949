//! Lines and numbers of LightGBM's text format, read without leeway.

/// The lines of a text, one after the other.
#[derive(Debug)]
pub(super) struct Lines<'a> {
    text: &'a str,
    position: usize,
    number: usize,
}

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, position: 0, number: 0 }
    }

    /// Bytes that were read.
    pub(super) fn position(&self) -> usize {
        self.position
    }

    /// The next line without its LF. A text that ends within a line is refused.
    pub(super) fn next(&mut self) -> Result<&'a str, String> {
        let rest = &self.text[self.position..];
        let Some(length) = rest.find('\n') else {
            return Err(format!("the model ends within line {}", self.number + 1));
        };
        self.position += length + 1;
        self.number += 1;
        Ok(&rest[..length])
    }

    /// The next line, which must be this one.
    pub(super) fn exactly(&mut self, expected: &str) -> Result<(), String> {
        let line = self.next()?;
        if line == expected { Ok(()) } else { Err(self.unexpected(expected, line)) }
    }

    /// What stands after `key=` in the next line.
    pub(super) fn value(&mut self, key: &str) -> Result<&'a str, String> {
        let line = self.next()?;
        match line.strip_prefix(key).and_then(|rest| rest.strip_prefix('=')) {
            Some(value) => Ok(value),
            None => Err(self.unexpected(&format!("{key}=..."), line)),
        }
    }

    /// Nothing may follow.
    pub(super) fn end(&self) -> Result<(), String> {
        let left = self.text.len() - self.position;
        if left == 0 { Ok(()) } else { Err(format!("{left} bytes follow the end of the model")) }
    }

    fn unexpected(&self, expected: &str, found: &str) -> String {
        let expected = if expected.is_empty() { "an empty line".to_owned() } else { format!("`{expected}`") };
        format!("line {} of the model must be {expected} and is `{}`", self.number, shorten(found))
    }
}

/// As much of a stranger's text as a message needs.
pub(super) fn shorten(text: &str) -> &str {
    text.get(..60).unwrap_or(text)
}

/// Exactly `count` words, one space apart.
pub(super) fn list<'a>(
    key: &str,
    text: &'a str,
    count: usize,
) -> Result<impl Iterator<Item = &'a str> + use<'a>, String> {
    let words = || text.split(' ');
    let found = if text.is_empty() { 0 } else { words().count() };
    if found != count || (count > 0 && words().any(str::is_empty)) {
        return Err(format!("`{key}` must have {count} values, one space apart, and has {found}"));
    }
    // An empty text has one empty piece, which is no word.
    Ok(words().take(count))
}

/// A whole number as LightGBM writes it (no plus, no leading zeros), within bounds.
pub(super) fn integer(text: &str, least: i64, most: i64) -> Result<i64, String> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let canonical = !digits.is_empty()
        && digits.bytes().all(|b| b.is_ascii_digit())
        && (digits == "0" || !digits.starts_with('0'));
    text.parse()
        .ok()
        .filter(|value| canonical && (least..=most).contains(value) && text != "-0")
        .ok_or_else(|| format!("`{}` must be an integer from {least} to {most}", shorten(text)))
}

/// A number as LightGBM writes it: digits, perhaps a point and digits, perhaps an exponent; or `inf`, `nan`. LightGBM has two
/// parsers for numbers and falls back to `strtod`; in this grammar all of them take the whole word.
pub(super) fn number(text: &str) -> Result<f64, String> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let grammatical = matches!(unsigned, "inf" | "nan") || is_decimal(unsigned);
    let value = if grammatical { text.parse().ok() } else { None };
    value.ok_or_else(|| format!("`{}` is not a number as LightGBM writes it", shorten(text)))
}

/// A number that is neither infinite nor NaN.
pub(super) fn finite(text: &str) -> Result<f64, String> {
    number(text).and_then(|value| {
        if value.is_finite() { Ok(value) } else { Err(format!("`{}` is not a finite number", shorten(text))) }
    })
}

fn is_decimal(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let (mantissa, exponent) = match text.split_once('e') {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    // 17 digits and their zeros; longer words would only slow the parsers down.
    text.len() <= 32
        && digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|e| digits(e.strip_prefix(['-', '+']).unwrap_or(e)) && e.len() <= 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_without_leeway() {
        for text in
            ["0", "-1", "0.5", "1e+300", "1.0000000180025095e-35", "-2.5e-7", "inf", "-inf", "nan", "-nan"]
        {
            assert!(number(text).is_ok(), "{text}");
        }
        for text in [
            "", "-", "+1", "01", ".5", "1.", "1e", "0x10", "1e+12345", "infinity", "1_000", " 1", "1d3",
            "--1",
        ] {
            assert!(number(text).is_err(), "{text}");
        }
        assert!(finite("1e999").is_err());
        assert!(finite("inf").is_err());
        for text in ["", "-", "+1", "01", "-0", "1.0", "7", "99999999999999999999"] {
            assert!(integer(text, -3, 5).is_err(), "{text}");
        }
        assert_eq!(integer("-3", -3, 5), Ok(-3));
    }

    #[test]
    fn lists_have_the_length_that_is_asked_for() {
        assert_eq!(list("x", "a b", 2).unwrap().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(list("x", "", 0).unwrap().count(), 0);
        for (text, count) in [("", 1), ("a", 0), ("a b", 1), ("a  b", 2), ("a ", 1), (" ", 0), ("a  b", 3)] {
            assert!(list("x", text, count).is_err(), "`{text}`");
        }
    }
}
