//! `retailcast openapi`.

use super::CliError;
use super::stdout::say;
use crate::config::Config;
use crate::{app, http};

pub(super) fn run(config: &Config) -> Result<(), CliError> {
    let catalogue = app::catalogue(config).map_err(|e| CliError::failed(&e))?;
    let text = http::router::document(&config.app.name, &catalogue)
        .to_pretty_json()
        .map_err(|e| CliError::failed(&e))?;
    say!("{text}");
    Ok(())
}
