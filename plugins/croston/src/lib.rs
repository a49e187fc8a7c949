//! `croston`: intermittent demand. Between the days with sales lie days without; the size of a sale and how often there
//! is one are smoothed apart, and every day to come is forecast as the mean demand per day.
//!
//! Sources: Croston (1972), "Forecasting and stock control for intermittent demands"; Syntetos and Boylan (2005), "The
//! accuracy of intermittent demand estimates"; Teunter, Syntetos and Babai (2011), "Intermittent demand: linking
//! forecasting to inventory obsolescence".

mod smoothing;

use retailcast_sdk::{Error, Info, Requirements, SeriesModel};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use smoothing::{best_alpha, level};

/// Where the variant `optimized` looks for its smoothing parameters: those of demand and interval each, as
/// statsforecast's `CrostonOptimized` does.
const OPTIMIZED: (f64, f64) = (0.1, 0.3);

/// The demand of one series.
#[derive(Debug, Serialize, Deserialize)]
pub struct Croston {
    /// Units per day.
    rate: f64,
}

/// Configuration.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Config {
    /// `classic`: size over interval. `sba`: that, less its bias (Syntetos and Boylan). `tsb`: size times probability of
    /// a sale, which falls while nothing is sold (Teunter, Syntetos and Babai). `optimized`: classic with smoothing
    /// parameters that fit the series best.
    #[serde(default = "sba")]
    variant: Variant,
    /// Smoothing of sizes and intervals of `classic` and `sba`.
    #[serde(default = "slow")]
    #[schemars(range(min = 0.001, max = 1.0))]
    alpha: f64,
    /// Smoothing of sizes of `tsb`.
    #[serde(default = "slow")]
    #[schemars(range(min = 0.001, max = 1.0))]
    alpha_d: f64,
    /// Smoothing of the probability of `tsb`.
    #[serde(default = "slow")]
    #[schemars(range(min = 0.001, max = 1.0))]
    alpha_p: f64,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum Variant {
    Classic,
    Sba,
    Tsb,
    Optimized,
}

fn sba() -> Variant {
    Variant::Sba
}

fn slow() -> f64 {
    0.1
}

impl SeriesModel for Croston {
    type Config = Config;
    const INFO: Info = Info {
        name: "croston",
        version: env!("CARGO_PKG_VERSION"),
        licence: "Apache-2.0",
        summary: "For products that sell on few days: size and frequency of sales, smoothed apart.",
    };

    fn requirements(_: &Config) -> Result<Requirements, Error> {
        Ok(Requirements::series(1))
    }

    fn fit(config: &Config, history: &[f64]) -> Result<Self, Error> {
        if history.is_empty() {
            return Err(Error::not_enough_history(1, 0));
        }
        Ok(Self { rate: rate(config, history) })
    }

    fn forecast(&self, horizon: usize) -> Result<Vec<f64>, Error> {
        Ok(vec![self.rate; horizon])
    }
}

/// Units per day; 0 when nothing was ever sold.
fn rate(config: &Config, history: &[f64]) -> f64 {
    let sizes: Vec<f64> = history.iter().copied().filter(|sold| *sold > 0.0).collect();
    let (size_alpha, interval_alpha) = match config.variant {
        Variant::Classic | Variant::Sba => (config.alpha, config.alpha),
        Variant::Optimized => (best_alpha(&sizes, OPTIMIZED), best_alpha(&intervals(history), OPTIMIZED)),
        Variant::Tsb => {
            let sells: Vec<f64> = history.iter().map(|sold| f64::from(u8::from(*sold > 0.0))).collect();
            return level(&sizes, config.alpha_d)
                .zip(level(&sells, config.alpha_p))
                .map_or(0.0, |(size, probability)| size * probability);
        }
    };
    // What the quotient of two smoothed numbers is too high by, approximately.
    let less_bias = if matches!(config.variant, Variant::Sba) { 1.0 - config.alpha / 2.0 } else { 1.0 };
    level(&sizes, size_alpha)
        .zip(level(&intervals(history), interval_alpha))
        .map_or(0.0, |(size, interval)| less_bias * size / interval)
}

/// Days from one sale to the next, each at least 1; the first counts from the day before the history.
fn intervals(history: &[f64]) -> Vec<f64> {
    let sales = history.iter().zip(1_u32..).filter(|(sold, _)| **sold > 0.0).map(|(_, day)| day);
    sales
        .scan(0, |last, day| {
            let interval = day - *last;
            *last = day;
            Some(f64::from(interval))
        })
        .collect()
}

retailcast_sdk::export!(Croston as SeriesModel);

#[cfg(test)]
mod tests {
    use super::*;
    use retailcast_sdk::component::EachSeries;
    use retailcast_sdk::testing::{Panel, fit_predict};

    const VARIANTS: [&str; 4] = ["classic", "sba", "tsb", "optimized"];

    fn forecast(variant: &str, history: &[f64]) -> Vec<f64> {
        let panel = Panel::of(&[history]);
        let config = format!(r#"{{"variant": "{variant}"}}"#);
        fit_predict::<EachSeries<Croston>>(&config, &panel, &panel.future(3)).unwrap().points
    }

    #[test]
    fn intervals_count_from_the_day_before_the_history() {
        assert_eq!(intervals(&[0.0, 5.0, 0.0, 0.0, 2.0, 1.0]), [2.0, 3.0, 1.0]);
    }

    #[test]
    fn by_hand() {
        // Sizes 4, 8: level 4.4. Intervals 2, 3: level 2.1.
        let history = [0.0, 4.0, 0.0, 0.0, 8.0];
        assert_eq!(forecast("classic", &history), [4.4 / 2.1; 3]);
        assert_eq!(forecast("sba", &history), [0.95 * 4.4 / 2.1; 3]);
        // Probability: 0, then 0.1, 0.09, 0.081, 0.1729.
        assert!((forecast("tsb", &history)[0] - 4.4 * 0.1729).abs() < 1e-12);
    }

    #[test]
    fn degenerate_series_have_sensible_forecasts() {
        let mut spike = [0.0; 100];
        spike[50] = 10.0;
        for variant in VARIANTS {
            assert_eq!(forecast(variant, &[0.0; 50]), [0.0; 3], "{variant}: nothing was sold");
            let same = forecast(variant, &[3.0; 50])[0];
            let expected = if variant == "sba" { 2.85 } else { 3.0 };
            assert!((same - expected).abs() < 1e-12, "{variant}: the same every day, {same}");
            let once = forecast(variant, &spike)[0];
            assert!(once > 0.0 && once < 0.2, "{variant}: sold once, {once}");
            assert!(forecast(variant, &[7.0])[0] > 6.0, "{variant}: a single day");
        }
    }

    #[test]
    fn tsb_alone_notices_that_sales_have_ended() {
        let ended = [[2.0; 30], [0.0; 30]].concat();
        assert!(forecast("tsb", &ended)[0] < 0.1);
        assert!(forecast("classic", &ended)[0] > 1.9);
    }
}
