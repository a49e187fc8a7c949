//! The plugins that come with the program, at full level.

use retailcast_conformance::{Level, check_file};
use retailcast_runtime::{Engine, EngineSettings, GrantedFolder, Kind, PluginSettings, open};

#[test]
fn all_first_party_plugins_conform() {
    let engine = Engine::new(EngineSettings::default()).unwrap();
    let mut wrong = String::new();
    for plugin in retailcast_bundled::PLUGINS {
        let started = std::time::Instant::now();
        let settings = granted(plugin.name);
        // Checks are for forecast models; the others have tests of their own.
        let opened = open(&engine, None, plugin.name, plugin.component, &settings).unwrap();
        if opened.description().kind != Kind::ForecastModel {
            continue;
        }
        let report = check_file(&engine, plugin.name, plugin.component, &settings, Level::Full);
        eprintln!("{}: {:?}", plugin.name, started.elapsed());
        if !report.passed {
            wrong += &report.text();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// What the program's own configuration grants.
fn granted(name: &str) -> PluginSettings {
    let asks_services = matches!(name, "embed_openai" | "embed_ollama");
    PluginSettings {
        gradient_boosting: name == "lightgbm",
        folder: (name == "embed_minilm").then(|| GrantedFolder {
            // Loading reads nothing.
            path: std::env::temp_dir(),
            granted_in: "a test".to_owned(),
        }),
        http: asks_services.then(|| "https://api.example.com".parse().unwrap()).into_iter().collect(),
        ..PluginSettings::default()
    }
}
