//! Files: what registered runs point at, and the fitted models.

use super::{Check, Finding, Place};
use crate::artifacts::{Bundle, EXTENSION, Storage, StorageError};

/// Both checks.
pub(super) async fn findings(place: &Place<'_>) -> Result<Vec<Finding>, sqlx::Error> {
    Ok(vec![
        Finding::of(ARTIFACTS, artifacts(place).await?),
        Finding::of(MODELS, models(place.models).await),
        Finding::of(LEFTOVERS, leftovers(place.models).await),
    ])
}

const ARTIFACTS: Check = Check {
    id: "registry.artifacts",
    holds: "Every artifact that a successful run names is there, with the hash and the size of its registration.",
    mend: "Put the file back from a backup, or archive the run.",
};

async fn artifacts(place: &Place<'_>) -> Result<Vec<String>, sqlx::Error> {
    let runs = sqlx::query!(
        r#"select run_id, artifact_uri as "uri!", artifact_hash, artifact_size_bytes from model_run
           where status = 'success' and artifact_uri is not null order by run_id"#
    );
    let mut broken = Vec::new();
    for run in runs.fetch_all(place.pool).await? {
        if let Err(why) =
            verify(place.registry, &run.uri, run.artifact_hash.as_deref(), run.artifact_size_bytes).await
        {
            broken.push(format!("run {}: {}: {why}", run.run_id, run.uri));
        }
    }
    Ok(broken)
}

async fn verify(storage: &Storage, uri: &str, hash: Option<&str>, size: Option<i64>) -> Result<(), String> {
    let told = |e: StorageError| e.to_string();
    let target = storage.target_below(uri).await.map_err(told)?;
    let object = target.object.ok_or("it is outside the root of artifacts")?;
    let found = storage.fingerprint(&object).await.map_err(told)?;
    if let Some(hash) = hash.filter(|hash| **hash != *found.sha256) {
        return Err(format!("its SHA-256 is {}, registered is {hash}", found.sha256));
    }
    match size.and_then(|size| u64::try_from(size).ok()).filter(|size| *size != found.size) {
        Some(size) => Err(format!("it has {} bytes, registered are {size}", found.size)),
        None => Ok(()),
    }
}

const MODELS: Check = Check {
    id: "models.files",
    holds: "Every model file can be read and is as it was written.",
    mend: "Put the file back from a backup, or delete it and train again.",
};

async fn models(storage: &Storage) -> Vec<String> {
    let names = match storage.names().await {
        Ok(names) => names,
        Err(e) => return vec![e.to_string()],
    };
    let mut broken = Vec::new();
    for name in names.iter().filter(|name| is_model(name)) {
        let read = async {
            let object = storage.object(name).await.map_err(|e| e.to_string())?;
            let decode = |bytes: &[u8]| Bundle::decode(bytes).map(drop).map_err(|e| e.to_string());
            storage.read(&object, decode).await.map_err(|e| e.to_string())?
        };
        if let Err(why) = read.await {
            broken.push(format!("{name}: {why}"));
        }
    }
    broken
}

const LEFTOVERS: Check = Check {
    id: "models.leftovers",
    holds: "No unfinished file lies among the model files.",
    mend: "A program was killed while it wrote. Delete these files; no model points at them.",
};

/// A listing that fails is told by the check before.
async fn leftovers(storage: &Storage) -> Vec<String> {
    let names = storage.names().await.unwrap_or_default();
    // What is written waits under the name of the file with a # and a number behind.
    names.into_iter().filter(|name| name.contains(&format!(".{EXTENSION}#"))).collect()
}

fn is_model(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, extension)| extension == EXTENSION)
}
