//! The five checks of `POST /seeder/verify`.

use chrono::NaiveDate;

use super::service::Counts;

/// What a check says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckStatus {
    /// All is well.
    Passed,
    /// Perhaps on purpose.
    Warning,
    /// Cannot be.
    Failed,
}

impl CheckStatus {
    /// Its name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Warning => "warning",
            Self::Failed => "failed",
        }
    }
}

/// A check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Its name.
    pub name: &'static str,
    /// What it says.
    pub status: CheckStatus,
    /// The same for people.
    pub message: String,
    /// One line per finding.
    pub details: Option<Vec<String>>,
}

/// Numbers of rows that cannot be.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Findings {
    pub(super) without_store: i64,
    pub(super) without_product: i64,
    pub(super) without_day: i64,
    pub(super) negative_quantity: i64,
    pub(super) negative_price: i64,
    pub(super) negative_amount: i64,
    pub(super) empty_returns: i64,
    pub(super) contradicting_signals: i64,
    pub(super) bundles_without_members: i64,
    pub(super) ended_before_launch: i64,
    pub(super) received_too_much: i64,
}

/// The checks, in the order of the contract.
pub(super) fn all(found: &Findings, counts: &Counts, days: Option<(NaiveDate, NaiveDate)>) -> Vec<Check> {
    vec![
        findings(
            "Foreign Key Integrity",
            "Every sale has its store, product and day.",
            &[
                (found.without_store, "sales rows without a store"),
                (found.without_product, "sales rows without a product"),
                (found.without_day, "sales rows without a day in the calendar"),
            ],
        ),
        findings(
            "Non-Negative Constraints",
            "No number is where it cannot be.",
            &[
                (found.negative_quantity, "sales rows with a negative quantity"),
                (found.negative_price, "sales rows with a negative price"),
                (found.negative_amount, "sales rows with a negative amount"),
                (found.empty_returns, "returns of less than one unit"),
                (found.contradicting_signals, "signals whose is_global contradicts their store"),
                (found.bundles_without_members, "bundles or BOGO promotions without members"),
                (found.ended_before_launch, "products discontinued before their launch"),
                (found.received_too_much, "deliveries of more than was ordered"),
            ],
        ),
        coverage(counts.calendar, days),
        presence(counts.sales),
        completeness(counts),
    ]
}

fn findings(name: &'static str, well: &str, found: &[(i64, &str)]) -> Check {
    let details: Vec<String> =
        found.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    if details.is_empty() {
        return Check { name, status: CheckStatus::Passed, message: well.to_owned(), details: None };
    }
    let message = match details.len() {
        1 => "One kind of rows cannot be as it is.".to_owned(),
        kinds => format!("{kinds} kinds of rows cannot be as they are."),
    };
    Check { name, status: CheckStatus::Failed, message, details: Some(details) }
}

fn coverage(rows: i64, days: Option<(NaiveDate, NaiveDate)>) -> Check {
    let expected = days.map_or(0, |(first, last)| (last - first).num_days() + 1);
    let name = "Calendar Date Coverage";
    match days {
        Some((first, last)) if rows != expected => Check {
            name,
            status: CheckStatus::Warning,
            message: format!("The calendar has {rows} of the {expected} days from {first} to {last}."),
            details: Some(vec![format!("{} days are missing", expected - rows)]),
        },
        _ => {
            let message = format!("The calendar has {rows} days without a gap.");
            Check { name, status: CheckStatus::Passed, message, details: None }
        }
    }
}

fn presence(sales: i64) -> Check {
    let status = if sales == 0 { CheckStatus::Warning } else { CheckStatus::Passed };
    Check { name: "Data Presence", status, message: format!("There are {sales} sales rows."), details: None }
}

fn completeness(counts: &Counts) -> Check {
    let counts = [("stores", counts.stores), ("products", counts.products), ("calendar", counts.calendar)];
    let empty: Vec<&str> = counts.iter().filter(|(_, rows)| *rows == 0).map(|(name, _)| *name).collect();
    let (status, message) = if empty.is_empty() {
        (CheckStatus::Passed, "Stores, products and calendar are there.".to_owned())
    } else {
        (CheckStatus::Warning, format!("Empty: {}.", empty.join(", ")))
    };
    let details = counts.iter().map(|(name, rows)| format!("{name}: {rows}")).collect();
    Check { name: "Dimension Completeness", status, message, details: Some(details) }
}
