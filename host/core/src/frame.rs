//! Feature frames: the columns that a table model sees, for history and for the days to come.
//!
//! One function computes a cell for both. Training and future rows differ in one thing only: how far the target is
//! known. So a feature that looks past the forecast origin cannot be written here.

use crate::calendar::CalendarField;
use crate::past::{Aggregation, Past};
use crate::{Day, Series, Statics};

/// A column that the host computes. Statistics look at the rows before a row, never at the row itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Feature {
    /// Target this many rows ago.
    Lag(u32),
    /// A statistic of the last so many targets; NaN unless all of them are known.
    Rolling(Aggregation, u32),
    /// What the day says by itself.
    Calendar(CalendarField),
    /// Unit price over the baseline price.
    PriceFactor,
    /// 1 when a promotion covers the day.
    PromoActive,
    /// 1 when the calendar flags the day.
    IsHoliday,
    /// Days since the product's launch.
    DaysSinceLaunch,
    /// Code of the store, a category: see [`Statics`].
    Store,
    /// Code of the product, a category.
    Product,
    /// Code of the product's category, a category.
    Category,
    /// A column that nobody here can compute, of a model that was trained elsewhere: NaN throughout.
    Unknown,
}

/// The 14 columns of the forecasting contract, in its order.
pub const CONTRACT_FRAME: [Feature; 14] = [
    Feature::Lag(1),
    Feature::Lag(7),
    Feature::Lag(14),
    Feature::Lag(28),
    Feature::Calendar(CalendarField::DowSin),
    Feature::Calendar(CalendarField::DowCos),
    Feature::Calendar(CalendarField::MonthSin),
    Feature::Calendar(CalendarField::MonthCos),
    Feature::Calendar(CalendarField::IsWeekend),
    Feature::Calendar(CalendarField::IsMonthEnd),
    Feature::PriceFactor,
    Feature::PromoActive,
    Feature::IsHoliday,
    Feature::DaysSinceLaunch,
];

/// What a column may know about the future.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeakClass {
    /// Known for every day.
    Safe,
    /// Known up to the forecast origin only.
    SafeUpToOrigin,
    /// Known only when the caller supplies a plan.
    UnsafeUnlessSupplied,
}

impl Feature {
    /// The column's name in the contract.
    pub fn name(&self) -> String {
        match self {
            Self::Lag(k) => format!("lag_{k}"),
            Self::Rolling(aggregation, w) => format!("rolling_{}_{w}", aggregation.name()),
            Self::Calendar(field) => field.name().to_owned(),
            Self::PriceFactor => "price_factor".to_owned(),
            Self::PromoActive => "promo_active".to_owned(),
            Self::IsHoliday => "is_holiday".to_owned(),
            Self::DaysSinceLaunch => "days_since_launch".to_owned(),
            Self::Store => "store".to_owned(),
            Self::Product => "product".to_owned(),
            Self::Category => "category".to_owned(),
            Self::Unknown => "unknown".to_owned(),
        }
    }

    /// The feature of this name; a name that is none is [`Feature::Unknown`].
    pub fn named(name: &str) -> Self {
        let rows = |digits: &str| digits.parse().ok().filter(|rows: &u32| *rows > 0);
        let lag = || name.strip_prefix("lag_").and_then(rows).map(Self::Lag);
        let rolling = || {
            let (statistic, window) = name.strip_prefix("rolling_")?.rsplit_once('_')?;
            let aggregation = Aggregation::ALL.into_iter().find(|known| known.name() == statistic)?;
            Some(Self::Rolling(aggregation, rows(window)?))
        };
        let calendar =
            || CalendarField::ALL.into_iter().find(|known| known.name() == name).map(Self::Calendar);
        let others = [
            Self::PriceFactor,
            Self::PromoActive,
            Self::IsHoliday,
            Self::DaysSinceLaunch,
            Self::Store,
            Self::Product,
            Self::Category,
        ];
        let other = || others.into_iter().find(|known| known.name() == name);
        let found = lag().or_else(rolling).or_else(calendar).or_else(other);
        // A name that is written otherwise (`lag_07`) is another name.
        found.filter(|feature| feature.name() == name).unwrap_or(Self::Unknown)
    }

