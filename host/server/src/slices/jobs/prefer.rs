//! The header `Prefer: wait=SECONDS` (RFC 7240).

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName};

/// Longest wait.
const LONGEST: u64 = 60;

pub(super) const PREFER: HeaderName = HeaderName::from_static("prefer");
pub(super) const APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// Seconds that the client wants to wait, at most [`LONGEST`]. A preference that is not understood is ignored, as the
/// RFC wants it; of several the first counts.
pub(super) fn wait(headers: &HeaderMap) -> Option<Duration> {
    let lines = headers.get_all(PREFER).iter().filter_map(|line| line.to_str().ok());
    let mut preferences = lines.flat_map(|line| line.split(','));
    let seconds = preferences.find_map(|preference| {
        // Parameters behind a semicolon say nothing to us.
        let preference = preference.split(';').next()?;
        let (name, value) = preference.split_once('=')?;
        let value = value.trim().trim_matches('"');
        (name.trim().eq_ignore_ascii_case("wait")).then(|| value.parse::<u64>().ok())
    });
    seconds.flatten().map(|seconds| Duration::from_secs(seconds.min(LONGEST)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preferences() {
        for (lines, seconds) in [
            (&["wait=5"][..], Some(5)),
            (&["respond-async, wait=10"], Some(10)),
            (&["respond-async", "Wait = 10; x=y"], Some(10)),
            (&["wait=\"7\""], Some(7)),
            (&["wait=100"], Some(60)),
            (&["wait=0"], Some(0)),
            (&["wait=soon"], None),
            (&["wait=-1"], None),
            (&["wait"], None),
            (&["handling=strict"], None),
            (&[], None),
            (&["wait=1, wait=2"], Some(1)),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(PREFER, line.parse().unwrap());
            }
            assert_eq!(wait(&headers), seconds.map(Duration::from_secs), "{lines:?}");
        }
    }
}
