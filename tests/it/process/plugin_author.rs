//! What a plugin's author does: make a project, build it, check it, run it.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::program::{Home, target_folder};
use crate::support::database::workspace;

/// Builds a project as its README says, with the dependencies of this workspace's lock file (they are on the machine)
/// and the target folder of the bundled plugins (they are compiled there).
fn build(project: &Path, component: &str) -> PathBuf {
    std::fs::copy(workspace().join("Cargo.lock"), project.join("Cargo.lock")).unwrap();
    let target = target_folder().join("plugins");
    let output = Command::new(env!("CARGO"))
        .current_dir(project)
        .args(["build", "--profile", "guest", "--target", "wasm32-wasip2"])
        .env("CARGO_TARGET_DIR", &target)
        .env_remove("RUSTFLAGS")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let built = target.join("wasm32-wasip2/guest").join(component);
    let file = project.join(component);
    std::fs::copy(&built, &file).unwrap();
    file
}

#[test]
fn a_new_rust_project_builds_conforms_and_forecasts() {
    let home = Home::new("plugin-author");
    assert!(home.succeed(&["plugin", "new", "--lang", "rust", "weekday-mean"]).contains("weekday-mean"));
    assert!(home.refuse(&["plugin", "new", "weekday-mean"]).contains("exists already"));
    assert!(home.refuse(&["plugin", "new", "Weekday"]).contains("lower-case"));
    assert!(home.refuse(&["plugin", "new", "--lang", "cobol", "x"]).contains("--lang rust"));

    let file = build(&home.folder.join("weekday-mean"), "weekday_mean.wasm");
    let file = file.to_str().unwrap();
    let report = home.succeed(&["plugin", "check", file]);
    assert!(report.contains("weekday_mean 0.1.0 conforms (level full)"), "{report}");
    let json: serde_json::Value =
        serde_json::from_str(&home.succeed(&["plugin", "check", file, "--level", "smoke", "--json"]))
            .unwrap();
    assert_eq!((&json["passed"], &json["level"]), (&true.into(), &"smoke".into()));
    assert!(home.succeed(&["plugin", "check", file, "--junit"]).contains("<testsuite "));

    let sales = home.folder.join("sales.csv");
    let rows: Vec<String> = (1..=14).map(|day| format!("2024-01-{day:02},{day}")).collect();
    std::fs::write(&sales, format!("date,quantity\n{}\n", rows.join("\n"))).unwrap();
    let arguments = [
        "plugin",
        "run",
        file,
        "--fixture",
        "sales.csv",
        "--model-config",
        r#"{"weeks": 2}"#,
        "--horizon",
        "2",
        "--trace",
    ];
    let printed = home.succeed(&arguments);
    for words in
        ["instantiate", "< training-data.target-tail", "fitted.predict", "2024-01-15", "4.5000", "5.5000"]
    {
        assert!(printed.contains(words), "{words}: {printed}");
    }
    assert!(home.refuse(&["plugin", "run", file, "--fixture", "x"]).contains("intermittent"));
    assert!(home.refuse(&["plugin", "run", file, "--model-config", r#"{"weeks": 0}"#]).contains("weeks"));

    // Beside the others in the plugin folder it passes the smoke checks, which is noted.
    let folder = home.folder.join(".retailcast/plugins");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::copy(file, folder.join("weekday_mean.wasm")).unwrap();
    assert!(home.succeed(&["plugin", "list"]).contains("weekday_mean"));
    let note = format!("checked-{}-{}", env!("CARGO_PKG_VERSION"), json["sha256"].as_str().unwrap());
    assert!(Path::new(env!("CARGO_TARGET_TMPDIR")).join("plugin-code").join(&note).exists(), "{note}");
}

#[test]
fn new_projects_of_the_other_kinds_build_conform_and_serve() {
    let home = Home::new("plugin-author-kinds");
    let folder = home.folder.join(".retailcast/plugins");
    std::fs::create_dir_all(&folder).unwrap();
    for (kind, name, words) in [
        ("explainer", "halves-of-a-window", "days_before"),
        ("scenario-adjuster", "one-elasticity", "factor"),
        ("embedding-provider", "runs-of-three", "1.0000"),
    ] {
        home.succeed(&["plugin", "new", "--kind", kind, name]);
        let component = format!("{}.wasm", name.replace('-', "_"));
        let file = build(&home.folder.join(name), &component);
        let file = file.to_str().unwrap();
        let report = home.succeed(&["plugin", "check", file]);
        assert!(report.contains("conforms (level full)"), "{report}");
        let printed = home.succeed(&["plugin", "run", file, "--trace"]);
        assert!(printed.contains(words) && printed.contains("microseconds"), "{printed}");
        std::fs::copy(file, folder.join(component)).unwrap();
    }
    let list: serde_json::Value = serde_json::from_str(&home.succeed(&["plugin", "list", "--json"])).unwrap();
    for key in ["halves_of_a_window", "one_elasticity", "runs_of_three"] {
        let entry = list.as_array().unwrap().iter().find(|entry| entry["key"] == key).unwrap();
        assert_eq!(entry["state"], "loaded", "{entry}");
    }
}

/// The command line has an asynchronous runtime, in which a plugin's output must not wait.
#[test]
fn a_plugin_that_prints_is_checked_and_run() {
    use retailcast_test_guests::{MUTANT_ADJUSTER, mutant};
    let home = Home::new("plugin-prints");
    let folder = home.folder.join(".retailcast/plugins");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("prints.wasm");
    std::fs::write(&file, mutant(MUTANT_ADJUSTER, "prints")).unwrap();
    let file = file.to_str().unwrap();
    assert!(home.succeed(&["plugin", "run", file]).contains("factor"));
    assert!(home.succeed(&["plugin", "check", file]).contains("conforms"));
    // What loads the folder within the runtime checks it as well.
    home.succeed(&["doctor"]);
}

#[test]
fn the_other_kinds_are_checked_before_they_serve() {
    use retailcast_test_guests::{MUTANT_ADJUSTER, MUTANT_EMBEDDER, MUTANT_EXPLAINER, mutant};
    let home = Home::new("plugin-mutant-kinds");
    let folder = home.folder.join(".retailcast/plugins");
    std::fs::create_dir_all(&folder).unwrap();
    let mutants = [
        ("explainer", MUTANT_EXPLAINER, "sum"),
        ("adjuster", MUTANT_ADJUSTER, "optimist"),
        ("embedder", MUTANT_EMBEDDER, "opposite"),
    ];
    for (key, guest, fault) in mutants {
        std::fs::write(folder.join(format!("{key}.wasm")), mutant(guest, fault)).unwrap();
    }
    let list: serde_json::Value = serde_json::from_str(&home.succeed(&["plugin", "list", "--json"])).unwrap();
    let checks = ["explainer.sum", "scenario.identity", "embedder.meaning"];
    for ((key, ..), check) in mutants.iter().zip(checks) {
        let entry = list.as_array().unwrap().iter().find(|entry| entry["key"] == *key).unwrap();
        assert_eq!((&entry["state"], &entry["code"]), (&"refused".into(), &"RC-P018".into()), "{entry}");
        assert!(entry["reason"].as_str().unwrap().contains(check), "{entry}");
    }
}

#[test]
fn a_plugin_that_does_not_conform_is_told_why_and_does_not_serve() {
    let home = Home::new("plugin-mutant");
    let folder = home.folder.join(".retailcast/plugins");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("mutant.wasm");
    std::fs::write(&file, retailcast_test_guests::mutant(retailcast_test_guests::MUTANT_MODEL, "rounds"))
        .unwrap();
    let output = home.run(&["plugin", "check", file.to_str().unwrap(), "--level", "smoke"]);
    assert_eq!(output.status.code(), Some(2));
    let report = String::from_utf8(output.stdout).unwrap();
    assert!(report.contains("FAIL   purity.reload") && report.contains("does not conform"), "{report}");
    let list: serde_json::Value = serde_json::from_str(&home.succeed(&["plugin", "list", "--json"])).unwrap();
    let entry = list.as_array().unwrap().iter().find(|entry| entry["key"] == "mutant").unwrap();
    assert_eq!((&entry["state"], &entry["code"]), (&"refused".into(), &"RC-P018".into()), "{entry}");
    assert!(entry["reason"].as_str().unwrap().contains("purity.reload"), "{entry}");
}
