//! A forecast and the same under assumptions, side by side. One shape on the wire and in stored plans, so that a plan
//! reads back as it was answered.

use chrono::{DateTime, NaiveDate, Utc};
use retailcast_runtime::scenario::Adjusted;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::Timestamp;
use crate::slices::forecasting::predict::{self, Interval};

/// How the forecast under the assumptions was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[schema(as = ScenarioMethod)]
pub enum Method {
    /// An adjuster multiplied the baseline.
    Heuristic,
    /// The model was asked again with other inputs.
    ModelExogenous,
}

impl Method {
    fn disclaimer(self) -> &'static str {
        match self {
            Self::Heuristic => {
                "Fixed adjustment factors on a baseline forecast; read the deltas as direction, not as a prediction."
            }
            Self::ModelExogenous => {
                "The trained model's own estimate under changed inputs; an estimate stays an estimate and may be wrong."
            }
        }
    }
}

/// Whether stock lasts for the demand of the scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CoverageVerdict {
    /// It does.
    Covered,
    /// It may not.
    AtRisk,
    /// It does not.
    Stockout,
    /// No stock was assumed.
    Unknown,
}

impl CoverageVerdict {
    /// `demand` are the units of the scenario. Within 10 % of each other is at risk.
    fn of(on_hand: Option<i64>, demand: f64) -> Self {
        let Some(on_hand) = on_hand.map(|units| units as f64) else { return Self::Unknown };
        if demand > on_hand * 1.10 {
            Self::Stockout
        } else if demand < on_hand * 0.90 {
            Self::Covered
        } else {
            Self::AtRisk
        }
    }
}

/// A prediction interval of one day.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ScenarioInterval)]
pub struct Bounds {
    /// How often it is to hold what comes, in percent.
    pub level: f64,
    /// Units.
    pub lower: f64,
    /// Units.
    pub upper: f64,
}

/// One day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ScenarioPoint)]
pub struct Point {
    /// The day.
    pub date: NaiveDate,
    /// Units without assumptions.
    pub baseline: f64,
    /// Units with them, never negative.
    pub scenario: f64,
    /// Scenario less baseline.
    pub delta: f64,
    /// `heuristic`: what the baseline was multiplied by. `model_exogenous`: scenario over baseline, 1 without one.
    pub applied_factor: f64,
    /// Of the baseline, narrowest first; absent when the model gives none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub baseline_intervals: Vec<Bounds>,
    /// Of the scenario, at the same levels; absent when the model gives none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub scenario_intervals: Vec<Bounds>,
}

/// A scenario beside its baseline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ScenarioComparison, example = json!({"store_id": 3, "product_id": 17, "model_type": "naive", "horizon": 1,
    "points": [{"date": "2026-07-01", "baseline": 10.0, "scenario": 10.330_378_041_139_321, "delta": 0.330_378_041_139_320_9,
                "applied_factor": 1.033_037_804_113_932}],
    "baseline_total_units": 10.0, "scenario_total_units": 10.330_378_041_139_321, "units_delta": 0.330_378_041_139_320_9,
    "units_delta_pct": 3.303_780_411_393_209, "unit_price_used": 4.5, "baseline_revenue": 45.0,
    "scenario_revenue": 46.486_701_185_126_95, "revenue_delta": 1.486_701_185_126_947, "coverage_verdict": "covered",
    "method": "heuristic",
    "disclaimer": "Fixed adjustment factors on a baseline forecast; read the deltas as direction, not as a prediction.",
    "generated_at": "2026-07-01T06:00:00.000001Z"}))]
pub struct Comparison {
    /// The series that the model was trained on.
    pub store_id: i32,
    /// The series that the model was trained on.
    pub product_id: i32,
    /// Model type.
    pub model_type: String,
    /// Days.
    pub horizon: usize,
    /// Every day of the horizon, from the day after the forecast origin.
    pub points: Vec<Point>,
    /// Units of all days.
    pub baseline_total_units: f64,
    /// Units of all days.
    pub scenario_total_units: f64,
    /// Scenario less baseline.
    pub units_delta: f64,
    /// The same in percent of the baseline; 0 without one.
    pub units_delta_pct: f64,
    /// Unit price of the newest sale, or 1. The same for both: revenue tells of volume alone, also under another price.
    pub unit_price_used: f64,
    /// Baseline units at the unit price.
    pub baseline_revenue: f64,
    /// Scenario units at the unit price.
    pub scenario_revenue: f64,
    /// Scenario less baseline.
    pub revenue_delta: f64,
    /// Whether the assumed stock lasts.
    #[schema(inline)]
    pub coverage_verdict: CoverageVerdict,
    /// How the scenario was made.
    #[schema(inline)]
    pub method: Method,
    /// What the numbers are not.
    pub disclaimer: String,
    /// When it was computed.
    pub generated_at: Timestamp,
}

/// Whose comparison it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Subject {
    pub(super) store_id: i32,
    pub(super) product_id: i32,
    pub(super) model_type: String,
}

/// What totals become money and a verdict with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stock {
    pub(super) unit_price: f64,
    pub(super) on_hand: Option<i64>,
}

