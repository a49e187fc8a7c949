//! The dashboard: static ES modules at `/` and `/dashboard/…`, a client of the API like any other.

mod asset;

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::http::{App, Code, Problem};
use asset::Asset;

/// Scripts, styles, pictures and connections of this server alone, and no page of another site around it.
const POLICY: &str = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

/// The routes. They are no part of the API and stand in no OpenAPI document.
pub fn routes() -> Router<Arc<App>> {
    Router::new().route("/", get(async |headers: HeaderMap| answer("index.html", &headers))).route(
        "/dashboard/{*file}",
        get(async |Path(file): Path<String>, headers: HeaderMap| answer(&file, &headers)),
    )
}

fn answer(file: &str, asked: &HeaderMap) -> Response {
    let Some(asset) = Asset::find(file) else {
        return Problem::new(Code::NotFound, format!("The dashboard has no file {file}.")).into_response();
    };
    let header = |name: HeaderName| asked.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let headers = [
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
        // Kept, but asked for again each time: a new program has new files under the old names.
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (header::VARY, HeaderValue::from_static("accept-encoding")),
        (header::ETAG, asset.etag.clone()),
    ];
    if header(header::IF_NONE_MATCH).split(',').any(|tag| tag.trim().as_bytes() == asset.etag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    let kind = (header::CONTENT_TYPE, asset.content_type);
    if takes_gzip(header(header::ACCEPT_ENCODING)) {
        return (headers, [kind, (header::CONTENT_ENCODING, "gzip")], asset.gzipped.clone()).into_response();
    }
    (headers, [kind], asset.plain.clone()).into_response()
}

/// Whether `Accept-Encoding` lists gzip and does not forbid it.
fn takes_gzip(accepted: &str) -> bool {
    accepted.split(',').any(|item| {
        let mut parts = item.split(';').map(str::trim);
        let weight = |part: &str| part.strip_prefix("q=").and_then(|number| number.parse::<f32>().ok());
        parts.next() == Some("gzip") && parts.find_map(weight).is_none_or(|q| q > 0.0)
    })
}

#[cfg(test)]
mod tests {
    use super::takes_gzip;

    #[test]
    fn gzip_only_for_those_who_take_it() {
        for (accepted, expected) in [
            ("gzip, deflate, br", true),
            ("br;q=1.0, gzip;q=0.5", true),
            ("gzip;q=0", false),
            ("br", false),
            ("", false),
        ] {
            assert_eq!(takes_gzip(accepted), expected, "{accepted}");
        }
    }
}
