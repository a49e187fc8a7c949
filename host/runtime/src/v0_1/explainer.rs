//! An explainer of contract 0.1 behind the host's trait.

use wasmtime::Store;
use wasmtime::component::InstancePre;

use super::bindings::retailcast::plugin::types as wit_types;
use super::explainer_bindings::exports::retailcast::plugin::explanation as wit;
use super::explainer_bindings::{Explainer as Exports, ExplainerPre};
use super::instance::{Adapter, World, guest};
use crate::engine::Engine;
use crate::explain::{
    Confidence, Direction, Driver, ExplainedModel, Explainer, Explanation, FittedModel, Method, Reason,
    ReasonCode, Severity, Signals, Subject,
};
use crate::plugin::Checked;
use crate::sandbox::SandboxState;
use crate::trace::traced;
use crate::{Call, Description, Kind, Limits, Phase, PluginError};

impl World for Exports {
    const KIND: Kind = Kind::Explainer;
    type Pre = ExplainerPre<SandboxState>;

    fn prepare(linked: InstancePre<SandboxState>) -> wasmtime::Result<Self::Pre> {
        ExplainerPre::new(linked)
    }

    fn instantiate(pre: &Self::Pre, store: &mut Store<SandboxState>) -> wasmtime::Result<Self> {
        pre.instantiate(store)
    }

    fn describe(&self, store: &mut Store<SandboxState>) -> wasmtime::Result<wit_types::Description> {
        self.retailcast_plugin_plugin().call_describe(store)
    }
}

/// A loaded plugin of kind explainer.
pub(crate) struct Explaining {
    adapter: Adapter<Exports>,
    models: Vec<ExplainedModel>,
}

impl Explaining {
    /// Loads it and asks which model types it explains.
    pub(crate) fn new(
        engine: &Engine,
        checked: &Checked,
        limits: Limits,
        key: &str,
        settings_table: &str,
    ) -> Result<Self, PluginError> {
        let adapter = Adapter::<Exports>::new(engine, checked, limits, key, settings_table)?;
        let models = adapter
            .open(&Call::default())?
            .run(Phase::Describe, |store, world| world.retailcast_plugin_explanation().call_models(store))?;
        if models.is_empty() {
            return Err(PluginError::Description { reason: "it explains no model type".to_owned() });
        }
        let model = |said: wit::ExplainedModel| ExplainedModel {
            model_type: said.model_type,
            needs_fitted: said.needs_fitted,
        };
        Ok(Self { adapter, models: models.into_iter().map(model).collect() })
    }
}

impl Explainer for Explaining {
    fn description(&self) -> &Description {
        self.adapter.description()
    }

    fn describe(&self, call: &Call) -> Result<Description, PluginError> {
        self.adapter.describe(call)
    }

    fn models(&self) -> &[ExplainedModel] {
        &self.models
    }

    fn explain(
        &self,
        subject: &Subject,
        history: &[f64],
        signals: &Signals,
        fitted: Option<&FittedModel>,
        call: &Call,
    ) -> Result<Explanation, PluginError> {
        let (subject, signals) = (subject_to_wit(subject), signals_to_wit(signals));
        let fitted = fitted.map(fitted_to_wit);
        let state =
            fitted.as_ref().map_or(0, |fitted| fitted.state.len() + size_of_val(&fitted.features[..]));
        let bytes = subject.config.len() + size_of_val(history) + state;
        let mut instance = self.adapter.open(call)?;
        let ask = || {
            instance.run(Phase::Explain, |store, world| {
                world.retailcast_plugin_explanation().call_explain(
                    store,
                    &subject,
                    history,
                    &signals,
                    fitted.as_ref(),
                )
            })
        };
        let words = |answer: &Result<wit::Explained, _>| answer.as_ref().map_or(0, |said| said.summary.len());
        let answer = traced(call.trace.as_ref(), "explain", bytes, ask, words)?;
        let explanation = from_wit(answer.map_err(guest)?);
        check(&explanation)?;
        Ok(explanation)
    }
}

fn subject_to_wit(subject: &Subject) -> wit::Subject {
    wit::Subject {
        store_id: subject.store_id,
        product_id: subject.product_id,
        model_type: subject.model_type.clone(),
        config: subject.config.clone(),
        as_of: subject.as_of,
    }
}

fn signals_to_wit(signals: &Signals) -> wit::Signals {
    wit::Signals {
        window_days: signals.window_days,
        stock: wit::StockSignal { snapshots: signals.stock.snapshots, stockouts: signals.stock.stockouts },
        promotions: wit::PromotionSignal {
            touching: signals.promotions.touching,
            running: signals.promotions.running,
        },
        days_since_launch: signals.days_since_launch,
        holiday: signals.holiday.clone().map(|name| wit::Holiday { name }),
    }
}

fn fitted_to_wit(fitted: &FittedModel) -> wit::FittedModel {
    wit::FittedModel {
        state: fitted.state.clone(),
        feature_names: fitted.feature_names.clone(),
        features: fitted.features.clone(),
        forecast: fitted.forecast,
    }
}

