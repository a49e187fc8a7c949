//! The plugins that come with the program, at full level.

use retailcast_conformance::{Level, check_file};
use retailcast_runtime::{Engine, EngineSettings, PluginSettings};

#[test]
fn all_first_party_plugins_conform() {
    let engine = Engine::new(EngineSettings::default()).unwrap();
    let mut wrong = String::new();
    for plugin in retailcast_bundled::PLUGINS {
        let started = std::time::Instant::now();
        let settings =
            PluginSettings { gradient_boosting: plugin.name == "lightgbm", ..PluginSettings::default() };
        let report = check_file(&engine, plugin.name, plugin.component, &settings, Level::Full);
        eprintln!("{}: {:?}", plugin.name, started.elapsed());
        if !report.passed {
            wrong += &report.text();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
