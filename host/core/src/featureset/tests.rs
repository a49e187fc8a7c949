//! Definitions of the contract, on small examples.

use super::*;
use crate::{Aggregation, PromotionKind};

const START: Day = Day(19_723); // 2024-01-01, a Monday

fn series(quantities: impl IntoIterator<Item = f64>) -> Observed {
    let sales = quantities.into_iter().enumerate().map(|(i, quantity)| Sale {
        day: START + i as i32,
        quantity,
        unit_price: if i % 10 == 0 { 8.0 } else { 10.0 },
        total_amount: 0.0,
    });
    Observed { store_id: 4, product_id: 31, sales: sales.collect(), ..Observed::default() }
}

/// The worked series of the contract.
fn worked() -> Observed {
    series((0..90).map(|i| f64::from(20 + 3 * (i % 7) + (5 * i) % 13)))
}

fn run_with(
    observed: &Observed,
    policy: MissingDays,
    change: impl FnOnce(&mut FeatureSetConfig),
) -> FeatureSet {
    let mut config = FeatureSetConfig::named("test");
    change(&mut config);
    let last = observed.sales.last().unwrap().day;
    compute(&config, observed, &(START..=last), policy).unwrap()
}

fn run(observed: &Observed, change: impl FnOnce(&mut FeatureSetConfig)) -> FeatureSet {
    run_with(observed, MissingDays::Skip, change)
}

impl FeatureSet {
    fn names(&self) -> Vec<&str> {
        self.columns.iter().map(|column| column.name.as_str()).collect()
    }

    #[track_caller]
    fn column(&self, name: &str) -> Vec<Option<f64>> {
        let column = self.columns.iter().find(|column| column.name == name);
        let values = &column.unwrap_or_else(|| panic!("{name} is not in {:?}", self.names())).values;
        values.iter().map(|value| Some(*value).filter(|value| !value.is_nan())).collect()
    }
}

#[test]
fn the_worked_values_of_the_contract() {
    let set = run(&worked(), |config| {
        config.lag_config = Some(LagConfig { lags: vec![1, 7], ..LagConfig::default() });
        config.rolling_config = Some(RollingConfig { windows: vec![7], ..RollingConfig::default() });
        config.exogenous_config = Some(ExogenousConfig { price_lags: vec![], ..ExogenousConfig::default() });
    });
    let names = ["lag_1", "lag_7", "rolling_mean_7", "rolling_std_7", "price_pct_change_7d"];
    assert_eq!(set.names(), names);
    for (row, expected) in [
        (6, [Some(47.0), None, None, None, None]),
        (7, [Some(42.0), Some(20.0), Some(34.714_285_714_285_715), Some(9.123_491_395_189_41), None]),
        (8, [Some(29.0), Some(28.0), Some(36.0), Some(7.118_052_168_020_874), Some(0.25)]),
        (9, [Some(24.0), Some(36.0), Some(35.428_571_428_571_43), Some(7.976_154_939_508_61), Some(0.0)]),
    ] {
        for (name, expected) in names.iter().zip(expected) {
            let found = set.column(name)[row];
            let near = |(a, b): (f64, f64)| (a - b).abs() <= 1e-9;
            assert!(found.zip(expected).map_or(found == expected, near), "row {row} {name}: {found:?}");
        }
    }
}

#[test]
fn counting_targets_show_what_a_row_sees() {
    let set = run(&series((1..=40).map(f64::from)), |config| {
        config.lag_config = Some(LagConfig::default());
        config.rolling_config =
            Some(RollingConfig { aggregations: Aggregation::ALL.to_vec(), ..RollingConfig::default() });
    });
    for k in [1, 7, 14, 28] {
        for (i, value) in set.column(&format!("lag_{k}")).into_iter().enumerate() {
            assert_eq!(value, (i >= k).then(|| (i + 1 - k) as f64), "lag_{k} of row {i}");
        }
    }
    assert_eq!(set.column("rolling_mean_7")[7], Some(4.0));
    for (i, value) in set.column("rolling_sum_7").into_iter().enumerate() {
        assert_eq!(value, (i >= 7).then(|| (7 * i - 21) as f64), "rolling_sum_7 of row {i}");
    }
    assert_eq!((set.column("rolling_min_14")[20], set.column("rolling_max_14")[20]), (Some(7.0), Some(20.0)));
    assert_eq!(set.columns.iter().map(Column::nulls).collect::<Vec<_>>()[..4], [1, 7, 14, 28]);
}

