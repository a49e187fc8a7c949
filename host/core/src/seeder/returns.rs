//! Units that come back (`seeder.md` §7.7).

use super::sales::Sale;
use super::{Pair, Stream};

/// A return.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Return {
    /// Number of the day in the window.
    pub day: usize,
    /// Units.
    pub quantity: i32,
    /// Why.
    pub reason: &'static str,
}

/// Share of sales that something of is returned.
const PROBABILITY: f64 = 0.02;
/// Days after the sale.
const LAG: (i64, i64) = (1, 14);
/// What is returned of a sale.
const FRACTION: f64 = 0.5;
/// Reasons and their weights.
const REASONS: [&str; 5] =
    ["defective", "wrong_size", "not_as_described", "changed_mind", "damaged_in_transit"];
const WEIGHTS: [f64; 5] = [0.25, 0.20, 0.15, 0.30, 0.10];

/// The returns of a pair's sales in a window of so many days.
pub fn returns(seed: u64, pair: Pair, days: usize, sales: &[Sale]) -> Vec<Return> {
    let mut stream = Stream::of(seed, "return", &pair.place());
    let mut returns = Vec::new();
    for sale in sales.iter().filter(|sale| sale.quantity > 0) {
        if !stream.chance(PROBABILITY) {
            continue;
        }
        let day = (sale.day + stream.between(LAG.0, LAG.1) as usize).min(days - 1);
        let half = (f64::from(sale.quantity) * FRACTION).round_ties_even() as i32;
        let reason = REASONS[stream.weighted(&WEIGHTS)];
        returns.push(Return { day, quantity: half.max(1).min(sale.quantity), reason });
    }
    returns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seeder::channels::Channel;

    #[test]
    fn share_lag_quantity_and_reasons() {
        let sale = |day| Sale { day, quantity: (day % 4) as i32, price: 100, channel: Channel::InStore };
        let sales: Vec<Sale> = (0..40_000).map(sale).collect();
        let pair = Pair { store: 0, product: 0, index: 0 };
        let returns = returns(42, pair, 40_000, &sales);
        // Three of four sales count: 30,000 with 2 % are 600 ± 24.
        assert!(returns.len().abs_diff(600) < 122, "{}", returns.len());
        for found in &returns {
            // Half of 1, 2, 3 to even: 0, 1, 2, but at least one.
            assert!((1..=2).contains(&found.quantity));
        }
        let changed =
            returns.iter().filter(|r| r.reason == "changed_mind").count() as f64 / returns.len() as f64;
        assert!((changed - 0.3).abs() < 0.1, "{changed}");
        let one = [Sale { day: 9, quantity: 8, price: 1, channel: Channel::InStore }];
        let late: Vec<Return> = (0..2_000).flat_map(|seed| super::returns(seed, pair, 10, &one)).collect();
        assert!(!late.is_empty() && late.iter().all(|r| r.day == 9 && r.quantity == 4));
    }
}
