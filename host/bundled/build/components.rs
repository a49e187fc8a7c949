//! Builds guest crates for wasm32-wasip2. Shared by the crates that embed components.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

const TARGET: &str = "wasm32-wasip2";
/// The workspace profile of components: fast, function names kept.
const PROFILE: &str = "guest";

/// The root of the workspace, `levels` folders above the crate whose build script runs.
pub(crate) fn workspace(levels: usize) -> PathBuf {
    let manifest = env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    Path::new(&manifest).ancestors().nth(levels).expect("the crate stands inside the workspace").to_owned()
}

/// Builds the packages and returns the folder that holds `PACKAGE_NAME.wasm` of each.
pub(crate) fn build(workspace: &Path, packages: &[String], watched: &[&str]) -> PathBuf {
    for path in ["wit", "sdk/rust", "Cargo.toml", "Cargo.lock"].iter().chain(watched) {
        println!("cargo:rerun-if-changed={}", workspace.join(path).display());
    }
    // A target folder of its own, because the outer cargo holds the lock of the usual one; beside the profiles
    // (target/plugins), so that debug and release builds share it.
    let target =
        out_dir().ancestors().nth(4).expect("OUT_DIR is target/PROFILE/build/CRATE/out").join("plugins");
    let mut cargo = Command::new(env::var_os("CARGO").expect("cargo sets it"));
    cargo.current_dir(workspace).args(["build", "--locked", "--profile", PROFILE, "--target", TARGET]);
    cargo.arg("--target-dir").arg(&target);
    for package in packages {
        cargo.args(["--package", package]);
    }
    // Flags and wrappers of the outer build (coverage, clippy) are meant for the host's target.
    for variable in [
        "RUSTFLAGS",
        "CARGO_ENCODED_RUSTFLAGS",
        "RUSTC_WRAPPER",
        "RUSTC_WORKSPACE_WRAPPER",
        "CARGO_BUILD_TARGET",
    ] {
        cargo.env_remove(variable);
    }
    // Every WebAssembly engine of today has the fixed-width vectors, and Rust leaves them off by default. Numeric
    // loops gain; results stay the same on every machine (relaxed vectors, which do not, stay off).
    cargo.env("CARGO_TARGET_WASM32_WASIP2_RUSTFLAGS", "-Ctarget-feature=+simd128");
    let output = cargo.output().expect("cargo can be started: it runs this script");
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        let missing = ["can't find crate for `core`", "target may not be installed"];
        let hint = if missing.iter().any(|words| stderr.contains(words)) {
            "\n\nThe Rust target of the plugins is missing. Run: rustup target add wasm32-wasip2"
        } else {
            ""
        };
        panic!("the plugins do not build:\n{stderr}{hint}");
    }
    target.join(TARGET).join(PROFILE)
}

/// Writes generated source beside the build.
pub(crate) fn write(file: &str, text: &str) {
    fs::write(out_dir().join(file), text).expect("OUT_DIR is writable");
}

fn out_dir() -> PathBuf {
    PathBuf::from(env::var("OUT_DIR").expect("cargo sets it"))
}
