//! Every check catches a plugin with the fault that it is for, and no good plugin.

use std::time::Duration;

use retailcast_conformance::{Level, all, check_file};
use retailcast_runtime::{Engine, EngineSettings, Limits, PluginSettings};
use retailcast_test_guests::{
    MUTANT_ADJUSTER, MUTANT_EMBEDDER, MUTANT_EXPLAINER, MUTANT_MODEL, mutant, patched,
};

use crate::first_party::bundled_model;

/// A fault, and the check that must catch it.
type Mutants = &'static [(&'static str, &'static str)];

/// Of forecast models.
const MODELS: Mutants = &[
    ("panic-in-describe", "static.start"),
    ("describe-by-clock", "lifecycle.describe"),
    ("refuse-defaults", "lifecycle.defaults"),
    ("needs-nothing", "lifecycle.needs"),
    ("panic-at-edge", "lifecycle.configurations"),
    ("panic-in-predict", "lifecycle.forecast"),
    ("short", "shape.length"),
    ("nan", "shape.finite"),
    ("strange-failure", "shape.positions"),
    ("levels-descend", "intervals.levels"),
    ("crossing", "intervals.nested"),
    ("no-intervals-given", "flags.intervals"),
    ("short-min-history", "flags.min-history"),
    ("table-deaf", "flags.exogenous"),
    ("table-undeclared-exogenous", "flags.endogenous"),
    ("needs-by-clock", "purity.needs"),
    ("fit-by-clock", "purity.clock"),
    ("fit-counts", "purity.refit"),
    ("predict-counts", "purity.predict"),
    ("rounds", "purity.reload"),
    ("takes-anything", "purity.strangers"),
    ("mean-of-panel", "panel.alone"),
    ("sorted", "panel.order"),
    ("panic-on-constant", "hard.constant"),
    ("panic-on-zeros", "hard.zeros"),
    ("panic-on-intermittent", "hard.intermittent"),
    ("panic-on-spike", "hard.spike"),
    ("panic-on-large", "hard.large"),
    ("panic-on-small", "hard.small"),
    ("panic-on-negative", "hard.negative"),
    ("panic-on-gaps", "hard.gaps"),
    ("table-panic-on-unknown", "hard.unknown"),
    ("panic-on-horizon", "hard.horizon"),
    ("panic-on-many", "hard.many"),
    ("all-or-nothing", "partial.poison"),
    ("no-reason", "partial.reasons"),
    ("endless", "resources.time"),
    ("memory-bomb", "resources.memory"),
    ("huge-state", "resources.payload"),
    ("leak", "resources.growth"),
    ("log-flood", "resources.log"),
];

/// Of explainers.
const EXPLAINERS: Mutants = &[
    ("describe-by-clock", "explainer.describe"),
    ("shouting-model", "explainer.models"),
    ("panic", "explainer.explains"),
    ("nan", "explainer.finite"),
    ("no-drivers", "explainer.drivers"),
    ("driver-twice", "explainer.drivers"),
    ("sum", "explainer.sum"),
    ("backwards", "explainer.directions"),
    ("reason-twice", "explainer.reasons"),
    ("mute", "explainer.words"),
    ("endless", "explainer.time"),
    ("memory-bomb", "explainer.memory"),
    ("huge", "explainer.payload"),
    ("log-flood", "explainer.log"),
    ("by-clock", "explainer.purity"),
    ("wrong-forecast", "explainer.forecast"),
    ("signals-count", "explainer.signals"),
    ("panic-on-zeros", "explainer.hard"),
    ("explains-all", "explainer.strangers"),
    ("panic-on-short", "explainer.short"),
    ("panic-on-config", "explainer.configuration"),
    ("takes-any-state", "explainer.states"),
];

/// Of scenario adjusters.
const ADJUSTERS: Mutants = &[
    ("describe-by-clock", "scenario.describe"),
    ("panic-on-promotion", "scenario.adjusts"),
    ("short", "scenario.shape"),
    ("negative", "scenario.finite"),
    ("crossing", "scenario.bounds"),
    ("endless", "scenario.time"),
    ("memory-bomb", "scenario.memory"),
    ("huge", "scenario.payload"),
    ("log-flood", "scenario.log"),
    ("optimist", "scenario.identity"),
    ("leaks", "scenario.window"),
    ("by-clock", "scenario.purity"),
    ("first-holiday", "scenario.holidays"),
    ("dearer-sells-more", "scenario.price"),
    ("panic-on-past", "scenario.extremes"),
];

