//! Leakage is impossible: whatever is changed, added or taken away from some day on, no feature of a row up to that
//! day changes by a bit.

use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::{Just, ProptestConfig, any, prop_assert_eq, prop_oneof, proptest};
use proptest::sample::{select, subsequence};
use proptest::strategy::Strategy as Generate;

use super::*;
use crate::{Aggregation, PromotionKind};

/// Days of the window, and of the days after it that observations may fall on.
const DAYS: i32 = 60;
const LATER: i32 = 20;

fn number(most: u32) -> impl Generate<Value = f64> {
    prop_oneof![9 => (0..most).prop_map(|cents| f64::from(cents) / 4.0), 1 => Just(f64::NAN)]
}

/// All kinds of observations on the days from `from` on, in any density.
fn observed(from: i32) -> impl Generate<Value = Observed> {
    let days = from..DAYS + LATER;
    let most = 2 * (DAYS + LATER - from) as usize;
    let sale = (number(200), number(80), number(4_000));
    let span = (days.clone(), 0..15_i32);
    let promotion = (select(PromotionKind::ALL.to_vec()), option::of(0.0..1.0_f64), span);
    let dated = (
        btree_map(days.clone(), sale, 0..most),
        btree_map(days.clone(), any::<bool>(), 0..most),
        btree_map(days.clone(), 1..4_u32, 0..most / 4 + 1),
    );
    let holidays = btree_set(days, 0..most / 4 + 1);
    (dated, vec(promotion, 0..12), holidays).prop_map(
        |((sales, stockouts, deliveries), promotions, holidays)| Observed {
            sales: sales
                .into_iter()
                .map(|(day, (quantity, unit_price, total_amount))| Sale {
                    day: Day(day),
                    quantity,
                    unit_price,
                    total_amount,
                })
                .collect(),
            stockouts: stockouts.into_iter().map(|(day, out)| (Day(day), out)).collect(),
            deliveries: deliveries.into_iter().map(|(day, count)| (Day(day), count)).collect(),
            promotions: promotions
                .into_iter()
                .map(|(kind, discount_pct, (first, length))| Promotion {
                    kind,
                    discount_pct,
                    first: Day(first),
                    last: Day(first + length),
                })
                .collect(),
            holidays: holidays.into_iter().map(Day).collect(),
            // Facts of the product, known ahead.
            launch: Some(Day(-40)),
            discontinue: Some(Day(DAYS + 5)),
            store_id: 4,
            product_id: 31,
        },
    )
}

/// What was observed before a day, with everything from that day on exchanged for `later`. A promotion is observed
/// when it begins, and its end may be moved as long as it lies ahead. Flags of the calendar are known ahead: those of
/// later days are exchanged.
fn spliced(before: &Observed, day: Day, later: &Observed) -> Observed {
    fn splice<T: Clone>(before: &[T], later: &[T], is_before: impl Fn(&T) -> bool) -> Vec<T> {
        let kept = before.iter().filter(|item| is_before(item));
        kept.chain(later.iter().filter(|item| !is_before(item))).cloned().collect()
    }
    Observed {
        sales: splice(&before.sales, &later.sales, |sale| sale.day < day),
        stockouts: splice(&before.stockouts, &later.stockouts, |(at, _)| *at < day),
        deliveries: splice(&before.deliveries, &later.deliveries, |(at, _)| *at < day),
        promotions: splice(&before.promotions, &later.promotions, |promotion| promotion.first < day)
            .into_iter()
            .map(|p| Promotion { last: if p.last < day { p.last } else { p.last + LATER }, ..p })
            .collect(),
        holidays: splice(&before.holidays, &later.holidays, |at| *at <= day),
        ..before.clone()
    }
}

/// Every family with everything on, and any imputation by these strategies.
fn config(strategies: Vec<Strategy>) -> impl Generate<Value = FeatureSetConfig> {
    let column = select(vec!["quantity", "unit_price", "total_amount"]);
    let imputation = option::of(vec((column.clone(), select(strategies)), 0..4));
    let numbers = (1..9_u32, 1..9_u32, option::of(1..4_u32), option::of(number(9)));
    let aggregations = subsequence(Aggregation::ALL.to_vec(), 1..=5);
    (imputation, column.clone(), column, numbers, aggregations).prop_map(
        |(imputation, lag_target, rolling_target, (n, w, min_periods, fill), aggregations)| {
            let imputation = imputation.map(|strategies| ImputationConfig {
                strategies: strategies.into_iter().map(|(name, s)| (name.to_owned(), s)).collect(),
                ..ImputationConfig::default()
            });
            FeatureSetConfig {
                lag_config: Some(LagConfig {
                    lags: vec![1, n + 1],
                    target_column: lag_target.to_owned(),
                    fill_value: fill.filter(|fill| fill.is_finite()),
                    ..LagConfig::default()
                }),
                rolling_config: Some(RollingConfig {
                    windows: vec![w + 3, w + 4],
                    aggregations,
                    target_column: rolling_target.to_owned(),
                    min_periods,
                    ..RollingConfig::default()
                }),
                calendar_config: Some(CalendarConfig { include_year: true, ..CalendarConfig::default() }),
                exogenous_config: Some(ExogenousConfig {
                    price_lags: vec![1, n + 1],
                    ..ExogenousConfig::default()
                }),
                lifecycle_config: Some(LifecycleConfig { lag_days: n, ..LifecycleConfig::default() }),
                replenishment_config: Some(ReplenishmentConfig {
                    lag_days: n,
                    count_window_days: w + 6,
                    ..ReplenishmentConfig::default()
                }),
                promotion_config: Some(PromotionConfig {
                    kinds_to_track: PromotionKind::ALL.to_vec(),
                    lag_days: n,
                    ..PromotionConfig::default()
                }),
                imputation_config: imputation,
                ..FeatureSetConfig::named("laws")
            }
        },
    )
}

