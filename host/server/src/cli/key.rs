//! `retailcast key`.

use chrono::{DateTime, Duration, Utc};
use comfy_table::Table;
use comfy_table::presets::UTF8_BORDERS_ONLY;

use super::stdout::say;
use super::{CliError, with_database};
use crate::access::{Key, Keys, NewKey, Scope};
use crate::config::Config;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Make a key; it is shown once
    Create {
        /// What it may do: look and compute (read), also change data and run jobs (write), everything (admin)
        #[arg(long, value_enum)]
        scope: Scope,
        /// Who gets it
        #[arg(long, default_value = "unnamed")]
        name: String,
        /// Days until it is no longer valid [default: it stays valid]
        #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=36_500))]
        days: Option<u32>,
    },
    /// List all keys, also those that are over
    List,
    /// Withdraw a key; a running server refuses it within 2 seconds
    Revoke {
        /// Its id, as `key list` shows it
        id: String,
    },
}

pub(super) async fn run(config: &Config, command: Command) -> Result<(), CliError> {
    with_database(config, async |pool| {
        let keys = Keys::new(pool.clone());
        match command {
            Command::Create { scope, name, days } => create(config, &keys, scope, name, days).await,
            Command::List => {
                let all = keys.all().await.map_err(|e| CliError::failed(&e))?;
                say!("{}", table(&all));
                Ok(())
            }
            Command::Revoke { id } => {
                if keys.revoke(&id).await.map_err(|e| CliError::failed(&e))? {
                    say!("{id} is revoked.");
                    return Ok(());
                }
                Err(CliError::Refused(format!("there is no key {id}; `retailcast key list` shows all")))
            }
        }
    })
    .await
}

async fn create(
    config: &Config,
    keys: &Keys,
    scope: Scope,
    name: String,
    days: Option<u32>,
) -> Result<(), CliError> {
    if !(1..=100).contains(&name.chars().count()) {
        return Err(CliError::Refused(format!(
            "--name has {} characters, allowed are 1 to 100",
            name.chars().count()
        )));
    }
    let expires_at = days.map(|days| Utc::now() + Duration::days(i64::from(days)));
    let issued = keys.create(&NewKey { name, scope, expires_at }).await.map_err(|e| CliError::failed(&e))?;
    // Alone on its line, for scripts; what is for people goes elsewhere.
    say!("{}", issued.token.reveal());
    eprintln!("It is shown this once. Send it as `Authorization: Bearer KEY`.");
    if !config.access.require_keys {
        eprintln!("Keys are not required yet; that takes\n\n[access]\nrequire_keys = true");
    }
    Ok(())
}

fn table(keys: &[Key]) -> Table {
    let time =
        |at: Option<DateTime<Utc>>| at.map(|at| at.format("%Y-%m-%d %H:%M").to_string()).unwrap_or_default();
    let mut table = Table::new();
    table.load_style(UTF8_BORDERS_ONLY).set_header(["id", "name", "scope", "made", "valid until", "state"]);
    for key in keys {
        table.add_row([
            key.id.clone(),
            key.name.clone(),
            key.scope.name().to_owned(),
            time(Some(key.created_at)),
            time(key.expires_at),
            key.is_over(Utc::now()).unwrap_or("valid").to_owned(),
        ]);
    }
    table
}
