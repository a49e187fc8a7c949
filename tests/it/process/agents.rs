//! `WS /agents/stream` of a running server, with a model by script.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::program::{Home, Server};
use crate::support::model::{ModelServer, Step};
use crate::support::socket::{Socket, kinds};

const KEY: &str = "sk-canary-0123456789";

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

        let mut socket = Socket::connect(&server.url).await;
        let frames =
            socket.turn(&json!({"session_id": session_id, "message": "Which runs are there?"})).await;
        let called: Vec<&str> = kinds(&frames).into_iter().filter(|kind| *kind != "text_delta").collect();
        assert_eq!(called, ["tool_call_start", "tool_call_end", "complete"], "{frames:#?}");
        let said: String = frames.iter().filter_map(|frame| frame["data"]["delta"].as_str()).collect();
        let complete = &frames.last().unwrap()["data"];
        assert_eq!(complete["message"], "There are no runs yet.");
        assert_eq!(said, "There are no runs yet.");
        assert_eq!((&complete["tool_calls_count"], &complete["tokens_used"]), (&json!(1), &json!(30)));
        assert!(frames.iter().all(|frame| frame["timestamp"].is_string() && frame["data"].is_object()));
        assert_eq!(model.asked()[0].body["model"], "scripted");

        // The same connection serves the next message, also after one that does not fit.
        let refused = socket.turn(&json!({"message": "?"})).await;
        assert_eq!(
            (kinds(&refused), &refused[0]["data"]["recoverable"]),
            (vec!["error"], &json!(true)),
            "{refused:?}"
        );
        let frames = socket.turn(&json!({"session_id": session_id, "message": "And now?"})).await;
        assert_eq!(frames.last().unwrap()["data"]["message"], "Still none.");

        // A model that breaks off, or answers nonsense, ends the turn with an error and leaves no trace of the key.
        for step in [Step::Cut(json!({"summary": "half"}).to_string(), 2), Step::Garbage] {
            model.then(step);
            let frames = socket.turn(&json!({"session_id": session_id, "message": "?"})).await;
            assert_eq!(frames.last().unwrap()["event_type"], "error", "{frames:#?}");
            assert!(!format!("{frames:?}").contains("canary"));
        }

        let gone = socket.turn(&json!({"session_id": "0".repeat(32), "message": "?"})).await;
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

/// Keys of the environment and keys that were sent stand in no answer, no frame and no line of the log, whatever goes
/// wrong with them.
#[test]
fn keys_never_leave_the_server() {
    const CANARY: &str = "canary";
    let home = Home::new("agents-keys");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let model = runtime.block_on(ModelServer::start([]));
    let openai = model.openai();
    let variables = [
        ("OPENAI_BASE_URL", openai.as_str()),
        ("OPENAI_API_KEY", KEY),
        ("GOOGLE_API_KEY", "AIza-canary-of-google-1"),
        ("AGENT_DEFAULT_MODEL", "openai:scripted"),
        ("AGENT_FALLBACK_MODEL", ""),
        ("LOG_LEVEL", "DEBUG"),
    ];
    let server = Server::start_with(&home, &variables);
    runtime.block_on(async {
        let client = reqwest::Client::new();
        let call = async |method: Method, path: &str, body: Value| {
            let answer = client.request(method, format!("{}{path}", server.url)).json(&body).send().await.unwrap();
            let headers = format!("{:?}", answer.headers());
            let text = answer.text().await.unwrap();
            // The mask shows the beginning of a key, never its rest.
            assert!(!text.contains(CANARY) && !headers.contains(CANARY), "{path}: {headers} {text}");
            serde_json::from_str::<Value>(&text).unwrap_or_default()
        };
        let sent = "sk-sent-canary-0123456789";
        for body in [
            json!({"anthropic_api_key": sent, "openai_api_key": sent}),
            json!({"openai_api_key": [sent]}),
            json!({"openai_api_key": {"key": sent}}),
            json!({"openai_api_key": format!("{sent}\0")}),
            json!({"openai_api_key": sent, "agent_temperature": 9}),
        ] {
            call(Method::PATCH, "/config/ai", body).await;
        }
        for path in ["/config/ai", "/config/providers/health", "/config/ollama/models", "/openapi.json", "/metrics"] {
            call(Method::GET, path, Value::Null).await;
        }
        let opened = call(Method::POST, "/agents/sessions", json!({"agent_type": "experiment"})).await;
        let session = opened["session_id"].as_str().unwrap().to_owned();
        let mut socket = Socket::connect(&server.url).await;
        // The provider says the key back in every way it has.
        let leak = "Incorrect API key provided: sk-sent-canary-0123456789. Authorization: Bearer sk-sent-canary-0123456789";
        for status in [400, 401, 429, 500] {
            model.then(Step::Fail(status, leak));
            model.then(Step::Fail(status, leak));
            let frames = socket.turn(&json!({"session_id": session, "message": "?"})).await;
            assert!(!format!("{frames:?}").contains(CANARY), "{frames:?}");
            assert_eq!(kinds(&frames), ["error"]);
            call(Method::POST, &format!("/agents/sessions/{session}/chat"), json!({"message": "?"})).await;
        }
        assert!(model.asked().iter().all(|asked| asked.authorization.as_deref().unwrap().contains(CANARY)), "the key is used");
        model.then(Step::say(&json!({"summary": "Done."})));
        call(Method::POST, &format!("/agents/sessions/{session}/chat"), json!({"message": "?"})).await;
        call(Method::GET, &format!("/agents/sessions/{session}"), Value::Null).await;
    });
    let (status, log) = server.stop();
    assert_eq!(status, Some(0));
    assert!(log.len() > 20, "the log tells much: {}", log.len());
    let leaks: Vec<_> = log.iter().filter(|line| line.contains(CANARY)).collect();
    assert!(leaks.is_empty(), "{leaks:#?}");
}
