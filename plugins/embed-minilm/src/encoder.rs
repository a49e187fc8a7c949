//! A BERT that makes one vector of a text: the mean of its last layer over the text's word pieces, of length 1. A text that
//! is longer than it reads at once is read in parts, and its vector is the mean of theirs, by their lengths.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config};
use serde::Deserialize;
use tokenizers::{Encoding, PostProcessor, Tokenizer, TruncationDirection};

/// Word pieces that are read at once, the marks of start and end included: what all-MiniLM-L6-v2 was made for.
const MOST_PIECES: usize = 256;

/// Parts that are read of a text: more than a chunk ever has, and some ten seconds.
const MOST_PARTS: usize = 32;

/// Largest header of a file of weights, in bytes. That of all-MiniLM-L6-v2 has 12 KB.
const MOST_HEADER: u64 = 16 << 20;

/// How long the vectors of the encoder in a folder are.
pub(crate) fn dimension(folder: &Path) -> Result<usize, String> {
    config(folder).map(|config| config.hidden_size)
}

fn config(folder: &Path) -> Result<Config, String> {
    serde_json::from_slice(&bytes(folder, "config.json")?)
        .map_err(|e| format!("`config.json` does not describe a BERT: {e}"))
}

/// An encoder that is ready.
pub(crate) struct Encoder {
    tokenizer: Tokenizer,
    model: BertModel,
    /// Word pieces of a part, without marks.
    words: usize,
    dimension: usize,
}

impl Encoder {
    /// Reads `config.json`, `tokenizer.json` and `model.safetensors`. Errors name the file, and what is wrong with it.
    pub(crate) fn read(folder: &Path) -> Result<Self, String> {
        let (config, tokenizer) = (config(folder)?, bytes(folder, "tokenizer.json")?);
        let tokenizer = tokenizer_of(&tokenizer).map_err(|e| format!("`tokenizer.json`: {e}"))?;
        let marks = tokenizer.get_post_processor().map_or(0, |processor| processor.added_tokens(false));
        let most_pieces = MOST_PIECES.min(config.max_position_embeddings);
        if most_pieces <= marks {
            return Err(format!(
                "`config.json`: `max_position_embeddings` is {most_pieces}, which leaves no room for words"
            ));
        }
        let model = weights(folder, "model.safetensors")
            .and_then(|weights| {
                let weights = VarBuilder::from_tensors(weights, DType::F32, &Device::Cpu);
                BertModel::load(weights, &config).map_err(|e| e.to_string())
            })
            .map_err(|e| format!("`model.safetensors`: {e}"))?;
        Ok(Self { tokenizer, model, words: most_pieces - marks, dimension: config.hidden_size })
    }

    /// The vector of a text; zeros when it has no word. One text at a time: those of one batch would have to be filled up
    /// to the longest.
    pub(crate) fn vector(&self, text: &str) -> Result<Vec<f32>, String> {
        let pieces = self.pieces(text).map_err(|e| format!("`tokenizer.json`: {e}"))?;
        let mut sum = vec![0.0; self.dimension];
        for part in std::iter::once(&pieces).chain(pieces.get_overflowing()).take(MOST_PARTS) {
            let words = part.get_special_tokens_mask().iter().filter(|mark| **mark == 0).count();
            if words == 0 {
                continue;
            }
            let vector = self.encode(part.get_ids()).map_err(|e| format!("`model.safetensors`: {e}"))?;
            for (sum, number) in sum.iter_mut().zip(vector) {
                *sum += words as f32 * number;
            }
        }
        Ok(unit(sum))
    }

    /// The first part of a text, with the others as its overflow.
    fn pieces(&self, text: &str) -> tokenizers::Result<Encoding> {
        let mut pieces = self.tokenizer.encode(text, false)?;
        pieces.truncate(self.words, 0, TruncationDirection::Right);
        self.tokenizer.post_process(pieces, None, true)
    }

