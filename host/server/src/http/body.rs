//! Reading a JSON body as the contract wants it: at most 16 MiB, no NaN, no duplicate keys, and an object. It may be
//! gzipped (`Content-Encoding: gzip`); the limit is that of the unzipped text.

use std::fmt;
use std::io::Read;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use retailcast_core::config_schema::FieldError;
use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::{Code, Problem};

/// Largest body, in bytes.
pub const LIMIT: usize = 16 << 20;

/// From this size on a body is parsed on a thread of its own: half a millisecond of the reactor's time.
const LARGE: usize = 256 << 10;

/// The members of a JSON object.
#[derive(Debug, Clone, PartialEq)]
pub struct JsonBody(pub Map<String, Value>);

impl<S: Sync> FromRequest<S> for JsonBody {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let json = is_json(request.headers());
        let encoding = ContentEncoding::of(request.headers())?;
        let bytes = read(request).await?;
        let bytes = if encoding == ContentEncoding::Gzip { unzip(bytes).await? } else { bytes };
        if bytes.is_empty() {
            return Err(one("", "missing", "a JSON object is required as the request's body"));
        }
        if !json {
            // Also keeps web pages of strangers from posting to a local server without a CORS preflight.
            return Err(one("", "dict_type", "send JSON with the header Content-Type: application/json"));
        }
        let parsed = if bytes.len() > LARGE {
            let parsing = tokio::task::spawn_blocking(move || parse(&bytes));
            parsing.await.map_err(|e| Problem::internal(&e))?
        } else {
            parse(&bytes)
        };
        match parsed {
            Ok(Value::Object(members)) => Ok(Self(members)),
            Ok(_) => Err(one("", "dict_type", "the body must be a JSON object")),
            Err(e) => Err(Problem::validation(vec![e])),
        }
    }
}

fn one(field: &str, kind: &'static str, message: &str) -> Problem {
    Problem::validation(vec![FieldError::new(field, kind, message)])
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return true };
    let text = value.to_str().unwrap_or_default();
    let essence = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// How a body is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentEncoding {
    /// Not at all.
    Identity,
    /// With gzip.
    Gzip,
}

impl ContentEncoding {
    /// What the header says.
    pub fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let Some(value) = headers.get(header::CONTENT_ENCODING) else { return Ok(Self::Identity) };
        match value.to_str().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Ok(Self::Identity),
            "gzip" | "x-gzip" => Ok(Self::Gzip),
            other => Err(Problem::new(
                Code::BadRequest,
                format!("Content-Encoding `{other}` is not understood; send gzip or nothing."),
            )),
        }
    }
}

/// Whether the header `Content-Length` announces more than this.
pub fn announces_more(headers: &HeaderMap, limit: u64) -> bool {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    announced.and_then(|length| length.parse::<u64>().ok()).is_some_and(|length| length > limit)
}

/// The connection failed before the body's end.
pub fn unreadable(error: &dyn fmt::Display) -> Problem {
    Problem::new(Code::BadRequest, format!("The request's body cannot be read: {error}."))
}

fn too_large() -> Problem {
    Problem::new(
        Code::PayloadTooLarge,
        format!("The request's body is larger than {} MiB ({LIMIT} bytes).", LIMIT >> 20),
    )
}

async fn read(request: Request) -> Result<Bytes, Problem> {
    if announces_more(request.headers(), LIMIT as u64) {
        return Err(too_large());
    }
    match Limited::new(request.into_body(), LIMIT).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(e) if e.is::<LengthLimitError>() => Err(too_large()),
        Err(e) => Err(unreadable(&e)),
    }
}

async fn unzip(bytes: Bytes) -> Result<Bytes, Problem> {
    let work = move || {
        let mut plain = Vec::new();
        // One byte more than allowed tells a body at the limit from one above it.
        let unzipped = flate2::read::MultiGzDecoder::new(&bytes[..])
            .take(LIMIT as u64 + 1)
            .read_to_end(&mut plain)
            .map_err(|e| one("0", "json_invalid", &format!("not valid gzip: {e}")))?;
        if unzipped > LIMIT { Err(too_large()) } else { Ok(plain.into()) }
    };
    tokio::task::spawn_blocking(work).await.map_err(|e| Problem::internal(&e))?
}

/// Parses a JSON text; an error names the byte offset where it was found.
pub fn parse(bytes: &[u8]) -> Result<Value, FieldError> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Strict.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    value.map_err(|e| {
        FieldError::new(offset(bytes, &e).to_string(), "json_invalid", format!("not valid JSON: {e}"))
    })
}

fn offset(bytes: &[u8], error: &serde_json::Error) -> usize {
    if error.is_eof() {
        return bytes.len();
    }
    let before = error.line().saturating_sub(1);
    let line: usize = bytes.split_inclusive(|b| *b == b'\n').take(before).map(<[u8]>::len).sum();
    (line + error.column().saturating_sub(1)).min(bytes.len())
}

/// Builds a [`Value`] and refuses an object that names a member twice.
struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, d: D) -> Result<Value, D::Error> {
        d.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::with_capacity(seq.size_hint().unwrap_or(0));
        while let Some(item) = seq.next_element_seed(Strict)? {
            items.push(item);
        }
        Ok(items.into())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            let value = map.next_value_seed(Strict)?;
            if members.contains_key(&key) {
                return Err(A::Error::custom(format!("duplicate key `{key}`")));
            }
            members.insert(key, value);
        }
        Ok(members.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn refuses_what_the_contract_refuses() {
        for (text, at) in [
            ("{", 1),
            ("{\n", 2),
            (r#"{"a": NaN}"#, 6),
            (r#"{"a": Infinity}"#, 6),
            ("{\"a\": 1,\n \"a\": 2}", 16),
            (r#"{"a": 1} x"#, 9),
            (r#"{"a": 1e999}"#, 10),
        ] {
            let error = parse(text.as_bytes()).unwrap_err();
            assert_eq!(error.kind, "json_invalid");
            let found: usize = error.field.parse().unwrap();
            assert!(found.abs_diff(at) <= 1, "{text}: {found} instead of {at}");
        }
        assert!(parse(b"\xff").is_err());
    }

    #[test]
    fn content_types() {
        let with = |value: &str| HeaderMap::from_iter([(header::CONTENT_TYPE, value.parse().unwrap())]);
        assert!(is_json(&HeaderMap::new()));
        assert!(is_json(&with("application/json; charset=utf-8")));
        assert!(is_json(&with("application/vnd.api+json")));
        assert!(!is_json(&with("application/x-www-form-urlencoded")));
        assert!(!is_json(&with("text/plain")));
    }

    proptest! {
        #[test]
        fn whatever_serde_json_writes_is_read_back(text in "[a-z\u{e9}\"\\\\\n]{0,12}", n in any::<i64>(), x in -1e300..1e300_f64) {
            let value = serde_json::json!({"text": text, "list": [n, x, null, true], "inner": {"a": {}}});
            prop_assert_eq!(parse(value.to_string().as_bytes()).unwrap(), value);
        }
    }
}
