//! Error responses (RFC 7807; contract `README.md` §4). Handlers return a [`Problem`]; the outermost layer
//! ([`super::request`]) writes the body, because only there the request id is known.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use retailcast_core::config_schema::FieldError;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// The machine codes, each with its status, type and title.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// A well-formed request that the operation refuses.
    BadRequest,
    /// No valid API key, where one is required.
    Unauthorized,
    /// The operation is switched off here, or the API key may not.
    Forbidden,
    /// The addressed resource, or data for it, does not exist.
    NotFound,
    /// Another method is known at this path.
    MethodNotAllowed,
    /// Duplicate, or a resource that is busy.
    Conflict,
    /// More than 16 MiB.
    PayloadTooLarge,
    /// Body, query or path does not fit its schema.
    Validation,
    /// The database refused or failed.
    Database,
    /// The caller asks faster than it may.
    RateLimited,
    /// Anything not foreseen.
    Internal,
    /// A plugin or another service failed.
    BadGateway,
    /// The embedding provider rejects the key.
    EmbeddingAuth,
    /// It was there, and its time is over.
    Gone,
    /// No language model answered.
    AgentFallbackExhausted,
    /// Busy, or a deadline of ours passed.
    ServiceUnavailable,
    /// A plugin took too long.
    GatewayTimeout,
}

impl Code {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::BadRequest,
        Self::Unauthorized,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Conflict,
        Self::PayloadTooLarge,
        Self::Validation,
        Self::Database,
        Self::RateLimited,
        Self::Internal,
        Self::BadGateway,
        Self::EmbeddingAuth,
        Self::Gone,
        Self::AgentFallbackExhausted,
        Self::ServiceUnavailable,
        Self::GatewayTimeout,
    ];

    /// HTTP status.
    pub fn status(self) -> StatusCode {
        match self {
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Conflict => StatusCode::CONFLICT,
            Self::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Validation => StatusCode::UNPROCESSABLE_ENTITY,
            Self::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            Self::Database | Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::BadGateway | Self::EmbeddingAuth | Self::AgentFallbackExhausted => StatusCode::BAD_GATEWAY,
            Self::Gone => StatusCode::GONE,
            Self::ServiceUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::GatewayTimeout => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    /// `code`, `type` and `title` of the body.
    pub fn names(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::BadRequest => ("BAD_REQUEST", "/errors/bad-request", "Bad Request"),
            Self::Unauthorized => ("UNAUTHORIZED", "/errors/unauthorized", "Unauthorized"),
            Self::RateLimited => ("RATE_LIMITED", "/errors/rate-limited", "Rate Limited"),
            Self::Forbidden => ("FORBIDDEN", "/errors/forbidden", "Forbidden"),
            Self::NotFound => ("NOT_FOUND", "/errors/not-found", "Not Found"),
            Self::MethodNotAllowed => {
                ("METHOD_NOT_ALLOWED", "/errors/method-not-allowed", "Method Not Allowed")
            }
            Self::Conflict => ("CONFLICT", "/errors/conflict", "Conflict"),
            Self::PayloadTooLarge => ("PAYLOAD_TOO_LARGE", "/errors/payload-too-large", "Payload Too Large"),
            Self::Validation => ("VALIDATION_ERROR", "/errors/validation", "Validation Error"),
            Self::Database => ("DATABASE_ERROR", "/errors/database", "Database Error"),
            Self::Internal => ("INTERNAL_ERROR", "/errors/internal", "Internal Server Error"),
            Self::BadGateway => ("BAD_GATEWAY", "/errors/bad-gateway", "Bad Gateway"),
            Self::Gone => ("GONE", "/errors/gone", "Gone"),
            Self::AgentFallbackExhausted => {
                ("AGENT_FALLBACK_EXHAUSTED", "/errors/agent-fallback-exhausted", "Agent Fallback Exhausted")
            }
            Self::EmbeddingAuth => ("EMBEDDING_AUTH", "/errors/embedding-auth", "Embedding Auth"),
            Self::ServiceUnavailable => {
                ("SERVICE_UNAVAILABLE", "/errors/service-unavailable", "Service Unavailable")
            }
            Self::GatewayTimeout => ("GATEWAY_TIMEOUT", "/errors/gateway-timeout", "Gateway Timeout"),
        }
    }

    /// The code of a status that a library answered with.
    fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::UNAUTHORIZED => Self::Unauthorized,
            StatusCode::FORBIDDEN => Self::Forbidden,
            StatusCode::NOT_FOUND => Self::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => Self::MethodNotAllowed,
            StatusCode::CONFLICT => Self::Conflict,
            StatusCode::PAYLOAD_TOO_LARGE => Self::PayloadTooLarge,
            StatusCode::UNPROCESSABLE_ENTITY => Self::Validation,
            StatusCode::TOO_MANY_REQUESTS => Self::RateLimited,
            StatusCode::SERVICE_UNAVAILABLE => Self::ServiceUnavailable,
            status if status.is_client_error() => Self::BadRequest,
            _ => Self::Internal,
        }
    }
}

/// An error response in the making.
#[derive(Debug, Clone)]
pub struct Problem {
    code: Code,
    detail: String,
    errors: Vec<FieldError>,
    // Boxed, and so a problem is small enough to be returned by value everywhere.
    extra: Box<Map<String, Value>>,
    retry_after: Option<u64>,
}

