//! The member `config` of both requests: its fields in the contract's order, lax, and none but these.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use retailcast_core::Aggregation;
use retailcast_core::config_schema::FieldError;
use retailcast_core::featureset::{
    CalendarConfig, ExogenousConfig, FeatureSetConfig, ImputationConfig, LagConfig, LifecycleConfig,
    PromotionConfig, PromotionKind, ReplenishmentConfig, RollingConfig, Strategy,
};
use serde_json::Value;
use utoipa::ToSchema;

use super::service::FeatureSettings;
use crate::http::fields::{self, Fields, Reading};

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

type Read<T> = Result<T, Vec<FieldError>>;

/// Reads a configuration and fills in what is absent.
pub(super) fn read(value: &Value, limits: &FeatureSettings) -> Read<FeatureSetConfig> {
    let mut fields = Fields::closed("config", value)?;
    let mut config = FeatureSetConfig::named("");
    set(&mut config.schema_version, version(&mut fields));
    set(&mut config.name, fields.required("name", owned(1, 100)));
    config.description = fields.nullable("description", owned(0, usize::MAX));
    set(&mut config.entity_columns, fields.items("entity_columns", owned(0, usize::MAX)));
    set(&mut config.date_column, column(&mut fields, "date_column"));
    set(&mut config.target_column, column(&mut fields, "target_column"));
    config.lag_config = fields.nullable_nested("lag_config", |value| lag(value, limits));
    config.rolling_config = fields.nullable_nested("rolling_config", |value| rolling(value, limits));
    config.calendar_config = fields.nullable_nested("calendar_config", calendar);
    config.exogenous_config = fields.nullable_nested("exogenous_config", |value| exogenous(value, limits));
    config.lifecycle_config = fields.nullable_nested("lifecycle_config", lifecycle);
    config.replenishment_config = fields.nullable_nested("replenishment_config", replenishment);
    config.promotion_config = fields.nullable_nested("promotion_config", promotion);
    config.imputation_config = fields.nullable_nested("imputation_config", imputation);
    fields.finish(Some(config))
}

fn lag(value: &Value, limits: &FeatureSettings) -> Read<LagConfig> {
    let mut fields = Fields::closed("config.lag_config", value)?;
    let mut config = LagConfig::default();
    set(&mut config.schema_version, version(&mut fields));
    distances(&mut fields, "lags", &mut config.lags, 1, limits.lag());
    set(&mut config.target_column, column(&mut fields, "target_column"));
    config.fill_value = fields.nullable("fill_value", fields::lax_number(f64::MIN, f64::MAX));
    fields.finish(Some(config))
}

fn rolling(value: &Value, limits: &FeatureSettings) -> Read<RollingConfig> {
    let mut fields = Fields::closed("config.rolling_config", value)?;
    let mut config = RollingConfig::default();
    set(&mut config.schema_version, version(&mut fields));
    distances(&mut fields, "windows", &mut config.windows, 1, limits.window());
    let aggregations = fields.items("aggregations", choice(&Aggregation::ALL, Aggregation::name));
    set(&mut config.aggregations, aggregations);
    if let Some(twice) = twice(&config.aggregations) {
        fields.refuse("aggregations", format!("{} is there twice", twice.name()));
    }
    set(&mut config.target_column, column(&mut fields, "target_column"));
    let min_periods = fields.nullable("min_periods", fields::lax_int(i64::MIN, i64::MAX));
    let smallest = config.windows.iter().min().copied().map_or(i64::MAX, i64::from);
    if let Some(found) = min_periods.filter(|found| !(1..=smallest).contains(found)) {
        let message = format!("must be from 1 to the smallest window, {smallest}, is {found}");
        fields.refuse("min_periods", message);
    }
    config.min_periods = min_periods.map(|least| least as u32);
    fields.finish(Some(config))
}

fn calendar(value: &Value) -> Read<CalendarConfig> {
    let mut fields = Fields::closed("config.calendar_config", value)?;
    let mut config = CalendarConfig::default();
    set(&mut config.schema_version, version(&mut fields));
    for (name, on) in [
        ("include_day_of_week", &mut config.include_day_of_week),
        ("include_month", &mut config.include_month),
        ("include_quarter", &mut config.include_quarter),
        ("include_year", &mut config.include_year),
        ("include_is_weekend", &mut config.include_is_weekend),
        ("include_is_month_end", &mut config.include_is_month_end),
        ("include_is_holiday", &mut config.include_is_holiday),
        ("use_cyclical_encoding", &mut config.use_cyclical_encoding),
    ] {
        set(on, fields.optional(name, fields::lax_flag));
    }
    fields.finish(Some(config))
}

fn exogenous(value: &Value, limits: &FeatureSettings) -> Read<ExogenousConfig> {
    let mut fields = Fields::closed("config.exogenous_config", value)?;
    let mut config = ExogenousConfig::default();
    set(&mut config.schema_version, version(&mut fields));
    set(&mut config.include_price, fields.optional("include_price", fields::lax_flag));
    distances(&mut fields, "price_lags", &mut config.price_lags, 0, limits.lag());
    for (name, on) in [
        ("include_price_change", &mut config.include_price_change),
        ("include_promo", &mut config.include_promo),
        ("include_inventory", &mut config.include_inventory),
        ("include_stockout_flag", &mut config.include_stockout_flag),
    ] {
        set(on, fields.optional(name, fields::lax_flag));
    }
    fields.finish(Some(config))
}

