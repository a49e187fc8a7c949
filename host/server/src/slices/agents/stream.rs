//! `WS /agents/stream`: turns, event by event.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use chrono::Utc;
use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::error::AgentError;
use super::events::Event;
use super::service::{Agents, Answer, WAITING};
use super::wire::{LONGEST_MESSAGE, PendingActionBody};
use crate::http::problem::ProblemBody;
use crate::http::sockets::Room;
use crate::http::{App, RequestId, Timestamp};

/// Buffers of a connection: small, since most connections are idle.
const BUFFER: usize = 4 << 10;
/// Largest frame of a client: a longest message, every character escaped, and some room.
const LARGEST: usize = 1 << 20;
/// Messages that may wait while a turn runs; a client that sends more waits itself.
const WAITING_MESSAGES: usize = 16;
/// Events that may wait for a client that reads slowly; then the turn waits, and with it the model.
const WAITING_EVENTS: usize = 32;
/// How long a client may take to read one frame.
const WRITE: Duration = Duration::from_mins(1);
/// How often a silent client is asked whether it is there; after two silent rounds it is not.
const PING: Duration = Duration::from_secs(30);

/// Talk to agents, event by event
///
/// A WebSocket. Send `{"session_id": …, "message": …}` as often as you like, also of several sessions; turns run one after
/// another. Every frame is `{"event_type", "data", "timestamp"}` with `text_delta`, `tool_call_start`, `tool_call_end`,
/// `approval_required`, and at the end of each turn `complete` or `error`. When the connection is lost, the turn goes on:
/// read it in the session's history.
#[utoipa::path(
    get, path = "/agents/stream", tag = "agents",
    responses(
        (status = 101, description = "The connection is a WebSocket now"),
        (status = 400, description = "`/errors/bad-request`: this is no WebSocket request", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`/errors/service-unavailable`: too many WebSockets are open", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn stream(
    State(app): State<Arc<App>>,
    RequestId(request_id): RequestId,
    room: Room,
    upgrade: WebSocketUpgrade,
) -> Response {
    let agents = app.agents.clone();
    upgrade
        .read_buffer_size(BUFFER)
        .write_buffer_size(0)
        .max_message_size(LARGEST)
        .max_frame_size(LARGEST)
        .on_upgrade(async move |socket| {
            let _room = room;
            Connection::new(socket, agents, request_id).serve().await;
        })
}

struct Connection {
    to: SplitSink<WebSocket, Message>,
    from: SplitStream<WebSocket>,
    agents: Agents,
    request_id: String,
    /// Messages that came while a turn ran.
    waiting: VecDeque<String>,
    heard: Instant,
}

/// The client is gone.
struct Gone;

impl Connection {
    fn new(socket: WebSocket, agents: Agents, request_id: String) -> Self {
        let (to, from) = socket.split();
        Self { to, from, agents, request_id, waiting: VecDeque::new(), heard: Instant::now() }
    }

    async fn serve(mut self) {
        while let Ok(text) = self.next_message().await {
            let done = match read(&text) {
                Ok((session_id, message)) => self.turn(session_id, message).await,
                Err(why) => {
                    let data = json!({"error": why, "error_type": "unknown", "recoverable": true});
                    self.send("error", data).await
                }
            };
            if done.is_err() {
                return;
            }
        }
    }

    async fn next_message(&mut self) -> Result<String, Gone> {
        if let Some(text) = self.waiting.pop_front() {
            return Ok(text);
        }
        loop {
            match tokio::time::timeout(PING, self.from.next()).await {
                Ok(frame) => {
                    if let Some(text) = self.take(frame)? {
                        return Ok(text);
                    }
                }
                Err(_) => self.ask_for_life().await?,
            }
        }
    }

    /// A frame of the client; the text of a message.
    fn take(&mut self, frame: Option<Result<Message, axum::Error>>) -> Result<Option<String>, Gone> {
        self.heard = Instant::now();
        match frame {
            Some(Ok(Message::Text(text))) => Ok(Some(text.to_string())),
            // Of the same text, as bytes.
            Some(Ok(Message::Binary(bytes))) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
            // Pings are answered by the library.
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(None),
            Some(Ok(Message::Close(_)) | Err(_)) | None => Err(Gone),
        }
    }

    async fn ask_for_life(&mut self) -> Result<(), Gone> {
        if self.heard.elapsed() > 3 * PING {
            return Err(Gone);
        }
        self.write(Message::Ping(Vec::new().into())).await
    }

    async fn turn(&mut self, session_id: String, message: String) -> Result<(), Gone> {
        let (events, mut heard) = mpsc::channel(WAITING_EVENTS);
        let (agents, request_id) = (self.agents.clone(), self.request_id.clone());
        // A task of its own: it goes on when the client is gone.
        let span = tracing::Span::current();
        let turn = async move { agents.chat(&session_id, &message, &request_id, Some(events)).await };
        let mut turn = tokio::spawn(tracing::Instrument::instrument(turn, span));
        let mut calls = 0;
        loop {
            let room = self.waiting.len() < WAITING_MESSAGES;
            tokio::select! {
                biased;
                event = heard.recv() => match event {
                    Some(event) => {
                        calls += usize::from(matches!(event, Event::ToolEnd { .. }));
                        let (event_type, data) = frame(event);
                        self.send(event_type, data).await?;
                    }
                    // The turn has ended.
                    None => break,
                },
                frame = self.from.next(), if room => {
                    if let Some(text) = self.take(frame)? {
                        self.waiting.push_back(text);
                    }
                }
            }
        }
        let answer = (&mut turn).await.unwrap_or_else(|error| Err(AgentError::Tool(error.to_string())));
        self.end(answer, calls).await
    }

    async fn end(&mut self, answer: Result<Answer, AgentError>, calls: usize) -> Result<(), Gone> {
        match answer {
            Ok(answer) => {
                let pending_approval = answer.pending.is_some();
                if let Some(action) = answer.pending {
                    let data = json!({"action": PendingActionBody::from(action), "message": WAITING});
                    self.send("approval_required", data).await?;
                }
                let data = json!({
                    "message": answer.reply, "tokens_used": answer.tokens, "tool_calls_count": calls,
                    "pending_approval": pending_approval,
                });
                self.send("complete", data).await
            }
            Err(error) => self.send("error", error.frame()).await,
        }
    }

    async fn send(&mut self, event_type: &str, data: Value) -> Result<(), Gone> {
        let timestamp = Timestamp(Utc::now()).text();
        let frame = json!({"event_type": event_type, "data": data, "timestamp": timestamp});
        self.write(Message::Text(frame.to_string().into())).await
    }

    async fn write(&mut self, message: Message) -> Result<(), Gone> {
        match tokio::time::timeout(WRITE, self.to.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Gone),
        }
    }
}

