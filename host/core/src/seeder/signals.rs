//! Weather and economy (`seeder.md` §7.6).

use super::Stream;
use super::window::{Window, day_of_year};

/// Name of the weather signal.
pub const WEATHER: &str = "weather_temp_c";
/// Name of the signal of the economy.
pub const MACRO: &str = "macro_index";

/// Temperature over the year and its noise, in degrees Celsius.
pub(super) const MEAN: f64 = 15.0;
const AMPLITUDE: f64 = 12.0;
const NOISE: f64 = 2.0;
/// The day of the year with the mean temperature, on its way up.
const SPRING: f64 = 105.0;
/// Start and daily step of the index.
const START: f64 = 100.0;
const STEP: f64 = 0.5;

/// The temperature at the store at this position on every day.
pub fn weather(seed: u64, store: usize, window: Window) -> Vec<f64> {
    let mut stream = Stream::of(seed, "weather", &[store as u64]);
    let season = |day| AMPLITUDE * (std::f64::consts::TAU * (day_of_year(day) - SPRING) / 365.0).sin();
    window.iter().map(|day| MEAN + season(day) + stream.normal(0.0, NOISE)).collect()
}

/// The index of the economy on every day: a random walk.
pub fn macro_index(seed: u64, window: Window) -> Vec<f64> {
    let mut stream = Stream::of(seed, "macro", &[]);
    let mut index = START;
    window
        .iter()
        .map(|_| {
            index += stream.normal(0.0, STEP);
            index
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Day;

    #[test]
    fn warm_in_july_cold_in_january_and_two_degrees_of_noise() {
        let window = Window::new("2023-01-01".parse().unwrap(), "2023-12-31".parse().unwrap()).unwrap();
        let stores: Vec<Vec<f64>> = (0..100).map(|store| weather(42, store, window)).collect();
        let mean = |day: &str| {
            let index = (day.parse::<Day>().unwrap() - window.first()) as usize;
            stores.iter().map(|days| days[index]).sum::<f64>() / 100.0
        };
        // 2/√100 = 0.2 degrees.
        assert!((mean("2023-04-15") - 15.0).abs() < 1.0);
        assert!((mean("2023-07-15") - 27.0).abs() < 1.0);
        assert!((mean("2023-01-14") - 3.0).abs() < 1.0);
        let day: Vec<f64> = stores.iter().map(|days| days[104]).collect();
        let spread = (day.iter().map(|t| (t - 15.0).powi(2)).sum::<f64>() / 100.0).sqrt();
        // Standard error of a deviation: 2/√200.
        assert!((spread - 2.0).abs() < 0.71, "{spread}");
    }

    #[test]
    fn the_index_walks() {
        let window = Window::new(Day(0), Day(9_999)).unwrap();
        let walk = macro_index(42, window);
        let steps: Vec<f64> = walk.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let spread = (steps.iter().map(|step| step * step).sum::<f64>() / steps.len() as f64).sqrt();
        assert!((walk[0] - 100.0).abs() < 2.5 && walk[0].to_bits() != 100.0_f64.to_bits());
        assert!((spread - 0.5).abs() < 5.0 * 0.5 / (2.0 * 1e4_f64).sqrt(), "{spread}");
    }
}
