//! The artifact of a registered run, as the model that it should be.

use sha2::{Digest, Sha256};

use super::error::ExplainError;
use super::service::{Explanations, Request};
use crate::artifacts::{Bundle, run_id};
use crate::slices::registry::RegistryError;

impl Explanations {
    /// Reads the model that an artifact holds: below the registry's root, or else where training left it, which has the
    /// same name. What was registered with a hash must still have it.
    pub(super) async fn artifact(&self, uri: &str, hash: Option<&str>) -> Result<Bundle, ExplainError> {
        let refused = |reason: String| ExplainError::Artifact { uri: uri.to_owned(), reason };
        let bytes = match self.registry.read_artifact(uri).await {
            Ok(bytes) => Some(bytes),
            Err(RegistryError::MissingArtifact(_)) => match run_id(uri) {
                Some(key) => self.forecasting.kept_file(key).await?,
                None => None,
            },
            Err(error @ RegistryError::Outside(_)) => return Err(refused(error.to_string())),
            Err(error) => return Err(ExplainError::Registry(error)),
        };
        let bytes = bytes.ok_or_else(|| refused("it is gone; register a trained model again".to_owned()))?;
        let found = hex::encode(Sha256::digest(&bytes));
        if let Some(registered) = hash.filter(|registered| !registered.eq_ignore_ascii_case(&found)) {
            return Err(refused(format!("it has SHA-256 {found}, registered is {registered}")));
        }
        Bundle::decode(&bytes).map_err(|error| refused(format!("the file {error}")))
    }
}

/// Whether a model file is the one that a forecast says that it was made from.
pub(super) fn check(bundle: &Bundle, request: &Request) -> Result<(), ExplainError> {
    let metadata = &bundle.metadata;
    for (what, trained, told) in [
        ("model type", bundle.plugin.name.clone(), request.model_type.clone()),
        ("store", metadata.store_id.to_string(), request.store_id.to_string()),
        ("product", metadata.product_id.to_string(), request.product_id.to_string()),
        (
            "sales up to",
            metadata.train_end_date.clone().unwrap_or_else(|| "no day that it names".to_owned()),
            request.as_of.to_string(),
        ),
    ] {
        if trained != told {
            return Err(ExplainError::OtherModel { what, trained, told });
        }
    }
    Ok(())
}
