//! `WS /agents/stream` as a client has it.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// A connection.
pub(crate) struct Socket(pub(crate) WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>);

impl Socket {
    /// Of the server at this address.
    pub(crate) async fn connect(url: &str) -> Self {
        let url = format!("{}/agents/stream", url.replace("http://", "ws://"));
        Self(tokio_tungstenite::connect_async(url).await.unwrap().0)
    }

    pub(crate) async fn send(&mut self, text: impl Into<String>) {
        self.0.send(Message::Text(text.into().into())).await.unwrap();
    }

    /// The next frame that is no ping or pong, `None` when the server has closed.
    pub(crate) async fn frame(&mut self) -> Option<Value> {
        loop {
            let next = tokio::time::timeout(Duration::from_secs(20), self.0.next());
            match next.await.expect("a frame comes within 20 seconds")? {
                Ok(Message::Text(text)) => return Some(serde_json::from_str(&text).unwrap()),
                Ok(Message::Ping(_) | Message::Pong(_)) => {}
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(other) => panic!("{other:?}"),
            }
        }
    }

    /// Sends a message and collects the frames up to the last one of its turn.
    pub(crate) async fn turn(&mut self, message: &Value) -> Vec<Value> {
        self.send(message.to_string()).await;
        let mut frames = Vec::new();
        loop {
            let frame = self.frame().await.expect("the server ends its turn");
            let last = ["complete", "error"].contains(&kind(&frame));
            frames.push(frame);
            if last {
                return frames;
            }
        }
    }
}

/// What a frame tells.
pub(crate) fn kind(frame: &Value) -> &str {
    frame["event_type"].as_str().unwrap()
}

/// What frames tell, one after another.
pub(crate) fn kinds(frames: &[Value]) -> Vec<&str> {
    frames.iter().map(kind).collect()
}
