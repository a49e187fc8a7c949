//! Time-ordered cross-validation: training windows and the test windows behind them.

use std::ops::Range;

/// Which rows a fold trains on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SplitStrategy {
    /// All rows before the test window.
    #[default]
    Expanding,
    /// The last `min_train_size` of them.
    Sliding,
}

impl SplitStrategy {
    /// All values, as they are written.
    pub const NAMES: [&'static str; 2] = ["expanding", "sliding"];

    /// The name as it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Expanding => "expanding",
            Self::Sliding => "sliding",
        }
    }

    /// The strategy of a name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Expanding, Self::Sliding].into_iter().find(|strategy| strategy.name() == name)
    }
}

/// How a series is cut. All sizes count rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SplitConfig {
    /// Which rows a fold trains on.
    pub strategy: SplitStrategy,
    /// Wanted folds, at least 1; a short series gives fewer.
    pub n_splits: usize,
    /// Rows of the first (expanding) or of every (sliding) training window.
    pub min_train_size: usize,
    /// Rows between training and test that neither uses.
    pub gap: usize,
    /// Rows of every test window, at least 1.
    pub horizon: usize,
}

impl Default for SplitConfig {
    fn default() -> Self {
        Self { strategy: SplitStrategy::Expanding, n_splits: 5, min_train_size: 30, gap: 0, horizon: 14 }
    }
}

/// One training window and the test window behind it, as rows of the series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fold {
    /// Rows to fit on.
    pub train: Range<usize>,
    /// Rows to forecast.
    pub test: Range<usize>,
}

/// The series is too short for a single fold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", too_short(config, *available))]
pub struct SplitError {
    /// What was wanted.
    pub config: SplitConfig,
    /// Rows of the series.
    pub available: usize,
}

impl SplitError {
    /// Rows that one fold needs.
    pub fn needed(&self) -> usize {
        rows_for(&self.config, 1)
    }

    /// Sizes that would fit if they alone were changed, each with its largest value that does. Values that the API
    /// refuses for another reason (a training window below 7 rows, a horizon within the gap) are left out.
    pub fn fitting(&self) -> Vec<(&'static str, usize)> {
        let SplitConfig { min_train_size, gap, horizon, .. } = self.config;
        let left = |others: [usize; 2]| self.available.checked_sub(others[0].saturating_add(others[1]));
        let train = left([gap, horizon]).filter(|rows| *rows >= LEAST_TRAIN);
        let test = left([min_train_size, gap]).filter(|rows| *rows > gap);
        let between = left([min_train_size, horizon]);
        [("min_train_size", train), ("gap", between), ("horizon", test)]
            .into_iter()
            .filter_map(|(name, rows)| Some((name, rows?)))
            .collect()
    }
}

/// Smallest training window that the contract allows.
const LEAST_TRAIN: usize = 7;

fn too_short(config: &SplitConfig, available: usize) -> String {
    let error = SplitError { config: *config, available };
    let SplitConfig { n_splits, min_train_size, gap, horizon, .. } = config;
    let mut text = format!(
        "min_train_size {min_train_size} + gap {gap} + horizon {horizon} need {} rows for one fold ({} for all \
         {n_splits} splits), the series has {available}",
        error.needed(),
        rows_for_all_splits(config),
    );
    let fitting: Vec<String> =
        error.fitting().iter().map(|(name, most)| format!("{name} at most {most}")).collect();
    if fitting.is_empty() {
        text += "; no single one of them can be made small enough, more history is needed";
    } else {
        text += &format!("; it would fit with {}", fitting.join(", or with "));
    }
    text
}

/// Rows that a series needs for every wanted fold.
pub fn rows_for_all_splits(config: &SplitConfig) -> usize {
    rows_for(config, config.n_splits)
}

/// Rows for this many folds whose test windows do not overlap. A size near the limit of the machine stays there.
fn rows_for(config: &SplitConfig, folds: usize) -> usize {
    let tests = config.horizon.saturating_mul(folds);
    config.min_train_size.saturating_add(config.gap).saturating_add(tests)
}

