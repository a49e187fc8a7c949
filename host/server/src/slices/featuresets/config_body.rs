//! The member `config` of both requests: its fields in the contract's order, lax, and none but these.

use std::collections::HashSet;
use std::hash::Hash;

use retailcast_core::config_schema::FieldError;
use retailcast_core::featureset::{
    CalendarConfig, ExogenousConfig, FeatureSetConfig, ImputationConfig, LagConfig, LifecycleConfig,
    PromotionConfig, ReplenishmentConfig, RollingConfig, Strategy,
};
use retailcast_core::{Aggregation, PromotionKind};
use serde_json::Value;

use super::service::FeatureSettings;
use crate::http::fields::{self, Fields, Reading};

type Read<T> = Result<T, Vec<FieldError>>;

/// Reads a configuration and fills in what is absent.
pub(super) fn read(value: &Value, limits: &FeatureSettings) -> Read<FeatureSetConfig> {
    let mut fields = Fields::inside("config", value)?;
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
    fields.forbid_others(&[
        "schema_version",
        "name",
        "description",
        "entity_columns",
        "date_column",
        "target_column",
        "lag_config",
        "rolling_config",
        "calendar_config",
        "exogenous_config",
        "lifecycle_config",
        "replenishment_config",
        "promotion_config",
        "imputation_config",
    ]);
    fields.finish(Some(config))
}

fn lag(value: &Value, limits: &FeatureSettings) -> Read<LagConfig> {
    let mut fields = Fields::inside("config.lag_config", value)?;
    let mut config = LagConfig::default();
    set(&mut config.schema_version, version(&mut fields));
    distances(&mut fields, "lags", &mut config.lags, 1, limits.lag());
    set(&mut config.target_column, column(&mut fields, "target_column"));
    config.fill_value = fields.nullable("fill_value", fields::lax_number(f64::MIN, f64::MAX));
    fields.forbid_others(&["schema_version", "lags", "target_column", "fill_value"]);
    fields.finish(Some(config))
}

fn rolling(value: &Value, limits: &FeatureSettings) -> Read<RollingConfig> {
    let mut fields = Fields::inside("config.rolling_config", value)?;
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
    fields.forbid_others(&["schema_version", "windows", "aggregations", "target_column", "min_periods"]);
    fields.finish(Some(config))
}

fn calendar(value: &Value) -> Read<CalendarConfig> {
    let mut fields = Fields::inside("config.calendar_config", value)?;
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
    fields.forbid_others(&[
        "schema_version",
        "include_day_of_week",
        "include_month",
        "include_quarter",
        "include_year",
        "include_is_weekend",
        "include_is_month_end",
        "include_is_holiday",
        "use_cyclical_encoding",
    ]);
    fields.finish(Some(config))
}

fn exogenous(value: &Value, limits: &FeatureSettings) -> Read<ExogenousConfig> {
    let mut fields = Fields::inside("config.exogenous_config", value)?;
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
    fields.forbid_others(&[
        "schema_version",
        "include_price",
        "price_lags",
        "include_price_change",
        "include_promo",
        "include_inventory",
        "include_stockout_flag",
    ]);
    fields.finish(Some(config))
}

fn lifecycle(value: &Value) -> Read<LifecycleConfig> {
    let mut fields = Fields::inside("config.lifecycle_config", value)?;
    let mut config = LifecycleConfig::default();
    set(&mut config.schema_version, version(&mut fields));
    for (name, on) in [
        ("include_days_since_launch", &mut config.include_days_since_launch),
        ("include_days_since_discontinue", &mut config.include_days_since_discontinue),
    ] {
        set(on, fields.optional(name, fields::lax_flag));
    }
    set(&mut config.lag_days, fields.optional("lag_days", count(1, 30)));
    fields.forbid_others(&[
        "schema_version",
        "include_days_since_launch",
        "include_days_since_discontinue",
        "lag_days",
    ]);
    fields.finish(Some(config))
}

fn replenishment(value: &Value) -> Read<ReplenishmentConfig> {
    let mut fields = Fields::inside("config.replenishment_config", value)?;
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
    fields.forbid_others(&[
        "schema_version",
        "include_days_since_last",
        "include_count_window",
        "lag_days",
        "count_window_days",
    ]);
    fields.finish(Some(config))
}

fn promotion(value: &Value) -> Read<PromotionConfig> {
    let mut fields = Fields::inside("config.promotion_config", value)?;
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
    fields.forbid_others(&[
        "schema_version",
        "kinds_to_track",
        "include_active",
        "include_intensity",
        "lag_days",
    ]);
    fields.finish(Some(config))
}

fn imputation(value: &Value) -> Read<ImputationConfig> {
    let mut fields = Fields::inside("config.imputation_config", value)?;
    let mut config = ImputationConfig::default();
    set(&mut config.schema_version, version(&mut fields));
    let strategies = fields.entries("strategies", choice(&Strategy::ALL, Strategy::name));
    let owned = |(column, strategy): (&str, Strategy)| (column.to_owned(), strategy);
    set(&mut config.strategies, strategies.map(|all| all.into_iter().map(owned).collect()));
    fields.forbid_others(&["schema_version", "strategies"]);
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
