//! `retailcast doctor`: whether what is stored fits together. It reads and changes nothing.
//!
//! Every check is one sentence that is true of a healthy place ([`Check::holds`]). The database's are queries for what
//! breaks it ([`store`]); [`files`] looks at the artifacts. A server may run beside it: every query sees one moment.

mod files;
mod report;
mod store;

use retailcast_runtime::{Entry, State};
use sqlx::PgPool;

use crate::artifacts::Storage;

pub use report::{Finding, Report};

/// One thing that holds in a healthy place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Check {
    /// `group.name`.
    pub id: &'static str,
    /// What holds, as a sentence.
    pub holds: &'static str,
    /// What to do when it does not.
    pub mend: &'static str,
}

/// Where to look.
#[derive(Debug)]
pub struct Place<'a> {
    /// The database.
    pub pool: &'a PgPool,
    /// Fitted models.
    pub models: &'a Storage,
    /// What registered runs point at.
    pub registry: &'a Storage,
    /// Plugins.
    pub plugins: &'a [Entry],
    /// Whether the server wants API keys.
    pub require_keys: bool,
}

const PLUGINS: Check = Check {
    id: "plugins.loaded",
    holds: "No plugin is refused.",
    mend: "The reason says which line of the configuration would allow it, or remove the file.",
};

/// Looks at everything.
pub async fn examine(place: &Place<'_>) -> Result<Report, sqlx::Error> {
    let mut findings = store::findings(place.pool, place.require_keys).await?;
    findings.extend(files::findings(place).await?);
    findings.push(refused(place.plugins));
    Ok(Report::new(findings))
}

fn refused(plugins: &[Entry]) -> Finding {
    let refused = plugins.iter().filter_map(|entry| match &entry.state {
        State::Refused(e) => Some(format!("{}: {}: {e}", entry.key, e.code())),
        State::Loaded(_) | State::Disabled => None,
    });
    Finding::of(PLUGINS, refused.collect())
}
