//! Builds every crate under `plugins/` and writes the list that `lib.rs` includes.

mod components;

use std::fs;
use std::path::Path;

fn main() {
    let workspace = components::workspace(2);
    let plugins = folders(&workspace.join("plugins"));
    let packages: Vec<String> = plugins.iter().map(|plugin| format!("retailcast-plugin-{plugin}")).collect();
    let built = components::build(&workspace, &packages, &["plugins", "host/bundled/build"]);

    let mut list = String::from("/// All of them, by name.\npub const PLUGINS: &[BundledPlugin] = &[\n");
    for plugin in plugins {
        let name = plugin.replace('-', "_");
        let file = built.join(format!("retailcast_plugin_{name}.wasm"));
        list += &format!("    BundledPlugin {{ name: {name:?}, component: include_bytes!({file:?}) }},\n");
    }
    components::write("plugins.rs", &(list + "];\n"));
}

fn folders(root: &Path) -> Vec<String> {
    let mut folders: Vec<String> = fs::read_dir(root)
        .unwrap_or_else(|e| panic!("cannot list {}: {e}", root.display()))
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.join("Cargo.toml").exists())
        .map(|path| path.file_name().expect("an entry has a name").to_string_lossy().into_owned())
        .collect();
    folders.sort();
    folders
}
