//! The layer that lets requests in.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::key::{Key, Token};
use super::{Caller, Keys, KeysError, RateLimit, Scope, Trusted, needed};
use crate::http::{Code, Problem};

/// What stands at the door.
#[derive(Debug)]
pub struct Gate {
    /// The keys; none when they are not required.
    pub keys: Option<Keys>,
    /// How fast a caller may ask; none when nothing is counted.
    pub rate: Option<RateLimit>,
    /// Proxies.
    pub trusted: Trusted,
}

impl Gate {
    /// Whether anything stands there.
    pub fn is_open(&self) -> bool {
        self.keys.is_none() && self.rate.is_none()
    }
}

/// Name of the subprotocol that WebSocket clients offer beside their key; the server answers with it.
const SUBPROTOCOL: &str = "retailcast";
/// What the key's own subprotocol begins with: browsers can send a key of a WebSocket no other way.
const KEY_PREFIX: &str = "key.";

/// Lets a request in, or says why not. The key is found before anything is counted, so that guesses count for the
/// address that makes them.
pub async fn guard(State(gate): State<Arc<Gate>>, mut request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map(|route| route.as_str().to_owned());
    let needed = needed(request.method(), route.as_deref());
    let connection = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let address = connection.map(|ip| gate.trusted.client(ip, request.headers()));
    let entered = match (&gate.keys, needed) {
        (Some(keys), Some(scope)) => enter(keys, scope, request.headers()).await.map(Some),
        _ => Ok(None),
    };
    let key = entered.as_ref().ok().and_then(Option::as_ref);
    let caller = key.map(|key| Caller::Key(key.id.clone())).or(address.map(Caller::Address));
    if let (Some(rate), Some(caller), Some(_)) = (&gate.rate, caller, needed)
        && let Err(wait) = rate.count(&caller)
    {
        return too_fast(rate, wait).into_response();
    }
    match entered {
        Ok(Some(key)) => {
            request.extensions_mut().insert(key);
            answer(request, next).await
        }
        Ok(None) => answer(request, next).await,
        Err(problem) => refuse(problem),
    }
}

async fn answer(request: Request, next: Next) -> Response {
    let offered = offers(request.headers(), |protocol| protocol == SUBPROTOCOL).is_some();
    let mut response = next.run(request).await;
    // A browser drops a WebSocket whose server takes none of the subprotocols that it offered.
    if offered && response.status() == axum::http::StatusCode::SWITCHING_PROTOCOLS {
        let taken = HeaderValue::from_static(SUBPROTOCOL);
        response.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, taken);
    }
    response
}

async fn enter(keys: &Keys, needed: Scope, headers: &HeaderMap) -> Result<Arc<Key>, Problem> {
    let unauthorized = |detail: String| Problem::new(Code::Unauthorized, detail);
    let Some(sent) = sent(headers) else {
        return Err(unauthorized(
            "An API key is required: send the header `Authorization: Bearer KEY`. `retailcast key create` makes one."
                .to_owned(),
        ));
    };
    let token = Token::parse(sent).map_err(|e| unauthorized(format!("The key is refused: {e}.")))?;
    let key = keys.verify(&token).await.map_err(|e| match e {
        KeysError::Unknown | KeysError::Over { .. } => unauthorized(format!("The key is refused: {e}.")),
        KeysError::Database(e) => {
            tracing::error!(cause = %e, "the API keys cannot be read");
            Problem::new(
                Code::ServiceUnavailable,
                "The API keys cannot be read; the database does not answer.",
            )
            .retry_after(1)
        }
    })?;
    if key.scope < needed {
        return Err(Problem::new(
            Code::Forbidden,
            format!(
                "This needs a key of scope `{}`, and `{}` ({}) has `{}`; `retailcast key create --scope {}` makes one.",
                needed.name(),
                key.name,
                key.id,
                key.scope.name(),
                needed.name()
            ),
        ));
    }
    Ok(key)
}

/// The key as the client sends it: as a bearer token, or among the subprotocols of a WebSocket.
fn sent(headers: &HeaderMap) -> Option<&str> {
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let bearer = authorization.and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    bearer.or_else(|| {
        offers(headers, |protocol| protocol.starts_with(KEY_PREFIX)).map(|key| &key[KEY_PREFIX.len()..])
    })
}

/// The first subprotocol of a WebSocket that fits.
fn offers(headers: &HeaderMap, fits: impl Fn(&str) -> bool) -> Option<&str> {
    let lines = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter();
    lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(str::trim)
        .find(|p| fits(p))
}

fn too_fast(rate: &RateLimit, wait: std::time::Duration) -> Problem {
    let per_second = rate.per_second();
    Problem::new(
        Code::RateLimited,
        format!(
            "More than {per_second} requests per second. To allow more, set\n[access]\nrequests_per_second = {}",
            per_second.saturating_mul(std::num::NonZeroU32::MIN.saturating_add(1))
        ),
    )
    // Whole seconds, and never too early.
    .retry_after(wait.as_secs_f64().ceil().max(1.0) as u64)
}

fn refuse(problem: Problem) -> Response {
    let mut response = problem.into_response();
    if response.status() == axum::http::StatusCode::UNAUTHORIZED {
        let scheme = HeaderValue::from_static("Bearer realm=\"retailcast\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: header::HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn where_a_key_may_stand() {
        assert_eq!(sent(&headers(header::AUTHORIZATION, "Bearer rc_1")), Some("rc_1"));
        assert_eq!(sent(&headers(header::AUTHORIZATION, "bearer  rc_1 ")), Some("rc_1"));
        assert_eq!(sent(&headers(header::AUTHORIZATION, "Basic rc_1")), None);
        let socket = headers(header::SEC_WEBSOCKET_PROTOCOL, "retailcast, key.rc_1");
        assert_eq!(sent(&socket), Some("rc_1"));
        assert_eq!(sent(&HeaderMap::new()), None);
    }
}
