//! `/registry/*`.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::RegistryError;
use super::run_body::{self, AliasBody, CreateBody, PatchBody};
use super::wire::{self, AliasAnswer, ComparisonBody, RunBody, RunPageBody, RunsQuery, VerificationBody};
use crate::http::problem::ProblemBody;
use crate::http::{App, Code, JsonBody, Problem, Query};

/// The routes.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(create, runs))
        .routes(routes!(run, patch))
        .routes(routes!(verify))
        .routes(routes!(set_alias, aliases))
        .routes(routes!(alias, delete_alias))
        .routes(routes!(compare))
}

/// A part of the path; any text may be asked for.
type Segment = Result<Path<String>, PathRejection>;

/// Register a run
///
/// It is `pending` then. A run with the same `model_config`, series and data window that is not archived is a duplicate:
/// `registry.duplicate_policy` allows it, logs a warning (the default) or refuses it.
#[utoipa::path(
    post, path = "/registry/runs", tag = "registry", request_body = CreateBody,
    responses(
        (status = 201, description = "The run", body = RunBody),
        (status = 400, description = "`/errors/bad-request`: the body cannot be read", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`/errors/conflict`: the run exists, and duplicates are refused here", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`/errors/payload-too-large`: the body is larger than 16 MiB", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`/errors/validation`: the body does not fit", body = ProblemBody, content_type = "application/problem+json"),
        (status = 500, description = "`/errors/database`: the database failed", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn create(
    State(app): State<Arc<App>>,
    JsonBody(body): JsonBody,
) -> Result<(StatusCode, Json<RunBody>), Problem> {
    let run = run_body::read_create(&body).map_err(Problem::validation)?;
    let made = app.registry.create(&run).await.map_err(problem)?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// List runs
///
/// Filters combine with AND. Text is ordered by code point; ties go to the newest, then by id.
#[utoipa::path(
    get, path = "/registry/runs", tag = "registry", params(RunsQuery),
    responses(
        (status = 200, description = "A page", body = RunPageBody),
        (status = 422, description = "`/errors/validation`: a query value does not fit", body = ProblemBody, content_type = "application/problem+json"),
        (status = 500, description = "`/errors/database`: the database failed", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn runs(State(app): State<Arc<App>>, query: Query) -> Result<Json<RunPageBody>, Problem> {
    let listing = wire::read_runs(&query)?;
    let page = app.registry.runs(&listing).await.map_err(|e| Problem::database(&e))?;
    Ok(Json(RunPageBody::new(page, listing.paging)))
}

/// One run
#[utoipa::path(
    get, path = "/registry/runs/{run_id}", tag = "registry",
    params(("run_id" = String, Path, description = "32 hex digits")),
    responses(
        (status = 200, description = "The run", body = RunBody),
        (status = 404, description = "`/errors/not-found`: no run has this id", body = ProblemBody, content_type = "application/problem+json"),
        (status = 500, description = "`/errors/database`: the database failed", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn run(State(app): State<Arc<App>>, run_id: Segment) -> Result<Json<RunBody>, Problem> {
    let run_id = text(run_id);
    let found = app.registry.run(&run_id).await.map_err(|e| Problem::database(&e))?;
    found.map(|run| Json(run.into())).ok_or_else(|| problem(RegistryError::UnknownRun(run_id)))
}

/// Change a run
///
/// `pending` → `running` → `success` or `failed`, and every state → `archived`. When the transition is refused, nothing of
/// the request is applied. All other fields may change in any state.
#[utoipa::path(
    patch, path = "/registry/runs/{run_id}", tag = "registry",
    params(("run_id" = String, Path, description = "32 hex digits")),
    request_body = PatchBody,
    responses(
        (status = 200, description = "The run", body = RunBody),
        (status = 400, description = "`/errors/bad-request`: the transition is not allowed", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`/errors/not-found`: no run has this id", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`/errors/payload-too-large`: the body is larger than 16 MiB", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`/errors/validation`: the body does not fit", body = ProblemBody, content_type = "application/problem+json"),
        (status = 500, description = "`/errors/database`: the database failed", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn patch(
    State(app): State<Arc<App>>,
    run_id: Segment,
    JsonBody(body): JsonBody,
) -> Result<Json<RunBody>, Problem> {
    let patch = run_body::read_patch(&body).map_err(Problem::validation)?;
    let changed = app.registry.patch(&text(run_id), &patch).await.map_err(problem)?;
    Ok(Json(changed.into()))
}

/// Verify a run's artifact
///
/// Hashes the artifact anew and changes nothing. A mismatch is a finding, not an error.
#[utoipa::path(
    get, path = "/registry/runs/{run_id}/verify", tag = "registry",
    params(("run_id" = String, Path, description = "32 hex digits")),
    responses(
        (status = 200, description = "The hashes", body = VerificationBody),
        (status = 400, description = "`/errors/bad-request`: the run has no artifact or no hash, or the artifact lies outside the root", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`/errors/not-found`: no run has this id, or the artifact is missing", body = ProblemBody, content_type = "application/problem+json"),
        (status = 500, description = "`/errors/database` or `/errors/internal`: the database failed, or the artifact cannot be read", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn verify(State(app): State<Arc<App>>, run_id: Segment) -> Result<Json<VerificationBody>, Problem> {
    let found = app.registry.verify(&text(run_id)).await.map_err(problem)?;
    if !found.verified() {
        tracing::warn!(
            run_id = found.run_id,
            artifact_uri = found.artifact_uri,
            expected = found.stored_hash,
            found = found.computed_hash,
            "an artifact is not what was registered"
        );
    }
    Ok(Json(found.into()))
}

/// Give a name to a run
///
/// The run must be in `success`. A name that exists moves to it; an absent description becomes null then.
#[utoipa::path(
    post, path = "/registry/aliases", tag = "registry", request_body = AliasBody,
    responses(
        (status = 201, description = "The alias", body = AliasAnswer),
        (status = 400, description = "`/errors/bad-request`: the run is unknown or not successful", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`/errors/payload-too-large`: the body is larger than 16 MiB", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`/errors/validation`: the body does not fit", body = ProblemBody, content_type = "application/problem+json"),
        (status = 500, description = "`/errors/database`: the database failed", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn set_alias(
    State(app): State<Arc<App>>,
    JsonBody(body): JsonBody,
) -> Result<(StatusCode, Json<AliasAnswer>), Problem> {
    let alias = run_body::read_alias(&body).map_err(Problem::validation)?;
    let made = app.registry.set_alias(&alias).await.map_err(problem)?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// List aliases
#[utoipa::path(
    get, path = "/registry/aliases", tag = "registry",
    responses(
        (status = 200, description = "All of them, by name", body = Vec<AliasAnswer>),
        (status = 500, description = "`/errors/database`: the database failed", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn aliases(State(app): State<Arc<App>>) -> Result<Json<Vec<AliasAnswer>>, Problem> {
    let found = app.registry.aliases().await.map_err(|e| Problem::database(&e))?;
    Ok(Json(found.into_iter().map(AliasAnswer::from).collect()))
}

/// One alias
#[utoipa::path(
    get, path = "/registry/aliases/{alias_name}", tag = "registry",
    params(("alias_name" = String, Path, description = "The name")),
    responses(
        (status = 200, description = "The alias", body = AliasAnswer),
        (status = 404, description = "`/errors/not-found`: there is no such alias", body = ProblemBody, content_type = "application/problem+json"),
        (status = 500, description = "`/errors/database`: the database failed", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn alias(State(app): State<Arc<App>>, name: Segment) -> Result<Json<AliasAnswer>, Problem> {
    let found = app.registry.alias(&text(name)).await.map_err(problem)?;
    Ok(Json(found.into()))
}

/// Delete an alias
///
/// The run stays as it is.
#[utoipa::path(
    delete, path = "/registry/aliases/{alias_name}", tag = "registry",
    params(("alias_name" = String, Path, description = "The name")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "`/errors/not-found`: there is no such alias", body = ProblemBody, content_type = "application/problem+json"),
        (status = 500, description = "`/errors/database`: the database failed", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn delete_alias(State(app): State<Arc<App>>, name: Segment) -> Result<StatusCode, Problem> {
    app.registry.delete_alias(&text(name)).await.map_err(problem)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Compare two runs
///
/// Keys of both differences are in the order of code points. `feature_config` is not compared.
#[utoipa::path(
    get, path = "/registry/compare/{run_id_a}/{run_id_b}", tag = "registry",
    params(
        ("run_id_a" = String, Path, description = "32 hex digits"),
        ("run_id_b" = String, Path, description = "32 hex digits; may be the same"),
    ),
    responses(
        (status = 200, description = "Both runs and what differs", body = ComparisonBody),
        (status = 404, description = "`/errors/not-found`: one of the runs is unknown", body = ProblemBody, content_type = "application/problem+json"),
        (status = 500, description = "`/errors/database`: the database failed", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn compare(
    State(app): State<Arc<App>>,
    run_ids: Result<Path<(String, String)>, PathRejection>,
) -> Result<Json<ComparisonBody>, Problem> {
    let (a, b) = run_ids.map(|Path(ids)| ids).unwrap_or_default();
    let found = app.registry.compare(&a, &b).await.map_err(problem)?;
    Ok(Json(found.into()))
}

/// What is no UTF-8 is no id and no name, like the empty text.
fn text(segment: Segment) -> String {
    segment.map(|Path(text)| text).unwrap_or_default()
}

/// A refusal as a problem.
pub fn problem(error: RegistryError) -> Problem {
    let refused = |code| Problem::new(code, format!("{error}."));
    match &error {
        RegistryError::Duplicate(_) => refused(Code::Conflict),
        RegistryError::UnknownRun(_)
        | RegistryError::UnknownPair { .. }
        | RegistryError::MissingArtifact(_)
        | RegistryError::UnknownAlias(_) => refused(Code::NotFound),
        RegistryError::Transition { .. }
        | RegistryError::NoArtifact(_)
        | RegistryError::NoHash(_)
        | RegistryError::Outside(_)
        | RegistryError::AliasOfUnknown(_)
        | RegistryError::AliasOfUnsuccessful { .. } => refused(Code::BadRequest),
        RegistryError::Storage(_) => Problem::internal(&error),
        RegistryError::Database(cause) => Problem::database(cause),
    }
}
