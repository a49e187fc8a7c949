//! Builds the guests under this folder.

#[path = "../../host/bundled/build/components.rs"]
mod components;

fn main() {
    let workspace = components::workspace(2);
    let packages = ["hostile", "mutants"].map(|guest| format!("retailcast-guest-{guest}"));
    let built = components::build(&workspace, &packages, &["tests/guests", "host/bundled/build"]);
    let file = |guest: &str| built.join(format!("retailcast_guest_{guest}.wasm"));
    let (hostile, mutant) = (file("hostile"), file("mutants"));
    components::write(
        "guests.rs",
        &format!(
            "/// The plugin with a fault for every test, chosen by its configuration.\n\
             pub const HOSTILE: &[u8] = include_bytes!({hostile:?});\n\
             /// The good plugin whose fault is written into it: see [`mutant`].\n\
             pub const MUTANT: &[u8] = include_bytes!({mutant:?});\n"
        ),
    );
}
