//! `retailcast plugin list`.

use comfy_table::presets::UTF8_BORDERS_ONLY;
use comfy_table::{ContentArrangement, Table};

use super::super::CliError;
use super::super::stdout::say;
use crate::app;
use crate::config::Config;
use crate::slices::plugins::PluginResult;

pub(super) fn run(config: &Config, json: bool) -> Result<(), CliError> {
    let catalogue = app::catalogue(config).map_err(|e| CliError::failed(&e))?;
    let plugins: Vec<PluginResult> = catalogue.entries().iter().map(PluginResult::new).collect();
    if json {
        let text = serde_json::to_string_pretty(&plugins).map_err(|e| CliError::failed(&e))?;
        say!("{text}");
    } else {
        say!("{}", table(&plugins));
        say!("Folder of further plugins: {}", config.plugins.dir.display());
    }
    Ok(())
}

fn table(plugins: &[PluginResult]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_BORDERS_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["plugin", "state", "version", "origin", "sha-256", "about"]);
    for plugin in plugins {
        let state = [Some(plugin.state), plugin.code].into_iter().flatten().collect::<Vec<_>>().join(" ");
        let origin = plugin.file.clone().unwrap_or_else(|| "built in".to_owned());
        let pinned = if plugin.pinned { " pinned" } else { "" };
        let digest = plugin.sha256.as_ref().map(|digest| format!("{}{pinned}", &digest[..12]));
        let about = plugin.reason.clone().or_else(|| plugin.summary.clone());
        table.add_row([
            plugin.key.clone(),
            state,
            plugin.version.clone().unwrap_or_default(),
            origin,
            digest.unwrap_or_default(),
            about.unwrap_or_default(),
        ]);
    }
    table
}
