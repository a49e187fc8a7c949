//! Sentences for people.

use chrono::{NaiveDate, TimeDelta};
use retailcast_sdk::explain::{Confidence, Driver, Reason, ReasonCode, Subject};

use crate::arithmetic::Baseline;

/// What the numbers do not say, in the contract's order.
pub(crate) fn caveats(baseline: &Baseline, reason_codes: &[ReasonCode]) -> Vec<String> {
    let fired = |code: Reason| reason_codes.iter().any(|reason| reason.code == code);
    let blind_spot = match baseline {
        Baseline::Naive => "A naive forecast knows neither trend nor season.",
        Baseline::SeasonalNaive(_) => "A seasonal naive forecast assumes that the last cycle repeats.",
        Baseline::MovingAverage(_) => "A moving average reacts slowly to a recent change of level.",
    };
    [
        Some("The drivers show the model's arithmetic; they do not prove business causality."),
        Some(blind_spot),
        fired(Reason::StockoutConstrained)
            .then_some("Stock ran out in the window, so that the forecast may be below true demand."),
        fired(Reason::InsufficientHistory)
            .then_some("The history is short, so that this explanation is less reliable than usual."),
    ]
    .into_iter()
    .flatten()
    .map(str::to_owned)
    .collect()
}

/// One paragraph of everything that matters.
pub(crate) fn summary(
    subject: &Subject,
    forecast: f64,
    main: &Driver,
    confidence: Confidence,
    reason_codes: &[ReasonCode],
) -> String {
    let codes: Vec<&str> = reason_codes.iter().map(|reason| reason.code.name()).collect();
    let signals = if codes.is_empty() {
        "No signal was found.".to_owned()
    } else {
        format!("Signals: {}.", codes.join(", "))
    };
    format!(
        "{} expects {forecast:.1} units for store {}, product {} on {}. Main driver: {} ({:.1}). Confidence: {}. {signals}",
        subject.model_type,
        subject.store_id,
        subject.product_id,
        date(subject.as_of.saturating_add(1)),
        main.name,
        main.value,
        confidence.name(),
    )
}

/// A day as an ISO date; days that no calendar names stay numbers.
pub(crate) fn date(day: i32) -> String {
    let named = NaiveDate::default().checked_add_signed(TimeDelta::days(i64::from(day)));
    named.map_or_else(|| format!("day {day}"), |date| date.to_string())
}

/// `1 promotion`, `2 promotions`.
pub(crate) fn counted(count: u32, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
