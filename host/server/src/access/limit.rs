//! How many requests a caller may make, and who the caller is.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use axum::http::HeaderMap;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use ipnet::IpNet;

/// Who is counted: a key, or without keys an address.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Caller {
    /// A key's id.
    Key(String),
    /// An address.
    Address(IpAddr),
}

/// Proxies whose word on the client's address is taken.
#[derive(Debug, Clone, Default)]
pub struct Trusted(Vec<IpNet>);

impl Trusted {
    /// Proxies in these networks.
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// The client's address: that of the connection, unless it is a proxy's. Then it is the last entry of
    /// `X-Forwarded-For` that no proxy of ours has; what stands before it anybody may have written.
    pub fn client(&self, connection: IpAddr, headers: &HeaderMap) -> IpAddr {
        if !self.has(connection) {
            return connection;
        }
        let lines = headers.get_all("x-forwarded-for").iter().filter_map(|line| line.to_str().ok());
        let named: Vec<IpAddr> =
            lines.flat_map(|line| line.split(',')).filter_map(|a| a.trim().parse().ok()).collect();
        named.into_iter().rev().find(|address| !self.has(*address)).unwrap_or(connection)
    }

    fn has(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// A bucket of tokens per caller (GCRA).
#[derive(Debug)]
pub struct RateLimit {
    limiter: DefaultKeyedRateLimiter<Caller>,
    per_second: NonZeroU32,
}

/// Callers after which those that have not been seen for long are forgotten.
const MANY: usize = 10_000;

impl RateLimit {
    /// So many requests per second, and at most `burst` of them at once.
    pub fn new(per_second: NonZeroU32, burst: NonZeroU32) -> Self {
        let quota = Quota::per_second(per_second).allow_burst(burst);
        Self { limiter: RateLimiter::keyed(quota), per_second }
    }

    /// The rate.
    pub fn per_second(&self) -> NonZeroU32 {
        self.per_second
    }

    /// Counts a request; an error is how long to wait.
    pub fn count(&self, caller: &Caller) -> Result<(), Duration> {
        if self.limiter.len() > MANY {
            self.limiter.retain_recent();
        }
        self.limiter.check_key(caller).map_err(|until| until.wait_time_from(DefaultClock::default().now()))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn client(trusted: &[&str], connection: &str, forwarded: &[&'static str]) -> String {
        let trusted = Trusted::new(trusted.iter().map(|network| network.parse().unwrap()).collect());
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", HeaderValue::from_static(line));
        }
        trusted.client(connection.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn only_trusted_proxies_name_the_client() {
        assert_eq!(client(&[], "10.0.0.1", &["1.2.3.4"]), "10.0.0.1");
        assert_eq!(client(&["10.0.0.0/8"], "10.0.0.1", &["1.2.3.4"]), "1.2.3.4");
        // A client that writes the header itself gains nothing.
        assert_eq!(client(&["10.0.0.0/8"], "10.0.0.1", &["6.6.6.6, 1.2.3.4, 10.0.0.9"]), "1.2.3.4");
        assert_eq!(client(&["10.0.0.0/8"], "10.0.0.1", &["6.6.6.6", "1.2.3.4"]), "1.2.3.4");
        assert_eq!(client(&["10.0.0.0/8"], "10.0.0.1", &["nonsense"]), "10.0.0.1");
        assert_eq!(client(&["::1/128"], "::1", &["2001:db8::7"]), "2001:db8::7");
    }

    #[test]
    fn a_caller_who_is_too_fast_waits_and_others_do_not() {
        let one = NonZeroU32::MIN;
        let limit = RateLimit::new(one, NonZeroU32::new(3).unwrap());
        let (a, b) = (Caller::Key("a".to_owned()), Caller::Address("1.2.3.4".parse().unwrap()));
        assert!((0..3).all(|_| limit.count(&a).is_ok()));
        let wait = limit.count(&a).unwrap_err();
        assert!(wait > Duration::ZERO && wait <= Duration::from_secs(1), "{wait:?}");
        assert!(limit.count(&b).is_ok());
    }
}
