//! What every RetailCast plugin must keep, as checks that a machine carries out on a component.
//!
//! The same checks run in three places: `retailcast plugin check FILE` (for authors), the server when it loads a file
//! of the plugin folder (the smoke level), and the tests of this project (all first-party plugins, at full level).
//!
//! Read from top to bottom: [`check_file`] opens a component ([`file`]), finds its kind and runs the checks of that
//! [`kind`]; the result is a [`Report`]. A [`Check`] is one rule with its body; a kind is a module with a subject and a
//! list of checks. `docs/plugins/conformance.md` is written from the same lists ([`reference`]).

mod admission;
mod any_kind;
mod check;
mod embedding_provider;
mod explainer;
mod file;
pub mod forecast_model;
mod kind;
pub mod reference;
mod report;
mod scenario_adjuster;

pub use admission::admit;
pub use check::{About, Applies, Check, Failure, Level, Outcome, Problem};
pub use file::check_file;
pub use kind::no_models;
pub use report::{CheckResult, Report, Verdict};

/// Every check, in the order in which they run; those of the file first, then kind by kind.
pub fn all() -> Vec<About> {
    file::checks().map(Check::about).chain(kind::ALL.into_iter().flat_map(kind::abouts)).collect()
}