fn lifecycle(value: &Value) -> Read<LifecycleConfig> {
    let mut fields = Fields::closed("config.lifecycle_config", value)?;
    let mut config = LifecycleConfig::default();
    set(&mut config.schema_version, version(&mut fields));
    for (name, on) in [
        ("include_days_since_launch", &mut config.include_days_since_launch),
        ("include_days_since_discontinue", &mut config.include_days_since_discontinue),
    ] {
        set(on, fields.optional(name, fields::lax_flag));
    }
    set(&mut config.lag_days, fields.optional("lag_days", count(1, 30)));
    fields.finish(Some(config))
}

fn replenishment(value: &Value) -> Read<ReplenishmentConfig> {
    let mut fields = Fields::closed("config.replenishment_config", value)?;
    let mut config = ReplenishmentConfig::default();
    set(&mut config.schema_version, version(&mut fields));
    for (name, on) in [
        ("include_days_since_last", &mut config.include_days_since_last),
        ("include_count_window", &mut config.include_count_window),
    ] {
        set(on, fields.optional(name, fields::lax_flag));
    }
    set(&mut config.lag_days, fields.optional("lag_days", count(1, 30)));
    set(&mut config.count_window_days, fields.optional("count_window_days", count(7, 60)));
    fields.finish(Some(config))
}

fn promotion(value: &Value) -> Read<PromotionConfig> {
    let mut fields = Fields::closed("config.promotion_config", value)?;
    let mut config = PromotionConfig::default();
    set(&mut config.schema_version, version(&mut fields));
    let kinds = fields.items("kinds_to_track", choice(&PromotionKind::ALL, PromotionKind::name));
    set(&mut config.kinds_to_track, kinds);
    if config.kinds_to_track.is_empty() {
        fields.refuse("kinds_to_track", "must have at least 1 item, has 0");
    }
    if let Some(twice) = twice(&config.kinds_to_track) {
        fields.refuse("kinds_to_track", format!("{} is there twice", twice.name()));
    }
    for (name, on) in
        [("include_active", &mut config.include_active), ("include_intensity", &mut config.include_intensity)]
    {
        set(on, fields.optional(name, fields::lax_flag));
    }
    set(&mut config.lag_days, fields.optional("lag_days", count(1, 30)));
    fields.finish(Some(config))
}

fn imputation(value: &Value) -> Read<ImputationConfig> {
    let mut fields = Fields::closed("config.imputation_config", value)?;
    let mut config = ImputationConfig::default();
    set(&mut config.schema_version, version(&mut fields));
    let strategies = fields.entries("strategies", choice(&Strategy::ALL, Strategy::name));
    let owned = |(column, strategy): (&str, Strategy)| (column.to_owned(), strategy);
    set(&mut config.strategies, strategies.map(|all| all.into_iter().map(owned).collect()));
    fields.finish(Some(config))
}

/// Keeps the default of what is absent; of what does not fit, too, because then there is an error.
fn set<T>(field: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *field = given;
    }
}

fn version(fields: &mut Fields<'_>) -> Option<String> {
    fields.optional("schema_version", fields::version).map(str::to_owned)
}

fn column(fields: &mut Fields<'_>, name: &str) -> Option<String> {
    fields.optional(name, owned(0, usize::MAX))
}

fn owned(least: usize, most: usize) -> impl Fn(&Value) -> Reading<String> {
    move |value| fields::text(least, most)(value).map(str::to_owned)
}

fn count(least: u32, most: u32) -> impl Fn(&Value) -> Reading<u32> {
    let read = fields::lax_int(i64::from(least), i64::from(most));
    move |value| read(value).map(|count| count as u32)
}

/// One of these, by its name.
fn choice<T: Copy>(all: &[T], name: fn(T) -> &'static str) -> impl Fn(&Value) -> Reading<T> {
    move |value| {
        let found = all.iter().find(|choice| value.as_str() == Some(name(**choice)));
        found.copied().ok_or_else(|| {
            let names: Vec<&str> = all.iter().map(|choice| name(*choice)).collect();
            ("literal_error", format!("must be one of {}, got {}", names.join(", "), fields::short(value)))
        })
    }
}

/// Reads numbers of rows: at least so many of them, each once, from 1 to a bound that is configured.
fn distances(
    fields: &mut Fields<'_>,
    name: &str,
    distances: &mut Vec<u32>,
    least: usize,
    (most, key): (u32, &str),
) {
    let given = fields.items(name, fields::lax_int(i64::MIN, i64::MAX));
    let given = given.unwrap_or_else(|| distances.iter().copied().map(i64::from).collect());
    if given.len() < least {
        fields.refuse(name, format!("must have at least {least} item, has {}", given.len()));
    } else if let Some(found) = given.iter().find(|found| **found < 1) {
        fields.refuse(name, format!("must be above 0 each, {found} is not"));
    } else if let Some(found) = given.iter().find(|found| **found > i64::from(most)) {
        fields.refuse(name, format!("must be at most {most} each (`{key}`), {found} is not"));
    } else if let Some(found) = twice(&given) {
        fields.refuse(name, format!("{found} is there twice"));
    } else {
        *distances = given.into_iter().map(|distance| distance as u32).collect();
    }
}

/// The first item that was there before.
fn twice<T: Eq + Hash>(items: &[T]) -> Option<&T> {
    let mut seen = HashSet::new();
    items.iter().find(|item| !seen.insert(*item))
}
