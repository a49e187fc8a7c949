//! Feature frames of a panel: 720 series of 1,455 days on the 11 columns of a model across series.
//!
//!     cargo bench -p retailcast-core

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use retailcast_core::frame::{Exogenous, Feature, RowInputs, next_row, training_frame};
use retailcast_core::{Aggregation, CalendarField, Day, MissingDays, Observation, Series, Statics};

const SERIES: i32 = 720;
const DAYS: i32 = 1_455;
const STEPS: usize = 14;

const FEATURES: [Feature; 11] = [
    Feature::Lag(1),
    Feature::Lag(7),
    Feature::Lag(14),
    Feature::Lag(28),
    Feature::Rolling(Aggregation::Mean, 7),
    Feature::Rolling(Aggregation::Mean, 28),
    Feature::Calendar(CalendarField::DayOfWeek),
    Feature::Calendar(CalendarField::Month),
    Feature::Store,
    Feature::Product,
    Feature::Category,
];

fn panel() -> Vec<(Series, Exogenous)> {
    let series = |n: i32| {
        let row =
            |i: i32| Observation { day: Day(19_000 + i), quantity: f64::from((i * n) % 17), unit_price: 2.0 };
        let rows: Vec<Observation> = (0..DAYS).map(row).collect();
        let exogenous = Exogenous {
            promotions: (0..10).map(|i| (Day(19_000 + 100 * i), Day(19_005 + 100 * i))).collect(),
            holidays: (0..40).map(|i| Day(19_000 + 36 * i)).collect(),
            statics: Statics::of(n / 30 + 1, n % 30 + 1, Some("dairy")),
        };
        // Days in order, each once.
        (Series::build(&rows, Day(19_000 + DAYS - 1), MissingDays::Zero).expect("rows in order"), exogenous)
    };
    (1..=SERIES).map(series).collect()
}

fn frames(c: &mut Criterion) {
    let panel = panel();
    let mut group = c.benchmark_group("frame");
    group.sample_size(10);
    group.bench_function("training rows of 720 series x 1455 days x 11 columns", |b| {
        b.iter(|| {
            for (series, exogenous) in &panel {
                black_box(training_frame(&FEATURES, series, exogenous));
            }
        });
    });
    let row = |step: i32| RowInputs {
        day: Day(19_000 + DAYS + step),
        price_factor: 1.0,
        promo_active: false,
        is_holiday: false,
    };
    group.bench_function("14 steps of one row each for 720 series", |b| {
        b.iter(|| {
            for step in 0..STEPS as i32 {
                for (series, exogenous) in &panel {
                    black_box(next_row(&FEATURES, &series.quantity, row(step), &exogenous.statics));
                }
            }
        });
    });
    group.finish();
}

criterion_group!(benches, frames);
criterion_main!(benches);
