//! Plugins that tests load.

include!(concat!(env!("OUT_DIR"), "/guests.rs"));

/// A mutant of a guest such as [`MUTANT_MODEL`]: with this fault (`none` for the good plugin).
///
/// # Panics
/// When the fault's name is longer than the room for it.
pub fn mutant(guest: &[u8], fault: &str) -> Vec<u8> {
    const GOOD: &str = "fault:none                      ";
    let bad = format!("fault:{fault:<26}");
    assert_eq!(bad.len(), GOOD.len(), "the name of a fault has at most 26 characters");
    patched(guest, GOOD, &bad)
}

/// A component with one text in its data replaced by another of the same length.
///
/// # Panics
/// When the lengths differ, or the text is not there.
pub fn patched(component: &[u8], text: &str, by: &str) -> Vec<u8> {
    assert_eq!(text.len(), by.len(), "a longer text would move what stands behind it");
    let mut bytes = component.to_vec();
    let places: Vec<usize> =
        (0..=bytes.len() - text.len()).filter(|at| bytes[*at..].starts_with(text.as_bytes())).collect();
    assert!(!places.is_empty(), "`{text}` is not in the component");
    for at in places {
        bytes[at..at + by.len()].copy_from_slice(by.as_bytes());
    }
    bytes
}
