//! Model files of other makers: what this program writes, changed.

use std::path::Path;

use serde_json::Value;
use sha2::{Digest, Sha256};

/// Before the header: the format's name and the header's length.
const PREFIX: usize = 16;
const CHECKSUM: usize = 32;

/// Changes header and state of a model file; it stays whole.
pub(crate) fn rewrite(path: impl AsRef<Path>, change: impl FnOnce(&mut Value, &mut Vec<u8>)) {
    let bytes = std::fs::read(&path).unwrap();
    let length = u64::from_le_bytes(bytes[8..PREFIX].try_into().unwrap()) as usize;
    let mut header: Value = serde_json::from_slice(&bytes[PREFIX..PREFIX + length]).unwrap();
    let mut state = bytes[PREFIX + length..bytes.len() - CHECKSUM].to_vec();
    change(&mut header, &mut state);
    let header = header.to_string();
    let mut changed = bytes[..8].to_vec();
    changed.extend((header.len() as u64).to_le_bytes());
    changed.extend(header.as_bytes());
    changed.extend(state);
    let checksum = Sha256::digest(&changed);
    changed.extend_from_slice(&checksum);
    std::fs::write(path, changed).unwrap();
}