    fn encode(&self, pieces: &[u32]) -> candle_core::Result<Vec<f32>> {
        let pieces = Tensor::new(pieces, &Device::Cpu)?.unsqueeze(0)?;
        let last_layer = self.model.forward(&pieces, &pieces.zeros_like()?, None)?;
        Ok(unit(last_layer.squeeze(0)?.mean(0)?.to_vec1()?))
    }
}

/// The same direction with length 1; zeros have none.
fn unit(vector: Vec<f32>) -> Vec<f32> {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    if length == 0.0 { vector } else { vector.into_iter().map(|x| x / length).collect() }
}

fn bytes(folder: &Path, name: &str) -> Result<Vec<u8>, String> {
    fs::read(folder.join(name)).map_err(|e| format!("`{name}` cannot be read: {e}"))
}

/// The tokenizer, whatever it says of the length of texts.
fn tokenizer_of(json: &[u8]) -> tokenizers::Result<Tokenizer> {
    let mut tokenizer = Tokenizer::from_bytes(json)?;
    tokenizer.with_truncation(None)?;
    tokenizer.with_padding(None);
    Ok(tokenizer)
}

/// What the header of a file of weights says of a tensor.
#[derive(Deserialize)]
struct Stored {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: (u64, u64),
}

/// All tensors of a file, read one after the other: the file and its tensors together would take twice the memory.
/// Format: eight bytes with the length of the header, the header in JSON, the data.
fn weights(folder: &Path, name: &str) -> Result<HashMap<String, Tensor>, String> {
    let unreadable = |e: std::io::Error| format!("cannot be read: {e}");
    let mut file = File::open(folder.join(name)).map_err(unreadable)?;
    let mut length = [0; 8];
    file.read_exact(&mut length).map_err(unreadable)?;
    let length = u64::from_le_bytes(length);
    if length > MOST_HEADER {
        return Err(format!("its header would have {length} bytes, at most {MOST_HEADER} are read"));
    }
    let mut header = vec![0; length as usize];
    file.read_exact(&mut header).map_err(unreadable)?;
    let header: HashMap<String, serde_json::Value> =
        serde_json::from_slice(&header).map_err(|e| format!("its header is no JSON: {e}"))?;
    let mut tensors = HashMap::new();
    for (name, about) in header.into_iter().filter(|(name, _)| name != "__metadata__") {
        let stored = Stored::deserialize(about).map_err(|e| format!("its header on `{name}`: {e}"))?;
        // Numbers of positions, which the model makes itself.
        if stored.dtype == "I64" {
            continue;
        }
        let dtype = match stored.dtype.as_str() {
            "F32" => DType::F32,
            "F16" => DType::F16,
            "BF16" => DType::BF16,
            other => return Err(format!("`{name}` has numbers of type {other}; F32, F16 and BF16 are read")),
        };
        let (start, end) = stored.data_offsets;
        let numbers =
            stored.shape.iter().try_fold(dtype.size_in_bytes(), |bytes, side| bytes.checked_mul(*side));
        let expected =
            numbers.ok_or_else(|| format!("`{name}` has the impossible shape {:?}", stored.shape))?;
        if end.checked_sub(start) != Some(expected as u64) {
            return Err(format!("`{name}` stands from {start} to {end}, but takes {expected} bytes"));
        }
        let mut data = vec![0; expected];
        file.seek(SeekFrom::Start((8 + length).saturating_add(start))).map_err(unreadable)?;
        file.read_exact(&mut data).map_err(|e| format!("`{name}` cannot be read: {e}"))?;
        let tensor = Tensor::from_raw_buffer(&data, dtype, &stored.shape, &Device::Cpu)
            .and_then(|tensor| tensor.to_dtype(DType::F32))
            .map_err(|e| format!("`{name}`: {e}"))?;
        tensors.insert(name, tensor);
    }
    Ok(tensors)
}
