//! OpenAI's chat completions, in one piece and word by word. Servers that speak this protocol differ in what they leave
//! out, so everything is optional that can be done without.

use eventsource_stream::Eventsource;
use futures::StreamExt;
use futures::future::BoxFuture;
use reqwest::header;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::client::{self, Client};
use super::endpoint::Endpoint;
use super::error::{ChatError, Reason};
use super::message::{ChatRequest, Message, Reply, ToolCall, ToolSpec};
use super::{ChatModel, Listener};
use crate::ai::ModelId;

/// A model behind OpenAI's protocol.
#[derive(Debug, Clone)]
pub struct OpenAi {
    client: Client,
    id: ModelId,
    endpoint: Endpoint,
}

/// Largest answer, in bytes: far above every limit of tokens.
const LARGEST: usize = 16 << 20;
/// Of an answer that says why it is none.
const LARGEST_ERROR: usize = 64 << 10;

impl ChatModel for OpenAi {
    fn id(&self) -> &ModelId {
        &self.id
    }

    fn ask<'a>(
        &'a self,
        request: &'a ChatRequest<'a>,
        listener: Option<&'a mut dyn Listener>,
    ) -> BoxFuture<'a, Result<Reply, ChatError>> {
        Box::pin(async move {
            let body = self.body(request, listener.is_some());
            let response = self.send(&body).await?;
            // What was asked for and what comes need not be the same.
            if is_event_stream(&response) {
                self.read_stream(response, listener).await
            } else {
                self.read_whole(response, listener).await
            }
        })
    }
}

impl OpenAi {
    /// A model at an endpoint.
    pub fn new(client: Client, id: ModelId, endpoint: Endpoint) -> Self {
        Self { client, id, endpoint }
    }

    fn body(&self, request: &ChatRequest<'_>, stream: bool) -> Value {
        let messages: Vec<Value> = request.messages.iter().map(|message| self.message(message)).collect();
        let mut body = Map::new();
        body.insert("model".to_owned(), self.id.name.as_str().into());
        body.insert("messages".to_owned(), messages.into());
        body.insert("temperature".to_owned(), request.temperature.into());
        self.endpoint.limit(&mut body, request);
        if !request.tools.is_empty() {
            body.insert("tools".to_owned(), request.tools.iter().map(|tool| tool_body(tool)).collect());
        }
        body.insert("stream".to_owned(), stream.into());
        if stream {
            body.insert("stream_options".to_owned(), json!({"include_usage": true}));
        }
        Value::Object(body)
    }

    fn message(&self, message: &Message<'_>) -> Value {
        match message {
            Message::System(text) => json!({"role": "system", "content": text}),
            Message::User(text) => json!({"role": "user", "content": text}),
            Message::Assistant { text, tool_calls } if tool_calls.is_empty() => {
                json!({"role": "assistant", "content": text})
            }
            Message::Assistant { text, tool_calls } => {
                let content = if text.is_empty() { self.endpoint.no_text() } else { json!(text) };
                let calls: Vec<Value> = tool_calls.iter().map(call_body).collect();
                json!({"role": "assistant", "content": content, "tool_calls": calls})
            }
            Message::Tool { call_id, content } => {
                json!({"role": "tool", "tool_call_id": call_id, "content": content})
            }
        }
    }

    /// The answer's beginning: it has a status of success.
    async fn send(&self, body: &Value) -> Result<reqwest::Response, ChatError> {
        let url = format!("{}/chat/completions", self.endpoint.base_url);
        let mut request = self.client.chat.post(url).json(body);
        if let Some(key) = &self.endpoint.key {
            request = request.bearer_auth(key.expose_secret());
        }
        let response = request.send().await.map_err(|error| self.broken(&client::cause(error)))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        // Without words the status alone has to tell.
        let words = client::read(response, LARGEST_ERROR).await.unwrap_or_default();
        let words = words_of(&String::from_utf8_lossy(&words));
        Err(self.error(Some(status.as_u16()), Reason::of_status(status.as_u16()), &words))
    }

    async fn read_whole(
        &self,
        response: reqwest::Response,
        listener: Option<&mut dyn Listener>,
    ) -> Result<Reply, ChatError> {
        let body = client::read(response, LARGEST).await.map_err(|error| self.broken(&error.to_string()))?;
        let mut assembly = Assembly::default();
        assembly.add(self.chunk(&body)?);
        if !assembly.heard {
            return Err(self.rejected("the answer has no choice"));
        }
        if let Some(listener) = listener
            && !assembly.reply.text.is_empty()
        {
            listener.hear(&assembly.reply.text).await;
        }
        Ok(assembly.finish())
    }

