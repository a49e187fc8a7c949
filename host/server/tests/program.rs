//! The program as it is built. That there is a test of it here makes `cargo test` build it, for the tests of processes
//! in `tests/it/process`, with the same features as everything else.

#[test]
fn it_tells_its_version() {
    let output =
        std::process::Command::new(env!("CARGO_BIN_EXE_retailcast")).arg("--version").output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said.trim(), concat!("retailcast ", env!("CARGO_PKG_VERSION")));
}
