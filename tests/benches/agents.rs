//! What a turn of an agent costs beside its model, on the program as a process: `cargo bench -p retailcast-tests --bench
//! agents` after `cargo build --release -p retailcast`. Results stand in `docs/performance.md`.

#[allow(dead_code, reason = "each bench uses its part")]
mod support;

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use self::support::Bench;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

const SESSIONS: usize = 500;
const TURNS: usize = 300;

fn main() {
    // The model outlives the server, in a runtime of its own.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (address, model) = runtime.block_on(Model::start());
    let bench = Bench::start_in(|folder| {
        let config = format!(
            "[providers]\nollama_base_url = \"{address}\"\n[agents]\ndefault_model = \"ollama:scripted\"\nfallback_model = \"\"\n"
        );
        std::fs::write(folder.join("retailcast.toml"), config).unwrap();
    });
    bench.runtime.block_on(async {
        one_after_another(&bench, &model).await;
        many_at_once(&bench).await;
    });
}

/// Turns with one tool call over one connection: the first word, and the time that is not the model's.
async fn one_after_another(bench: &Bench, model: &Model) {
    let mut session = open(bench).await;
    let mut socket = connect(bench).await;
    let (mut words, mut overheads) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        let started = Instant::now();
        say(&mut socket, &session).await;
        let (first, _) = hear(&mut socket).await;
        let told = model.0.lock().unwrap().told;
        words.push(first.expect("there is a word").duration_since(told));
        // It answers at once, both times that it is asked: all of this is the server's.
        overheads.push(started.elapsed());
        // A new session, lest the history grow.
        if words.len() % 20 == 0 {
            session = open(bench).await;
        }
    }
    tell("first word, after the model has said it", "5 ms", &mut words);
    tell("a turn with a tool, without the model's time", "10 ms", &mut overheads);
}

/// Sessions with a connection each: a turn in all of them at once, and what they cost while nothing happens.
async fn many_at_once(bench: &Bench) {
    let before = bench.memory("VmRSS");
    let mut sessions = Vec::new();
    for _ in 0..SESSIONS {
        sessions.push((open(bench).await, connect(bench).await));
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let idle = bench.memory("VmRSS");
    println!(
        "{SESSIONS} connections before their first turn: {} KiB each",
        (idle - before) * 1024 / SESSIONS as u64
    );
    let started = Instant::now();
    let turns = sessions.into_iter().map(|(session, mut socket)| async move {
        say(&mut socket, &session).await;
        let (_, complete) = hear(&mut socket).await;
        (socket, complete)
    });
    let done = futures::future::join_all(turns).await;
    let failed = done.iter().filter(|(_, complete)| complete["event_type"] != "complete").count();
    println!("{SESSIONS} turns at once: {failed} failed, {:.2} s in all", started.elapsed().as_secs_f64());
    tokio::time::sleep(Duration::from_secs(5)).await;
    let idle = bench.memory("VmRSS");
    println!(
        "{SESSIONS} idle connections after a turn each: {} KiB each (asked: at most 100), {before} MiB before, {idle} MiB now",
        (idle.saturating_sub(before)) * 1024 / SESSIONS as u64
    );
    assert_eq!(failed, 0);
}

async fn open(bench: &Bench) -> String {
    let request = bench.client.post(format!("{}/agents/sessions", bench.url));
    let opened = request.json(&json!({"agent_type": "experiment"})).send().await.unwrap();
    let opened: Value = opened.json().await.unwrap();
    opened["session_id"].as_str().unwrap().to_owned()
}

async fn connect(bench: &Bench) -> Socket {
    let url = format!("{}/agents/stream", bench.url.replace("http://", "ws://"));
    tokio_tungstenite::connect_async(url).await.unwrap().0
}

async fn say(socket: &mut Socket, session: &str) {
    let frame = json!({"session_id": session, "message": "Which runs are there?"}).to_string();
    socket.send(Message::Text(frame.into())).await.unwrap();
}

/// When the first word came, and the last frame of the turn.
async fn hear(socket: &mut Socket) -> (Option<Instant>, Value) {
    let mut first = None;
    loop {
        let Message::Text(text) = socket.next().await.unwrap().unwrap() else { continue };
        let frame: Value = serde_json::from_str(&text).unwrap();
        match frame["event_type"].as_str().unwrap() {
            "text_delta" => first = first.or_else(|| Some(Instant::now())),
            "complete" | "error" => return (first, frame),
            _ => {}
        }
    }
}

fn tell(what: &str, asked: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    println!("{what}: median {:.2} ms, p99 {:.2} ms (asked: at most {asked})", at(0.5), at(0.99));
}

/// A model that calls a tool and then answers, at once.
#[derive(Clone)]
struct Model(Arc<Mutex<Spoken>>);

struct Spoken {
    /// When it began with the reader's text for the last time.
    told: Instant,
}

impl Model {
    async fn start() -> (String, Self) {
        let model = Self(Arc::new(Mutex::new(Spoken { told: Instant::now() })));
        let router = Router::new().route("/v1/chat/completions", post(answer)).with_state(model.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        (address, model)
    }
}

async fn answer(State(model): State<Model>, Json(asked): Json<Value>) -> Response {
    let last = asked["messages"].as_array().unwrap().last().unwrap()["role"].clone();
    let deltas = if last == "tool" {
        let said = ["{\"summary\": \"", "There ", "are ", "none.", "\"}"];
        said.map(|text| json!({"content": text})).to_vec()
    } else {
        let call = json!({"index": 0, "id": "c1", "type": "function", "function": {"name": "tool_list_runs", "arguments": "{}"}});
        vec![json!({"tool_calls": [call]})]
    };
    let chunk = |delta: &Value, reason: Option<&str>| {
        json!({"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}).to_string()
    };
    let mut frames: Vec<String> = deltas.iter().map(|delta| chunk(delta, None)).collect();
    frames.push(chunk(&json!({}), Some("stop")));
    frames.push("[DONE]".to_owned());
    let stream = futures::stream::iter(frames.into_iter().enumerate()).map(move |(at, frame)| {
        if at == 1 {
            model.0.lock().unwrap().told = Instant::now();
        }
        Ok::<_, Infallible>(Bytes::from(format!("data: {frame}\n\n")))
    });
    ([("content-type", "text/event-stream")], Body::from_stream(stream)).into_response()
}
