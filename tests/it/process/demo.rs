//! `WS /demo/stream` of a running server.

use futures::{SinkExt, StreamExt};
use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;

use super::program::{Home, Server};
use crate::support::database::workspace;

/// Sends the first frame and collects what comes until the server closes.
async fn stream(server: &Server, first: Message) -> (Vec<Value>, Option<u16>) {
    let url = format!("{}/demo/stream", server.url.replace("http://", "ws://"));
    let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    socket.send(first).await.unwrap();
    let (mut frames, mut code) = (Vec::new(), None);
    while let Some(message) = socket.next().await {
        match message {
            Ok(Message::Text(text)) => frames.push(serde_json::from_str(&text).unwrap()),
            Ok(Message::Close(close)) => code = close.map(|frame| frame.code.into()),
            Ok(_) => {}
            Err(_) => break,
        }
    }
    (frames, code)
}

fn text(text: &str) -> Message {
    Message::Text(text.into())
}

#[test]
fn a_run_is_told_step_by_step() {
    let home = Home::new("demo");
    let server = Server::start(&home);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let (frames, code) = stream(&server, text(r#"{"skip_seed": false}"#)).await;
        assert_eq!((frames.len(), code), (23, Some(1000)), "{frames:#?}");
        for (i, pair) in frames[..22].chunks(2).enumerate() {
            assert_eq!(
                (&pair[0]["event_type"], &pair[1]["event_type"]),
                (&"step_start".into(), &"step_complete".into())
            );
            assert_eq!(
                (&pair[0]["step_name"], &pair[0]["step_index"]),
                (&pair[1]["step_name"], &(i + 1).into())
            );
            assert_eq!((&pair[0]["status"], &pair[0]["total_steps"]), (&Value::Null, &11.into()));
        }
        let last = &frames[22];
        assert_eq!(
            (&last["event_type"], &last["step_name"]),
            (&"pipeline_complete".into(), &"summary".into())
        );
        assert_eq!(
            (&last["status"], &last["data"]["alias"]),
            (&"pass".into(), &"demo-production".into()),
            "{last}"
        );

        for first in
            [text("nonsense"), text("[1]"), text(r#"{"seed": "42"}"#), Message::Binary(b"{}".to_vec().into())]
        {
            let (frames, code) = stream(&server, first).await;
            assert_eq!((frames.len(), code), (1, Some(1000)));
            assert_eq!((&frames[0]["event_type"], &frames[0]["step_index"]), (&"error".into(), &0.into()));
            assert!(
                frames[0]["detail"].as_str().unwrap().starts_with("invalid start frame"),
                "{}",
                frames[0]
            );
        }

        // Of two at the same time one runs; afterwards the next one may.
        let (one, other) = tokio::join!(stream(&server, text("{}")), stream(&server, text("{}")));
        let mut lengths = [one.0.len(), other.0.len()];
        lengths.sort_unstable();
        assert_eq!(lengths, [1, 23]);
        let refused = if one.0.len() == 1 { &one.0[0] } else { &other.0[0] };
        assert!(refused["detail"].as_str().unwrap().contains("in progress"), "{refused}");

        // Whoever was told the end may begin at once.
        for _ in 0..20 {
            assert_eq!(stream(&server, text("{}")).await.0.len(), 23);
        }

        // A client that leaves does not block the next one.
        let url = format!("{}/demo/stream", server.url.replace("http://", "ws://"));
        let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
        socket.send(text(r#"{"reset": true, "skip_seed": false}"#)).await.unwrap();
        socket.next().await.unwrap().unwrap();
        drop(socket);
        let mut frames = Vec::new();
        for _ in 0..100 {
            frames = stream(&server, text(r#"{"skip_seed": false}"#)).await.0;
            if frames.len() > 1 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        assert_eq!(frames.len(), 23);
    });
    assert_eq!(server.stop().0, Some(0));
}

#[test]
fn the_command_ends_with_the_whole_pipeline() {
    let home = Home::new("demo-command");
    let bakery = workspace().join("tests/data/bakery");
    let said = home.succeed(&["demo", "--data", bakery.to_str().unwrap()]);
    for step in ["pass  precheck", "pass  backtest", "pass  verify", "skip  agent", "skip  cleanup"] {
        assert!(said.contains(step), "{step}: {said}");
    }
    assert!(said.contains("is demo-production"), "{said}");
}
