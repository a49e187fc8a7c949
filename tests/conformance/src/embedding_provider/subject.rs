//! A provider under the configuration that the host writes.

use std::cell::OnceCell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use retailcast_runtime::embedding::{EmbeddingFailure, EmbeddingLimits, Purpose};
use retailcast_runtime::{Call, EmbeddingProvider, GuestErrorCode, PluginError};
use serde_json::json;

use crate::any_kind::{Trouble, call_at, is_refusal};
use crate::check::{Applies, Failure, Outcome, Problem};

/// Lengths of vectors that models have; the first one that the provider takes is the one of the checks.
const DIMENSIONS: [usize; 5] = [1536, 384, 768, 1024, 3072];

/// A loaded provider.
pub(crate) struct Subject {
    pub(super) provider: Arc<dyn EmbeddingProvider>,
    until: Option<Instant>,
    /// What it says of itself under the first length that it takes; or why it takes none.
    settled: Result<Settled, Arc<PluginError>>,
    trouble: OnceCell<Option<Trouble>>,
}

/// A configuration that the provider takes.
#[derive(Debug, Clone)]
pub(super) struct Settled {
    pub(super) config: String,
    pub(super) dimension: usize,
    pub(super) limits: EmbeddingLimits,
}

/// The rule speaks of vectors, and the provider makes them itself.
pub(super) const COMPUTES: Applies<Subject> = Applies {
    when: "to providers that compute, and ask no other service",
    to: |subject| subject.settled.as_ref().map_or(true, |settled| !settled.limits.remote),
};

/// The provider asks a service, which the checks do not reach.
pub(super) const ASKS: Applies<Subject> = Applies {
    when: "to providers that ask another service",
    to: |subject| subject.settled.as_ref().is_ok_and(|settled| settled.limits.remote),
};

impl Subject {
    pub(super) fn new(provider: Arc<dyn EmbeddingProvider>, until: Option<Instant>) -> Self {
        let settled = settle(&*provider, &call(until));
        Self { provider, until, settled: settled.map_err(Arc::new), trouble: OnceCell::new() }
    }

    /// The circumstances of a call. No address is granted: no service is reached.
    pub(super) fn call(&self) -> Call {
        call(self.until)
    }

    /// The configuration to check with, whatever becomes of texts.
    pub(super) fn settled(&self) -> Result<&Settled, Problem> {
        self.settled.as_ref().map_err(|_| Problem::after("embedder.configuration"))
    }

    /// The body of the check that there is such a configuration.
    pub(super) fn configured(&self) -> Outcome {
        match &self.settled {
            Ok(_) => Ok(()),
            Err(e) => Err(Problem::of(
                e,
                "limits, or a refusal with `invalid-config` of some lengths of vectors",
                &format!("limits-of, configuration {}", config(DIMENSIONS[0])),
            )),
        }
    }

    /// The configuration to check with. An error when ordinary texts get no vectors: then nothing else is worth saying.
    pub(super) fn ready(&self) -> Result<&Settled, Problem> {
        let settled = self.settled()?;
        Trouble::none(self.trouble())?;
        Ok(settled)
    }

    /// The body of a check that vectors of ordinary texts must pass: fails when their trouble is its own.
    pub(super) fn judge(&self, own: &str, expected: &str) -> Outcome {
        self.settled()?;
        Trouble::judge(self.trouble(), own, expected)
    }

    fn trouble(&self) -> Option<&Trouble> {
        let find = || {
            let settled = self.settled.as_ref().ok()?;
            for texts in [&ORDINARY[..1], &ORDINARY[..]] {
                for purpose in [Purpose::Document, Purpose::Query] {
                    let error = match self.embed(settled, purpose, texts, &self.call()) {
                        Ok(Ok(_)) => continue,
                        Ok(Err(failure)) => PluginError::Guest(failure.error),
                        Err(error) => error,
                    };
                    let case = format!("{} ordinary texts, {purpose:?}, {}", texts.len(), settled.config);
                    let owner = owner(&error);
                    return Some(Trouble { case, error: Arc::new(error), owner });
                }
            }
            None
        };
        self.trouble.get_or_init(find).as_ref()
    }

