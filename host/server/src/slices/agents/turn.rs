//! One turn: model and tools, until the model has answered.

use std::collections::HashMap;
use std::time::Instant;

use serde_json::{Map, Value, json};

use super::events::{Event, Events, ReplyListener};
use super::output;
use super::service::{after, now};
use super::session::{Entry, PendingAction, Session};
use super::tools::{Executed, Tool, ToolFailure, Toolbox};
use crate::ai::AgentSettings;
use crate::llm::{ChatRequest, Failure, Listener, Message, Models, Reply, ToolCall};

/// What a turn works with.
pub(super) struct Turn<'a> {
    pub(super) session: &'a Session,
    pub(super) settings: &'a AgentSettings,
    pub(super) models: &'a Models,
    pub(super) toolbox: &'a Toolbox,
    pub(super) events: Events,
    pub(super) request_id: &'a str,
}

/// A turn that ended with an answer.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) reply: String,
    /// The whole history, this turn included.
    pub(super) history: Vec<Entry>,
    pub(super) calls: Vec<Executed>,
    pub(super) pending: Option<PendingAction>,
    pub(super) tokens: u64,
}

/// Why a turn ended without an answer.
#[derive(Debug)]
pub(super) enum Stop {
    /// The model used up its tries or its tools.
    Misbehaved { pending: Option<Box<PendingAction>>, calls: Vec<Executed> },
    /// No model answered.
    Exhausted(Vec<Failure>),
    /// A tool failed, and not by the model's fault.
    Tool(String),
}

/// What has happened so far.
struct Progress {
    history: Vec<Entry>,
    calls: Vec<Executed>,
    pending: Option<PendingAction>,
    tokens: u64,
    /// Mistakes by tool; of tools that do not exist under the empty name.
    mistakes: HashMap<&'static str, u32>,
}

