//! CORS for development (contract `README.md` §1): browsers on this machine or the local network.

use std::net::Ipv4Addr;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// The layer; only for `app.env = "development"`. By hand, because the layers at hand answer every `OPTIONS` request,
/// and one that is no preflight must get its 404 or 405.
pub async fn around(request: Request, next: Next) -> Response {
    let Some(asked) = Asked::of(&request) else { return varied(next.run(request).await) };
    let mut response = match asked.method {
        Some(method) => preflight(method, asked.headers),
        None => next.run(request).await,
    };
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, asked.origin);
    headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("x-request-id"));
    varied(response)
}

/// What a browser of an allowed origin asks for.
struct Asked {
    origin: HeaderValue,
    /// Of a preflight.
    method: Option<HeaderValue>,
    headers: Option<HeaderValue>,
}

impl Asked {
    fn of(request: &Request) -> Option<Self> {
        let header = |name: HeaderName| request.headers().get(name).cloned();
        let origin = header(header::ORIGIN).filter(|origin| origin.to_str().is_ok_and(is_local))?;
        let preflight = request.method() == Method::OPTIONS;
        Some(Self {
            origin,
            method: header(header::ACCESS_CONTROL_REQUEST_METHOD).filter(|_| preflight),
            headers: header(header::ACCESS_CONTROL_REQUEST_HEADERS),
        })
    }
}

/// All methods and request headers are allowed.
fn preflight(method: HeaderValue, headers: Option<HeaderValue>) -> Response {
    let mut allowed = HeaderMap::from_iter([(header::ACCESS_CONTROL_ALLOW_METHODS, method)]);
    if let Some(headers) = headers {
        allowed.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, headers);
    }
    (StatusCode::OK, allowed).into_response()
}

/// Caches must not give one origin's answer to another.
fn varied(mut response: Response) -> Response {
    response.headers_mut().append(header::VARY, HeaderValue::from_static("origin"));
    response
}

/// `http(s)://HOST[:port]` with a HOST of this machine or of a private network.
fn is_local(origin: &str) -> bool {
    let Some(rest) = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://")) else {
        return false;
    };
    let (host, port) = rest.split_once(':').map_or((rest, None), |(host, port)| (host, Some(port)));
    if port.is_some_and(|port| port.is_empty() || !port.bytes().all(|b| b.is_ascii_digit())) {
        return false;
    }
    if host == "localhost" || host == "127.0.0.1" {
        return true;
    }
    host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_private())
}

#[cfg(test)]
mod tests {
    use super::is_local;

    #[test]
    fn only_this_machine_and_private_networks() {
        for origin in [
            "http://localhost",
            "https://localhost:5173",
            "http://127.0.0.1:3000",
            "http://10.1.2.3",
            "http://192.168.0.7:80",
            "http://172.16.0.1",
            "http://172.31.255.1",
        ] {
            assert!(is_local(origin), "{origin}");
        }
        for origin in [
            "http://localhost.evil.org",
            "http://127.0.0.2",
            "http://172.32.0.1",
            "http://11.0.0.1",
            "http://localhost:",
            "http://localhost:80/x",
            "ftp://localhost",
            "null",
            "",
            "http://10.1.2.3.evil.org",
        ] {
            assert!(!is_local(origin), "{origin}");
        }
    }
}
