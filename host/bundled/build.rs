//! Builds every crate under `plugins/` for wasm32-wasip2 and writes the list that `lib.rs` includes.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

const TARGET: &str = "wasm32-wasip2";
/// The workspace profile of components: optimised for size of calls, function names kept.
const PROFILE: &str = "guest";

fn main() {
    let workspace = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"))
        .ancestors()
        .nth(2)
        .expect("this crate stands in host/bundled")
        .to_owned();
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it"));
    // A target folder of its own, because the outer cargo holds the lock of the usual one; beside the profiles
    // (target/plugins), so that debug and release builds share it.
    let target = out.ancestors().nth(4).expect("OUT_DIR is target/PROFILE/build/CRATE/out").join("plugins");
    for path in ["wit", "sdk/rust", "plugins", "Cargo.toml", "Cargo.lock"] {
        println!("cargo:rerun-if-changed={}", workspace.join(path).display());
    }

    let plugins = plugin_folders(&workspace.join("plugins"));
    build(&workspace, &target, &plugins);
    let components = target.join(TARGET).join(PROFILE);
    fs::write(out.join("plugins.rs"), listing(&components, &plugins)).expect("OUT_DIR is writable");
}

fn plugin_folders(root: &Path) -> Vec<String> {
    let mut folders: Vec<String> = fs::read_dir(root)
        .unwrap_or_else(|e| panic!("cannot list {}: {e}", root.display()))
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.join("Cargo.toml").exists())
        .map(|path| path.file_name().expect("an entry has a name").to_string_lossy().into_owned())
        .collect();
    folders.sort();
    folders
}

fn build(workspace: &Path, target: &Path, plugins: &[String]) {
    let mut cargo = Command::new(env::var_os("CARGO").expect("cargo sets it"));
    cargo.current_dir(workspace).args(["build", "--locked", "--profile", PROFILE, "--target", TARGET]);
    cargo.arg("--target-dir").arg(target);
    for plugin in plugins {
        cargo.args(["--package", &format!("retailcast-plugin-{plugin}")]);
    }
    // Flags and wrappers of the outer build (coverage, clippy) are meant for the host's target.
    for variable in
        ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER", "CARGO_BUILD_TARGET"]
    {
        cargo.env_remove(variable);
    }
    let output = cargo.output().expect("cargo can be started: it runs this script");
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        let hint = if stderr.contains("can't find crate for `core`") || stderr.contains("target may not be installed")
        {
            "\n\nThe Rust target of the plugins is missing. Run: rustup target add wasm32-wasip2"
        } else {
            ""
        };
        panic!("the plugins do not build:\n{stderr}{hint}");
    }
}

fn listing(components: &Path, plugins: &[String]) -> String {
    let mut text =
        String::from("/// All of them, by name.\npub const PLUGINS: &[BundledPlugin] = &[\n");
    for plugin in plugins {
        let name = plugin.replace('-', "_");
        let file = components.join(format!("retailcast_plugin_{name}.wasm"));
        text += &format!("    BundledPlugin {{ name: {name:?}, component: include_bytes!({file:?}) }},\n");
    }
    text + "];\n"
}
