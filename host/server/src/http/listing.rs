//! Lists, as JSON or as CSV: `Accept` decides (decisions.md 12).

use std::convert::Infallible;

use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::Problem;

/// How many rows there are altogether; in JSON this stands in the body.
pub const TOTAL: HeaderName = HeaderName::from_static("x-total-count");

/// In which form the client wants a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListFormat {
    /// Also when the client says nothing.
    Json,
    /// When `Accept` prefers it.
    Csv,
}

impl<S: Sync> FromRequestParts<S> for ListFormat {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.headers))
    }
}

impl ListFormat {
    fn of(headers: &HeaderMap) -> Self {
        let accept: Vec<&str> =
            headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
        let accept = accept.join(",");
        // A tie stays JSON, so that `*/*` does.
        if weight(&accept, "text/csv") > weight(&accept, "application/json") { Self::Csv } else { Self::Json }
    }

    /// The answer: `body` as JSON, or its rows as CSV with a header line.
    pub fn answer<T: Serialize, R: CsvRow>(
        self,
        body: &T,
        rows: &[R],
        total: i64,
    ) -> Result<Response, Problem> {
        let vary = (header::VARY, "accept");
        if self == Self::Json {
            return Ok(([vary], Json(body)).into_response());
        }
        let text = csv(rows).map_err(|e| Problem::internal(&e))?;
        let kind = (header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present");
        Ok(([vary, kind], [(TOTAL, total.to_string())], text).into_response())
    }
}

/// One line of a CSV answer.
pub trait CsvRow {
    /// Names of the columns.
    const COLUMNS: &'static [&'static str];

    /// One cell per column; what is null is an empty cell.
    fn cells(&self) -> Vec<String>;
}

fn csv<R: CsvRow>(rows: &[R]) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(R::COLUMNS)?;
    for row in rows {
        writer.write_record(row.cells())?;
    }
    writer.into_inner().map_err(|e| csv::Error::from(e.into_error()))
}

/// How much a media type is wanted, in thousandths: by the most specific range that fits (RFC 9110 §12.5.1).
pub(crate) fn weight(accept: &str, media_type: &str) -> u16 {
    let any_of_kind = media_type.split('/').next().map(|kind| format!("{kind}/*")).unwrap_or_default();
    let mut best = (0, 0);
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let specific = match name.as_str() {
            name if name == media_type => 3,
            name if name == any_of_kind => 2,
            "*/*" => 1,
            _ => continue,
        };
        let quality = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        let quality = quality.map_or(1.0, |q| q.parse::<f32>().unwrap_or(0.0).clamp(0.0, 1.0));
        if specific > best.0 {
            best = (specific, (quality * 1_000.0) as u16);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accept_decides() {
        for (accept, csv) in [
            ("text/csv", true),
            ("Text/CSV; charset=utf-8", true),
            ("text/*", true),
            ("text/csv, application/json;q=0.5", true),
            ("text/csv;q=0.9, application/json", false),
            ("text/csv;q=0.9, */*;q=0.1", true),
            ("text/csv, application/json", false),
            ("text/csv;q=0", false),
            ("*/*", false),
            ("application/json", false),
            ("", false),
            ("text/html,application/xhtml+xml,*/*;q=0.8", false),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT, accept.parse().unwrap())]);
            assert_eq!(ListFormat::of(&headers) == ListFormat::Csv, csv, "{accept}");
        }
        assert_eq!(ListFormat::of(&HeaderMap::new()), ListFormat::Json);
    }

    struct Pair(&'static str, &'static str);

    impl CsvRow for Pair {
        const COLUMNS: &'static [&'static str] = &["a", "b"];

        fn cells(&self) -> Vec<String> {
            vec![self.0.to_owned(), self.1.to_owned()]
        }
    }

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        let text = csv(&[Pair("x,y", "say \"hi\""), Pair("", "é\nz")]).unwrap();
        let expected = "a,b\r\n\"x,y\",\"say \"\"hi\"\"\"\r\n,\"é\nz\"\r\n";
        assert_eq!(String::from_utf8(text).unwrap(), expected);
    }
}
