//! Plugins that misbehave. After each of them the next call works: the host is none the worse.

use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use retailcast_runtime::{
    Call, Catalogue, ForecastModel, ForecastSession, FutureSet, Phase, PluginError, State,
};

use crate::support::{self, ahead, catalogue, one, tight};

/// The hostile plugin within tight limits, from a plugin folder as an operator would have it.
struct Hostile {
    catalogue: Catalogue,
    _folder: tempfile::TempDir,
}

impl Hostile {
    fn new() -> Self {
        let (folder, catalogue) = support::hostile();
        Self { catalogue, _folder: folder }
    }

    fn model(&self) -> Arc<dyn ForecastModel> {
        self.catalogue.model("hostile").unwrap()
    }

    fn session(&self) -> Box<dyn ForecastSession> {
        self.model().session(&Call::default()).unwrap()
    }

    /// What a whole run with this fault ends with, and proof that the next one works.
    fn run(&self, fault: &str) -> PluginError {
        let config = format!(r#"{{"fault":"{fault}"}}"#);
        let mut session = self.session();
        let outcome = session
            .requirements(&config)
            .and_then(|_| session.fit(&config, one(&[1.0, 2.0])))
            .and_then(|fitted| {
                session.predict(fitted, ahead(2, 3))?;
                session.save(fitted)
            });
        let error = outcome.expect_err(fault);
        self.works();
        error
    }

    fn works(&self) {
        let mut session = self.session();
        let fitted = session.fit(r#"{"fault":"none"}"#, one(&[1.0, 2.0])).unwrap();
        assert_eq!(session.predict(fitted, ahead(2, 2)).unwrap().points, [2.0, 2.0]);
    }
}

#[test]
fn an_endless_loop_ends_at_its_limit_in_every_phase() {
    let hostile = Hostile::new();
    for (fault, expected, key) in [
        ("loop-in-fit", Phase::Fit, "plugins.settings.hostile.limits.fit_seconds"),
        ("loop-in-predict", Phase::Predict, "plugins.settings.hostile.limits.predict_seconds"),
        ("loop-in-needs", Phase::Needs, "plugins.settings.hostile.limits.predict_seconds"),
    ] {
        let started = Instant::now();
        let error = hostile.run(fault);
        let PluginError::Timeout { phase, key: found, .. } = &error else { panic!("{fault}: {error:?}") };
        assert_eq!((*phase, found.as_deref()), (expected, Some(key)));
        let (table, name) = key.rsplit_once('.').unwrap();
        let lines = format!("; `{key}` raises it:\n[{table}]\n{name} = 0.6");
        assert!(error.to_string().ends_with(&lines), "{error}");
        // Far above the limit of 0.3 s, so that a busy machine does not matter, and far below forever.
        assert!(started.elapsed() < Duration::from_secs(30));
    }
}

#[test]
fn the_deadline_of_the_request_wins_when_it_is_nearer() {
    let hostile = Hostile::new();
    let call = Call { deadline: Some(Instant::now() + Duration::from_millis(100)), ..Call::default() };
    let mut session = hostile.model().session(&call).unwrap();
    let error = session.fit(r#"{"fault":"loop-in-fit"}"#, one(&[1.0])).unwrap_err();
    let PluginError::Timeout { key, limit, .. } = &error else { panic!("{error:?}") };
    assert_eq!(*key, None);
    assert!(error.to_string().contains("than the request had left"), "{error}");
    assert!(!error.to_string().contains("raises it"), "{error}");
    assert!(limit.effective < limit.plugin);
    let over = session.fit("{}", one(&[1.0])).unwrap_err();
    assert!(matches!(over, PluginError::SessionOver), "{over:?}");
}

#[test]
fn cancelling_stops_a_running_plugin() {
    let hostile = Hostile::new();
    let call = Call::default();
    let cancel = call.cancel.clone();
    let mut session = hostile.model().session(&call).unwrap();
    let canceller = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(50));
        cancel.cancel();
    });
    let error = session.fit(r#"{"fault":"loop-in-fit"}"#, one(&[1.0])).unwrap_err();
    assert!(matches!(error, PluginError::Cancelled { phase: Phase::Fit }), "{error:?}");
    canceller.join().unwrap();
    hostile.works();
}

#[test]
fn a_loop_of_short_calls_ends_at_a_cancellation_and_at_the_deadline() {
    let hostile = Hostile::new();
    let short_calls = |call: &Call| {
        let mut session = hostile.model().session(call).unwrap();
        let started = std::time::Instant::now();
        loop {
            if let Err(error) = session.requirements(r#"{"fault":"none"}"#) {
                return error;
            }
            assert!(started.elapsed() < Duration::from_secs(10), "nothing ends it");
        }
    };
    let call = Call::default();
    let cancel = call.cancel.clone();
    let canceller = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(50));
        cancel.cancel();
    });
    let error = short_calls(&call);
    assert!(matches!(error, PluginError::Cancelled { phase: Phase::Needs }), "{error:?}");
    canceller.join().unwrap();
    let deadline = Some(std::time::Instant::now() + Duration::from_millis(50));
    let error = short_calls(&Call { deadline, ..Call::default() });
    assert!(matches!(error, PluginError::Timeout { phase: Phase::Needs, key: None, .. }), "{error:?}");
    hostile.works();
}

