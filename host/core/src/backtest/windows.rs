//! Test windows of many series at once: the same calendar days for all, counted back from a last day.

use crate::Day;

/// How the calendar is cut. All sizes count days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowConfig {
    /// Test windows, at least 1.
    pub n_windows: usize,
    /// Days of every test window, at least 1.
    pub horizon: usize,
    /// Days from one window to the next, at least 1.
    pub step: usize,
    /// Days before a test window that models learn from; none: everything before it.
    pub train_days: Option<usize>,
}

impl Default for WindowConfig {
    /// Four windows of two weeks, one after the other, each with all that was known before it.
    fn default() -> Self {
        Self { n_windows: 4, horizon: 14, step: 14, train_days: None }
    }
}

/// A test window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// First day that models may learn from; none: whatever there is.
    pub train_start: Option<Day>,
    /// Last day that models learn from; the test begins the day after.
    pub origin: Day,
    /// Last day of the test.
    pub test_end: Day,
}

impl Window {
    /// First day of the test.
    pub fn test_start(&self) -> Day {
        self.origin + 1
    }
}

/// The windows in order of time; the last one ends with `end`.
pub fn windows(end: Day, config: &WindowConfig) -> Vec<Window> {
    let window = |back: usize| {
        let test_end = end + -((back * config.step) as i32);
        let origin = test_end + -(config.horizon as i32);
        Window { train_start: config.train_days.map(|days| origin + 1 + -(days as i32)), origin, test_end }
    };
    (0..config.n_windows).rev().map(window).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_last_window_ends_with_the_last_day() {
        let config = WindowConfig { train_days: Some(100), ..WindowConfig::default() };
        let found = windows(Day(1000), &config);
        let spans: Vec<(i32, i32)> = found.iter().map(|w| (w.test_start().0, w.test_end.0)).collect();
        assert_eq!(spans, [(945, 958), (959, 972), (973, 986), (987, 1000)]);
        assert_eq!(found[3].train_start, Some(Day(887)));
    }

    proptest! {
        #[test]
        fn tests_are_of_one_length_and_behind_their_training(
            n_windows in 1_usize..20, horizon in 1_usize..90, step in 1_usize..90, train in proptest::option::of(1_usize..400),
        ) {
            let config = WindowConfig { n_windows, horizon, step, train_days: train };
            let found = windows(Day(20_000), &config);
            prop_assert_eq!(found.len(), n_windows);
            prop_assert_eq!(found[n_windows - 1].test_end, Day(20_000));
            for window in &found {
                prop_assert_eq!(window.test_end - window.origin, horizon as i32);
                if let (Some(start), Some(days)) = (window.train_start, train) {
                    prop_assert_eq!(window.origin - start + 1, days as i32);
                }
            }
            for pair in found.windows(2) {
                prop_assert_eq!(pair[1].origin - pair[0].origin, step as i32);
            }
        }
    }
}
