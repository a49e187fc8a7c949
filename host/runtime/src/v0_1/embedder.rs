//! An embedding provider of contract 0.1 behind the host's trait.

use std::sync::{Mutex, MutexGuard, PoisonError};

use wasmtime::Store;
use wasmtime::component::InstancePre;

use super::bindings::retailcast::plugin::types as wit_types;
use super::embedding_bindings::exports::retailcast::plugin::embedder as wit;
use super::embedding_bindings::{EmbeddingProvider as Exports, EmbeddingProviderPre};
use super::instance::{Adapter, Instance, World, guest, guest_error};
use crate::embedding::{EmbeddingFailure, EmbeddingLimits, EmbeddingProvider, Purpose, Remedy};
use crate::engine::Engine;
use crate::plugin::Checked;
use crate::sandbox::SandboxState;
use crate::trace::traced;
use crate::{Call, Description, Kind, Limits, Phase, PluginError};

impl World for Exports {
    const KIND: Kind = Kind::EmbeddingProvider;
    type Pre = EmbeddingProviderPre<SandboxState>;

    fn prepare(linked: InstancePre<SandboxState>) -> wasmtime::Result<Self::Pre> {
        EmbeddingProviderPre::new(linked)
    }

    fn instantiate(pre: &Self::Pre, store: &mut Store<SandboxState>) -> wasmtime::Result<Self> {
        pre.instantiate(store)
    }

    fn describe(&self, store: &mut Store<SandboxState>) -> wasmtime::Result<wit_types::Description> {
        self.retailcast_plugin_plugin().call_describe(store)
    }
}

/// A loaded plugin of kind embedding provider. A call gets a fresh instance, but of a plugin that reads a folder: weights
/// of a hundred megabytes are read once and not for every question, so its instances are kept between calls, as many as
/// were ever busy at once (docs/decisions/sentence-encoder.md).
pub(crate) struct Embedder {
    adapter: Adapter<Exports>,
    kept: Mutex<Vec<Instance<Exports>>>,
}

impl Embedder {
    /// Links the component and asks its description.
    pub(crate) fn new(
        engine: &Engine,
        checked: &Checked,
        limits: Limits,
        key: &str,
        settings_table: &str,
    ) -> Result<Self, PluginError> {
        let adapter = Adapter::new(engine, checked, limits, key, settings_table)?;
        Ok(Self { adapter, kept: Mutex::default() })
    }

    // The lock is held to take and to put only, neither of which panics.
    fn kept(&self) -> MutexGuard<'_, Vec<Instance<Exports>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One call into an instance. After an error it is not used again.
    fn run<T>(
        &self,
        phase: Phase,
        call: &Call,
        ask: impl FnOnce(&mut Store<SandboxState>, &Exports) -> wasmtime::Result<T>,
    ) -> Result<T, PluginError> {
        let kept = self.kept().pop();
        let mut instance = match kept {
            Some(mut instance) => {
                self.adapter.renew(&mut instance, call);
                instance
            }
            None => self.adapter.open(call)?,
        };
        let answer = instance.run(phase, ask)?;
        if self.adapter.reads_a_folder() {
            self.kept().push(instance);
        }
        Ok(answer)
    }
}

impl EmbeddingProvider for Embedder {
    fn description(&self) -> &Description {
        self.adapter.description()
    }

    fn describe(&self, call: &Call) -> Result<Description, PluginError> {
        self.adapter.describe(call)
    }

    fn limits(&self, config: &str, call: &Call) -> Result<EmbeddingLimits, PluginError> {
        let ask = || {
            self.run(Phase::Needs, call, |store, world| {
                world.retailcast_plugin_embedder().call_limits_of(store, config)
            })
        };
        let answer = traced(call.trace.as_ref(), "limits-of", config.len(), ask, |_| 0)?;
        let limits = answer.map_err(guest)?;
        if limits.max_batch == 0 {
            return Err(broken(Phase::Needs, "max-batch", "at least 1", "0"));
        }
        Ok(EmbeddingLimits {
            max_batch: limits.max_batch as usize,
            max_tokens: limits.max_tokens.map(|tokens| tokens as usize),
            remote: limits.remote,
        })
    }

    fn embed(
        &self,
        config: &str,
        purpose: Purpose,
        texts: &[String],
        dimension: usize,
        call: &Call,
    ) -> Result<Result<Vec<Vec<f32>>, EmbeddingFailure>, PluginError> {
        let purpose = match purpose {
            Purpose::Document => wit::Purpose::Document,
            Purpose::Query => wit::Purpose::Query,
        };
        let bytes = config.len() + texts.iter().map(String::len).sum::<usize>();
        let ask = || {
            self.run(Phase::Embed, call, |store, world| {
                world.retailcast_plugin_embedder().call_embed(store, config, purpose, texts)
            })
        };
        let weight = |answer: &Result<Vec<f32>, _>| answer.as_ref().map_or(0, |n| size_of_val(&n[..]));
        let answer = traced(call.trace.as_ref(), "embed", bytes, ask, weight)?;
        match answer {
            Ok(numbers) => split(&numbers, texts.len(), dimension).map(Ok),
            Err(failure) => Ok(Err(from_wit(failure))),
        }
    }
}

fn from_wit(failure: wit::Failure) -> EmbeddingFailure {
    let remedy = match failure.remedy {
        wit::Remedy::None => Remedy::None,
        wit::Remedy::OtherKey => Remedy::OtherKey,
        wit::Remedy::Pause(pause) => Remedy::Pause(pause),
    };
    EmbeddingFailure { error: guest_error(failure.error), remedy }
}

fn broken(
    phase: Phase,
    check: &'static str,
    expected: impl Into<String>,
    found: impl Into<String>,
) -> PluginError {
    PluginError::BadResult { phase, check, expected: expected.into(), found: found.into() }
}

/// The vectors, one by one.
fn split(numbers: &[f32], texts: usize, dimension: usize) -> Result<Vec<Vec<f32>>, PluginError> {
    if numbers.len() != texts * dimension {
        return Err(broken(
            Phase::Embed,
            "length of vectors",
            format!("{texts} vectors of {dimension} numbers"),
            format!("{} numbers", numbers.len()),
        ));
    }
    if let Some(at) = numbers.iter().position(|number| !number.is_finite()) {
        let found = format!("{} in the vector of text {}", numbers[at], at / dimension.max(1));
        return Err(broken(Phase::Embed, "finite vectors", "finite numbers", found));
    }
    Ok(numbers.chunks(dimension.max(1)).map(<[f32]>::to_vec).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_are_counted_and_finite() {
        assert_eq!(split(&[1.0, 2.0, 3.0, 4.0], 2, 2).unwrap(), [[1.0, 2.0], [3.0, 4.0]]);
        assert!(split(&[1.0, 2.0, 3.0], 2, 2).unwrap_err().to_string().contains("found 3 numbers"));
        let error = split(&[1.0, 2.0, f32::NAN, 4.0], 2, 2).unwrap_err().to_string();
        assert!(error.contains("NaN in the vector of text 1"), "{error}");
    }
}
