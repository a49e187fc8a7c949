//! Deliveries (`seeder.md` §7.9).

use super::{Pair, Rejected, Stream};

/// A delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery {
    /// Number of the day of receipt in the window.
    pub day: usize,
    /// Days since the order.
    pub lead_time: i32,
    /// Units ordered.
    pub ordered: i32,
    /// Units that came.
    pub received: i32,
}

/// Days between orders, and days of demand kept for safety.
const EVERY: usize = 14;
const SAFETY: usize = 3;
/// Deviation of the lead time in days.
const DEVIATION: f64 = 1.5;
/// Share that comes, and its deviation.
const FILL: (f64, f64) = (0.97, 0.05);

/// The deliveries of a pair, in order of the orders. What would come after the window is left out.
pub fn deliveries(
    seed: u64,
    pair: Pair,
    days: usize,
    base_demand: f64,
    mean_lead_time: u32,
) -> Result<Vec<Delivery>, Rejected> {
    let ordered = (base_demand * (EVERY + SAFETY) as f64).round_ties_even();
    if !(0.0..=f64::from(i32::MAX)).contains(&ordered) {
        return Err(Rejected(format!("a base demand of {base_demand} gives orders of {ordered} units")));
    }
    let mut stream = Stream::of(seed, "replenishment", &pair.place());
    let mut deliveries = Vec::new();
    for order in (0..days).step_by(EVERY) {
        let lead_time = stream.normal(mean_lead_time.into(), DEVIATION).round_ties_even().max(0.0) as i32;
        let fill = stream.normal(FILL.0, FILL.1).clamp(0.0, 1.0);
        let received = (ordered * fill).round_ties_even() as i32;
        let day = order + lead_time as usize;
        if day < days {
            deliveries.push(Delivery { day, lead_time, ordered: ordered as i32, received });
        }
    }
    Ok(deliveries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lead_time_and_fill_rate() {
        let pair = Pair { store: 0, product: 0, index: 0 };
        let days = 14 * 5_000;
        let found = deliveries(42, pair, days, 100.0, 7).unwrap();
        assert!(found.len() >= 4_999);
        let n = found.len() as f64;
        let mean = found.iter().map(|d| f64::from(d.lead_time)).sum::<f64>() / n;
        // 1.5/√5,000 = 0.021, and the rounding adds 1/12 to the variance.
        assert!((mean - 7.0).abs() < 0.11, "{mean}");
        let spread = (found.iter().map(|d| (f64::from(d.lead_time) - mean).powi(2)).sum::<f64>() / n).sqrt();
        assert!((spread - (2.25_f64 + 1.0 / 12.0).sqrt()).abs() < 0.08, "{spread}");
        assert!(found.iter().all(|d| d.ordered == 1_700 && d.received <= d.ordered));
        let fill = found.iter().map(|d| f64::from(d.received)).sum::<f64>() / n / 1_700.0;
        // E[min(N(0.97, 0.05), 1)] = 0.97 - 0.05·(φ(0.6) - 0.6·(1 - Φ(0.6))) = 0.96157.
        assert!((fill - 0.961_57).abs() < 0.004, "{fill}");
        assert!(found.iter().all(|d| (d.day - d.lead_time as usize).is_multiple_of(14)));
    }

    #[test]
    fn what_comes_too_late_is_left_out_and_what_is_too_much_is_refused() {
        let pair = Pair { store: 0, product: 0, index: 0 };
        assert!(deliveries(42, pair, 30, 100.0, 365).unwrap().is_empty());
        let none_early = deliveries(42, pair, 100, 100.0, 0).unwrap();
        assert!(none_early.iter().all(|d| d.lead_time >= 0));
        assert!(deliveries(42, pair, 30, 1e12, 7).is_err());
    }
}
