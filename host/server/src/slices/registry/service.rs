//! The registry.

use std::sync::Arc;

use retailcast_core::hash::free_form_hash;
use retailcast_runtime::Catalogue;
use serde_json::Value;
use sqlx::PgPool;

use super::compare::Comparison;
use super::error::RegistryError;
use super::run::{Alias, NewAlias, NewRun, Run, RunPatch};
use super::runtime_info;
use super::status::Status;
use super::store::{self, DuplicateKey, Order};
use crate::artifacts::{Object, Storage, StorageError};
use crate::config::DuplicatePolicy;
use crate::http::query::{Paging, Sorting};

/// Which runs, in which order, which page of them.
#[derive(Debug, Clone, Copy)]
pub struct Listing<'a> {
    /// Exactly this model type.
    pub model_type: Option<&'a str>,
    /// In this state.
    pub status: Option<Status>,
    /// Of this store.
    pub store_id: Option<i32>,
    /// Of this product.
    pub product_id: Option<i32>,
    /// The order; the newest first by default.
    pub sorting: Sorting<Order>,
    /// The page.
    pub paging: Paging,
}

/// A page of runs.
#[derive(Debug, Clone)]
pub struct RunPage {
    /// Its rows.
    pub runs: Vec<Run>,
    /// Rows of all pages.
    pub total: i64,
}

/// What the artifact of a run looks like now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// The run.
    pub run_id: String,
    /// Its artifact.
    pub artifact_uri: String,
    /// The hash as registered.
    pub stored_hash: String,
    /// The hash of the bytes, lower-case hex.
    pub computed_hash: String,
}

impl Verification {
    /// Whether it is what was registered.
    pub fn verified(&self) -> bool {
        self.stored_hash.eq_ignore_ascii_case(&self.computed_hash)
    }
}

/// An artifact that was put below the root: what a run records of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredArtifact {
    /// Relative to the root.
    pub uri: String,
    /// SHA-256 of what can be read back, lower-case hex.
    pub sha256: String,
    /// Bytes.
    pub size_bytes: i64,
}

/// Training runs and aliases.
#[derive(Debug, Clone)]
pub struct Registry {
    pool: PgPool,
    artifacts: Storage,
    catalogue: Arc<Catalogue>,
    duplicates: DuplicatePolicy,
}

impl Registry {
    /// Puts the parts together.
    pub fn new(
        pool: PgPool,
        artifacts: Storage,
        catalogue: Arc<Catalogue>,
        duplicates: DuplicatePolicy,
    ) -> Self {
        Self { pool, artifacts, catalogue, duplicates }
    }

    /// Registers a run in `pending`.
    pub async fn create(&self, run: &NewRun) -> Result<Run, RegistryError> {
        let config_hash = free_form_hash(&Value::Object(run.model_config.clone()));
        let mut info = runtime_info::describe(&self.catalogue, &run.model_type);
        info.extend(run.runtime_info_extras.clone().unwrap_or_default());
        let run_id = uuid::Uuid::new_v4().simple().to_string();
        let key = DuplicateKey {
            config_hash: &config_hash,
            store_id: run.store_id,
            product_id: run.product_id,
            start: run.data_window_start,
            end: run.data_window_end,
        };
        let mut transaction = self.pool.begin().await?;
        match self.duplicates {
            DuplicatePolicy::Allow => {}
            DuplicatePolicy::Detect => {
                if let Some(existing) = store::duplicate(&mut transaction, key).await? {
                    tracing::warn!(run_id, existing, "the run was registered before");
                }
            }
            DuplicatePolicy::Deny => {
                store::lock(&mut transaction, key).await?;
                if let Some(existing) = store::duplicate(&mut transaction, key).await? {
                    return Err(RegistryError::Duplicate(existing));
                }
            }
        }
        store::insert(&mut transaction, &run_id, &config_hash, run, &info).await?;
        let made = one(store::runs(&mut *transaction, &[&run_id]).await?, &run_id)?;
        transaction.commit().await?;
        Ok(made)
    }

    /// A page of runs.
    pub async fn runs(&self, listing: &Listing<'_>) -> sqlx::Result<RunPage> {
        store::page(&self.pool, listing).await
    }

    /// One run; any text may be asked for.
    pub async fn run(&self, run_id: &str) -> sqlx::Result<Option<Run>> {
        if !is_run_id(run_id) {
            return Ok(None);
        }
        Ok(store::runs(&self.pool, &[run_id]).await?.pop())
    }

    /// Changes a run: all of the patch or nothing.
    pub async fn patch(&self, run_id: &str, patch: &RunPatch) -> Result<Run, RegistryError> {
        if *patch == RunPatch::default() {
            return self.known(run_id).await;
        }
        let unknown = || RegistryError::UnknownRun(run_id.to_owned());
        if !is_run_id(run_id) {
            return Err(unknown());
        }
        let mut transaction = self.pool.begin().await?;
        let from = store::lock_status(&mut transaction, run_id).await?.ok_or_else(unknown)?;
        if let Some(to) = patch.status.filter(|to| !from.successors().contains(to)) {
            return Err(RegistryError::Transition { from, to });
        }
        store::update(&mut transaction, run_id, patch).await?;
        let changed = one(store::runs(&mut *transaction, &[run_id]).await?, run_id)?;
        transaction.commit().await?;
        Ok(changed)
    }

