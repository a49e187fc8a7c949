//! Series to check with. All are made by arithmetic: the same in every run, on every machine.

use retailcast_core::frame::Exogenous;
use retailcast_core::{Day, MissingDays, Observation, Series, Statics};
use retailcast_runtime::panel::History;

/// The day after which everything is to be forecast; 2024-03-15, so that half a year of history has a 29 February.
pub const ORIGIN: Day = Day(19_797);

/// Days of every promotion, and of the pause after it.
const PROMOTION: i32 = 10;
const PAUSE: i32 = 20;

/// Whether a promotion covers a day.
pub fn promoted(day: Day) -> bool {
    day.0.rem_euclid(PROMOTION + PAUSE) < PROMOTION
}

/// Numbers between -0.5 and 0.5 that look random.
fn noise(i: i32) -> f64 {
    let scrambled = (i as u32).wrapping_mul(2_654_435_761).rotate_left(13).wrapping_mul(2_246_822_519);
    f64::from(scrambled >> 8) / f64::from(1 << 24) - 0.5
}

/// A series of these values that ends on [`ORIGIN`]; `who` numbers its store and product.
pub fn of_values(who: i32, values: &[f64]) -> History {
    let first = ORIGIN + (1 - values.len() as i32);
    let rows = values.iter().enumerate().map(|(i, quantity)| row(first + i as i32, *quantity));
    from_rows(who, &rows.collect::<Vec<_>>())
}

fn row(day: Day, quantity: f64) -> Observation {
    Observation { day, quantity, unit_price: if promoted(day) { 8.0 } else { 10.0 } }
}

fn from_rows(who: i32, rows: &[Observation]) -> History {
    let series = Series::build(rows, ORIGIN, MissingDays::Skip).expect("rows are made in order, one per day");
    let first = series.days[0];
    let days = || (first.0..=ORIGIN.0 + 400).map(Day);
    let promotions = days().filter(|day| promoted(*day) && (*day == first || !promoted(*day + -1)));
    let exogenous = Exogenous {
        promotions: promotions
            .map(|day| (day, day + (PROMOTION - 1 - day.0.rem_euclid(PROMOTION + PAUSE))))
            .collect(),
        holidays: days().filter(|day| day.0.rem_euclid(50) == 0).collect(),
        statics: Statics { launch: Some(first + -30), ..Statics::of(who, 100 + who, Some("tea")) },
    };
    History { series, exogenous }
}

/// Ordinary sales: a level, a week, a slight trend, three times as much in promotions, noise.
pub fn ordinary(who: i32, days: usize) -> History {
    const WEEK: [f64; 7] = [0.8, 0.9, 1.0, 1.0, 1.2, 1.5, 0.6];
    let level = 20.0 * f64::from(who);
    let first = ORIGIN + (1 - days as i32);
    let value = |i: i32| {
        let day = first + i;
        let promotion = if promoted(day) { 3.0 } else { 1.0 };
        let trend = 1.0 + f64::from(i) / 1000.0;
        (level * promotion * trend * (WEEK[day.weekday() as usize % 7] + 0.2 * noise(i + 1000 * who))).round()
    };
    of_values(who, &(0..days as i32).map(value).collect::<Vec<_>>())
}

/// Ordinary sales on two days of three: with the policy `skip`, rows stand next to each other whatever lies between.
pub fn with_gaps(who: i32, rows: usize) -> History {
    let whole = ordinary(who, rows * 3 / 2 + 3).series;
    let kept = (0..whole.len()).filter(|i| !(whole.len() - i).is_multiple_of(3));
    let observations: Vec<Observation> = kept.map(|i| row(whole.days[i], whole.quantity[i])).collect();
    from_rows(who, &observations)
}

/// A product of which nothing is known but its sales: no launch, no codes, no promotions, no holidays.
pub fn unknown(days: usize) -> History {
    History { exogenous: Exogenous::default(), ..ordinary(1, days) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_end_on_the_origin_and_know_their_promotions() {
        for history in [ordinary(1, 120), with_gaps(2, 120), unknown(40)] {
            assert_eq!(history.series.days.last(), Some(&ORIGIN));
        }
        let ordinary = ordinary(3, 200);
        assert_eq!(ordinary.series.len(), 200);
        for day in &ordinary.series.days {
            assert_eq!(ordinary.exogenous.promo_active(*day), promoted(*day), "{day}");
        }
        assert!(with_gaps(1, 100).series.days.windows(2).any(|pair| pair[1] - pair[0] == 2));
    }
}
