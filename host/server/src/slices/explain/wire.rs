//! The shapes of `/explain/*`.

use chrono::NaiveDate;
use retailcast_core::config_schema::FieldError;
use retailcast_runtime::Catalogue;
use retailcast_runtime::explain::{Driver, Explanation, ReasonCode};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::service::{Explained, Request};
use crate::http::Timestamp;
use crate::http::fields::{self, Fields};

/// What to explain.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes the body, which is read field by field")]
#[schema(example = json!({"store_id": 3, "product_id": 17, "model_type": "moving_average", "as_of_date": "2026-03-14",
                          "window_size": 7}))]
pub(super) struct ExplainForecastRequest {
    #[schema(minimum = 1, maximum = 2_147_483_647)]
    store_id: i32,
    #[schema(minimum = 1, maximum = 2_147_483_647)]
    product_id: i32,
    /// A model type that a loaded plugin explains: `naive`, `seasonal_naive`, `moving_average`, and others.
    model_type: String,
    /// Cutoff: the forecast of the day after it is explained.
    as_of_date: NaiveDate,
    /// Of `seasonal_naive`; 7 when absent.
    #[schema(minimum = 1, maximum = 365)]
    season_length: Option<i64>,
    /// Of `moving_average`; 7 when absent.
    #[schema(minimum = 1, maximum = 90)]
    window_size: Option<i64>,
}

/// Reads the body. A model type that is not even loaded does not fit; one that nobody explains is refused later.
pub(super) fn read(body: &Map<String, Value>, catalogue: &Catalogue) -> Result<Request, Vec<FieldError>> {
    let mut fields = Fields::of(body);
    let key = || fields::strict_int(1, i64::from(i32::MAX));
    let store_id = fields.required("store_id", key());
    let product_id = fields.required("product_id", key());
    let model_type = fields.required("model_type", |value| model_type(value, catalogue));
    let as_of = fields.required("as_of_date", fields::date);
    let season_length = fields.nullable("season_length", fields::strict_int(1, 365));
    let window_size = fields.nullable("window_size", fields::strict_int(1, 90));
    let request = (|| {
        let mut config = Map::new();
        for (name, length) in [("season_length", season_length), ("window_size", window_size)] {
            if let Some(length) = length {
                config.insert(name.to_owned(), length.into());
            }
        }
        Some(Request {
            store_id: i32::try_from(store_id?).ok()?,
            product_id: i32::try_from(product_id?).ok()?,
            model_type: model_type?,
            config,
            as_of: as_of?,
        })
    })();
    fields.finish(request)
}

fn model_type(value: &Value, catalogue: &Catalogue) -> fields::Reading<String> {
    let name = fields::text(1, 50)(value)?;
    let known = catalogue.explainer_of(name).is_some() || catalogue.model(name).is_ok();
    if known {
        return Ok(name.to_owned());
    }
    let explained = catalogue.explained_models().join(", ");
    Err(("literal_error", format!("must be a loaded model type; explained are {explained}, got `{name}`")))
}

/// One reason for the number.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DriverContribution<'a> {
    /// Stable machine name.
    name: &'a str,
    /// Observed value behind the driver.
    feature_value: f64,
    /// Units that it adds to the forecast; 0 when it is shown for context. All of them add up to the forecast.
    contribution: f64,
    /// `positive`, `negative` or `neutral`.
    direction: &'static str,
    /// For people.
    description: &'a str,
}

impl<'a> From<&'a Driver> for DriverContribution<'a> {
    fn from(driver: &'a Driver) -> Self {
        Self {
            name: &driver.name,
            feature_value: driver.value,
            contribution: driver.contribution,
            direction: driver.direction.name(),
            description: &driver.description,
        }
    }
}

/// A signal that fired: correlation, not causation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExplanationReasonCode)]
pub(super) struct ReasonBody<'a> {
    /// `stockout_constrained`, `promotion_overlap`, `lifecycle_decay`, `holiday_effect`, `trend_shift` or
    /// `insufficient_history`.
    code: &'static str,
    /// `info` or `warn`.
    severity: &'static str,
    /// For people.
    detail: &'a str,
}

impl<'a> From<&'a ReasonCode> for ReasonBody<'a> {
    fn from(reason: &'a ReasonCode) -> Self {
        Self { code: reason.code.name(), severity: reason.severity.name(), detail: &reason.detail }
    }
}

/// What the forecast of the day after the cutoff rests on.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "store_id": 3, "product_id": 17, "model_type": "moving_average", "method": "rule_based",
    "forecast_value": 7.142857142857143,
    "drivers": [
        {"name": "window_mean", "feature_value": 7.142857142857143, "contribution": 7.142857142857143,
         "direction": "positive", "description": "Average of the newest 7 observations."},
        {"name": "window_dispersion", "feature_value": 2.641891715558133, "contribution": 0.0, "direction": "neutral",
         "description": "Spread inside the window, shown for context."}],
    "reason_codes": [], "confidence": "high",
    "caveats": ["The drivers show the model's arithmetic; they do not prove business causality.",
                "A moving average reacts slowly to a recent change of level."],
    "agent_summary": "moving_average expects 7.1 units for store 3, product 17 on 2026-03-15.",
    "as_of_date": "2026-03-14", "generated_at": "2026-03-15T08:30:00.120000Z"}))]
pub(super) struct ForecastExplanation<'a> {
    store_id: i32,
    product_id: i32,
    /// Model that is explained.
    model_type: &'a str,
    /// `rule_based`; other explainers answer `shap` or `component`.
    method: &'static str,
    /// Units forecast for the day after the cutoff.
    forecast_value: f64,
    /// The main one first; never empty.
    drivers: Vec<DriverContribution<'a>>,
    /// In the order of the contract.
    reason_codes: Vec<ReasonBody<'a>>,
    /// `high`, `medium` or `low`.
    confidence: &'static str,
    /// At least two sentences.
    caveats: &'a [String],
    /// One paragraph of at most 2000 characters.
    #[schema(max_length = 2000)]
    agent_summary: &'a str,
    /// The cutoff.
    as_of_date: NaiveDate,
    /// When the answer was made.
    generated_at: Timestamp,
}

impl<'a> From<&'a Explained> for ForecastExplanation<'a> {
    fn from(explained: &'a Explained) -> Self {
        let said = &explained.said;
        Self {
            store_id: explained.store_id,
            product_id: explained.product_id,
            model_type: &explained.model_type,
            method: said.method.name(),
            forecast_value: said.forecast,
            drivers: said.drivers.iter().map(DriverContribution::from).collect(),
            reason_codes: said.reason_codes.iter().map(ReasonBody::from).collect(),
            confidence: said.confidence.name(),
            caveats: &said.caveats,
            agent_summary: &said.summary,
            as_of_date: explained.as_of,
            generated_at: Timestamp(explained.generated_at),
        }
    }
}

/// The drivers as they are kept.
pub(super) fn drivers_json(said: &Explanation) -> Value {
    kept(said.drivers.iter().map(DriverContribution::from))
}

/// The signals as they are kept.
pub(super) fn reasons_json(said: &Explanation) -> Value {
    kept(said.reason_codes.iter().map(ReasonBody::from))
}

fn kept<T: Serialize>(all: impl Iterator<Item = T>) -> Value {
    // Numbers are finite and the rest is text: that is JSON.
    all.map(|one| serde_json::to_value(one).unwrap_or_default()).collect()
}
