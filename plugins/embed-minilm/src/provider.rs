//! The encoder as an embedding provider.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

use retailcast_sdk::embedding::{EmbeddingProvider, Failure, Limits, Purpose};
use retailcast_sdk::{Error, Info};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::encoder::{self, Encoder};

/// How long vectors are.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Config {
    /// Length of a vector: what the encoder makes, 384 for all-MiniLM-L6-v2.
    #[schemars(range(min = 1))]
    pub(crate) dimension: u32,
}

/// The provider.
pub(crate) struct EmbedMinilm;

/// Where a plugin finds the folder that it was granted.
const FOLDER: &str = "/granted";

thread_local! {
    /// Read at the first call: the host keeps the instance of an embedding provider that was granted a folder.
    static ENCODER: RefCell<Option<Rc<Encoder>>> = const { RefCell::new(None) };
}

fn encoder() -> Result<Rc<Encoder>, Error> {
    ENCODER.with_borrow_mut(|kept| match kept {
        Some(encoder) => Ok(Rc::clone(encoder)),
        None => {
            let read = Encoder::read(Path::new(FOLDER)).map_err(Error::invalid_config)?;
            Ok(Rc::clone(kept.insert(Rc::new(read))))
        }
    })
}

impl EmbeddingProvider for EmbedMinilm {
    type Config = Config;
    const INFO: Info = Info {
        name: "embed_minilm",
        version: env!("CARGO_PKG_VERSION"),
        licence: "Apache-2.0",
        summary: "Vectors of texts from a sentence encoder in a folder, such as all-MiniLM-L6-v2.",
    };

    fn limits(config: &Config) -> Result<Limits, Error> {
        let made = encoder::dimension(Path::new(FOLDER)).map_err(Error::invalid_config)?;
        if made != config.dimension as usize {
            return Err(Error::invalid_config(format!(
                "this encoder makes vectors of {made} numbers, not {}; set `rag.embedding_dimension` \
                 (RAG_EMBEDDING_DIMENSION) to {made}",
                config.dimension
            )));
        }
        // Eight texts take a second or two, so that all threads have work until the end. The encoder counts word pieces,
        // which are not the host's tokens, and reads a long text in parts.
        Ok(Limits { max_batch: 8, max_tokens: None, remote: false })
    }

    fn embed(_: &Config, _: Purpose, texts: &[String]) -> Result<Vec<f32>, Failure> {
        let encoder = encoder()?;
        let vectors: Result<Vec<_>, _> = texts.iter().map(|text| encoder.vector(text)).collect();
        Ok(vectors.map_err(Error::invalid_config)?.concat())
    }
}

retailcast_sdk::export!(EmbedMinilm as EmbeddingProvider);
