//! Builds the guests under this folder.

#[path = "../../host/bundled/build/components.rs"]
mod components;

fn main() {
    let workspace = components::workspace(2);
    let guests = ["hostile", "mutant-model", "mutant-explainer", "mutant-adjuster", "mutant-embedder"];
    let packages = guests.map(|guest| format!("retailcast-guest-{guest}"));
    let built = components::build(&workspace, &packages, &["tests/guests", "host/bundled/build"]);
    let constant = |guest: &str| {
        let file = built.join(format!("retailcast_guest_{}.wasm", guest.replace('-', "_")));
        let name = guest.replace('-', "_").to_uppercase();
        format!(
            "/// The component of `tests/guests/{guest}`.\npub const {name}: &[u8] = include_bytes!({file:?});\n"
        )
    };
    components::write("guests.rs", &guests.map(constant).concat());
}
