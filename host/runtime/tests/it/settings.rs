//! Which settings a file gets, and that nothing gets those of another plugin.

use std::fs;
use std::path::Path;

use retailcast_runtime::{Catalogue, Entry, Origin, PluginSettings, State};

use crate::support::catalogue;

fn lightgbm() -> &'static [u8] {
    retailcast_bundled::find("lightgbm").unwrap().component
}

fn granted() -> PluginSettings {
    PluginSettings { gradient_boosting: true, ..PluginSettings::default() }
}

fn disabled() -> PluginSettings {
    PluginSettings { enabled: false, ..granted() }
}

fn entry(catalogue: &Catalogue, file: &Path) -> Entry {
    let found = Origin::File(file.to_owned());
    catalogue.entries().iter().find(|entry| entry.origin == found).unwrap().clone()
}

fn reason(catalogue: &Catalogue, file: &Path) -> (&'static str, String) {
    match entry(catalogue, file).state {
        State::Refused(error) => (error.code(), error.to_string()),
        other => panic!("{}: {other:?}", file.display()),
    }
}

#[test]
fn a_file_cannot_take_the_settings_of_a_bundled_plugin() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lightgbm.wasm");
    fs::write(&file, lightgbm()).unwrap();
    for settings in [granted(), disabled()] {
        let catalogue = catalogue(Some(folder.path()), &[("lightgbm", settings)]);
        let (code, text) = reason(&catalogue, &file);
        assert_eq!(code, "RC-P006");
        assert!(text.contains("[plugins.settings.lightgbm] belongs to the bundled plugin"), "{text}");
        assert!(text.ends_with("rename the file"), "{text}");
    }
}

#[test]
fn under_a_name_of_its_own_a_file_can_replace_a_disabled_plugin() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("my_lightgbm.wasm"), lightgbm()).unwrap();
    let catalogue = catalogue(Some(folder.path()), &[("lightgbm", disabled()), ("my_lightgbm", granted())]);
    assert!(catalogue.model("lightgbm").is_ok());
}

#[test]
fn two_files_cannot_share_one_settings_table() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("a-b.wasm"), folder.path().join("a_b.wasm"));
    fs::write(&first, retailcast_test_guests::HOSTILE).unwrap();
    fs::write(&second, lightgbm()).unwrap();
    let catalogue = catalogue(Some(folder.path()), &[("lightgbm", disabled()), ("a_b", granted())]);
    assert!(matches!(entry(&catalogue, &first).state, State::Loaded(_)));
    let (code, text) = reason(&catalogue, &second);
    assert_eq!(code, "RC-P006");
    assert!(text.contains("a-b.wasm"), "{text}");
}

#[test]
fn the_hint_for_a_taken_name_switches_the_other_plugin_off() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("first one.wasm"), folder.path().join("second.wasm"));
    fs::write(&first, retailcast_test_guests::HOSTILE).unwrap();
    fs::write(&second, retailcast_test_guests::HOSTILE).unwrap();
    let (_, text) = reason(&catalogue(Some(folder.path()), &[]), &second);
    let hint = "[plugins.settings.\"first one\"]\nenabled = false";
    assert!(text.ends_with(&format!("\n{hint}")), "{text}");
    // Pasted, it helps.
    let off = PluginSettings { enabled: false, ..PluginSettings::default() };
    let catalogue = catalogue(Some(folder.path()), &[("first one", off)]);
    assert!(matches!(entry(&catalogue, &second).state, State::Loaded(_)));
}

#[test]
fn the_same_bytes_under_another_name_are_judged_by_their_own_settings() {
    let folder = tempfile::tempdir().unwrap();
    let (granted_file, bare_file) = (folder.path().join("granted.wasm"), folder.path().join("bare.wasm"));
    let pinned = PluginSettings { sha256: Some("00".repeat(32)), ..granted() };
    let settings = [("lightgbm", disabled()), ("granted", granted()), ("pinned", pinned)];
    fs::write(&granted_file, lightgbm()).unwrap();
    let catalogue = catalogue(Some(folder.path()), &settings);
    assert!(matches!(entry(&catalogue, &granted_file).state, State::Loaded(_)));

    // A reload sees the same bytes, already loaded, under names that were granted nothing or pin others.
    let pinned_file = folder.path().join("pinned.wasm");
    fs::copy(&granted_file, &bare_file).unwrap();
    fs::copy(&granted_file, &pinned_file).unwrap();
    catalogue.reload();
    assert_eq!(reason(&catalogue, &bare_file).0, "RC-P004");
    assert_eq!(reason(&catalogue, &pinned_file).0, "RC-P005");
    assert!(matches!(entry(&catalogue, &granted_file).state, State::Loaded(_)));

    fs::remove_file(&granted_file).unwrap();
    catalogue.reload();
    assert_eq!(reason(&catalogue, &bare_file).0, "RC-P004");
    assert!(catalogue.model("lightgbm").is_err());
}
