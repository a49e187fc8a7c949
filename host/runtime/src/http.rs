//! Outgoing HTTP for plugins that were granted it: where they may go, what is added to their requests, and what keeps
//! a service from holding or flooding them.
//!
//! A plugin sees no key. The host adds it to requests for the one address that it belongs to, and takes it out of
//! answers that repeat it.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use tokio::sync::Semaphore;
use url::{Host, Url};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use crate::call::{Call, CancelToken};
use crate::http_pattern::HttpPattern;
use crate::sandbox::Identity;

/// Largest request, in bytes: 2048 texts of eight thousand tokens do not fit, a hundred do.
const REQUEST_BYTES: usize = 16 << 20;

/// Largest answer, in bytes: 2048 vectors of 1536 numbers in JSON have about 40 MB.
const ANSWER_BYTES: usize = 64 << 20;

/// Exchanges of all plugins at a time; a further one waits.
const AT_ONCE: usize = 16;

/// Until a connection stands.
const CONNECT: Duration = Duration::from_secs(10);

/// Between two pieces of an answer, and before the first.
const READ: Duration = Duration::from_mins(1);

/// One exchange, whatever trickles in.
const WHOLE: Duration = Duration::from_secs(110);

/// How often a running exchange looks whether somebody still waits for it.
const LOOK: Duration = Duration::from_millis(20);

/// Where a call may go besides the hosts that its plugin was granted, and as whom.
#[derive(Clone)]
pub struct HttpAccess {
    origin: HttpPattern,
    key: Option<HeaderValue>,
    /// The key as it could stand in an answer.
    secret: Option<String>,
}

impl std::fmt::Debug for HttpAccess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpAccess").field("origin", &self.origin.to_string()).finish_non_exhaustive()
    }
}

/// Why an address or a key cannot be used. Never repeats the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HttpAccessError {
    /// No scheme of ours, or no host.
    #[error("the address is no http or https URL with a host")]
    Address,
    /// A header cannot carry it.
    #[error("the key has characters that no HTTP header can carry")]
    Key,
}

impl HttpAccess {
    /// Access to the host of this URL, which the operator configured; so it may lie in a private network, too. `key`
    /// is sent there, as a bearer token.
    pub fn new(url: &str, key: Option<&str>) -> Result<Self, HttpAccessError> {
        let url = Url::parse(url).map_err(|_| HttpAccessError::Address)?;
        let encrypted = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return Err(HttpAccessError::Address),
        };
        let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
            return Err(HttpAccessError::Address);
        };
        let origin = HttpPattern { encrypted, host: host.to_ascii_lowercase(), below: false, port };
        let bearer = |key: &str| {
            let mut value =
                HeaderValue::from_str(&format!("Bearer {key}")).map_err(|_| HttpAccessError::Key)?;
            value.set_sensitive(true);
            Ok(value)
        };
        Ok(Self { origin, key: key.map(bearer).transpose()?, secret: key.map(str::to_owned) })
    }

    /// Takes the key out of a text that it may stand in.
    pub fn redact(&self, text: &str) -> String {
        match &self.secret {
            Some(secret) if !secret.is_empty() => text.replace(secret.as_str(), REDACTED),
            _ => text.to_owned(),
        }
    }

    fn redact_bytes(&self, bytes: Bytes) -> Bytes {
        let found = self.secret.as_deref().filter(|secret| {
            !secret.is_empty() && bytes.windows(secret.len()).any(|window| window == secret.as_bytes())
        });
        match found {
            // The answers are JSON, which is UTF-8; what is none is none to whoever reads it, too.
            Some(_) => Bytes::from(self.redact(&String::from_utf8_lossy(&bytes))),
            None => bytes,
        }
    }
}

/// What stands in place of a key.
const REDACTED: &str = "[key]";

/// The requests of one instance.
pub(crate) struct Outgoing {
    plugin: String,
    call: String,
    cancel: CancelToken,
    granted: Arc<[HttpPattern]>,
    access: Option<Arc<HttpAccess>>,
}

impl Outgoing {
    pub(crate) fn new(plugin: Identity<'_>, call: &Call, granted: &Arc<[HttpPattern]>) -> Self {
        Self {
            plugin: plugin.name.to_owned(),
            call: call.id.clone(),
            cancel: call.cancel.clone(),
            granted: Arc::clone(granted),
            access: call.http.clone(),
        }
    }

