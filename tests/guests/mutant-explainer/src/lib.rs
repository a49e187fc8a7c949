//! A good explainer of `moving_average` with one fault. The good form `fitted` explains `a_fitted_model` instead, of
//! which it wants the state.
//!
//! The exports are written out and not made by the SDK's macro, whose answers are constants: some faults change them.

#![allow(missing_docs, reason = "exports of a component have no readers")]

use retailcast_guest_fault::{clock, fault, has, overdo};
use retailcast_sdk::Info;
use retailcast_sdk::explain::{
    Confidence, Direction, Driver, Explained, ExplainedModel, FittedModel, Method, Reason, ReasonCode,
    Severity, Signals, Subject,
};
use retailcast_sdk::{Error, ErrorCode};

pub const INFO: Info = Info {
    name: "mutant_explainer",
    version: "7.7.7",
    licence: "LicenseRef-Mutant",
    summary: "Explains a moving average, with one fault.",
};
const WINDOW: usize = 7;
const MARK: &[u8] = b"fitted";

pub struct Component;

fn wants_state() -> bool {
    has("fitted") || has("takes-any-state")
}

pub fn models() -> Vec<ExplainedModel> {
    let name = match fault() {
        "shouting-model" => "Moving Average",
        "fitted" | "takes-any-state" => "a_fitted_model",
        _ => "moving_average",
    };
    vec![ExplainedModel { model_type: name.to_owned(), needs_fitted: wants_state() }]
}

/// Finds out what is asked, or says no.
fn forecast(subject: &Subject, history: &[f64], fitted: Option<&FittedModel>) -> Result<f64, Error> {
    let known = models().iter().any(|model| model.model_type == subject.model_type);
    if !known && !has("explains-all") {
        return Err(Error::unsupported("only a moving average is explained"));
    }
    if !subject.config.starts_with('{') || subject.config.len() < 2 {
        assert!(!has("panic-on-config"), "the configuration is {}", subject.config);
        return Err(Error::invalid_config("no JSON object"));
    }
    if wants_state() {
        return match fitted {
            Some(fitted) if has("takes-any-state") || fitted.state.starts_with(MARK) => Ok(fitted.forecast),
            _ => Err(Error::new(ErrorCode::ArtifactMismatch, "no state of this model")),
        };
    }
    if history.len() < WINDOW && !has("panic-on-short") {
        return Err(Error::not_enough_history(WINDOW, history.len()));
    }
    let newest = &history[history.len() - WINDOW..];
    Ok(newest.iter().sum::<f64>() / WINDOW as f64)
}

fn driver(name: &str, contribution: f64) -> Driver {
    Driver {
        name: name.to_owned(),
        value: contribution,
        contribution,
        direction: Direction::of(contribution),
        description: "The mean of the newest 7 days.".to_owned(),
    }
}

pub fn explain(
    subject: &Subject,
    history: &[f64],
    signals: &Signals,
    fitted: Option<&FittedModel>,
) -> Result<Explained, Error> {
    overdo();
    assert!(!has("panic"), "the crystal ball is broken");
    let mut forecast = forecast(subject, history, fitted)?;
    assert!(!(has("panic-on-zeros") && forecast == 0.0), "nothing was sold");
    match fault() {
        "by-clock" => forecast += (clock() % 86_400) as f64,
        "wrong-forecast" => forecast += 1.0,
        "signals-count" => forecast += f64::from(signals.stock.stockouts),
        _ => {}
    }
    let mut drivers = vec![driver("window_mean", forecast)];
    match fault() {
        "nan" => drivers[0].value = f64::NAN,
        "no-drivers" => drivers.clear(),
        "driver-twice" => drivers.push(driver("window_mean", 0.0)),
        "sum" => drivers[0].contribution += 0.5,
        "backwards" => drivers[0].direction = Direction::Negative,
        "huge" => drivers[0].description = "x".repeat(8 << 20),
        _ => {}
    }
    let holiday = ReasonCode {
        code: Reason::HolidayEffect,
        severity: Severity::Info,
        detail: "The day is a holiday.".to_owned(),
    };
    let mut reason_codes = if signals.holiday.is_some() { vec![holiday] } else { Vec::new() };
    if has("reason-twice") {
        reason_codes.extend(reason_codes.clone());
    }
    let summary = if has("mute") { String::new() } else { "The mean of the newest 7 days.".to_owned() };
    Ok(Explained {
        method: Method::RuleBased,
        forecast,
        drivers,
        reason_codes,
        confidence: Confidence::Medium,
        caveats: Vec::new(),
        summary,
    })
}

#[cfg(target_arch = "wasm32")]
#[allow(unsafe_code, clippy::all)]
mod component_exports {
    use retailcast_guest_fault::described;
    use retailcast_sdk::component::{WitDescription, WitError, WitKind, describe_unconfigured};

    use super::*;

    impl retailcast_sdk::description_bindings::exports::retailcast::plugin::plugin::Guest for Component {
        fn describe() -> WitDescription {
            described(describe_unconfigured(&INFO, WitKind::Explainer))
        }
    }

    impl retailcast_sdk::explainer_bindings::exports::retailcast::plugin::explanation::Guest for Component {
        fn models() -> Vec<ExplainedModel> {
            super::models()
        }
        fn explain(
            subject: Subject,
            history: Vec<f64>,
            signals: Signals,
            fitted: Option<FittedModel>,
        ) -> Result<Explained, WitError> {
            super::explain(&subject, &history, &signals, fitted.as_ref()).map_err(Into::into)
        }
    }

    retailcast_sdk::description_bindings::export_description!(Component with_types_in retailcast_sdk::description_bindings);
    retailcast_sdk::explainer_bindings::export_explanation!(Component with_types_in retailcast_sdk::explainer_bindings);
}