#[test]
fn a_memory_bomb_is_told_from_a_crash() {
    let error = Hostile::new().run("memory-bomb");
    let PluginError::MemoryLimit { asked_mib, limit_mib, key, .. } = &error else { panic!("{error:?}") };
    assert_eq!((*limit_mib, key.as_str()), (32, "plugins.settings.hostile.limits.memory_mib"));
    // The refused size is rounded up, so that it never looks allowed.
    assert!(asked_mib > limit_mib);
}

#[test]
fn the_text_of_a_panic_reaches_the_error() {
    let error = Hostile::new().run("panic");
    let PluginError::Trap { stderr, frames, .. } = &error else { panic!("{error:?}") };
    assert!(stderr.contains("the shelf fell down at row 2"), "{stderr}");
    assert!(frames.iter().any(|frame| frame.contains("Hostile")), "{frames:?}");
    assert!(error.to_string().contains("the shelf fell down"), "{error}");
}

#[test]
fn deep_recursion_exhausts_the_plugin_s_stack_and_not_the_host_s() {
    let error = Hostile::new().run("deep-recursion");
    let PluginError::Trap { reason, .. } = &error else { panic!("{error:?}") };
    // Rust keeps large locals in a stack of its own in linear memory, which ends at address 0; which of the two
    // stacks overflows first depends on the function.
    assert!(reason.contains("stack") || reason.contains("out of bounds memory access"), "{reason}");
}

