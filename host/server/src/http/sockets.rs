//! How many WebSockets are open at once.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{App, Code, Problem};

/// Room for WebSockets.
#[derive(Debug)]
pub struct Sockets {
    most: usize,
    room: Arc<Semaphore>,
}

impl Sockets {
    /// For so many at once.
    pub fn new(most: usize) -> Self {
        Self { most, room: Arc::new(Semaphore::new(most)) }
    }
}

/// Room for one WebSocket, free again when it is dropped: a handler moves it into the connection.
#[derive(Debug)]
pub struct Room(#[allow(dead_code, reason = "is held, not read")] OwnedSemaphorePermit);

impl FromRequestParts<Arc<App>> for Room {
    type Rejection = Problem;

    async fn from_request_parts(_: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let Sockets { most, room } = &app.sockets;
        Arc::clone(room).try_acquire_owned().map(Self).map_err(|_| {
            let detail = format!(
                "{most} WebSockets are open, and no more are allowed. To allow more, set\n[server]\nmax_websockets = {}",
                most.saturating_mul(2).max(1)
            );
            Problem::new(Code::ServiceUnavailable, detail).retry_after(1)
        })
    }
}
