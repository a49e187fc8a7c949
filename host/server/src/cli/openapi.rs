//! `retailcast openapi`.

use super::CliError;
use crate::config::Config;
use crate::http;

pub(super) fn run(config: &Config) -> Result<(), CliError> {
    let text = http::router::document(&config.app.name).to_pretty_json().map_err(|e| CliError::failed(&e))?;
    println!("{text}");
    Ok(())
}