    /// Rows of history that the feature looks back on; 0 for those that do not.
    pub fn reach(&self) -> usize {
        match self {
            Self::Lag(n) | Self::Rolling(_, n) => *n as usize,
            _ => 0,
        }
    }

    /// What it may know about the future.
    pub fn leak_class(&self) -> LeakClass {
        match self {
            _ if self.reach() > 0 => LeakClass::SafeUpToOrigin,
            Self::PriceFactor | Self::PromoActive => LeakClass::UnsafeUnlessSupplied,
            _ => LeakClass::Safe,
        }
    }
}

/// What is known of a product and a store beside its sales.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Exogenous {
    /// First and last day of every promotion that covers the series, in any order.
    pub promotions: Vec<(Day, Day)>,
    /// Days that the calendar flags, ascending.
    pub holidays: Vec<Day>,
    /// What does not change from day to day.
    pub statics: Statics,
}

impl Exogenous {
    /// Whether any promotion covers the day.
    pub fn promo_active(&self, day: Day) -> bool {
        self.promotions.iter().any(|(first, last)| (*first..=*last).contains(&day))
    }

    /// Whether the calendar flags the day.
    pub fn is_holiday(&self, day: Day) -> bool {
        self.holidays.binary_search(&day).is_ok()
    }
}

/// Columns of equal length, column after column. NaN is missing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Frame {
    /// The columns.
    pub features: Vec<Feature>,
    /// Rows per column.
    pub rows: usize,
    /// `features.len() * rows` cells.
    pub values: Vec<f64>,
}

impl Frame {
    /// One column.
    pub fn column(&self, index: usize) -> &[f64] {
        &self.values[index * self.rows..(index + 1) * self.rows]
    }
}

/// What one row is made of, beside the target before it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RowInputs {
    /// The row's day.
    pub day: Day,
    /// Unit price over baseline price.
    pub price_factor: f64,
    /// Whether a promotion covers the day.
    pub promo_active: bool,
    /// Whether it is a holiday.
    pub is_holiday: bool,
}

impl RowInputs {
    /// What was recorded of row `i` of a series, beside its target.
    pub fn recorded(series: &Series, exogenous: &Exogenous, i: usize) -> Self {
        let day = series.days[i];
        Self {
            day,
            price_factor: series.unit_price[i] / series.baseline_price,
            promo_active: exogenous.promo_active(day),
            is_holiday: exogenous.is_holiday(day),
        }
    }
}

fn cell(feature: Feature, past: Past<'_>, row: &RowInputs, statics: &Statics) -> f64 {
    let flag = |on: bool| f64::from(u8::from(on));
    let code = |code: Option<u32>| code.map_or(f64::NAN, f64::from);
    match feature {
        Feature::Lag(k) => past.lag(k as usize),
        Feature::Rolling(aggregation, w) => past.window(w as usize, w as usize, aggregation),
        Feature::Calendar(field) => field.value(row.day),
        Feature::PriceFactor => row.price_factor,
        Feature::PromoActive => flag(row.promo_active),
        Feature::IsHoliday => flag(row.is_holiday),
        Feature::DaysSinceLaunch => statics.launch.map_or(f64::NAN, |launch| f64::from(row.day - launch)),
        Feature::Store => code(statics.store),
        Feature::Product => code(statics.product),
        Feature::Category => code(statics.category),
        Feature::Unknown => f64::NAN,
    }
}