impl Problem {
    /// A problem with a sentence for people.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), errors: Vec::new(), extra: Box::default(), retry_after: None }
    }

    /// Input that does not fit, with everything that is wrong with it.
    pub fn validation(errors: Vec<FieldError>) -> Self {
        let count = errors.len();
        let s = if count == 1 { "" } else { "s" };
        let detail = format!("The request does not fit: {count} validation error{s}.");
        Self { errors, ..Self::new(Code::Validation, detail) }
    }

    /// Something unforeseen. The cause goes to the log, the client learns nothing of it.
    pub fn internal(cause: &(dyn std::fmt::Display + Sync)) -> Self {
        tracing::error!(cause = %cause, "request failed");
        Self::new(
            Code::Internal,
            "An unexpected error occurred. The log has the cause under this request id.",
        )
    }

    /// The database failed; the cause goes to the log. One that cannot do it now (it is not reached, stops,
    /// starts, is out of resources, broke a deadlock) is 503: the same request may succeed a second later.
    pub fn database(cause: &sqlx::Error) -> Self {
        if crate::db::is_transient(cause) {
            tracing::error!(%cause, "the database cannot do it now");
            return Self::new(
                Code::ServiceUnavailable,
                "The database cannot be reached or is busy. Nothing was changed; try again in a moment.",
            )
            .retry_after(1);
        }
        tracing::error!(%cause, "the database failed");
        Self::new(
            Code::Database,
            "The database refused or failed. The log has the cause under this request id.",
        )
    }

    /// The same problem with another sentence.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    /// The same problem with a further member. Those of the contract cannot be replaced.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.extra.insert(name.to_owned(), value.into());
        self
    }

    /// When to try again, in seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The body, for answers that have begun already.
    pub fn body(&self, request_id: &str) -> Value {
        let (code, kind, title) = self.code.names();
        let mut members = (*self.extra).clone();
        let mut set = |name: &str, value: Value| {
            members.shift_remove(name);
            members.insert(name.to_owned(), value);
        };
        set("type", kind.into());
        set("title", title.into());
        set("status", self.code.status().as_u16().into());
        set("detail", self.detail.clone().into());
        set("instance", format!("/requests/{request_id}").into());
        if !self.errors.is_empty() {
            set("errors", self.errors.iter().map(field_error).collect::<Vec<_>>().into());
        }
        set("code", code.into());
        set("request_id", request_id.into());
        Value::Object(members)
    }

    /// The response, complete.
    pub(super) fn render(&self, request_id: &str) -> Response {
        let content_type = (header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        let mut response =
            (self.code.status(), [content_type], self.body(request_id).to_string()).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }

    /// What a library answered, as a problem.
    pub(super) fn of_response(response: &Response) -> Self {
        let status = response.status();
        let words = status.canonical_reason().unwrap_or("The request failed");
        Self::new(Code::of_status(status), format!("{words}."))
    }
}

fn field_error(error: &FieldError) -> Value {
    serde_json::json!({"field": error.field, "message": error.message, "type": error.kind})
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.code.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// The body of every error response (RFC 7807).
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "type": "/errors/not-found", "title": "Not Found", "status": 404, "detail": "No store has id 4711.",
    "instance": "/requests/0d9d3c0e-6d0a-4a34-9f0c-1f8f5d6f2a11", "code": "NOT_FOUND",
    "request_id": "0d9d3c0e-6d0a-4a34-9f0c-1f8f5d6f2a11"
}))]
pub struct ProblemBody {
    /// Relative URI of the kind of problem; branch on this or on `code`.
    pub r#type: String,
    /// Fixed per code.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened this time, for people.
    pub detail: String,
    /// `/requests/{request_id}`.
    pub instance: String,
    /// On validation failures: everything that does not fit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<Vec<FieldErrorBody>>,
    /// Machine code.
    pub code: String,
    /// The id of the request, as in the header `X-Request-ID`.
    pub request_id: String,
    /// When a plugin is the cause: the code that `docs/errors` explains.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugin_error: Option<String>,
    /// When no language model answered: why, one entry per model.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Object>>)]
    pub failures: Option<Value>,
    /// When a model failed within a backtest: the fold, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fold_index: Option<usize>,
    /// When a model failed within the calibration of its intervals: the last day that it knew.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calibration_origin: Option<chrono::NaiveDate>,
}

/// One thing that does not fit.
#[derive(Debug, Serialize, ToSchema)]
pub struct FieldErrorBody {
    /// Dotted location.
    #[schema(example = "records.3.quantity")]
    pub field: String,
    /// For people.
    pub message: String,
    /// Machine reason.
    #[schema(example = "greater_than_equal")]
    pub r#type: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extra_members_never_replace_those_of_the_contract() {
        let problem =
            Problem::new(Code::NotFound, "gone").with("status", 200).with("plugin_error", "RC-P009");
        let body = problem.body("r1");
        assert_eq!(body["status"], 404);
        assert_eq!(body["plugin_error"], "RC-P009");
        assert_eq!(body["instance"], "/requests/r1");
        assert!(body.get("errors").is_none());
    }

    #[test]
    fn a_database_that_is_not_there_is_worth_another_try() {
        let lost = sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into());
        let problem = Problem::database(&lost);
        assert_eq!((problem.code, problem.retry_after), (Code::ServiceUnavailable, Some(1)));
        assert_eq!(Problem::database(&sqlx::Error::RowNotFound).code, Code::Database);
    }

    #[test]
    fn validation_names_the_number_of_failures() {
        let problem = Problem::validation(vec![FieldError::new("a", "missing", "is required"); 2]);
        assert!(problem.body("r")["detail"].as_str().unwrap().contains('2'));
    }
}
