//! Feature sets: a matrix of features for one series, made of nothing later than a cutoff day. Contract:
//! `featuresets.md`.
//!
//! What a value in row i may depend on, family by family:
//!
//! | Family | Depends on |
//! |---|---|
//! | lag, rolling | the target in rows before i |
//! | calendar | the row's own day, and whether the calendar flags it: both known ahead |
//! | exogenous | prices in rows before i, the inventory snapshot of the day of row i - 1 |
//! | life cycle | the day of row i - N, the product's fixed dates |
//! | promotion | promotions that cover the day of row i - N: they began before the row's day |
//! | replenishment | deliveries up to the day of row i - N |
//!
//! Two things look at the whole window: whether `stockout_lag_1` is there at all (it is when there is any snapshot),
//! and nulls that are filled by the strategies `bfill` and `mean` ([`Strategy::looks_ahead`]). Nothing looks beyond
//! the cutoff. The tests of `laws` hold all of this to the bit.

mod config;
mod families;
mod imputation;
mod input;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;

use std::ops::RangeInclusive;

pub use config::{
    CalendarConfig, ExogenousConfig, FeatureSetConfig, ImputationConfig, LagConfig, LifecycleConfig,
    PromotionConfig, ReplenishmentConfig, RollingConfig, Strategy,
};
pub use input::{Observed, Promotion, Sale};

use input::{Columns, InputFrame, NumberColumn};

use crate::{Day, MissingDays, SeriesError};

/// Why a configuration and observations make no feature set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FeatureSetError {
    /// A column that cannot be what the configuration wants it to be.
    #[error("`{field}` names the column `{column}`, {reason}; the columns are {}", input::column_names())]
    Column {
        /// Where it is named.
        field: &'static str,
        /// The name.
        column: String,
        /// What is wrong with it.
        reason: UnfitColumn,
    },
    /// The rows do not make a series.
    #[error(transparent)]
    Series(#[from] SeriesError),
}

/// What is wrong with a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnfitColumn {
    /// There is none of that name.
    #[error("which does not exist")]
    Unknown,
    /// Rows of a group know each other's values; a group of equal targets would show a row its own.
    #[error("which is observed on the day itself: groups made of it would tell a row its own value")]
    Observed,
    /// Its values are no days.
    #[error("which does not hold days")]
    NoDays,
    /// Its values are no numbers.
    #[error("which holds days, not numbers")]
    NoNumbers,
}

/// How the numbers of a column are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberKind {
    /// `12.0`
    Float,
    /// `12`
    Integer,
}

/// A column of features.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// How its numbers are written.
    pub kind: NumberKind,
    /// One per row; NaN is null, everything else finite.
    pub values: Vec<f64>,
}

impl Column {
    fn new(name: String, kind: NumberKind, mut values: Vec<f64>) -> Self {
        // One NaN for all that is null or not finite.
        values.iter_mut().filter(|value| !value.is_finite()).for_each(|value| *value = f64::NAN);
        Self { name, kind, values }
    }

    /// How many of its values are null.
    pub fn nulls(&self) -> usize {
        self.values.iter().filter(|value| value.is_nan()).count()
    }
}

/// A matrix of features.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureSet {
    /// The day of every row, ascending.
    pub days: Vec<Day>,
    /// The columns, in the order of the contract; each has one value per day.
    pub columns: Vec<Column>,
}

/// Whether the columns that a configuration names can be used; [`compute`] asks the same before it works.
pub fn check_columns(config: &FeatureSetConfig) -> Result<(), FeatureSetError> {
    Columns::of(config).map(|_| ())
}

/// Columns whose nulls are filled from later rows, each with its strategy.
pub fn leakage_risks(config: &FeatureSetConfig) -> impl Iterator<Item = (&str, Strategy)> {
    let strategies = config.imputation_config.iter().flat_map(|imputation| &imputation.strategies);
    strategies
        .map(|(column, strategy)| (column.as_str(), *strategy))
        .filter(|(column, strategy)| strategy.looks_ahead() && NumberColumn::named(column).is_some())
}

/// Computes a feature set over a window that ends with the cutoff day. Days without a row are taken by the policy;
/// a filled day has zero units and zero money, and its price is null until it is imputed.
pub fn compute(
    config: &FeatureSetConfig,
    observed: &Observed,
    window: &RangeInclusive<Day>,
    missing_days: MissingDays,
) -> Result<FeatureSet, FeatureSetError> {
    let mut frame = InputFrame::build(observed, window, missing_days, Columns::of(config)?)?;
    if let Some(config) = &config.imputation_config {
        imputation::impute(&mut frame, config);
    }
    let columns = families::columns(config, &frame, observed, window);
    Ok(FeatureSet { days: frame.days, columns })
}
