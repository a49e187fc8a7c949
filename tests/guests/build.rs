//! Builds the guests under this folder.

#[path = "../../host/bundled/build/components.rs"]
mod components;

fn main() {
    let workspace = components::workspace(2);
    let packages = ["retailcast-guest-hostile".to_owned()];
    let built = components::build(&workspace, &packages, &["tests/guests", "host/bundled/build"]);
    let file = built.join("retailcast_guest_hostile.wasm");
    components::write(
        "guests.rs",
        &format!(
            "/// The plugin with a fault for every test, chosen by its configuration.\npub const HOSTILE: &[u8] = include_bytes!({file:?});\n"
        ),
    );
}