    /// Whether a request may go to this URL, and what is added to it.
    fn admit(&self, url: &Url) -> Result<Admitted, Error> {
        let access = self.access.clone().filter(|access| allows(&access.origin, url));
        let granted = self.granted.iter().find(|pattern| allows(pattern, url));
        if access.is_none() && granted.is_none() {
            tracing::warn!(
                plugin = self.plugin,
                request_id = self.call,
                host = url.host_str(),
                "a plugin asked for a host that it was not granted"
            );
            return Err(Error::HttpRequestDenied);
        }
        // Whoever names one address exactly means it, wherever it lies.
        let anywhere = access.is_some() || granted.is_some_and(|pattern| !pattern.below);
        Ok(Admitted { access, anywhere })
    }
}

struct Admitted {
    access: Option<Arc<HttpAccess>>,
    /// Private networks and this machine, too.
    anywhere: bool,
}

/// Whether a pattern covers a URL.
fn allows(pattern: &HttpPattern, url: &Url) -> bool {
    let scheme = if pattern.encrypted { "https" } else { "http" };
    let Some(host) = url.host_str() else { return false };
    let host = host.to_ascii_lowercase();
    let fits = if pattern.below {
        host.strip_suffix(&pattern.host).is_some_and(|front| front.ends_with('.') && front.len() > 1)
    } else {
        host == pattern.host
    };
    fits && url.scheme() == scheme && url.port_or_known_default() == Some(pattern.port)
}

type Sent = Result<(http::Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>), Error>;

impl WasiHttpHooks for Outgoing {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        _: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        let admitted = Url::parse(&request.uri().to_string())
            .map_err(|_| Error::HttpRequestUriInvalid)
            .and_then(|url| Ok((self.admit(&url)?, url)));
        let cancel = self.cancel.clone();
        Box::new(async move {
            let (admitted, url) = admitted?;
            let exchange = tokio::time::timeout(WHOLE, exchange(request, url, admitted));
            let response = tokio::select! {
                done = exchange => done.map_err(|_| Error::HttpResponseTimeout)??,
                () = cancelled(&cancel) => return Err(Error::ConnectionTerminated),
            };
            // The answer is here whole: nothing is left to drive.
            Ok((response, Box::new(std::future::ready(Ok(()))) as Box<_>))
        })
    }
}

async fn cancelled(cancel: &CancelToken) {
    while !cancel.is_cancelled() {
        tokio::time::sleep(LOOK).await;
    }
}

/// Sends the request and reads the answer whole.
async fn exchange(
    request: http::Request<WasiBody>,
    url: Url,
    admitted: Admitted,
) -> Result<http::Response<WasiBody>, Error> {
    static PLACES: Semaphore = Semaphore::const_new(AT_ONCE);
    let Admitted { access, anywhere } = admitted;
    let (parts, body) = request.into_parts();
    let body = limited(body, REQUEST_BYTES).await.map_err(|e| match e {
        TooLarge::Limit => Error::HttpRequestBodySize(Some(REQUEST_BYTES as u64)),
        TooLarge::Other(e) => e,
    })?;
    // It is never closed.
    let _place = PLACES.acquire().await.map_err(|_| Error::ConnectionLimitReached)?;
    let addresses = resolve(&url, anywhere).await?;
    let mut headers = parts.headers;
    // The client writes its own; a key of the plugin's own making would stand beside the host's.
    headers.remove(http::header::HOST);
    headers.remove(AUTHORIZATION);
    if let Some(key) = access.as_ref().and_then(|access| access.key.clone()) {
        headers.insert(AUTHORIZATION, key);
    }
    let client = client(&url, &addresses)?;
    let sent = client.request(parts.method, url).headers(headers).body(body).send().await.map_err(failed)?;
    let (status, headers) = (sent.status(), sent.headers().clone());
    let sent: http::Response<reqwest::Body> = sent.into();
    let body = Limited::new(sent.into_body(), ANSWER_BYTES).collect().await.map_err(|e| {
        if e.is::<LengthLimitError>() {
            return Error::HttpResponseBodySize(Some(ANSWER_BYTES as u64));
        }
        match e.downcast::<reqwest::Error>() {
            Ok(e) if e.is_timeout() => Error::HttpResponseTimeout,
            _ => Error::HttpResponseIncomplete,
        }
    })?;
    let mut body = body.to_bytes();
    if let Some(access) = &access {
        body = access.redact_bytes(body);
    }
    let mut response = http::Response::new(Full::new(body).map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() = status;
    *response.headers_mut() = readable(headers, access.as_deref());
    Ok(response)
}

enum TooLarge {
    Limit,
    Other(Error),
}

async fn limited(body: WasiBody, limit: usize) -> Result<Bytes, TooLarge> {
    match Limited::new(body, limit).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(e) if e.is::<LengthLimitError>() => Err(TooLarge::Limit),
        Err(e) => Err(TooLarge::Other(Error::InternalError(Some(e.to_string())))),
    }
}