/// Cuts a series of `rows` rows into folds, in order of time. Their number is `n_splits`, or as many as have test
/// windows that do not overlap, and at least one. Folds are spread evenly, so up to `n_splits - 2` of the newest rows
/// may stay unused.
pub fn split(rows: usize, config: &SplitConfig) -> Result<Vec<Fold>, SplitError> {
    let SplitConfig { strategy, n_splits, min_train_size, gap, horizon } = *config;
    if rows < rows_for(config, 1) {
        return Err(SplitError { config: *config, available: rows });
    }
    let testable = rows - min_train_size - gap;
    let folds = n_splits.min((testable / horizon).max(1));
    let step = match folds {
        0 | 1 => horizon,
        _ => ((testable - horizon) / (folds - 1)).max(1),
    };
    let fold = |i: usize| {
        let end = min_train_size + i * step;
        let start = match strategy {
            SplitStrategy::Expanding => 0,
            SplitStrategy::Sliding => i * step,
        };
        Fold { train: start..end, test: end + gap..end + gap + horizon }
    };
    Ok((0..folds).map(fold).take_while(|fold| fold.test.end <= rows).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn config(strategy: SplitStrategy, n_splits: usize, gap: usize) -> SplitConfig {
        SplitConfig { strategy, n_splits, gap, ..SplitConfig::default() }
    }

    #[test]
    fn worked_folds_of_the_contract() {
        let tests = [32..46, 54..68, 76..90];
        let expanding = split(90, &config(SplitStrategy::Expanding, 3, 2)).unwrap();
        let trains: Vec<_> = expanding.iter().map(|fold| fold.train.clone()).collect();
        assert_eq!(trains, [0..30, 0..52, 0..74]);
        assert!(expanding.iter().map(|fold| &fold.test).eq(&tests));
        let sliding = split(90, &config(SplitStrategy::Sliding, 3, 2)).unwrap();
        let trains: Vec<_> = sliding.iter().map(|fold| fold.train.clone()).collect();
        assert_eq!(trains, [0..30, 22..52, 44..74]);
        assert!(sliding.iter().map(|fold| &fold.test).eq(&tests));
    }

    #[test]
    fn a_short_series_gives_fewer_folds() {
        let count = |rows| split(rows, &config(SplitStrategy::Expanding, 5, 0)).map(|folds| folds.len());
        assert_eq!(count(44), Ok(1));
        assert_eq!(count(57), Ok(1));
        assert_eq!(count(58), Ok(2));
        assert_eq!(count(99), Ok(4));
        assert_eq!(count(100), Ok(5));
        assert_eq!(count(10_000), Ok(5));
    }

    #[test]
    fn a_refusal_names_what_would_fit() {
        let error = split(45, &config(SplitStrategy::Sliding, 3, 2)).unwrap_err();
        assert_eq!((error.needed(), error.available), (46, 45));
        assert_eq!(error.fitting(), [("min_train_size", 29), ("gap", 1), ("horizon", 13)]);
        assert_eq!(
            error.to_string(),
            "min_train_size 30 + gap 2 + horizon 14 need 46 rows for one fold (74 for all 3 splits), the series \
             has 45; it would fit with min_train_size at most 29, or with gap at most 1, or with horizon at most 13"
        );
        let hopeless = split(8, &config(SplitStrategy::Sliding, 3, 2)).unwrap_err();
        assert_eq!(hopeless.fitting(), []);
        assert!(hopeless.to_string().ends_with("more history is needed"));
    }

    #[test]
    fn sizes_beyond_every_series_are_refused_and_do_not_overflow() {
        let config = SplitConfig { min_train_size: usize::MAX, ..SplitConfig::default() };
        assert!(split(1_000, &config).is_err());
    }

    prop_compose! {
        fn any_config()(
            sliding: bool, n_splits in 1_usize..=20, min_train_size in 1_usize..120, gap in 0_usize..=30,
            horizon in 1_usize..=90,
        ) -> SplitConfig {
            let strategy = if sliding { SplitStrategy::Sliding } else { SplitStrategy::Expanding };
            SplitConfig { strategy, n_splits, min_train_size, gap, horizon }
        }
    }

    proptest! {
        #[test]
        fn training_ends_before_its_gap_and_its_test(rows in 0_usize..2_000, config in any_config()) {
            for fold in split(rows, &config).unwrap_or_default() {
                prop_assert_eq!(fold.train.end + config.gap, fold.test.start);
                prop_assert_eq!(fold.test.len(), config.horizon);
                prop_assert!(fold.test.end <= rows);
                match config.strategy {
                    SplitStrategy::Sliding => prop_assert_eq!(fold.train.len(), config.min_train_size),
                    SplitStrategy::Expanding => {
                        prop_assert_eq!(fold.train.start, 0);
                        prop_assert!(fold.train.len() >= config.min_train_size);
                    }
                }
            }
        }

        #[test]
        fn tests_never_overlap_and_few_rows_stay_unused(rows in 0_usize..2_000, config in any_config()) {
            let folds = split(rows, &config).unwrap_or_default();
            for pair in folds.windows(2) {
                prop_assert!(pair[0].test.end <= pair[1].test.start, "{:?}", pair);
            }
            if let (Some(last), true) = (folds.last(), folds.len() > 1) {
                prop_assert!(rows - last.test.end <= folds.len() - 2);
            }
        }

        #[test]
        fn there_are_as_many_folds_as_the_formula_says(rows in 0_usize..2_000, config in any_config()) {
            let SplitConfig { n_splits: k, min_train_size: m, gap: g, horizon: h, .. } = config;
            match split(rows, &config) {
                Err(error) => {
                    prop_assert!(rows < m + g + h);
                    // What is said to fit does fit, and one more does not.
                    for (name, most) in error.fitting() {
                        let with = |size| match name {
                            "min_train_size" => SplitConfig { min_train_size: size, ..config },
                            "gap" => SplitConfig { gap: size, ..config },
                            _ => SplitConfig { horizon: size, ..config },
                        };
                        prop_assert!(split(rows, &with(most)).is_ok());
                        prop_assert!(split(rows, &with(most + 1)).is_err());
                    }
                }
                Ok(folds) if rows >= m + g + k * h => prop_assert_eq!(folds.len(), k),
                Ok(folds) => prop_assert_eq!(folds.len(), ((rows - m - g) / h).max(1)),
            }
        }
    }
}