#[test]
fn fewer_values_than_a_window_count_when_they_may() {
    let set = run(&series([2.0, 4.0, 9.0, 1.0]), |config| {
        config.rolling_config = Some(RollingConfig {
            windows: vec![3],
            aggregations: vec![Aggregation::Sum, Aggregation::Std],
            min_periods: Some(1),
            ..RollingConfig::default()
        });
    });
    assert_eq!(set.column("rolling_sum_3"), [None, Some(2.0), Some(6.0), Some(15.0)]);
    assert_eq!(set.column("rolling_std_3")[..3], [None, None, Some(2.0_f64.sqrt())]);
}

#[test]
fn a_fill_value_stands_for_nulls_of_lags_only() {
    let set = run(&series([f64::NAN, 4.0, 9.0]), |config| {
        let lags = LagConfig { lags: vec![2, 1], fill_value: Some(-1.0), ..LagConfig::default() };
        config.lag_config = Some(lags);
        config.rolling_config = Some(RollingConfig { windows: vec![2], ..RollingConfig::default() });
    });
    assert_eq!(set.names()[..2], ["lag_2", "lag_1"]);
    assert_eq!(set.column("lag_1"), [Some(-1.0), Some(-1.0), Some(4.0)]);
    assert_eq!(set.column("rolling_mean_2"), [None, None, None]);
}

#[test]
fn calendar_columns_and_their_kinds() {
    let mut observed = series([0.0; 32]);
    observed.holidays = vec![START, START + 3];
    let all = CalendarConfig { include_year: true, ..CalendarConfig::default() };
    let set = run(&observed, |config| config.calendar_config = Some(all.clone()));
    let names = [
        "dow_sin",
        "dow_cos",
        "month_sin",
        "month_cos",
        "quarter",
        "year",
        "is_weekend",
        "is_month_end",
        "is_holiday",
    ];
    assert_eq!(set.names(), names);
    let integers = set.columns.iter().filter(|column| column.kind == NumberKind::Integer).count();
    assert_eq!(integers, 5);
    let set = run(&observed, |config| {
        config.calendar_config = Some(CalendarConfig { use_cyclical_encoding: false, ..all });
    });
    assert_eq!(set.names()[..3], ["day_of_week", "month", "quarter"]);
    assert!(set.columns.iter().all(|column| column.kind == NumberKind::Integer));
    assert_eq!((set.column("day_of_week")[6], set.column("month")[31]), (Some(6.0), Some(2.0)));
    assert_eq!((set.column("is_month_end")[30], set.column("year")[0]), (Some(1.0), Some(2024.0)));
    assert_eq!(set.column("is_holiday")[..4], [Some(1.0), Some(0.0), Some(0.0), Some(1.0)]);
}

#[test]
fn prices_by_rows_and_none_after_a_price_of_zero() {
    let mut observed = series([1.0; 12]);
    observed.sales[1].unit_price = 0.0;
    let set = run(&observed, |config| {
        config.exogenous_config = Some(ExogenousConfig { price_lags: vec![2], ..ExogenousConfig::default() });
    });
    assert_eq!(set.names(), ["price_lag_2", "price_pct_change_7d"]);
    assert_eq!(set.column("price_lag_2")[..4], [None, None, Some(8.0), Some(0.0)]);
    assert_eq!(set.column("price_pct_change_7d")[8..10], [Some(0.25), None]);
    let off = ExogenousConfig { include_price: false, ..ExogenousConfig::default() };
    assert!(run(&observed, |config| config.exogenous_config = Some(off)).columns.is_empty());
}

#[test]
fn stockouts_belong_to_the_day_of_the_row_before() {
    let mut observed = series([1.0; 5]);
    observed.sales.remove(2);
    let exogenous = |config: &mut FeatureSetConfig| {
        config.exogenous_config =
            Some(ExogenousConfig { include_price: false, ..ExogenousConfig::default() });
    };
    // Before the window: as if there were none.
    observed.stockouts = vec![(START + -1, true)];
    assert!(run(&observed, exogenous).columns.is_empty());
    observed.stockouts.extend([(START, true), (START + 2, true), (START + 3, false)]);
    let set = run(&observed, exogenous);
    assert_eq!(set.column("stockout_lag_1"), [None, Some(1.0), None, Some(0.0)]);
    assert_eq!(set.columns[0].kind, NumberKind::Integer);
}

#[test]
fn days_since_the_dates_of_the_product() {
    let mut observed = series([1.0; 4]);
    (observed.launch, observed.discontinue) = (Some(START + -10), Some(START + 2));
    let set = run(&observed, |config| {
        config.lifecycle_config = Some(LifecycleConfig { lag_days: 2, ..LifecycleConfig::default() });
    });
    assert_eq!(set.column("days_since_launch_lag2"), [None, None, Some(10.0), Some(11.0)]);
    assert_eq!(set.column("days_since_discontinue_lag2"), [None, None, Some(-2.0), Some(-1.0)]);
    observed.launch = None;
    let set = run(&observed, |config| config.lifecycle_config = Some(LifecycleConfig::default()));
    assert_eq!(set.column("days_since_launch_lag1"), [None; 4]);
}

