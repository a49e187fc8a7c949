//! Embedding providers: texts in, vectors out.

pub mod openai;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::{Error, Info};

use crate::embedding_bindings::exports::retailcast::plugin::embedder as wit;
pub use wit::{Limits, Purpose, Remedy};

impl PartialEq for Remedy {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::None, Self::None) | (Self::OtherKey, Self::OtherKey) => true,
            (Self::Pause(a), Self::Pause(b)) => a == b,
            _ => false,
        }
    }
}

/// Why there are no vectors.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// What happened.
    pub error: Error,
    /// What may help.
    pub remedy: Remedy,
}

impl Failure {
    /// The service failed, and will again.
    pub fn upstream(message: impl Into<String>) -> Self {
        Self { error: Error::new(crate::ErrorCode::Upstream, message), remedy: Remedy::None }
    }

    /// The same failure, which this may help.
    #[must_use]
    pub fn helped_by(self, remedy: Remedy) -> Self {
        Self { remedy, ..self }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { error, remedy: Remedy::None }
    }
}

/// An embedding provider.
pub trait EmbeddingProvider: 'static {
    /// The configuration. The host writes it from its own settings: `dimension` for all, `base_url` and `model` for
    /// those that ask a service.
    type Config: DeserializeOwned + JsonSchema;
    /// Name, version, licence.
    const INFO: Info;

    /// What the provider can do under this configuration.
    fn limits(config: &Self::Config) -> Result<Limits, Error>;
    /// One vector per text, one after the other.
    fn embed(config: &Self::Config, purpose: Purpose, texts: &[String]) -> Result<Vec<f32>, Failure>;
}

/// What [`export!`](crate::export) asks of a type.
#[doc(hidden)]
pub fn is_an_embedding_provider<P: EmbeddingProvider>() {}

fn parse<P: EmbeddingProvider>(config: &str) -> Result<P::Config, Error> {
    serde_json::from_str(config)
        .map_err(|e| Error::invalid_config(format!("the configuration does not fit: {e}")))
}

/// `limits-of`.
#[doc(hidden)]
pub fn limits<P: EmbeddingProvider>(config: &str) -> Result<Limits, crate::component::WitError> {
    Ok(P::limits(&parse::<P>(config)?)?)
}

/// `embed`.
#[doc(hidden)]
pub fn embed<P: EmbeddingProvider>(
    config: &str,
    purpose: Purpose,
    texts: &[String],
) -> Result<Vec<f32>, wit::Failure> {
    let vectors =
        parse::<P>(config).map_err(Failure::from).and_then(|config| P::embed(&config, purpose, texts));
    vectors.map_err(|failure| wit::Failure { error: failure.error.into(), remedy: failure.remedy })
}

/// Exports an [`EmbeddingProvider`] as a component. One per crate.
#[doc(hidden)]
#[macro_export]
macro_rules! __export_embedding_provider {
    ($provider:ty) => {
        // Also natively, where there are no exports: what is wrong is said by the first `cargo check`.
        const _: fn() = $crate::embedding::is_an_embedding_provider::<$provider>;

        // Only a component has exports; natively the provider is tested through its trait.
        #[cfg(target_arch = "wasm32")]
        #[allow(unsafe_code, missing_docs, clippy::all)]
        mod component_exports {
            use super::*;

            struct Component;

            impl $crate::description_bindings::exports::retailcast::plugin::plugin::Guest for Component {
                fn describe() -> $crate::component::WitDescription {
                    $crate::component::describe_configured::<
                        <$provider as $crate::embedding::EmbeddingProvider>::Config,
                    >(
                        &<$provider as $crate::embedding::EmbeddingProvider>::INFO,
                        $crate::component::WitKind::EmbeddingProvider,
                    )
                }
            }

            impl $crate::embedding_bindings::exports::retailcast::plugin::embedder::Guest for Component {
                fn limits_of(
                    config: String,
                ) -> Result<$crate::embedding::Limits, $crate::component::WitError> {
                    $crate::embedding::limits::<$provider>(&config)
                }
                fn embed(
                    config: String,
                    purpose: $crate::embedding::Purpose,
                    texts: Vec<String>,
                ) -> Result<
                    Vec<f32>,
                    $crate::embedding_bindings::exports::retailcast::plugin::embedder::Failure,
                > {
                    $crate::embedding::embed::<$provider>(&config, purpose, &texts)
                }
            }

            $crate::description_bindings::export_description!(Component with_types_in $crate::description_bindings);
            $crate::embedding_bindings::export_embedder!(Component with_types_in $crate::embedding_bindings);
        }
    };
}
