//! What to compute: the configuration of a feature set. The structs have the fields of the contract in its order
//! (`featuresets.md`, "FeatureSetConfig"), because the schema hash is made of them.

use indexmap::IndexMap;
use serde::Serialize;

use crate::hash::schema_hash_without_nulls;
use crate::{Aggregation, PromotionKind};

/// A feature set; a family that is `None` is off.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FeatureSetConfig {
    /// `digits.digits` or `digits.digits.digits`.
    pub schema_version: String,
    /// For people.
    pub name: String,
    /// For people.
    pub description: Option<String>,
    /// What rows are grouped by; no value crosses from group to group.
    pub entity_columns: Vec<String>,
    /// The column of days.
    pub date_column: String,
    /// For information: lags and windows have targets of their own.
    pub target_column: String,
    /// Family 1.
    pub lag_config: Option<LagConfig>,
    /// Family 2.
    pub rolling_config: Option<RollingConfig>,
    /// Family 3.
    pub calendar_config: Option<CalendarConfig>,
    /// Family 4.
    pub exogenous_config: Option<ExogenousConfig>,
    /// Family 5.
    pub lifecycle_config: Option<LifecycleConfig>,
    /// Family 7.
    pub replenishment_config: Option<ReplenishmentConfig>,
    /// Family 6.
    pub promotion_config: Option<PromotionConfig>,
    /// What becomes of nulls before anything is computed.
    pub imputation_config: Option<ImputationConfig>,
}

impl FeatureSetConfig {
    /// Every family off, everything else at its default.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            schema_version: version(),
            name: name.into(),
            description: None,
            entity_columns: vec!["store_id".to_owned(), "product_id".to_owned()],
            date_column: "date".to_owned(),
            target_column: target(),
            lag_config: None,
            rolling_config: None,
            calendar_config: None,
            exogenous_config: None,
            lifecycle_config: None,
            replenishment_config: None,
            promotion_config: None,
            imputation_config: None,
        }
    }

    /// The schema hash (contract `README.md` §8 A, nulls dropped at every level).
    pub fn hash(&self) -> String {
        // Only maps with keys that are no text cannot be written as JSON, and there is none.
        let value = serde_json::to_value(self).expect("a configuration is JSON");
        schema_hash_without_nulls(&value)
    }
}

fn version() -> String {
    "1.0".to_owned()
}

fn target() -> String {
    "quantity".to_owned()
}

/// Earlier values of a column.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LagConfig {
    /// See [`FeatureSetConfig::schema_version`].
    pub schema_version: String,
    /// How many rows back.
    pub lags: Vec<u32>,
    /// Of which column.
    pub target_column: String,
    /// Instead of a null.
    pub fill_value: Option<f64>,
}

impl Default for LagConfig {
    fn default() -> Self {
        Self {
            schema_version: version(),
            lags: vec![1, 7, 14, 28],
            target_column: target(),
            fill_value: None,
        }
    }
}

/// Statistics of the rows before a row.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RollingConfig {
    /// See [`FeatureSetConfig::schema_version`].
    pub schema_version: String,
    /// How many rows.
    pub windows: Vec<u32>,
    /// Which statistics.
    pub aggregations: Vec<Aggregation>,
    /// Of which column.
    pub target_column: String,
    /// Fewest values; the whole window when `None`.
    pub min_periods: Option<u32>,
}

impl Default for RollingConfig {
    fn default() -> Self {
        Self {
            schema_version: version(),
            windows: vec![7, 14, 28],
            aggregations: vec![Aggregation::Mean, Aggregation::Std],
            target_column: target(),
            min_periods: None,
        }
    }
}

/// What the day says by itself.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "the contract has one switch per column")]
pub struct CalendarConfig {
    /// See [`FeatureSetConfig::schema_version`].
    pub schema_version: String,
    /// Weekday.
    pub include_day_of_week: bool,
    /// Month.
    pub include_month: bool,
    /// Quarter.
    pub include_quarter: bool,
    /// Year.
    pub include_year: bool,
    /// Saturday and Sunday.
    pub include_is_weekend: bool,
    /// The last day of a month.
    pub include_is_month_end: bool,
    /// Days that the calendar flags.
    pub include_is_holiday: bool,
    /// Weekday and month as sine and cosine.
    pub use_cyclical_encoding: bool,
}

impl Default for CalendarConfig {
    fn default() -> Self {
        Self {
            schema_version: version(),
            include_day_of_week: true,
            include_month: true,
            include_quarter: true,
            include_year: false,
            include_is_weekend: true,
            include_is_month_end: true,
            include_is_holiday: true,
            use_cyclical_encoding: true,
        }
    }
}

