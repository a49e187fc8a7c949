//! Tells the program what it is made with: recorded with every registered run.

use std::process::Command;
use std::{env, fs};

fn main() {
    // Asked at run time: a kept target folder may have this script from another checkout.
    let crate_folder = env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    let lock = format!("{crate_folder}/../../Cargo.lock");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={lock}");
    // The dashboard's files are part of the program, which the compiler alone would not notice.
    println!("cargo::rerun-if-changed=src/dashboard/static");
    println!("cargo::rustc-env=RETAILCAST_RUSTC_VERSION={}", rustc_version());
    println!("cargo::rustc-env=RETAILCAST_WASMTIME_VERSION={}", locked_version(&lock, "wasmtime"));
}

/// `1.95.0`.
fn rustc_version() -> String {
    let rustc = env::var("RUSTC").expect("cargo sets RUSTC for build scripts");
    let output = Command::new(rustc).arg("--version").output().expect("the compiler runs");
    let text = String::from_utf8(output.stdout).expect("rustc --version is text");
    text.split(' ').nth(1).expect("rustc --version begins with `rustc VERSION`").to_owned()
}

/// The version of a package in Cargo.lock.
fn locked_version(lock: &str, name: &str) -> String {
    let text = fs::read_to_string(lock).expect("the workspace has a Cargo.lock");
    let (_, rest) = text
        .split_once(&format!("name = \"{name}\"\nversion = \""))
        .unwrap_or_else(|| panic!("Cargo.lock has no package {name}"));
    rest.split('"').next().unwrap_or_default().to_owned()
}
