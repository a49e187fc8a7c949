//! The plugin host against real components: the bundled ones and, in `bad_guests`, hostile ones.

mod bad_guests;
mod bundled;
mod cache;
mod embedding;
mod kinds;
mod lightgbm;
mod log;
mod model_text;
mod sentence_encoder;
mod settings;
mod support;
mod trees;
