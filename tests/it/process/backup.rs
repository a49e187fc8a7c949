//! `retailcast backup`, `restore` and `doctor`, with everything that the program keeps.

use std::path::Path;

use serde_json::{Value, json};

use super::program::{Home, Server};
use super::serve::{get, post};
use crate::support::database::workspace;

const CONFIGURATION: &str = "\
# Shop 7
[rag]
embedding_provider = \"local\"
embedding_dimension = 256

[providers]
openai_api_key = \"sk-canary\"
";

/// What clients see of a place, endpoint by endpoint.
fn seen(server: &Server) -> Vec<(String, Value)> {
    let get = |path: &str| get(&format!("{}{path}", server.url)).1;
    let mut paths: Vec<String> = [
        "/dimensions/stores?page_size=100",
        "/dimensions/products?page_size=100",
        "/seeder/status",
        "/registry/runs?page_size=100",
        "/registry/aliases",
        "/jobs?page_size=100",
        "/scenarios",
        "/rag/sources",
        "/plugins",
        "/config/ai",
    ]
    .map(str::to_owned)
    .to_vec();
    let range = get("/seeder/status");
    let (from, to) = (range["date_range_start"].as_str().unwrap(), range["date_range_end"].as_str().unwrap());
    for what in
        ["kpis?", "drilldowns?dimension=product&", "timeseries?granularity=month&", "inventory-status?"]
    {
        paths.push(format!("/analytics/{what}start_date={from}&end_date={to}"));
    }
    for (list, each, id) in [("/registry/runs", "runs", "run_id"), ("/scenarios", "scenarios", "scenario_id")]
    {
        let listed = get(list);
        for item in listed[each].as_array().unwrap() {
            paths.push(format!("{list}/{}", item[id].as_str().unwrap()));
        }
    }
    let mut seen: Vec<(String, Value)> = paths.iter().map(|path| (path.clone(), get(path))).collect();
    // Calls are counted anew by every process: of a plugin, what it is.
    for (_, answer) in seen.iter_mut().filter(|(path, _)| path == "/plugins") {
        let plugins = answer["plugins"].as_array().unwrap().iter();
        *answer = plugins.map(|plugin| json!([plugin["key"], plugin["state"], plugin["sha256"]])).collect();
    }
    // Keys of providers are in no backup.
    for (_, answer) in seen.iter_mut().filter(|(path, _)| path == "/config/ai") {
        answer["api_keys"] = Value::Null;
    }
    let question = json!({"query": "how are files of models kept?", "top_k": 3, "similarity_threshold": 0.0});
    let mut found = post(&format!("{}/rag/retrieve", server.url), &question).1;
    found["query_embedding_time_ms"] = Value::Null;
    found["search_time_ms"] = Value::Null;
    seen.push(("/rag/retrieve".to_owned(), found));
    seen
}

/// A place with something of everything.
fn fill(home: &Home) -> Server {
    std::fs::write(home.folder.join("retailcast.toml"), CONFIGURATION).unwrap();
    let plugins = home.folder.join(".retailcast/plugins");
    std::fs::create_dir_all(&plugins).unwrap();
    let fossil = workspace().join("tests/fossils/naive-v0.1.wasm");
    std::fs::copy(fossil, plugins.join("fossil.wasm")).unwrap();
    // The fossil is called `naive`: the built-in one makes room.
    let mut text = CONFIGURATION.to_owned();
    text += "\n[plugins.settings.naive]\nenabled = false\n";
    std::fs::write(home.folder.join("retailcast.toml"), text).unwrap();
    let server = Server::start(home);
    let (status, run) = post(&format!("{}/demo/run", server.url), &json!({"skip_seed": false}));
    assert_eq!((status, &run["overall_status"]), (200, &"pass".into()), "{run}");
    let document = json!({"source_type": "markdown", "source_path": "docs/models.md",
                          "content": "# Models\n\nFiles of models are kept in a folder, whole or not at all.\n"});
    assert_eq!(post(&format!("{}/rag/index", server.url), &document).0, 201);
    server
}

