//! What every RetailCast plugin must keep, as checks that a machine carries out on a component.
//!
//! The same checks run in three places: `retailcast plugin check FILE` (for authors), the server when it loads a file
//! of the plugin folder (the smoke level), and the tests of this project (all first-party plugins, at full level).
//!
//! Read from top to bottom: [`check_file`] opens a component ([`file`]), finds its kind and runs the checks of that
//! kind ([`forecast_model`]); the result is a [`Report`]. A [`Check`] is one rule with its body; a kind is a list of
//! them. `docs/plugins/conformance.md` is written from the same list ([`reference`]).
//!
//! **A further kind** is one module beside [`forecast_model`]: a subject, and its checks.

mod admission;
mod check;
mod file;
pub mod forecast_model;
pub mod reference;
mod report;

pub use admission::admit;
pub use check::{About, Applies, Check, Failure, Level, Outcome, Problem};
pub use file::check_file;
pub use report::{CheckResult, Report, Verdict};

/// Every check, in the order in which they run.
pub fn all() -> Vec<About> {
    file::checks().map(Check::about).chain(forecast_model::checks().map(Check::about)).collect()
}
