//! Table `api_key`.

use chrono::{DateTime, Utc};
use sqlx::PgPool;

use super::key::{Key, Token};
use super::{NewKey, Scope};

/// A row as it is read.
struct Row {
    key_id: String,
    name: String,
    scope: String,
    secret_sha256: Vec<u8>,
    created_at: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
}

impl Row {
    fn key(self) -> Result<Key, sqlx::Error> {
        let odd = |what: &str| sqlx::Error::Decode(format!("api_key {}: {what}", self.key_id).into());
        let scope = Scope::named(&self.scope).ok_or_else(|| odd("its scope is unknown"))?;
        let sha256 = self.secret_sha256.try_into().map_err(|_| odd("its digest has not 32 bytes"))?;
        Ok(Key {
            id: self.key_id,
            name: self.name,
            scope,
            sha256,
            created_at: self.created_at,
            expires_at: self.expires_at,
            revoked_at: self.revoked_at,
        })
    }
}

/// All keys, oldest first.
pub(super) async fn all(pool: &PgPool) -> Result<Vec<Key>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        "select key_id, name, scope, secret_sha256, created_at, expires_at, revoked_at
         from api_key order by created_at, key_id"
    );
    rows.fetch_all(pool).await?.into_iter().map(Row::key).collect()
}

/// Keeps a new key.
pub(super) async fn insert(pool: &PgPool, new: &NewKey, token: &Token) -> Result<Key, sqlx::Error> {
    let row = sqlx::query_as!(
        Row,
        "insert into api_key (key_id, name, scope, secret_sha256, expires_at) values ($1, $2, $3, $4, $5)
         returning key_id, name, scope, secret_sha256, created_at, expires_at, revoked_at",
        token.id(),
        new.name,
        new.scope.name(),
        &token.sha256(),
        new.expires_at
    );
    row.fetch_one(pool).await?.key()
}

/// Withdraws a key; false when there is none of this id. One that was withdrawn stays so.
pub(super) async fn revoke(pool: &PgPool, id: &str) -> Result<bool, sqlx::Error> {
    let done =
        sqlx::query!("update api_key set revoked_at = coalesce(revoked_at, now()) where key_id = $1", id);
    Ok(done.execute(pool).await?.rows_affected() > 0)
}
