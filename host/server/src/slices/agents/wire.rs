//! Bodies of `/agents`.

use retailcast_core::config_schema::FieldError;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::agent::AgentType;
use super::service::{Answer, Decided};
use super::session::{Entry, PendingAction, Session};
use super::tools::Executed;
use crate::http::Timestamp;
use crate::http::fields::{self, Fields};

/// Most characters of a message.
pub(super) const LONGEST_MESSAGE: usize = 10_000;

/// A session to open.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes the body, which is read field by field")]
#[schema(as = SessionCreate, example = json!({"agent_type": "rag_assistant"}))]
pub(super) struct SessionCreateBody {
    /// `experiment` or `rag_assistant`.
    #[schema(pattern = "^(experiment|rag_assistant)$")]
    agent_type: String,
    /// For the model, with the first turn; it is not shown again.
    #[schema(value_type = Option<Object>)]
    initial_context: Option<Map<String, Value>>,
}

/// Agent and context of a session to open.
type NewSession = (AgentType, Option<Map<String, Value>>);

pub(super) fn read_create(body: &Map<String, Value>) -> Result<NewSession, Vec<FieldError>> {
    let mut fields = Fields::of(body);
    let agent = fields.required("agent_type", fields::one_of(&AgentType::NAMES)).and_then(AgentType::named);
    let context = fields.nullable("initial_context", fields::storable);
    fields.forbid_others(&["agent_type", "initial_context"]);
    fields.finish(agent.map(|agent| (agent, context)))
}

/// A message to an agent.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes the body, which is read field by field")]
#[schema(as = AgentChat, example = json!({"message": "How long can goods be returned?"}))]
pub(super) struct ChatBody {
    #[schema(min_length = 1, max_length = 10_000)]
    message: String,
    /// Without effect: this endpoint answers in one piece; `WS /agents/stream` streams.
    #[schema(required = false, default = false)]
    stream: bool,
}

pub(super) fn read_chat(body: &Map<String, Value>) -> Result<String, Vec<FieldError>> {
    let mut fields = Fields::of(body);
    let message = fields.required("message", fields::text(1, LONGEST_MESSAGE)).map(str::to_owned);
    fields.optional("stream", fields::lax_flag);
    fields.forbid_others(&["message", "stream"]);
    fields.finish(message)
}

/// A decision.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes the body, which is read field by field")]
#[schema(as = AgentApproval, example = json!({"action_id": "1f2e3d4c5b6a7980", "approved": true}))]
pub(super) struct ApproveBody {
    /// Of the waiting action.
    action_id: String,
    approved: bool,
    /// For the log and the agent.
    #[schema(max_length = 500)]
    reason: Option<String>,
}

/// A decision that fits.
pub(super) struct Decision {
    pub(super) action_id: String,
    pub(super) approved: bool,
    pub(super) reason: Option<String>,
}

pub(super) fn read_approve(body: &Map<String, Value>) -> Result<Decision, Vec<FieldError>> {
    let mut fields = Fields::of(body);
    let action_id = fields.required("action_id", fields::text(0, usize::MAX)).map(str::to_owned);
    let approved = fields.required("approved", fields::lax_flag);
    let reason = fields.nullable("reason", fields::text(0, 500)).map(str::to_owned);
    fields.forbid_others(&["action_id", "approved", "reason"]);
    let decision = (|| Some(Decision { action_id: action_id?, approved: approved?, reason }))();
    fields.finish(decision)
}

/// A session.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AgentSession, example = json!({"session_id": "9d1c5b0e2f7a4c3db6e8f1a2b3c4d5e6",
    "agent_type": "rag_assistant", "status": "active", "total_tokens_used": 0, "tool_calls_count": 0,
    "last_activity": "2026-03-02T10:00:00Z", "expires_at": "2026-03-02T12:00:00Z", "created_at": "2026-03-02T10:00:00Z"}))]
pub(super) struct SessionBody {
    /// 32 hex digits: the only key to the conversation.
    session_id: String,
    agent_type: &'static str,
    /// `active`, `awaiting_approval`, `expired` or `closed`.
    status: &'static str,
    /// Of all turns.
    total_tokens_used: i32,
    /// Of all turns.
    tool_calls_count: i32,
    last_activity: Timestamp,
    /// Every turn puts it off.
    expires_at: Timestamp,
    created_at: Timestamp,
}

impl From<&Session> for SessionBody {
    fn from(session: &Session) -> Self {
        Self {
            session_id: session.session_id.clone(),
            agent_type: session.agent.name(),
            status: session.status.name(),
            total_tokens_used: session.total_tokens_used,
            tool_calls_count: session.tool_calls_count,
            last_activity: session.last_activity.into(),
            expires_at: session.expires_at.into(),
            created_at: session.created_at.into(),
        }
    }
}

/// A session with what was said.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AgentSessionHistory)]
pub(super) struct SessionHistoryBody {
    #[serde(flatten)]
    session: SessionBody,
    /// Oldest first.
    message_history: Vec<ChatMessage>,
    #[schema(required)]
    pending_action: Option<PendingActionBody>,
}

