//! The member `config` of both requests as OpenAPI shows it; `config_body` reads it.

use std::collections::HashMap;

use utoipa::ToSchema;

/// What to compute. Families that are absent or null are off. The columns of the input frame are `date`, `store_id`,
/// `product_id`, `quantity`, `unit_price` and `total_amount`.
#[derive(Debug, ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "describes the body, which is read field by field")]
#[schema(as = FeatureSetConfig, example = json!({"name": "demo", "lag_config": {"lags": [1, 7]}, "rolling_config": {"windows": [7, 28]},
    "calendar_config": {"use_cyclical_encoding": false}, "exogenous_config": {}, "lifecycle_config": {"lag_days": 7},
    "replenishment_config": {}, "promotion_config": {"kinds_to_track": ["markdown", "pct_off"]},
    "imputation_config": {"strategies": {"unit_price": "ffill"}}}))]
pub(super) struct FeatureSetBody {
    /// `digits.digits` or `digits.digits.digits`.
    #[schema(default = "1.0", pattern = r"^\d+\.\d+(\.\d+)?$")]
    #[serde(default)]
    schema_version: String,
    /// For people.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// For people.
    description: Option<String>,
    /// What rows are grouped by: `store_id`, `product_id` or `date`. No value crosses from group to group.
    #[schema(default = json!(["store_id", "product_id"]))]
    #[serde(default)]
    entity_columns: Vec<String>,
    /// The column of days.
    #[schema(default = "date")]
    #[serde(default)]
    date_column: String,
    /// For information: lags and windows have targets of their own.
    #[schema(default = "quantity")]
    #[serde(default)]
    target_column: String,
    /// Columns `lag_{k}`.
    lag_config: Option<LagBody>,
    /// Columns `rolling_{aggregation}_{window}`.
    rolling_config: Option<RollingBody>,
    /// Columns that the day gives.
    calendar_config: Option<CalendarBody>,
    /// Columns `price_lag_{k}`, `price_pct_change_7d`, `stockout_lag_1`.
    exogenous_config: Option<ExogenousBody>,
    /// Columns `days_since_launch_lag{n}`, `days_since_discontinue_lag{n}`.
    lifecycle_config: Option<LifecycleBody>,
    /// Columns `days_since_last_replenishment_lag{n}`, `replenishment_count_w{w}_lag{n}`.
    replenishment_config: Option<ReplenishmentBody>,
    /// Columns `promo_{kind}_active_lag{n}`, `promo_{kind}_intensity_lag{n}`.
    promotion_config: Option<PromotionBody>,
    /// What becomes of nulls before anything is computed.
    imputation_config: Option<ImputationBody>,
}

/// Earlier values.
#[derive(Debug, Default, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[allow(dead_code, reason = "describes the body, which is read field by field")]
#[schema(as = LagConfig, example = json!({"lags": [1, 7], "fill_value": 0.0}))]
pub(super) struct LagBody {
    /// `digits.digits` or `digits.digits.digits`.
    #[schema(default = "1.0", pattern = r"^\d+\.\d+(\.\d+)?$")]
    schema_version: String,
    /// Rows back, each once, from 1 to `features.max_lag`.
    #[schema(default = json!([1, 7, 14, 28]), min_items = 1)]
    lags: Vec<i32>,
    /// Of which column.
    #[schema(default = "quantity")]
    target_column: String,
    /// Instead of a null.
    fill_value: Option<f64>,
}

/// Statistics of the rows before a row.
#[derive(Debug, Default, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[allow(dead_code, reason = "describes the body, which is read field by field")]
#[schema(as = RollingConfig, example = json!({"windows": [7, 28], "aggregations": ["mean", "max"], "min_periods": 3}))]
pub(super) struct RollingBody {
    /// `digits.digits` or `digits.digits.digits`.
    #[schema(default = "1.0", pattern = r"^\d+\.\d+(\.\d+)?$")]
    schema_version: String,
    /// Rows, each once, from 1 to `features.max_window`.
    #[schema(default = json!([7, 14, 28]), min_items = 1)]
    windows: Vec<i32>,
    /// Which statistics, each once; `std` has divisor n - 1.
    #[schema(default = json!(["mean", "std"]), inline)]
    aggregations: Vec<AggregationName>,
    /// Of which column.
    #[schema(default = "quantity")]
    target_column: String,
    /// Fewest values that make a statistic, at most the smallest window; null: the whole window.
    #[schema(minimum = 1)]
    min_periods: Option<u32>,
}

/// A statistic.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes the body, which is read field by field")]
#[schema(rename_all = "snake_case")]
enum AggregationName {
    Mean,
    Std,
    Min,
    Max,
    Sum,
}

/// What the day says by itself.
#[derive(Debug, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[allow(dead_code, reason = "describes the body, which is read field by field")]
#[schema(as = CalendarConfig, example = json!({"include_year": true, "use_cyclical_encoding": false}))]
#[expect(clippy::struct_excessive_bools, reason = "the contract has one switch per column")]
pub(super) struct CalendarBody {
    /// `digits.digits` or `digits.digits.digits`.
    #[schema(default = "1.0", pattern = r"^\d+\.\d+(\.\d+)?$")]
    schema_version: String,
    /// `dow_sin` and `dow_cos`, or `day_of_week`, 0 on Monday.
    #[schema(default = true)]
    include_day_of_week: bool,
    /// `month_sin` and `month_cos`, or `month`.
    #[schema(default = true)]
    include_month: bool,
    /// `quarter`.
    #[schema(default = true)]
    include_quarter: bool,
    /// `year`.
    #[schema(default = false)]
    include_year: bool,
    /// `is_weekend`.
    #[schema(default = true)]
    include_is_weekend: bool,
    /// `is_month_end`.
    #[schema(default = true)]
    include_is_month_end: bool,
    /// `is_holiday`, as the calendar flags the day.
    #[schema(default = true)]
    include_is_holiday: bool,
    /// Weekday and month as sine and cosine.
    #[schema(default = true)]
    use_cyclical_encoding: bool,
}

