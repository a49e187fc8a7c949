//! What a data set is like (`seeder.md` §4), and the optional features.

use std::collections::BTreeSet;

use super::channels::ChannelOptions;
use super::window::Window;
use crate::Day;

/// Everything that decides a run, besides the seed and what already exists.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameters {
    /// Stores to make.
    pub stores: usize,
    /// Products to make.
    pub products: usize,
    /// The days.
    pub window: Window,
    /// What dimensions are drawn from.
    pub lists: Lists,
    /// Level, trend, seasons and noise of demand.
    pub time_series: TimeSeries,
    /// Promotions, stock-outs, prices.
    pub retail: Retail,
    /// What is missing.
    pub sparsity: Sparsity,
    /// Holidays with an effect, which win over the calendar's own.
    pub holidays: Vec<SpecialHoliday>,
    /// Whether every new product gets a launch date for the ramp (preset `new_launches`).
    pub launch_every_product: bool,
    /// Switched off unless asked for.
    pub features: Features,
}

/// Values that new stores and products are drawn from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lists {
    /// Of stores.
    pub regions: Vec<String>,
    /// Of stores.
    pub store_types: Vec<String>,
    /// Of products.
    pub categories: Vec<String>,
    /// Of products.
    pub brands: Vec<String>,
}

/// How demand grows over the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Trend {
    /// It does not.
    #[default]
    None,
    /// `1 + slope·n`.
    Linear,
    /// `exp(slope·n)`.
    Exponential,
}

/// The time series.
#[derive(Debug, Clone, PartialEq)]
pub struct TimeSeries {
    /// Level of every pair.
    pub base_demand: f64,
    /// Kind of growth.
    pub trend: Trend,
    /// Growth per day.
    pub trend_slope: f64,
    /// Factors, Monday first.
    pub weekly: [f64; 7],
    /// Factors, January first; 1 where nothing is listed.
    pub monthly: [f64; 12],
    /// Standard deviation of the noise factor.
    pub noise_sigma: f64,
    /// Share of days that are out of line.
    pub anomaly_probability: f64,
    /// What they are multiplied with or divided by.
    pub anomaly_magnitude: f64,
}

/// What a stock-out does to sales.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StockoutBehavior {
    /// Nothing is sold.
    #[default]
    Zero,
    /// Orders are taken all the same.
    Backlog,
}

/// Promotions, stock-outs, prices.
#[derive(Debug, Clone, PartialEq)]
pub struct Retail {
    /// Demand factor of promotion days.
    pub promotion_lift: f64,
    /// See there.
    pub stockout_behavior: StockoutBehavior,
    /// Relative change of demand per relative change of price.
    pub price_elasticity: f64,
    /// Days that a launched product takes to full demand; 0: at once.
    pub new_product_ramp_days: u32,
    /// Promotions that begin per product and 30 days without one.
    pub promotion_probability: f64,
    /// Share of days without stock.
    pub stockout_probability: f64,
}

/// What is missing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sparsity {
    /// Share of pairs without any sales.
    pub missing_combinations: f64,
    /// Gaps in every other series.
    pub gaps_per_series: u32,
    /// Shortest and longest gap in days.
    pub gap_days: (u32, u32),
}

/// A day with a name and an effect on demand.
#[derive(Debug, Clone, PartialEq)]
pub struct SpecialHoliday {
    /// When.
    pub day: Day,
    /// Name in the calendar.
    pub name: String,
    /// Demand factor.
    pub multiplier: f64,
}

/// What is off by default.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Features {
    /// Signals, with the change of demand per degree.
    pub temperature_sensitivity: Option<f64>,
    /// The yearly wave.
    pub yearly_amplitude: f64,
    /// Shocks.
    pub changepoints: Vec<Changepoint>,
    /// Returns of sold units.
    pub returns: bool,
    /// Demand moves to products that are in stock.
    pub substitution: Option<Substitution>,
    /// A channel per row.
    pub channels: Option<ChannelOptions>,
    /// Launch, growth, decline; with the probability that a product is discontinued.
    pub lifecycle: Option<f64>,
    /// Share of promotions that are bundles.
    pub bundles: Option<f64>,
    /// Clearance.
    pub markdowns: Option<MarkdownTrigger>,
    /// Deliveries, with the mean lead time in days.
    pub lead_time: Option<u32>,
}

/// A shock to demand that wears off.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Changepoint {
    /// From here.
    pub day: Day,
    /// Demand factor on that day.
    pub multiplier: f64,
    /// Days after which 1/e of the effect is left; 0: only the day itself.
    pub decay_days: u32,
}

/// Who stands in for whom.
#[derive(Debug, Clone, PartialEq)]
pub struct Substitution {
    /// Groups of product keys; a key that does not exist has no effect.
    pub groups: Vec<BTreeSet<i32>>,
    /// What one missing product adds to the demand of the others together.
    pub lift: f64,
}

/// What starts a markdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkdownTrigger {
    /// The product declines.
    LifecycleDecline,
    /// The shelf is about to be empty.
    StockoutRisk,
}

impl Parameters {
    /// The base parameters with these days.
    pub fn base(window: Window) -> Self {
        let texts = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Self {
            stores: 10,
            products: 50,
            window,
            lists: Lists {
                regions: texts(&["North", "South", "East", "West"]),
                store_types: texts(&["supermarket", "express", "warehouse"]),
                categories: texts(&["Beverage", "Snack", "Dairy", "Frozen", "Produce", "Bakery"]),
                brands: texts(&["BrandA", "BrandB", "BrandC", "Generic", "Premium"]),
            },
            time_series: TimeSeries {
                base_demand: 100.0,
                trend: Trend::None,
                trend_slope: 0.001,
                weekly: [0.8, 0.9, 1.0, 1.0, 1.1, 1.3, 1.2],
                monthly: [1.0; 12],
                noise_sigma: 0.1,
                anomaly_probability: 0.01,
                anomaly_magnitude: 2.0,
            },
            retail: Retail {
                promotion_lift: 1.3,
                stockout_behavior: StockoutBehavior::Zero,
                price_elasticity: -0.5,
                new_product_ramp_days: 30,
                promotion_probability: 0.05,
                stockout_probability: 0.02,
            },
            sparsity: Sparsity { missing_combinations: 0.0, gaps_per_series: 0, gap_days: (1, 7) },
            holidays: Vec::new(),
            launch_every_product: false,
            features: Features::default(),
        }
    }
}
