//! The families of columns (`featuresets.md`, "Order of work and definitions").
//!
//! Every column but those of the calendar is made by [`Rows::each`], which hands to a cell what a column was in the
//! rows before it: a cell of row i cannot be made of row i or of a later one.

use std::ops::{Range, RangeInclusive};

use super::config::{
    CalendarConfig, ExogenousConfig, FeatureSetConfig, LagConfig, LifecycleConfig, PromotionConfig,
    ReplenishmentConfig, RollingConfig,
};
use super::input::{InputFrame, NumberColumn, Observed};
use super::{Column, NumberKind};
use crate::past::Past;
use crate::{Aggregation, CalendarField, Day, PromotionKind};

/// All columns of a configuration, in the order of the contract.
pub(super) fn columns(
    config: &FeatureSetConfig,
    frame: &InputFrame,
    observed: &Observed,
    window: &RangeInclusive<Day>,
) -> Vec<Column> {
    let rows = Rows { frame, groups: frame.groups() };
    let mut columns = Vec::new();
    if let (Some(config), Some(target)) = (&config.lag_config, frame.lag_target()) {
        columns.extend(lags(&rows, config, target));
    }
    if let (Some(config), Some(target)) = (&config.rolling_config, frame.rolling_target()) {
        columns.extend(rolling(&rows, config, target));
    }
    if let Some(config) = &config.calendar_config {
        columns.extend(calendar(&rows, config, &observed.holidays));
    }
    if let Some(config) = &config.exogenous_config {
        columns.extend(prices(&rows, config));
        if config.include_stockout_flag && observed.has_snapshots(window) {
            columns.push(stockout(&rows, &observed.stockouts));
        }
    }
    if let Some(config) = &config.lifecycle_config {
        columns.extend(lifecycle(&rows, config, observed));
    }
    if let Some(config) = &config.promotion_config {
        columns.extend(promotions(&rows, config, observed));
    }
    if let Some(config) = &config.replenishment_config {
        columns.extend(replenishment(&rows, config, &observed.deliveries));
    }
    columns
}

/// The rows of the input frame, in their groups.
struct Rows<'a> {
    frame: &'a InputFrame,
    groups: Vec<Range<usize>>,
}

impl Rows<'_> {
    /// One cell per row, made of the values before it in its group.
    fn each(&self, values: &[f64], cell: impl Fn(Past<'_>) -> f64) -> Vec<f64> {
        let mut cells = Vec::with_capacity(values.len());
        for group in &self.groups {
            let values = &values[group.clone()];
            cells.extend((0..values.len()).map(|i| cell(Past::of(&values[..i]))));
        }
        cells
    }

    /// The values, each `k` rows late.
    fn late(&self, values: &[f64], k: u32) -> Vec<f64> {
        self.each(values, |past| past.lag(k as usize))
    }

    /// One value per row, made of its day.
    fn of_days(&self, value: impl Fn(Day) -> f64) -> Vec<f64> {
        self.frame.days.iter().map(|day| value(*day)).collect()
    }
}

fn lags<'r>(
    rows: &'r Rows<'_>,
    config: &'r LagConfig,
    target: &'r [f64],
) -> impl Iterator<Item = Column> + 'r {
    config.lags.iter().map(move |k| {
        let mut values = rows.late(target, *k);
        if let Some(fill) = config.fill_value {
            values.iter_mut().filter(|value| value.is_nan()).for_each(|value| *value = fill);
        }
        Column::new(format!("lag_{k}"), NumberKind::Float, values)
    })
}

fn rolling(rows: &Rows<'_>, config: &RollingConfig, target: &[f64]) -> Vec<Column> {
    let mut columns = Vec::with_capacity(config.windows.len() * config.aggregations.len());
    for w in &config.windows {
        let min_periods = config.min_periods.unwrap_or(*w) as usize;
        for aggregation in &config.aggregations {
            let values = rows.each(target, |past| past.window(*w as usize, min_periods, *aggregation));
            let name = format!("rolling_{}_{w}", aggregation.name());
            columns.push(Column::new(name, NumberKind::Float, values));
        }
    }
    columns
}

fn calendar(rows: &Rows<'_>, config: &CalendarConfig, holidays: &[Day]) -> Vec<Column> {
    use CalendarField as F;
    let cyclical = config.use_cyclical_encoding;
    let weekday: &[F] = if cyclical { &[F::DowSin, F::DowCos] } else { &[F::DayOfWeek] };
    let month: &[F] = if cyclical { &[F::MonthSin, F::MonthCos] } else { &[F::Month] };
    let fields = [
        (config.include_day_of_week, weekday),
        (config.include_month, month),
        (config.include_quarter, &[F::Quarter]),
        (config.include_year, &[F::Year]),
        (config.include_is_weekend, &[F::IsWeekend]),
        (config.include_is_month_end, &[F::IsMonthEnd]),
    ];
    let fields = fields.iter().filter(|(on, _)| *on).flat_map(|(_, fields)| fields.iter());
    let column = |field: &F| {
        let kind = if field.is_integer() { NumberKind::Integer } else { NumberKind::Float };
        Column::new(field.name().to_owned(), kind, rows.of_days(|day| field.value(day)))
    };
    let mut columns: Vec<Column> = fields.map(column).collect();
    if config.include_is_holiday {
        let values = rows.of_days(|day| flag(holidays.binary_search(&day).is_ok()));
        columns.push(Column::new("is_holiday".to_owned(), NumberKind::Integer, values));
    }
    columns
}

