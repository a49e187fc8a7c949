//! The threads that compute. Plugins, LightGBM and feature frames run here and never on the async reactor, so
//! that a plugin in an endless loop takes one thread until its deadline and nothing else.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use tokio::sync::oneshot;

/// Plenty for wasmtime's guest stack of 1 MiB, host calls on top of it and tree code.
const STACK: usize = 8 << 20;

type Job = Box<dyn FnOnce() + Send>;

/// The queue is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("all {threads} compute threads are busy and {queue} calls wait; `compute.queue` raises the limit")]
pub struct Busy {
    /// Threads of the pool.
    pub threads: usize,
    /// Longest queue allowed.
    pub queue: usize,
}

/// A fixed number of threads with a bounded queue, first come first served.
#[derive(Debug)]
pub struct ComputePool {
    shared: Arc<Shared>,
    threads: usize,
    capacity: usize,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    closed: bool,
}

impl ComputePool {
    /// Starts `threads` threads (at least one) with room for `capacity` waiting calls.
    pub fn new(threads: usize, capacity: usize) -> std::io::Result<Self> {
        let threads = threads.max(1);
        let shared = Arc::new(Shared::default());
        for i in 0..threads {
            let shared = Arc::clone(&shared);
            std::thread::Builder::new()
                .name(format!("compute-{i}"))
                .stack_size(STACK)
                .spawn(move || work(&shared))?;
        }
        Ok(Self { shared, threads, capacity })
    }

    /// Number of threads.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Calls that wait for a thread.
    pub fn waiting(&self) -> usize {
        self.shared.lock().jobs.len()
    }

    /// Puts a job into the queue; its result comes through the receiver. A job that panics drops its sender, so
    /// that the receiver ends with an error.
    pub fn submit<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<oneshot::Receiver<T>, Busy> {
        let (sender, receiver) = oneshot::channel();
        let job: Job = Box::new(move || {
            // Whoever waited may be gone; then the result is not wanted.
            let _ = sender.send(job());
        });
        let mut queue = self.shared.lock();
        if queue.jobs.len() >= self.capacity {
            return Err(Busy { threads: self.threads, queue: self.capacity });
        }
        queue.jobs.push_back(job);
        drop(queue);
        self.shared.changed.notify_one();
        Ok(receiver)
    }
}

impl Drop for ComputePool {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_all();
    }
}

impl Shared {
    // The lock is held for queue operations only, none of which panics.
    fn lock(&self) -> std::sync::MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn work(shared: &Shared) {
    loop {
        let mut queue = shared.lock();
        let job = loop {
            if let Some(job) = queue.jobs.pop_front() {
                break job;
            }
            if queue.closed {
                return;
            }
            queue = shared.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        };
        drop(queue);
        // The panic hook has logged it; the thread lives on for the others.
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(job));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_when_the_queue_is_full_and_survives_a_panic() {
        let pool = ComputePool::new(1, 1).unwrap();
        let (release, gate) = std::sync::mpsc::channel::<()>();
        let (started, running) = std::sync::mpsc::channel::<()>();
        let first = pool
            .submit(move || {
                started.send(()).unwrap();
                gate.recv().unwrap();
                panic!("a job that fails");
            })
            .unwrap();
        running.recv().unwrap();
        let second = pool.submit(|| 2).unwrap();
        assert_eq!(pool.submit(|| 3).unwrap_err(), Busy { threads: 1, queue: 1 });
        release.send(()).unwrap();
        let _: Result<(), _> = first.blocking_recv();
        assert_eq!(second.blocking_recv().unwrap(), 2);
    }
}