    async fn read_stream(
        &self,
        response: reqwest::Response,
        mut listener: Option<&mut dyn Listener>,
    ) -> Result<Reply, ChatError> {
        let mut events = response.bytes_stream().eventsource();
        let mut assembly = Assembly::default();
        let mut done = false;
        while let Some(event) = events.next().await {
            let event = event.map_err(|error| self.broken(&words_of_stream(error)))?;
            if event.data == "[DONE]" {
                done = true;
                break;
            }
            let text = assembly.add(self.chunk(event.data.as_bytes())?);
            if assembly.reply.text.len() > LARGEST {
                return Err(self.rejected("the answer does not end"));
            }
            if let (Some(listener), false) = (&mut listener, text.is_empty()) {
                listener.hear(&text).await;
            }
        }
        // A stream that just stops was cut, and so were the calls in it.
        if !done && !assembly.ended {
            return Err(self.broken("the answer broke off"));
        }
        if !assembly.heard {
            return Err(self.rejected("the answer has no choice"));
        }
        Ok(assembly.finish())
    }

    fn chunk(&self, bytes: &[u8]) -> Result<Completion, ChatError> {
        let completion: Completion =
            serde_json::from_slice(bytes).map_err(|_| self.rejected("the answer is no chat completion"))?;
        match &completion.error {
            Some(error) => {
                let status = error["code"].as_u64().and_then(|code| u16::try_from(code).ok());
                let reason = status.map_or(Reason::ProviderError, Reason::of_status);
                Err(self.error(status, reason, &words_in(error)))
            }
            None => Ok(completion),
        }
    }

    fn broken(&self, words: &str) -> ChatError {
        self.error(None, Reason::ProviderError, words)
    }

    fn rejected(&self, words: &str) -> ChatError {
        self.error(None, Reason::ResponseRejected, words)
    }

    fn error(&self, status: Option<u16>, reason: Reason, words: &str) -> ChatError {
        ChatError::new(status, reason, words, self.endpoint.key.as_ref().map(ExposeSecret::expose_secret))
    }
}

fn tool_body(tool: &ToolSpec) -> Value {
    let ToolSpec { name, description, parameters } = tool;
    json!({"type": "function", "function": {"name": name, "description": description, "parameters": parameters}})
}

