//! Views on the data of a call. Inside the server they read the host's memory column by column; in tests they
//! are a [`crate::testing::Panel`].

use crate::bindings::retailcast::plugin::data as host;
use crate::{Error, ErrorCode};

/// The history that a model is fitted on. For n series, columns are flat: series i is the slice
/// `offsets[i] .. offsets[i + 1]`. Missing feature values are NaN, targets are finite.
pub trait TrainingData {
    /// Number of series, at least 1.
    fn series_count(&self) -> usize;
    /// Row offsets, one more than series.
    fn offsets(&self) -> Vec<u32>;
    /// First day of every series, in days since 1970-01-01.
    fn starts(&self) -> Vec<i32>;
    /// Day of every row.
    fn days(&self) -> Vec<i32>;
    /// Units sold on every row.
    fn target(&self) -> Vec<f64>;
    /// Units sold of one series; empty when there is no such series.
    fn target_of(&self, series: usize) -> Vec<f64>;
    /// The last `count` values of one series, oldest first; all when it has fewer.
    fn target_tail(&self, series: usize, count: usize) -> Vec<f64>;
    /// Names of the feature columns.
    fn feature_names(&self) -> Vec<String>;
    /// One feature column over all rows; empty when there is no such column.
    fn feature(&self, column: usize) -> Vec<f64>;
    /// Seed for whatever is random in the model.
    fn seed(&self) -> u64;
    /// The host's handle, inside the server; what [`crate::Booster`] hands on. `None` in native tests.
    #[doc(hidden)]
    fn handle(&self) -> Option<&host::TrainingData> {
        None
    }
}

/// The days to forecast, with the features that are known for them. Row `series * horizon + step`.
pub trait FutureData {
    /// Number of series, the same as in training.
    fn series_count(&self) -> usize;
    /// Days to forecast per series, at least 1.
    fn horizon(&self) -> usize;
    /// First day to forecast per series, in days since 1970-01-01.
    fn starts(&self) -> Vec<i32>;
    /// Names of the feature columns, the same as in training.
    fn feature_names(&self) -> Vec<String>;
    /// One feature column, `series_count * horizon` numbers; empty when there is no such column.
    fn feature(&self, column: usize) -> Vec<f64>;
    /// Refuses when the series are not as many as the model was fitted on: after `load` nobody has compared them.
    fn expect_series(&self, fitted: usize) -> Result<(), Error> {
        let asked = self.series_count();
        if asked == fitted {
            Ok(())
        } else {
            Err(Error::new(ErrorCode::Other, format!("fitted on {fitted} series, asked for {asked}")))
        }
    }
    /// The host's handle, inside the server; what [`crate::Booster`] hands on. `None` in native tests.
    #[doc(hidden)]
    fn handle(&self) -> Option<&host::FutureData> {
        None
    }
}
