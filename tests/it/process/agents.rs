//! `WS /agents/stream` of a running server, with a model by script.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::program::{Home, Server};
use crate::support::model::{ModelServer, Step};

const KEY: &str = "sk-canary-0123456789";

type Socket = tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

async fn connect(server: &Server) -> Socket {
    let url = format!("{}/agents/stream", server.url.replace("http://", "ws://"));
    tokio_tungstenite::connect_async(url).await.unwrap().0
}

/// Sends a message and collects the frames up to the last one of its turn.
async fn turn(socket: &mut Socket, message: &Value) -> Vec<Value> {
    socket.send(Message::Text(message.to_string().into())).await.unwrap();
    let mut frames: Vec<Value> = Vec::new();
    while let Some(Ok(message)) = socket.next().await {
        let Message::Text(text) = message else { continue };
        let frame: Value = serde_json::from_str(&text).unwrap();
        let last =
            ["complete", "error", "approval_required"].contains(&frame["event_type"].as_str().unwrap());
        frames.push(frame);
        if last {
            break;
        }
    }
    frames
}

fn kinds(frames: &[Value]) -> Vec<&str> {
    frames.iter().map(|frame| frame["event_type"].as_str().unwrap()).collect()
}

#[test]
fn a_conversation_is_told_word_by_word() {
    let home = Home::new("agents");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let model = runtime.block_on(ModelServer::start([
        Step::SayAndCall("Let me look. ", "tool_list_runs", "{}".to_owned()),
        Step::Say(json!({"summary": "There are no runs yet."}).to_string(), Duration::from_millis(2)),
        Step::say(&json!({"summary": "Still none."})),
    ]));
    let openai = model.openai();
    let server = Server::start_with(
        &home,
        &[
            ("OPENAI_BASE_URL", openai.as_str()),
            ("OPENAI_API_KEY", KEY),
            ("AGENT_DEFAULT_MODEL", "openai:scripted"),
            ("AGENT_FALLBACK_MODEL", ""),
        ],
    );
    runtime.block_on(async {
        let client = reqwest::Client::new();
        let sessions = format!("{}/agents/sessions", server.url);
        let opened = client.post(&sessions).json(&json!({"agent_type": "experiment"})).send().await.unwrap();
        let opened: Value = opened.json().await.unwrap();
        let session_id = opened["session_id"].as_str().unwrap();

        let mut socket = connect(&server).await;
        let frames =
            turn(&mut socket, &json!({"session_id": session_id, "message": "Which runs are there?"})).await;
        let called: Vec<&str> = kinds(&frames).into_iter().filter(|kind| *kind != "text_delta").collect();
        assert_eq!(called, ["tool_call_start", "tool_call_end", "complete"], "{frames:#?}");
        let said: String = frames.iter().filter_map(|frame| frame["data"]["delta"].as_str()).collect();
        let complete = &frames.last().unwrap()["data"];
        assert_eq!(complete["message"], "There are no runs yet.");
        assert!(said.ends_with("There are no runs yet."), "{said}");
        assert_eq!((&complete["tool_calls_count"], &complete["tokens_used"]), (&json!(1), &json!(30)));
        assert!(frames.iter().all(|frame| frame["timestamp"].is_string() && frame["data"].is_object()));
        assert_eq!(model.asked()[0].body["model"], "scripted");

        // The same connection serves the next message, also after one that does not fit.
        let refused = turn(&mut socket, &json!({"message": "?"})).await;
        assert_eq!(
            (kinds(&refused), &refused[0]["data"]["recoverable"]),
            (vec!["error"], &json!(true)),
            "{refused:?}"
        );
        let frames = turn(&mut socket, &json!({"session_id": session_id, "message": "And now?"})).await;
        assert_eq!(frames.last().unwrap()["data"]["message"], "Still none.");

        // A model that breaks off, or answers nonsense, ends the turn with an error and leaves no trace of the key.
        for step in [Step::Cut(json!({"summary": "half"}).to_string(), 2), Step::Garbage] {
            model.then(step);
            let frames = turn(&mut socket, &json!({"session_id": session_id, "message": "?"})).await;
            assert_eq!(frames.last().unwrap()["event_type"], "error", "{frames:#?}");
            assert!(!format!("{frames:?}").contains("canary"));
        }

        let gone = turn(&mut socket, &json!({"session_id": "0".repeat(32), "message": "?"})).await;
        assert_eq!(
            (kinds(&gone), &gone[0]["data"]["recoverable"]),
            (vec!["error"], &json!(false)),
            "{gone:?}"
        );
        let kept: Value =
            client.get(format!("{sessions}/{session_id}")).send().await.unwrap().json().await.unwrap();
        assert_eq!(kept["message_history"].as_array().unwrap().len(), 5, "{kept:#}");
    });
    let (status, log) = server.stop();
    assert_eq!(status, Some(0));
    assert!(!log.iter().any(|line| line.contains("canary")), "the key is in the log");
}

/// An action that waits is still there after the server was killed, and is run once, with the arguments that were shown.
#[test]
fn an_approval_survives_a_killed_server() {
    let home = Home::new("agents-restart");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let model = runtime.block_on(ModelServer::start([]));
    let openai = model.openai();
    let variables = [
        ("OPENAI_BASE_URL", openai.as_str()),
        ("OPENAI_API_KEY", KEY),
        ("AGENT_DEFAULT_MODEL", "openai:scripted"),
        ("AGENT_FALLBACK_MODEL", ""),
    ];
    let client = reqwest::Client::new();
    let post = async |url: String, body: Value| {
        let answer = client.post(url).json(&body).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    let server = Server::start_with(&home, &variables);
    let (session, action, arguments) = runtime.block_on(async {
        let run = json!({"model_type": "naive", "model_config": {"model_type": "naive"}, "store_id": 1, "product_id": 1,
                         "data_window_start": "2024-01-01", "data_window_end": "2024-03-01"});
        let run_id = post(format!("{}/registry/runs", server.url), run).await.1["run_id"].as_str().unwrap().to_owned();
        for status in ["running", "success"] {
            let url = format!("{}/registry/runs/{run_id}", server.url);
            assert!(client.patch(url).json(&json!({"status": status})).send().await.unwrap().status().is_success());
        }
        model.then(Step::call("c1", "tool_create_alias", &json!({"alias_name": "best", "run_id": run_id})));
        model.then(Step::say(&json!({"summary": "It waits."})));
        let opened = post(format!("{}/agents/sessions", server.url), json!({"agent_type": "experiment"})).await.1;
        let session = format!("/agents/sessions/{}", opened["session_id"].as_str().unwrap());
        let answer = post(format!("{}{session}/chat", server.url), json!({"message": "Deploy"})).await.1;
        let action = &answer["pending_action"];
        (session, action["action_id"].clone(), action["arguments"].clone())
    });
    server.kill();
    let server = Server::start_with(&home, &variables);
    runtime.block_on(async {
        let body = json!({"action_id": action, "approved": true});
        let (status, decided) = post(format!("{}{session}/approve", server.url), body.clone()).await;
        assert_eq!((status, &decided["status"]), (200, &json!("executed")), "{decided}");
        let aliases: Value = client
            .get(format!("{}/registry/aliases", server.url))
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        assert_eq!(aliases[0]["run_id"], arguments["run_id"]);
        assert_eq!(post(format!("{}{session}/approve", server.url), body).await.0, 400);
    });
    assert_eq!(server.stop().0, Some(0));
}
