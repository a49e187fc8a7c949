//! Changed settings in the database.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sqlx::{PgConnection, PgPool};

use crate::jobs::SETTINGS_CHANNEL;

/// Until the transaction ends, whoever changes settings waits here.
pub(super) async fn lock(connection: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended('app_config', 0))")
        .execute(connection)
        .await?;
    Ok(())
}

/// All values by name; a row of another form than `{"v": scalar}` is null.
pub(super) async fn read(connection: &mut PgConnection) -> sqlx::Result<BTreeMap<String, Value>> {
    let rows = sqlx::query!(r#"select key, value -> 'v' as "value: Value" from app_config"#);
    let rows = rows.fetch_all(connection).await?;
    Ok(rows.into_iter().map(|row| (row.key, row.value.unwrap_or_default())).collect())
}

/// The same on a connection of its own.
pub(super) async fn read_now(pool: &PgPool) -> sqlx::Result<BTreeMap<String, Value>> {
    read(&mut *pool.acquire().await?).await
}

/// Writes values and tells all processes, once the transaction is committed.
pub(super) async fn write(
    connection: &mut PgConnection,
    values: &BTreeMap<&'static str, Value>,
) -> sqlx::Result<()> {
    for (name, value) in values {
        sqlx::query!(
            "insert into app_config (key, value, updated_at) values ($1, $2, clock_timestamp())
             on conflict (key) do update set value = excluded.value, updated_at = excluded.updated_at",
            name,
            json!({"v": value}),
        )
        .execute(&mut *connection)
        .await?;
    }
    sqlx::query!("select pg_notify($1, '')", SETTINGS_CHANNEL).execute(connection).await?;
    Ok(())
}
