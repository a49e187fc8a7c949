//! `/rag/*`.

use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use retailcast_core::config_schema::FieldError;
use utoipa::IntoResponses;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::{self, IndexBody, ProjectDocsBody, RetrieveBody};
use super::embedding::EmbeddingError;
use super::error::RagError;
use super::wire::{DeleteAnswer, IndexAnswer, ProjectDocsAnswer, RetrieveAnswer, SourcesAnswer};
use crate::compute::ComputeError;
use crate::http::problem::ProblemBody;
use crate::http::{App, Code, JsonBody, Problem, RequestId};

/// The routes.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(index))
        .routes(routes!(index_project_docs))
        .routes(routes!(retrieve))
        .routes(routes!(sources))
        .routes(routes!(delete_source))
}

/// What goes wrong wherever texts are embedded.
#[derive(IntoResponses)]
#[allow(dead_code, reason = "describes answers, which are made by `problem`")]
enum EmbeddingProblems {
    /// `/errors/bad-request`: the body or the file to read cannot be read as text.
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(ProblemBody),
    /// `/errors/payload-too-large`: the body is larger than 16 MiB.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(ProblemBody),
    /// `/errors/validation`: the body does not fit.
    #[response(status = 422, content_type = "application/problem+json")]
    Invalid(ProblemBody),
    /// `/errors/database`: the database failed; nothing was written.
    #[response(status = 500, content_type = "application/problem+json")]
    Database(ProblemBody),
    /// `/errors/bad-gateway` or `/errors/embedding-auth`: the embedding provider failed, or rejects the key; nothing
    /// was written.
    #[response(status = 502, content_type = "application/problem+json")]
    Provider(ProblemBody),
    /// `/errors/service-unavailable`: all compute threads are busy.
    #[response(status = 503, content_type = "application/problem+json")]
    Busy(ProblemBody),
}

/// Index a document
///
/// Cuts it into chunks and makes a vector of each. The same text again changes nothing, not even `metadata`; another text
/// replaces all chunks at once.
#[utoipa::path(
    post, path = "/rag/index", tag = "rag", request_body = IndexBody,
    responses(
        (status = 201, description = "The source: new, updated or unchanged", body = IndexAnswer),
        (status = 404, description = "`/errors/not-found`: there is no such file in the folder of documents", body = ProblemBody, content_type = "application/problem+json"),
        EmbeddingProblems,
    )
)]
async fn index(
    State(app): State<Arc<App>>,
    RequestId(request_id): RequestId,
    JsonBody(body): JsonBody,
) -> Result<(StatusCode, Json<IndexAnswer>), Problem> {
    let started = Instant::now();
    let document = body::read_index(&body).map_err(Problem::validation)?;
    let indexed = app.knowledge.index(document, &request_id).await.map_err(problem)?;
    Ok((StatusCode::CREATED, Json(IndexAnswer::new(indexed, started.elapsed()))))
}

/// Index the documents of the installation
///
/// The Markdown files of the server's folder of documents (`rag.root`). A file that cannot be read is reported as
/// `failed`; when a provider fails, nothing is kept of any.
#[utoipa::path(
    post, path = "/rag/index/project-docs", tag = "rag", request_body = ProjectDocsBody,
    responses((status = 200, description = "What became of every file", body = ProjectDocsAnswer), EmbeddingProblems)
)]
async fn index_project_docs(
    State(app): State<Arc<App>>,
    RequestId(request_id): RequestId,
    JsonBody(body): JsonBody,
) -> Result<Json<ProjectDocsAnswer>, Problem> {
    let started = Instant::now();
    let wanted = body::read_project_docs(&body).map_err(Problem::validation)?;
    let files = app.knowledge.index_project(wanted, &request_id).await.map_err(problem)?;
    Ok(Json(ProjectDocsAnswer::new(files, started.elapsed())))
}

/// Find chunks
///
/// Evidence, best first; no answer is written.
#[utoipa::path(
    post, path = "/rag/retrieve", tag = "rag", request_body = RetrieveBody,
    responses((status = 200, description = "What was found, possibly nothing", body = RetrieveAnswer), EmbeddingProblems)
)]
async fn retrieve(
    State(app): State<Arc<App>>,
    RequestId(request_id): RequestId,
    JsonBody(body): JsonBody,
) -> Result<Json<RetrieveAnswer>, Problem> {
    let question = body::read_retrieve(&body).map_err(Problem::validation)?;
    let found = app.knowledge.retrieve(&question, &request_id).await.map_err(problem)?;
    Ok(Json(found.into()))
}

/// List sources
#[utoipa::path(
    get, path = "/rag/sources", tag = "rag",
    responses(
        (status = 200, description = "All of them, the newest first", body = SourcesAnswer),
        (status = 500, description = "`/errors/database`: the database failed", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn sources(State(app): State<Arc<App>>) -> Result<Json<SourcesAnswer>, Problem> {
    let found = app.knowledge.sources().await.map_err(|e| Problem::database(&e))?;
    Ok(Json(found.into()))
}

/// Delete a source
///
/// With all its chunks.
#[utoipa::path(
    delete, path = "/rag/sources/{source_id}", tag = "rag",
    params(("source_id" = String, Path, description = "32 hex digits")),
    responses(
        (status = 200, description = "It is gone", body = DeleteAnswer),
        (status = 404, description = "`/errors/not-found`: there is no such source", body = ProblemBody, content_type = "application/problem+json"),
        (status = 500, description = "`/errors/database`: the database failed", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn delete_source(
    State(app): State<Arc<App>>,
    source_id: Result<Path<String>, PathRejection>,
) -> Result<Json<DeleteAnswer>, Problem> {
    // What is no UTF-8 is no id, like the empty text.
    let source_id = source_id.map(|Path(text)| text).unwrap_or_default();
    let deleted = app.knowledge.delete(&source_id).await.map_err(problem)?;
    Ok(Json(deleted.into()))
}

/// A refusal as a problem.
pub fn problem(error: RagError) -> Problem {
    let refused = |code| Problem::new(code, format!("{error}."));
    match &error {
        RagError::NoFile(_) | RagError::UnknownSource(_) => refused(Code::NotFound),
        RagError::NotText { .. } => refused(Code::BadRequest),
        RagError::Prefix(_) => {
            Problem::validation(vec![FieldError::new("path_prefix", "value_error", error.to_string())])
        }
        RagError::Embedding(EmbeddingError::Key { .. }) => {
            tracing::warn!("{error}");
            refused(Code::EmbeddingAuth)
        }
        RagError::Embedding(_) => {
            tracing::warn!("{error}");
            refused(Code::BadGateway)
        }
        RagError::Compute(ComputeError::Busy(_) | ComputeError::Late) => {
            refused(Code::ServiceUnavailable).retry_after(1)
        }
        RagError::Compute(ComputeError::Lost) | RagError::Io { .. } => Problem::internal(&error),
        RagError::Database(cause) => Problem::database(cause),
    }
}
