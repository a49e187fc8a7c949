//! What a client hears while a turn runs.

use futures::future::BoxFuture;
use serde_json::{Map, Value};
use tokio::sync::mpsc;

use super::reply_stream::MemberStream;
use crate::llm::Listener;

/// Something that happens within a turn.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// More of the reply.
    TextDelta(String),
    /// A tool begins.
    ToolStart {
        /// The tool.
        name: String,
        /// The call.
        call_id: String,
        /// As they are run.
        arguments: Map<String, Value>,
    },
    /// A tool has ended.
    ToolEnd {
        /// The tool.
        name: String,
        /// The call.
        call_id: String,
        /// What came of it.
        result: Value,
        /// How long it took, in milliseconds.
        duration_ms: f64,
    },
}

/// Where events go. The channel is short: a turn waits for a client that reads slowly, and goes on without one that is
/// gone.
#[derive(Debug, Clone)]
pub(super) struct Events {
    to: Option<mpsc::Sender<Event>>,
    deltas: bool,
}

impl Events {
    pub(super) fn new(to: Option<mpsc::Sender<Event>>, deltas: bool) -> Self {
        let deltas = deltas && to.is_some();
        Self { to, deltas }
    }

    /// Whether replies are wanted word by word.
    pub(super) fn wants_deltas(&self) -> bool {
        self.deltas
    }

    pub(super) async fn send(&self, event: Event) {
        if let Some(to) = &self.to {
            // The client is gone: it will read the history.
            let _ = to.send(event).await;
        }
    }
}

/// Forwards the reader's text while the model writes it. Over several tries of a model, only what continues the text
/// that was sent already is sent.
#[derive(Debug)]
pub(super) struct ReplyListener<'a> {
    events: &'a Events,
    member: &'static str,
    stream: MemberStream,
    /// The text of the present try.
    heard: String,
    /// The text that was sent in this turn.
    pub(super) sent: String,
    forwarded: bool,
}

impl<'a> ReplyListener<'a> {
    pub(super) fn new(events: &'a Events, member: &'static str) -> Self {
        let stream = MemberStream::of(member);
        Self { events, member, stream, heard: String::new(), sent: String::new(), forwarded: false }
    }

    /// Sends what is missing of the final text; false when what was sent is not its beginning.
    pub(super) async fn complete(&mut self, reply: &str) -> bool {
        let Some(rest) = reply.strip_prefix(self.sent.as_str()) else { return false };
        if !rest.is_empty() {
            self.events.send(Event::TextDelta(rest.to_owned())).await;
            self.sent.push_str(rest);
        }
        true
    }
}

impl Listener for ReplyListener<'_> {
    fn begin(&mut self) {
        self.stream = MemberStream::of(self.member);
        self.heard.clear();
        self.forwarded = false;
    }

    fn hear<'a>(&'a mut self, text: &'a str) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            self.heard += &self.stream.push(text);
            let Some(new) = self.heard.strip_prefix(self.sent.as_str()).filter(|new| !new.is_empty()) else {
                return;
            };
            let new = new.to_owned();
            self.sent += &new;
            self.forwarded = true;
            self.events.send(Event::TextDelta(new)).await;
        })
    }

    fn has_forwarded(&self) -> bool {
        self.forwarded
    }
}
