//! A scripted model server: OpenAI's chat completions under `/openai/v1`, those of Ollama under `/v1` with its
//! `/api/tags`. Every request takes the next step of the script; what was asked is kept.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures::StreamExt;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// What the model does when it is asked.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Says a text; streamed a few characters at a time, with this pause.
    Say(String, Duration),
    /// Calls tools: id, name, arguments as they are written.
    Call(Vec<(&'static str, &'static str, String)>),
    /// Says something beside a call.
    SayAndCall(&'static str, &'static str, String),
    /// Refuses.
    Refuse(&'static str),
    /// Answers with a status and a message.
    Fail(u16, &'static str),
    /// Ends the stream after so many pieces of a text.
    Cut(String, usize),
    /// Says a text of so many pieces of this size, as quickly as it is read.
    Flood(usize, usize),
    /// Ends in the middle of its answer, at its limit of tokens.
    CutAtLimit,
    /// Does this after a while.
    After(Duration, Box<Step>),
    /// Answers with something that is no completion.
    Garbage,
}

/// For transcripts.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Say(text, pause) if pause.is_zero() => write!(f, "says {text}"),
            Self::Say(text, pause) => write!(f, "says, {} ms a piece, {text}", pause.as_millis()),
            Self::Call(calls) => {
                let calls: Vec<_> =
                    calls.iter().map(|(id, name, arguments)| format!("{id} {name} {arguments}")).collect();
                write!(f, "calls {}", calls.join(" and "))
            }
            Self::SayAndCall(text, name, arguments) => {
                write!(f, "says {text:?} and calls {name} {arguments}")
            }
            Self::Refuse(text) => write!(f, "refuses with {text:?}"),
            Self::Fail(status, message) => write!(f, "fails with {status} {message:?}"),
            Self::Cut(text, pieces) => write!(f, "breaks off after {pieces} pieces of {text}"),
            Self::Flood(pieces, size) => write!(f, "says {pieces} pieces of {size} characters"),
            Self::CutAtLimit => write!(f, "ends at its limit of tokens"),
            Self::After(pause, step) => write!(f, "waits for {} ms and {step}", pause.as_millis()),
            Self::Garbage => write!(f, "answers with no completion"),
        }
    }
}

/// Whose ways of OpenAI's protocol.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Dialect {
    OpenAi,
    Ollama,
}

impl Step {
    /// Says an object.
    pub(crate) fn say(object: &Value) -> Self {
        Self::Say(object.to_string(), Duration::ZERO)
    }

    /// Calls one tool.
    pub(crate) fn call(id: &'static str, name: &'static str, arguments: &Value) -> Self {
        Self::Call(vec![(id, name, arguments.to_string())])
    }
}

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) dialect: Dialect,
    pub(crate) authorization: Option<String>,
    pub(crate) body: Value,
    /// What was done about it.
    pub(crate) step: Step,
}

#[derive(Debug, Default)]
struct Script {
    steps: Mutex<VecDeque<Step>>,
    asked: Mutex<Vec<Asked>>,
    models: Mutex<Option<Value>>,
    /// Pieces of streams that were taken off the server's hands.
    taken: Arc<AtomicUsize>,
}

/// The server; it ends with the runtime of its test.
#[derive(Debug, Clone)]
pub(crate) struct ModelServer {
    script: Arc<Script>,
    address: std::net::SocketAddr,
}

impl ModelServer {
    pub(crate) async fn start(steps: impl IntoIterator<Item = Step>) -> Self {
        let script = Arc::new(Script { steps: Mutex::new(steps.into_iter().collect()), ..Script::default() });
        let router = Router::new()
            .route(
                "/openai/v1/chat/completions",
                post(async |s, h, b| complete(Dialect::OpenAi, s, h, b).await),
            )
            .route("/v1/chat/completions", post(async |s, h, b| complete(Dialect::Ollama, s, h, b).await))
            .route("/api/tags", get(tags))
            .with_state(Arc::clone(&script));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { script, address }
    }

