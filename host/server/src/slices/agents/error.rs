//! Why there is no answer.

use std::time::Duration;

use serde_json::{Value, json};

use crate::http::{Code, Problem};
use crate::llm::{Failure, NoKey};

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// The model cannot be asked.
    #[error(transparent)]
    NoKey(#[from] NoKey),
    /// No such session.
    #[error("there is no session {0}")]
    Unknown(String),
    /// It was closed.
    #[error("session {0} is closed; POST /agents/sessions opens another one")]
    Closed(String),
    /// Its time is over.
    #[error("session {0} has expired; POST /agents/sessions opens another one")]
    Expired(String),
    /// Another turn or a decision came in between.
    #[error(
        "session {0} was changed while this turn ran; nothing of the turn was kept, send the message again"
    )]
    Overtaken(String),
    /// Nothing waits, or something else.
    #[error("no action {action_id} waits for approval in session {session_id}{}", waiting(waiting_id.as_ref()))]
    NotPending {
        /// The session.
        session_id: String,
        /// As given.
        action_id: String,
        /// What waits instead.
        waiting_id: Option<String>,
    },
    /// The model did not do what it must.
    #[error("The model did not come to a usable answer. Please ask again, perhaps in other words.")]
    Misbehaved,
    /// No model answered.
    #[error("no model answered: {}", .0.iter().map(Failure::summary).collect::<Vec<_>>().join(", "))]
    Exhausted(Vec<Failure>),
    /// The turn took too long.
    #[error("the turn took longer than {} seconds; `agents.timeout_seconds` (AGENT_TIMEOUT_SECONDS) allows more", .0.as_secs())]
    Timeout(Duration),
    /// A tool failed for a reason that is not the model's; the cause is for the log.
    #[error("a tool failed: {0}")]
    Tool(String),
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

fn waiting(id: Option<&String>) -> String {
    id.map(|id| format!("; action {id} does")).unwrap_or_default()
}

impl From<AgentError> for Problem {
    fn from(error: AgentError) -> Self {
        let refused = |code| Self::new(code, format!("{error}."));
        match &error {
            AgentError::NoKey(_) | AgentError::NotPending { .. } => refused(Code::BadRequest),
            AgentError::Unknown(_) => refused(Code::NotFound),
            AgentError::Closed(_) | AgentError::Overtaken(_) => refused(Code::Conflict),
            AgentError::Expired(_) => refused(Code::Gone),
            AgentError::Exhausted(failures) => {
                refused(Code::AgentFallbackExhausted).with("failures", json!(failures))
            }
            AgentError::Timeout(_) => refused(Code::GatewayTimeout),
            AgentError::Misbehaved | AgentError::Tool(_) => Self::internal(&error),
            AgentError::Database(cause) => Self::database(cause),
        }
    }
}

impl AgentError {
    /// As the data of a frame `error`.
    pub(super) fn frame(&self) -> Value {
        let (error_type, recoverable) = match self {
            Self::Unknown(_) => ("session_not_found", false),
            Self::Expired(_) => ("session_expired", false),
            Self::Closed(_) => ("session_closed", false),
            Self::Misbehaved => ("model_behavior_error", true),
            Self::Exhausted(_) => ("fallback_exhausted", true),
            Self::Timeout(_) => ("TimeoutError", true),
            Self::NoKey(_) => ("model_not_configured", true),
            Self::Overtaken(_) => ("conflict", true),
            Self::NotPending { .. } | Self::Tool(_) | Self::Database(_) => ("internal_error", true),
        };
        let text = match self {
            Self::NotPending { .. } | Self::Tool(_) | Self::Database(_) => {
                tracing::error!(cause = %self, "a turn failed");
                "An unexpected error occurred; the log of the server has the cause.".to_owned()
            }
            other => other.to_string(),
        };
        let mut data = json!({"error": text, "error_type": error_type, "recoverable": recoverable});
        if let Self::Exhausted(failures) = self {
            data["failures"] = json!(failures);
        }
        data
    }
}
