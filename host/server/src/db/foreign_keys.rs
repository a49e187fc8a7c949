//! Foreign keys of bulk writes, checked in sets instead of row by row (`docs/decisions/foreign-keys-in-sets.md`).

use sqlx::PgConnection;

/// Runs a write without the lookups that PostgreSQL does for every foreign key of every row: they take two thirds of
/// a bulk load. The caller has made sure that all rows referred to exist, and holds them `for key share` until the
/// transaction ends, which is the very lock that the lookups would take. Checks and unique keys hold in any case, and
/// triggers that must see the rows are `enable always`.
///
/// Where the role may not (`grant set on parameter session_replication_role`), the write runs as usual.
pub(crate) async fn left_out<T>(
    connection: &mut PgConnection,
    write: impl AsyncFnOnce(&mut PgConnection) -> sqlx::Result<T>,
) -> sqlx::Result<T> {
    let off = sqlx::query!(
        "select set_config('session_replication_role', 'replica', true)
         where has_parameter_privilege('session_replication_role', 'SET')"
    )
    .fetch_optional(&mut *connection)
    .await?
    .is_some();
    let written = write(&mut *connection).await?;
    if off {
        sqlx::query!("set local session_replication_role = origin").execute(connection).await?;
    }
    Ok(written)
}
