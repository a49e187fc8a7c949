//! What happened in the last hour, minute by minute.

use std::collections::VecDeque;
use std::sync::LazyLock;
use std::time::Instant;

/// Minutes that are looked back.
const MINUTES: u64 = 60;

/// Minutes are counted from here.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The number of the running minute.
pub(super) fn now() -> u64 {
    START.elapsed().as_secs() / 60
}

/// Calls and failures, a bucket per minute in which there were any; at most [`MINUTES`] of them.
#[derive(Debug, Default)]
pub(super) struct Hour(VecDeque<Minute>);

#[derive(Debug, Clone, Copy)]
struct Minute {
    number: u64,
    calls: u64,
    errors: u64,
}

impl Hour {
    /// Counts a call of this minute. Minutes never go back.
    pub(super) fn count(&mut self, minute: u64, failed: bool) {
        while self.0.front().is_some_and(|oldest| is_over(oldest.number, minute)) {
            self.0.pop_front();
        }
        if self.0.back().is_none_or(|newest| newest.number != minute) {
            self.0.push_back(Minute { number: minute, calls: 0, errors: 0 });
        }
        if let Some(newest) = self.0.back_mut() {
            newest.calls += 1;
            newest.errors += u64::from(failed);
        }
    }

    /// Calls and failures of the hour that ends with this minute.
    pub(super) fn sums(&self, minute: u64) -> (u64, u64) {
        let recent = self.0.iter().filter(|bucket| !is_over(bucket.number, minute));
        recent.fold((0, 0), |(calls, errors), bucket| (calls + bucket.calls, errors + bucket.errors))
    }
}

fn is_over(number: u64, minute: u64) -> bool {
    number + MINUTES <= minute
}

#[cfg(test)]
mod tests {
    use super::Hour;

    #[test]
    fn an_hour_is_sixty_minutes() {
        let mut hour = Hour::default();
        hour.count(0, true);
        hour.count(0, false);
        hour.count(30, false);
        assert_eq!(hour.sums(30), (3, 1));
        assert_eq!(hour.sums(59), (3, 1));
        assert_eq!(hour.sums(60), (1, 0));
        hour.count(89, true);
        assert_eq!(hour.sums(89), (2, 1));
        assert_eq!(hour.sums(90), (1, 1));
        assert_eq!(hour.sums(500), (0, 0));
        for minute in 100..1_000 {
            hour.count(minute, false);
        }
        assert_eq!((hour.0.len(), hour.sums(999)), (60, (60, 0)));
    }
}