/// Headers of an answer without those that describe how it came, and without the key.
fn readable(headers: HeaderMap, access: Option<&HttpAccess>) -> HeaderMap {
    let dropped = [http::header::TRANSFER_ENCODING, http::header::CONNECTION, http::header::CONTENT_LENGTH];
    let clean = |(name, value): (_, &HeaderValue)| {
        let text = value.to_str().ok()?;
        let text = access.map_or_else(|| text.to_owned(), |access| access.redact(text));
        Some((name, HeaderValue::from_str(&text).ok()?))
    };
    let kept = headers.iter().filter(|(name, _)| !dropped.contains(name));
    kept.filter_map(|(name, value)| clean((name.clone(), value))).collect()
}

/// The addresses of a host, of those that may be reached. They are resolved once: what was checked is what is asked.
async fn resolve(url: &Url, anywhere: bool) -> Result<Vec<SocketAddr>, Error> {
    let port = url.port_or_known_default().ok_or(Error::HttpRequestUriInvalid)?;
    let found: Vec<SocketAddr> = match url.host().ok_or(Error::HttpRequestUriInvalid)? {
        Host::Ipv4(ip) => vec![(ip, port).into()],
        Host::Ipv6(ip) => vec![(ip, port).into()],
        Host::Domain(name) => tokio::time::timeout(CONNECT, tokio::net::lookup_host((name, port)))
            .await
            .map_err(|_| Error::DnsTimeout)?
            .map_err(|e| Error::DnsError { rcode: Some(e.kind().to_string()), info_code: None })?
            .collect(),
    };
    let reachable: Vec<SocketAddr> =
        found.into_iter().filter(|address| may_reach(address.ip(), anywhere)).collect();
    if reachable.is_empty() { Err(Error::DestinationIpProhibited) } else { Ok(reachable) }
}

/// Public addresses; `anywhere` those of private networks and of this machine, too. Never link-local ones, where clouds
/// keep credentials of machines, nor those of nobody or everybody.
fn may_reach(ip: IpAddr, anywhere: bool) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let private =
                ip.is_private() || ip.is_loopback() || (ip.octets()[0] == 100 && ip.octets()[1] & 0xc0 == 64);
            let nowhere = ip.is_link_local()
                || ip.is_unspecified()
                || ip.is_multicast()
                || ip.is_broadcast()
                || ip.is_documentation()
                || ip.octets()[0] == 0
                || ip.octets()[0] >= 240;
            !nowhere && (anywhere || !private)
        }
        IpAddr::V6(ip) => {
            let private = ip.is_unique_local() || ip.is_loopback();
            let nowhere = ip.is_unicast_link_local() || ip.is_unspecified() || ip.is_multicast();
            !nowhere && (anywhere || !private)
        }
    }
}

/// A client that connects to these addresses and follows no redirection: a service could lead elsewhere by it.
fn client(url: &Url, addresses: &[SocketAddr]) -> Result<reqwest::Client, Error> {
    static TLS: LazyLock<Result<rustls::ClientConfig, rustls::Error>> = LazyLock::new(tls);
    let tls = TLS.as_ref().map_err(|e| Error::InternalError(Some(e.to_string())))?.clone();
    let mut client = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT)
        .read_timeout(READ)
        .user_agent(concat!("RetailCast/", env!("CARGO_PKG_VERSION")));
    if let Some(Host::Domain(name)) = url.host() {
        client = client.resolve_to_addrs(name, addresses);
    }
    client.build().map_err(|e| Error::InternalError(Some(e.to_string())))
}

