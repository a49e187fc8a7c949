//! What features are computed from: the observations of one series, and the input frame that is made of them.

use std::ops::{Range, RangeInclusive};

use super::config::FeatureSetConfig;
use super::{FeatureSetError, UnfitColumn};
use crate::{Day, MissingDays, PromotionKind, SeriesError};

/// A recorded day of a (store, product) series. NaN is null.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sale {
    /// The day.
    pub day: Day,
    /// Units sold.
    pub quantity: f64,
    /// Price per unit.
    pub unit_price: f64,
    /// Money taken.
    pub total_amount: f64,
}

/// A promotion of the product, in this store or chain-wide.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Promotion {
    /// Its kind.
    pub kind: PromotionKind,
    /// A fraction: 0.25 is a quarter off.
    pub discount_pct: Option<f64>,
    /// First day.
    pub first: Day,
    /// Last day.
    pub last: Day,
}

/// All that is known of one series. What a configuration does not ask for may stay empty.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Observed {
    /// Its store.
    pub store_id: i32,
    /// Its product.
    pub product_id: i32,
    /// Recorded days, ascending.
    pub sales: Vec<Sale>,
    /// Days that the calendar flags, ascending.
    pub holidays: Vec<Day>,
    /// Inventory snapshots, ascending by day: whether nothing was on hand.
    pub stockouts: Vec<(Day, bool)>,
    /// Promotions of any kind, in any order.
    pub promotions: Vec<Promotion>,
    /// Days with deliveries, ascending, and how many there were.
    pub deliveries: Vec<(Day, u32)>,
    /// Launch of the product.
    pub launch: Option<Day>,
    /// Its end.
    pub discontinue: Option<Day>,
}

impl Observed {
    /// Whether there is an inventory snapshot in the window.
    pub(super) fn has_snapshots(&self, window: &RangeInclusive<Day>) -> bool {
        self.stockouts.iter().any(|(day, _)| window.contains(day))
    }
}

/// A column of the input frame that holds numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NumberColumn {
    StoreId,
    ProductId,
    Quantity,
    UnitPrice,
    TotalAmount,
}

impl NumberColumn {
    const ALL: [(&'static str, Self); 5] = [
        ("store_id", Self::StoreId),
        ("product_id", Self::ProductId),
        ("quantity", Self::Quantity),
        ("unit_price", Self::UnitPrice),
        ("total_amount", Self::TotalAmount),
    ];

    /// None for the column of days and for names that are no column.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(known, _)| *known == name).map(|(_, column)| column)
    }

    /// Whether it holds what was observed on the row's day.
    fn is_observed(self) -> bool {
        matches!(self, Self::Quantity | Self::UnitPrice | Self::TotalAmount)
    }
}

/// The column of days.
const DATE: &str = "date";

/// All columns of the input frame, in its order.
pub(super) fn column_names() -> String {
    [DATE].into_iter().chain(NumberColumn::ALL.map(|(name, _)| name)).collect::<Vec<_>>().join(", ")
}

/// What a configuration says of the columns, checked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Columns {
    lag_target: Option<NumberColumn>,
    rolling_target: Option<NumberColumn>,
    /// The groups are single days; otherwise there is one group, because the frame has one series.
    by_day: bool,
}

impl Columns {
    pub(super) fn of(config: &FeatureSetConfig) -> Result<Self, FeatureSetError> {
        for name in &config.entity_columns {
            if let Some(column) = existing("config.entity_columns", name)?
                && column.is_observed()
            {
                return Err(unfit("config.entity_columns", name, UnfitColumn::Observed));
            }
        }
        if existing("config.date_column", &config.date_column)?.is_some() {
            return Err(unfit("config.date_column", &config.date_column, UnfitColumn::NoDays));
        }
        existing("config.target_column", &config.target_column)?;
        let lag = config.lag_config.as_ref().map(|lag| &lag.target_column);
        let rolling = config.rolling_config.as_ref().map(|rolling| &rolling.target_column);
        Ok(Self {
            lag_target: lag.map(|name| number("config.lag_config.target_column", name)).transpose()?,
            rolling_target: rolling
                .map(|name| number("config.rolling_config.target_column", name))
                .transpose()?,
            by_day: config.entity_columns.iter().any(|name| name == DATE),
        })
    }
}

