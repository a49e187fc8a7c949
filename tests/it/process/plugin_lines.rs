//! Every refusal that an operator can lift ends with the lines that lift it. Here they are pasted, as often as needed,
//! and what was refused works.

use super::program::Home;

/// One refusal: a configuration, a command, a part of the message.
struct Refusal {
    name: &'static str,
    toml: &'static str,
    command: &'static [&'static str],
    says: &'static str,
}

const WRONG_PIN: &str = "\
[plugins.settings.file]
sha256 = \"0000000000000000000000000000000000000000000000000000000000000000\"
";

/// A thousand trees: longer than the shortest limit, on any machine.
const TRAIN: &[&str] = &["plugin", "run", "file.wasm", "--model-config", "{\"max_iter\": 1000}"];
const LIST: &[&str] = &["plugin", "list", "--json"];
const ADD: &[&str] = &["plugin", "add", "file.wasm"];

const REFUSALS: &[Refusal] = &[
    Refusal { name: "wrong-pin", toml: WRONG_PIN, command: LIST, says: "pins 0000" },
    Refusal {
        name: "no-pin",
        toml: "[plugins]\nstrict = true\n",
        command: LIST,
        says: "`plugins.strict` demands",
    },
    Refusal {
        name: "no-grant",
        toml: "[plugins.settings.lightgbm]\ngrants = []\n",
        command: LIST,
        says: "imports `retailcast:plugin/gradient-boosting",
    },
    Refusal {
        name: "defaults",
        toml: "[plugins.settings.file]\ndefaults = { max_iter = 7 }\n",
        command: LIST,
        says: "the defaults set for it do not fit",
    },
    Refusal {
        name: "memory",
        toml: "[plugins.settings.file.limits]\nmemory_mib = 1\n",
        command: TRAIN,
        says: "its limit is 1 MiB",
    },
    Refusal {
        name: "time-of-one-plugin",
        toml: "[plugins.settings.file.limits]\nfit_seconds = 0.01\n",
        command: TRAIN,
        says: "took longer in fit than its limit of 10ms",
    },
    Refusal {
        name: "time-of-all",
        toml: "[plugins.limits]\nfit_seconds = 0.01\n",
        command: TRAIN,
        says: "took longer in fit than its limit of 10ms",
    },
    Refusal {
        name: "cap",
        toml: "[plugins.caps]\nmemory_mib = 64\n[plugins.limits]\nmemory_mib = 64\n\
               [plugins.settings.file.limits]\nmemory_mib = 128\n",
        command: ADD,
        says: "is above the cap of every plugin",
    },
];

#[test]
fn the_lines_of_every_refusal_allow_what_was_refused() {
    for refusal in REFUSALS {
        let home = Home::new(&format!("plugin-lines-{}", refusal.name));
        let folder = home.folder.join(".retailcast/plugins");
        std::fs::create_dir_all(&folder).unwrap();
        let component = retailcast_bundled::find("regression").unwrap().component;
        // Another name than the built-in plugin's, so that both can be loaded.
        let component = retailcast_test_guests::patched(component, "regression", "regressi0n");
        std::fs::write(home.folder.join("file.wasm"), &component).unwrap();
        if refusal.command == LIST {
            std::fs::write(folder.join("file.wasm"), &component).unwrap();
        }
        lift(&home, refusal);
    }
}

/// Pastes until it works; the first message must be the expected one.
#[track_caller]
fn lift(home: &Home, refusal: &Refusal) {
    let mut settings: toml::Table = refusal.toml.parse().unwrap();
    for turn in 0..12 {
        std::fs::write(home.folder.join("retailcast.toml"), settings.to_string()).unwrap();
        let Some(message) = refused(home, refusal.command) else {
            assert!(turn > 0, "{}: nothing was refused", refusal.name);
            return;
        };
        if turn == 0 {
            assert!(message.contains(refusal.says), "{}: {message}", refusal.name);
        }
        let lines = message.find("\n[").unwrap_or_else(|| panic!("{}: no lines in {message}", refusal.name));
        let pasted: toml::Table =
            message[lines..].parse().unwrap_or_else(|e| panic!("{}: {e}: {message}", refusal.name));
        merge(&mut settings, pasted);
    }
    panic!("{}: still refused after twelve pastes", refusal.name);
}

/// What a command or the list of plugins says against it, if anything.
fn refused(home: &Home, command: &[&str]) -> Option<String> {
    let output = home.run(command);
    let said = String::from_utf8(output.stderr).unwrap();
    if !output.status.success() {
        return Some(said);
    }
    if command != LIST {
        return None;
    }
    let list: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let refused = list.as_array().unwrap().iter().find(|plugin| plugin["state"] == "refused")?;
    Some(refused["reason"].as_str().unwrap().to_owned())
}

/// A line takes the place of the one that is there.
fn merge(into: &mut toml::Table, from: toml::Table) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(toml::Value::Table(old)), toml::Value::Table(new)) => merge(old, new),
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}
