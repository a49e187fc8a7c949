//! One run over a WebSocket: a frame from the client, then a frame per event, then the end.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use serde_json::Value;

use super::pipeline::{News, start};
use super::routes::IN_PROGRESS;
use super::wire::{self, DemoRequest, StepEvent};
use crate::http::App;

/// How long the first frame may take.
const PATIENCE: Duration = Duration::from_mins(1);
/// Largest first frame, in bytes.
pub(super) const LARGEST_START: usize = 64 << 10;

/// Serves a connection to its end.
pub(super) async fn serve(app: Arc<App>, mut socket: WebSocket) {
    let first = tokio::time::timeout(PATIENCE, first_frame(&mut socket)).await;
    // A client that says nothing, or left: there is nobody to tell.
    let Ok(Some(first)) = first else { return close(socket).await };
    match read(first.as_deref()) {
        Err(reason) => {
            let event = StepEvent::error(format!("invalid start frame: {reason}"));
            let _ = send(&mut socket, &event).await;
        }
        Ok(request) => match app.demo.turn() {
            None => {
                let _ = send(&mut socket, &StepEvent::error(IN_PROGRESS)).await;
            }
            Some(turn) => tell(&mut socket, start(Arc::clone(&app), request, turn)).await,
        },
    }
    close(socket).await;
}

/// Sends what happens; ends when the run has, or when the client leaves.
async fn tell(socket: &mut WebSocket, mut news: tokio::sync::mpsc::Receiver<News>) {
    loop {
        let next = tokio::select! {
            next = news.recv() => next,
            said = socket.recv() => match said {
                // Whatever else it says is ignored.
                Some(Ok(Message::Text(_) | Message::Binary(_) | Message::Ping(_) | Message::Pong(_))) => continue,
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
            },
        };
        let (event, last) = match next {
            Some(News::Event(event)) => (event, false),
            Some(News::End(summary)) => (StepEvent::summary(&summary), true),
            None => (StepEvent::error("the run ended unexpectedly; the log has why"), true),
        };
        if send(socket, &event).await.is_err() || last {
            return;
        }
    }
}

/// The text of the first frame that holds something; a binary one has none.
async fn first_frame(socket: &mut WebSocket) -> Option<Option<String>> {
    loop {
        match socket.recv().await? {
            Ok(Message::Text(text)) => return Some(Some(text.to_string())),
            Ok(Message::Binary(_)) => return Some(None),
            Ok(Message::Ping(_) | Message::Pong(_)) => {}
            Ok(Message::Close(_)) | Err(_) => return None,
        }
    }
}

fn read(first: Option<&str>) -> Result<DemoRequest, String> {
    let text = first.ok_or("send a JSON object as text")?;
    match serde_json::from_str(text) {
        Ok(Value::Object(members)) => wire::read(&members).map_err(|errors| {
            let each = errors.iter().map(|error| format!("{} {}", error.field, error.message));
            each.collect::<Vec<_>>().join("; ")
        }),
        Ok(_) => Err("send a JSON object".to_owned()),
        Err(e) => Err(format!("not JSON: {e}")),
    }
}

async fn send(socket: &mut WebSocket, event: &StepEvent) -> Result<(), axum::Error> {
    let text = serde_json::to_string(event).map_err(axum::Error::new)?;
    socket.send(Message::Text(text.into())).await
}

async fn close(mut socket: WebSocket) {
    let frame = CloseFrame { code: close_code::NORMAL, reason: "".into() };
    // The client may have left already.
    let _ = socket.send(Message::Close(Some(frame))).await;
}
