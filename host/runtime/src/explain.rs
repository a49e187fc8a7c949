//! The explainer kind as the rest of the program sees it.

use crate::{Call, Description, PluginError};

/// What to explain: the forecast of the day after `as_of`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The series.
    pub store_id: i32,
    /// The series.
    pub product_id: i32,
    /// Model type.
    pub model_type: String,
    /// The model's configuration (JSON).
    pub config: String,
    /// Cutoff, as days since 1970-01-01.
    pub as_of: i32,
}

/// Stock of the last days.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StockSignal {
    /// Snapshots.
    pub snapshots: u32,
    /// How many of them had nothing on the shelf.
    pub stockouts: u32,
}

/// Promotions that touch the last days.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PromotionSignal {
    /// All.
    pub touching: u32,
    /// How many of them run on the cutoff.
    pub running: u32,
}

/// What is recorded beside the series.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Signals {
    /// Days that the window of stock and promotions reaches back from the cutoff.
    pub window_days: u32,
    /// Stock in the window.
    pub stock: StockSignal,
    /// Promotions in the window.
    pub promotions: PromotionSignal,
    /// Days from the launch to the cutoff.
    pub days_since_launch: Option<i32>,
    /// The holiday on the day that is forecast: its name, if it has one.
    pub holiday: Option<Option<String>>,
}

/// The fitted model that made the forecast, and what it read for it.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedModel {
    /// The model's state.
    pub state: Vec<u8>,
    /// Names of the feature columns.
    pub feature_names: Vec<String>,
    /// One number per column for the day that is forecast; NaN is missing.
    pub features: Vec<f64>,
    /// What the model says.
    pub forecast: f64,
}

/// A model type that can be explained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExplainedModel {
    /// Its name.
    pub model_type: String,
    /// Whether the explainer wants the fitted model.
    pub needs_fitted: bool,
}

/// Where the numbers of an explanation come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// The rules of the model, done again.
    RuleBased,
    /// Shapley values.
    Shap,
    /// Parts that the model itself adds up.
    Component,
}

impl Method {
    /// As clients read it.
    pub fn name(self) -> &'static str {
        match self {
            Self::RuleBased => "rule_based",
            Self::Shap => "shap",
            Self::Component => "component",
        }
    }
}

/// Which way a driver pushes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Up.
    Positive,
    /// Down.
    Negative,
    /// Neither.
    Neutral,
}

impl Direction {
    /// As clients read it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Positive => "positive",
            Self::Negative => "negative",
            Self::Neutral => "neutral",
        }
    }
}

/// One reason for the number.
#[derive(Debug, Clone, PartialEq)]
pub struct Driver {
    /// Machine name.
    pub name: String,
    /// The observed value behind it.
    pub value: f64,
    /// Units that it adds to the forecast.
    pub contribution: f64,
    /// Which way it pushes.
    pub direction: Direction,
    /// For people.
    pub description: String,
}

/// The signals that clients know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Sales were limited by stock.
    StockoutConstrained,
    /// A promotion touches the last days.
    PromotionOverlap,
    /// The product is new, and demand may settle.
    LifecycleDecay,
    /// The day that is forecast is a holiday.
    HolidayEffect,
    /// The level moves.
    TrendShift,
    /// Fewer values than the model is comfortable with.
    InsufficientHistory,
}

impl Reason {
    /// As clients read it.
    pub fn name(self) -> &'static str {
        match self {
            Self::StockoutConstrained => "stockout_constrained",
            Self::PromotionOverlap => "promotion_overlap",
            Self::LifecycleDecay => "lifecycle_decay",
            Self::HolidayEffect => "holiday_effect",
            Self::TrendShift => "trend_shift",
            Self::InsufficientHistory => "insufficient_history",
        }
    }
}

/// How much a signal should worry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Good to know.
    Info,
    /// A reason to doubt.
    Warn,
}

impl Severity {
    /// As clients read it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warn => "warn",
        }
    }
}

/// A signal that fired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReasonCode {
    /// Which.
    pub code: Reason,
    /// How much it should worry.
    pub severity: Severity,
    /// For people.
    pub detail: String,
}

/// How far a forecast can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confidence {
    /// Far.
    High,
    /// Somewhat.
    Medium,
    /// Little.
    Low,
}

impl Confidence {
    /// As clients read it.
    pub fn name(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }
}

/// An explanation, checked against the contract: finite numbers, at least one driver, contributions that add up to
/// the forecast, no reason twice, a summary of at most 2000 characters.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// Where the numbers come from.
    pub method: Method,
    /// Units forecast for the day after the cutoff.
    pub forecast: f64,
    /// The main one first.
    pub drivers: Vec<Driver>,
    /// Signals that fired.
    pub reason_codes: Vec<ReasonCode>,
    /// How far the forecast can be trusted.
    pub confidence: Confidence,
    /// What the numbers do not say.
    pub caveats: Vec<String>,
    /// One paragraph.
    pub summary: String,
}

/// A loaded explainer.
pub trait Explainer: Send + Sync {
    /// What it says of itself.
    fn description(&self) -> &Description;
    /// Asks a fresh instance for its description again: it must not have changed.
    fn describe(&self, call: &Call) -> Result<Description, PluginError>;
    /// The model types that it explains.
    fn models(&self) -> &[ExplainedModel];
    /// Explains, in a fresh instance. `history` are the units sold up to the cutoff, oldest first, possibly none;
    /// `fitted` is given for the model types that need it.
    fn explain(
        &self,
        subject: &Subject,
        history: &[f64],
        signals: &Signals,
        fitted: Option<&FittedModel>,
        call: &Call,
    ) -> Result<Explanation, PluginError>;
}
