//! Sentences for people.

use super::{Confidence, Driver, Reason, ReasonCode, Subject};

/// What the numbers do not say, in the server's usual order; `blind_spots` are the model's own.
pub fn caveats(blind_spots: &[&str], reason_codes: &[ReasonCode]) -> Vec<String> {
    let fired = |code: Reason| reason_codes.iter().any(|reason| reason.code == code);
    let signals = [
        (
            Reason::StockoutConstrained,
            "Stock ran out in the window, so that the forecast may be below true demand.",
        ),
        (
            Reason::InsufficientHistory,
            "The history is short, so that this explanation is less reliable than usual.",
        ),
    ];
    let told = signals.into_iter().filter(|(code, _)| fired(*code)).map(|(_, sentence)| sentence);
    ["The drivers show the model's arithmetic; they do not prove business causality."]
        .into_iter()
        .chain(blind_spots.iter().copied())
        .chain(told)
        .map(str::to_owned)
        .collect()
}

/// One paragraph of everything that matters.
pub fn summary(
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

/// A day of the contract (days since 1970-01-01) as an ISO date of the Gregorian calendar, in 400-year eras that
/// begin on a 1st of March: the leap day is the last of its year then.
pub(super) fn date(day: i32) -> String {
    const ERA: i64 = 146_097;
    // Days from 0000-03-01 to 1970-01-01.
    let day = i64::from(day) + 719_468;
    let (era, of_era) = (day.div_euclid(ERA), day.rem_euclid(ERA));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    // Months of 153 days to five, counted from March.
    let month = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * month + 2) / 5 + 1;
    let (month, next_year) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    format!("{:04}-{month:02}-{of_month:02}", era * 400 + year + next_year)
}

/// `1 promotion`, `2 promotions`.
pub(super) fn counted(count: u32, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_dates_of_the_gregorian_calendar() {
        for (day, expected) in [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (20_526, "2026-03-14"),
            (11_015, "2000-02-28"),
            (11_016, "2000-02-29"),
            (11_017, "2000-03-01"),
            (-25_509, "1900-02-28"),
            (-25_508, "1900-03-01"),
            (-719_468, "0000-03-01"),
            (2_932_896, "9999-12-31"),
        ] {
            assert_eq!(date(day), expected);
        }
    }
}
