//! Independent random substreams.

use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use sha2::{Digest, Sha256};

/// One substream. ChaCha8 by name and not `StdRng`: the latter may become another generator with the next version of
/// `rand`, and every data set with it.
#[derive(Debug)]
pub struct Stream(ChaCha8Rng);

impl Stream {
    /// The substream of a generator at a place (a store, a product, a pair …). Seeds are hashed, so neighbouring
    /// places have nothing in common.
    pub fn of(seed: u64, generator: &str, place: &[u64]) -> Self {
        let mut hash = Sha256::new();
        hash.update(seed.to_le_bytes());
        hash.update((generator.len() as u64).to_le_bytes());
        hash.update(generator.as_bytes());
        for number in place {
            hash.update(number.to_le_bytes());
        }
        Self(ChaCha8Rng::from_seed(hash.finalize().into()))
    }

    /// Uniform in [0, 1).
    pub fn unit(&mut self) -> f64 {
        self.0.random()
    }

    /// True with this probability. Always takes one draw, so that the probability does not shift what follows.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// `U{least..most}`, both included.
    pub fn between(&mut self, least: i64, most: i64) -> i64 {
        self.0.random_range(least..=most)
    }

    /// `U(low, high)`.
    pub fn real(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// `N(mean, deviation)`, by Box and Muller: always two draws, and no table that a library could change.
    pub fn normal(&mut self, mean: f64, deviation: f64) -> f64 {
        // 1 - u is in (0, 1], where the logarithm is finite.
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        mean + deviation * radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// One of the items, all equally likely. There must be one.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.0.random_range(0..items.len() as u64) as usize]
    }

    /// The position of one of the weights, by weight. Their sum must be positive.
    pub fn weighted(&mut self, weights: &[f64]) -> usize {
        let mut left = self.unit() * weights.iter().sum::<f64>();
        for (i, weight) in weights.iter().enumerate() {
            if left < *weight {
                return i;
            }
            left -= weight;
        }
        // Rounding may leave a last bit over; it belongs to the last weight that counts.
        weights.iter().rposition(|weight| *weight > 0.0).unwrap_or(0)
    }

    /// Puts the items in random order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        items.shuffle(&mut self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Five standard errors: a correct generator fails once in some million runs, and seeds are fixed anyway.
    const SIGMAS: f64 = 5.0;

    #[test]
    fn the_same_place_gives_the_same_numbers_and_another_gives_others() {
        let draw = |seed, name, place: &[u64]| {
            let mut stream = Stream::of(seed, name, place);
            (0..4).map(|_| stream.unit().to_bits()).collect::<Vec<_>>()
        };
        let one = draw(42, "sales", &[1, 2]);
        assert_eq!(one, draw(42, "sales", &[1, 2]));
        for other in [
            draw(43, "sales", &[1, 2]),
            draw(42, "stock", &[1, 2]),
            draw(42, "sales", &[2, 1]),
            draw(42, "sales", &[1]),
            draw(42, "sales", &[1, 2, 0]),
        ] {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn values_are_pinned_so_that_an_upgrade_cannot_change_data_sets() {
        let mut stream = Stream::of(42, "pinned", &[]);
        let found = (
            stream.between(0, 1_000_000),
            (stream.unit() * 1e6) as i64,
            (stream.normal(0.0, 1.0) * 1e6) as i64,
        );
        assert_eq!(found, PINNED);
    }

    const PINNED: (i64, i64, i64) = (59_439, 447_329, 399_435);

    #[test]
    fn moments_of_the_normal_distribution() {
        let n = 100_000;
        let mut stream = Stream::of(1, "normal", &[]);
        let draws: Vec<f64> = (0..n).map(|_| stream.normal(3.0, 2.0)).collect();
        let mean = draws.iter().sum::<f64>() / f64::from(n);
        let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / f64::from(n);
        let skew = draws.iter().map(|x| ((x - mean) / 2.0).powi(3)).sum::<f64>() / f64::from(n);
        // Standard errors: s/√n of the mean, s²√(2/n) of the variance, √(6/n) of the skewness.
        assert!((mean - 3.0).abs() < SIGMAS * 2.0 / f64::from(n).sqrt(), "{mean}");
        assert!((variance - 4.0).abs() < SIGMAS * 4.0 * (2.0 / f64::from(n)).sqrt(), "{variance}");
        assert!(skew.abs() < SIGMAS * (6.0 / f64::from(n)).sqrt(), "{skew}");
    }

    #[test]
    fn integers_include_both_ends_and_weights_are_shares() {
        let mut stream = Stream::of(1, "integers", &[]);
        let mut seen = [0; 4];
        for _ in 0..40_000 {
            seen[(stream.between(-1, 2) + 1) as usize] += 1;
        }
        // Binomial: √(n p q) is 87.
        assert!(seen.iter().all(|n| (*n - 10_000_i32).abs() < 435), "{seen:?}");
        let mut seen = [0; 3];
        for _ in 0..40_000 {
            seen[stream.weighted(&[1.0, 0.0, 3.0])] += 1;
        }
        assert_eq!(seen[1], 0);
        assert!((seen[0] - 10_000_i32).abs() < 435, "{seen:?}");
    }
}