fn window() -> RangeInclusive<Day> {
    Day(0)..=Day(DAYS - 1)
}

/// One row per day up to `last`, each cell with its column's name and bits. The column whose presence depends on the
/// whole window is left out unless `with_stockouts`.
type Rows = Vec<(Day, Vec<(String, u64)>)>;

fn rows(set: &FeatureSet, last: Day, with_stockouts: bool) -> Rows {
    let columns = || set.columns.iter().filter(|column| with_stockouts || column.name != "stockout_lag_1");
    let row = |i: usize| columns().map(|column| (column.name.clone(), column.values[i].to_bits())).collect();
    let days = set.days.iter().enumerate().take_while(|(_, day)| **day <= last);
    days.map(|(i, day)| (*day, row(i))).collect()
}

/// The rows up to and with `day` before and after everything from `day` on is exchanged; of the row of `day` itself
/// only when it is there both times, because whether something was sold is an observation of that day.
fn before_and_after(
    config: &FeatureSetConfig,
    observed: &Observed,
    later: &Observed,
    day: Day,
    policy: MissingDays,
) -> Option<(Rows, Rows)> {
    let changed = spliced(observed, day, later);
    let compute = |observed| compute(config, observed, &window(), policy).ok();
    let (before, after) = (compute(observed)?, compute(&changed)?);
    let has_stockouts = |set: &FeatureSet| set.columns.iter().any(|column| column.name == "stockout_lag_1");
    let both = has_stockouts(&before) && has_stockouts(&after);
    let last = if before.days.contains(&day) && after.days.contains(&day) { day } else { day + -1 };
    Some((rows(&before, last, both), rows(&after, last, both)))
}

fn policies() -> impl Generate<Value = MissingDays> {
    select(vec![MissingDays::Zero, MissingDays::Skip])
}

const CAUSAL: [Strategy; 4] = [Strategy::Zero, Strategy::Ffill, Strategy::ExpandingMean, Strategy::Drop];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Nothing observed after the cutoff changes anything, whatever is imputed how.
    #[test]
    fn the_future_beyond_the_cutoff_does_not_exist(
        observed in observed(0),
        later in observed(DAYS),
        config in config(Strategy::ALL.to_vec()),
        policy in policies(),
    ) {
        let changed = spliced(&observed, Day(DAYS), &later);
        let bits = |observed| compute(&config, observed, &window(), policy).map(|set| rows(&set, Day(DAYS), true));
        prop_assert_eq!(bits(&observed), bits(&changed));
    }

    /// No row sees what is observed on its own day or later.
    #[test]
    fn a_row_sees_only_what_was_before_it(
        observed in observed(0),
        (day, later) in (0..DAYS).prop_flat_map(|day| (Just(Day(day)), observed(day))),
        config in config(CAUSAL.to_vec()),
        policy in policies(),
    ) {
        if let Some((before, after)) = before_and_after(&config, &observed, &later, day, policy) {
            prop_assert_eq!(before, after);
        }
    }
}

/// The law itself can be broken: by the two strategies that look ahead, which say so.
#[test]
fn strategies_that_look_ahead_are_found_out() {
    for strategy in Strategy::ALL {
        let observed = |newest: f64| Observed {
            sales: [1.0, f64::NAN, 2.0, newest]
                .into_iter()
                .zip(0..)
                .map(|(quantity, day)| Sale { day: Day(day), quantity, unit_price: 1.0, total_amount: 1.0 })
                .filter(|sale| sale.day != Day(2))
                .collect(),
            ..Observed::default()
        };
        let config = FeatureSetConfig {
            lag_config: Some(LagConfig { lags: vec![1], ..LagConfig::default() }),
            imputation_config: Some(ImputationConfig {
                strategies: [("quantity".to_owned(), strategy)].into(),
                ..ImputationConfig::default()
            }),
            ..FeatureSetConfig::named("laws")
        };
        let found =
            before_and_after(&config, &observed(5.0), &observed(7.0), Day(3), MissingDays::Skip).unwrap();
        assert_eq!(found.0 != found.1, strategy.looks_ahead(), "{strategy:?}");
    }
}