fn from_wit(answer: wit::Explained) -> Explanation {
    Explanation {
        method: match answer.method {
            wit::Method::RuleBased => Method::RuleBased,
            wit::Method::Shap => Method::Shap,
            wit::Method::Component => Method::Component,
        },
        forecast: answer.forecast,
        drivers: answer.drivers.into_iter().map(driver).collect(),
        reason_codes: answer.reason_codes.into_iter().map(reason_code).collect(),
        confidence: match answer.confidence {
            wit::Confidence::High => Confidence::High,
            wit::Confidence::Medium => Confidence::Medium,
            wit::Confidence::Low => Confidence::Low,
        },
        caveats: answer.caveats,
        summary: answer.summary,
    }
}

fn driver(driver: wit::Driver) -> Driver {
    Driver {
        name: driver.name,
        value: driver.value,
        contribution: driver.contribution,
        direction: match driver.direction {
            wit::Direction::Positive => Direction::Positive,
            wit::Direction::Negative => Direction::Negative,
            wit::Direction::Neutral => Direction::Neutral,
        },
        description: driver.description,
    }
}

fn reason_code(reason: wit::ReasonCode) -> ReasonCode {
    ReasonCode {
        code: match reason.code {
            wit::Reason::StockoutConstrained => Reason::StockoutConstrained,
            wit::Reason::PromotionOverlap => Reason::PromotionOverlap,
            wit::Reason::LifecycleDecay => Reason::LifecycleDecay,
            wit::Reason::HolidayEffect => Reason::HolidayEffect,
            wit::Reason::TrendShift => Reason::TrendShift,
            wit::Reason::InsufficientHistory => Reason::InsufficientHistory,
        },
        severity: match reason.severity {
            wit::Severity::Info => Severity::Info,
            wit::Severity::Warn => Severity::Warn,
        },
        detail: reason.detail,
    }
}

/// How far the sum of the contributions may be from the forecast, relative to it (or absolute, below 1).
const SUM_TOLERANCE: f64 = 1e-9;
/// Characters of a summary.
const LONGEST_SUMMARY: usize = 2_000;

fn broken(check: &'static str, expected: impl Into<String>, found: impl Into<String>) -> PluginError {
    PluginError::BadResult { phase: Phase::Explain, check, expected: expected.into(), found: found.into() }
}

fn check(explanation: &Explanation) -> Result<(), PluginError> {
    let Explanation { forecast, drivers, reason_codes, summary, .. } = explanation;
    if drivers.is_empty() {
        return Err(broken("drivers", "at least one", "none"));
    }
    let numbers = drivers.iter().flat_map(|driver| [driver.value, driver.contribution]);
    if let Some(bad) = numbers.chain([*forecast]).find(|number| !number.is_finite()) {
        return Err(broken("finite numbers", "a finite forecast and finite drivers", bad.to_string()));
    }
    let sum: f64 = drivers.iter().map(|driver| driver.contribution).sum();
    if (sum - forecast).abs() > SUM_TOLERANCE * forecast.abs().max(1.0) {
        return Err(broken("sum of contributions", forecast.to_string(), sum.to_string()));
    }
    let twice = reason_codes
        .iter()
        .enumerate()
        .find(|(i, reason)| reason_codes[..*i].iter().any(|earlier| earlier.code == reason.code));
    if let Some((_, reason)) = twice {
        return Err(broken("reason codes", "each at most once", format!("{} again", reason.code.name())));
    }
    let length = summary.chars().count();
    if length > LONGEST_SUMMARY {
        return Err(broken("summary", format!("at most {LONGEST_SUMMARY} characters"), length.to_string()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explanation() -> Explanation {
        let driver = |name: &str, contribution| Driver {
            name: name.to_owned(),
            value: 1.0,
            contribution,
            direction: Direction::Positive,
            description: String::new(),
        };
        Explanation {
            method: Method::Component,
            forecast: 3.0,
            drivers: vec![driver("a", 1.0), driver("b", 2.0)],
            reason_codes: Vec::new(),
            confidence: Confidence::High,
            caveats: Vec::new(),
            summary: String::new(),
        }
    }

    fn refused(change: impl FnOnce(&mut Explanation)) -> String {
        let mut explanation = explanation();
        change(&mut explanation);
        check(&explanation).unwrap_err().to_string()
    }

    #[test]
    fn an_answer_within_the_contract_passes() {
        check(&explanation()).unwrap();
    }

    #[test]
    fn every_break_of_the_contract_is_named() {
        let reason =
            ReasonCode { code: Reason::HolidayEffect, severity: Severity::Info, detail: String::new() };
        assert!(refused(|e| e.drivers.clear()).contains("drivers: expected at least one, found none"));
        assert!(refused(|e| e.forecast = f64::NAN).contains("found NaN"));
        assert!(refused(|e| e.drivers[0].contribution = 1.1).contains("sum of contributions: expected 3"));
        assert!(refused(|e| e.reason_codes = vec![reason; 2]).contains("found holiday_effect again"));
        assert!(refused(|e| e.summary = "x".repeat(2_001)).contains("found 2001"));
    }
}