fn unfit(field: &'static str, column: &str, reason: UnfitColumn) -> FeatureSetError {
    FeatureSetError::Column { field, column: column.to_owned(), reason }
}

/// The column of that name; none for the column of days.
fn existing(field: &'static str, name: &str) -> Result<Option<NumberColumn>, FeatureSetError> {
    match NumberColumn::named(name) {
        None if name != DATE => Err(unfit(field, name, UnfitColumn::Unknown)),
        column => Ok(column),
    }
}

fn number(field: &'static str, name: &str) -> Result<NumberColumn, FeatureSetError> {
    existing(field, name)?.ok_or_else(|| unfit(field, name, UnfitColumn::NoNumbers))
}

/// One row per day of the series, ascending. NaN is null.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct InputFrame {
    pub(super) days: Vec<Day>,
    numbers: [Vec<f64>; 5],
    columns: Columns,
}

impl InputFrame {
    /// The rows of the window and the days that the policy fills: zero units for zero money, at no known price.
    pub(super) fn build(
        observed: &Observed,
        window: &RangeInclusive<Day>,
        missing_days: MissingDays,
        columns: Columns,
    ) -> Result<Self, SeriesError> {
        let sales: Vec<&Sale> = observed.sales.iter().filter(|sale| window.contains(&sale.day)).collect();
        let recorded: Vec<Day> = sales.iter().map(|sale| sale.day).collect();
        let rows = missing_days.days(&recorded, *window.end())?;
        let observed_or = |default: f64, value: fn(&Sale) -> f64| -> Vec<f64> {
            rows.iter().map(|(_, row)| row.map_or(default, |at| value(sales[at]))).collect()
        };
        let numbers = [
            vec![f64::from(observed.store_id); rows.len()],
            vec![f64::from(observed.product_id); rows.len()],
            observed_or(0.0, |sale| sale.quantity),
            observed_or(f64::NAN, |sale| sale.unit_price),
            observed_or(0.0, |sale| sale.total_amount),
        ];
        Ok(Self { days: rows.iter().map(|(day, _)| *day).collect(), numbers, columns })
    }

    pub(super) fn column(&self, column: NumberColumn) -> &[f64] {
        &self.numbers[column as usize]
    }

    pub(super) fn column_mut(&mut self, column: NumberColumn) -> &mut [f64] {
        &mut self.numbers[column as usize]
    }

    /// The target of lags; none when that family is off.
    pub(super) fn lag_target(&self) -> Option<&[f64]> {
        self.columns.lag_target.map(|column| self.column(column))
    }

    /// The target of windows; none when that family is off.
    pub(super) fn rolling_target(&self) -> Option<&[f64]> {
        self.columns.rolling_target.map(|column| self.column(column))
    }

    /// The rows of each group.
    pub(super) fn groups(&self) -> Vec<Range<usize>> {
        let rows = self.days.len();
        if self.columns.by_day {
            (0..rows).map(|i| i..i + 1).collect()
        } else {
            std::iter::once(0..rows).collect()
        }
    }

    /// Takes out the rows where the column is null.
    pub(super) fn drop_nulls(&mut self, column: NumberColumn) {
        let keep: Vec<bool> = self.column(column).iter().map(|value| !value.is_nan()).collect();
        retain(&mut self.days, &keep);
        for values in &mut self.numbers {
            retain(values, &keep);
        }
    }
}

fn retain<T>(values: &mut Vec<T>, keep: &[bool]) {
    let mut keep = keep.iter();
    values.retain(|_| keep.next().is_some_and(|keep| *keep));
}
