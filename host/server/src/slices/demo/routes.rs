//! `POST /demo/run` and `WS /demo/stream`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::response::Response;
use axum::routing::any;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::pipeline::{News, start};
use super::stream;
use super::wire::{self, DemoRunRequest, DemoRunResult, EventType};
use crate::http::problem::ProblemBody;
use crate::http::sockets::Room;
use crate::http::{App, Code, JsonBody, Problem};

/// The routes.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(run)).route("/demo/stream", any(socket))
}

/// Why a second run is refused.
pub(super) const IN_PROGRESS: &str = "A demo run is in progress; only one runs at a time.";

/// Run the demo
///
/// Health, data, features, three models trained and backtested, the best one registered and verified, an agent asked.
/// Answers when the run has ended, with 200 also when a step failed. `WS /demo/stream` tells every step as it happens.
/// A client that goes away ends the run after the step in progress.
#[utoipa::path(
    post, path = "/demo/run", tag = "demo", request_body = DemoRunRequest,
    responses(
        (status = 200, description = "The run has ended", body = DemoRunResult),
        (status = 409, description = "`/errors/conflict`: another run is in progress", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`/errors/payload-too-large`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`/errors/validation`: no body, or it does not fit", body = ProblemBody, content_type = "application/problem+json"),
        (status = 500, description = "`/errors/internal`: the run ended without a result", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn run(State(app): State<Arc<App>>, JsonBody(body): JsonBody) -> Result<Json<DemoRunResult>, Problem> {
    let request = wire::read(&body).map_err(Problem::validation)?;
    let turn = app.demo.turn().ok_or_else(|| Problem::new(Code::Conflict, IN_PROGRESS))?;
    let mut news = start(Arc::clone(&app), request, turn);
    let mut steps = Vec::new();
    while let Some(next) = news.recv().await {
        match next {
            News::Event(event) if event.event_type == EventType::StepComplete => steps.push(event),
            News::Event(_) => {}
            News::End(summary) => return Ok(Json(DemoRunResult::new(steps, summary))),
        }
    }
    Err(Problem::internal(&"the run of the demo ended without a result"))
}

async fn socket(State(app): State<Arc<App>>, room: Room, upgrade: WebSocketUpgrade) -> Response {
    upgrade.max_message_size(stream::LARGEST_START).on_upgrade(async move |socket| {
        let _room = room;
        stream::serve(app, socket).await;
    })
}
