//! Plugins that tests load.

include!(concat!(env!("OUT_DIR"), "/guests.rs"));
