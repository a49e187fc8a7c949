//! `/agents/*`.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::AgentError;
use super::stream;
use super::wire::{
    self, ApprovalAnswer, ApproveBody, ChatAnswer, ChatBody, SessionBody, SessionCreateBody,
    SessionHistoryBody,
};
use crate::http::problem::ProblemBody;
use crate::http::{App, JsonBody, Problem, RequestId};

/// The routes.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(create))
        .routes(routes!(session, close))
        .routes(routes!(chat))
        .routes(routes!(approve))
        .routes(routes!(stream::stream))
}

/// A part of the path; any text may be asked for.
type Segment = Result<Path<String>, PathRejection>;

/// Open a session
///
/// The model must have its key. The id is the only key to the conversation: keep it secret.
#[utoipa::path(
    post, path = "/agents/sessions", tag = "agents", request_body = SessionCreateBody,
    responses(
        (status = 201, description = "The session", body = SessionBody),
        (status = 400, description = "`/errors/bad-request`: the model's provider has no key", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`/errors/payload-too-large`: the body is larger than 16 MiB", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`/errors/validation`: the body does not fit", body = ProblemBody, content_type = "application/problem+json"),
        (status = 500, description = "`/errors/database`: the database failed", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn create(
    State(app): State<Arc<App>>,
    JsonBody(body): JsonBody,
) -> Result<(StatusCode, Json<SessionBody>), Problem> {
    let (agent, context) = wire::read_create(&body).map_err(Problem::validation)?;
    let session = app.agents.create(agent, context).await?;
    Ok((StatusCode::CREATED, Json(SessionBody::from(&session))))
}

/// Read a session and its history
#[utoipa::path(
    get, path = "/agents/sessions/{session_id}", tag = "agents",
    params(("session_id" = String, Path, description = "32 hex digits")),
    responses(
        (status = 200, description = "The session", body = SessionHistoryBody),
        (status = 404, description = "`/errors/not-found`: no session has this id", body = ProblemBody, content_type = "application/problem+json"),
        (status = 500, description = "`/errors/database`: the database failed", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn session(
    State(app): State<Arc<App>>,
    session_id: Segment,
) -> Result<Json<SessionHistoryBody>, Problem> {
    let found = app.agents.session(&text(session_id)).await?;
    Ok(Json(found.into()))
}

/// Send a message
///
/// Runs a turn: the model works with its tools until it has answered. What would change something waits for a human.
/// While something waits, no model is asked.
#[utoipa::path(
    post, path = "/agents/sessions/{session_id}/chat", tag = "agents",
    params(("session_id" = String, Path, description = "32 hex digits")), request_body = ChatBody,
    responses(
        (status = 200, description = "The answer", body = ChatAnswer),
        (status = 400, description = "`/errors/bad-request`: the model's provider has no key any more", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`/errors/not-found`: no session has this id", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`/errors/conflict`: the session is closed, or was changed while the turn ran", body = ProblemBody, content_type = "application/problem+json"),
        (status = 410, description = "`/errors/gone`: the session has expired", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`/errors/payload-too-large`: the body is larger than 16 MiB", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`/errors/validation`: the body does not fit", body = ProblemBody, content_type = "application/problem+json"),
        (status = 500, description = "`/errors/database` or `/errors/internal`: the database or a tool failed", body = ProblemBody, content_type = "application/problem+json"),
        (status = 502, description = "`/errors/agent-fallback-exhausted`: no model answered; `failures` says why", body = ProblemBody, content_type = "application/problem+json"),
        (status = 504, description = "`/errors/gateway-timeout`: the turn took longer than `agents.timeout_seconds`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn chat(
    State(app): State<Arc<App>>,
    RequestId(request_id): RequestId,
    session_id: Segment,
    JsonBody(body): JsonBody,
) -> Result<Json<ChatAnswer>, Problem> {
    let message = wire::read_chat(&body).map_err(Problem::validation)?;
    let session_id = text(session_id);
    match app.agents.chat(&session_id, &message, &request_id, None).await {
        Ok(answer) => Ok(Json(ChatAnswer::new(session_id, answer))),
        Err(error @ AgentError::Misbehaved) => Ok(Json(ChatAnswer::apology(session_id, error.to_string()))),
        Err(error) => Err(error.into()),
    }
}

/// Decide on the waiting action
///
/// An approved action is run at once, with exactly the arguments that were shown, and at most once. The model does not go
/// on by itself: send the next message.
#[utoipa::path(
    post, path = "/agents/sessions/{session_id}/approve", tag = "agents",
    params(("session_id" = String, Path, description = "32 hex digits")), request_body = ApproveBody,
    responses(
        (status = 200, description = "What became of it", body = ApprovalAnswer),
        (status = 400, description = "`/errors/bad-request`: nothing waits, or something else", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`/errors/not-found`: no session has this id", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`/errors/conflict`: the session is closed", body = ProblemBody, content_type = "application/problem+json"),
        (status = 410, description = "`/errors/gone`: the session has expired", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`/errors/payload-too-large`: the body is larger than 16 MiB", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`/errors/validation`: the body does not fit", body = ProblemBody, content_type = "application/problem+json"),
        (status = 500, description = "`/errors/database`: the database failed", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn approve(
    State(app): State<Arc<App>>,
    RequestId(request_id): RequestId,
    session_id: Segment,
    JsonBody(body): JsonBody,
) -> Result<Json<ApprovalAnswer>, Problem> {
    let decision = wire::read_approve(&body).map_err(Problem::validation)?;
    let session_id = text(session_id);
    let decided = app
        .agents
        .decide(&session_id, &decision.action_id, decision.approved, decision.reason.as_deref(), &request_id)
        .await?;
    Ok(Json(ApprovalAnswer::new(decision, decided)))
}

/// Close a session
///
/// Its history can still be read. A waiting action is dropped.
#[utoipa::path(
    delete, path = "/agents/sessions/{session_id}", tag = "agents",
    params(("session_id" = String, Path, description = "32 hex digits")),
    responses(
        (status = 204, description = "It is closed"),
        (status = 404, description = "`/errors/not-found`: no session has this id", body = ProblemBody, content_type = "application/problem+json"),
        (status = 500, description = "`/errors/database`: the database failed", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn close(State(app): State<Arc<App>>, session_id: Segment) -> Result<StatusCode, Problem> {
    app.agents.close(&text(session_id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What is no UTF-8 is no id, like the empty text.
fn text(segment: Segment) -> String {
    segment.map(|Path(text)| text).unwrap_or_default()
}
