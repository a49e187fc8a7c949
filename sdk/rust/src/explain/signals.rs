//! Which signals fire. They tell of correlation and never change a number; their order is part of the contract.

use super::words::{counted, date};
use super::{Reason, ReasonCode, Severity, Signals, Subject};

/// Days after its launch that a product counts as new.
const NEW_PRODUCT_DAYS: i32 = 30;

/// The signals that fire, in the server's usual order. Fewer than `comfortable` observations are worth a warning.
pub fn reason_codes(
    subject: &Subject,
    signals: &Signals,
    observations: usize,
    comfortable: usize,
) -> Vec<ReasonCode> {
    [
        stockouts(signals),
        promotions(subject, signals),
        launch(signals),
        holiday(subject, signals),
        short_history(observations, comfortable),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn stockouts(signals: &Signals) -> Option<ReasonCode> {
    let (stockouts, snapshots) = (signals.stock.stockouts, signals.stock.snapshots);
    (stockouts > 0).then(|| ReasonCode {
        code: Reason::StockoutConstrained,
        severity: Severity::Warn,
        detail: format!(
            "{stockouts} of {} in the last {} days had no stock.",
            counted(snapshots, "snapshot"),
            signals.window_days
        ),
    })
}

fn promotions(subject: &Subject, signals: &Signals) -> Option<ReasonCode> {
    let (touching, running) = (signals.promotions.touching, signals.promotions.running);
    let verb = if touching == 1 { "touches" } else { "touch" };
    let on_cutoff = match running {
        0 => String::new(),
        running => format!(", {running} of them running on {}", date(subject.as_of)),
    };
    (touching > 0).then(|| ReasonCode {
        code: Reason::PromotionOverlap,
        severity: Severity::Info,
        detail: format!(
            "{} {verb} the last {} days{on_cutoff}.",
            counted(touching, "promotion"),
            signals.window_days
        ),
    })
}

fn launch(signals: &Signals) -> Option<ReasonCode> {
    let age = signals.days_since_launch.filter(|age| (0..NEW_PRODUCT_DAYS).contains(age))?;
    Some(ReasonCode {
        code: Reason::LifecycleDecay,
        severity: Severity::Info,
        detail: format!("The product was launched {age} days before the cutoff; demand may settle."),
    })
}

fn holiday(subject: &Subject, signals: &Signals) -> Option<ReasonCode> {
    let holiday = signals.holiday.as_ref()?;
    let name = holiday.name.as_ref().map_or_else(String::new, |name| format!(": {name}"));
    Some(ReasonCode {
        code: Reason::HolidayEffect,
        severity: Severity::Info,
        detail: format!("{} is a holiday{name}.", date(subject.as_of.saturating_add(1))),
    })
}

fn short_history(observations: usize, comfortable: usize) -> Option<ReasonCode> {
    (observations < comfortable).then(|| ReasonCode {
        code: Reason::InsufficientHistory,
        severity: Severity::Warn,
        detail: format!("There are {observations} observations, {comfortable} would be comfortable."),
    })
}