/// Rows that the change of a price spans.
const PRICE_CHANGE: usize = 7;

fn prices(rows: &Rows<'_>, config: &ExogenousConfig) -> Vec<Column> {
    if !config.include_price {
        return Vec::new();
    }
    let prices = rows.frame.column(NumberColumn::UnitPrice);
    let lag = |k: &u32| Column::new(format!("price_lag_{k}"), NumberKind::Float, rows.late(prices, *k));
    let mut columns: Vec<Column> = config.price_lags.iter().map(lag).collect();
    if config.include_price_change {
        // Not finite, and so null, after a price of 0.
        let values = rows.each(prices, |past| {
            let (new, old) = (past.lag(1), past.lag(1 + PRICE_CHANGE));
            (new - old) / old
        });
        columns.push(Column::new(format!("price_pct_change_{PRICE_CHANGE}d"), NumberKind::Float, values));
    }
    columns
}

fn stockout(rows: &Rows<'_>, snapshots: &[(Day, bool)]) -> Column {
    let out = rows.of_days(|day| on_day(snapshots, day).map_or(f64::NAN, flag));
    Column::new("stockout_lag_1".to_owned(), NumberKind::Integer, rows.late(&out, 1))
}

fn lifecycle(rows: &Rows<'_>, config: &LifecycleConfig, observed: &Observed) -> Vec<Column> {
    let n = config.lag_days;
    let dates = [
        (config.include_days_since_launch, "launch", observed.launch),
        (config.include_days_since_discontinue, "discontinue", observed.discontinue),
    ];
    let column = |(_, name, date): (bool, &str, Option<Day>)| {
        let since = rows.of_days(|day| date.map_or(f64::NAN, |date| f64::from(day - date)));
        Column::new(format!("days_since_{name}_lag{n}"), NumberKind::Float, rows.late(&since, n))
    };
    dates.into_iter().filter(|(on, ..)| *on).map(column).collect()
}

fn promotions(rows: &Rows<'_>, config: &PromotionConfig, observed: &Observed) -> Vec<Column> {
    let mut kinds = config.kinds_to_track.clone();
    kinds.sort_unstable();
    kinds.into_iter().flat_map(|kind| promotions_of(kind, rows, config, observed)).collect()
}

fn promotions_of(
    kind: PromotionKind,
    rows: &Rows<'_>,
    config: &PromotionConfig,
    observed: &Observed,
) -> Vec<Column> {
    let covering = |day: Day| {
        let all = observed.promotions.iter().filter(move |promotion| promotion.kind == kind);
        all.filter(move |promotion| (promotion.first..=promotion.last).contains(&day))
    };
    let (name, n) = (kind.name(), config.lag_days);
    let mut columns = Vec::new();
    if config.include_active {
        let active = rows.of_days(|day| flag(covering(day).next().is_some()));
        let name = format!("promo_{name}_active_lag{n}");
        columns.push(Column::new(name, NumberKind::Integer, rows.late(&active, n)));
    }
    if config.include_intensity {
        let largest = |day| covering(day).filter_map(|promotion| promotion.discount_pct).reduce(f64::max);
        let intensity = rows.of_days(|day| largest(day).unwrap_or(f64::NAN));
        let name = format!("promo_{name}_intensity_lag{n}");
        columns.push(Column::new(name, NumberKind::Float, rows.late(&intensity, n)));
    }
    columns
}

fn replenishment(rows: &Rows<'_>, config: &ReplenishmentConfig, deliveries: &[(Day, u32)]) -> Vec<Column> {
    let (n, w) = (config.lag_days, config.count_window_days);
    let mut columns = Vec::new();
    if config.include_days_since_last {
        let newest = |day: Day| deliveries[..deliveries.partition_point(|(at, _)| *at <= day)].last();
        let since = rows.of_days(|day| newest(day).map_or(f64::NAN, |(at, _)| f64::from(day - *at)));
        let name = format!("days_since_last_replenishment_lag{n}");
        columns.push(Column::new(name, NumberKind::Float, rows.late(&since, n)));
    }
    if config.include_count_window {
        let count = rows.of_days(|day| on_day(deliveries, day).map_or(0.0, f64::from));
        let values =
            rows.each(&count, |past| past.earlier(n as usize - 1).window(w as usize, 0, Aggregation::Sum));
        let name = format!("replenishment_count_w{w}_lag{n}");
        columns.push(Column::new(name, NumberKind::Integer, values));
    }
    columns
}

fn flag(on: bool) -> f64 {
    f64::from(u8::from(on))
}

/// What stands at a day in a list that ascends by day.
fn on_day<T: Copy>(list: &[(Day, T)], day: Day) -> Option<T> {
    list.binary_search_by_key(&day, |(at, _)| *at).ok().map(|at| list[at].1)
}
