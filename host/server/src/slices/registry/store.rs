//! Runs and aliases in the database.

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Map, Value};
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{FromRow, PgConnection, PgPool, Postgres, QueryBuilder, Row};

use super::run::{AgentContext, Alias, NewAlias, NewRun, Run, RunPatch};
use super::service::{Listing, RunPage};
use super::status::Status;

/// Something to order by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order(&'static str);

/// By what runs may be ordered. Text by code point: results do not depend on the database's locale.
pub const RUN_ORDERS: &[(&str, Order)] = &[
    ("created_at", Order("created_at")),
    ("model_type", Order(r#"model_type collate "C""#)),
    ("status", Order(r#"status collate "C""#)),
    ("store_id", Order("store_id")),
    ("product_id", Order("product_id")),
];

const COLUMNS: &str = "run_id, status, model_type, model_config, feature_config, config_hash, data_window_start, \
    data_window_end, store_id, product_id, metrics, artifact_uri, artifact_hash, artifact_size_bytes, runtime_info, \
    agent_context, git_sha, error_message, started_at, completed_at, created_at, updated_at";

type Object = Map<String, Value>;

impl FromRow<'_, PgRow> for Run {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let json =
            |column| Ok::<_, sqlx::Error>(row.try_get::<Option<Json<Object>>, _>(column)?.map(|json| json.0));
        Ok(Self {
            run_id: row.try_get("run_id")?,
            status: row.try_get("status")?,
            model_type: row.try_get("model_type")?,
            model_config: row.try_get::<Json<Object>, _>("model_config")?.0,
            feature_config: json("feature_config")?,
            config_hash: row.try_get("config_hash")?,
            data_window_start: row.try_get("data_window_start")?,
            data_window_end: row.try_get("data_window_end")?,
            store_id: row.try_get("store_id")?,
            product_id: row.try_get("product_id")?,
            metrics: json("metrics")?,
            artifact_uri: row.try_get("artifact_uri")?,
            artifact_hash: row.try_get("artifact_hash")?,
            artifact_size_bytes: row.try_get("artifact_size_bytes")?,
            runtime_info: json("runtime_info")?,
            agent_context: row.try_get::<Option<Json<AgentContext>>, _>("agent_context")?.map(|json| json.0),
            git_sha: row.try_get("git_sha")?,
            error_message: row.try_get("error_message")?,
            started_at: row.try_get("started_at")?,
            completed_at: row.try_get("completed_at")?,
            created_at: row.try_get("created_at")?,
            updated_at: row.try_get("updated_at")?,
        })
    }
}

/// What makes a run a duplicate of another.
#[derive(Debug, Clone, Copy)]
pub(super) struct DuplicateKey<'a> {
    pub(super) config_hash: &'a str,
    pub(super) store_id: i32,
    pub(super) product_id: i32,
    pub(super) start: NaiveDate,
    pub(super) end: NaiveDate,
}

/// Until the transaction ends, whoever registers a run with this key waits here.
pub(super) async fn lock(connection: &mut PgConnection, key: DuplicateKey<'_>) -> sqlx::Result<()> {
    let DuplicateKey { config_hash, store_id, product_id, start, end } = key;
    let text = format!("model_run {config_hash} {store_id} {product_id} {start} {end}");
    // Two keys with one hash only wait for each other.
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended($1, 0))", text).execute(connection).await?;
    Ok(())
}

/// The newest run with this key that is not put away.
pub(super) async fn duplicate(
    connection: &mut PgConnection,
    key: DuplicateKey<'_>,
) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!(
        "select run_id from model_run
         where config_hash = $1 and store_id = $2 and product_id = $3
           and data_window_start = $4 and data_window_end = $5 and status <> 'archived'
         order by created_at desc, id desc limit 1",
        key.config_hash,
        key.store_id,
        key.product_id,
        key.start,
        key.end,
    )
    .fetch_optional(connection)
    .await
}

/// Inserts a run in `pending`.
pub(super) async fn insert(
    connection: &mut PgConnection,
    run_id: &str,
    config_hash: &str,
    run: &NewRun,
    runtime_info: &Object,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into model_run (run_id, model_type, model_config, feature_config, config_hash, data_window_start,
             data_window_end, store_id, product_id, runtime_info, agent_context, git_sha)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        run_id,
        run.model_type,
        Json(&run.model_config) as _,
        run.feature_config.as_ref().map(Json) as _,
        config_hash,
        run.data_window_start,
        run.data_window_end,
        run.store_id,
        run.product_id,
        Json(runtime_info) as _,
        run.agent_context.as_ref().map(Json) as _,
        run.git_sha,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Those of the runs that exist, as of one moment.
pub(super) async fn runs<'e>(
    executor: impl sqlx::PgExecutor<'e>,
    run_ids: &[&str],
) -> sqlx::Result<Vec<Run>> {
    let mut query =
        QueryBuilder::<Postgres>::new(format!("select {COLUMNS} from model_run where run_id = any("));
    query.push_bind(run_ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>()).push(")");
    query.build_query_as().fetch_all(executor).await
}

