//! CORS for development (contract `README.md` §1): browsers on this machine or the local network.

use std::net::Ipv4Addr;

use axum::http::{HeaderValue, request::Parts};
use tower_http::cors::{AllowHeaders, AllowMethods, AllowOrigin, CorsLayer, ExposeHeaders};

use super::request::HEADER;

/// The layer; only for `app.env = "development"`.
pub fn layer() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(|origin: &HeaderValue, _: &Parts| {
            origin.to_str().is_ok_and(is_local)
        }))
        .allow_credentials(true)
        .allow_methods(AllowMethods::mirror_request())
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(ExposeHeaders::list([HEADER]))
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