/// Of embedding providers.
const EMBEDDERS: Mutants = &[
    ("describe-by-clock", "embedder.describe"),
    ("takes-nothing", "embedder.configuration"),
    ("limits-by-clock", "embedder.limits"),
    ("panic", "embedder.embeds"),
    ("short", "embedder.length"),
    ("nan", "embedder.finite"),
    ("endless", "embedder.time"),
    ("memory-bomb", "embedder.memory"),
    ("huge", "embedder.payload"),
    ("log-flood", "embedder.log"),
    ("remote-zeros", "embedder.offline"),
    ("by-clock", "embedder.purity"),
    ("neighbours", "embedder.batch"),
    ("no-coffee", "embedder.words"),
    ("opposite", "embedder.meaning"),
    ("panic-on-empty", "embedder.hard"),
    ("few-texts", "embedder.most"),
    ("long-vectors", "embedder.dimensions"),
];

/// Guests with faults.
const GUESTS: [(&[u8], Mutants); 4] = [
    (MUTANT_MODEL, MODELS),
    (MUTANT_EXPLAINER, EXPLAINERS),
    (MUTANT_ADJUSTER, ADJUSTERS),
    (MUTANT_EMBEDDER, EMBEDDERS),
];

/// Forms of the guests without a fault.
const GOOD: [(&[u8], &[&str]); 4] = [
    (MUTANT_MODEL, &["none", "good-table", "good-global", "no-intervals"]),
    (MUTANT_EXPLAINER, &["none", "fitted"]),
    (MUTANT_ADJUSTER, &["none", "prints"]),
    (MUTANT_EMBEDDER, &["none", "remote"]),
];

/// Faults of the file and of its constants.
fn files() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let importing = r#"(component (import "wasi:sockets/tcp@0.2.6" (instance (export "f" (func)))))"#;
    vec![
        ("a file cut in half", MUTANT_MODEL[..MUTANT_MODEL.len() / 2].to_vec(), "static.component"),
        ("a component with sockets", wat::parse_str(importing).unwrap(), "static.imports"),
        ("a component of no world", wat::parse_str("(component)").unwrap(), "static.contract"),
        ("a version without a number", patched(MUTANT_MODEL, "7.7.7", "7.7.x"), "static.description"),
        (
            "a licence in words",
            patched(MUTANT_MODEL, "LicenseRef-Mutant", "a licence of mine"),
            "static.about",
        ),
    ]
}

/// Tight, so that endless mutants are stopped quickly; far above what a good plugin needs.
fn tight() -> PluginSettings {
    let limits = Limits {
        memory: 64 << 20,
        fit: Duration::from_secs(2),
        predict: Duration::from_secs(2),
        embed: Duration::from_secs(2),
        payload: 2 << 20,
    };
    PluginSettings { limits, ..PluginSettings::default() }
}

fn engine() -> Engine {
    Engine::new(EngineSettings::default()).unwrap()
}

#[test]
fn every_mutant_is_caught_by_the_check_that_names_it() {
    let engine = engine();
    let mut survivors = String::new();
    let written = GUESTS.iter().flat_map(|(guest, mutants)| {
        mutants.iter().map(|(fault, check)| (*fault, mutant(guest, fault), *check))
    });
    for (fault, component, check) in written.chain(files()) {
        let report = check_file(&engine, "mutant", &component, &tight(), Level::Full, &bundled_model);
        if report.passed || !report.failed().contains(&check) {
            survivors += &format!("{fault} is not caught by {check}:\n{}\n", report.text());
        }
    }
    assert!(survivors.is_empty(), "{survivors}");
}

#[test]
fn the_good_forms_of_the_mutants_conform() {
    let engine = engine();
    for (guest, forms) in GOOD {
        for form in forms {
            let component = mutant(guest, form);
            let report = check_file(&engine, "mutant", &component, &tight(), Level::Full, &bundled_model);
            assert!(report.passed, "{form}: {}", report.text());
        }
    }
}

#[test]
fn every_check_has_a_mutant() {
    let files = files();
    let written = GUESTS.iter().flat_map(|(_, mutants)| mutants.iter().map(|(_, check)| *check));
    let named: Vec<&str> = written.chain(files.iter().map(|(_, _, check)| *check)).collect();
    for check in all() {
        assert!(
            named.contains(&check.id),
            "{} has no mutant: nothing shows that it catches anything",
            check.id
        );
    }
}