/// Prices and stockouts.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "the contract has one switch per column")]
pub struct ExogenousConfig {
    /// See [`FeatureSetConfig::schema_version`].
    pub schema_version: String,
    /// Prices.
    pub include_price: bool,
    /// Earlier prices: how many rows back.
    pub price_lags: Vec<u32>,
    /// With prices: the change of seven rows.
    pub include_price_change: bool,
    /// No effect: promotions have a family of their own.
    pub include_promo: bool,
    /// No effect.
    pub include_inventory: bool,
    /// Whether there was nothing to sell.
    pub include_stockout_flag: bool,
}

impl Default for ExogenousConfig {
    fn default() -> Self {
        Self {
            schema_version: version(),
            include_price: true,
            price_lags: vec![7, 28],
            include_price_change: true,
            include_promo: true,
            include_inventory: false,
            include_stockout_flag: true,
        }
    }
}

/// Days since the product's dates.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LifecycleConfig {
    /// See [`FeatureSetConfig::schema_version`].
    pub schema_version: String,
    /// Since its launch.
    pub include_days_since_launch: bool,
    /// Since its end; negative before it.
    pub include_days_since_discontinue: bool,
    /// As of how many rows back.
    pub lag_days: u32,
}

impl Default for LifecycleConfig {
    fn default() -> Self {
        Self {
            schema_version: version(),
            include_days_since_launch: true,
            include_days_since_discontinue: true,
            lag_days: 1,
        }
    }
}

/// Deliveries.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReplenishmentConfig {
    /// See [`FeatureSetConfig::schema_version`].
    pub schema_version: String,
    /// Days since the newest one.
    pub include_days_since_last: bool,
    /// How many there were.
    pub include_count_window: bool,
    /// As of how many rows back.
    pub lag_days: u32,
    /// Rows that are counted.
    pub count_window_days: u32,
}

impl Default for ReplenishmentConfig {
    fn default() -> Self {
        Self {
            schema_version: version(),
            include_days_since_last: true,
            include_count_window: true,
            lag_days: 1,
            count_window_days: 14,
        }
    }
}

/// Promotions.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PromotionConfig {
    /// See [`FeatureSetConfig::schema_version`].
    pub schema_version: String,
    /// Which kinds.
    pub kinds_to_track: Vec<PromotionKind>,
    /// Whether there was one.
    pub include_active: bool,
    /// The largest discount.
    pub include_intensity: bool,
    /// As of how many rows back.
    pub lag_days: u32,
}

impl Default for PromotionConfig {
    fn default() -> Self {
        Self {
            schema_version: version(),
            kinds_to_track: vec![PromotionKind::Markdown],
            include_active: true,
            include_intensity: true,
            lag_days: 1,
        }
    }
}

/// What becomes of a null.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// 0.
    Zero,
    /// The last value before it.
    Ffill,
    /// The next value after it.
    Bfill,
    /// The mean of all values.
    Mean,
    /// The mean of all values before it.
    ExpandingMean,
    /// The row goes.
    Drop,
}

impl Strategy {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Zero, Self::Ffill, Self::Bfill, Self::Mean, Self::ExpandingMean, Self::Drop];

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Zero => "zero",
            Self::Ffill => "ffill",
            Self::Bfill => "bfill",
            Self::Mean => "mean",
            Self::ExpandingMean => "expanding_mean",
            Self::Drop => "drop",
        }
    }

    /// Whether what it fills in depends on later rows.
    pub fn looks_ahead(self) -> bool {
        matches!(self, Self::Bfill | Self::Mean)
    }
}

/// Strategies by column, applied in order.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ImputationConfig {
    /// See [`FeatureSetConfig::schema_version`].
    pub schema_version: String,
    /// Columns that the input frame does not have are skipped.
    pub strategies: IndexMap<String, Strategy>,
}

impl Default for ImputationConfig {
    fn default() -> Self {
        let strategies =
            [("quantity", Strategy::Zero), ("unit_price", Strategy::Ffill), ("total_amount", Strategy::Zero)];
        let strategies = strategies.into_iter().map(|(column, strategy)| (column.to_owned(), strategy));
        Self { schema_version: version(), strategies: strategies.collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn hashes_of_the_contract() {
        assert_eq!(FeatureSetConfig::named("x").hash(), "6c12b1a783eccdd4");
        assert_eq!(FeatureSetConfig::named("café").hash(), "23c158554b06176d");
        let lags = LagConfig { lags: vec![1, 7], ..LagConfig::default() };
        let demo = FeatureSetConfig { lag_config: Some(lags), ..FeatureSetConfig::named("demo") };
        assert_eq!(demo.hash(), "f0590d2c30c07fb9");
    }

    #[test]
    fn names_are_what_the_hash_is_made_of() {
        for aggregation in Aggregation::ALL {
            assert_eq!(json!(aggregation), aggregation.name());
        }
        for kind in PromotionKind::ALL {
            assert_eq!(json!(kind), kind.name());
        }
        for strategy in Strategy::ALL {
            assert_eq!(json!(strategy), strategy.name());
        }
    }
}