/// A page and the number of all runs that fit, in one statement: both are of the same moment.
pub(super) async fn page(pool: &PgPool, listing: &Listing<'_>) -> sqlx::Result<RunPage> {
    let mut query = QueryBuilder::new(format!("select {COLUMNS}, count(*) over () as total from model_run"));
    filter(&mut query, listing);
    query.push(" order by ");
    if let Some(Order(column)) = listing.sorting.by {
        let direction = if listing.sorting.descending { "desc" } else { "asc" };
        query.push(format!("{column} {direction}, "));
    }
    query.push(r#"created_at desc, run_id collate "C""#);
    query.push(" limit ").push_bind(listing.paging.page_size);
    query.push(" offset ").push_bind(listing.paging.offset());
    let rows = query.build().fetch_all(pool).await?;
    let total = match rows.first() {
        Some(row) => row.try_get("total")?,
        // Past the end no row is there to carry the number.
        None if listing.paging.page > 1 => count(pool, listing).await?,
        None => 0,
    };
    let runs = rows.iter().map(Run::from_row).collect::<Result<_, _>>()?;
    Ok(RunPage { runs, total })
}

async fn count(pool: &PgPool, listing: &Listing<'_>) -> sqlx::Result<i64> {
    let mut query = QueryBuilder::new("select count(*) from model_run");
    filter(&mut query, listing);
    query.build_query_scalar().fetch_one(pool).await
}

fn filter(query: &mut QueryBuilder<Postgres>, listing: &Listing<'_>) {
    query.push(" where true");
    if let Some(model_type) = listing.model_type {
        query.push(" and model_type = ").push_bind(model_type.to_owned());
    }
    if let Some(status) = listing.status {
        query.push(" and status = ").push_bind(status.name());
    }
    for (column, key) in [("store_id", listing.store_id), ("product_id", listing.product_id)] {
        if let Some(key) = key {
            query.push(format!(" and {column} = ")).push_bind(key);
        }
    }
}

/// Where a run stands. Nobody else changes it until the transaction ends.
pub(super) async fn lock_status(connection: &mut PgConnection, run_id: &str) -> sqlx::Result<Option<Status>> {
    sqlx::query_scalar!(
        r#"select status as "status: Status" from model_run where run_id = $1 for update"#,
        run_id
    )
    .fetch_optional(connection)
    .await
}

/// Changes what is given.
pub(super) async fn update(
    connection: &mut PgConnection,
    run_id: &str,
    patch: &RunPatch,
) -> sqlx::Result<()> {
    // Of the moment, not of the transaction's begin: it may have waited for the lock.
    let now =
        sqlx::query_scalar!(r#"select clock_timestamp() as "now!""#).fetch_one(&mut *connection).await?;
    let entered = |states: &[Status]| patch.status.filter(|status| states.contains(status)).map(|_| now);
    let started_at: Option<DateTime<Utc>> = entered(&[Status::Running]);
    let completed_at: Option<DateTime<Utc>> = entered(&[Status::Success, Status::Failed]);
    sqlx::query!(
        "update model_run set
             status = coalesce($2, status), metrics = coalesce($3, metrics),
             artifact_uri = coalesce($4, artifact_uri), artifact_hash = coalesce($5, artifact_hash),
             artifact_size_bytes = coalesce($6, artifact_size_bytes),
             error_message = coalesce($7, error_message), started_at = coalesce($8, started_at),
             completed_at = coalesce($9, completed_at), updated_at = $10
         where run_id = $1",
        run_id,
        patch.status.map(Status::name),
        patch.metrics.as_ref().map(Json) as _,
        patch.artifact_uri,
        patch.artifact_hash,
        patch.artifact_size_bytes,
        patch.error_message,
        started_at,
        completed_at,
        now,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The key and state of a run. It stays in that state until the transaction ends.
pub(super) async fn hold(connection: &mut PgConnection, run_id: &str) -> sqlx::Result<Option<(i32, Status)>> {
    let found = sqlx::query!(
        r#"select id, status as "status: Status" from model_run where run_id = $1 for share"#,
        run_id
    )
    .fetch_optional(connection)
    .await?;
    Ok(found.map(|row| (row.id, row.status)))
}

/// Gives a name to the run with this key.
pub(super) async fn set_alias(connection: &mut PgConnection, alias: &NewAlias, run: i32) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into deployment_alias (alias_name, run_id, description) values ($1, $2, $3)
         on conflict (alias_name) do update
         set run_id = excluded.run_id, description = excluded.description, updated_at = clock_timestamp()",
        alias.alias_name,
        run,
        alias.description,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The names, all or the given one.
pub(super) async fn aliases<'e>(
    executor: impl sqlx::PgExecutor<'e>,
    name: Option<&str>,
) -> sqlx::Result<Vec<Alias>> {
    sqlx::query_as!(
        Alias,
        r#"select alias_name, model_run.run_id, status as "run_status: Status", model_type, description,
               deployment_alias.created_at, deployment_alias.updated_at
           from deployment_alias join model_run on model_run.id = deployment_alias.run_id
           where $1::text is null or alias_name = $1
           order by alias_name collate "C""#,
        name
    )
    .fetch_all(executor)
    .await
}

/// Whether there was such a name.
pub(super) async fn delete_alias(pool: &PgPool, name: &str) -> sqlx::Result<bool> {
    let done = sqlx::query!("delete from deployment_alias where alias_name = $1", name).execute(pool).await?;
    Ok(done.rows_affected() > 0)
}
