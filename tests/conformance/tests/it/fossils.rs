//! Components that were built once and must run for ever, with the states that they saved.

use std::path::Path;
use std::sync::Arc;

use retailcast_conformance::{Level, check_file, no_models};
use retailcast_runtime::{
    Call, Engine, EngineSettings, FeatureTable, FutureSet, PluginSettings, TrainingSet, open_forecast_model,
};

/// Name of the files, and the forecast of 8 days after 1, 2, ... 28.
const FOSSILS: &[(&str, [f64; 8])] =
    &[("naive-v0.1", [28.0; 8]), ("seasonal_naive-v0.1", [22.0, 23.0, 24.0, 25.0, 26.0, 27.0, 28.0, 22.0])];

fn read(file: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fossils").join(file);
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

#[test]
fn fossils_run_conform_and_read_their_old_states() {
    let engine = Engine::new(EngineSettings::default()).unwrap();
    let settings = PluginSettings::default();
    for (name, expected) in FOSSILS {
        let component = read(&format!("{name}.wasm"));
        let report = check_file(&engine, name, &component, &settings, Level::Full, &no_models);
        assert!(report.passed, "{}", report.text());

        let model = open_forecast_model(&engine, None, name, &component, &settings).unwrap();
        let mut session = model.session(&Call::default()).unwrap();
        let config = model.config_schema().normalise(&serde_json::Map::new(), "config").unwrap().json();
        let days = (0..28).collect();
        let target = (1..=28).map(f64::from).collect();
        let data = Arc::new(TrainingSet::one(days, target, FeatureTable::default()));
        let ahead = Arc::new(FutureSet { starts: vec![28], horizon: 8, features: FeatureTable::default() });
        let fitted = session.fit(&config, data).unwrap();
        assert_eq!(session.predict(fitted, ahead.clone()).unwrap().points, expected, "{name}");
        let state = read(&format!("{name}.state"));
        assert_eq!(session.save(fitted).unwrap(), state, "{name}");
        let loaded = session.load(&state).unwrap();
        assert_eq!(session.predict(loaded, ahead).unwrap().points, expected, "{name}, from its old state");
    }
}
