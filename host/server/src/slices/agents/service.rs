//! Sessions, turns and decisions.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, Weak};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};
use sqlx::PgPool;
use tokio::sync::mpsc;

use super::agent::AgentType;
use super::error::AgentError;
use super::events::{Event, Events};
use super::session::{Entry, PendingAction, Session, SessionStatus};
use super::store::{self, TurnRecord};
use super::tools::{Executed, Services, Toolbox};
use super::turn::{Outcome, Stop, Turn};
use crate::ai::LiveSettings;
use crate::llm::{Client, Models};

/// The agents.
#[derive(Debug, Clone)]
pub struct Agents(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    pool: PgPool,
    live: LiveSettings,
    client: Client,
    toolbox: Toolbox,
    /// Turns and decisions of one session that come to this process run one after another. Those of other processes are
    /// found out by the session's revision.
    queues: Mutex<HashMap<String, Weak<tokio::sync::Mutex<()>>>>,
}

/// What a message was answered with.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// For the reader.
    pub reply: String,
    /// Tools that were run, in order.
    pub calls: Vec<Executed>,
    /// What waits for a human now.
    pub pending: Option<PendingAction>,
    /// Of this turn.
    pub tokens: u64,
}

/// What became of an action.
#[derive(Debug, Clone, PartialEq)]
pub enum Decided {
    /// It was run.
    Executed(Value),
    /// It was approved and failed.
    Failed(Value),
    /// It was rejected.
    Rejected,
    /// It had waited too long.
    Expired,
}

/// What is said when an action waits.
pub(super) const WAITING: &str = "Waiting for a human decision.";

impl Agents {
    /// Puts the parts together.
    pub fn new(pool: PgPool, live: LiveSettings, client: Client, services: Services) -> Self {
        let toolbox = Toolbox::new(services);
        Self(Arc::new(Inner { pool, live, client, toolbox, queues: Mutex::default() }))
    }

    /// Opens a session. The model must be usable now.
    pub async fn create(
        &self,
        agent: AgentType,
        context: Option<Map<String, Value>>,
    ) -> Result<Session, AgentError> {
        let settings = self.0.live.current();
        Models::of(&settings, &self.0.client)?;
        let now = now();
        let session = Session {
            session_id: uuid::Uuid::new_v4().simple().to_string(),
            agent,
            status: SessionStatus::Active,
            history: context.map(|content| Entry::Context { content }).into_iter().collect(),
            pending: None,
            total_tokens_used: 0,
            tool_calls_count: 0,
            revision: 0,
            last_activity: now,
            expires_at: after(now, settings.agent.session_ttl),
            created_at: now,
        };
        store::insert(&self.0.pool, &session).await?;
        Ok(session)
    }

    /// A session as it is now; any text may be asked for.
    pub async fn session(&self, session_id: &str) -> Result<Session, AgentError> {
        let found = if is_id(session_id) { store::load(&self.0.pool, session_id).await? } else { None };
        found.ok_or_else(|| AgentError::Unknown(session_id.to_owned()))
    }

    /// Closes a session, also one that is closed or has expired.
    pub async fn close(&self, session_id: &str) -> Result<(), AgentError> {
        if is_id(session_id) && store::close(&self.0.pool, session_id).await? {
            return Ok(());
        }
        Err(AgentError::Unknown(session_id.to_owned()))
    }

    /// Runs a turn. `events` hears of it while it runs; when it is dropped, the turn goes on.
    pub async fn chat(
        &self,
        session_id: &str,
        message: &str,
        request_id: &str,
        events: Option<mpsc::Sender<Event>>,
    ) -> Result<Answer, AgentError> {
        let queue = self.queue(session_id);
        let _turn = queue.lock().await;
        let session = self.open(session_id).await?;
        let session = match &session.pending {
            Some(action) if action.expires_at >= Utc::now() => {
                return Ok(Answer::waiting(action.clone()));
            }
            Some(action) => {
                store::claim(&self.0.pool, session_id, &action.action_id).await?;
                self.open(session_id).await?
            }
            None => session,
        };
        // From here to the end of the turn these settings count.
        let settings = self.0.live.current();
        let models = Models::of(&settings, &self.0.client)?;
        let turn = Turn {
            session: &session,
            settings: &settings.agent,
            models: &models,
            toolbox: &self.0.toolbox,
            events: Events::new(events, settings.agent.enable_streaming),
            request_id,
        };
        let limit = settings.agent.timeout;
        let outcome = tokio::time::timeout(limit, turn.run(message)).await;
        let outcome = outcome.map_err(|_| AgentError::Timeout(limit))?;
        self.keep(&session, outcome, after(now(), settings.agent.session_ttl)).await
    }

