//! Which hosts an operator grants for outgoing HTTP, as `grants = [{ http = ["https://api.example.com"] }]` names them.

use std::net::IpAddr;
use std::str::FromStr;

/// An origin, or all hosts below a domain: `https://api.example.com`, `https://api.example.com:8443`,
/// `https://*.example.com`. Never a path: what is granted is the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpPattern {
    /// `https`, or `http` without encryption.
    pub encrypted: bool,
    /// Host in lower case; after `*.` the domain that it must end with.
    pub host: String,
    /// Whether it is any host below `host`, which is not one itself.
    pub below: bool,
    /// Port; that of the scheme when none was named.
    pub port: u16,
}

/// Why a text is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no host for a grant of http: {reason}; write it like \"https://api.example.com\"")]
pub struct HttpPatternError {
    text: String,
    reason: &'static str,
}

impl FromStr for HttpPattern {
    type Err = HttpPatternError;

    fn from_str(text: &str) -> Result<Self, HttpPatternError> {
        let refuse = |reason| HttpPatternError { text: text.to_owned(), reason };
        let (encrypted, rest) = match text.split_once("://") {
            Some(("https", rest)) => (true, rest),
            Some(("http", rest)) => (false, rest),
            _ => return Err(refuse("it must start with https:// or http://")),
        };
        if rest.contains(['/', '?', '#', '@']) {
            return Err(refuse("it must end with the host or port: no path, no query, no user"));
        }
        // An IPv6 address has colons of its own.
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !rest.ends_with(']') => (host, Some(port)),
            _ => (rest, None),
        };
        let port = match port {
            None => {
                if encrypted {
                    443
                } else {
                    80
                }
            }
            Some(port) => port
                .parse()
                .ok()
                .filter(|number: &u16| *number > 0 && number.to_string() == port)
                .ok_or_else(|| refuse("its port is not a number from 1 to 65535"))?,
        };
        let (below, name) = host.strip_prefix("*.").map_or((false, host), |domain| (true, domain));
        if name.contains('*') {
            return Err(refuse("`*` stands for all hosts below a domain, at the front and before a dot"));
        }
        let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
        let is_address = address.parse::<IpAddr>().is_ok_and(|ip| ip.is_ipv6() == (address != name));
        if below && (is_address || !name.contains('.')) {
            return Err(refuse("`*.` needs a domain of at least two names behind it"));
        }
        if !is_address && !is_host_name(name) {
            return Err(refuse("its host is neither a name nor an address (IPv6 in brackets)"));
        }
        Ok(Self { encrypted, host: name.to_ascii_lowercase(), below, port })
    }
}

impl std::fmt::Display for HttpPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (scheme, usual) = if self.encrypted { ("https", 443) } else { ("http", 80) };
        write!(f, "{scheme}://{}{}", if self.below { "*." } else { "" }, self.host)?;
        if self.port == usual { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

/// Names of letters, digits and inner hyphens (RFC 1123); a last name of digits alone would be an address.
fn is_host_name(name: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    name.len() <= 253 && name.split('.').all(label) && !last.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_hosts_and_writes_them_as_they_were() {
        for text in [
            "https://api.example.com",
            "http://localhost:11434",
            "https://*.example.com",
            "https://10.0.0.7:8443",
            "https://[2001:db8::1]",
            "https://[::1]:9000",
        ] {
            assert_eq!(text.parse::<HttpPattern>().unwrap().to_string(), text);
        }
        let parsed: HttpPattern = "https://API.Example.com:443".parse().unwrap();
        assert_eq!(parsed.to_string(), "https://api.example.com");
    }

    #[test]
    fn refuses_everything_else() {
        for text in [
            "",
            "api.example.com",
            "ftp://api.example.com",
            "HTTPS://api.example.com",
            "https://",
            "https://api.example.com/",
            "https://api.example.com/v1",
            "https://user@api.example.com",
            "https://api.example.com?x",
            "https://api.example.com:0",
            "https://api.example.com:+80",
            "https://api.example.com:99999",
            "https://api.example.com:",
            "https://*",
            "https://*.com",
            "https://*.10.0.0.7",
            "https://api.*.com",
            "https://a*.example.com",
            "https://-a.example.com",
            "https://a..example.com",
            "https://example.com.",
            "https://2001:db8::1",
            "https://[10.0.0.7]",
            "https://1.2.3",
            "https://ex ample.com",
        ] {
            assert!(text.parse::<HttpPattern>().is_err(), "{text}");
        }
    }
}
