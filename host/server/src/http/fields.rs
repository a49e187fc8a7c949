//! Reading the members of an object with the contract's types, bounds and reasons (`README.md` §5), collecting
//! everything that is wrong instead of stopping at the first.

use std::fmt::Display;

use chrono::{NaiveDate, NaiveDateTime};
use retailcast_core::config_schema::{FieldError, lax_bool, lax_float, lax_integer};
use rust_decimal::Decimal;
use serde_json::{Map, Value};

pub use retailcast_core::config_schema::{short, version};

/// Why one value does not fit: machine reason and message.
pub type Refusal = (&'static str, String);
/// What a reader of one value gives.
pub type Reading<T> = Result<T, Refusal>;

/// What has values by name.
#[derive(Debug, Clone, Copy)]
enum Members<'a> {
    Object(&'a Map<String, Value>),
    /// The names, and a cell for each.
    Row(&'a [String], &'a [Value]),
}

impl<'a> Members<'a> {
    fn names(self) -> Box<dyn Iterator<Item = &'a str> + 'a> {
        match self {
            Self::Object(members) => Box::new(members.keys().map(String::as_str)),
            Self::Row(names, _) => Box::new(names.iter().map(String::as_str)),
        }
    }

    fn get(self, name: &str) -> Option<&'a Value> {
        match self {
            Self::Object(members) => members.get(name),
            Self::Row(names, cells) => {
                let at = names.iter().position(|found| found == name)?;
                cells.get(at).filter(|cell| !cell.is_null())
            }
        }
    }
}

/// The members of one object, and what was found wrong with them.
#[derive(Debug)]
pub struct Fields<'a> {
    members: Members<'a>,
    /// Where the object stands, with a dot at the end; empty for the body.
    prefix: String,
    errors: Vec<FieldError>,
}

impl<'a> Fields<'a> {
    /// The members of the body.
    pub fn of(members: &'a Map<String, Value>) -> Self {
        Self { members: Members::Object(members), prefix: String::new(), errors: Vec::new() }
    }

    /// The cells of a table's row under the names of its columns: texts, and null for empty cells, which are missing.
    pub fn of_row(names: &'a [String], cells: &'a [Value]) -> Self {
        Self { members: Members::Row(names, cells), prefix: String::new(), errors: Vec::new() }
    }

    /// The members of an object inside the body; `location` is where it stands.
    pub fn inside(location: &str, value: &'a Value) -> Result<Self, Vec<FieldError>> {
        match value {
            Value::Object(members) => Ok(Self {
                members: Members::Object(members),
                prefix: format!("{location}."),
                errors: Vec::new(),
            }),
            other => {
                let message = format!("must be an object, got {}", short(other));
                Err(vec![FieldError::new(location, "dict_type", message)])
            }
        }
    }

    fn error(&mut self, name: &str, kind: &'static str, message: impl Into<String>) {
        self.errors.push(FieldError::new(format!("{}{name}", self.prefix), kind, message));
    }

    /// A member that must be there.
    pub fn required<T>(&mut self, name: &str, read: impl FnOnce(&'a Value) -> Reading<T>) -> Option<T> {
        let read = match self.members.get(name) {
            Some(value) => read(value),
            None => Err(("missing", "is required".to_owned())),
        };
        match read {
            Ok(value) => Some(value),
            Err((kind, message)) => {
                self.error(name, kind, message);
                None
            }
        }
    }

    /// A member that may be absent.
    pub fn optional<T>(&mut self, name: &str, read: impl FnOnce(&'a Value) -> Reading<T>) -> Option<T> {
        self.members.get(name).is_some().then(|| self.required(name, read)).flatten()
    }

    /// A member that may be absent or null.
    pub fn nullable<T>(&mut self, name: &str, read: impl FnOnce(&'a Value) -> Reading<T>) -> Option<T> {
        self.members
            .get(name)
            .is_some_and(|value| !value.is_null())
            .then(|| self.required(name, read))
            .flatten()
    }

    /// A member that may be absent or null, and brings errors with locations of their own.
    pub fn nullable_nested<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&'a Value) -> Result<T, Vec<FieldError>>,
    ) -> Option<T> {
        self.members
            .get(name)
            .is_some_and(|value| !value.is_null())
            .then(|| self.nested(name, read))
            .flatten()
    }

    /// A member that may be absent, and brings errors with locations of their own.
    pub fn optional_nested<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&'a Value) -> Result<T, Vec<FieldError>>,
    ) -> Option<T> {
        self.members.get(name).is_some().then(|| self.nested(name, read)).flatten()
    }

    /// A member that brings errors with locations of their own.
    pub fn nested<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&'a Value) -> Result<T, Vec<FieldError>>,
    ) -> Option<T> {
        match self.members.get(name).map(read) {
            Some(Ok(value)) => Some(value),
            Some(Err(errors)) => {
                self.errors.extend(errors);
                None
            }
            None => {
                self.error(name, "missing", "is required");
                None
            }
        }
    }