    /// Hashes the artifact of a run anew.
    pub async fn verify(&self, run_id: &str) -> Result<Verification, RegistryError> {
        let run = self.known(run_id).await?;
        let artifact_uri = run.artifact_uri.ok_or_else(|| RegistryError::NoArtifact(run.run_id.clone()))?;
        let stored_hash = run.artifact_hash.ok_or_else(|| RegistryError::NoHash(run.run_id.clone()))?;
        let object = self.artifact(&artifact_uri).await?;
        let found = self.artifacts.fingerprint(&object).await.map_err(|e| storage_error(e, &artifact_uri))?;
        Ok(Verification { run_id: run.run_id, artifact_uri, stored_hash, computed_hash: found.sha256 })
    }

    /// Puts an artifact below the root, where nothing is overwritten, and hashes what is there now.
    pub async fn store_artifact(&self, uri: &str, bytes: Vec<u8>) -> Result<StoredArtifact, RegistryError> {
        let failed = |e| storage_error(e, uri);
        let object = self.artifact(uri).await?;
        self.artifacts.create(&object, bytes).await.map_err(failed)?;
        let found = self.artifacts.fingerprint(&object).await.map_err(failed)?;
        Ok(StoredArtifact { uri: uri.to_owned(), sha256: found.sha256, size_bytes: found.size as i64 })
    }

    /// The bytes of an artifact.
    pub async fn read_artifact(&self, uri: &str) -> Result<Vec<u8>, RegistryError> {
        let object = self.artifact(uri).await?;
        self.artifacts.read(&object, <[u8]>::to_vec).await.map_err(|e| storage_error(e, uri))
    }

    async fn artifact(&self, uri: &str) -> Result<Object, RegistryError> {
        let target = self.artifacts.target_below(uri).await.map_err(RegistryError::Storage)?;
        target.object.ok_or_else(|| RegistryError::Outside(uri.to_owned()))
    }

    /// What differs between two runs.
    pub async fn compare(&self, a: &str, b: &str) -> Result<Comparison, RegistryError> {
        let ids: Vec<&str> = [a, b].into_iter().filter(|id| is_run_id(id)).collect();
        let found = store::runs(&self.pool, &ids).await?;
        let run = |id: &str| found.iter().find(|run| run.run_id == id).cloned();
        match (run(a), run(b)) {
            (Some(a), Some(b)) => Ok(Comparison::of(a, b)),
            (found_a, _) => Err(RegistryError::UnknownPair {
                a: a.to_owned(),
                b: b.to_owned(),
                missing: if found_a.is_none() { a } else { b }.to_owned(),
            }),
        }
    }

    /// Gives a name to a successful run; a name that exists moves.
    pub async fn set_alias(&self, alias: &NewAlias) -> Result<Alias, RegistryError> {
        let unknown = || RegistryError::AliasOfUnknown(alias.run_id.clone());
        if !is_run_id(&alias.run_id) {
            return Err(unknown());
        }
        let mut transaction = self.pool.begin().await?;
        let (run, status) = store::hold(&mut transaction, &alias.run_id).await?.ok_or_else(unknown)?;
        if status != Status::Success {
            return Err(RegistryError::AliasOfUnsuccessful { run_id: alias.run_id.clone(), status });
        }
        store::set_alias(&mut transaction, alias, run).await?;
        let made = store::aliases(&mut *transaction, Some(&alias.alias_name)).await?.pop();
        transaction.commit().await?;
        made.ok_or(RegistryError::Database(sqlx::Error::RowNotFound))
    }

    /// All names, in the order of code points.
    pub async fn aliases(&self) -> sqlx::Result<Vec<Alias>> {
        store::aliases(&self.pool, None).await
    }

    /// One name; any text may be asked for.
    pub async fn alias(&self, name: &str) -> Result<Alias, RegistryError> {
        let found =
            if is_alias_name(name) { store::aliases(&self.pool, Some(name)).await?.pop() } else { None };
        found.ok_or_else(|| RegistryError::UnknownAlias(name.to_owned()))
    }

    /// Forgets a name; the run stays.
    pub async fn delete_alias(&self, name: &str) -> Result<(), RegistryError> {
        if is_alias_name(name) && store::delete_alias(&self.pool, name).await? {
            return Ok(());
        }
        Err(RegistryError::UnknownAlias(name.to_owned()))
    }

    async fn known(&self, run_id: &str) -> Result<Run, RegistryError> {
        self.run(run_id).await?.ok_or_else(|| RegistryError::UnknownRun(run_id.to_owned()))
    }
}

fn one(mut runs: Vec<Run>, run_id: &str) -> Result<Run, RegistryError> {
    runs.pop().ok_or_else(|| RegistryError::UnknownRun(run_id.to_owned()))
}

fn storage_error(error: StorageError, uri: &str) -> RegistryError {
    match error {
        StorageError::Missing(_) => RegistryError::MissingArtifact(uri.to_owned()),
        error => RegistryError::Storage(error),
    }
}

/// Whether a text can be the id of a run. What cannot is not asked of the database, which knows no NUL.
fn is_run_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// Whether a text can be a name: `^[a-z0-9][a-z0-9\-_]*$`.
pub(super) fn is_alias_name(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    text.bytes().next().is_some_and(plain) && text.bytes().all(|b| plain(b) || matches!(b, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_names() {
        assert!(is_run_id("7be0c1d2f3a44e5f8a9b0c1d2e3f4a5b"));
        for text in ["", "7be0", "7BE0C1D2F3A44E5F8A9B0C1D2E3F4A5B", "7be0c1d2f3a44e5f8a9b0c1d2e3f4a5\0"] {
            assert!(!is_run_id(text), "{text:?}");
        }
        for text in ["a", "0", "prod-2_b", "a-", "a_"] {
            assert!(is_alias_name(text), "{text:?}");
        }
        for text in ["", "-a", "_a", "A", "a b", "a\n", "ä", "a\0"] {
            assert!(!is_alias_name(text), "{text:?}");
        }
    }
}
