//! The plugins that come with the program, at full level.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use retailcast_conformance::{Level, check_file};
use retailcast_runtime::{
    Engine, EngineSettings, ForecastModel, GrantedFolder, Plugin, PluginSettings, open,
};

#[test]
fn all_first_party_plugins_conform() {
    let engine = Engine::new(EngineSettings::default()).unwrap();
    let mut wrong = String::new();
    for plugin in retailcast_bundled::PLUGINS {
        let started = std::time::Instant::now();
        let settings = granted(plugin.name);
        let report =
            check_file(&engine, plugin.name, plugin.component, &settings, Level::Full, &bundled_model);
        eprintln!("{}: {:?}", plugin.name, started.elapsed());
        if !report.passed {
            wrong += &report.text();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// The bundled forecast models, which stand beside plugins under test.
static MODELS: LazyLock<HashMap<String, Arc<dyn ForecastModel>>> = LazyLock::new(|| {
    let engine = Engine::new(EngineSettings::default()).unwrap();
    let opened = retailcast_bundled::PLUGINS
        .iter()
        .map(|plugin| open(&engine, None, plugin.name, plugin.component, &granted(plugin.name)).unwrap());
    let models = opened.filter_map(|plugin| match plugin {
        Plugin::ForecastModel(model) => Some((model.description().name.clone(), model)),
        _ => None,
    });
    models.collect()
});

/// The bundled model of this type.
pub(crate) fn bundled_model(model_type: &str) -> Option<Arc<dyn ForecastModel>> {
    MODELS.get(model_type).cloned()
}

/// What the program's own configuration grants.
fn granted(name: &str) -> PluginSettings {
    let asks_services = matches!(name, "embed_openai" | "embed_ollama");
    PluginSettings {
        gradient_boosting: name == "lightgbm",
        folder: (name == "embed_minilm").then(|| {
            let path =
                Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.retailcast/models/all-MiniLM-L6-v2");
            assert!(path.is_dir(), "{} is missing: run scripts/encoder.sh", path.display());
            GrantedFolder { path, granted_in: "a test".to_owned() }
        }),
        http: asks_services.then(|| "https://api.example.com".parse().unwrap()).into_iter().collect(),
        ..PluginSettings::default()
    }
}
