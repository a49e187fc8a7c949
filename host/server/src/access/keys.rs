//! The keys of this database, remembered for a few seconds.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use tokio::sync::Mutex;

use super::key::{Issued, Key, Token};
use super::{Scope, store};

/// How long keys are remembered: a key that is revoked is refused after this time at the latest.
const REMEMBERED: Duration = Duration::from_secs(2);

/// Time between two reads.
const BREATH: Duration = Duration::from_millis(20);

/// A key to make.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// Who gets it: 1 to 100 characters.
    pub name: String,
    /// What it may do.
    pub scope: Scope,
    /// From when on it is no longer valid.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Why a token is not taken.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// No key has this id, or it is not this secret. Which of them is not told.
    #[error("the API key is unknown")]
    Unknown,
    /// It was valid.
    #[error("the API key {id} is {why}")]
    Over {
        /// Its id.
        id: String,
        /// `revoked` or `expired`.
        why: &'static str,
    },
    /// The keys cannot be read.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

type Known = Arc<HashMap<String, Arc<Key>>>;

/// See the module.
#[derive(Debug)]
pub struct Keys {
    pool: PgPool,
    remembered: Mutex<Option<(Instant, Known)>>,
}

impl Keys {
    /// Of this database.
    pub fn new(pool: PgPool) -> Self {
        Self { pool, remembered: Mutex::default() }
    }

    /// Makes a key.
    pub async fn create(&self, new: &NewKey) -> Result<Issued, sqlx::Error> {
        let token = Token::random();
        let key = store::insert(&self.pool, new, &token).await?;
        Ok(Issued { key, token })
    }

    /// All keys, oldest first, also those that are over.
    pub async fn all(&self) -> Result<Vec<Key>, sqlx::Error> {
        store::all(&self.pool).await
    }

    /// Withdraws a key; false when there is none of this id.
    pub async fn revoke(&self, id: &str) -> Result<bool, sqlx::Error> {
        store::revoke(&self.pool, id).await
    }

    /// The key that a token proves.
    pub async fn verify(&self, token: &Token) -> Result<Arc<Key>, KeysError> {
        let known = self.known(token.id()).await?;
        let key = known.get(token.id()).filter(|key| key.is_proven_by(token)).ok_or(KeysError::Unknown)?;
        match key.is_over(Utc::now()) {
            Some(why) => Err(KeysError::Over { id: key.id.clone(), why }),
            None => Ok(Arc::clone(key)),
        }
    }

    /// All keys by id, at most [`REMEMBERED`] old, and read again when this one is not among them: it may be new. One
    /// request reads them, those beside it wait.
    async fn known(&self, id: &str) -> Result<Known, sqlx::Error> {
        let mut remembered = self.remembered.lock().await;
        if let Some((read, known)) = &*remembered {
            let age = read.elapsed();
            if age < REMEMBERED && known.contains_key(id) {
                return Ok(Arc::clone(known));
            }
            // Whoever guesses ids cannot keep the database busy.
            tokio::time::sleep(BREATH.saturating_sub(age)).await;
        }
        let keys = store::all(&self.pool).await?;
        let known: Known = Arc::new(keys.into_iter().map(|key| (key.id.clone(), Arc::new(key))).collect());
        *remembered = Some((Instant::now(), Arc::clone(&known)));
        Ok(known)
    }
}
