//! Commands, their output and exit codes.

use std::process::Stdio;

use super::program::Home;
use crate::support::database::workspace;

#[test]
fn refusals_say_what_would_be_right_and_exit_with_2() {
    let home = Home::new("refusals");
    let file = home.folder.join("wrong.toml");
    for (toml, words) in [
        ("[forecast]\nmax_horizont = 5", vec!["max_horizont", "max_horizon"]),
        ("[server]\nhost = \"0.0.0.0\"", vec!["allow_unauthenticated = true"]),
        ("[server]\nhost = \"shop\"", vec!["server.host", "shop"]),
        ("not toml", vec!["wrong.toml"]),
    ] {
        std::fs::write(&file, toml).unwrap();
        let said = home.refuse(&["--config", "wrong.toml", "serve"]);
        for word in words {
            assert!(said.contains(word), "{said}");
        }
    }
    assert!(home.refuse(&["--config", "nowhere.toml", "migrate"]).contains("nowhere.toml"));
    assert!(home.refuse(&["forecast", "--horizon", "91"]).contains("1 to 90"));
    assert!(home.refuse(&["forecast", "--output", "x.xlsx"]).contains(".parquet"));
    assert!(home.refuse(&["forecats"]).contains("forecast"));
    assert!(home.postgres().is_none());
}

#[test]
fn a_folder_with_other_things_is_left_alone() {
    let home = Home::new("not-ours");
    let data = home.folder.join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join("thesis.txt"), "years of work").unwrap();
    let output = home.command(&["migrate"]).env("DATABASE_EMBEDDED_DIR", ".").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("database.embedded.dir"));
    assert_eq!(std::fs::read_to_string(data.join("thesis.txt")).unwrap(), "years of work");
}

#[test]
fn a_wrong_database_is_a_failure_and_not_a_refusal() {
    let home = Home::new("no-database");
    let output =
        home.command(&["migrate"]).env("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/x").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("127.0.0.1") && said.contains("cannot connect"), "{said}");
}

#[test]
fn the_default_configuration_can_be_used_as_it_is() {
    let home = Home::new("default-config");
    let text = home.succeed(&["default-config"]);
    std::fs::write(home.folder.join("retailcast.toml"), text).unwrap();
    let list = home.succeed(&["plugin", "list", "--json"]);
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    let (loaded, off): (Vec<_>, Vec<_>) =
        list.as_array().unwrap().iter().partition(|entry| entry["state"] == "loaded");
    assert_eq!(off.iter().map(|entry| &entry["key"]).collect::<Vec<_>>(), ["embed_minilm", "explain_trees"]);
    let names: Vec<&str> = loaded.iter().map(|entry| entry["name"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "adjust_heuristic",
            "croston",
            "elastic_net",
            "embed_local",
            "embed_ollama",
            "embed_openai",
            "ets",
            "explain_baseline",
            "lightgbm",
            "moving_average",
            "naive",
            "regression",
            "seasonal_naive",
            "theta"
        ]
    );
    assert!(home.succeed(&["plugin", "list"]).contains("seasonal_naive"));
}

#[test]
fn import_and_forecast() {
    let home = Home::new("import");
    let data = workspace().join("tests/data/bakery");
    let file = |name: &str| data.join(name).to_str().unwrap().to_owned();
    assert!(home.refuse(&["forecast"]).contains("retailcast import"));
    assert!(home.succeed(&["import", "stores", &file("stores.csv")]).contains("30 written"));
    assert!(home.succeed(&["import", "products", &file("products.csv")]).contains("3 written"));
    assert!(home.succeed(&["import", "calendar", &file("calendar.csv.gz")]).contains("holidays"));
    assert!(home.succeed(&["import", "sales", &file("sales_daily.csv.gz")]).contains("104310 written"));
    assert!(home.refuse(&["import", "sales", "nowhere.csv"]).contains("nowhere.csv"));

    let table =
        home.succeed(&["forecast", "--model", "naive", "--store", "B02", "--sku", "P101", "--horizon", "3"]);
    assert!(
        table.contains("2019-03-06") && table.contains("2019-03-08") && !table.contains("2019-03-09"),
        "{table}"
    );
    home.succeed(&[
        "forecast",
        "--model",
        "moving_average,window_size=28",
        "--model",
        "regression,max_iter=10",
        "--sku",
        "P101",
        "--origin",
        "2019-02-19",
        "--output",
        "f.csv",
    ]);
    let csv = std::fs::read_to_string(home.folder.join("f.csv")).unwrap();
    assert_eq!(csv.lines().count(), 1 + 30 * 2 * 14);
    assert!(csv.lines().nth(1).unwrap().starts_with("B02,P101,moving_average,2019-02-20,"), "{csv}");
    home.succeed(&["forecast", "--sku", "P101", "--output", "f.parquet"]);
    assert!(home.folder.join("f.parquet").metadata().unwrap().len() > 1_000);
    let across = ["forecast", "--model", "lightgbm,scope=global,n_estimators=20", "--output", "g.csv"];
    let global = |threads: &str| {
        let output = home.command(&across).env("COMPUTE_BOOSTING_THREADS", threads).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        std::fs::read_to_string(home.folder.join("g.csv")).unwrap()
    };
    let csv = global("1");
    assert_eq!(csv.lines().count(), 1 + 90 * 14);
    assert!(csv == global("2"), "the same bytes on one thread and on two");
    let said = home.refuse(&["forecast", "--model", "moving_average,window_size=900"]);
    assert!(said.contains("window_size") && said.contains("90"), "{said}");
    assert!(home.refuse(&["forecast", "--model", "magic"]).contains("seasonal_naive"));
    assert!(home.postgres().is_none(), "the last command stops the embedded server");
}

#[test]
fn a_reader_who_has_seen_enough_is_no_error() {
    let home = Home::new("pipe");
    for arguments in [&["default-config"][..], &["openapi"], &["plugin", "list"]] {
        let mut child =
            home.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // Nobody reads from the start.
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && !said.contains("panicked"), "{arguments:?}: {said}");
    }
}
