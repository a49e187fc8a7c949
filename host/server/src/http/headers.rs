//! Headers that every answer carries for the safety of browsers.

use axum::http::{HeaderName, HeaderValue, header};
use axum::response::Response;

/// What a browser is told unless the answer says something else: bodies are of the type that they are said to be, no
/// page of another site shows them, and they tell no other site where the user came from.
const SAFE: [(HeaderName, HeaderValue); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("frame-ancestors 'none'; base-uri 'none'")),
    (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
];

/// Adds them.
pub async fn add(mut response: Response) -> Response {
    for (name, value) in SAFE {
        response.headers_mut().entry(name).or_insert(value);
    }
    response
}