fn call_body(call: &ToolCall) -> Value {
    json!({"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}})
}

fn is_event_stream(response: &reqwest::Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("text/event-stream"))
}

/// What an error's body says.
fn words_of(body: &str) -> String {
    match serde_json::from_str::<Value>(body) {
        // Some wrap it into a list.
        Ok(Value::Array(items)) => items.first().map(words_in).unwrap_or_default(),
        Ok(value) => words_in(&value),
        Err(_) => body.trim().to_owned(),
    }
}

fn words_in(value: &Value) -> String {
    let error = value.get("error").unwrap_or(value);
    let words = [&error["message"], &error["detail"], error].into_iter().find_map(Value::as_str);
    words.map_or_else(|| error.to_string(), str::to_owned)
}

fn words_of_stream(error: eventsource_stream::EventStreamError<reqwest::Error>) -> String {
    match error {
        eventsource_stream::EventStreamError::Transport(error) => client::cause(error),
        other => other.to_string(),
    }
}

/// An answer, or a piece of one.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Completion {
    choices: Option<Vec<Choice>>,
    usage: Option<Usage>,
    error: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Choice {
    message: Option<Part>,
    delta: Option<Part>,
    finish_reason: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Part {
    content: Option<Content>,
    tool_calls: Option<Vec<CallPart>>,
    refusal: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Value>),
}

impl Content {
    fn text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Parts(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CallPart {
    index: Option<usize>,
    id: Option<String>,
    function: Option<FunctionPart>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct FunctionPart {
    name: Option<String>,
    arguments: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Usage {
    #[serde(rename = "prompt_tokens")]
    prompt: Option<u64>,
    #[serde(rename = "completion_tokens")]
    completion: Option<u64>,
    #[serde(rename = "total_tokens")]
    total: Option<u64>,
}

/// Puts the pieces of an answer together.
#[derive(Debug, Default)]
struct Assembly {
    reply: Reply,
    /// The place that the provider gave to each call of the reply.
    places: Vec<Option<usize>>,
    /// Whether there was a choice at all.
    heard: bool,
    /// Whether the provider said that the answer is complete.
    ended: bool,
}

impl Assembly {
    /// Takes a piece; the text in it.
    fn add(&mut self, piece: Completion) -> String {
        if let Some(usage) = piece.usage {
            let parts = usage.prompt.unwrap_or(0) + usage.completion.unwrap_or(0);
            // Some tell it with every piece: the last one counts.
            self.reply.tokens = if parts > 0 { parts } else { usage.total.unwrap_or(0) };
        }
        let Some(choice) = piece.choices.and_then(|choices| choices.into_iter().next()) else {
            return String::new();
        };
        self.heard = true;
        if let Some(reason) = choice.finish_reason {
            self.ended = true;
            self.reply.cut_off = reason == "length";
        }
        let Part { content, tool_calls, refusal } = choice.message.or(choice.delta).unwrap_or_default();
        for part in tool_calls.unwrap_or_default() {
            self.add_call(part);
        }
        if let Some(refusal) = refusal {
            self.reply.refusal.get_or_insert_default().push_str(&refusal);
        }
        let text = content.map(Content::text).unwrap_or_default();
        self.reply.text += &text;
        text
    }

    fn add_call(&mut self, part: CallPart) {
        let id = part.id.filter(|id| !id.is_empty());
        let function = part.function.unwrap_or_default();
        let arguments = match function.arguments {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text,
            Some(other) => other.to_string(),
        };
        let calls = &mut self.reply.tool_calls;
        let known = match part.index {
            Some(index) => self.places.iter().position(|place| *place == Some(index)),
            // Without a place, what has no id goes on with the last call.
            None if id.is_none() => calls.len().checked_sub(1),
            None => calls.iter().position(|call| Some(&call.id) == id.as_ref()),
        };
        match known {
            Some(at) => {
                calls[at].arguments += &arguments;
                if calls[at].name.is_empty() {
                    calls[at].name = function.name.unwrap_or_default();
                }
            }
            None => {
                let id = id.unwrap_or_else(|| format!("call_{}", uuid::Uuid::new_v4().simple()));
                calls.push(ToolCall { id, name: function.name.unwrap_or_default(), arguments });
                self.places.push(part.index);
            }
        }
    }

    fn finish(self) -> Reply {
        self.reply
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assemble(pieces: &[Value]) -> Reply {
        let mut assembly = Assembly::default();
        for piece in pieces {
            assembly.add(serde_json::from_value(piece.clone()).unwrap());
        }
        assembly.finish()
    }

    fn calls(reply: &Reply) -> Vec<(&str, &str, &str)> {
        reply.tool_calls.iter().map(|c| (c.id.as_str(), c.name.as_str(), c.arguments.as_str())).collect()
    }

    #[test]
    fn pieces_of_text_and_usage() {
        let reply = assemble(&[
            json!({"choices": [{"delta": {"role": "assistant", "content": "a"}}]}),
            json!({"choices": [{"delta": {"content": null}}], "usage": null}),
            json!({"choices": [{"delta": {"content": [{"type": "text", "text": "b"}]}, "finish_reason": "stop"}]}),
            json!({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}}),
        ]);
        assert_eq!((reply.text.as_str(), reply.tokens, reply.cut_off), ("ab", 7, false));
    }

    #[test]
    fn pieces_of_calls() {
        let delta = |calls: Value| json!({"choices": [{"delta": {"tool_calls": calls}}]});
        let reply = assemble(&[
            delta(
                json!([{"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": ""}}]),
            ),
            delta(json!([{"index": 0, "function": {"arguments": "{\"x\""}}])),
            delta(json!([{"index": 1, "id": "c2", "function": {"name": "g", "arguments": "{}"}},
                         {"index": 0, "function": {"arguments": ":1}"}}])),
        ]);
        assert_eq!(calls(&reply), [("c1", "f", "{\"x\":1}"), ("c2", "g", "{}")]);
        // Without places, and with arguments that are no text.
        let reply = assemble(&[
            delta(json!([{"id": "c1", "function": {"name": "f", "arguments": {"x": 1}}}])),
            delta(json!([{"id": "c2", "function": {"name": "g", "arguments": "{"}}])),
            delta(json!([{"function": {"arguments": "}"}}])),
        ]);
        assert_eq!(calls(&reply), [("c1", "f", "{\"x\":1}"), ("c2", "g", "{}")]);
        let nameless = assemble(&[json!({"choices": [{"message": {"tool_calls": [{"function": {}}]}}]})]);
        assert!(nameless.tool_calls[0].id.starts_with("call_"));
    }

    #[test]
    fn words_of_errors() {
        for (body, words) in [
            (r#"{"error": {"message": "no", "type": "x"}}"#, "no"),
            (r#"{"error": "no"}"#, "no"),
            (r#"[{"error": {"message": "no"}}]"#, "no"),
            (r#"{"detail": "no"}"#, "no"),
            ("<html>no</html>", "<html>no</html>"),
            ("", ""),
        ] {
            assert_eq!(words_of(body), words);
        }
    }
}
