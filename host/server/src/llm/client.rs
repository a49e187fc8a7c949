//! The HTTP client of all providers.

use std::error::Error;
use std::time::Duration;

use bytes::BytesMut;

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
#[error("cannot make an HTTP client: {0}")]
pub struct ClientError(#[from] reqwest::Error);

/// Clients with the contract's limits. Redirects are not followed: they could lead a key, or a request into the
/// operator's network, to where nobody allowed it.
#[derive(Debug, Clone)]
pub struct Client {
    /// For conversations.
    pub(super) chat: reqwest::Client,
    /// For questions that are answered at once.
    pub(super) probe: reqwest::Client,
}

impl Client {
    /// With trusted roots of the system.
    pub fn new() -> Result<Self, ClientError> {
        // Whoever was first has installed the same one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = |connect: u64, read: u64| {
            reqwest::Client::builder()
                .user_agent(concat!("retailcast/", env!("CARGO_PKG_VERSION")))
                .redirect(reqwest::redirect::Policy::none())
                .connect_timeout(Duration::from_secs(connect))
                .read_timeout(Duration::from_secs(read))
                .build()
        };
        Ok(Self { chat: client(10, 600)?, probe: client(5, 10)? })
    }
}

/// Reads a body of at most this many bytes.
pub(super) async fn read(mut response: reqwest::Response, most: usize) -> Result<BytesMut, ReadError> {
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| ReadError::Broken(cause(error)))? {
        if body.len() + chunk.len() > most {
            return Err(ReadError::TooLarge(most));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Why a body was not read.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum ReadError {
    /// The connection broke.
    #[error("the answer broke off: {0}")]
    Broken(String),
    /// Too many bytes.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
}

/// What is behind an error, without the URL, which the caller names as it likes.
pub(super) fn cause(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut innermost: &dyn Error = &error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    if error.is_timeout() { "it takes too long".to_owned() } else { innermost.to_string() }
}
