//! `embed_minilm`: vectors from a sentence encoder, a BERT whose weights stand in a folder that the operator grants, such
//! as all-MiniLM-L6-v2 (Reimers and Gurevych 2019). Nothing is fetched, and nothing leaves the machine.

//!
//! Natively the crate is empty: it is tested as the host runs it (`host/runtime/tests/it/sentence_encoder.rs`).

#[cfg(target_family = "wasm")]
mod encoder;
#[cfg(target_family = "wasm")]
mod provider;
