//! Small data and short ways to a catalogue.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use retailcast_runtime::{
    Catalogue, CatalogueSettings, Engine, EngineSettings, FeatureTable, FutureSet, Limits, PluginSettings,
    TrainingSet,
};

/// All bundled plugins and those of a folder.
pub(crate) fn catalogue(folder: Option<&Path>, plugins: &[(&str, PluginSettings)]) -> Catalogue {
    let mut settings: BTreeMap<String, PluginSettings> =
        plugins.iter().map(|(key, settings)| ((*key).to_owned(), settings.clone())).collect();
    settings
        .entry("lightgbm".to_owned())
        .or_insert(PluginSettings { gradient_boosting: true, ..PluginSettings::default() });
    for name in ["embed_openai", "embed_ollama"] {
        let http = vec!["https://api.example.com".parse().unwrap()];
        settings.entry(name.to_owned()).or_insert(PluginSettings { http, ..PluginSettings::default() });
    }
    // As in the program's own configuration: compiling it takes as long as the others together.
    settings
        .entry("embed_minilm".to_owned())
        .or_insert(PluginSettings { enabled: false, ..PluginSettings::default() });
    let settings = CatalogueSettings {
        folder: folder.map(Path::to_owned),
        // Shared by all tests: compiling the bundled plugins for each takes longer than all of them.
        cache: Some(Path::new(env!("CARGO_TARGET_TMPDIR")).join("plugin-code")),
        plugins: settings,
        ..CatalogueSettings::default()
    };
    let engine = Engine::new(EngineSettings::default()).unwrap();
    Catalogue::load(engine, settings, retailcast_bundled::PLUGINS.iter().map(|p| (p.name, p.component)))
        .unwrap()
}

/// Tight limits, so that hostile guests are stopped quickly.
pub(crate) fn tight() -> PluginSettings {
    PluginSettings {
        limits: Limits {
            memory: 32 << 20,
            fit: Duration::from_millis(300),
            predict: Duration::from_millis(300),
            embed: Duration::from_millis(300),
            payload: 1 << 20,
        },
        ..PluginSettings::default()
    }
}

/// The hostile plugin within tight limits, in a plugin folder as an operator would have it.
pub(crate) fn hostile() -> (tempfile::TempDir, Catalogue) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("hostile.wasm"), retailcast_test_guests::HOSTILE).unwrap();
    let catalogue = catalogue(Some(folder.path()), &[("hostile", tight())]);
    (folder, catalogue)
}

/// One series of these values from 2024-01-01 on.
pub(crate) fn one(values: &[f64]) -> Arc<TrainingSet> {
    let days = (19_723..).take(values.len()).collect();
    Arc::new(TrainingSet::one(days, values.to_vec(), FeatureTable::default()))
}

/// The days after.
pub(crate) fn ahead(values: usize, horizon: usize) -> Arc<FutureSet> {
    Arc::new(FutureSet { starts: vec![19_723 + values as i32], horizon, features: FeatureTable::default() })
}
