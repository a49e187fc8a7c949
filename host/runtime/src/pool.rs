//! The threads that compute. Plugins, LightGBM and feature frames run here and never on the async reactor.
//!
//! Every call belongs to a [`Lane`]: its plugin's, or the host's own. A plugin in an endless loop holds threads of its
//! own lane until its deadline; no other lane waits for it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// Plenty for wasmtime's guest stack of 1 MiB, host calls on top of it and tree code.
const STACK: usize = 8 << 20;

/// Lanes that get a thread of their own when all others are taken: so many plugins may loop at the same time before
/// anybody waits for them.
const RESERVES: usize = 16;

type Job = Box<dyn FnOnce() + Send>;

/// Whose call it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Lane(Arc<str>);

impl Lane {
    /// The host's own work: feature frames, made-up data.
    pub fn host() -> Self {
        // No plugin has an empty name.
        Self(Arc::from(""))
    }

    /// Calls of this plugin.
    pub fn plugin(name: &str) -> Self {
        Self(Arc::from(name))
    }
}

impl std::fmt::Display for Lane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_empty() { f.write_str("the host itself") } else { write!(f, "plugin {}", self.0) }
    }
}

/// The queue of a lane is full.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{running} calls of {lane} are running and {queue} wait; `compute.queue` raises the limit")]
pub struct Busy {
    /// Whose.
    pub lane: Lane,
    /// Its calls that run.
    pub running: usize,
    /// Longest queue allowed.
    pub queue: usize,
}

/// How many threads there are and who gets them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolSettings {
    /// Threads, at least one.
    pub threads: usize,
    /// Threads that one lane may hold, at least one and at most all.
    pub lane_threads: usize,
    /// Calls of one lane that may wait.
    pub queue: usize,
}

/// Threads with a bounded queue for each lane, lanes in turn, first come first served within one.
///
/// A call starts when its lane has none running, or when a thread is free and its lane holds fewer than its share. So
/// there are up to `threads` busy threads, and above them at most one for each lane that would have none.
#[derive(Debug)]
pub struct ComputePool {
    shared: Arc<Shared>,
}

struct Shared {
    settings: PoolSettings,
    state: Mutex<State>,
    changed: Condvar,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("settings", &self.settings).finish_non_exhaustive()
    }
}

#[derive(Default)]
struct State {
    /// Lanes with calls that wait or run.
    lanes: HashMap<Lane, Calls>,
    /// Lanes with calls that wait, in the order in which they get their turn.
    turns: VecDeque<Lane>,
    waiting: usize,
    running: usize,
    /// Threads that were started. Those that run no call wait for one, or are about to look for one.
    started: usize,
    closed: bool,
}

#[derive(Default)]
struct Calls {
    waiting: VecDeque<Job>,
    running: usize,
}

impl ComputePool {
    /// Starts the threads.
    pub fn new(settings: PoolSettings) -> std::io::Result<Self> {
        let threads = settings.threads.max(1);
        let settings =
            PoolSettings { threads, lane_threads: settings.lane_threads.clamp(1, threads), ..settings };
        let shared = Arc::new(Shared { settings, state: Mutex::default(), changed: Condvar::new() });
        for _ in 0..threads {
            shared.start_thread(&mut shared.lock())?;
        }
        Ok(Self { shared })
    }

    /// Number of threads, without those that lanes get above it.
    pub fn threads(&self) -> usize {
        self.shared.settings.threads
    }

    /// Calls that wait for a thread.
    pub fn waiting(&self) -> usize {
        self.shared.lock().waiting
    }

    /// Puts a job into the queue of its lane; its result comes through the receiver. A job that panics drops its
    /// sender, so that the receiver ends with an error.
    pub fn submit<T: Send + 'static>(
        &self,
        lane: &Lane,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<oneshot::Receiver<T>, Busy> {
        let (sender, receiver) = oneshot::channel();
        let job: Job = Box::new(move || {
            // Whoever waited may be gone; then the result is not wanted.
            let _ = sender.send(job());
        });
        let shared = &self.shared;
        let mut state = shared.lock();
        let calls = state.lanes.entry(lane.clone()).or_default();
        let (running, waiting) = (calls.running, calls.waiting.len());
        if waiting >= shared.settings.queue {
            return Err(Busy { lane: lane.clone(), running, queue: shared.settings.queue });
        }
        calls.waiting.push_back(job);
        if waiting == 0 {
            state.turns.push_back(lane.clone());
        }
        state.waiting += 1;
        shared.wake(&mut state);
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
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sees to it that somebody takes the next call that may start.
    fn wake(self: &Arc<Self>, state: &mut State) {
        if state.next_turn(&self.settings).is_none() {
            return;
        }
        if state.started == state.running && state.started < self.settings.threads + RESERVES {
            if let Err(e) = self.start_thread(state) {
                tracing::warn!("no further compute thread could be started, calls wait for the others: {e}");
            }
        } else {
            self.changed.notify_one();
        }
    }

    fn start_thread(self: &Arc<Self>, state: &mut State) -> std::io::Result<()> {
        let shared = Arc::clone(self);
        std::thread::Builder::new()
            .name(format!("compute-{}", state.started))
            .stack_size(STACK)
            .spawn(move || work(&shared))?;
        state.started += 1;
        Ok(())
    }
}

impl State {
    /// Place in `turns` of the first lane that may start a call.
    fn next_turn(&self, settings: &PoolSettings) -> Option<usize> {
        let free = self.running < settings.threads;
        self.turns.iter().position(|lane| {
            let running = self.lanes.get(lane).map_or(0, |calls| calls.running);
            running == 0 || (free && running < settings.lane_threads)
        })
    }

