//! A scripted model server: OpenAI's chat completions under `/v1`, and Ollama's `/api/tags`. Every request takes the next
//! step of the script; what was asked is kept.

use std::collections::VecDeque;
use std::convert::Infallible;
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
    /// Answers with something that is no completion.
    Garbage,
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
    pub(crate) authorization: Option<String>,
    pub(crate) body: Value,
}

#[derive(Debug, Default)]
struct Script {
    steps: Mutex<VecDeque<Step>>,
    asked: Mutex<Vec<Asked>>,
    models: Mutex<Option<Value>>,
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
            .route("/v1/chat/completions", post(complete))
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
        format!("{}/v1", self.url())
    }

    pub(crate) fn then(&self, step: Step) {
        self.script.steps.lock().unwrap().push_back(step);
    }

    /// What `/api/tags` answers.
    pub(crate) fn has(&self, models: Value) {
        *self.script.models.lock().unwrap() = Some(models);
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
    State(script): State<Arc<Script>>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    let authorization = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned());
    let stream = body["stream"] == true;
    script.asked.lock().unwrap().push(Asked { authorization, body });
    let step = script.steps.lock().unwrap().pop_front().expect("the script has a step for every request");
    match step {
        Step::Fail(status, message) => {
            let error = json!({"error": {"message": message, "type": "error"}});
            (StatusCode::from_u16(status).unwrap(), Json(error)).into_response()
        }
        Step::Garbage => Json(json!("garbage")).into_response(),
        Step::Cut(text, pieces) => events(deltas(&text).into_iter().take(pieces).collect(), Duration::ZERO),
        step if stream => streamed(step),
        step => whole(step),
    }
}

const USAGE: fn() -> Value = || json!({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15});

fn calls(calls: Vec<(&'static str, &'static str, String)>) -> Value {
    let call = |(at, (id, name, arguments))| json!({"index": at, "id": id, "type": "function", "function": {"name": name, "arguments": arguments}});
    calls.into_iter().enumerate().map(call).collect()
}

fn whole(step: Step) -> Response {
    let (message, reason) = match step {
        Step::Say(text, _) => (json!({"role": "assistant", "content": text}), "stop"),
        Step::Call(made) => {
            (json!({"role": "assistant", "content": null, "tool_calls": calls(made)}), "tool_calls")
        }
        Step::SayAndCall(text, name, arguments) => (
            json!({"role": "assistant", "content": text, "tool_calls": calls(vec![("c0", name, arguments)])}),
            "tool_calls",
        ),
        Step::Refuse(text) => (json!({"role": "assistant", "content": null, "refusal": text}), "stop"),
        other => unreachable!("{other:?} was answered before"),
    };
    Json(json!({"id": "x", "object": "chat.completion", "usage": USAGE(),
        "choices": [{"index": 0, "message": message, "finish_reason": reason}]}))
    .into_response()
}

fn deltas(text: &str) -> Vec<Value> {
    let characters: Vec<char> = text.chars().collect();
    characters.chunks(3).map(|piece| json!({"content": piece.iter().collect::<String>()})).collect()
}

fn streamed(step: Step) -> Response {
    let (pieces, reason, pause) = match step {
        Step::Say(text, pause) => (deltas(&text), "stop", pause),
        Step::Call(made) => (vec![json!({"tool_calls": calls(made)})], "tool_calls", Duration::ZERO),
        Step::SayAndCall(text, name, arguments) => {
            let mut pieces = deltas(text);
            pieces.push(json!({"tool_calls": calls(vec![("c0", name, arguments)])}));
            (pieces, "tool_calls", Duration::ZERO)
        }
        Step::Refuse(text) => (vec![json!({"refusal": text})], "stop", Duration::ZERO),
        other => unreachable!("{other:?} was answered before"),
    };
    let mut pieces: Vec<Value> = pieces;
    pieces.push(json!({}));
    let last = pieces.len() - 1;
    let mut frames: Vec<String> = pieces
        .into_iter()
        .enumerate()
        .map(|(at, delta)| {
            let reason = (at == last).then_some(reason);
            json!({"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}).to_string()
        })
        .collect();
    frames.push(json!({"choices": [], "usage": USAGE()}).to_string());
    frames.push("[DONE]".to_owned());
    sse(frames, pause)
}

fn events(deltas: Vec<Value>, pause: Duration) -> Response {
    sse(
        deltas
            .into_iter()
            .map(|delta| json!({"choices": [{"index": 0, "delta": delta}]}).to_string())
            .collect(),
        pause,
    )
}

fn sse(frames: Vec<String>, pause: Duration) -> Response {
    let stream = futures::stream::iter(frames).then(move |frame| async move {
        tokio::time::sleep(pause).await;
        Ok::<_, Infallible>(Bytes::from(format!("data: {frame}\n\n")))
    });
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(stream)).into_response()
}
