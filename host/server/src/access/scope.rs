//! What a key may do, and what an operation needs.

use axum::http::Method;
use serde::{Deserialize, Serialize};

/// Each contains the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Looks, computes, and leaves nothing behind.
    Read,
    /// Changes data, trains, runs jobs, talks to agents.
    Write,
    /// Changes how the server works, or all data at once.
    Admin,
}

impl Scope {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }

    /// The scope of this name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Read, Self::Write, Self::Admin].into_iter().find(|scope| scope.name() == name)
    }
}

/// Paths that anybody may ask for: whether the server lives, what it can do, and the dashboard's files, which hold no data.
const OPEN: [&str; 7] =
    ["/health", "/health/ready", "/openapi.json", "/docs", "/docs/{file}", "/", "/dashboard/{*file}"];

/// Prefixes that need `admin`, whatever the method.
const ADMIN: [&str; 4] = ["/plugins/reload", "/config/", "/seeder/", "/demo/"];

/// What is asked with a body and changes nothing.
const ASKED_BY_POST: [&str; 9] = [
    "/forecasting/predict",
    "/backtesting/run",
    "/backtesting/portfolio",
    "/featuresets/compute",
    "/featuresets/preview",
    "/explain/forecast",
    "/rag/retrieve",
    "/scenarios/simulate",
    "/scenarios/compare",
];

/// The scope that an operation needs; `None` is open to all. `route` is the path with its parameters unfilled, and `None`
/// for a path that nobody serves.
pub fn needed(method: &Method, route: Option<&str>) -> Option<Scope> {
    let Some(route) = route else { return Some(Scope::Read) };
    let reads = *method == Method::GET || *method == Method::HEAD;
    // A session of an agent changes things, and its WebSocket begins as a GET.
    let talks = route.starts_with("/agents/");
    if OPEN.contains(&route) && reads {
        None
    } else if ADMIN.iter().any(|prefix| route.starts_with(prefix)) {
        Some(Scope::Admin)
    } else if (reads && !talks) || ASKED_BY_POST.contains(&route) {
        Some(Scope::Read)
    } else {
        Some(Scope::Write)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_contain_each_other() {
        assert!(Scope::Admin > Scope::Write && Scope::Write > Scope::Read);
        assert_eq!(Scope::named("write"), Some(Scope::Write));
        assert_eq!(Scope::named("root"), None);
    }

    #[test]
    fn what_operations_need() {
        let of = |method: Method, route| needed(&method, Some(route)).map(Scope::name);
        assert_eq!(of(Method::GET, "/health"), None);
        assert_eq!(of(Method::POST, "/health"), Some("write"));
        assert_eq!(of(Method::GET, "/dimensions/stores"), Some("read"));
        assert_eq!(of(Method::POST, "/forecasting/predict"), Some("read"));
        assert_eq!(of(Method::POST, "/forecasting/train"), Some("write"));
        assert_eq!(of(Method::GET, "/agents/stream"), Some("write"));
        assert_eq!(of(Method::GET, "/seeder/status"), Some("admin"));
        assert_eq!(of(Method::GET, "/demo/stream"), Some("admin"));
        assert_eq!(of(Method::GET, "/plugins"), Some("read"));
        assert_eq!(of(Method::POST, "/plugins/reload"), Some("admin"));
        assert_eq!(needed(&Method::GET, None), Some(Scope::Read));
    }
}
