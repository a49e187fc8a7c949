//! The presets (`seeder.md` §5).

use super::parameters::{Parameters, SpecialHoliday, Trend};
use super::window::Window;
use crate::Day;

/// A named set of parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scenario {
    /// An ordinary year.
    RetailStandard,
    /// The last quarter of 2024 with its holidays.
    HolidayRush,
    /// Noise and outliers.
    HighVariance,
    /// Empty shelves.
    StockoutHeavy,
    /// New products that ramp up.
    NewLaunches,
    /// Missing pairs and gaps.
    Sparse,
    /// Small and quick.
    DemoMinimal,
}

impl Scenario {
    /// All, in the order of the contract.
    pub const ALL: [Self; 7] = [
        Self::RetailStandard,
        Self::HolidayRush,
        Self::HighVariance,
        Self::StockoutHeavy,
        Self::NewLaunches,
        Self::Sparse,
        Self::DemoMinimal,
    ];

    /// Its name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::RetailStandard => "retail_standard",
            Self::HolidayRush => "holiday_rush",
            Self::HighVariance => "high_variance",
            Self::StockoutHeavy => "stockout_heavy",
            Self::NewLaunches => "new_launches",
            Self::Sparse => "sparse",
            Self::DemoMinimal => "demo_minimal",
        }
    }

    /// For people.
    pub fn description(self) -> &'static str {
        match self {
            Self::RetailStandard => {
                "An ordinary year: mild growth, weekly pattern, some promotions and stock-outs"
            }
            Self::HolidayRush => {
                "The last quarter of 2024: strong growth, Thanksgiving, Black Friday and Christmas peaks"
            }
            Self::HighVariance => "Noisy demand with frequent outliers",
            Self::StockoutHeavy => "Every fourth day without stock, many promotions",
            Self::NewLaunches => "Twice as many products, all newly launched, that ramp up over 45 days",
            Self::Sparse => "Half of all store and product pairs without sales, gaps in the others",
            Self::DemoMinimal => "Small data set for quick demos",
        }
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scenario| scenario.name() == name)
    }

    /// Its parameters, computed for a day that counts as today.
    pub fn parameters(self, today: Day) -> Parameters {
        let mut p = Parameters::base(days_until(today, 365));
        match self {
            Self::RetailStandard => {
                (p.time_series.trend, p.time_series.trend_slope) = (Trend::Linear, 0.0005);
                p.time_series.noise_sigma = 0.15;
                p.retail.promotion_probability = 0.10;
            }
            Self::HolidayRush => holiday_rush(&mut p),
            Self::HighVariance => {
                p.time_series.noise_sigma = 0.4;
                (p.time_series.anomaly_probability, p.time_series.anomaly_magnitude) = (0.05, 3.0);
                p.retail.promotion_probability = 0.15;
                p.retail.stockout_probability = 0.05;
            }
            Self::StockoutHeavy => {
                p.time_series.base_demand = 50.0;
                p.time_series.noise_sigma = 0.2;
                p.retail.promotion_probability = 0.20;
                p.retail.stockout_probability = 0.25;
            }
            Self::NewLaunches => {
                p.products = 100;
                p.time_series.base_demand = 80.0;
                (p.time_series.trend, p.time_series.trend_slope) = (Trend::Linear, 0.002);
                p.retail.new_product_ramp_days = 45;
                p.retail.promotion_probability = 0.15;
                p.launch_every_product = true;
            }
            Self::Sparse => {
                p.sparsity.missing_combinations = 0.5;
                p.sparsity.gaps_per_series = 3;
                p.sparsity.gap_days = (2, 10);
            }
            Self::DemoMinimal => {
                (p.stores, p.products) = (3, 10);
                // Long enough for a backtest of 3 folds, horizon 14 and 30 days to train on.
                p.window = days_until(today, 91);
                (p.time_series.trend, p.time_series.trend_slope) = (Trend::Linear, 0.0005);
                p.retail.promotion_probability = 0.10;
            }
        }
        p
    }
}

fn holiday_rush(p: &mut Parameters) {
    // Pinned: the holidays have dates.
    p.window = pinned();
    p.time_series.base_demand = 80.0;
    (p.time_series.trend, p.time_series.trend_slope) = (Trend::Exponential, 0.005);
    p.time_series.monthly[9..].copy_from_slice(&[1.0, 1.3, 1.8]);
    p.time_series.noise_sigma = 0.2;
    p.retail.promotion_probability = 0.25;
    p.retail.stockout_probability = 0.15;
    p.holidays = [
        (58, "Thanksgiving", 2.0),
        (59, "Black Friday", 3.0),
        (84, "Christmas Eve", 1.5),
        (85, "Christmas Day", 0.3),
    ]
    .into_iter()
    .map(|(n, name, multiplier)| SpecialHoliday { day: OCTOBER_2024 + n, name: name.to_owned(), multiplier })
    .collect();
}

/// 2024-10-01.
const OCTOBER_2024: Day = Day(19_997);

fn pinned() -> Window {
    between(OCTOBER_2024, OCTOBER_2024 + 91)
}

fn days_until(today: Day, before: i32) -> Window {
    between(today + -before, today)
}

fn between(first: Day, last: Day) -> Window {
    // Both callers count forward from the first day.
    Window::new(first, last).expect("the last day is not before the first")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_and_holidays() {
        let today: Day = "2026-04-02".parse().unwrap();
        for scenario in Scenario::ALL {
            let p = scenario.parameters(today);
            let days = match scenario {
                Scenario::HolidayRush | Scenario::DemoMinimal => 92,
                _ => 366,
            };
            assert_eq!(p.window.days(), days, "{scenario:?}");
            assert_eq!(Scenario::named(scenario.name()), Some(scenario));
        }
        let demo = Scenario::DemoMinimal.parameters(today);
        assert_eq!((demo.window.first().to_string(), demo.window.last()), ("2026-01-01".to_owned(), today));
        let rush = Scenario::HolidayRush.parameters(today);
        assert_eq!(rush.window.first().to_string(), "2024-10-01");
        assert_eq!(rush.window.last().to_string(), "2024-12-31");
        let days: Vec<String> = rush.holidays.iter().map(|h| format!("{} {}", h.day, h.name)).collect();
        assert_eq!(
            days,
            [
                "2024-11-28 Thanksgiving",
                "2024-11-29 Black Friday",
                "2024-12-24 Christmas Eve",
                "2024-12-25 Christmas Day"
            ]
        );
        assert_eq!(Scenario::named("nothing"), None);
    }
}