    /// An array that may be absent, item by item; what is wrong with an item stands at its position.
    pub fn items<T>(&mut self, name: &str, read: impl Fn(&'a Value) -> Reading<T>) -> Option<Vec<T>> {
        self.items_within(name, (0, usize::MAX), read)
    }

    /// The same with a least and a most number of items.
    pub fn items_within<T>(
        &mut self,
        name: &str,
        (least, most): (usize, usize),
        read: impl Fn(&'a Value) -> Reading<T>,
    ) -> Option<Vec<T>> {
        let items = self.optional(name, list(least, most))?;
        self.each(name, items, read)
    }

    /// The same of an array that must be there.
    pub fn required_items<T>(
        &mut self,
        name: &str,
        (least, most): (usize, usize),
        read: impl Fn(&'a Value) -> Reading<T>,
    ) -> Option<Vec<T>> {
        let items = self.required(name, list(least, most))?;
        self.each(name, items, read)
    }

    fn each<T>(
        &mut self,
        name: &str,
        items: &'a [Value],
        read: impl Fn(&'a Value) -> Reading<T>,
    ) -> Option<Vec<T>> {
        let mut made = Vec::with_capacity(items.len());
        for (i, item) in items.iter().enumerate() {
            match read(item) {
                Ok(item) => made.push(item),
                Err((kind, message)) => self.error(&format!("{name}.{i}"), kind, message),
            }
        }
        (made.len() == items.len()).then_some(made)
    }

    /// An object of any names that may be absent, in its order; what is wrong with a value stands at its name.
    pub fn entries<T>(
        &mut self,
        name: &str,
        read: impl Fn(&'a Value) -> Reading<T>,
    ) -> Option<Vec<(&'a str, T)>> {
        let entries = self.optional(name, object)?;
        let mut made = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            match read(value) {
                Ok(value) => made.push((key.as_str(), value)),
                Err((kind, message)) => self.error(&format!("{name}.{key}"), kind, message),
            }
        }
        (made.len() == entries.len()).then_some(made)
    }

    /// Whether a member is there and not null.
    pub fn given(&self, name: &str) -> bool {
        self.members.get(name).is_some_and(|value| !value.is_null())
    }

    /// A rule between members that do not fit together.
    pub fn refuse(&mut self, name: &str, message: impl Into<String>) {
        self.error(name, "value_error", message);
    }

    /// Refuses all members but these.
    pub fn forbid_others(&mut self, known: &[&str]) {
        for name in self.members.names().filter(|name| !known.contains(name)) {
            self.error(name, "extra_forbidden", format!("is no field here; they are {}", known.join(", ")));
        }
    }

    /// The value that was made of the members; all errors when there are any.
    pub fn finish<T>(self, made: Option<T>) -> Result<T, Vec<FieldError>> {
        match made {
            Some(value) if self.errors.is_empty() => Ok(value),
            _ => Err(self.errors),
        }
    }
}

fn bounded<T: PartialOrd + Display>(value: T, least: &T, most: &T) -> Reading<T> {
    if value < *least {
        return Err(("greater_than_equal", format!("must be at least {least}, got {value}")));
    }
    if value > *most {
        return Err(("less_than_equal", format!("must be at most {most}, got {value}")));
    }
    Ok(value)
}

/// An integer that really is one: `"5"`, `5.0` and `true` are refused.
pub fn strict_int(least: i64, most: i64) -> impl Fn(&Value) -> Reading<i64> {
    move |value| match value {
        Value::Number(number) if !number.is_f64() => match number.as_i64() {
            Some(integer) => bounded(integer, &least, &most),
            None => Err(("less_than_equal", format!("must be at most {most}, got {number}"))),
        },
        // An integer of more than 64 bits reaches us as a float.
        Value::Number(number)
            if number.as_f64().is_some_and(|float| float.abs() >= 18_446_744_073_709_551_616.0) =>
        {
            let above = number.as_f64().is_some_and(|float| float > 0.0);
            Err((
                if above { "less_than_equal" } else { "greater_than_equal" },
                format!("{number} is out of range"),
            ))
        }
        other => Err(("int_type", format!("must be an integer, got {}", short(other)))),
    }
}

/// An integer, also as `"5"`, `"5.0"`, `5.0` or `true`.
pub fn lax_int(least: i64, most: i64) -> impl Fn(&Value) -> Reading<i64> {
    move |value| bounded(lax_integer(value)?, &least, &most)
}

/// A number, also as a numeric string or a boolean.
pub fn lax_number(least: f64, most: f64) -> impl Fn(&Value) -> Reading<f64> {
    move |value| bounded(lax_float(value)?, &least, &most)
}

/// A number that really is one: `"5"` and `true` are refused.
pub fn strict_number(least: f64, most: f64) -> impl Fn(&Value) -> Reading<f64> {
    move |value| match value.as_f64() {
        Some(number) => bounded(number, &least, &most),
        None => Err(("float_type", format!("must be a number, got {}", short(value)))),
    }
}

/// A boolean, also as 0, 1 or one of the usual words.
pub fn lax_flag(value: &Value) -> Reading<bool> {
    lax_bool(value)
}

/// One of these words.
pub fn one_of<'w>(words: &'w [&'static str]) -> impl Fn(&Value) -> Reading<&'static str> + 'w {
    move |value| {
        let found = words.iter().find(|word| value.as_str() == Some(word));
        found.copied().ok_or_else(|| {
            ("literal_error", format!("must be one of {}, got {}", words.join(", "), short(value)))
        })
    }
}

/// One of these words, as what it means.
pub fn choice<'w, T: Copy>(words: &'w [(&'static str, T)]) -> impl Fn(&Value) -> Reading<T> + 'w {
    move |value| {
        let found = words.iter().find(|(word, _)| value.as_str() == Some(word));
        found.map(|(_, meaning)| *meaning).ok_or_else(|| {
            let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            ("literal_error", format!("must be one of {}, got {}", words.join(", "), short(value)))
        })
    }
}

/// A string of this many characters.
pub fn text(least: usize, most: usize) -> impl Fn(&Value) -> Reading<&str> {
    move |value| {
        let Value::String(text) = value else {
            return Err(("string_type", format!("must be a string, got {}", short(value))));
        };
        // Most texts are short enough in bytes already, and one byte is one character at least.
        let characters = if least > 1 || text.len() > most { text.chars().count() } else { text.len() };
        if characters < least {
            return Err((
                "string_too_short",
                format!("must have at least {least} characters, has {characters}"),
            ));
        }
        if characters > most {
            return Err((
                "string_too_long",
                format!("must have at most {most} characters, has {characters}"),
            ));
        }
        // PostgreSQL's text cannot hold it.
        if text.contains('\0') {
            return Err(("value_error", "must not contain the character NUL".to_owned()));
        }
        Ok(text.as_str())
    }
}

/// An object that PostgreSQL's JSON can keep: no text in it holds the character NUL.
pub fn storable(value: &Value) -> Reading<Map<String, Value>> {
    fn has_nul(value: &Value) -> bool {
        match value {
            Value::String(text) => text.contains('\0'),
            Value::Array(items) => items.iter().any(has_nul),
            Value::Object(members) => {
                members.iter().any(|(name, value)| name.contains('\0') || has_nul(value))
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
        }
    }
    let object = object(value)?;
    if has_nul(value) {
        return Err(("value_error", "must not contain the character NUL in any text".to_owned()));
    }
    Ok(object.clone())
}

/// A day: `YYYY-MM-DD`, or a date-time at midnight.
pub fn date(value: &Value) -> Reading<NaiveDate> {
    match value {
        Value::String(text) => parse_date(text),
        other => Err(("date_type", format!("must be a date as \"YYYY-MM-DD\", got {}", short(other)))),
    }
}

/// The same from text.
pub fn parse_date(text: &str) -> Reading<NaiveDate> {
    if let Some(date) = iso_date(text) {
        return Ok(date);
    }
    let no_date = || ("date_from_datetime_parsing", format!("`{text}` is not a date as YYYY-MM-DD"));
    let (day, time) = text.get(..10).zip(text.get(10..)).ok_or_else(no_date)?;
    let day = iso_date(day).ok_or_else(no_date)?;
    let time = time.strip_prefix(['T', 't', ' ', '_']).ok_or_else(no_date)?;
    let clock = clock_of(time).ok_or_else(no_date)?;
    let moment = ["%H:%M:%S%.f", "%H:%M"]
        .iter()
        .find_map(|format| {
            NaiveDateTime::parse_from_str(&format!("2000-01-01 {clock}"), &format!("%Y-%m-%d {format}")).ok()
        })
        .ok_or_else(no_date)?;
    if moment.time() == chrono::NaiveTime::MIN {
        return Ok(day);
    }
    Err(("date_from_datetime_inexact", format!("`{text}` has a time of day; a date is wanted")))
}

/// A time of day without its offset from UTC (`Z`, `+02:00`).
fn clock_of(time: &str) -> Option<&str> {
    if let Some(clock) = time.strip_suffix(['Z', 'z']) {
        return Some(clock);
    }
    match time.find(['+', '-']) {
        None => Some(time),
        Some(at) => {
            let digits: Vec<u8> = time[at + 1..].bytes().filter(|b| *b != b':').collect();
            ((digits.len() == 2 || digits.len() == 4) && digits.iter().all(u8::is_ascii_digit))
                .then(|| &time[..at])
        }
    }
}

/// `YYYY-MM-DD` and nothing else. By hand: a bulk load reads a date per row, and this is ten times chrono's parser.
fn iso_date(text: &str) -> Option<NaiveDate> {
    let bytes: &[u8; 10] = text.as_bytes().try_into().ok()?;
    let number = |digits: &[u8]| {
        digits
            .iter()
            .try_fold(0_u32, |number, b| b.is_ascii_digit().then(|| number * 10 + u32::from(b - b'0')))
    };
    if bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let year = number(&bytes[..4])?;
    if year == 0 {
        return None;
    }
    NaiveDate::from_ymd_opt(year as i32, number(&bytes[5..7])?, number(&bytes[8..])?)
}

/// A non-negative exact decimal with at most two places, not above `most`; a JSON number or a numeric string.
pub fn money(most: Decimal) -> impl Fn(&Value) -> Reading<Decimal> {
    decimal(2, most)
}

/// The same with another number of places.
pub fn decimal(places: u32, most: Decimal) -> impl Fn(&Value) -> Reading<Decimal> {
    move |value| match value {
        Value::Number(number) => parse_places(&number.to_string(), places, most),
        Value::String(text) => parse_places(text.trim(), places, most),
        other => Err(("decimal_type", format!("must be a number or a numeric string, got {}", short(other)))),
    }
}

/// [`money`] from text.
pub fn parse_money(text: &str, most: Decimal) -> Reading<Decimal> {
    parse_places(text, 2, most)
}

fn parse_places(text: &str, places: u32, most: Decimal) -> Reading<Decimal> {
    let decimal = parse_decimal(text)?;
    if decimal.is_sign_negative() && !decimal.is_zero() {
        return Err(("greater_than_equal", format!("must be at least 0, got {text}")));
    }
    if decimal.normalize().scale() > places {
        return Err(("decimal_max_places", format!("must have at most {places} decimal places, got {text}")));
    }
    if decimal > most {
        return Err(("less_than_equal", format!("must be at most {most}, got {text}")));
    }
    Ok(decimal)
}

/// A decimal number in plain or exponent form. What has more digits than a decimal holds is told by its size.
pub fn parse_decimal(text: &str) -> Reading<Decimal> {
    // Zeros at the end of the decimals do not count, however many.
    let digits = match text.split_once('.') {
        Some((_, decimals)) if decimals.bytes().all(|b| b.is_ascii_digit()) => {
            text.trim_end_matches('0').trim_end_matches('.')
        }
        _ => text,
    };
    let exact = |text: &str| Decimal::from_str_exact(text).or_else(|_| Decimal::from_scientific(text));
    if let Ok(decimal) = exact(digits) {
        return Ok(decimal);
    }
    let word = text.trim_start_matches(['+', '-']).to_ascii_lowercase();
    match text.parse::<f64>() {
        Ok(_) if ["inf", "infinity", "nan"].contains(&word.as_str()) => {
            Err(("finite_number", format!("must be a finite number, got {text}")))
        }
        Ok(float) if float.abs() >= 1e15 => Ok(if float > 0.0 { Decimal::MAX } else { Decimal::MIN }),
        Ok(_) => Err(("decimal_max_places", format!("has too many digits: {text}"))),
        Err(_) => Err(("decimal_parsing", format!("`{text}` is not a number"))),
    }
}

/// An object.
pub fn object(value: &Value) -> Reading<&Map<String, Value>> {
    value.as_object().ok_or_else(|| ("dict_type", format!("must be an object, got {}", short(value))))
}

/// An array of this many items.
pub fn list(least: usize, most: usize) -> impl Fn(&Value) -> Reading<&Vec<Value>> {
    move |value| {
        let Value::Array(items) = value else {
            return Err(("list_type", format!("must be an array, got {}", short(value))));
        };
        match items.len() {
            n if n < least => Err(("too_short", format!("must have at least {least} items, has {n}"))),
            n if n > most => Err(("too_long", format!("must have at most {most} items, has {n}"))),
            _ => Ok(items),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn strict_integers() {
        let read = strict_int(1, 2_147_483_647);
        assert_eq!(read(&json!(5)), Ok(5));
        for value in [json!("5"), json!(5.0), json!(true), json!(null), json!([])] {
            assert_eq!(read(&value).unwrap_err().0, "int_type", "{value}");
        }
        assert_eq!(read(&json!(0)).unwrap_err().0, "greater_than_equal");
        assert_eq!(read(&json!(2_147_483_648_u64)).unwrap_err().0, "less_than_equal");
        for (text, kind) in
            [("100000000000000000000", "less_than_equal"), ("-100000000000000000000", "greater_than_equal")]
        {
            assert_eq!(read(&serde_json::from_str(text).unwrap()).unwrap_err().0, kind);
        }
        assert_eq!(read(&json!(u64::MAX)).unwrap_err().0, "less_than_equal");
    }

    #[test]
    fn lax_integers() {
        let read = lax_int(0, 10);
        for value in [json!(5), json!("5"), json!("5.0"), json!(5.0)] {
            assert_eq!(read(&value), Ok(5), "{value}");
        }
        assert_eq!(read(&json!(true)), Ok(1));
        assert_eq!(read(&json!(5.5)).unwrap_err().0, "int_from_float");
        assert_eq!(read(&json!(u64::MAX)).unwrap_err().0, "less_than_equal");
    }

    #[test]
    fn dates() {
        let day = NaiveDate::from_ymd_opt(2024, 2, 29).unwrap();
        for text in [
            "2024-02-29",
            "2024-02-29T00:00:00",
            "2024-02-29 00:00",
            "2024-02-29T00:00:00.000000Z",
            "2024-02-29T00:00:00+02:00",
        ] {
            assert_eq!(date(&json!(text)), Ok(day), "{text}");
        }
        for (value, kind) in [
            (json!("2024-02-29T08:00:00"), "date_from_datetime_inexact"),
            (json!("2023-02-29"), "date_from_datetime_parsing"),
            (json!("29.02.2024"), "date_from_datetime_parsing"),
            (json!("2024-2-29"), "date_from_datetime_parsing"),
            (json!("2024-02-29T"), "date_from_datetime_parsing"),
            (json!("20240229"), "date_from_datetime_parsing"),
            (json!(""), "date_from_datetime_parsing"),
            (json!("ä024-02-29"), "date_from_datetime_parsing"),
            (json!(1_709_164_800), "date_type"),
            (json!(null), "date_type"),
        ] {
            assert_eq!(date(&value).unwrap_err().0, kind, "{value}");
        }
    }

    #[test]
    fn money_as_the_contract_has_it() {
        let most = Decimal::new(9_999_999_999, 2);
        let read = money(most);
        for (value, expected) in [
            (json!(3.49), "3.49"),
            (json!("3.49"), "3.49"),
            (json!("3.4900"), "3.49"),
            (json!(0), "0"),
            (json!("1e2"), "100"),
            (json!(99_999_999.99), "99999999.99"),
            (json!("-0"), "0"),
            (json!("3.4900000000000000000000000000000000000"), "3.49"),
        ] {
            assert_eq!(read(&value).map(|d| d.normalize().to_string()), Ok(expected.to_owned()), "{value}");
        }
        for (value, kind) in [
            (json!(3.499), "decimal_max_places"),
            (json!("3.491"), "decimal_max_places"),
            (json!(-0.01), "greater_than_equal"),
            (json!(100_000_000), "less_than_equal"),
            (json!(1e300), "less_than_equal"),
            (json!("1e40"), "less_than_equal"),
            (json!("1e400"), "less_than_equal"),
            (json!("nan"), "finite_number"),
            (json!("Infinity"), "finite_number"),
            (json!("three"), "decimal_parsing"),
            (json!(""), "decimal_parsing"),
            (json!(true), "decimal_type"),
            (json!(null), "decimal_type"),
            (json!("0.00000000000000000000000000000000001"), "decimal_max_places"),
        ] {
            assert_eq!(read(&value).unwrap_err().0, kind, "{value}");
        }
    }

    #[test]
    fn lists_and_maps_tell_where_they_do_not_fit() {
        let value = json!({"c": 1, "list": [1, "x", 2.5], "map": {"k": true, "l": []}, "a": null});
        let mut fields = Fields::inside("config.x", &value).unwrap();
        assert_eq!(fields.optional("a", lax_flag), None);
        assert_eq!(fields.items("list", lax_int(0, 9)), None);
        assert_eq!(fields.entries("map", lax_flag), None);
        assert_eq!(fields.items("absent", lax_flag), None);
        fields.refuse("b", "does not fit");
        fields.forbid_others(&["a", "list", "map", "absent"]);
        let errors = fields.finish(Some(())).unwrap_err();
        let found: Vec<(&str, &str)> = errors.iter().map(|e| (e.field.as_str(), e.kind)).collect();
        let expected = [
            ("config.x.a", "bool_type"),
            ("config.x.list.1", "int_parsing"),
            ("config.x.list.2", "int_from_float"),
            ("config.x.map.l", "bool_type"),
            ("config.x.b", "value_error"),
            ("config.x.c", "extra_forbidden"),
        ];
        assert_eq!(found, expected);
        assert!(errors[5].message.contains("a, list, map, absent"), "{}", errors[5].message);
        let good = json!({"list": ["1", 2]});
        let mut fields = Fields::inside("config", &good).unwrap();
        let list = fields.items("list", lax_int(0, 9));
        assert_eq!(fields.finish(list), Ok(vec![1, 2]));
    }

    #[test]
    fn texts_count_characters_not_bytes() {
        let read = text(1, 3);
        let value = json!("äöü");
        assert_eq!(read(&value), Ok("äöü"));
        assert_eq!(read(&json!("äöüß")).unwrap_err().0, "string_too_long");
        assert_eq!(read(&json!("")).unwrap_err().0, "string_too_short");
        assert_eq!(read(&json!(5)).unwrap_err().0, "string_type");
        assert_eq!(read(&json!("a\0")).unwrap_err().0, "value_error");
        let read = text(2, 9);
        assert_eq!(read(&json!("ä")).unwrap_err().0, "string_too_short");
        assert_eq!(read(&json!("äö")), Ok("äö"));
    }

    proptest! {
        #[test]
        fn the_fast_date_agrees_with_chrono(text in "[0-9]{4}-[0-9]{2}-[0-9]{2}") {
            let slow = NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok().filter(|_| !text.starts_with("0000"));
            prop_assert_eq!(iso_date(&text), slow);
        }

        #[test]
        fn cents_survive_both_wire_forms(cents in 0_i64..9_999_999_999) {
            let most = Decimal::new(9_999_999_999, 2);
            let exact = Decimal::new(cents, 2);
            prop_assert_eq!(money(most)(&json!(exact.to_string())), Ok(exact));
            prop_assert_eq!(money(most)(&json!(cents as f64 / 100.0)), Ok(exact));
        }
    }
}
