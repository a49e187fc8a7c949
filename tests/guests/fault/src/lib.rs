//! The fault of a mutant. Which one stands in [`FAULT`], 32 bytes that tests overwrite in the built component: so one
//! build gives every mutant, also those whose description is wrong.

use std::hint::black_box;
use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

use retailcast_sdk::log::{Level, log};

/// `fault:` and the name of the fault, filled with spaces.
static FAULT: [u8; 32] = *b"fault:none                      ";

/// The name of the fault; `none` for the good plugin.
pub fn fault() -> &'static str {
    // The compiler must not look at what tests overwrite.
    let bytes: &'static [u8; 32] = black_box(&FAULT);
    std::str::from_utf8(&bytes[6..]).map_or("none", str::trim_end)
}

/// Whether it has this fault.
pub fn has(name: &str) -> bool {
    fault() == name
}

/// Seconds since 1970, as the sandbox tells them.
pub fn clock() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

static HOARD: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

/// Keeps bytes for ever.
///
/// # Panics
/// Never: there is one thread.
pub fn hoard(bytes: usize) {
    HOARD.lock().expect("one thread").push(vec![1; bytes]);
}

/// What a call does with too much of everything, when that is the fault: `memory-bomb`, `endless`, `log-flood`.
pub fn overdo() {
    match fault() {
        "memory-bomb" => loop {
            hoard(black_box(1 << 20));
        },
        "endless" => loop {
            black_box(fault());
        },
        "log-flood" => {
            for line in 0..1000 {
                log(Level::Info, "a line of the flood", &[("line", line.to_string())]);
            }
        }
        _ => {}
    }
}

/// What the plugin says of itself; something else at every time with the fault `describe-by-clock`.
pub fn described(
    mut description: retailcast_sdk::component::WitDescription,
) -> retailcast_sdk::component::WitDescription {
    if has("describe-by-clock") {
        description.summary = format!("At {}.", clock());
    }
    description
}