    /// For `ollama_base_url`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// For `openai_base_url`.
    pub(crate) fn openai(&self) -> String {
        format!("{}/openai/v1", self.url())
    }

    pub(crate) fn then(&self, step: Step) {
        self.script.steps.lock().unwrap().push_back(step);
    }

    /// What `/api/tags` answers.
    pub(crate) fn has(&self, models: Value) {
        *self.script.models.lock().unwrap() = Some(models);
    }

    /// How many pieces of streams were read so far, or wait in buffers of the network.
    pub(crate) fn taken(&self) -> usize {
        self.script.taken.load(Ordering::Relaxed)
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.script.asked.lock().unwrap().clone()
    }
}

async fn tags(State(script): State<Arc<Script>>) -> Response {
    match script.models.lock().unwrap().clone() {
        Some(models) => Json(models).into_response(),
        None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn complete(
    dialect: Dialect,
    State(script): State<Arc<Script>>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    let authorization = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned());
    let stream = body["stream"] == true;
    let nulls = body["messages"].as_array().unwrap().iter().any(|message| message["content"].is_null());
    let mut step = script.steps.lock().unwrap().pop_front().expect("the script has a step for every request");
    script.asked.lock().unwrap().push(Asked { dialect, authorization, body, step: step.clone() });
    if dialect == Dialect::Ollama && nulls {
        return failure(400, "invalid message content type: <nil>");
    }
    if let Step::After(pause, then) = step {
        tokio::time::sleep(pause).await;
        step = *then;
    }
    let voice = Voice { dialect, taken: Arc::clone(&script.taken) };
    match step {
        Step::Fail(status, message) => failure(status, message),
        Step::Garbage => Json(json!("garbage")).into_response(),
        Step::Cut(text, pieces) => {
            let pieces = voice.text(&text).take(pieces).map(|delta| chunk(&delta, None));
            voice.sse(pieces.collect::<Vec<_>>(), Duration::ZERO)
        }
        Step::Flood(pieces, size) => voice.flood(pieces, size),
        step if stream => voice.streamed(step),
        step => voice.whole(step),
    }
}

fn failure(status: u16, message: &str) -> Response {
    let error = json!({"error": {"message": message, "type": "error"}});
    (StatusCode::from_u16(status).unwrap(), Json(error)).into_response()
}

fn usage() -> Value {
    json!({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15})
}

/// A call as it stands in a message.
fn call(index: usize, id: &str, name: &str, arguments: &str) -> Value {
    json!({"index": index, "id": id, "type": "function", "function": {"name": name, "arguments": arguments}})
}

fn calls(calls: &[(&'static str, &'static str, String)]) -> Vec<Value> {
    calls.iter().enumerate().map(|(at, (id, name, arguments))| call(at, id, name, arguments)).collect()
}

fn chunk(delta: &Value, reason: Option<&str>) -> String {
    json!({"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]})
        .to_string()
}

/// The text in pieces of a few characters.
fn pieces(text: &str, size: usize) -> Vec<String> {
    text.chars().collect::<Vec<_>>().chunks(size).map(|piece| piece.iter().collect()).collect()
}

/// How a model of this dialect speaks.
struct Voice {
    dialect: Dialect,
    taken: Arc<AtomicUsize>,
}

impl Voice {
    fn whole(&self, step: Step) -> Response {
        // Where OpenAI has null, Ollama has an empty text; and it knows no refusals.
        let nothing = if self.dialect == Dialect::OpenAi { Value::Null } else { json!("") };
        let (message, reason) = match step {
            Step::Say(text, _) => (json!({"role": "assistant", "content": text}), "stop"),
            Step::Call(made) => {
                (json!({"role": "assistant", "content": nothing, "tool_calls": calls(&made)}), "tool_calls")
            }
            Step::SayAndCall(text, name, arguments) => (
                json!({"role": "assistant", "content": text, "tool_calls": calls(&[("c0", name, arguments)])}),
                "tool_calls",
            ),
            Step::CutAtLimit => (json!({"role": "assistant", "content": "{\"summary\": \"Too"}), "length"),
            Step::Refuse(text) if self.dialect == Dialect::OpenAi => {
                (json!({"role": "assistant", "content": null, "refusal": text}), "stop")
            }
            Step::Refuse(text) => (json!({"role": "assistant", "content": text}), "stop"),
            other => unreachable!("{other:?} was answered before"),
        };
        Json(json!({"id": "x", "object": "chat.completion", "usage": usage(),
            "choices": [{"index": 0, "message": message, "finish_reason": reason}]}))
        .into_response()
    }

    fn streamed(&self, step: Step) -> Response {
        let (deltas, reason, pause) = match step {
            Step::Say(text, pause) => (self.text(&text).collect(), "stop", pause),
            Step::Call(made) => (self.calls(&made), "tool_calls", Duration::ZERO),
            Step::SayAndCall(text, name, arguments) => {
                let calls = self.calls(&[("c0", name, arguments)]);
                (self.text(text).chain(calls).collect(), "tool_calls", Duration::ZERO)
            }
            Step::CutAtLimit => (self.text("{\"summary\": \"Too").collect(), "length", Duration::ZERO),
            Step::Refuse(text) if self.dialect == Dialect::OpenAi => {
                (vec![json!({"refusal": text})], "stop", Duration::ZERO)
            }
            Step::Refuse(text) => (self.text(text).collect(), "stop", Duration::ZERO),
            other => unreachable!("{other:?} was answered before"),
        };
        let mut frames: Vec<String> = deltas.iter().map(|delta: &Value| chunk(delta, None)).collect();
        frames.extend(end(reason));
        self.sse(frames, pause)
    }

    fn flood(&self, pieces: usize, size: usize) -> Response {
        let piece = "x".repeat(size);
        let begin = chunk(&json!({"content": "{\"answer\": \""}), None);
        let middle = (0..pieces).map(move |_| chunk(&json!({"content": piece}), None));
        let close = chunk(&json!({"content": "\", \"confidence\": \"high\"}"}), None);
        self.sse([begin].into_iter().chain(middle).chain([close]).chain(end("stop")), Duration::ZERO)
    }

    fn text(&self, text: &str) -> impl Iterator<Item = Value> {
        let ollama = self.dialect == Dialect::Ollama;
        pieces(text, 6).into_iter().map(move |piece| {
            // It names the role with every piece.
            if ollama { json!({"role": "assistant", "content": piece}) } else { json!({"content": piece}) }
        })
    }

    /// OpenAI writes the arguments piece by piece, Ollama calls at once.
    fn calls(&self, made: &[(&'static str, &'static str, String)]) -> Vec<Value> {
        if self.dialect == Dialect::Ollama {
            return vec![json!({"role": "assistant", "content": "", "tool_calls": calls(made)})];
        }
        let written = |(at, (id, name, arguments)): (usize, &(&str, &str, String))| {
            let more = pieces(arguments, 9)
                .into_iter()
                .map(move |piece| json!({"index": at, "function": {"arguments": piece}}));
            [call(at, id, name, "")].into_iter().chain(more).collect::<Vec<_>>()
        };
        made.iter().enumerate().flat_map(written).map(|call| json!({"tool_calls": [call]})).collect()
    }

    fn sse<I: IntoIterator<Item = String, IntoIter: Send + 'static>>(
        &self,
        frames: I,
        pause: Duration,
    ) -> Response {
        let taken = Arc::clone(&self.taken);
        let stream = futures::stream::iter(frames).then(move |frame| {
            let taken = Arc::clone(&taken);
            async move {
                tokio::time::sleep(pause).await;
                taken.fetch_add(1, Ordering::Relaxed);
                Ok::<_, Infallible>(Bytes::from(format!("data: {frame}\n\n")))
            }
        });
        ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(stream)).into_response()
    }
}

/// What follows after the last piece.
fn end(reason: &str) -> [String; 3] {
    [
        chunk(&json!({}), Some(reason)),
        json!({"choices": [], "usage": usage()}).to_string(),
        "[DONE]".to_owned(),
    ]
}