    async fn keep(
        &self,
        session: &Session,
        outcome: Result<Outcome, Stop>,
        expires_at: DateTime<Utc>,
    ) -> Result<Answer, AgentError> {
        let (record, answer) = match &outcome {
            Ok(done) => {
                let record = TurnRecord {
                    history: Some(&done.history),
                    pending: done.pending.as_ref(),
                    tokens: i32::try_from(done.tokens).unwrap_or(i32::MAX),
                    calls: i32::try_from(done.calls.len()).unwrap_or(i32::MAX),
                    last_activity: now(),
                    expires_at,
                };
                let answer = Answer {
                    reply: done.reply.clone(),
                    calls: done.calls.clone(),
                    pending: done.pending.clone(),
                    tokens: done.tokens,
                };
                (record, Ok(answer))
            }
            // The turn is not kept, but an action that was asked for waits all the same.
            Err(Stop::Misbehaved { pending, calls }) => {
                let record = TurnRecord {
                    history: None,
                    pending: pending.as_deref(),
                    tokens: 0,
                    calls: 0,
                    last_activity: now(),
                    expires_at: session.expires_at,
                };
                let answer = match pending {
                    Some(action) => {
                        Ok(Answer { calls: calls.clone(), ..Answer::waiting((**action).clone()) })
                    }
                    None => Err(AgentError::Misbehaved),
                };
                (record, answer)
            }
            Err(Stop::Exhausted(failures)) => return Err(AgentError::Exhausted(failures.clone())),
            Err(Stop::Tool(cause)) => return Err(AgentError::Tool(cause.clone())),
        };
        if !store::keep_turn(&self.0.pool, session, &record).await? {
            // It was closed, or another process was faster.
            self.open(&session.session_id).await?;
            return Err(AgentError::Overtaken(session.session_id.clone()));
        }
        answer
    }

    /// Releases or rejects the waiting action. Whatever comes of it, it no longer waits: an approval is used once, also
    /// when the server dies over it.
    pub async fn decide(
        &self,
        session_id: &str,
        action_id: &str,
        approved: bool,
        reason: Option<&str>,
        request_id: &str,
    ) -> Result<Decided, AgentError> {
        let queue = self.queue(session_id);
        let _turn = queue.lock().await;
        let session = self.open(session_id).await?;
        let not_pending = |waiting_id: Option<String>| AgentError::NotPending {
            session_id: session_id.to_owned(),
            action_id: action_id.to_owned(),
            waiting_id,
        };
        let waiting = session.pending.as_ref().map(|action| action.action_id.clone());
        let Some(action) = session.pending.filter(|action| action.action_id == action_id) else {
            return Err(not_pending(waiting));
        };
        if !store::claim(&self.0.pool, session_id, action_id).await? {
            return Err(not_pending(None));
        }
        let decided = if action.expires_at < Utc::now() {
            Decided::Expired
        } else if approved {
            match self.0.toolbox.act(&action.action_type, &action.arguments, session_id, request_id).await {
                Ok(result) => Decided::Executed(result),
                Err(failure) => Decided::Failed(json!({"error": failure.text, "error_type": failure.kind})),
            }
        } else {
            Decided::Rejected
        };
        tracing::info!(
            session_id,
            action = action.action_type,
            approved,
            reason,
            outcome = decided.word(),
            "a decision"
        );
        let content =
            format!("The operator's decision on {}: {}.", action.description, decided.sentence(reason));
        store::note(&self.0.pool, session_id, &Entry::Note { content, at: now() }).await?;
        Ok(decided)
    }

    /// A session that takes messages and decisions.
    async fn open(&self, session_id: &str) -> Result<Session, AgentError> {
        let session = self.session(session_id).await?;
        match session.status {
            SessionStatus::Closed => Err(AgentError::Closed(session.session_id)),
            SessionStatus::Expired => Err(AgentError::Expired(session.session_id)),
            SessionStatus::Active | SessionStatus::AwaitingApproval => Ok(session),
        }
    }

    fn queue(&self, session_id: &str) -> Arc<tokio::sync::Mutex<()>> {
        // Nobody panics while holding it.
        let mut queues = self.0.queues.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(queue) = queues.get(session_id).and_then(Weak::upgrade) {
            return queue;
        }
        queues.retain(|_, queue| queue.strong_count() > 0);
        let queue = Arc::new(tokio::sync::Mutex::new(()));
        queues.insert(session_id.to_owned(), Arc::downgrade(&queue));
        queue
    }
}

impl Answer {
    fn waiting(action: PendingAction) -> Self {
        let reply = format!("{WAITING} {}", action.description);
        Self { reply, calls: Vec::new(), pending: Some(action), tokens: 0 }
    }
}

impl Decided {
    fn word(&self) -> &'static str {
        match self {
            Self::Executed(_) => "executed",
            Self::Failed(_) => "failed",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
        }
    }

    fn sentence(&self, reason: Option<&str>) -> String {
        match self {
            Self::Executed(result) => format!("approved and executed; the result is {result}"),
            Self::Failed(error) => format!("approved, but it failed: {error}"),
            Self::Rejected => match reason {
                Some(reason) => format!("rejected, because: {reason}"),
                None => "rejected".to_owned(),
            },
            Self::Expired => "it came too late, nothing was executed".to_owned(),
        }
    }
}

/// Now, as exact as the database keeps it.
pub(super) fn now() -> DateTime<Utc> {
    chrono::DurationRound::duration_trunc(Utc::now(), TimeDelta::microseconds(1)).unwrap_or_default()
}

pub(super) fn after(moment: DateTime<Utc>, time: std::time::Duration) -> DateTime<Utc> {
    TimeDelta::from_std(time)
        .ok()
        .and_then(|time| moment.checked_add_signed(time))
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}

fn is_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}
