//! `[access]`: who may ask, and how fast. Defaults stand in `retailcast.toml` and nowhere else.

use std::num::NonZeroU32;

use ipnet::IpNet;
use serde::Deserialize;

use super::sections::{flag, texts};
use crate::access::{RateLimit, Trusted};

/// See the module.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessConfig {
    /// Whether every request needs an API key.
    #[serde(deserialize_with = "flag")]
    pub require_keys: bool,
    /// Requests per second of one caller; 0 for any number.
    pub requests_per_second: u32,
    /// Requests at once beyond that.
    pub burst: u32,
    /// Networks of proxies.
    #[serde(deserialize_with = "texts")]
    pub trusted_proxies: Vec<String>,
}

impl AccessConfig {
    /// How fast a caller may ask; none when nothing is counted.
    pub fn rate(&self) -> Option<RateLimit> {
        let per_second = NonZeroU32::new(self.requests_per_second)?;
        Some(RateLimit::new(per_second, NonZeroU32::new(self.burst).unwrap_or(NonZeroU32::MIN)))
    }

    /// The proxies whose word on addresses is taken.
    pub fn trusted(&self) -> Result<Trusted, String> {
        let network = |text: &String| {
            // An address alone is the network of itself.
            text.parse::<IpNet>().or_else(|_| text.parse().map(|address: std::net::IpAddr| address.into())).map_err(|_| {
                format!(
                    "`access.trusted_proxies` (ACCESS_TRUSTED_PROXIES): `{text}` is neither an address nor a network \
                     such as 10.0.0.0/8"
                )
            })
        };
        self.trusted_proxies.iter().map(network).collect::<Result<_, _>>().map(Trusted::new)
    }

    pub(super) fn check(&self) -> Result<(), String> {
        self.trusted().map(|_| ())
    }
}