impl From<Session> for SessionHistoryBody {
    fn from(session: Session) -> Self {
        Self {
            session: SessionBody::from(&session),
            message_history: session.history.into_iter().filter_map(ChatMessage::of).collect(),
            pending_action: session.pending.map(PendingActionBody::from),
        }
    }
}

/// Something that was said, or came of a tool.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ChatMessage {
    /// `user`, `assistant` or `tool`.
    role: &'static str,
    /// Text; of a tool the JSON of its result.
    content: String,
    #[schema(required)]
    timestamp: Option<Timestamp>,
    #[schema(required)]
    tool_call_id: Option<String>,
    #[schema(required)]
    tool_name: Option<String>,
}

impl ChatMessage {
    /// The context of a session is not shown, and calls are shown by what came of them.
    fn of(entry: Entry) -> Option<Self> {
        let said = |role, content, at: chrono::DateTime<chrono::Utc>| {
            Some(Self { role, content, timestamp: Some(at.into()), tool_call_id: None, tool_name: None })
        };
        match entry {
            Entry::Context { .. } | Entry::Calls { .. } => None,
            Entry::User { content, at } | Entry::Note { content, at } => said("user", content, at),
            Entry::Reply { reply, at, .. } => said("assistant", reply, at),
            Entry::Tool { call_id, name, content, at } => {
                let message = said("tool", content, at)?;
                Some(Self { tool_call_id: Some(call_id), tool_name: Some(name), ..message })
            }
        }
    }
}

/// An action that waits for a human.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PendingAction, example = json!({"action_id": "1f2e3d4c5b6a7980", "action_type": "create_alias",
    "description": "Point alias production at run ab12…",
    "arguments": {"alias_name": "production", "run_id": "ab12…", "description": null},
    "created_at": "2026-03-02T10:05:02Z", "expires_at": "2026-03-02T11:05:02Z"}))]
pub(super) struct PendingActionBody {
    /// 16 hex digits.
    action_id: String,
    /// `create_alias`, `archive_run` or `save_scenario`.
    action_type: String,
    description: String,
    /// Exactly what will be run.
    arguments: Map<String, Value>,
    created_at: Timestamp,
    /// It lapses then.
    expires_at: Timestamp,
}

impl From<PendingAction> for PendingActionBody {
    fn from(action: PendingAction) -> Self {
        let PendingAction { action_id, action_type, description, arguments, created_at, expires_at } = action;
        let (created_at, expires_at) = (created_at.into(), expires_at.into());
        Self { action_id, action_type, description, arguments, created_at, expires_at }
    }
}

/// A tool that was run.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ToolCallResult {
    tool_name: String,
    tool_call_id: String,
    arguments: Map<String, Value>,
    result: Value,
    duration_ms: f64,
}

impl From<Executed> for ToolCallResult {
    fn from(call: Executed) -> Self {
        let Executed { tool_name, tool_call_id, arguments, result, duration_ms } = call;
        Self { tool_name, tool_call_id, arguments, result, duration_ms }
    }
}

/// An agent's answer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AgentChatAnswer)]
pub(super) struct ChatAnswer {
    session_id: String,
    message: String,
    /// The tools of this turn, in order.
    tool_calls: Vec<ToolCallResult>,
    /// Whether an action waits for a human now.
    pending_approval: bool,
    #[schema(required)]
    pending_action: Option<PendingActionBody>,
    /// Of this turn, in and out.
    tokens_used: u64,
}

impl ChatAnswer {
    pub(super) fn new(session_id: String, answer: Answer) -> Self {
        Self {
            session_id,
            message: answer.reply,
            tool_calls: answer.calls.into_iter().map(ToolCallResult::from).collect(),
            pending_approval: answer.pending.is_some(),
            pending_action: answer.pending.map(PendingActionBody::from),
            tokens_used: answer.tokens,
        }
    }

    /// The model did not do what it must: nothing was kept.
    pub(super) fn apology(session_id: String, message: String) -> Self {
        Self::new(session_id, Answer { reply: message, calls: Vec::new(), pending: None, tokens: 0 })
    }
}

/// What became of an action.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AgentApprovalAnswer, example = json!({"action_id": "1f2e3d4c5b6a7980", "approved": true,
    "result": {"alias_name": "production", "run_id": "ab12…", "run_status": "success", "description": null},
    "status": "executed"}))]
pub(super) struct ApprovalAnswer {
    action_id: String,
    /// As it was sent.
    approved: bool,
    /// Of the action; an object with `error` and `error_type` when it failed.
    #[schema(required)]
    result: Option<Value>,
    /// `executed`, `rejected` or `expired`.
    status: &'static str,
}

impl ApprovalAnswer {
    pub(super) fn new(decision: Decision, decided: Decided) -> Self {
        let (result, status) = match decided {
            Decided::Executed(result) => (Some(result), "executed"),
            Decided::Failed(error) => (Some(error), "rejected"),
            Decided::Rejected => (None, "rejected"),
            Decided::Expired => (None, "expired"),
        };
        Self { action_id: decision.action_id, approved: decision.approved, result, status }
    }
}
