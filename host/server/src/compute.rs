//! From the async world to the compute threads and back.

use std::sync::Arc;
use std::time::Duration;

use retailcast_runtime::{Busy, Call, ComputePool, Lane, PoolSettings};

/// Why no result came from the compute threads.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ComputeError {
    /// The queue is full.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// No thread was free before the request's deadline.
    #[error("no compute thread was free within `server.request_seconds`")]
    Late,
    /// The work panicked; the panic is in the log.
    #[error("the computation ended without a result")]
    Lost,
}

/// Runs work on a compute thread. When the caller goes away (a client that disconnects) or the deadline passes, the
/// token is cancelled; work that has not begun by then does not begin.
pub async fn run<T: Send + 'static>(
    pool: &ComputePool,
    lane: &Lane,
    call: &Call,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ComputeError> {
    let guard = call.cancel.cancel_on_drop();
    let span = tracing::Span::current();
    let cancel = call.cancel.clone();
    let result = pool.submit(lane, move || (!cancel.is_cancelled()).then(|| span.in_scope(work)))?;
    let result = match call.deadline {
        // A plugin sees the same deadline and ends by itself, with a better answer: it gets the time to give it.
        Some(deadline) => tokio::time::timeout_at((deadline + GRACE).into(), result)
            .await
            .map_err(|_| ComputeError::Late)?,
        None => result.await,
    };
    let result = result.ok().flatten().ok_or(ComputeError::Lost)?;
    // The work is done: nothing is left to cancel, and the token may serve the next step.
    guard.disarm();
    Ok(result)
}

/// See [`run`].
const GRACE: Duration = Duration::from_millis(500);

/// The pool of a server, 0 threads for as many as there are cores, at least two. One thread is beyond the reach of each
/// single lane, so that a plugin that loops leaves a core to the others.
pub fn start(threads: usize, queue: usize) -> std::io::Result<Arc<ComputePool>> {
    let threads = if threads == 0 { or_all_cores(0).max(2) } else { threads };
    let lane_threads = threads.saturating_sub(1).max(1);
    ComputePool::new(PoolSettings { threads, lane_threads, queue }).map(Arc::new)
}

/// The pool of a program that does one thing at a time and may use all threads for it; 0 for as many as there are cores.
pub fn start_alone(threads: usize, queue: usize) -> std::io::Result<Arc<ComputePool>> {
    let threads = or_all_cores(threads);
    ComputePool::new(PoolSettings { threads, lane_threads: threads, queue }).map(Arc::new)
}

/// As many threads as cores for 0.
pub fn or_all_cores(threads: usize) -> usize {
    if threads > 0 { threads } else { std::thread::available_parallelism().map_or(1, std::num::NonZero::get) }
}
