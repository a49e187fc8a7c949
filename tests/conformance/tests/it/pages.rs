//! Pages that are written from code.

use std::path::Path;

use retailcast_conformance::{all, reference};

#[test]
fn the_page_of_the_checks_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(reference::PAGE);
    let page = reference::page(&all());
    if std::env::var_os("RETAILCAST_WRITE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == page,
        "{} is not what the checks say; RETAILCAST_WRITE_DOCS=1 cargo test -p retailcast-conformance pages",
        reference::PAGE
    );
}

#[test]
fn ids_are_unique_and_rules_are_sentences() {
    let checks = all();
    for (i, check) in checks.iter().enumerate() {
        assert!(checks[..i].iter().all(|other| other.id != check.id), "{} stands there twice", check.id);
        assert!(
            check.id.contains('.') && check.rule.ends_with('.') && check.mend.ends_with('.'),
            "{}",
            check.id
        );
    }
}
