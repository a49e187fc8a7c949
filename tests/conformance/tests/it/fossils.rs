//! Components that were built once and must run for ever, with the states that they saved.

use std::path::Path;
use std::sync::Arc;

use retailcast_conformance::{Level, check_file, no_models};
use retailcast_runtime::embedding::Purpose;
use retailcast_runtime::explain::{Signals, Subject};
use retailcast_runtime::scenario::{Assumptions, Baseline, PriceChange, Window};
use retailcast_runtime::{
    Call, Engine, EngineSettings, FeatureTable, FutureSet, Plugin, PluginSettings, TrainingSet, open,
    open_forecast_model,
};

use crate::first_party::bundled_model;

/// Name of the files of a forecast model, and its forecast of 8 days after 1, 2, ... 28.
const MODELS: &[(&str, [f64; 8])] =
    &[("naive-v0.1", [28.0; 8]), ("seasonal_naive-v0.1", [22.0, 23.0, 24.0, 25.0, 26.0, 27.0, 28.0, 22.0])];

fn read(file: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fossils").join(file);
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

#[test]
fn models_run_conform_and_read_their_old_states() {
    let engine = Engine::new(EngineSettings::default()).unwrap();
    let settings = PluginSettings::default();
    for (name, expected) in MODELS {
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

/// The plugin of another kind in this file, which conforms.
fn conforming(name: &str) -> Plugin {
    let engine = Engine::new(EngineSettings::default()).unwrap();
    let settings = PluginSettings::default();
    let component = read(&format!("{name}.wasm"));
    let report = check_file(&engine, name, &component, &settings, Level::Full, &bundled_model);
    assert!(report.passed, "{}", report.text());
    open(&engine, None, name, &component, &settings).unwrap()
}

#[test]
fn an_explainer_runs_and_says_what_it_said() {
    let Plugin::Explainer(explainer) = conforming("halves_of_a_window-v0.1") else {
        panic!("it is an explainer")
    };
    let subject = Subject {
        store_id: 1,
        product_id: 1,
        model_type: "moving_average".to_owned(),
        config: r#"{"window_size": 4}"#.to_owned(),
        as_of: 19_723,
    };
    let history = [9.0, 1.0, 2.0, 3.0, 6.0];
    let said = explainer.explain(&subject, &history, &Signals::default(), None, &Call::default()).unwrap();
    let parts: Vec<(&str, f64)> = said.drivers.iter().map(|d| (d.name.as_str(), d.contribution)).collect();
    assert_eq!(parts, [("newest_days", 2.25), ("days_before", 0.75)]);
    assert_eq!(said.summary, "The forecast of 3.0 units is the mean of the last 4 days.");
}

#[test]
fn an_adjuster_runs_and_gives_the_numbers_that_it_gave() {
    let Plugin::ScenarioAdjuster(adjuster) = conforming("one_elasticity-v0.1") else {
        panic!("it is an adjuster")
    };
    let price = PriceChange { change: -0.36, during: Window { first: 11, last: 11 } };
    let assumptions = Assumptions { price: Some(price), holidays: vec![12], ..Assumptions::default() };
    let baseline = Baseline { start: 10, points: vec![10.0; 3], intervals: Vec::new() };
    let adjusted = adjuster.adjust(&assumptions, &baseline, &Call::default()).unwrap();
    // 0.64 to the power of -1.5.
    assert_eq!(adjusted.factors, [1.0, 1.953_125, 1.2]);
    assert_eq!(adjusted.points, [10.0, 19.531_25, 12.0]);
}

#[test]
fn an_embedding_provider_runs_and_gives_the_vectors_that_it_gave() {
    let Plugin::EmbeddingProvider(provider) = conforming("runs_of_three-v0.1") else {
        panic!("it is an embedding provider")
    };
    let texts = ["teatea".to_owned(), String::new()];
    let embed = |purpose| {
        let config = r#"{"dimension": 8}"#;
        provider.embed(config, purpose, &texts, 8, &Call::default()).unwrap().unwrap()
    };
    // The runs tea, eat, ate, tea.
    let vectors = embed(Purpose::Document);
    assert_eq!(vectors, embed(Purpose::Query));
    assert_eq!(vectors, [[0.0, 2.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0], [0.0; 8]]);
}