    /// Takes the next call; a lane that has more goes to the end of the line.
    fn take(&mut self, settings: &PoolSettings) -> Option<(Lane, Job)> {
        let lane = self.turns.remove(self.next_turn(settings)?)?;
        let calls = self.lanes.get_mut(&lane)?;
        let job = calls.waiting.pop_front()?;
        calls.running += 1;
        if !calls.waiting.is_empty() {
            self.turns.push_back(lane.clone());
        }
        self.waiting -= 1;
        self.running += 1;
        Some((lane, job))
    }

    fn done(&mut self, lane: &Lane) {
        self.running -= 1;
        if let Some(calls) = self.lanes.get_mut(lane) {
            calls.running -= 1;
            if calls.running == 0 && calls.waiting.is_empty() {
                self.lanes.remove(lane);
            }
        }
    }
}

fn work(shared: &Arc<Shared>) {
    let mut state = shared.lock();
    loop {
        if let Some((lane, job)) = state.take(&shared.settings) {
            // One call may have made room for two: who takes one wakes the next.
            shared.wake(&mut state);
            drop(state);
            // The panic hook has logged it; the thread lives on for the others.
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(job));
            state = shared.lock();
            state.done(&lane);
        } else if state.closed {
            return;
        } else {
            state = shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// A call that has started and waits for its release.
    struct Held {
        release: mpsc::Sender<()>,
        result: oneshot::Receiver<()>,
    }

    fn hold(pool: &ComputePool, lane: &Lane) -> Held {
        let (release, gate) = mpsc::channel::<()>();
        let (started, running) = mpsc::channel::<()>();
        let result = pool.submit(lane, move || {
            started.send(()).unwrap();
            gate.recv().unwrap();
        });
        running.recv().unwrap();
        Held { release, result: result.unwrap() }
    }

    impl Held {
        fn end(self) {
            self.release.send(()).unwrap();
            self.result.blocking_recv().unwrap();
        }
    }

    fn pool(threads: usize, lane_threads: usize, queue: usize) -> ComputePool {
        ComputePool::new(PoolSettings { threads, lane_threads, queue }).unwrap()
    }

    #[test]
    fn refuses_when_the_queue_of_the_lane_is_full_and_survives_a_panic() {
        let (pool, lane) = (pool(1, 1, 1), Lane::plugin("slow"));
        let first = hold(&pool, &lane);
        let second = pool.submit(&lane, || panic!("a job that fails")).unwrap();
        let refused = pool.submit(&lane, || 3).unwrap_err();
        assert_eq!(refused, Busy { lane: lane.clone(), running: 1, queue: 1 });
        assert!(refused.to_string().contains("plugin slow"), "{refused}");
        first.end();
        let _: Result<(), _> = second.blocking_recv();
        assert_eq!(pool.submit(&lane, || 4).unwrap().blocking_recv().unwrap(), 4);
    }

    #[test]
    fn no_lane_waits_for_another() {
        let pool = pool(2, 1, 8);
        let (a, b) = (Lane::plugin("a"), Lane::plugin("b"));
        let (loops, too) = (hold(&pool, &a), hold(&pool, &b));
        // All threads are held: a third lane gets one all the same, again and again the same one.
        for i in 0..100 {
            assert_eq!(pool.submit(&Lane::host(), move || i).unwrap().blocking_recv().unwrap(), i);
        }
        assert_eq!(pool.shared.lock().started, 3);
        let waits = pool.submit(&a, || 5).unwrap();
        assert_eq!(pool.waiting(), 1);
        loops.end();
        assert_eq!(waits.blocking_recv().unwrap(), 5);
        too.end();
    }

    #[test]
    fn a_lane_holds_no_more_than_its_share_and_all_when_it_may() {
        let (narrow, wide, lane) = (pool(3, 2, 8), pool(3, 3, 8), Lane::plugin("a"));
        let held = [hold(&narrow, &lane), hold(&narrow, &lane)];
        let third = narrow.submit(&lane, || ()).unwrap();
        assert_eq!(narrow.waiting(), 1);
        held.into_iter().for_each(Held::end);
        third.blocking_recv().unwrap();
        let held = [hold(&wide, &lane), hold(&wide, &lane), hold(&wide, &lane)];
        held.into_iter().for_each(Held::end);
    }

    #[test]
    fn lanes_take_turns() {
        let (pool, order) = (pool(1, 1, 8), Arc::new(Mutex::new(Vec::new())));
        let (a, b, c) = (Lane::plugin("a"), Lane::plugin("b"), Lane::plugin("c"));
        let first = hold(&pool, &a);
        let other = hold(&pool, &b);
        let note = |lane: &Lane, name: &'static str| {
            let order = Arc::clone(&order);
            pool.submit(lane, move || order.lock().unwrap().push(name)).unwrap()
        };
        let waiting = [note(&a, "a1"), note(&a, "a2"), note(&b, "b1"), note(&b, "b2")];
        assert!(pool.submit(&c, || ()).unwrap().blocking_recv().is_ok());
        first.end();
        other.end();
        for result in waiting {
            result.blocking_recv().unwrap();
        }
        let order = order.lock().unwrap();
        let place = |name| order.iter().position(|done| *done == name).unwrap();
        assert!(place("a1") < place("a2") && place("b1") < place("b2"), "{order:?}");
        // A result is there a moment before its thread says that it is free.
        while !pool.shared.lock().lanes.is_empty() {
            std::thread::yield_now();
        }
    }
}
