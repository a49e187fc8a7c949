//! From the async world to the compute threads and back.

use std::sync::Arc;

use retailcast_runtime::{Busy, CancelToken, ComputePool};

/// Why no result came from the compute threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ComputeError {
    /// The queue is full.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// The work panicked; the panic is in the log.
    #[error("the computation ended without a result")]
    Lost,
}

/// Runs work on a compute thread. When the caller goes away (a client that disconnects), the token is cancelled.
pub async fn run<T: Send + 'static>(
    pool: &ComputePool,
    cancel: &CancelToken,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ComputeError> {
    let guard = cancel.cancel_on_drop();
    let span = tracing::Span::current();
    let result = pool.submit(move || span.in_scope(work))?.await.map_err(|_| ComputeError::Lost)?;
    // The work is done: nothing is left to cancel, and the token may serve the next step.
    guard.disarm();
    Ok(result)
}

/// As many threads as cores less one, which stays for the reactor and the database; at least one.
pub fn default_threads() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| cores.get().saturating_sub(1)).max(1)
}

/// Starts the pool; 0 threads means [`default_threads`].
pub fn start(threads: usize, queue: usize) -> std::io::Result<Arc<ComputePool>> {
    let threads = if threads == 0 { default_threads() } else { threads };
    ComputePool::new(threads, queue).map(Arc::new)
}
