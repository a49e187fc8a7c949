//! Whether any fold trains on what it is tested with. The splitter cannot do that; the check looks at the result and
//! not at the way there, so that a defect anywhere shows.

use super::Fold;
use crate::Day;

/// What is wrong with a fold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Leak {
    /// A window is empty or reaches beyond the series.
    #[error("fold {0}: a window is empty or reaches beyond the series")]
    Outside(usize),
    /// The training window ends on or after the first day of the test window.
    #[error("fold {fold}: trained until {train_end}, tested from {test_start}")]
    Order {
        /// Which fold, from 0.
        fold: usize,
        /// Last day of training.
        train_end: Day,
        /// First day of the test.
        test_start: Day,
    },
    /// Fewer rows between training and test than asked for; a row in both is one of these.
    #[error("fold {fold}: {found} rows between training and test instead of {gap}")]
    Gap {
        /// Which fold, from 0.
        fold: usize,
        /// Rows between; 0 also when the windows overlap.
        found: usize,
        /// Rows asked for.
        gap: usize,
    },
}

/// The first leak of these folds of a series with these days; none when for every fold the last training day is
/// before the first test day, at least `gap` rows lie between them, and no row is in both.
pub fn find_leak(folds: &[Fold], days: &[Day], gap: usize) -> Option<Leak> {
    folds.iter().enumerate().find_map(|(i, fold)| leak(i, fold, days, gap))
}

fn leak(index: usize, fold: &Fold, days: &[Day], gap: usize) -> Option<Leak> {
    let within = |rows: &std::ops::Range<usize>| !rows.is_empty() && rows.end <= days.len();
    if !within(&fold.train) || !within(&fold.test) {
        return Some(Leak::Outside(index));
    }
    let (train_end, test_start) = (days[fold.train.end - 1], days[fold.test.start]);
    if train_end >= test_start {
        return Some(Leak::Order { fold: index, train_end, test_start });
    }
    let found = fold.test.start.saturating_sub(fold.train.end);
    let apart = fold.train.end <= fold.test.start;
    (found < gap || !apart).then_some(Leak::Gap { fold: index, found, gap })
}

#[cfg(test)]
mod tests {
    use super::super::{SplitConfig, split};
    use super::*;
    use proptest::prelude::*;

    fn days(count: i32) -> Vec<Day> {
        (0..count).map(Day).collect()
    }

    #[test]
    fn leaks_are_found() {
        let fold = |train: std::ops::Range<usize>, test| [Fold { train, test }];
        assert_eq!(find_leak(&fold(0..30, 32..46), &days(46), 2), None);
        let short = Some(Leak::Gap { fold: 0, found: 1, gap: 2 });
        assert_eq!(find_leak(&fold(0..30, 31..45), &days(46), 2), short);
        let overlap = find_leak(&fold(0..30, 29..43), &days(46), 0);
        assert_eq!(overlap, Some(Leak::Order { fold: 0, train_end: Day(29), test_start: Day(29) }));
        assert_eq!(find_leak(&fold(0..30, 40..54), &days(46), 0), Some(Leak::Outside(0)));
        assert_eq!(find_leak(&fold(3..3, 4..6), &days(46), 0), Some(Leak::Outside(0)));
        // Rows out of order of day: the positions are right and the days are not.
        let shuffled = [Day(5), Day(9), Day(7), Day(8)];
        assert!(matches!(find_leak(&fold(0..2, 2..4), &shuffled, 0), Some(Leak::Order { .. })));
    }

    proptest! {
        #[test]
        fn the_splitter_does_not_leak(
            rows in 1_i32..500, n_splits in 1_usize..=20, min_train_size in 1_usize..60, gap in 0_usize..=30,
            horizon in 1_usize..=30,
        ) {
            let config = SplitConfig { n_splits, min_train_size, gap, horizon, ..SplitConfig::default() };
            let folds = split(rows as usize, &config).unwrap_or_default();
            prop_assert_eq!(find_leak(&folds, &days(rows), gap), None);
        }
    }
}
