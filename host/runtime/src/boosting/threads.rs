//! How many threads LightGBM uses.
//!
//! LightGBM keeps that number in one variable of the process, sizes buffers by it, and later walks them with as many
//! threads as the variable says then. So while a call runs, nobody may raise it: calls on one thread run side by side,
//! and a call on several has the library to itself. A training takes it round by round and lets the others in between.

use std::sync::Once;

use lightgbm3_sys as sys;
use parking_lot::{RwLock, RwLockWriteGuard};

/// Read: a call on one thread. Written: a call on several.
static LIBRARY: RwLock<()> = RwLock::new(());

/// Before the first call LightGBM would use all cores.
static FIRST: Once = Once::new();

/// Runs one call of the library on at most so many threads.
pub(super) fn on<T>(threads: usize, call: impl FnOnce() -> T) -> T {
    FIRST.call_once(|| limit(1));
    if threads <= 1 {
        let _beside_others = LIBRARY.read();
        return call();
    }
    let alone = LIBRARY.write();
    let one_again = OneAgain;
    limit(threads);
    let result = call();
    drop(one_again);
    // Whoever waits comes first: the next round of this training would else overtake them, time and again.
    RwLockWriteGuard::unlock_fair(alone);
    result
}

/// Ends the use of several threads, however the call ends.
struct OneAgain;

impl Drop for OneAgain {
    fn drop(&mut self) {
        limit(1);
    }
}

fn limit(threads: usize) {
    let threads = i32::try_from(threads).unwrap_or(i32::MAX);
    // SAFETY: it sets an integer, which no other call reads meanwhile: see above.
    #[allow(unsafe_code)]
    let code = unsafe { sys::LGBM_SetMaxThreads(threads) };
    debug_assert_eq!(code, 0, "LGBM_SetMaxThreads has no way to fail");
}
