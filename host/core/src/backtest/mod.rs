//! Backtests, as far as they are arithmetic: which rows train and which test, how good the forecasts were, how steady,
//! and how much better than a baseline. Formulas of `backtesting.md`.

mod compare;
mod leakage;
mod score;
mod split;

pub use compare::improvement;
pub use leakage::{Leak, find_leak};
pub use score::{BucketMetrics, FoldScore, HorizonBucket, Summary};
pub use split::{Fold, SplitConfig, SplitError, SplitStrategy, rows_for_all_splits, split};
