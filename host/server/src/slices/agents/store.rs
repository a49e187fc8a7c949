//! Sessions in the database.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::PgPool;
use sqlx::types::Json;

use super::agent::AgentType;
use super::session::{Entry, PendingAction, Session, SessionStatus};

/// Opens a session.
pub(super) async fn insert(pool: &PgPool, session: &Session) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into agent_session (session_id, agent_type, status, message_history, last_activity, expires_at,
             created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $7)",
        session.session_id,
        session.agent.name(),
        session.status.name(),
        Json(&session.history) as _,
        session.last_activity,
        session.expires_at,
        session.created_at,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// A session as it is now; one whose time is over becomes `expired` first.
pub(super) async fn load(pool: &PgPool, session_id: &str) -> sqlx::Result<Option<Session>> {
    let row = sqlx::query!(
        r#"select session_id, agent_type, status as "status: SessionStatus", message_history, pending_action,
               total_tokens_used, tool_calls_count, revision, last_activity, expires_at, created_at
           from agent_session where session_id = $1"#,
        session_id
    )
    .fetch_optional(pool)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let mut status = row.status;
    if row.expires_at < Utc::now()
        && matches!(status, SessionStatus::Active | SessionStatus::AwaitingApproval)
    {
        expire(pool, session_id).await?;
        status = SessionStatus::Expired;
    }
    Ok(Some(Session {
        agent: AgentType::named(&row.agent_type).unwrap_or(AgentType::Experiment),
        status,
        history: readable(session_id, "message_history", row.message_history).unwrap_or_default(),
        pending: row.pending_action.and_then(|action| readable(session_id, "pending_action", action)),
        total_tokens_used: row.total_tokens_used,
        tool_calls_count: row.tool_calls_count,
        revision: row.revision,
        last_activity: row.last_activity,
        expires_at: row.expires_at,
        created_at: row.created_at,
        session_id: row.session_id,
    }))
}

fn readable<T: serde::de::DeserializeOwned>(session_id: &str, column: &str, stored: Value) -> Option<T> {
    serde_json::from_value(stored)
        .inspect_err(|error| tracing::warn!(session_id, column, %error, "a stored session cannot be read"))
        .ok()
}

async fn expire(pool: &PgPool, session_id: &str) -> sqlx::Result<()> {
    sqlx::query!(
        "update agent_session set status = 'expired', revision = revision + 1, updated_at = now()
         where session_id = $1 and status in ('active', 'awaiting_approval')",
        session_id
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// What a turn leaves behind.
#[derive(Debug)]
pub(super) struct TurnRecord<'a> {
    /// The whole history; `None` leaves it as it is.
    pub(super) history: Option<&'a [Entry]>,
    pub(super) pending: Option<&'a PendingAction>,
    pub(super) tokens: i32,
    pub(super) calls: i32,
    pub(super) last_activity: DateTime<Utc>,
    pub(super) expires_at: DateTime<Utc>,
}

/// Keeps a turn, if the session is still as the turn found it.
pub(super) async fn keep_turn(pool: &PgPool, session: &Session, turn: &TurnRecord<'_>) -> sqlx::Result<bool> {
    let status = if turn.pending.is_some() { SessionStatus::AwaitingApproval } else { SessionStatus::Active };
    let kept = sqlx::query!(
        "update agent_session
         set status = $3, message_history = coalesce($4, message_history), pending_action = $5,
             total_tokens_used = least(total_tokens_used::bigint + $6, 2147483647)::integer,
             tool_calls_count = least(tool_calls_count::bigint + $7, 2147483647)::integer,
             last_activity = $8, expires_at = $9, revision = revision + 1, updated_at = now()
         where session_id = $1 and revision = $2",
        session.session_id,
        session.revision,
        status.name(),
        turn.history.map(Json) as _,
        turn.pending.map(Json) as _,
        i64::from(turn.tokens),
        i64::from(turn.calls),
        turn.last_activity,
        turn.expires_at,
    )
    .execute(pool)
    .await?;
    Ok(kept.rows_affected() == 1)
}

/// Takes the waiting action away; false when somebody else has done so already. Whoever gets true may run it.
pub(super) async fn claim(pool: &PgPool, session_id: &str, action_id: &str) -> sqlx::Result<bool> {
    let claimed = sqlx::query!(
        "update agent_session
         set status = 'active', pending_action = null, last_activity = now(), revision = revision + 1,
             updated_at = now()
         where session_id = $1 and status = 'awaiting_approval' and pending_action ->> 'action_id' = $2",
        session_id,
        action_id
    )
    .execute(pool)
    .await?;
    Ok(claimed.rows_affected() == 1)
}

/// Adds to the history.
pub(super) async fn note(pool: &PgPool, session_id: &str, entry: &Entry) -> sqlx::Result<()> {
    sqlx::query!(
        "update agent_session
         set message_history = message_history || $2::jsonb, revision = revision + 1, updated_at = now()
         where session_id = $1",
        session_id,
        json!([entry]),
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Closes a session, whatever it is; false when there is none.
pub(super) async fn close(pool: &PgPool, session_id: &str) -> sqlx::Result<bool> {
    let closed = sqlx::query!(
        "update agent_session
         set status = 'closed', pending_action = null, revision = revision + 1, updated_at = now()
         where session_id = $1",
        session_id
    )
    .execute(pool)
    .await?;
    Ok(closed.rows_affected() == 1)
}