fn build<'a>(
    features: &[Feature],
    rows: usize,
    statics: &Statics,
    row: impl Fn(usize) -> (Past<'a>, RowInputs),
) -> Frame {
    let rows_data: Vec<(Past<'a>, RowInputs)> = (0..rows).map(row).collect();
    let mut values = Vec::with_capacity(features.len() * rows);
    for feature in features {
        values.extend(rows_data.iter().map(|(past, row)| cell(*feature, *past, row, statics)));
    }
    Frame { features: features.to_vec(), rows, values }
}

/// One row per value of the series; every row knows all targets before it.
pub fn training_frame(features: &[Feature], series: &Series, exogenous: &Exogenous) -> Frame {
    build(features, series.len(), &exogenous.statics, |i| {
        (Past::of(&series.quantity[..i]), RowInputs::recorded(series, exogenous, i))
    })
}

/// Most history that is kept for future rows, unless a feature reaches further.
pub const TAIL: usize = 90;

/// The end of a series that future rows of these features need: its last 90 values, or as many as the feature that
/// reaches furthest.
pub fn tail<'a>(features: &[Feature], quantity: &'a [f64]) -> &'a [f64] {
    let need = features.iter().map(Feature::reach).max().unwrap_or(0).max(TAIL);
    &quantity[quantity.len().saturating_sub(need)..]
}

/// One row per day to forecast. `tail` ends at the forecast origin; row j is the (gap + j + 1)-th after it, and every
/// lag or window that would need a later value is NaN: nothing predicted is fed back.
pub fn future_frame(
    features: &[Feature],
    tail: &[f64],
    gap: usize,
    rows: &[RowInputs],
    statics: &Statics,
) -> Frame {
    build(features, rows.len(), statics, |j| (Past::beyond(tail, gap + j), rows[j]))
}