fn frame(event: Event) -> (&'static str, Value) {
    match event {
        Event::TextDelta(delta) => ("text_delta", json!({"delta": delta})),
        Event::ToolStart { name, call_id, arguments } => {
            ("tool_call_start", json!({"tool_name": name, "tool_call_id": call_id, "arguments": arguments}))
        }
        Event::ToolEnd { name, call_id, result, duration_ms } => (
            "tool_call_end",
            json!({"tool_name": name, "tool_call_id": call_id, "result": result, "duration_ms": duration_ms}),
        ),
    }
}

/// Session and message of a frame; what is wrong with one that does not fit.
fn read(text: &str) -> Result<(String, String), String> {
    let frame: Value =
        serde_json::from_str(text).map_err(|error| format!("the frame is no JSON: {error}"))?;
    let frame = frame.as_object().ok_or("the frame must be a JSON object")?;
    let member = |name: &str| match frame.get(name) {
        Some(Value::String(text)) if !text.is_empty() && !text.contains('\0') => Ok(text.clone()),
        Some(Value::String(text)) if text.is_empty() => Err(format!("`{name}` must not be empty")),
        Some(_) => Err(format!("`{name}` must be a text without the character NUL")),
        None => Err(format!("`{name}` is missing")),
    };
    let (session_id, message) = (member("session_id")?, member("message")?);
    let length = message.chars().count();
    if length > LONGEST_MESSAGE {
        return Err(format!("`message` must have at most {LONGEST_MESSAGE} characters, has {length}"));
    }
    Ok((session_id, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_that_do_not_fit() {
        for (text, word) in [
            ("{", "no JSON"),
            ("[]", "object"),
            ("{}", "session_id"),
            (r#"{"session_id": "", "message": "m"}"#, "session_id"),
            (r#"{"session_id": "s"}"#, "`message` is missing"),
            (r#"{"session_id": "s", "message": ""}"#, "`message`"),
            (r#"{"session_id": "s", "message": 5}"#, "`message`"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(word), "{text}: {error}");
        }
        let long = json!({"session_id": "s", "message": "é".repeat(LONGEST_MESSAGE + 1)}).to_string();
        assert!(read(&long).unwrap_err().contains("10001"));
    }
}
