//! A service that speaks OpenAI's and Ollama's embeddings protocol, with faults by script.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// What happens to one request instead of an answer.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// This status, with these headers, saying this.
    Status(u16, Vec<(&'static str, &'static str)>, &'static str),
    /// The request's own key, said back in header and body.
    RepeatKey(u16),
    /// An answer after a while.
    Slow(Duration),
    /// Vectors of this length.
    Length(usize),
    /// One vector less than asked for.
    OneLess,
    /// All vectors under the index 0.
    SameIndex,
    /// Half of the bytes of an answer.
    Half,
    /// The answer in reverse order: no fault.
    Reversed,
}

/// A request that came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) path: String,
    pub(crate) authorization: Option<String>,
    pub(crate) body: Value,
}

#[derive(Debug, Default)]
struct Script {
    faults: VecDeque<Fault>,
    seen: Vec<Seen>,
}

/// The service; it ends with the test.
#[derive(Debug, Clone)]
pub(crate) struct EmbeddingServer {
    address: SocketAddr,
    script: Arc<Mutex<Script>>,
}

impl EmbeddingServer {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self { address: listener.local_addr().unwrap(), script: Arc::default() };
        let router =
            Router::new().route("/v1/embeddings", post(answer)).with_state(Arc::clone(&server.script));
        tokio::spawn(async move { axum::serve(listener, router).await });
        server
    }

    /// Where nobody listens.
    pub(crate) async fn nowhere() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The next requests meet these faults, in their order.
    pub(crate) fn script(&self, faults: impl IntoIterator<Item = Fault>) {
        self.script.lock().unwrap().faults.extend(faults);
    }

    /// The requests since this was last asked.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        std::mem::take(&mut self.script.lock().unwrap().seen)
    }
}

async fn answer(
    State(script): State<Arc<Mutex<Script>>>,
    uri: Uri,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    let key = headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
    let fault = {
        let mut script = script.lock().unwrap();
        script.seen.push(Seen {
            path: uri.path().to_owned(),
            authorization: key.clone(),
            body: body.clone(),
        });
        script.faults.pop_front()
    };
    let texts: Vec<&str> =
        body["input"].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
    let length = body["dimensions"].as_u64().unwrap() as usize;
    match fault {
        None => json_answer(&vectors(&texts, length)),
        Some(Fault::Status(status, headers, text)) => {
            let mut response = Response::builder().status(status);
            for (name, value) in headers {
                response = response.header(name, value);
            }
            response.body(Body::from(text)).unwrap()
        }
        Some(Fault::RepeatKey(status)) => {
            let key = key.unwrap_or_default();
            let body = json!({"error": {"message": format!("this key is not good: {key}")}}).to_string();
            Response::builder().status(status).header("x-your-key", key).body(Body::from(body)).unwrap()
        }
        Some(Fault::Slow(time)) => {
            tokio::time::sleep(time).await;
            json_answer(&vectors(&texts, length))
        }
        Some(Fault::Length(other)) => json_answer(&vectors(&texts, other)),
        Some(Fault::OneLess) => json_answer(&vectors(&texts[1..], length)),
        Some(Fault::SameIndex) => {
            let mut data = vectors(&texts, length);
            for item in &mut data {
                item["index"] = 0.into();
            }
            json_answer(&data)
        }
        Some(Fault::Half) => {
            let whole = json!({"object": "list", "data": vectors(&texts, length)}).to_string();
            Response::new(Body::from(whole[..whole.len() / 2].to_owned()))
        }
        Some(Fault::Reversed) => {
            let mut data = vectors(&texts, length);
            data.reverse();
            json_answer(&data)
        }
    }
}

fn json_answer(data: &[Value]) -> Response {
    let body = json!({"object": "list", "data": data, "usage": {"total_tokens": 1}});
    Response::builder().header("content-type", "application/json").body(Body::from(body.to_string())).unwrap()
}

fn vectors(texts: &[&str], length: usize) -> Vec<Value> {
    let item = |(index, text): (usize, &&str)| json!({"index": index, "embedding": vector(text, length)});
    texts.iter().enumerate().map(item).collect()
}

/// How often each word stands in the text, words being told apart by their bytes.
fn vector(text: &str, length: usize) -> Vec<f32> {
    let mut vector = vec![0.0; length];
    for word in text.to_lowercase().split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let place = word.bytes().fold(7_usize, |hash, byte| hash * 31 % 65_521 + usize::from(byte));
        vector[place % length] += 1.0;
    }
    vector
}
