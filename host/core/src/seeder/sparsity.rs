//! Pairs without sales and gaps in series (`seeder.md` §6).

use super::parameters::Sparsity;
use super::{Pair, Stream};

/// For every pair whether it has sales at all.
pub fn active(seed: u64, pairs: usize, sparsity: &Sparsity) -> Vec<bool> {
    let missing = (pairs as f64 * sparsity.missing_combinations).floor() as usize;
    let mut order: Vec<usize> = (0..pairs).collect();
    if missing > 0 {
        Stream::of(seed, "sparsity", &[]).shuffle(&mut order);
    }
    let mut active = vec![true; pairs];
    for pair in &order[..missing.min(pairs)] {
        active[*pair] = false;
    }
    active
}

/// For every day whether it lies in a gap of the pair's series.
pub fn gaps(seed: u64, pair: Pair, days: usize, sparsity: &Sparsity) -> Vec<bool> {
    let mut gaps = vec![false; days];
    let mut stream = Stream::of(seed, "gap", &pair.place());
    // A series of one day has no room for a beginning before its last day.
    for _ in 0..if days < 2 { 0 } else { sparsity.gaps_per_series } {
        let start = stream.between(0, days as i64 - 2) as usize;
        let length = stream.between(sparsity.gap_days.0.into(), sparsity.gap_days.1.into()) as usize;
        gaps[start..(start + length).min(days)].fill(true);
    }
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sparse(share: f64, gaps: u32) -> Sparsity {
        Sparsity { missing_combinations: share, gaps_per_series: gaps, gap_days: (2, 10) }
    }

    #[test]
    fn every_pair_is_equally_likely_to_be_missing() {
        let mut missing = [0_u32; 10];
        for seed in 0..2_000 {
            for (i, active) in active(seed, 10, &sparse(0.3, 0)).iter().enumerate() {
                missing[i] += u32::from(!active);
            }
        }
        // Binomial: 600 ± 20.5.
        assert!(missing.iter().all(|n| n.abs_diff(600) < 103), "{missing:?}");
    }

    proptest! {
        #[test]
        fn exactly_the_share_is_missing(seed in 0..1_000_u64, pairs in 0..300_usize, share in 0.0..=1.0_f64) {
            let missing = active(seed, pairs, &sparse(share, 0)).iter().filter(|active| !**active).count();
            prop_assert_eq!(missing, (pairs as f64 * share).floor() as usize);
        }

        #[test]
        fn gaps_are_as_many_and_as_long_as_said(seed in 0..1_000_u64, days in 1..400_usize) {
            let pair = Pair { store: 1, product: 2, index: 5 };
            let gaps = gaps(seed, pair, days, &sparse(0.0, 3));
            let missing = gaps.iter().filter(|gap| **gap).count();
            prop_assert!(missing <= 30);
            prop_assert_eq!(missing > 0, days > 1);
        }
    }
}
