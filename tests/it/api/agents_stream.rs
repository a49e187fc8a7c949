//! `WS /agents/stream` as a connection: expiry, slow readers, signs of life, and what is left when it is lost.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use retailcast::config::Config;
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::MaybeTlsStream;
use tokio_tungstenite::tungstenite::Message;

use crate::support::app::TestApp;
use crate::support::model::{ModelServer, Step};
use crate::support::socket::{Socket, kind, kinds};

fn scripted(config: &mut Config, model: &ModelServer) {
    config.agents.default_model = "ollama:scripted".parse().unwrap();
    config.agents.fallback_model = None;
    config.providers.ollama_base_url = model.url();
}

async fn app(model: &ModelServer) -> TestApp {
    TestApp::with(|config| scripted(config, model)).await
}

async fn open(app: &TestApp, agent: &str) -> String {
    let opened = app.post("/agents/sessions", json!({"agent_type": agent})).await.json();
    opened["session_id"].as_str().unwrap().to_owned()
}

fn answer(text: &str) -> Step {
    Step::say(&json!({"answer": text, "confidence": "high"}))
}

/// Looks at a session until it is as wanted.
async fn until(app: &TestApp, session: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    app.until(&format!("/agents/sessions/{session}"), wanted).await
}

#[tokio::test]
async fn an_expired_session_ends_and_the_connection_serves_another_one() {
    let model = ModelServer::start([answer("here")]).await;
    let app = app(&model).await;
    let mut socket = Socket::connect(&app.listen().await).await;
    let (old, new) = (open(&app, "rag_assistant").await, open(&app, "rag_assistant").await);
    sqlx::query("update agent_session set expires_at = now() - interval '1 second' where session_id = $1")
        .bind(&old)
        .execute(&app.pool)
        .await
        .unwrap();
    let frames = socket.turn(&json!({"session_id": old, "message": "?"})).await;
    assert_eq!(kinds(&frames), ["error"]);
    let data = &frames[0]["data"];
    assert_eq!((&data["error_type"], &data["recoverable"]), (&json!("session_expired"), &json!(false)));
    // The transition is kept, although the message failed.
    let status: String = sqlx::query_scalar("select status from agent_session where session_id = $1")
        .bind(&old)
        .fetch_one(&app.pool)
        .await
        .unwrap();
    assert_eq!(status, "expired");
    let frames = socket.turn(&json!({"session_id": new, "message": "?"})).await;
    assert_eq!(frames.last().unwrap()["data"]["message"], "here");
}

/// A turn puts the end of its session off; approval and rejection do not.
#[tokio::test]
async fn a_turn_puts_the_end_off() {
    let model = ModelServer::start([answer("here")]).await;
    let app = app(&model).await;
    let session = open(&app, "rag_assistant").await;
    sqlx::query("update agent_session set expires_at = now() + interval '1 minute'")
        .execute(&app.pool)
        .await
        .unwrap();
    let mut socket = Socket::connect(&app.listen().await).await;
    socket.turn(&json!({"session_id": session, "message": "?"})).await;
    let left: f64 = sqlx::query_scalar(
        "select extract(epoch from expires_at - last_activity)::float8 / 60 from agent_session",
    )
    .fetch_one(&app.pool)
    .await
    .unwrap();
    assert!((left - 120.0).abs() < 0.1, "{left} minutes");
}

/// A client that does not read holds its turn, and the turn the model: what waits in between are the short queues of the
/// server and the buffers of the network, however much the model has to say.
#[tokio::test]
async fn a_slow_reader_holds_the_model() {
    const PIECES: usize = 12_000;
    const SIZE: usize = 1_000;
    let model = ModelServer::start([Step::Flood(PIECES, SIZE)]).await;
    let app = app(&model).await;
    let address = app.listen().await;
    let session = open(&app, "rag_assistant").await;

    // With a small window, so that the buffers of the network fill up soon.
    let narrow = TcpSocket::new_v4().unwrap();
    narrow.set_recv_buffer_size(16 << 10).unwrap();
    let stream: TcpStream =
        narrow.connect(address.trim_start_matches("http://").parse().unwrap()).await.unwrap();
    let url = format!("{}/agents/stream", address.replace("http://", "ws://"));
    let (socket, _) = tokio_tungstenite::client_async(url, MaybeTlsStream::Plain(stream)).await.unwrap();
    let mut socket = Socket(socket);
    socket.send(json!({"session_id": session, "message": "?"}).to_string()).await;

    // Until nothing moves any more.
    let mut before = 0;
    let held = loop {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let taken = model.taken();
        if taken > 0 && taken == before {
            break taken;
        }
        before = taken;
    };
    assert!(held < PIECES, "the model was read to its end");

    let mut frames = 0;
    let mut text = 0;
    let complete = loop {
        let frame = socket.frame().await.unwrap();
        match kind(&frame) {
            "text_delta" => {
                frames += 1;
                text += frame["data"]["delta"].as_str().unwrap().len();
            }
            _ => break frame,
        }
    };
    assert_eq!(kind(&complete), "complete", "{complete}");
    assert_eq!((frames, text), (PIECES, PIECES * SIZE));
    assert_eq!(complete["data"]["message"].as_str().unwrap().len(), PIECES * SIZE);
}

