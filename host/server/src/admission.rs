//! Files of the plugin folder pass the smoke checks of the conformance suite before they serve.
//!
//! What passed is noted in the code cache by digest, so that a restart does not check again. A note is worth no more
//! than the check: without one, the plugin is checked.

use std::path::{Path, PathBuf};
use std::time::Duration;

use retailcast_runtime::{Admission, Digest, Models, Plugin, PluginError};

/// What a start spends on the checks of one file. A plugin that is not done by then serves all the same, and the log
/// says so: a busy machine is no fault of the plugin.
const BUDGET: Duration = Duration::from_secs(2);

/// Takes plugins that fail no smoke check.
pub(crate) fn by_smoke_checks(notes: PathBuf) -> Admission {
    Box::new(move |plugin, models| admit(&notes, plugin, models))
}

fn admit(notes: &Path, plugin: &Plugin, models: Models<'_>) -> Result<(), PluginError> {
    let description = plugin.description();
    let note = note(notes, description.digest);
    if note.exists() {
        return Ok(());
    }
    let report = retailcast_conformance::admit(plugin, models, BUDGET)?;
    if !report.passed {
        tracing::warn!(
            plugin = description.name,
            version = description.version,
            budget = ?BUDGET,
            "the smoke checks took longer than their budget; `retailcast plugin check` runs all of them"
        );
        return Ok(());
    }
    if let Err(e) = std::fs::write(&note, "") {
        tracing::warn!(note = %note.display(), "cannot note that a plugin was checked: {e}; the next start checks again");
    }
    Ok(())
}

/// The checks are those of this version of the program, so another version checks again.
fn note(notes: &Path, digest: Digest) -> PathBuf {
    notes.join(format!("checked-{}-{digest}", env!("CARGO_PKG_VERSION")))
}
