//! The table of one plugin in the operator's `retailcast.toml`: set and removed without touching anything else of it.

use retailcast_runtime::settings_table;
use toml_edit::{Array, DocumentMut, Item, Table, TableLike};

/// How the grant of LightGBM is written.
pub(super) const GRADIENT_BOOSTING: &str = "gradient-boosting";

/// What is written for a plugin.
#[derive(Debug, Clone)]
pub(super) struct Pin<'a> {
    /// Name of its settings table.
    pub(super) key: &'a str,
    /// 64 hex digits.
    pub(super) sha256: String,
    /// Grants to add to those that it has.
    pub(super) grants: &'a [&'a str],
}

/// As lines to paste.
impl std::fmt::Display for Pin<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[{}]\nsha256 = \"{}\"", settings_table(self.key), self.sha256)?;
        if !self.grants.is_empty() {
            write!(f, "\ngrants = {:?}", self.grants)?;
        }
        Ok(())
    }
}

/// Sets digest and grants in a configuration file's text; comments and everything else stay.
pub(super) fn set(text: &str, pin: &Pin<'_>) -> Result<String, String> {
    let mut document: DocumentMut = text.parse().map_err(|e: toml_edit::TomlError| e.to_string())?;
    let plugins = child(document.as_table_mut(), "plugins", true)?;
    let settings = child(plugins, "settings", true)?;
    let table = child(settings, pin.key, false)?;
    set_value(table, "sha256", toml_edit::Value::from(pin.sha256.as_str()));
    if !pin.grants.is_empty() {
        let mut grants = table.get("grants").and_then(Item::as_array).cloned().unwrap_or_else(Array::new);
        for grant in pin.grants {
            if !grants.iter().any(|has| has.as_str() == Some(grant)) {
                grants.push(*grant);
            }
        }
        set_value(table, "grants", grants.into());
    }
    Ok(document.to_string())
}

/// Removes the table of a plugin. `None` when there is none.
pub(super) fn remove(text: &str, key: &str) -> Result<Option<String>, String> {
    let mut document: DocumentMut = text.parse().map_err(|e: toml_edit::TomlError| e.to_string())?;
    let settings = document
        .get_mut("plugins")
        .and_then(Item::as_table_like_mut)
        .and_then(|plugins| plugins.get_mut("settings"))
        .and_then(Item::as_table_like_mut);
    let removed = settings.and_then(|settings| settings.remove(key));
    Ok(removed.map(|_| document.to_string()))
}

/// The table `name`, made when it is not there. An implicit one has no header of its own.
fn child<'a>(
    parent: &'a mut dyn TableLike,
    name: &str,
    implicit: bool,
) -> Result<&'a mut dyn TableLike, String> {
    let make = || {
        let mut table = Table::new();
        table.set_implicit(implicit);
        Item::Table(table)
    };
    let item = parent.entry(name).or_insert_with(make);
    item.as_table_like_mut().ok_or_else(|| format!("`{name}` is no table"))
}

/// A new value in an old one's place keeps the comment behind it.
fn set_value(table: &mut dyn TableLike, key: &str, mut value: toml_edit::Value) {
    if let Some(old) = table.get(key).and_then(Item::as_value) {
        *value.decor_mut() = old.decor().clone();
    }
    table.insert(key, Item::Value(value));
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\
# Shop 7
[plugins] # ours
strict = true

# From the vendor.
[plugins.settings.drift]
sha256 = \"00\" # of March
grants = [ \"gradient-boosting\" ]
limits = { memory_mib = 64 } # enough

[server]
port = 9000 # behind the proxy
";

    fn pin<'a>(key: &'a str, grants: &'a [&'a str]) -> Pin<'a> {
        Pin { key, sha256: "ab".repeat(32), grants }
    }

    #[test]
    fn a_new_pin_takes_the_old_one_s_place_and_touches_nothing_else() {
        let text = set(FILE, &pin("drift", &[GRADIENT_BOOSTING])).unwrap();
        assert_eq!(text, FILE.replace("\"00\"", &format!("\"{}\"", "ab".repeat(32))));
    }

    #[test]
    fn a_new_table_comes_behind_those_of_other_plugins() {
        let text = set(FILE, &pin("other", &[GRADIENT_BOOSTING])).unwrap();
        let table = format!("\n{}\n", pin("other", &[GRADIENT_BOOSTING]));
        assert_eq!(text, FILE.replace("\n[server]", &format!("{table}\n[server]")));
        // An empty file gets that table and no other header.
        assert_eq!(set("", &pin("a b", &[])).unwrap().trim(), pin("a b", &[]).to_string());
    }

    #[test]
    fn inline_tables_stay_inline() {
        let text =
            set("plugins = { settings = { drift = { enabled = true } } }\n", &pin("drift", &[])).unwrap();
        assert!(text.starts_with("plugins = {") && text.contains("enabled = true"), "{text}");
        let read: toml::Table = text.parse().unwrap();
        assert_eq!(read["plugins"]["settings"]["drift"]["sha256"].as_str().unwrap().len(), 64);
    }

    #[test]
    fn removing_takes_the_table_with_all_its_settings() {
        let text = remove(FILE, "drift").unwrap().unwrap();
        assert!(!text.contains("drift") && !text.contains("memory_mib"), "{text}");
        assert!(text.contains("strict = true") && text.contains("port = 9000 # behind the proxy"), "{text}");
        assert_eq!(remove(FILE, "nothing").unwrap(), None);
        assert_eq!(remove("", "nothing").unwrap(), None);
    }

    #[test]
    fn what_is_no_toml_is_refused() {
        assert!(set("not toml", &pin("a", &[])).is_err());
        assert!(set("plugins = 5", &pin("a", &[])).unwrap_err().contains("`plugins` is no table"));
    }
}
