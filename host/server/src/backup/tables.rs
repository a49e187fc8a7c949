//! The tables, as PostgreSQL copies them: text, a line per row.

use std::path::Path;

use futures::TryStreamExt;
use sqlx::{AssertSqlSafe, PgConnection};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufWriter};

use super::BackupError;

/// Every table with data of its own; what a row refers to comes before it.
pub const COPIED: [&str; 22] = [
    "store",
    "product",
    "calendar",
    "sales_daily",
    "sales_returns",
    "price_history",
    "promotion",
    "inventory_snapshot_daily",
    "replenishment_event",
    "exogenous_signal",
    "model_run",
    "deployment_alias",
    "job",
    "job_task",
    "job_chunk",
    "scenario_plan",
    "forecast_explanation",
    "document_source",
    "document_chunk",
    "app_config",
    "agent_session",
    "api_key",
];

/// Tables that are computed from the others, and the list of migrations.
pub const DERIVED: [&str; 4] =
    ["sales_by_store_day", "sales_by_product_day", "sales_stale_days", "_sqlx_migrations"];

/// Rows that hold secrets stay where they are.
const WITHOUT_SECRETS: &str = "where key not like '%api\\_key'";

/// Columns that are stored and not computed, in their order.
async fn columns(connection: &mut PgConnection, table: &str) -> Result<String, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select string_agg(quote_ident(attname), ', ' order by attnum) as "columns!" from pg_attribute
           where attrelid = $1::text::regclass and attnum > 0 and not attisdropped and attgenerated = ''"#,
        table
    )
    .fetch_one(connection)
    .await
}

/// Writes a table to a file; the number of its rows.
pub(super) async fn copy_out(
    connection: &mut PgConnection,
    table: &str,
    file: &Path,
) -> Result<u64, BackupError> {
    let columns = columns(connection, table).await?;
    let filter = if table == "app_config" { WITHOUT_SECRETS } else { "" };
    let statement = format!("copy (select {columns} from {table} {filter}) to stdout");
    let failed = |e| BackupError::File { path: file.to_owned(), source: e };
    let mut to = BufWriter::new(File::create_new(file).await.map_err(failed)?);
    let mut rows = 0;
    let mut pieces = connection.copy_out_raw(&statement).await?;
    while let Some(piece) = pieces.try_next().await? {
        // In this form a line feed within a value is written as two characters.
        rows += piece.iter().filter(|byte| **byte == b'\n').count() as u64;
        to.write_all(&piece).await.map_err(failed)?;
    }
    to.flush().await.map_err(failed)?;
    Ok(rows)
}

/// Reads a table from a file; the number of its rows.
pub(super) async fn copy_in(
    connection: &mut PgConnection,
    table: &str,
    file: &Path,
) -> Result<u64, BackupError> {
    let columns = columns(connection, table).await?;
    let failed = |e| BackupError::File { path: file.to_owned(), source: e };
    let mut from = File::open(file).await.map_err(failed)?;
    let mut copy = connection.copy_in_raw(&format!("copy {table} ({columns}) from stdin")).await?;
    let mut piece = vec![0; 1 << 20];
    loop {
        let read = from.read(&mut piece).await.map_err(failed)?;
        if read == 0 {
            return Ok(copy.finish().await?);
        }
        copy.send(&piece[..read]).await?;
    }
}

/// The first of the tables that has rows.
pub(super) async fn first_with_rows(
    connection: &mut PgConnection,
) -> Result<Option<&'static str>, sqlx::Error> {
    for table in COPIED {
        let asked = AssertSqlSafe(format!("select exists (select from {table})"));
        if sqlx::query_scalar::<_, bool>(asked).fetch_one(&mut *connection).await? {
            return Ok(Some(table));
        }
    }
    Ok(None)
}

/// Numbers that come next are beyond those that were restored.
pub(super) async fn continue_numbers(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let identities = sqlx::query!(
        r#"select c.relname::text as "table!", a.attname::text as "column!" from pg_attribute a join pg_class c on c.oid = a.attrelid
           where a.attidentity <> '' and c.relnamespace = current_schema()::regnamespace"#
    );
    for identity in identities.fetch_all(&mut *connection).await? {
        let (table, column) = (identity.table, identity.column);
        let next = format!(
            "select setval(pg_get_serial_sequence('{table}', '{column}'), coalesce(max({column}), 0) + 1, false) from {table}"
        );
        sqlx::query(AssertSqlSafe(next)).execute(&mut *connection).await?;
    }
    // A lease is never given twice: above all that tasks still show.
    let leases = sqlx::query_scalar!(
        r#"select setval('job_lease', coalesce(max(lease), 0) + 1, false) as "next!" from job_task"#
    );
    leases.fetch_one(connection).await.map(drop)
}
