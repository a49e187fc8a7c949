//! `retailcast plugin add`, `remove` and `inspect`, and a server that follows the plugin folder.

use serde_json::{Value, json};

use super::program::{Home, Server, wait_until};
use super::serve::{post, shop};

/// The hostile plugin as a file outside the plugin folder, and a configuration that wants every file pinned.
fn home(name: &str) -> Home {
    let home = Home::new(name);
    std::fs::write(home.folder.join("hostile.wasm"), retailcast_test_guests::HOSTILE).unwrap();
    let toml = "# Shop 7\n[plugins]\ndir = \"plugins\" # ours\nstrict = true\n";
    std::fs::write(home.folder.join("retailcast.toml"), toml).unwrap();
    home
}

fn configuration(home: &Home) -> String {
    std::fs::read_to_string(home.folder.join("retailcast.toml")).unwrap()
}

fn state(home: &Home, key: &str) -> Option<String> {
    let list: Value = serde_json::from_str(&home.succeed(&["plugin", "list", "--json"])).unwrap();
    let plugins = list.as_array().unwrap().iter();
    plugins
        .filter(|plugin| plugin["key"] == key)
        .map(|plugin| plugin["state"].as_str().unwrap().to_owned())
        .next()
}

#[test]
fn adding_pins_and_removing_forgets() {
    let home = home("plugin-add");
    let before = configuration(&home);
    assert!(home.succeed(&["plugin", "add", "hostile.wasm"]).contains("added hostile 0.1.0"));
    assert!(configuration(&home).starts_with(&before), "comments stay");
    assert_eq!(state(&home, "hostile").as_deref(), Some("loaded"));
    assert!(home.succeed(&["plugin", "add", "hostile.wasm"]).contains("replaced hostile"));
    home.succeed(&["plugin", "remove", "hostile"]);
    assert_eq!(state(&home, "hostile"), None);
    assert_eq!(configuration(&home).trim(), before.trim());
    assert!(home.refuse(&["plugin", "remove", "hostile"]).contains("there is no plugin"));
    assert!(
        home.refuse(&["plugin", "remove", "naive"]).contains("[plugins.settings.naive]\nenabled = false")
    );
}

#[test]
fn what_cannot_be_loaded_is_not_added() {
    let home = home("plugin-add-refused");
    let before = configuration(&home);
    std::fs::write(home.folder.join("half.wasm"), &retailcast_test_guests::HOSTILE[..5_000]).unwrap();
    home.refuse(&["plugin", "add", "half.wasm"]);
    home.refuse(&["plugin", "add", "nowhere.wasm"]);
    std::fs::copy(home.folder.join("hostile.wasm"), home.folder.join("naive.wasm")).unwrap();
    assert!(home.refuse(&["plugin", "add", "naive.wasm"]).contains("built-in"));
    assert_eq!(configuration(&home), before);
    assert!(!home.folder.join("plugins").exists());
}

#[test]
fn inspecting_tells_what_a_file_would_need() {
    let home = home("plugin-inspect");
    let text = home.succeed(&["plugin", "inspect", "hostile.wasm", "--static", "--json"]);
    let inspected: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(inspected["kind"], "forecast-model");
    assert_eq!((&inspected["grants_needed"], &inspected["describe"]), (&json!([]), &Value::Null));
    let text = home.succeed(&["plugin", "inspect", "lightgbm", "--json"]);
    let inspected: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(inspected["grants_needed"], json!(["gradient-boosting"]));
    assert_eq!(inspected["describe"]["name"], "lightgbm");
    let text = home.succeed(&["plugin", "inspect", "explain_baseline", "--static", "--json"]);
    let inspected: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(inspected["kind"], "explainer");
    assert!(home.succeed(&["plugin", "inspect", "hostile.wasm"]).contains("fault"));
}

/// A plugin is added to and taken from a running server, and a call that runs meanwhile ends on what it began with.
#[test]
fn a_server_follows_the_folder_while_calls_run() {
    let home = home("plugin-watch");
    shop(&home);
    let limits = "\n[plugins.limits]\nfit_seconds = 6.0\n";
    std::fs::write(home.folder.join("retailcast.toml"), configuration(&home) + limits).unwrap();
    let server = Server::start(&home);
    let train = |fault: &str| {
        let body = json!({"store_id": 1, "product_id": 1, "train_start_date": "2024-01-01", "train_end_date": "2024-03-04",
                          "config": {"model_type": "hostile", "fault": fault}});
        let url = format!("{}/forecasting/train", server.url);
        move || post(&url, &body)
    };
    assert_eq!(train("none")().0, 422);
    home.succeed(&["plugin", "add", "hostile.wasm"]);
    let try_it = train("none");
    wait_until(|| try_it().0 == 200);
    let running = std::thread::spawn(train("loop-in-fit"));
    std::thread::sleep(std::time::Duration::from_millis(500));
    home.succeed(&["plugin", "remove", "hostile"]);
    wait_until(|| try_it().0 == 422);
    let (status, problem) = running.join().unwrap();
    assert_eq!((status, &problem["plugin_error"]), (504, &json!("RC-P009")), "{problem}");
    assert_eq!(server.stop().0, Some(0));
}