/// Prices and stockouts.
#[derive(Debug, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[allow(dead_code, reason = "describes the body, which is read field by field")]
#[schema(as = ExogenousConfig, example = json!({"price_lags": [1, 7]}))]
#[expect(clippy::struct_excessive_bools, reason = "the contract has one switch per column")]
pub(super) struct ExogenousBody {
    /// `digits.digits` or `digits.digits.digits`.
    #[schema(default = "1.0", pattern = r"^\d+\.\d+(\.\d+)?$")]
    schema_version: String,
    /// Columns of prices at all.
    #[schema(default = true)]
    include_price: bool,
    /// Rows back, each once, from 1 to `features.max_lag`; may be empty.
    #[schema(default = json!([7, 28]))]
    price_lags: Vec<i32>,
    /// `price_pct_change_7d`.
    #[schema(default = true)]
    include_price_change: bool,
    /// No effect; see `promotion_config`.
    #[schema(default = true)]
    include_promo: bool,
    /// No effect.
    #[schema(default = false)]
    include_inventory: bool,
    /// `stockout_lag_1`, when there is an inventory snapshot in the window.
    #[schema(default = true)]
    include_stockout_flag: bool,
}

/// Days since the product's dates.
#[derive(Debug, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[allow(dead_code, reason = "describes the body, which is read field by field")]
#[schema(as = LifecycleConfig, example = json!({"lag_days": 7}))]
pub(super) struct LifecycleBody {
    /// `digits.digits` or `digits.digits.digits`.
    #[schema(default = "1.0", pattern = r"^\d+\.\d+(\.\d+)?$")]
    schema_version: String,
    /// Since its launch.
    #[schema(default = true)]
    include_days_since_launch: bool,
    /// Since its end; negative before it.
    #[schema(default = true)]
    include_days_since_discontinue: bool,
    /// As of how many rows back.
    #[schema(default = 1, minimum = 1, maximum = 30)]
    lag_days: u32,
}

/// Deliveries.
#[derive(Debug, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[allow(dead_code, reason = "describes the body, which is read field by field")]
#[schema(as = ReplenishmentConfig, example = json!({"count_window_days": 28}))]
pub(super) struct ReplenishmentBody {
    /// `digits.digits` or `digits.digits.digits`.
    #[schema(default = "1.0", pattern = r"^\d+\.\d+(\.\d+)?$")]
    schema_version: String,
    /// Days since the newest one.
    #[schema(default = true)]
    include_days_since_last: bool,
    /// How many there were.
    #[schema(default = true)]
    include_count_window: bool,
    /// As of how many rows back.
    #[schema(default = 1, minimum = 1, maximum = 30)]
    lag_days: u32,
    /// Rows that are counted.
    #[schema(default = 14, minimum = 7, maximum = 60)]
    count_window_days: u32,
}

/// Promotions.
#[derive(Debug, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[allow(dead_code, reason = "describes the body, which is read field by field")]
#[schema(as = PromotionConfig, example = json!({"kinds_to_track": ["markdown", "pct_off"]}))]
pub(super) struct PromotionBody {
    /// `digits.digits` or `digits.digits.digits`.
    #[schema(default = "1.0", pattern = r"^\d+\.\d+(\.\d+)?$")]
    schema_version: String,
    /// Which kinds, each once.
    #[schema(default = json!(["markdown"]), min_items = 1, inline)]
    kinds_to_track: Vec<PromotionKindName>,
    /// Whether one covered the day.
    #[schema(default = true)]
    include_active: bool,
    /// The largest `discount_pct` of those that did.
    #[schema(default = true)]
    include_intensity: bool,
    /// As of how many rows back.
    #[schema(default = 1, minimum = 1, maximum = 30)]
    lag_days: u32,
}

/// A kind of promotion.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes the body, which is read field by field")]
#[schema(rename_all = "snake_case")]
enum PromotionKindName {
    PctOff,
    Bogo,
    Bundle,
    Markdown,
}

/// What becomes of nulls. Only days that were filled have some: their `unit_price`.
#[derive(Debug, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[allow(dead_code, reason = "describes the body, which is read field by field")]
#[schema(as = ImputationConfig, example = json!({"strategies": {"unit_price": "ffill"}}))]
pub(super) struct ImputationBody {
    /// `digits.digits` or `digits.digits.digits`.
    #[schema(default = "1.0", pattern = r"^\d+\.\d+(\.\d+)?$")]
    schema_version: String,
    /// Strategies by column, applied in this order; unknown columns are skipped. `bfill` and `mean` look ahead.
    #[schema(default = json!({"quantity": "zero", "unit_price": "ffill", "total_amount": "zero"}), inline)]
    strategies: HashMap<String, StrategyName>,
}

/// What becomes of a null.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes the body, which is read field by field")]
#[schema(rename_all = "snake_case")]
enum StrategyName {
    Zero,
    Ffill,
    Bfill,
    Mean,
    ExpandingMean,
    Drop,
}