#[test]
fn sleeping_takes_no_time() {
    let hostile = Hostile::new();
    let mut session = hostile.session();
    let fitted = session.fit(r#"{"fault":"sleep"}"#, one(&[5.0])).unwrap();
    assert_eq!(session.predict(fitted, ahead(1, 1)).unwrap().points, [5.0]);
}

#[test]
fn results_that_break_the_contract_are_named() {
    let hostile = Hostile::new();
    for (fault, expected) in [
        ("nan", "finite points"),
        ("wrong-length", "number of points"),
        ("crossing-intervals", "nested intervals"),
        ("strange-failure", "failures"),
        ("strange-fallback", "fallbacks"),
        ("unpromised-intervals", "promised intervals"),
        ("missing-intervals", "promised intervals"),
        ("huge-lag", "requirements"),
    ] {
        let error = hostile.run(fault);
        let PluginError::BadResult { check, .. } = &error else { panic!("{fault}: {error:?}") };
        assert_eq!(*check, expected);
    }
}

#[test]
fn a_broken_promise_ends_the_session() {
    let hostile = Hostile::new();
    let mut session = hostile.session();
    let error = session.requirements(r#"{"fault":"huge-lag"}"#).unwrap_err();
    assert!(matches!(error, PluginError::BadResult { phase: Phase::Needs, .. }), "{error:?}");
    let over = session.requirements(r#"{"fault":"none"}"#).unwrap_err();
    assert!(matches!(over, PluginError::SessionOver), "{over:?}");
}

#[test]
fn asking_for_other_series_than_were_fitted_ends_the_session() {
    let hostile = Hostile::new();
    let mut session = hostile.session();
    let fitted = session.fit(r#"{"fault":"none"}"#, one(&[1.0])).unwrap();
    let two = FutureSet { starts: vec![0, 0], horizon: 1, ..FutureSet::default() };
    let error = session.predict(fitted, Arc::new(two)).unwrap_err();
    assert!(matches!(error, PluginError::Host { .. }), "{error:?}");
    let over = session.predict(fitted, ahead(1, 1)).unwrap_err();
    assert!(matches!(over, PluginError::SessionOver), "{over:?}");
}

#[test]
fn intervals_are_held_against_the_requirements_only_when_these_were_asked() {
    let hostile = Hostile::new();
    let config = r#"{"fault":"unpromised-intervals"}"#;
    let mut session = hostile.session();
    let fitted = session.fit(config, one(&[1.0])).unwrap();
    assert_eq!(session.predict(fitted, ahead(1, 1)).unwrap().levels, [0.8]);
    // Another configuration's promise says nothing of this model; that of a loaded one is the one asked about.
    session.requirements(r#"{"fault":"none"}"#).unwrap();
    assert!(session.predict(fitted, ahead(1, 1)).is_ok());
    let state = session.save(fitted).unwrap();
    let loaded = session.load(&state).unwrap();
    let error = session.predict(loaded, ahead(1, 1)).unwrap_err();
    assert!(matches!(error, PluginError::BadResult { check: "promised intervals", .. }), "{error:?}");
}

#[test]
fn a_failed_series_has_no_points() {
    let hostile = Hostile::new();
    let mut session = hostile.session();
    let fitted = session.fit(r#"{"fault":"zombie-series"}"#, one(&[1.0])).unwrap();
    let forecasts = session.predict(fitted, ahead(1, 2)).unwrap();
    assert_eq!(forecasts.failures.len(), 1);
    assert!(forecasts.points.iter().all(|point| point.is_nan()), "{:?}", forecasts.points);
}

#[test]
fn handing_over_too_much_is_refused() {
    let hostile = Hostile::new();
    for fault in ["huge-state", "huge-result"] {
        let error = hostile.run(fault);
        let PluginError::PayloadLimit { limit_mib, key, .. } = &error else { panic!("{fault}: {error:?}") };
        assert_eq!((*limit_mib, key.as_str()), (1, "plugins.settings.hostile.limits.payload_mib"));
    }
}

#[test]
fn floods_of_words_do_no_harm() {
    let hostile = Hostile::new();
    for fault in ["log-flood", "stderr-flood"] {
        let config = format!(r#"{{"fault":"{fault}"}}"#);
        let mut session = hostile.session();
        // Either it gets through (its words are dropped) or its time runs out.
        match session.fit(&config, one(&[1.0])) {
            Ok(_) | Err(PluginError::Timeout { .. }) => {}
            Err(other) => panic!("{fault}: {other:?}"),
        }
        hostile.works();
    }
}

#[test]
fn a_declared_refusal_is_no_crash() {
    let error = Hostile::new().run("refusal");
    assert!(
        matches!(&error, PluginError::Guest(e) if e.message == "no convergence after 7 steps"),
        "{error:?}"
    );
}

/// A component that imports an instance of this name and exports nothing.
fn importing(name: &str) -> Vec<u8> {
    wat::parse_str(format!(r#"(component (import "{name}" (instance (export "f" (func)))))"#)).unwrap()
}

#[test]
fn files_that_are_no_usable_plugin_are_listed_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let hostile = retailcast_test_guests::HOSTILE;
    for (file, bytes) in [
        ("truncated.wasm", hostile[..hostile.len() / 2].to_vec()),
        ("core_module.wasm", wat::parse_str("(module)").unwrap()),
        ("empty.wasm", Vec::new()),
        ("text.wasm", b"#!/bin/sh".to_vec()),
        ("native.wasm", b"\x7fELF\x02\x01\x01".to_vec()),
        ("files.wasm", importing("wasi:filesystem/types@0.2.6")),
        ("network.wasm", importing("wasi:sockets/tcp@0.2.6")),
        ("unknown_import.wasm", importing("acme:warehouse/stock@1.0.0")),
        ("boosting.wasm", importing("retailcast:plugin/gradient-boosting@0.1.0")),
        ("future_contract.wasm", importing("retailcast:plugin/data@0.9.0")),
        ("no_exports.wasm", wat::parse_str("(component)").unwrap()),
        ("naive.wasm", retailcast_bundled::find("naive").unwrap().component.to_vec()),
    ] {
        fs::write(folder.path().join(file), bytes).unwrap();
    }
    let catalogue = catalogue(Some(folder.path()), &[]);
    let entries = catalogue.entries();
    let reason = |key: &str| {
        let of_file = |e: &&retailcast_runtime::Entry| {
            e.key == key && matches!(e.origin, retailcast_runtime::Origin::File(_))
        };
        let entry = entries.iter().find(of_file).unwrap_or_else(|| panic!("{key} is not listed"));
        let State::Refused(error) = &entry.state else { panic!("{key}: {:?}", entry.state) };
        (error.code(), error.to_string())
    };
    for (key, code, words) in [
        ("truncated", "RC-P002", "compile"),
        ("core_module", "RC-P001", "wasm32-wasip2"),
        ("empty", "RC-P001", "0 bytes"),
        ("text", "RC-P001", "does not start like WebAssembly"),
        ("native", "RC-P001", "native"),
        ("files", "RC-P004", "Plugins have no files"),
        ("network", "RC-P004", "no network"),
        ("unknown_import", "RC-P004", "acme:warehouse/stock"),
        ("boosting", "RC-P004", "\n[plugins.settings.boosting]\ngrants = [\"gradient-boosting\"]"),
        ("future_contract", "RC-P003", "contract 0.1.0"),
        ("no_exports", "RC-P003", "exports nothing"),
        ("naive", "RC-P006", "rename the file"),
    ] {
        let (found, text) = reason(key);
        assert_eq!(found, code, "{key}: {text}");
        assert!(text.contains(words), "{key}: {text}");
    }
    assert!(catalogue.model("naive").is_ok());
}

#[test]
fn a_reload_finds_new_files_and_keeps_running_sessions() {
    let folder = tempfile::tempdir().unwrap();
    let catalogue = catalogue(Some(folder.path()), &[("hostile", tight())]);
    assert!(catalogue.model("hostile").is_err());
    let file = folder.path().join("hostile.wasm");
    fs::write(&file, retailcast_test_guests::HOSTILE).unwrap();
    catalogue.reload();
    let mut session = catalogue.model("hostile").unwrap().session(&Call::default()).unwrap();
    fs::remove_file(&file).unwrap();
    catalogue.reload();
    assert!(matches!(catalogue.model("hostile").err(), Some(PluginError::Unknown { .. })));
    let fitted = session.fit("{}", one(&[3.0])).unwrap();
    assert_eq!(session.predict(fitted, ahead(1, 1)).unwrap().points, [3.0]);
}
