//! Fuzz targets: every reader of bytes that strangers make. A target takes any bytes, and may neither panic nor hang.
//!
//! `cargo test` runs each for some seconds on mutations of its corpus (`corpus/TARGET`), without any further tool.
//! `libfuzzer/` runs the same functions under `cargo fuzz`, which is led by coverage.

mod component;
mod model_config;
mod model_file;
mod mutate;

pub use component::component;
pub use model_config::model_config;
pub use model_file::model_file;
pub use mutate::Mutator;

use retailcast_bundled::find;

/// A target.
pub type Target = fn(&[u8]);

/// All targets, by the name of their corpus.
pub const TARGETS: [(&str, Target); 3] =
    [("component", component), ("model_config", model_config), ("model_file", model_file)];

/// The component of a bundled plugin.
fn bundled(name: &str) -> &'static [u8] {
    // The names in this crate are those of plugins that are part of the program.
    find(name).expect("it is bundled").component
}