impl Comparison {
    pub(super) fn new(
        subject: Subject,
        method: Method,
        points: Vec<Point>,
        stock: Stock,
        now: DateTime<Utc>,
    ) -> Self {
        let total = |units: fn(&Point) -> f64| points.iter().map(units).sum::<f64>();
        let (baseline, scenario) = (total(|point| point.baseline), total(|point| point.scenario));
        let (baseline_revenue, scenario_revenue) = (baseline * stock.unit_price, scenario * stock.unit_price);
        let units_delta = scenario - baseline;
        Self {
            store_id: subject.store_id,
            product_id: subject.product_id,
            model_type: subject.model_type,
            horizon: points.len(),
            points,
            baseline_total_units: baseline,
            scenario_total_units: scenario,
            units_delta,
            units_delta_pct: if baseline > 0.0 { units_delta / baseline * 100.0 } else { 0.0 },
            unit_price_used: stock.unit_price,
            baseline_revenue,
            scenario_revenue,
            revenue_delta: scenario_revenue - baseline_revenue,
            coverage_verdict: CoverageVerdict::of(stock.on_hand, scenario),
            method,
            disclaimer: method.disclaimer().to_owned(),
            generated_at: now.into(),
        }
    }
}

/// No negative zero: what a plan is stored as cannot tell it from zero, and it must read back as it was answered.
fn unsigned_zero(value: f64) -> f64 {
    value + 0.0
}

/// The days of a baseline that an adjuster has multiplied.
pub(super) fn adjusted_points(baseline: Vec<predict::Point>, adjusted: &Adjusted) -> Vec<Point> {
    let scenario_intervals = |day: usize, baseline: &[Bounds]| {
        let bounds = baseline.iter().zip(&adjusted.intervals);
        bounds
            .map(|(own, adjusted)| Bounds {
                level: own.level,
                lower: unsigned_zero(adjusted.lower[day]),
                upper: unsigned_zero(adjusted.upper[day]),
            })
            .collect()
    };
    let point = |(day, point): (usize, predict::Point)| {
        let (baseline, scenario) = (unsigned_zero(point.forecast), unsigned_zero(adjusted.points[day]));
        let baseline_intervals = bounds(&point.intervals, f64::NEG_INFINITY);
        Point {
            date: point.day.date(),
            baseline,
            scenario,
            delta: scenario - baseline,
            applied_factor: unsigned_zero(adjusted.factors[day]),
            scenario_intervals: scenario_intervals(day, &baseline_intervals),
            baseline_intervals,
        }
    };
    baseline.into_iter().enumerate().map(point).collect()
}

/// The days of a model that was asked twice. Nobody sells less than nothing.
pub(super) fn asked_points(baseline: &[predict::Point], changed: &[predict::Point]) -> Vec<Point> {
    let point = |(without, with): (&predict::Point, &predict::Point)| {
        let (baseline, scenario) =
            (unsigned_zero(without.forecast.max(0.0)), unsigned_zero(with.forecast.max(0.0)));
        Point {
            date: without.day.date(),
            baseline,
            scenario,
            delta: scenario - baseline,
            applied_factor: if baseline > 0.0 { scenario / baseline } else { 1.0 },
            baseline_intervals: bounds(&without.intervals, 0.0),
            scenario_intervals: bounds(&with.intervals, 0.0),
        }
    };
    baseline.iter().zip(changed).map(point).collect()
}

fn bounds(intervals: &[Interval], least: f64) -> Vec<Bounds> {
    let bounds = |interval: &Interval| Bounds {
        level: interval.level,
        lower: unsigned_zero(interval.lower.max(least)),
        upper: unsigned_zero(interval.upper.max(least)),
    };
    intervals.iter().map(bounds).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts() {
        use CoverageVerdict::{AtRisk, Covered, Stockout, Unknown};
        for (on_hand, demand, expected) in [
            (None, 5.0, Unknown),
            (Some(0), 0.1, Stockout),
            (Some(0), 0.0, AtRisk),
            (Some(100), 110.1, Stockout),
            (Some(100), 110.0, AtRisk),
            (Some(100), 90.0, AtRisk),
            (Some(100), 89.9, Covered),
        ] {
            assert_eq!(CoverageVerdict::of(on_hand, demand), expected, "{on_hand:?} for {demand}");
        }
    }

    fn point(forecast: f64, intervals: Vec<Interval>) -> predict::Point {
        predict::Point { day: retailcast_core::Day(0), forecast, bounds: None, intervals }
    }

    #[test]
    fn a_model_that_is_asked_twice_sells_at_least_nothing() {
        let interval = Interval { level: 80.0, lower: -2.0, upper: 3.0 };
        let found = asked_points(&[point(-1.0, vec![interval])], &[point(-0.0, vec![interval])]);
        assert_eq!((found[0].baseline, found[0].scenario, found[0].applied_factor), (0.0, 0.0, 1.0));
        assert!(found[0].scenario.is_sign_positive() && found[0].delta.is_sign_positive());
        assert_eq!(found[0].scenario_intervals, [Bounds { level: 80.0, lower: 0.0, upper: 3.0 }]);
    }

    #[test]
    fn it_reads_back_as_it_was_written() {
        let subject = Subject { store_id: 1, product_id: 2, model_type: "naive".to_owned() };
        let points = asked_points(&[point(0.1 + 0.2, Vec::new())], &[point(1e22 / 3.0, Vec::new())]);
        let stock = Stock { unit_price: 4.99, on_hand: None };
        let made = Comparison::new(subject, Method::ModelExogenous, points, stock, Utc::now());
        let text = serde_json::to_string(&made).unwrap();
        assert!(!text.contains("intervals"), "{text}");
        let again: Comparison = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_string(&again).unwrap(), text);
    }
}