#[tokio::test]
async fn pings_are_answered_while_nothing_happens_and_while_a_turn_runs() {
    let slow =
        Step::Say(json!({"answer": "slow", "confidence": "high"}).to_string(), Duration::from_millis(100));
    let model = ModelServer::start([slow]).await;
    let app = app(&model).await;
    let session = open(&app, "rag_assistant").await;
    let mut socket = Socket::connect(&app.listen().await).await;
    let ping = || Message::Ping("are you there?".into());
    socket.0.send(ping()).await.unwrap();
    assert_eq!(socket.0.next().await.unwrap().unwrap(), Message::Pong("are you there?".into()));
    socket.send(json!({"session_id": session, "message": "?"}).to_string()).await;
    socket.0.send(ping()).await.unwrap();
    // The pong comes before the end of the turn.
    let mut answered = false;
    loop {
        match socket.0.next().await.unwrap().unwrap() {
            Message::Pong(_) => answered = true,
            Message::Text(text) if text.contains("\"complete\"") => break,
            _ => {}
        }
    }
    assert!(answered);
}

/// A turn outlives its connection: a client that comes back reads it in the history and goes on from there.
#[tokio::test]
async fn a_lost_connection_is_resumed_from_the_history() {
    let slow = Step::Say(
        json!({"confidence": "high", "answer": "A long answer, word by word."}).to_string(),
        Duration::from_millis(20),
    );
    let model = ModelServer::start([Step::call("c1", "tool_list_sources", &json!({})), slow]).await;
    let app = app(&model).await;
    let address = app.listen().await;
    let session = open(&app, "rag_assistant").await;
    let mut socket = Socket::connect(&address).await;
    socket.send(json!({"session_id": session, "message": "Tell me"}).to_string()).await;
    while kind(&socket.frame().await.unwrap()) != "text_delta" {}
    drop(socket);

    let kept = until(&app, &session, |session| session["message_history"] != json!([])).await;
    let history = kept["message_history"].as_array().unwrap();
    let said: Vec<_> = history.iter().map(|m| (m["role"].as_str().unwrap(), &m["content"])).collect();
    assert_eq!(
        (said[0].0, said[1].0, history[1]["tool_name"].as_str()),
        ("user", "tool", Some("tool_list_sources"))
    );
    assert_eq!(said[2], ("assistant", &json!("A long answer, word by word.")));
    assert_eq!((&kept["tool_calls_count"], &kept["total_tokens_used"]), (&json!(1), &json!(30)));

    model.then(answer("Of course."));
    let mut socket = Socket::connect(&address).await;
    let frames = socket.turn(&json!({"session_id": session, "message": "Go on"})).await;
    assert_eq!(frames.last().unwrap()["data"]["message"], "Of course.");
    let asked = model.asked().last().unwrap().body["messages"].to_string();
    assert!(asked.contains("A long answer, word by word.") && asked.contains("Tell me"), "{asked}");
}

/// Messages that come while a turn runs wait for their turn.
#[tokio::test]
async fn messages_of_several_sessions_are_answered_one_after_another() {
    let model = ModelServer::start((1..=3).map(|n| answer(&format!("answer {n}")))).await;
    let app = app(&model).await;
    let (one, other) = (open(&app, "rag_assistant").await, open(&app, "rag_assistant").await);
    let mut socket = Socket::connect(&app.listen().await).await;
    for (session, message) in [(&one, "a"), (&other, "b"), (&one, "c")] {
        socket.send(json!({"session_id": session, "message": message}).to_string()).await;
    }
    let mut answers = Vec::new();
    while answers.len() < 3 {
        let frame = socket.frame().await.unwrap();
        if kind(&frame) == "complete" {
            answers.push(frame["data"]["message"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(answers, ["answer 1", "answer 2", "answer 3"]);
    let asked = model.asked();
    let last = asked[2].body["messages"].to_string();
    assert!(last.contains("answer 1") && !last.contains("answer 2"), "{last}");
}