impl Turn<'_> {
    pub(super) async fn run(self, message: &str) -> Result<Outcome, Stop> {
        let mut progress = Progress {
            history: self.session.history.clone(),
            calls: Vec::new(),
            pending: None,
            tokens: 0,
            mistakes: HashMap::new(),
        };
        progress.history.push(Entry::User { content: message.to_owned(), at: now() });
        let events = self.events.clone();
        let mut listener = ReplyListener::new(&events, output::streamed_member(self.session.agent));
        // An answer that does not fit, and what the model was told about it: no part of the history.
        let mut corrections: Vec<(String, String)> = Vec::new();
        loop {
            let reply = self.ask(&progress.history, &corrections, &mut listener).await?;
            progress.tokens += reply.tokens;
            if !reply.tool_calls.is_empty() && !reply.cut_off {
                corrections.clear();
                self.call_tools(reply, &mut progress).await?;
                continue;
            }
            match self.read(&reply) {
                Ok(text) => {
                    if self.events.wants_deltas() && !listener.complete(&text).await {
                        // What was sent cannot be taken back.
                        return Err(progress.misbehaved("the answer changed after it had been sent"));
                    }
                    progress.history.push(Entry::Reply { said: reply.text, reply: text.clone(), at: now() });
                    let Progress { history, calls, pending, tokens, .. } = progress;
                    return Ok(Outcome { reply: text, history, calls, pending, tokens });
                }
                Err(why) if corrections.len() < self.settings.retry_attempts as usize => {
                    corrections.push((reply.text, why));
                }
                Err(why) => return Err(progress.misbehaved(&why)),
            }
        }
    }

    async fn ask(
        &self,
        history: &[Entry],
        corrections: &[(String, String)],
        listener: &mut ReplyListener<'_>,
    ) -> Result<Reply, Stop> {
        let mut messages = vec![Message::System(self.session.agent.prompt().into())];
        messages.extend(history.iter().map(Entry::message));
        for (said, why) in corrections {
            messages.push(Message::Assistant { text: said.into(), tool_calls: (&[][..]).into() });
            messages.push(Message::User(format!("{why}. Answer again, with the JSON object alone.").into()));
        }
        let request = ChatRequest {
            messages,
            tools: self.toolbox.of(self.session.agent).iter().map(|tool| &tool.spec).collect(),
            temperature: self.settings.temperature,
            max_tokens: self.settings.max_tokens,
            thinking_budget: self.settings.thinking_budget,
        };
        let listener: Option<&mut dyn Listener> =
            if self.events.wants_deltas() { Some(listener) } else { None };
        self.models.ask(&request, listener).await.map_err(Stop::Exhausted)
    }

    fn read(&self, reply: &Reply) -> Result<String, String> {
        if let Some(refusal) = &reply.refusal
            && reply.text.is_empty()
        {
            return Err(format!("this is a refusal (`{refusal}`) and no answer; say what can be said"));
        }
        if reply.cut_off {
            return Err("the answer was cut off at its limit of tokens; be shorter".to_owned());
        }
        output::reply_of(self.session.agent, &reply.text)
    }

    async fn call_tools(&self, reply: Reply, progress: &mut Progress) -> Result<(), Stop> {
        let calls = reply.tool_calls.clone();
        progress.history.push(Entry::Calls { said: reply.text, tool_calls: reply.tool_calls, at: now() });
        for call in calls {
            let result = self.call_tool(&call, progress).await?;
            let ToolCall { id: call_id, name, .. } = call;
            progress.history.push(Entry::Tool { call_id, name, content: result.to_string(), at: now() });
        }
        Ok(())
    }

    /// Runs a call and gives what the model is told.
    async fn call_tool(&self, call: &ToolCall, progress: &mut Progress) -> Result<Value, Stop> {
        if progress.calls.len() >= self.settings.max_tool_calls {
            return Err(progress.misbehaved("the turn has used up its tool calls"));
        }
        let tools = self.toolbox.of(self.session.agent);
        let Some(tool) = tools.iter().find(|tool| tool.spec.name == call.name) else {
            let names: Vec<_> = tools.iter().map(|tool| tool.spec.name).collect();
            let why = format!("there is no tool `{}`; the tools are {}", call.name, names.join(", "));
            return self.mistake("", why, progress);
        };
        let arguments = match tool.arguments(&call.arguments) {
            Ok(arguments) => arguments,
            Err(why) => return self.mistake(tool.spec.name, why, progress),
        };
        self.events
            .send(Event::ToolStart {
                name: call.name.clone(),
                call_id: call.id.clone(),
                arguments: arguments.clone(),
            })
            .await;
        let started = Instant::now();
        let ran = match tool
            .action
            .filter(|action| self.settings.require_approval.iter().any(|gated| gated == action))
        {
            Some(action) => Ok(self.hold(tool, action, &arguments, progress)),
            None => self.toolbox.run(tool, &arguments, &self.session.session_id, self.request_id).await,
        };
        let duration_ms = started.elapsed().as_secs_f64() * 1e3;
        let (result, failure) = match ran {
            Ok(result) => (result, None),
            Err(ToolFailure::Hint(why)) => (json!({"error": why}), Some(Ok(why))),
            Err(ToolFailure::Abort(cause)) => {
                (json!({"error": "the tool failed; the log of the server has the cause"}), Some(Err(cause)))
            }
        };
        self.events
            .send(Event::ToolEnd {
                name: call.name.clone(),
                call_id: call.id.clone(),
                result: result.clone(),
                duration_ms,
            })
            .await;
        progress.calls.push(Executed {
            tool_name: call.name.clone(),
            tool_call_id: call.id.clone(),
            arguments,
            result: result.clone(),
            duration_ms,
        });
        match failure {
            None => Ok(result),
            Some(Ok(why)) => self.mistake(tool.spec.name, why, progress),
            Some(Err(cause)) => Err(Stop::Tool(cause)),
        }
    }

    /// Tells the model what was wrong, as often as it may be wrong.
    fn mistake(&self, tool: &'static str, why: String, progress: &mut Progress) -> Result<Value, Stop> {
        let mistakes = progress.mistakes.entry(tool).or_default();
        *mistakes += 1;
        if *mistakes > self.settings.retry_attempts {
            return Err(progress.misbehaved(&why));
        }
        Ok(json!({"error": why}))
    }

    /// Keeps an action for a human instead of running it.
    fn hold(
        &self,
        tool: &Tool,
        action: &'static str,
        arguments: &Map<String, Value>,
        progress: &mut Progress,
    ) -> Value {
        if let Some(waiting) = &progress.pending {
            return json!({"status": "not_recorded", "action": action, "message":
                format!("Another action ({}) is already waiting for approval; this one was not recorded.", waiting.action_type)});
        }
        let arguments = tool.complete(arguments, &self.session.session_id);
        let mut result = Map::new();
        result.insert("status".to_owned(), "approval_required".into());
        result.insert("action".to_owned(), action.into());
        result.extend(arguments.clone());
        let message = "Nothing was changed. A human decides; say so, and do not call this tool again.";
        result.insert("message".to_owned(), message.into());
        let created_at = now();
        progress.pending = Some(PendingAction {
            action_id: uuid::Uuid::new_v4().simple().to_string()[..16].to_owned(),
            action_type: action.to_owned(),
            description: tool.describe(&arguments),
            arguments,
            created_at,
            expires_at: after(created_at, self.settings.approval_timeout),
        });
        Value::Object(result)
    }
}

impl Progress {
    fn misbehaved(&mut self, why: &str) -> Stop {
        tracing::warn!(why, "the model did not behave");
        Stop::Misbehaved {
            pending: self.pending.take().map(Box::new),
            calls: std::mem::take(&mut self.calls),
        }
    }
}