    /// Embeds in a fresh instance.
    pub(super) fn embed(
        &self,
        settled: &Settled,
        purpose: Purpose,
        texts: &[&str],
        call: &Call,
    ) -> Result<Result<Vec<Vec<f32>>, EmbeddingFailure>, PluginError> {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        self.provider.embed(&settled.config, purpose, &texts, settled.dimension, call)
    }

    /// Vectors, where vectors are due.
    pub(super) fn vectors(
        &self,
        purpose: Purpose,
        texts: &[&str],
        case: &str,
    ) -> Result<Vec<Vec<f32>>, Problem> {
        self.vectors_in(purpose, texts, &self.call(), case)
    }

    pub(super) fn vectors_in(
        &self,
        purpose: Purpose,
        texts: &[&str],
        call: &Call,
        case: &str,
    ) -> Result<Vec<Vec<f32>>, Problem> {
        match self.embed(self.settled()?, purpose, texts, call) {
            Ok(Ok(vectors)) => Ok(vectors),
            Ok(Err(failure)) => Err(Problem::of(&PluginError::Guest(failure.error), "vectors", case)),
            Err(e) => Err(Problem::of(&e, "vectors", case)),
        }
    }
}

/// The texts that every provider must embed.
pub(super) const ORDINARY: [&str; 6] = [
    "How many units of tea were sold last week?",
    "Prices fell by a tenth, and the shop sold twice as much.",
    "The warehouse is empty: order more coffee.",
    "Holidays in December lift demand for chocolate.",
    "A store is open on Sundays in summer.",
    "The forecast of the next fourteen days, with an interval of 80 %.",
];

/// What the host writes for every provider; those that ask a service get its address and model, too.
pub(super) fn config(dimension: usize) -> String {
    json!({"base_url": "https://embeddings.invalid/v1", "model": "conformance", "dimension": dimension})
        .to_string()
}

fn call(until: Option<Instant>) -> Call {
    call_at(Duration::from_hours(475_000), until)
}

fn settle(provider: &dyn EmbeddingProvider, call: &Call) -> Result<Settled, PluginError> {
    let mut refusal = None;
    for dimension in DIMENSIONS {
        let config = config(dimension);
        match provider.limits(&config, call) {
            Ok(limits) => return Ok(Settled { config, dimension, limits }),
            Err(e) if is_refusal(&e, GuestErrorCode::InvalidConfig) => refusal = Some(e),
            Err(e) => return Err(e),
        }
    }
    Err(refusal.unwrap_or(PluginError::SessionOver))
}

/// Fails when two vectors are not the same, bit for bit.
pub(super) fn same(expected: &[Vec<f32>], found: &[Vec<f32>], words: &str, case: &str) -> Outcome {
    let differs = |(a, b): (&Vec<f32>, &Vec<f32>)| a.iter().zip(b).any(|(a, b)| a.to_bits() != b.to_bits());
    match expected.iter().zip(found).position(differs) {
        Some(text) => Failure::outcome(
            format!("{words}: the same vectors"),
            format!("another one of text {text}"),
            case,
        ),
        None => Ok(()),
    }
}

/// The check that an error on ordinary texts belongs to.
fn owner(error: &PluginError) -> &'static str {
    match error {
        PluginError::BadResult { check: "length of vectors", .. } => "embedder.length",
        PluginError::BadResult { .. } => "embedder.finite",
        PluginError::Timeout { .. } => "embedder.time",
        PluginError::MemoryLimit { .. } => "embedder.memory",
        PluginError::PayloadLimit { .. } => "embedder.payload",
        _ => "embedder.embeds",
    }
}