#[test]
fn promotions_by_kind_in_alphabetical_order() {
    let mut observed = series([1.0; 5]);
    let promotion = |kind, discount_pct, first, last| Promotion {
        kind,
        discount_pct,
        first: START + first,
        last: START + last,
    };
    observed.promotions = vec![
        promotion(PromotionKind::PctOff, Some(0.1), -5, 1),
        promotion(PromotionKind::PctOff, Some(0.3), 1, 1),
        promotion(PromotionKind::PctOff, None, 2, 2),
        promotion(PromotionKind::Bundle, Some(0.5), 0, 9),
    ];
    let set = run(&observed, |config| {
        config.promotion_config = Some(PromotionConfig {
            kinds_to_track: vec![PromotionKind::PctOff, PromotionKind::Bogo],
            ..PromotionConfig::default()
        });
    });
    assert_eq!(
        set.names(),
        [
            "promo_bogo_active_lag1",
            "promo_bogo_intensity_lag1",
            "promo_pct_off_active_lag1",
            "promo_pct_off_intensity_lag1"
        ]
    );
    assert_eq!(set.column("promo_bogo_active_lag1"), [None, Some(0.0), Some(0.0), Some(0.0), Some(0.0)]);
    assert_eq!(set.column("promo_pct_off_active_lag1"), [None, Some(1.0), Some(1.0), Some(1.0), Some(0.0)]);
    assert_eq!(set.column("promo_pct_off_intensity_lag1"), [None, Some(0.1), Some(0.3), None, None]);
}

#[test]
fn deliveries_since_and_counted() {
    let mut observed = series([1.0; 9]);
    observed.sales.remove(1);
    // A delivery before the window, two on the first day, one on the day without a row, one later.
    observed.deliveries = vec![(START + -3, 1), (START, 2), (START + 1, 1), (START + 4, 1)];
    let set = run(&observed, |config| {
        config.replenishment_config =
            Some(ReplenishmentConfig { lag_days: 2, count_window_days: 2, ..ReplenishmentConfig::default() });
    });
    // Rows: days 0, 2, 3, 4, 5, 6, 7, 8.
    assert_eq!(
        set.column("days_since_last_replenishment_lag2"),
        [None, None, Some(0.0), Some(1.0), Some(2.0), Some(0.0), Some(1.0), Some(2.0)]
    );
    assert_eq!(set.column("replenishment_count_w2_lag2"), [0.0, 0.0, 2.0, 2.0, 0.0, 1.0, 1.0, 0.0].map(Some));
    assert_eq!((set.columns[0].kind, set.columns[1].kind), (NumberKind::Float, NumberKind::Integer));
    observed.deliveries.remove(0);
    observed.deliveries.retain(|(day, _)| *day > START);
    let set = run(&observed, |config| config.replenishment_config = Some(ReplenishmentConfig::default()));
    assert_eq!(set.column("days_since_last_replenishment_lag1")[..3], [None, None, Some(1.0)]);
}

#[test]
fn filled_days_have_no_price_until_it_is_imputed() {
    let mut observed = series((1..=6).map(f64::from));
    observed.sales.drain(2..4);
    let families = |config: &mut FeatureSetConfig| {
        config.lag_config = Some(LagConfig { lags: vec![1], ..LagConfig::default() });
        config.exogenous_config = Some(ExogenousConfig { price_lags: vec![1], ..ExogenousConfig::default() });
    };
    let set = run_with(&observed, MissingDays::Zero, families);
    assert_eq!(set.days.len(), 6);
    assert_eq!(set.column("lag_1"), [None, Some(1.0), Some(2.0), Some(0.0), Some(0.0), Some(5.0)]);
    assert_eq!(set.column("price_lag_1"), [None, Some(8.0), Some(10.0), None, None, Some(10.0)]);
    let imputed = |strategy: Option<Strategy>| {
        run_with(&observed, MissingDays::Zero, |config| {
            families(config);
            let mut imputation = ImputationConfig::default();
            if let Some(strategy) = strategy {
                imputation.strategies = [("unit_price".to_owned(), strategy)].into();
            }
            config.imputation_config = Some(imputation);
        })
    };
    let set = imputed(None);
    assert_eq!(set.column("price_lag_1"), [None, Some(8.0), Some(10.0), Some(10.0), Some(10.0), Some(10.0)]);
    let dropped = imputed(Some(Strategy::Drop));
    assert_eq!(dropped.column("lag_1"), run(&observed, families).column("lag_1"));
}

