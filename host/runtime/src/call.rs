//! What a request brings along to the plugin: who asks, until when, and with which seed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::http::HttpAccess;
use crate::trace::Trace;

/// Tells running work that nobody waits for it any more. Clones share one flag.
#[derive(Debug, Clone, Default)]
pub struct CancelToken(Arc<AtomicBool>);

impl CancelToken {
    /// Asks everything that holds a clone to stop at its next checkpoint (10 ms in plugins, one round in LightGBM).
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether somebody asked.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Cancels when the returned guard is dropped: hold it in the future of a request, and a client that goes
    /// away stops the computation.
    #[must_use]
    pub fn cancel_on_drop(&self) -> CancelOnDrop {
        CancelOnDrop(self.clone())
    }
}

/// See [`CancelToken::cancel_on_drop`].
#[derive(Debug)]
pub struct CancelOnDrop(CancelToken);

impl CancelOnDrop {
    /// Lets go without cancelling: the work is done.
    pub fn disarm(mut self) {
        self.0 = CancelToken::default();
    }
}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// The context of one request's work with a plugin.
#[derive(Debug, Clone, Default)]
pub struct Call {
    /// Request id, or another name of the run, for the log.
    pub id: String,
    /// When the answer is due; `None` waits for the plugin's own limit.
    pub deadline: Option<Instant>,
    /// Stops the work early.
    pub cancel: CancelToken,
    /// Seeds the plugin's random numbers.
    pub seed: u64,
    /// Threads that a capability may use for one call; 0 is one. Whoever runs many calls side by side leaves it there.
    pub threads: usize,
    /// What the plugin sees as the present, as time since 1970-01-01.
    pub now: Duration,
    /// Where a plugin that was granted HTTP may go, and as whom; nowhere when `None`.
    pub http: Option<Arc<HttpAccess>>,
    /// Collects what passes between host and plugin, when somebody wants to see it.
    pub trace: Option<Trace>,
}