/// The row after `known`, which holds the history and the predictions made since: for models that feed their
/// predictions back, step by step.
pub fn next_row(features: &[Feature], known: &[f64], row: RowInputs, statics: &Statics) -> Frame {
    build(features, 1, statics, |_| (Past::of(known), row))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MissingDays, Observation};
    use proptest::prelude::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    /// The worked example of `forecasting.md`.
    fn example() -> (Series, Exogenous) {
        let start = day("2024-01-01");
        let rows: Vec<Observation> = (0..90)
            .map(|i| Observation {
                day: start + i,
                quantity: f64::from(20 + 3 * (i % 7) + (5 * i) % 13),
                unit_price: if i % 10 == 0 { 8.0 } else { 10.0 },
            })
            .collect();
        let series = Series::build(&rows, start + 89, MissingDays::Zero).unwrap();
        let exogenous = Exogenous {
            promotions: vec![(start + 40, start + 46)],
            holidays: vec![start, day("2024-02-14")],
            statics: Statics { launch: Some(day("2023-12-01")), ..Statics::of(3, 70_000, Some("dairy")) },
        };
        (series, exogenous)
    }

    fn row(frame: &Frame, i: usize) -> Vec<f64> {
        (0..frame.features.len()).map(|c| frame.column(c)[i]).collect()
    }

    #[test]
    fn features_have_names_and_other_names_have_no_value() {
        for feature in ALL {
            assert_eq!(Feature::named(&feature.name()), feature);
        }
        for name in
            ["", "moon", "lag_", "lag_0", "lag_07", "lag_-1", "rolling_median_7", "rolling_mean_", "unknown"]
        {
            assert_eq!(Feature::named(name), Feature::Unknown, "{name}");
        }
        let (series, exogenous) = example();
        let frame = training_frame(&[Feature::Unknown], &series, &exogenous);
        assert!(frame.rows == 90 && frame.column(0).iter().all(|cell| cell.is_nan()));
    }

    #[test]
    fn worked_training_rows() {
        let (series, exogenous) = example();
        let frame = training_frame(&CONTRACT_FRAME, &series, &exogenous);
        let first = row(&frame, 0);
        assert!(first[..4].iter().all(|lag| lag.is_nan()));
        assert_eq!(first[4..6], [0.0, 1.0]);
        assert!((first[6] - 0.5).abs() < 1e-12 && (first[7] - 0.866_025_4).abs() < 1e-7);
        assert_eq!(first[8..], [0.0, 0.0, 0.8, 0.0, 1.0, 31.0]);
        let later = row(&frame, 40);
        assert_eq!(later[..4], [32.0, 44.0, 35.0, 43.0]);
        assert_eq!(later[10..], [0.8, 1.0, 0.0, 71.0]);
    }

    fn future_rows(from: Day, count: i32) -> Vec<RowInputs> {
        (0..count)
            .map(|j| RowInputs { day: from + j, price_factor: 1.0, promo_active: false, is_holiday: false })
            .collect()
    }

    #[test]
    fn worked_future_rows() {
        let (series, _) = example();
        let tail = tail(&CONTRACT_FRAME, &series.quantity);
        let frame =
            future_frame(&CONTRACT_FRAME, tail, 0, &future_rows(day("2024-03-31"), 7), &Statics::default());
        assert_eq!(row(&frame, 0)[..4], [38.0, 50.0, 41.0, 49.0]);
        let second = row(&frame, 1);
        assert!(second[0].is_nan());
        assert_eq!(second[1..4], [24.0, 28.0, 23.0]);
        assert!(second[13].is_nan(), "no launch date");
    }

    #[test]
    fn a_gap_makes_short_lags_unknown() {
        let tail: Vec<f64> = (1..=90).map(f64::from).collect();
        let frame = future_frame(
            &[Feature::Lag(1), Feature::Lag(7)],
            &tail,
            2,
            &future_rows(Day(0), 5),
            &Statics::default(),
        );
        assert!(frame.column(0).iter().all(|v| v.is_nan()));
        // Row 3 rows after the origin: 7 rows ago is the fifth newest value.
        assert_eq!(frame.column(1)[0].to_bits(), 86.0_f64.to_bits());
    }

    #[test]
    fn rolling_windows_exclude_the_row_itself() {
        let (series, exogenous) = example();
        let features = [Aggregation::Mean, Aggregation::Std, Aggregation::Max]
            .map(|aggregation| Feature::Rolling(aggregation, 7));
        let frame = training_frame(&features, &series, &exogenous);
        assert!(frame.column(0)[6].is_nan());
        let expected = series.quantity[..7].iter().sum::<f64>() / 7.0;
        assert!((frame.column(0)[7] - expected).abs() < 1e-12);
    }

    const ALL: [Feature; 24] = [
        Feature::Lag(1),
        Feature::Lag(7),
        Feature::Rolling(Aggregation::Mean, 7),
        Feature::Rolling(Aggregation::Std, 3),
        Feature::Rolling(Aggregation::Min, 5),
        Feature::Rolling(Aggregation::Max, 14),
        Feature::Rolling(Aggregation::Sum, 2),
        Feature::Calendar(CalendarField::DayOfWeek),
        Feature::Calendar(CalendarField::DowSin),
        Feature::Calendar(CalendarField::DowCos),
        Feature::Calendar(CalendarField::Month),
        Feature::Calendar(CalendarField::MonthSin),
        Feature::Calendar(CalendarField::MonthCos),
        Feature::Calendar(CalendarField::Quarter),
        Feature::Calendar(CalendarField::Year),
        Feature::Calendar(CalendarField::IsWeekend),
        Feature::Calendar(CalendarField::IsMonthEnd),
        Feature::PriceFactor,
        Feature::PromoActive,
        Feature::IsHoliday,
        Feature::DaysSinceLaunch,
        Feature::Store,
        Feature::Product,
        Feature::Category,
    ];

    fn bits(values: &[f64]) -> Vec<u64> {
        values.iter().map(|v| v.to_bits()).collect()
    }

    proptest! {
        /// No training row sees its own or a later quantity.
        #[test]
        fn training_rows_know_only_the_past(cut in 0_usize..90, noise in proptest::collection::vec(0.0..1e6, 90)) {
            let (series, exogenous) = example();
            let mut changed = series.clone();
            changed.quantity[cut..].copy_from_slice(&noise[cut..]);
            let (a, b) = (training_frame(&ALL, &series, &exogenous), training_frame(&ALL, &changed, &exogenous));
            for i in 0..=cut.min(89) {
                prop_assert_eq!(bits(&row(&a, i)), bits(&row(&b, i)), "row {}", i);
            }
        }

        /// What a row has of prices, promotions and holidays is that of its own day.
        #[test]
        fn other_days_say_nothing_about_a_row(
            i in 0_usize..90,
            prices in proptest::collection::vec(0.01..1e4, 90),
            others in proptest::collection::vec(0..120_i32, 0..6),
        ) {
            let (series, exogenous) = example();
            let own = series.days[i];
            let (mut changed, mut elsewhere) = (series.clone(), exogenous.clone());
            changed.unit_price.clone_from_slice(&prices);
            changed.unit_price[i] = series.unit_price[i];
            let others: Vec<Day> =
                others.into_iter().map(|n| series.days[0] + n).filter(|day| *day != own).collect();
            elsewhere.promotions.retain(|(first, last)| (*first..=*last).contains(&own));
            elsewhere.promotions.extend(others.iter().map(|day| (*day, *day)));
            elsewhere.holidays.retain(|day| *day == own);
            elsewhere.holidays.extend(&others);
            elsewhere.holidays.sort_unstable();
            let (a, b) = (training_frame(&ALL, &series, &exogenous), training_frame(&ALL, &changed, &elsewhere));
            prop_assert_eq!(bits(&row(&a, i)), bits(&row(&b, i)));
        }

        /// A future row is the training row of its day with everything unknown that lies after the origin: lags that
        /// do not reach back to it, and windows unless the row comes right after it.
        #[test]
        fn future_rows_know_nothing_after_the_origin(
            origin in 30_usize..70,
            gap in 0_usize..10,
            later in proptest::collection::vec(0.0..1e6, 90),
        ) {
            let (mut series, exogenous) = example();
            let known = tail(&ALL, &series.quantity[..origin]).to_vec();
            // Whatever comes true after the origin.
            series.quantity[origin..].copy_from_slice(&later[origin..]);
            let training = training_frame(&ALL, &series, &exogenous);
            let inputs: Vec<RowInputs> = (origin + gap..origin + gap + 10)
                .map(|at| RowInputs::recorded(&series, &exogenous, at))
                .collect();
            let future = future_frame(&ALL, &known, gap, &inputs, &exogenous.statics);
            for (column, feature) in ALL.iter().enumerate() {
                for j in 0..inputs.len() {
                    let is_known = match feature {
                        Feature::Lag(k) => *k as usize > gap + j,
                        Feature::Rolling(..) => gap + j == 0,
                        _ => true,
                    };
                    let (found, expected) =
                        (future.column(column)[j], training.column(column)[origin + gap + j]);
                    let expected = if is_known { expected } else { f64::NAN };
                    prop_assert_eq!(found.to_bits(), expected.to_bits(), "{:?} of row {}", feature, j);
                }
            }
        }

        /// The first future row without a gap is the training row that would come next.
        #[test]
        fn training_and_future_rows_agree(n in 30_usize..89) {
            let (series, exogenous) = example();
            let training = training_frame(&ALL, &series, &exogenous);
            let next = RowInputs::recorded(&series, &exogenous, n);
            let known = tail(&ALL, &series.quantity[..n]);
            let future = future_frame(&ALL, known, 0, &[next], &exogenous.statics);
            prop_assert_eq!(bits(&row(&training, n)), bits(&row(&future, 0)));
            let recursive = next_row(&ALL, known, next, &exogenous.statics);
            prop_assert_eq!(bits(&row(&training, n)), bits(&row(&recursive, 0)));
        }
    }
}