#[test]
fn strategies_of_unknown_columns_are_skipped() {
    let set = run(&series([1.0, f64::NAN]), |config| {
        let strategies = ["date", "warehouse", "quantity"].map(|name| (name.to_owned(), Strategy::Drop));
        config.imputation_config =
            Some(ImputationConfig { strategies: strategies.into(), ..ImputationConfig::default() });
    });
    assert_eq!(set.days, [START]);
}

#[test]
fn strategies_that_look_ahead_are_risks() {
    let mut config = FeatureSetConfig::named("test");
    assert_eq!(leakage_risks(&config).count(), 0);
    let strategies = [
        ("quantity", Strategy::Mean),
        ("unit_price", Strategy::Ffill),
        ("total_amount", Strategy::Bfill),
        ("warehouse", Strategy::Bfill),
    ];
    let strategies = strategies.into_iter().map(|(name, strategy)| (name.to_owned(), strategy)).collect();
    config.imputation_config = Some(ImputationConfig { strategies, ..ImputationConfig::default() });
    let risks: Vec<_> = leakage_risks(&config).collect();
    assert_eq!(risks, [("quantity", Strategy::Mean), ("total_amount", Strategy::Bfill)]);
}

#[test]
fn groups_of_single_days_know_nothing() {
    let set = run(&series([1.0, 2.0]), |config| {
        config.entity_columns.push("date".to_owned());
        config.lag_config = Some(LagConfig { lags: vec![1], ..LagConfig::default() });
    });
    assert_eq!(set.column("lag_1"), [None, None]);
}

#[test]
fn any_column_of_numbers_can_be_a_target() {
    let set = run(&worked(), |config| {
        config.entity_columns = vec![];
        config.lag_config =
            Some(LagConfig { lags: vec![1], target_column: "unit_price".to_owned(), ..LagConfig::default() });
        let ids = RollingConfig {
            windows: vec![2],
            target_column: "product_id".to_owned(),
            ..RollingConfig::default()
        };
        config.rolling_config = Some(ids);
    });
    assert_eq!(set.column("lag_1")[1], Some(8.0));
    assert_eq!(set.column("rolling_mean_2")[2], Some(31.0));
}

#[test]
fn columns_that_cannot_be_used_are_named() {
    fn refused(change: impl FnOnce(&mut FeatureSetConfig)) -> String {
        let mut config = FeatureSetConfig::named("test");
        config.lag_config = Some(LagConfig::default());
        config.rolling_config = Some(RollingConfig::default());
        change(&mut config);
        let error = check_columns(&config).unwrap_err();
        assert_eq!(compute(&config, &worked(), &(START..=START + 9), MissingDays::Skip), Err(error.clone()));
        error.to_string()
    }
    let shop = || "shop".to_owned();
    for text in [
        refused(|config| config.entity_columns.push(shop())),
        refused(|config| config.date_column = shop()),
        refused(|config| config.target_column = shop()),
        refused(|config| config.lag_config.as_mut().unwrap().target_column = shop()),
        refused(|config| config.rolling_config.as_mut().unwrap().target_column = shop()),
    ] {
        assert!(text.contains("`shop`") && text.contains("total_amount"), "{text}");
    }
    let date = refused(|config| config.lag_config.as_mut().unwrap().target_column = "date".to_owned());
    assert!(date.contains("not numbers"), "{date}");
    let own = refused(|config| config.entity_columns = vec!["quantity".to_owned()]);
    assert!(own.contains("own value"), "{own}");
    let days = refused(|config| config.date_column = "quantity".to_owned());
    assert!(days.contains("does not hold days"), "{days}");
}

#[test]
fn rows_outside_the_window_do_not_exist() {
    let window = START + 10..=START + 19;
    let config =
        FeatureSetConfig { lag_config: Some(LagConfig::default()), ..FeatureSetConfig::named("test") };
    let set = compute(&config, &worked(), &window, MissingDays::Zero).unwrap();
    assert_eq!((set.days[0], set.days.len()), (START + 10, 10));
    assert_eq!(set.column("lag_1")[0], None);
    let later = START + 200..=START + 209;
    let nothing = compute(&config, &worked(), &later, MissingDays::Zero);
    assert_eq!(nothing, Err(SeriesError::Empty.into()));
    let mut gap = worked();
    gap.sales.remove(12);
    let refused = compute(&config, &gap, &window, MissingDays::Error);
    assert_eq!(refused, Err(SeriesError::Missing { first: START + 12, count: 1 }.into()));
}
