//! What the server says of itself in every run that it registers.

use retailcast_runtime::Catalogue;
use serde_json::{Map, Value};

/// A flat object of texts; the plugin's part is there when the model type is loaded.
pub(super) fn describe(catalogue: &Catalogue, model_type: &str) -> Map<String, Value> {
    let version = env!("CARGO_PKG_VERSION");
    let mut info: Vec<(&str, String)> = vec![
        ("retailcast_version", version.to_owned()),
        ("rustc_version", env!("RETAILCAST_RUSTC_VERSION").to_owned()),
        ("os", std::env::consts::OS.to_owned()),
        ("arch", std::env::consts::ARCH.to_owned()),
        ("host_version", version.to_owned()),
        ("engine", concat!("wasmtime ", env!("RETAILCAST_WASMTIME_VERSION")).to_owned()),
    ];
    // Any text is a model type here; one that is not loaded has no plugin to tell of.
    if let Ok(model) = catalogue.model(model_type) {
        let plugin = model.description();
        info.extend([
            ("plugin_name", plugin.name.clone()),
            ("plugin_version", plugin.version.clone()),
            ("plugin_digest", plugin.digest.to_string()),
            ("contract_version", plugin.contract.to_owned()),
        ]);
    }
    info.into_iter().map(|(name, text)| (name.to_owned(), text.into())).collect()
}
