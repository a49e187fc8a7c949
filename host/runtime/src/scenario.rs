//! The scenario-adjuster kind as the rest of the program sees it.

use crate::{Call, Description, PluginError};

/// Days since 1970-01-01, from `first` to `last`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Not after `last`.
    pub first: i32,
    /// Not before `first`.
    pub last: i32,
}

/// A relative change of the price.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PriceChange {
    /// Fraction: -0.15 is 15 % cheaper.
    pub change: f64,
    /// When.
    pub during: Window,
}

/// The mechanic of a promotion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PromotionKind {
    /// Percent off.
    PctOff,
    /// Buy one, get one.
    Bogo,
    /// Several products for one price.
    Bundle,
    /// Permanently cheaper, to clear stock.
    Markdown,
}

/// One promotion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Promotion {
    /// Its mechanic.
    pub kind: PromotionKind,
    /// When.
    pub during: Window,
}

/// Stages of a product's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LifeCycleStage {
    /// New.
    Launch,
    /// Selling more and more.
    Growth,
    /// Steady.
    Maturity,
    /// Selling less and less.
    Decline,
}

/// The assumptions that can change demand. The default is that nothing changes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Assumptions {
    /// Another price.
    pub price: Option<PriceChange>,
    /// A promotion.
    pub promotion: Option<Promotion>,
    /// Days taken as holidays, as days since 1970-01-01.
    pub holidays: Vec<i32>,
    /// Stage throughout the horizon.
    pub stage: Option<LifeCycleStage>,
}

/// Interval bounds of one level, a number per day.
#[derive(Debug, Clone, PartialEq)]
pub struct IntervalBounds {
    /// Between 0 and 1.
    pub level: f64,
    /// Lower bounds.
    pub lower: Vec<f64>,
    /// Upper bounds.
    pub upper: Vec<f64>,
}

/// A forecast of consecutive days without assumptions.
#[derive(Debug, Clone, PartialEq)]
pub struct Baseline {
    /// First day, as days since 1970-01-01.
    pub start: i32,
    /// Units per day, at least one day.
    pub points: Vec<f64>,
    /// Narrowest first.
    pub intervals: Vec<IntervalBounds>,
}

/// The forecast under the assumptions, checked against the contract: as many days and the same levels as the
/// baseline, finite numbers, points and bounds of at least 0, lower bounds not above upper ones.
#[derive(Debug, Clone, PartialEq)]
pub struct Adjusted {
    /// What every day was multiplied by.
    pub factors: Vec<f64>,
    /// Units per day.
    pub points: Vec<f64>,
    /// Levels in the order of the baseline.
    pub intervals: Vec<IntervalBounds>,
}

/// A loaded scenario adjuster.
pub trait ScenarioAdjuster: Send + Sync {
    /// What it says of itself.
    fn description(&self) -> &Description;
    /// Asks a fresh instance for its description again: it must not have changed.
    fn describe(&self, call: &Call) -> Result<Description, PluginError>;
    /// Applies the assumptions, in a fresh instance.
    fn adjust(
        &self,
        assumptions: &Assumptions,
        baseline: &Baseline,
        call: &Call,
    ) -> Result<Adjusted, PluginError>;
}