#[test]
fn a_backup_of_a_running_server_restores_everything_elsewhere() {
    let home = Home::new("backup");
    let server = fill(&home);
    let healthy = home.succeed(&["doctor"]);
    assert!(healthy.contains("everything holds"), "{healthy}");
    let before = seen(&server);
    let said = home.succeed(&["backup", "shop.tar.gz"]);
    assert!(said.contains("rows and"), "{said}");
    assert!(home.refuse(&["backup", "shop.tar.gz"]).contains("exists already"));
    // Nothing is restored into a place that has something.
    let refused = home.refuse(&["restore", "shop.tar.gz"]);
    assert!(refused.contains("empty place only"), "{refused}");
    assert_eq!(server.stop().0, Some(0));

    let archive = home.folder.join("shop.tar.gz");
    assert!(!unpacked(&archive).contains("sk-canary"), "a key of a provider is in the backup");

    let elsewhere = Home::new("backup-restored");
    std::fs::copy(&archive, elsewhere.folder.join("shop.tar.gz")).unwrap();
    elsewhere.succeed(&["restore", "shop.tar.gz"]);
    assert!(elsewhere.succeed(&["doctor"]).contains("everything holds"));
    let server = Server::start(&elsewhere);
    for ((path, expected), (_, found)) in before.iter().zip(seen(&server)) {
        assert_eq!(expected, &found, "{path}");
    }
    // Ids go on behind those that were restored, and what is written is taken.
    let (status, again) = post(&format!("{}/demo/run", server.url), &json!({"skip_seed": true}));
    assert_eq!((status, &again["overall_status"]), (200, &"pass".into()), "{again}");
    assert_eq!(server.stop().0, Some(0));
}

/// All bytes of the archive's members.
fn unpacked(archive: &Path) -> String {
    let output = std::process::Command::new("tar").args(["-xzOf"]).arg(archive).output().unwrap();
    assert!(output.status.success());
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_damaged_backup_restores_nothing() {
    let home = Home::new("backup-damaged");
    assert_eq!(fill(&home).stop().0, Some(0));
    home.succeed(&["backup", "whole.tar.gz"]);
    let bytes = std::fs::read(home.folder.join("whole.tar.gz")).unwrap();
    let elsewhere = Home::new("backup-damaged-there");
    let mut flipped = bytes.clone();
    flipped[bytes.len() / 2] ^= 0x40;
    for (name, damaged) in [
        ("cut.tar.gz", bytes[..bytes.len() - 100].to_vec()),
        ("half.tar.gz", bytes[..bytes.len() / 2].to_vec()),
        ("flipped.tar.gz", flipped),
        ("text.tar.gz", b"not a backup".to_vec()),
    ] {
        std::fs::write(elsewhere.folder.join(name), damaged).unwrap();
        let refused = elsewhere.refuse(&["restore", name]);
        assert!(refused.contains("nothing was restored"), "{name}: {refused}");
    }
    assert!(!elsewhere.folder.join("artifacts").exists());
    std::fs::write(elsewhere.folder.join("whole.tar.gz"), bytes).unwrap();
    elsewhere.succeed(&["restore", "whole.tar.gz"]);
}

#[test]
fn the_doctor_names_what_is_broken() {
    let home = Home::new("doctor");
    let server = fill(&home);
    assert_eq!(server.stop().0, Some(0));
    let models = home.folder.join("artifacts/models");
    let file = std::fs::read_dir(&models).unwrap().next().unwrap().unwrap().path();
    let bytes = std::fs::read(&file).unwrap();
    std::fs::write(&file, &bytes[..bytes.len() - 7]).unwrap();
    std::fs::write(models.join("model_0123456789ab.rcm#1"), &bytes).unwrap();
    let output = home.run(&["doctor", "--json"]);
    assert_eq!(output.status.code(), Some(2));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["healthy"], false);
    let broken: Vec<&str> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["count"] != 0)
        .map(|finding| finding["check"].as_str().unwrap())
        .collect();
    assert!(broken.contains(&"models.files") && broken.contains(&"models.leftovers"), "{report:#}");
}