/// Roots of the machine, as other programs on it trust them.
fn tls() -> Result<rustls::ClientConfig, rustls::Error> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

fn failed(error: reqwest::Error) -> Error {
    if error.is_timeout() {
        return if error.is_connect() { Error::ConnectionTimeout } else { Error::HttpResponseTimeout };
    }
    if error.is_connect() { Error::ConnectionRefused } else { Error::HttpProtocolError }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outgoing(granted: &[&str], access: Option<HttpAccess>) -> Outgoing {
        let granted: Vec<HttpPattern> = granted.iter().map(|text| text.parse().unwrap()).collect();
        let call = Call { http: access.map(Arc::new), ..Call::default() };
        Outgoing::new(Identity { name: "test", version: "0.1.0" }, &call, &granted.into())
    }

    fn admits(outgoing: &Outgoing, url: &str) -> Option<Admitted> {
        outgoing.admit(&Url::parse(url).unwrap()).ok()
    }

    #[test]
    fn only_granted_hosts_are_reached() {
        let outgoing = outgoing(&["https://api.example.com", "https://*.example.org"], None);
        for url in ["https://api.example.com/v1", "https://API.example.com:443/", "https://a.example.org/x"] {
            assert!(admits(&outgoing, url).is_some(), "{url}");
        }
        for url in [
            "http://api.example.com/",
            "https://api.example.com:8443/",
            "https://api.example.com.evil.net/",
            "https://example.org/",
            "https://evilexample.org/",
            "https://user@evil.net/",
        ] {
            assert!(admits(&outgoing, url).is_none(), "{url}");
        }
    }

    #[test]
    fn the_key_goes_to_its_own_address_alone() {
        let access = HttpAccess::new("http://localhost:9000/v1", Some("sk-canary")).unwrap();
        let outgoing = outgoing(&["https://api.example.com"], Some(access));
        let keyed = |url: &str| admits(&outgoing, url).unwrap().access.is_some();
        assert!(keyed("http://localhost:9000/v1/embeddings"));
        assert!(!keyed("https://api.example.com/v1"));
        assert!(admits(&outgoing, "http://localhost:9001/").is_none());
    }

    #[test]
    fn keys_are_neither_printed_nor_passed_on() {
        let access = HttpAccess::new("https://api.example.com", Some("sk-canary")).unwrap();
        assert!(!format!("{access:?}").contains("canary"));
        assert_eq!(access.redact("bad key sk-canary!"), "bad key [key]!");
        let body = access.redact_bytes(Bytes::from_static(b"{\"error\": \"sk-canary\"}"));
        assert_eq!(body, "{\"error\": \"[key]\"}");
        let headers = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static("Bearer sk-canary"))]);
        assert_eq!(readable(headers, Some(&access))[AUTHORIZATION], "Bearer [key]");
        assert_eq!(HttpAccess::new("https://a", Some("a\nb")).unwrap_err(), HttpAccessError::Key);
        for url in ["", "ftp://a", "localhost:9000", "file:///etc/passwd"] {
            assert_eq!(HttpAccess::new(url, None).unwrap_err(), HttpAccessError::Address, "{url}");
        }
    }

    #[test]
    fn addresses_of_machines_and_private_networks() {
        for (ip, public, anywhere) in [
            ("93.184.216.34", true, true),
            ("2606:2800:220:1::1", true, true),
            ("127.0.0.1", false, true),
            ("::1", false, true),
            ("10.1.2.3", false, true),
            ("192.168.0.9", false, true),
            ("100.64.0.1", false, true),
            ("fd00::1", false, true),
            ("::ffff:127.0.0.1", false, true),
            ("169.254.169.254", false, false),
            ("::ffff:169.254.169.254", false, false),
            ("fe80::1", false, false),
            ("0.0.0.0", false, false),
            ("255.255.255.255", false, false),
            ("224.0.0.1", false, false),
        ] {
            let ip: IpAddr = ip.parse().unwrap();
            assert_eq!((may_reach(ip, false), may_reach(ip, true)), (public, anywhere), "{ip}");
        }
    }
}
