//! The first-party plugins as WebAssembly components. `build.rs` builds them from `plugins/*`, so that a fresh
//! `cargo build` gives a program that works alone.

/// A component that comes with the program.
#[derive(Debug, Clone, Copy)]
pub struct BundledPlugin {
    /// Folder under `plugins/`, with `_` for `-`; also the plugin's name.
    pub name: &'static str,
    /// The component.
    pub component: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/plugins.rs"));

/// The component of this name.
pub fn find(name: &str) -> Option<&'static BundledPlugin> {
    PLUGINS.iter().find(|plugin| plugin.name == name)
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_plugin_is_a_component() {
        assert!(super::find("naive").is_some());
        for plugin in super::PLUGINS {
            // Magic number, then version 13 of layer 1: a component, not a core module.
            assert_eq!(plugin.component[..8], *b"\0asm\x0d\0\x01\0", "{}", plugin.name);
        }
    }
}
