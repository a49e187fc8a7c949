//! What the compiler says when a plugin is exported wrongly.

#[test]
fn the_export_macros_say_what_is_missing() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
