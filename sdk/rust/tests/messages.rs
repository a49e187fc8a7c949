//! What the compiler says when a plugin is exported wrongly. The words around ours are those of the compiler that the
//! project is checked with (Rust 1.95); with another one, `TRYBUILD=overwrite` shows what became of them.

#[test]
fn the_export_macros_say_what_is_missing() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
