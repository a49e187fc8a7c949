//! The component loader: any file of the plugin folder.

use std::sync::LazyLock;
use std::time::Duration;

use retailcast_runtime::{Call, Engine, EngineSettings, Limits, PluginSettings, open_forecast_model};

/// One engine for all; compiled code goes with its component.
pub(crate) static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    // The settings of the program, with which it starts.
    Engine::new(EngineSettings::default()).expect("the engine starts")
});

/// Narrow, so that a component that loops does not stop the fuzzer.
pub(crate) fn settings() -> PluginSettings {
    let limits = Limits {
        memory: 64 << 20,
        fit: Duration::from_millis(200),
        embed: Duration::from_millis(200),
        predict: Duration::from_millis(200),
        payload: 1 << 20,
    };
    PluginSettings { limits, ..PluginSettings::default() }
}

/// Loads the component, which asks its description, and asks it what it needs.
pub fn component(bytes: &[u8]) {
    let Ok(model) = open_forecast_model(&ENGINE, None, "fuzzed", bytes, &settings()) else { return };
    if let Ok(mut session) = model.session(&Call::default()) {
        // Whatever it answers was checked by then.
        let _ = session.requirements("{}");
    }
}
