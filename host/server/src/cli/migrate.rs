//! `retailcast migrate`.

use super::stdout::say;
use super::{CliError, with_database};
use crate::config::Config;
use crate::db::MIGRATIONS;

pub(super) async fn run(config: &Config) -> Result<(), CliError> {
    // Opening a database migrates it; what is left to do is to say so.
    with_database(config, async |_| {
        let newest = MIGRATIONS.iter().last().map_or(0, |migration| migration.version);
        say!("The schema is up to date: version {newest}, {} migrations.", MIGRATIONS.iter().count());
        Ok(())
    })
    .await
}
