//! Sessions and their history.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::agent::AgentType;
use crate::llm::{Message, ToolCall};

/// Where a session stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum SessionStatus {
    /// Takes messages.
    Active,
    /// An action waits for a human.
    AwaitingApproval,
    /// Its time is over.
    Expired,
    /// It was closed.
    Closed,
}

impl SessionStatus {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::AwaitingApproval => "awaiting_approval",
            Self::Expired => "expired",
            Self::Closed => "closed",
        }
    }
}

/// A session.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// 32 hex digits.
    pub session_id: String,
    /// Its agent.
    pub agent: AgentType,
    /// Where it stands.
    pub status: SessionStatus,
    /// Oldest first.
    pub(super) history: Vec<Entry>,
    /// What waits for a human.
    pub pending: Option<PendingAction>,
    /// Of all turns.
    pub total_tokens_used: i32,
    /// Of all turns.
    pub tool_calls_count: i32,
    /// Grows with every change.
    pub(super) revision: i32,
    /// The last turn, approval or rejection.
    pub last_activity: DateTime<Utc>,
    /// When it ends, unless there is another turn.
    pub expires_at: DateTime<Utc>,
    /// When it began.
    pub created_at: DateTime<Utc>,
}

/// An action that waits for a human: what is shown is what is run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PendingAction {
    /// 16 hex digits.
    pub action_id: String,
    /// Name of the action.
    pub action_type: String,
    /// For people.
    pub description: String,
    /// Exactly what will be run.
    pub arguments: Map<String, Value>,
    /// When the agent asked for it.
    pub created_at: DateTime<Utc>,
    /// When it lapses.
    pub expires_at: DateTime<Utc>,
}

/// Something that was said or done. The form in which it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Entry {
    /// What the client gave along; for the model alone.
    Context { content: Map<String, Value> },
    /// The user.
    User { content: String, at: DateTime<Utc> },
    /// The program, in the user's place: what came of an action.
    Note { content: String, at: DateTime<Utc> },
    /// The model asks for tools.
    Calls { said: String, tool_calls: Vec<ToolCall>, at: DateTime<Utc> },
    /// What came of a call.
    Tool { call_id: String, name: String, content: String, at: DateTime<Utc> },
    /// The model answers: its object, and the reader's text of it.
    Reply { said: String, reply: String, at: DateTime<Utc> },
}

impl Entry {
    /// As the model sees it.
    pub(super) fn message(&self) -> Message<'_> {
        match self {
            Self::Context { content } => {
                let context = Value::Object(content.clone());
                Message::User(format!("Context of this session, given by the client: {context}").into())
            }
            Self::User { content, .. } | Self::Note { content, .. } => Message::User(content.into()),
            Self::Calls { said, tool_calls, .. } => {
                Message::Assistant { text: said.into(), tool_calls: tool_calls.into() }
            }
            Self::Tool { call_id, content, .. } => {
                Message::Tool { call_id: call_id.into(), content: content.into() }
            }
            Self::Reply { said, .. } => {
                Message::Assistant { text: said.into(), tool_calls: (&[][..]).into() }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_names() {
        use SessionStatus::{Active, AwaitingApproval, Closed, Expired};
        let names = [Active, AwaitingApproval, Expired, Closed].map(SessionStatus::name);
        assert_eq!(names, ["active", "awaiting_approval", "expired", "closed"]);
    }
}
