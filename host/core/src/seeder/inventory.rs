//! Stock and stock-outs (`seeder.md` §7.5).

use super::{Pair, Stream};

/// Which days of which pairs are without stock. One bit per day: a large run has a hundred million of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stockouts {
    days: usize,
    bits: Vec<u64>,
}

impl Stockouts {
    /// Every day in stock.
    pub fn none(pairs: usize, days: usize) -> Self {
        Self { days, bits: vec![0; (pairs * days).div_ceil(64)] }
    }

    /// Draws all days of all pairs, given as their positions in order of their numbers.
    pub fn draw(
        seed: u64,
        pairs: impl ExactSizeIterator<Item = Pair>,
        days: usize,
        probability: f64,
    ) -> Self {
        let mut drawn = Self::none(pairs.len(), days);
        for pair in pairs {
            let mut stream = Stream::of(seed, "stockout", &pair.place());
            for day in 0..days {
                if stream.chance(probability) {
                    drawn.set(pair.index, day);
                }
            }
        }
        drawn
    }

    /// These days of these pairs.
    pub fn on(pairs: usize, days: usize, out: &[(usize, usize)]) -> Self {
        let mut made = Self::none(pairs, days);
        for (pair, day) in out {
            made.set(*pair, *day);
        }
        made
    }

    fn set(&mut self, pair: usize, day: usize) {
        let bit = pair * self.days + day;
        self.bits[bit / 64] |= 1 << (bit % 64);
    }

    /// Whether a pair is without stock on a day.
    pub fn at(&self, pair: usize, day: usize) -> bool {
        let bit = pair * self.days + day;
        self.bits[bit / 64] >> (bit % 64) & 1 == 1
    }
}

/// Stock of a pair at the end of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stock {
    /// Units on the shelf.
    pub on_hand: i32,
    /// Units on their way.
    pub on_order: i32,
    /// Nothing on the shelf because of a stock-out; a shelf may be empty without one.
    pub is_stockout: bool,
}

/// Usual stock and its relative deviation.
const LEVEL: f64 = 500.0;
const DEVIATION: f64 = 0.3;
/// Below this an order is on its way.
const REORDER: i32 = 150;
/// Its size.
const ORDER: (i64, i64) = (100, 500);

/// The stock of a pair on every day. Sales do not reduce it.
pub fn inventory(seed: u64, pair: Pair, days: usize, stockouts: &Stockouts) -> Vec<Stock> {
    let mut stream = Stream::of(seed, "stock", &pair.place());
    (0..days)
        .map(|day| {
            let is_stockout = stockouts.at(pair.index, day);
            let level = (LEVEL * stream.normal(1.0, DEVIATION)).round_ties_even().max(0.0) as i32;
            let on_hand = if is_stockout { 0 } else { level };
            let on_order = stream.between(ORDER.0, ORDER.1) as i32;
            Stock { on_hand, on_order: if on_hand < REORDER { on_order } else { 0 }, is_stockout }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(n: usize) -> impl ExactSizeIterator<Item = Pair> {
        (0..n).map(|index| Pair { store: 0, product: index, index })
    }

    #[test]
    fn the_share_of_stockouts() {
        let (n, days) = (100, 1_000);
        let out = Stockouts::draw(42, pairs(n), days, 0.02);
        let count =
            (0..n).flat_map(|p| (0..days).map(move |d| (p, d))).filter(|(p, d)| out.at(*p, *d)).count();
        // Binomial: 2,000 ± 44.
        assert!(count.abs_diff(2_000) < 220, "{count}");
        // Pairs are independent: no two have the same days.
        let days_of = |pair| (0..days).filter(|d| out.at(pair, *d)).collect::<Vec<_>>();
        assert_ne!(days_of(0), days_of(1));
    }

    #[test]
    fn stock_on_days_with_and_without() {
        let days = 20_000;
        let out = Stockouts::draw(42, pairs(1), days, 0.25);
        let stock = inventory(42, Pair { store: 0, product: 0, index: 0 }, days, &out);
        let (mut sum, mut n) = (0.0, 0.0);
        for (day, stock) in stock.iter().enumerate() {
            assert_eq!(stock.is_stockout, out.at(0, day));
            assert!(!stock.is_stockout || stock.on_hand == 0);
            assert_eq!(stock.on_order > 0, stock.on_hand < 150);
            assert!(stock.on_order == 0 || (100..=500).contains(&stock.on_order));
            if !stock.is_stockout {
                sum += f64::from(stock.on_hand);
                n += 1.0;
            }
        }
        // The deviation of 150 over √15,000 days is 1.2.
        assert!((sum / n - 500.0).abs() < 6.1, "{}", sum / n);
    }
}
