//! HTTP for plugins that were granted hosts. A plugin sends no key: the host adds it where it belongs.

/// An answer, read whole.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendError(pub String);

/// Posts JSON and waits for the answer. Only inside a component, and only to hosts that were granted.
pub fn post_json(url: &str, body: &[u8]) -> Result<Response, SendError> {
    #[cfg(target_os = "wasi")]
    return wasi::post_json(url, body);
    #[cfg(not(target_os = "wasi"))]
    {
        let _ = body;
        Err(SendError(format!("{url} cannot be asked outside a component")))
    }
}

#[cfg(target_os = "wasi")]
mod wasi {
    use wasip2::http::outgoing_handler::handle;
    use wasip2::http::types::{
        ErrorCode, Fields, IncomingResponse, Method, OutgoingBody, OutgoingRequest, Scheme,
    };
    use wasip2::io::streams::StreamError;

    use super::{Response, SendError};

    /// Bytes of one write: what a stream of WASI takes at once.
    const PIECE: usize = 4096;

    pub(super) fn post_json(url: &str, body: &[u8]) -> Result<Response, SendError> {
        let request = request(url, body.len())?;
        let out = request.body().map_err(|()| broken("request"))?;
        let answer = handle(request, None).map_err(said)?;
        write(out, body)?;
        answer.subscribe().block();
        let answer = answer.get().ok_or_else(|| broken("answer"))?.map_err(|()| broken("answer"))?;
        read(&answer.map_err(said)?)
    }

    fn request(url: &str, length: usize) -> Result<OutgoingRequest, SendError> {
        let bad = || SendError(format!("`{url}` is no http or https URL"));
        let (scheme, rest) = url.split_once("://").ok_or_else(bad)?;
        let scheme = match scheme {
            "https" => Scheme::Https,
            "http" => Scheme::Http,
            _ => return Err(bad()),
        };
        let (authority, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, "/"),
        };
        let headers =
            [("content-type", "application/json".to_owned()), ("content-length", length.to_string())];
        let headers: Vec<(String, Vec<u8>)> =
            headers.into_iter().map(|(name, value)| (name.to_owned(), value.into_bytes())).collect();
        let headers = Fields::from_list(&headers).map_err(|e| SendError(format!("headers: {e:?}")))?;
        let request = OutgoingRequest::new(headers);
        let set = request.set_method(&Method::Post).is_ok()
            && request.set_scheme(Some(&scheme)).is_ok()
            && request.set_authority(Some(authority)).is_ok()
            && request.set_path_with_query(Some(path)).is_ok();
        if set { Ok(request) } else { Err(bad()) }
    }

    fn write(out: OutgoingBody, body: &[u8]) -> Result<(), SendError> {
        let stream = out.write().map_err(|()| broken("request"))?;
        for piece in body.chunks(PIECE) {
            // A service that answers early stops reading; what it answered says why.
            if stream.blocking_write_and_flush(piece).is_err() {
                return Ok(());
            }
        }
        drop(stream);
        OutgoingBody::finish(out, None).map_err(said)
    }

    fn read(answer: &IncomingResponse) -> Result<Response, SendError> {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let headers = answer.headers().entries();
        let headers = headers.into_iter().map(|(name, value)| (name.to_lowercase(), text(value))).collect();
        let incoming = answer.consume().map_err(|()| broken("answer"))?;
        let stream = incoming.stream().map_err(|()| broken("answer"))?;
        let mut body = Vec::new();
        loop {
            match stream.blocking_read(1 << 20) {
                Ok(bytes) => body.extend(bytes),
                Err(StreamError::Closed) => break,
                Err(StreamError::LastOperationFailed(e)) => return Err(SendError(e.to_debug_string())),
            }
        }
        Ok(Response { status: answer.status(), headers, body })
    }

    fn broken(what: &str) -> SendError {
        SendError(format!("the host does not take or give the {what}"))
    }

    fn said(error: ErrorCode) -> SendError {
        SendError(match error {
            ErrorCode::HttpRequestDenied => "the host was not granted to this plugin".to_owned(),
            ErrorCode::DestinationIpProhibited => "its address is one that plugins may not reach".to_owned(),
            ErrorCode::ConnectionRefused => "the connection was refused".to_owned(),
            ErrorCode::ConnectionTimeout => "no connection in time".to_owned(),
            ErrorCode::HttpResponseTimeout => "no answer in time".to_owned(),
            ErrorCode::HttpResponseIncomplete => "the answer broke off".to_owned(),
            ErrorCode::DnsError(_) | ErrorCode::DnsTimeout => "its host name has no address".to_owned(),
            other => format!("{other:?}"),
        })
    }
}
