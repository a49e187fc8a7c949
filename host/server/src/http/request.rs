//! Around every request: its id, its log line, its metrics, and the body of its problem.

use std::time::Instant;

use axum::extract::{FromRequestParts, MatchedPath, Request};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument;

use super::problem::Problem;

/// Name of the header.
pub const HEADER: HeaderName = HeaderName::from_static("x-request-id");
/// Longest id that a client may choose.
const LONGEST: usize = 200;

/// The id of a request: the client's, or a random UUID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(pub String);

impl RequestId {
    fn of(request: &Request) -> Self {
        let given = request.headers().get(HEADER).and_then(|value| value.to_str().ok());
        match given {
            Some(id) if is_usable(id) => Self(id.to_owned()),
            _ => Self(uuid::Uuid::new_v4().to_string()),
        }
    }
}

fn is_usable(id: &str) -> bool {
    (1..=LONGEST).contains(&id.len()) && id.bytes().all(|b| (0x20..=0x7e).contains(&b))
}

impl<S: Sync> FromRequestParts<S> for RequestId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get().cloned().ok_or_else(|| Problem::internal(&"the request has no id"))
    }
}

/// Marks an error response whose body is the contract's own and no problem (readiness).
#[derive(Debug, Clone, Copy)]
pub struct OwnBody;

/// The outermost layer.
pub async fn around(mut request: Request, next: Next) -> Response {
    let id = RequestId::of(&request);
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let route = request.extensions().get::<MatchedPath>().map(|route| route.as_str().to_owned());
    request.extensions_mut().insert(id.clone());
    // Of the highest level, so that a filter for errors keeps it: every line of the request carries the id.
    let span = tracing::error_span!("request", request_id = %id.0);
    let started = Instant::now();

    let response = next.run(request).instrument(span.clone()).await;
    let mut response = finish(response, &id.0);

    let (elapsed, status) = (started.elapsed(), response.status().as_u16());
    let duration_ms = elapsed.as_secs_f64() * 1e3;
    span.in_scope(|| tracing::info!(%method, path, status, duration_ms, "request"));
    super::metrics::record(&method, route.as_deref().unwrap_or("unmatched"), status, elapsed);
    if let Ok(value) = HeaderValue::from_str(&id.0) {
        response.headers_mut().insert(HEADER, value);
    }
    response
}

/// Writes the problem that a handler or a library answered with.
fn finish(mut response: Response, request_id: &str) -> Response {
    let problem = match response.extensions_mut().remove::<Problem>() {
        Some(problem) => problem,
        None if response.status().is_client_error() || response.status().is_server_error() => {
            if response.extensions().get::<OwnBody>().is_some() {
                return response;
            }
            Problem::of_response(&response)
        }
        None => return response,
    };
    let mut rendered = problem.render(request_id);
    // What other layers added: `Allow`, CORS.
    for (name, value) in response.headers() {
        if name != "content-type" && name != "content-length" {
            rendered.headers_mut().append(name, value.clone());
        }
    }
    rendered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usable_ids() {
        assert!(is_usable("abc 123"));
        for id in ["", "ü", "a\tb", &"x".repeat(201)] {
            assert!(!is_usable(id), "{id:?}");
        }
        assert!(is_usable(&"x".repeat(200)));
    }
}
