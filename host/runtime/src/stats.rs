//! What the calls of a plugin took, and how those ended that failed.

mod hour;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use parking_lot::Mutex;

use self::hour::Hour;
use crate::{Phase, PluginError};

/// Longest time that is told apart: a day, in microseconds. Two digits are kept of every time, so that a histogram has
/// a few thousand counters.
const LONGEST: u64 = 86_400_000_000;
const DIGITS: u8 = 2;

/// Counts every call of one plugin since it was loaded. A changed file is another plugin and starts from zero.
#[derive(Debug, Default)]
pub struct Stats(Mutex<Counters>);

#[derive(Debug, Default)]
struct Counters {
    /// Microseconds, by phase; none before the first call.
    times: [Option<Histogram<u64>>; Phase::ALL.len()],
    errors: BTreeMap<&'static str, u64>,
    hour: Hour,
    peak_memory: usize,
}

/// The counters at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StatsSnapshot {
    /// Calls of all phases, failed ones too.
    pub calls: u64,
    /// Failed calls by `RC-P…` code. A refusal by the plugin itself (RC-P014) is one of them.
    pub errors: BTreeMap<&'static str, u64>,
    /// Calls of the last hour.
    pub calls_last_hour: u64,
    /// Those of them that failed.
    pub errors_last_hour: u64,
    /// Phases that were called, in the order of a request.
    pub phases: Vec<PhaseStats>,
    /// Most memory that an instance used, in bytes.
    pub peak_memory: usize,
}

/// How long the calls of one phase took, the host's checks of the answer included. Times have two exact digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PhaseStats {
    /// Which.
    pub phase: Phase,
    /// How many.
    pub calls: u64,
    /// Half of them took no longer.
    pub p50: Duration,
    /// 95 of 100 took no longer.
    pub p95: Duration,
}

impl Stats {
    /// Counts a call that began at `started` and has just ended.
    pub(crate) fn observe<T>(&self, phase: Phase, started: Instant, result: &Result<T, PluginError>) {
        let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(LONGEST);
        let counters = &mut *self.0.lock();
        let times = counters.times[phase as usize].get_or_insert_with(|| {
            Histogram::new_with_bounds(1, LONGEST, DIGITS).expect("the bounds are constants that fit")
        });
        times.saturating_record(micros);
        counters.hour.count(hour::now(), result.is_err());
        if let Err(e) = result {
            *counters.errors.entry(e.code()).or_default() += 1;
        }
    }

    /// Remembers how much memory an instance used, in bytes.
    pub(crate) fn observe_memory(&self, bytes: usize) {
        let counters = &mut *self.0.lock();
        counters.peak_memory = counters.peak_memory.max(bytes);
    }

    /// The counters as they are now.
    pub fn snapshot(&self) -> StatsSnapshot {
        let counters = self.0.lock();
        let of = |(phase, times): (Phase, &Option<Histogram<u64>>)| {
            let times = times.as_ref()?;
            let at = |share| Duration::from_micros(times.value_at_quantile(share));
            Some(PhaseStats { phase, calls: times.len(), p50: at(0.5), p95: at(0.95) })
        };
        let phases: Vec<PhaseStats> = Phase::ALL.into_iter().zip(&counters.times).filter_map(of).collect();
        let (calls_last_hour, errors_last_hour) = counters.hour.sums(hour::now());
        StatsSnapshot {
            calls: phases.iter().map(|phase| phase.calls).sum(),
            errors: counters.errors.clone(),
            calls_last_hour,
            errors_last_hour,
            phases,
            peak_memory: counters.peak_memory,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_by_phase_and_by_code() {
        let stats = Stats::default();
        for ms in 1..=100 {
            let started = Instant::now().checked_sub(Duration::from_millis(ms)).unwrap();
            stats.observe(Phase::Fit, started, &Ok(()));
        }
        stats.observe(Phase::Predict, Instant::now(), &Err::<(), _>(PluginError::SessionOver));
        stats.observe_memory(5);
        stats.observe_memory(3);
        let now = stats.snapshot();
        assert_eq!((now.calls, now.peak_memory), (101, 5));
        assert_eq!((now.calls_last_hour, now.errors_last_hour), (101, 1));
        assert_eq!(now.errors, BTreeMap::from([("RC-P016", 1)]));
        assert_eq!(
            now.phases.iter().map(|p| (p.phase, p.calls)).collect::<Vec<_>>(),
            [(Phase::Fit, 100), (Phase::Predict, 1)]
        );
        let (p50, p95) = (now.phases[0].p50.as_millis(), now.phases[0].p95.as_millis());
        assert!((50..=52).contains(&p50) && (95..=97).contains(&p95), "{p50} {p95}");
    }

    /// The phases are places in an array.
    #[test]
    fn every_phase_has_its_place() {
        for (place, phase) in Phase::ALL.into_iter().enumerate() {
            assert_eq!(phase as usize, place);
        }
    }
}
